"""Gaps between copy words: their rows, which are intact, and the network that predicts."""

from __future__ import annotations

import numpy as np
import pytest
from support.fakes import FakeEncoder

from detector.features.adjacency import adjacency_rows, intact, width
from detector.features.evidence import gather_pairs
from detector.models.adjacency import AdjacencyClassifier
from detector.text.words import WordAlignment, align_words, find_words
from detector.training.data.corpus import Pair, group_of
from detector.training.feature_cache import fit_joins, labelled_joins, lends_joins


def _links(source: str, copy: str) -> WordAlignment:
    return align_words(find_words(source), find_words(copy))


@pytest.mark.parametrize(
    ("source", "copy", "broken"),
    [
        ("The old mill burned.", "The old mill burned.", []),
        ("The old mill burned.", "The mill burned.", [1]),
        ("The mill burned.", "The old mill burned.", [1, 2]),
        ("The mill burned down.", "The mill burned.", [3]),
        ("The mill burned.", "the MILL burned", []),
    ],
)
def test_adjacency_intact_are_those_that_the_source_has_too(
    source: str, copy: str, broken: list[int]
) -> None:
    assert np.flatnonzero(~intact(_links(source, copy))).tolist() == broken


@pytest.mark.parametrize(("n", "m"), [(1, 1), (4, 3), (2, 4)])
def test_adjacency_rows_have_one_shape_whatever_the_lengths(n: int, m: int) -> None:
    words = ["alpha", "beta", "gamma", "delta"]
    rng = np.random.default_rng(0)
    source, copy = (rng.normal(size=(k, 5)).astype(np.float32) for k in (n, m))
    links = align_words(find_words(" ".join(words[:n])), find_words(" ".join(words[:m])))
    rows = adjacency_rows(links, source, copy, np.arange(m + 1))
    assert rows.shape == (m + 1, width(5))
    assert np.isfinite(rows).all()
    assert len(intact(links)) == m + 1
    np.testing.assert_array_equal(
        adjacency_rows(links, source, copy, np.array([m, 0])), rows[[m, 0]]
    )


def _pairs(n: int) -> list[Pair]:
    pairs = []
    for k in range(n):
        source = f"Number {k} of the boats left the narrow harbour of Oslo in the rain."
        for kind, copy in (
            ("base", source),
            ("noun dropped", source.replace("boats ", "")),
            ("hyphen", source.replace("rain", "rain -")),
        ):
            pairs.append(
                Pair(
                    source=source,
                    copy=copy,
                    label=kind == "noun dropped",
                    corpus="contrast",
                    kind=kind,
                    group=group_of(source),
                    twin=str(k),
                )
            )
    return pairs


def test_adjacency_labels_touch_what_was_changed_alone() -> None:
    pairs = _pairs(3)
    rows, broken = labelled_joins(pairs, FakeEncoder())
    # Everything but the gap that the noun left is plainly intact, so nothing else is asked about.
    assert broken.tolist() == [True] * 3
    assert rows.shape == (3, width(FakeEncoder().identity.dimension))


def test_adjacency_fit_on_the_pairs_that_lend_themselves_and_on_no_other() -> None:
    pairs = _pairs(6)
    lent = [pair for pair in pairs if lends_joins(pair)]
    assert 0 < len(lent) < len(pairs)
    assert not {p.group for p in lent} & {p.group for p in pairs if not lends_joins(p)}
    assert fit_joins(pairs, FakeEncoder()) is None  # one label alone teaches nothing


@pytest.mark.slow
def test_adjacency_classifier_learns_and_repeats_itself() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(800, 6)).astype(np.float32)
    y = X[:, 0] * X[:, 1] > 0  # no sum of the columns tells it
    one, two = (
        AdjacencyClassifier(hidden=(24, 8), epochs=400, decay=1e-4).fit(X[:600], y[:600])
        for _ in "ab"
    )
    assert (one.predict(X[600:]) == y[600:]).mean() > 0.8
    np.testing.assert_array_equal(one.predictor()(X), two.predictor()(X))
    assert one.predict_proba(X).sum(axis=1) == pytest.approx(1.0)


def test_adjacency_classifier_refuses_one_label() -> None:
    with pytest.raises(ValueError, match="two labels"):
        AdjacencyClassifier().fit(np.zeros((4, 3), np.float32), [True] * 4)


def test_adjacency_of_a_text_against_itself_are_whole_whatever_the_judge_says() -> None:
    text = "The narrow harbour of Oslo was closed."
    changed = text.replace("narrow ", "")
    whole, gap = gather_pairs(
        [(text, text), (text, changed)], FakeEncoder(), adjacency=lambda rows: np.ones(len(rows))
    )
    assert whole.adjacency is not None
    assert gap.adjacency is not None
    assert not whole.adjacency.any()
    assert np.flatnonzero(gap.adjacency).tolist() == [1]
