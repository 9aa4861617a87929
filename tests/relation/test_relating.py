"""What two whole texts have in common, and what a model makes of it."""

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
    N_BUCKETS,
    TRAITS,
    compare,
    looks,
    machine_odds,
    measure,
    words_of,
)
from detector.relation.model import RelationModel, hats
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
    found = measure(*documents, one_to_one(*documents, similarity), random_weights())
    return dict(zip((t.name for t in TRAITS), found.values().tolist(), strict=True))


texts = st.lists(
    st.sampled_from(["the", "Bank", "didn't", "rose", "14", "état", "X-Trump", "U.S.", "’s", "—"]),
    max_size=12,
).map(" ".join)


@given(texts, texts)
def test_relating_changed_runs_hold_all_that_differs(source: str, copy: str) -> None:
    wording = compare(source, copy)
    at_source = at_copy = 0
    for run in wording.changed:
        same = run.source.start - at_source
        assert (
            wording.source[at_source : run.source.start] == (wording.copy[at_copy : at_copy + same])
        )
        assert run.copy.start == at_copy + same
        assert (
            wording.source[run.source.start : run.source.stop]
            != (wording.copy[run.copy.start : run.copy.stop])
        )
        at_source, at_copy = run.source.stop, run.copy.stop
    assert wording.source[at_source:] == wording.copy[at_copy:]
    assert 0 <= wording.kept <= min(len(wording.source), len(wording.copy))


@given(texts, texts)
def test_relating_machine_odds_turn_with_the_sides(source: str, copy: str) -> None:
    there, back = compare(source, copy), compare(copy, source)
    places, values = looks(there)
    assert (np.diff(places) > 0).all()
    assert (values != 0).all()
    if there.source == there.copy:
        assert machine_odds(there, random_weights()) == 0.0
    # The fewest changes need not be unique; where they are the same, so are the looks.
    if [(r.source, r.copy) for r in there.changed] == [(r.copy, r.source) for r in back.changed]:
        assert machine_odds(there, random_weights()) == pytest.approx(
            -machine_odds(back, random_weights())
        )


def test_relating_words_keep_elided_endings_and_lose_typography() -> None:
    assert words_of("They don’t — “pay”") == ("they", "don't", "pay")


def test_relating_a_very_long_bead_is_compared_in_part() -> None:
    wording = compare("word " * 5000, "other " * 5000)
    assert len(wording.source) == len(wording.copy) == 1024


def test_relating_the_same_text_has_nothing_changed() -> None:
    traits = measured(SOURCE, SOURCE)
    ones = ("copy_share", "source_share", "matter", "likeness", "same", "names_kept")
    assert [traits[name] for name in ones] == pytest.approx([1.0] * len(ones))
    assert traits["machine"] == traits["moved"] == traits["run_length"] == traits["length"] == 0.0


def test_relating_beads_that_are_not_close_do_not_count() -> None:
    traits = measured(SOURCE, COPY, similarity=0.3)
    assert traits["copy_share"] == traits["source_share"] == traits["size"] == 0.0


def test_relating_traits_see_what_was_done_to_a_text() -> None:
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
        measure(*documents, one_to_one(*documents), random_weights(seed)) for seed in (0, 1)
    )
    assert (first.values() != other.values()).any()
    np.testing.assert_array_equal(first.weighed(random_weights(1)).values(), other.values())


def test_relating_page_furniture_of_the_copy_does_not_lower_its_share() -> None:
    assert measured(SOURCE, COPY + "\n\nRead more\n")["copy_share"] == 1.0


@given(st.lists(st.floats(-9.0, 9.0), min_size=2, max_size=2), st.integers(0, 2**32 - 1))
def test_relating_hats_rebuild_what_lies_between_the_knots(values: list[float], seed: int) -> None:
    knots = np.cumsum(np.random.default_rng(seed).uniform(0.1, 2.0, size=(2, 5)), axis=1) - 4.0
    weights = hats(np.array([values]), knots)[0]
    assert (weights >= -1e-12).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    np.testing.assert_allclose(
        (weights * knots).sum(axis=1), np.clip(values, knots[:, 0], knots[:, -1]), atol=1e-9
    )


def test_relating_a_model_names_only_what_it_is_sure_of() -> None:
    documents = split(SOURCE), split(COPY)
    model = relation_model()
    found = model.measure(*documents, one_to_one(*documents))
    shares = model.judge(found).probabilities
    best = max(shares, key=lambda name: shares[name])
    for sure, label in ((shares[best], best), (shares[best] + 1e-6, None)):
        choosy = replace(model, sure=np.full(len(RELATIONS), sure))
        assert choosy.judge(found).label == label


def test_relating_evidence_says_the_facts_and_quotes_what_a_machine_would_change() -> None:
    documents = split(SOURCE), split(COPY)
    flat = relation_model(
        coefficients=np.zeros((len(RELATIONS), len(TRAITS), 4)),
        intercepts=np.array([3.0, 0.0, 0.0, 0.0, 0.0]),
        machine=np.zeros(N_BUCKETS, np.float16),
    )
    assert flat.judge(flat.measure(*documents, one_to_one(*documents))).evidence == ()
    # Every trait speaks for a round trip, and every change looks like a machine's.
    loud = flat.coefficients.copy()
    loud[0] = 1.0
    weights = np.zeros(N_BUCKETS, np.float16)
    for sentence in ("council", "directs"):
        places, _ = looks(compare("", sentence))
        weights[places] = 1.0
    sure = replace(flat, coefficients=loud, machine=weights)
    told = sure.judge(sure.measure(*documents, one_to_one(*documents))).evidence
    text = " | ".join(told)
    assert "100% of the copy's text has a close counterpart" in text
    assert '"board" became "council"' in told[-1]
    assert "nats against" in told[0]


def test_relating_a_model_comes_back_as_it_was_written() -> None:
    model = relation_model()
    content = model.to_bytes()
    assert relation_model().to_bytes() == content
    back = RelationModel.from_bytes(content, place="x")
    assert dict(back.training) == {"seed": 1}
    for name in ("machine", "knots", "coefficients", "intercepts", "sure"):
        np.testing.assert_array_equal(getattr(back, name), getattr(model, name))


@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04N.", b"\xff" * 64])
def test_relating_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BundleError, match="x: is no model of relations"):
        RelationModel.from_bytes(content, place="x")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"knots": np.zeros((3, 4))}, "other names, shapes or values"),
        ({"intercepts": np.full(len(RELATIONS), np.nan)}, "other names, shapes or values"),
    ],
)
def test_relating_a_damaged_model_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        RelationModel.from_bytes(relation_model(**changes).to_bytes(), place="x")


def test_relating_a_model_of_other_traits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = relation_model().to_bytes()
    monkeypatch.setattr("detector.relation.model.TRAITS", TRAITS[1:])
    with pytest.raises(BundleError, match="this version reads"):
        RelationModel.from_bytes(content, place="x")
