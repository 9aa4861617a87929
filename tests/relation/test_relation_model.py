"""The features and the model of relations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.made_relations import random_weights, relation_model

from detector.errors import BundleError
from detector.records import RELATIONS, Alignment, Bead, Document
from detector.relation.features import (
    FEATURES,
    N_BUCKETS,
    compare_documents,
    diff_words,
    hashed_changes,
    lower_words,
    translationese,
)
from detector.relation.model import RelationModel, linear_basis
from detector.text.sentences import split

SOURCE = (
    "The board did not consult the Amber movement. Odile Marrack runs it from Ellery. "
    "Fees rise by 12 percent."
)
COPY = (
    "The council did not consult the Amber movement. Odile Marrack directs it from Ellery. "
    "Fees rise by 12 percent."
)


def one_to_one(source: Document, copy: Document, similarity: float = 0.9) -> Alignment:
    n = min(len(source), len(copy))
    beads = [
        Bead(source=range(i, i + 1), copy=range(i, i + 1), similarity=similarity) for i in range(n)
    ]
    if len(source) > n:
        beads.append(Bead(source=range(n, len(source)), copy=range(n, n), similarity=None))
    if len(copy) > n:
        beads.append(Bead(source=range(n, n), copy=range(n, len(copy)), similarity=None))
    return Alignment(beads=tuple(beads), n_source=len(source), n_copy=len(copy))


def measured(source: str, copy: str, *, similarity: float = 0.9) -> dict[str, float]:
    documents = split(source), split(copy)
    found = compare_documents(*documents, one_to_one(*documents, similarity), random_weights())
    return dict(zip((f.name for f in FEATURES), found.values().tolist(), strict=True))


texts = st.lists(
    st.sampled_from(["the", "Bank", "didn't", "rose", "14", "état", "X-Trump", "U.S.", "’s", "—"]),
    max_size=12,
).map(" ".join)


@given(texts, texts)
def test_relating_changed_runs_hold_all_that_differs(source: str, copy: str) -> None:
    diff = diff_words(source, copy)
    at_source = at_copy = 0
    for edit in diff.edits:
        same = edit.source.start - at_source
        assert diff.source[at_source : edit.source.start] == (diff.copy[at_copy : at_copy + same])
        assert edit.copy.start == at_copy + same
        assert (
            diff.source[edit.source.start : edit.source.stop]
            != (diff.copy[edit.copy.start : edit.copy.stop])
        )
        at_source, at_copy = edit.source.stop, edit.copy.stop
    assert diff.source[at_source:] == diff.copy[at_copy:]
    assert 0 <= diff.n_kept <= min(len(diff.source), len(diff.copy))


@given(texts, texts)
def test_relating_machine_odds_turn_with_the_sides(source: str, copy: str) -> None:
    there, back = diff_words(source, copy), diff_words(copy, source)
    places, values = hashed_changes(there)
    assert (np.diff(places) > 0).all()
    assert (values != 0).all()
    if there.source == there.copy:
        assert translationese(there, random_weights()) == 0.0
    # The fewest changes need not be unique; where they are the same, so are the hashes.
    if [(r.source, r.copy) for r in there.edits] == [(r.copy, r.source) for r in back.edits]:
        assert translationese(there, random_weights()) == pytest.approx(
            -translationese(back, random_weights())
        )


def test_relating_words_keep_elided_endings_and_lose_typography() -> None:
    assert lower_words("They don’t — “pay”") == ("they", "don't", "pay")


def test_relating_a_very_long_bead_is_compared_in_part() -> None:
    diff = diff_words("word " * 5000, "other " * 5000)
    assert len(diff.source) == len(diff.copy) == 1024


def test_relating_the_same_text_has_nothing_changed() -> None:
    values = measured(SOURCE, SOURCE)
    ones = ("copy_share", "source_share", "matter", "likeness", "same", "names_kept")
    assert [values[name] for name in ones] == pytest.approx([1.0] * len(ones))
    assert values["machine"] == values["moved"] == values["run_length"] == values["length"] == 0.0


def test_relating_beads_that_are_not_close_do_not_count() -> None:
    values = measured(SOURCE, COPY, similarity=0.3)
    assert values["copy_share"] == values["source_share"] == values["size"] == 0.0


def test_relating_features_see_what_was_done_to_a_text() -> None:
    plain = measured(SOURCE, COPY)
    assert 0.8 < plain["likeness"] < 1.0
    assert plain["names_kept"] == plain["figures_kept"] == 1.0
    garbled = measured(SOURCE, COPY.replace("Amber", "Ambove").replace("12", "21"))
    assert garbled["names_kept"] < 1.0
    assert garbled["figures_kept"] == 0.0
    half = measured(SOURCE, COPY + " Nobody knows why the harbour closed so early on Tuesday.")
    assert half["copy_share"] < plain["copy_share"] == 1.0


def test_relating_weighing_anew_is_measuring_with_other_weights() -> None:
    documents = split(SOURCE), split(COPY)
    first, other = (
        compare_documents(*documents, one_to_one(*documents), random_weights(seed))
        for seed in (0, 1)
    )
    assert (first.values() != other.values()).any()
    np.testing.assert_array_equal(first.with_weights(random_weights(1)).values(), other.values())


def test_relating_boilerplate_of_the_copy_does_not_lower_its_share() -> None:
    assert measured(SOURCE, COPY + "\n\nRead more\n")["copy_share"] == 1.0


@given(st.lists(st.floats(-9.0, 9.0), min_size=2, max_size=2), st.integers(0, 2**32 - 1))
def test_relating_the_basis_rebuilds_what_lies_between_the_knots(
    values: list[float], seed: int
) -> None:
    knots = np.cumsum(np.random.default_rng(seed).uniform(0.1, 2.0, size=(2, 5)), axis=1) - 4.0
    weights = linear_basis(np.array([values]), knots)[0]
    assert (weights >= -1e-12).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    np.testing.assert_allclose(
        (weights * knots).sum(axis=1), np.clip(values, knots[:, 0], knots[:, -1]), atol=1e-9
    )


def test_relating_a_model_names_only_what_it_is_sure_of() -> None:
    documents = split(SOURCE), split(COPY)
    model = relation_model()
    found = model.compare(*documents, one_to_one(*documents))
    shares = model.predict(found).probabilities
    best = max(shares, key=lambda name: shares[name])
    for sure, label in ((shares[best], best), (shares[best] + 1e-6, None)):
        choosy = replace(model, thresholds=np.full(len(RELATIONS), sure))
        assert choosy.predict(found).label == label


def test_relating_evidence_says_the_facts_and_quotes_what_a_machine_would_change() -> None:
    documents = split(SOURCE), split(COPY)
    flat = relation_model(
        coefficients=np.zeros((len(RELATIONS), len(FEATURES), 4)),
        intercepts=np.array([3.0, 0.0, 0.0, 0.0, 0.0]),
        translationese_weights=np.zeros(N_BUCKETS, np.float16),
    )
    assert flat.predict(flat.compare(*documents, one_to_one(*documents))).evidence == ()
    # Every feature speaks for a round trip, and every change looks like a machine's.
    loud = flat.coefficients.copy()
    loud[0] = 1.0
    machine = np.zeros(N_BUCKETS, np.float16)
    for sentence in ("council", "directs"):
        places, _ = hashed_changes(diff_words("", sentence))
        machine[places] = 1.0
    sure = replace(flat, coefficients=loud, translationese_weights=machine)
    predicted = sure.predict(sure.compare(*documents, one_to_one(*documents)))
    evidence, weights = predicted.evidence, predicted.evidence_weights
    assert len(weights) == len(evidence)
    assert sorted(weights, reverse=True) == list(weights)
    assert weights[0] >= 3.0
    assert weights[-1] == 0.0
    text = " | ".join(evidence)
    assert "100% of the copy's text has a close counterpart" in text
    assert '"board" became "council"' in evidence[-1]
    assert "strong evidence against" in evidence[0]


def test_relating_a_model_comes_back_as_it_was_written() -> None:
    model = relation_model()
    content = model.to_bytes()
    assert relation_model().to_bytes() == content
    back = RelationModel.from_bytes(content, place="x")
    assert dict(back.training) == {"seed": 1}
    for name in ("translationese_weights", "knots", "coefficients", "intercepts", "thresholds"):
        np.testing.assert_array_equal(getattr(back, name), getattr(model, name))


@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04N.", b"\xff" * 64])
def test_relating_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BundleError, match="x: cannot be read as safetensors"):
        RelationModel.from_bytes(content, place="x")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"knots": np.zeros((3, 4))}, "knots is float64 3 4, not float64 features knots"),
        ({"knots": np.zeros((len(FEATURES), 4))}, "its knots do not rise"),
        ({"intercepts": np.full(len(RELATIONS), np.nan)}, "intercepts holds numbers that are not"),
        ({"thresholds": np.ones(len(RELATIONS), np.int64)}, "sure is int64"),
    ],
)
def test_relating_a_damaged_model_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        RelationModel.from_bytes(relation_model(**changes).to_bytes(), place="x")


def test_relating_a_model_of_other_features_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = relation_model().to_bytes()
    monkeypatch.setattr("detector.relation.model.FEATURES", FEATURES[1:])
    with pytest.raises(BundleError, match="this version reads"):
        RelationModel.from_bytes(content, place="x")
