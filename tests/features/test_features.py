from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeEncoder

from detector.features.cues import (
    added_words,
    doubled_words,
    lost_words,
    negation_change,
    opposite_pairs,
    pronoun_change,
)
from detector.features.evidence import BeadEvidence, gather_pairs
from detector.features.explain import bead_reasons
from detector.features.features import FEATURES, NAMES, matrix


def evidence(source: str, copy: str) -> BeadEvidence:
    (bead,) = gather_pairs([(source, copy)], FakeEncoder())
    return bead


def value(name: str, source: str, copy: str) -> float:
    return float(matrix([evidence(source, copy)])[0, NAMES.index(name)])


def test_features_have_names_of_their_own_and_units() -> None:
    assert len(set(NAMES)) == len(FEATURES)
    assert all(feature.unit for feature in FEATURES)


@given(
    st.text(min_size=1, max_size=60).filter(str.strip),
    st.text(min_size=1, max_size=60).filter(str.strip),
)
def test_features_are_finite_or_nan_for_any_text(source: str, copy: str) -> None:
    row = matrix([evidence(source, copy)])
    assert row.shape == (1, len(FEATURES))
    assert not np.isinf(row).any()


SAME = "Almeida did not pay 12 million euros to the bank in Porto."


@pytest.mark.parametrize(
    ("name", "quiet"),
    [
        *(("lost_mass", 0.0), ("added_mass", 0.0), ("source_coverage", 1.0), ("crossings", 0.0)),
        *(("figure_changes", 0.0), ("negation_difference", 0.0), ("opposites", 0.0)),
        *(("name_damage", 0.0), ("doubled_words", 0.0), ("length_change", 0.0), ("spelling", 1.0)),
    ],
)
def test_features_of_a_text_against_itself_are_quiet(name: str, quiet: float) -> None:
    assert value(name, SAME, SAME) == pytest.approx(quiet, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "copy"),
    [
        ("figure_changes", SAME.replace("12", "21")),
        ("negation_difference", SAME.replace("did not pay", "paid")),
        ("name_damage", SAME.replace("Almeida", "Almerado")),
        ("doubled_words", SAME.replace("bank", "bank bank")),
        ("lost_mass", SAME.replace(" in Porto", "")),
        ("added_mass", SAME.replace("bank", "bankrupt bank")),
        ("length_change", SAME.replace(" to the bank in Porto", "")),
    ],
)
def test_features_rise_with_the_damage_they_name(name: str, copy: str) -> None:
    assert value(name, SAME, copy) > value(name, SAME, SAME)


@pytest.mark.parametrize(
    ("source", "copy", "changed"),
    [
        ("The plan is safe.", "The plan is not safe.", True),
        ("He did not come.", "He came.", True),
        ("He can't come.", "He cannot come.", False),
        ("The call failed to end it.", "The call did not end it.", False),
        ("It remains unclear why.", "We do not know why.", False),
        ("It is not impossible.", "It is possible.", False),
    ],
)
def test_features_negation(source: str, copy: str, changed: bool) -> None:
    lost, added = negation_change(evidence(source, copy))
    assert bool(lost or added) is changed


def test_features_point_at_the_words() -> None:
    bead = evidence("The bridge is open and she paid.", "The bridge is closed and he paid paid.")
    assert [(s.text, c.text) for s, c in opposite_pairs(bead)] == [("open", "closed")]
    assert [word.text for word in doubled_words(bead)] == ["paid"]
    assert pronoun_change(bead) == ("she", "he")
    assert "open" in [word.text for word, _ in lost_words(bead)]
    assert "closed" in [word.text for word, _ in added_words(bead)]


def test_features_reasons_name_the_figure_the_negation_and_the_name() -> None:
    bead = evidence(SAME, "Almerado paid 21 million euros to the bank in Porto.")
    reasons = " | ".join(bead_reasons(bead, bead.names, flagged=True))
    for piece in ("12 million euros", "negation", "Almerado"):
        assert piece in reasons


def test_features_reasons_are_silent_on_a_text_against_itself() -> None:
    bead = evidence(SAME, SAME)
    assert bead_reasons(bead, bead.names, flagged=False) == ()


def test_features_pairs_batched_or_one_by_one_are_the_same() -> None:
    pairs = [(SAME, SAME.replace("12", str(n))) for n in range(5)]
    together = matrix(list(gather_pairs(pairs, FakeEncoder(), batch=2)))
    single = np.vstack([matrix([evidence(*pair)]) for pair in pairs])
    assert np.allclose(together, single, equal_nan=True)


def test_features_reasons_point_at_a_join_that_is_broken() -> None:
    copy = "Almeida did not pay 12 million euros to bank in Porto."
    bead = replace(
        evidence(SAME, copy), adjacency=np.array([0.0] * 8 + [0.9, 0.0, 0.2, 0.0])
    )  # before the ninth word
    flagged = " | ".join(bead_reasons(bead, bead.names, flagged=True))
    assert "“to” and “bank” do not join" in flagged
    assert "do not join" not in " | ".join(bead_reasons(bead, bead.names, flagged=False))
