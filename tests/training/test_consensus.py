"""Labels out of many renderings: what the others vouch for, and what nobody else says."""

from __future__ import annotations

import pytest

from detector.training.data.consensus import Translation, content, labels, stem

SOURCE = "The minister rejected the tariffs on Monday."
GOOD = [
    Translation("The minister refused the tariffs on Monday.", "ko", "google"),
    Translation("On Monday the minister rejected the duties.", "ja", "google"),
    Translation("The minister rejected the duties on Monday.", "fi", "microsoft"),
    Translation("The minister refused the tariffs on Monday.", "tr", "microsoft"),
]


def _label(copy: str, lang: str = "hi", system: str = "argos") -> tuple[bool | None, str]:
    return labels(SOURCE, [*GOOD, Translation(copy, lang, system)])[-1]


def test_consensus_a_rewording_that_others_share_is_sound() -> None:
    assert _label("The minister refused the duties on Monday.") == (False, "consensus")


def test_consensus_words_that_nobody_else_says_in_place_of_kept_ones_are_drift() -> None:
    assert _label("The clergyman spoke of samples on Sunday.") == (True, "consensus")


def test_consensus_one_odd_word_is_left_open() -> None:
    assert _label("The minister rejected the samples on Monday.")[0] is None


def test_consensus_a_voter_through_a_close_pivot_is_never_called_drift() -> None:
    assert _label("The clergyman spoke of samples on Sunday.", "fr", "google")[0] is None


def test_consensus_does_not_vouch_for_itself() -> None:
    twice = [Translation("The clergyman spoke of samples on Sunday.", "hi", s) for s in ("a", "b")]
    assert [label for label, _ in labels(SOURCE, [*GOOD, *twice])[-2:]] == [True, True]


def test_consensus_needs_votes_through_three_languages() -> None:
    few = [Translation(r.copy, "ko", r.system) for r in GOOD]
    assert {kind for _, kind in labels(SOURCE, few)} == {"too few votes"}


def test_consensus_a_turned_pronoun_is_drift_of_its_own_kind() -> None:
    source = "She left the office on Monday evening."
    good = [
        Translation("She left the office on Monday evening.", lang, "google")
        for lang in ("ko", "ja", "fi")
    ]
    turned = Translation("He left the office on Monday evening.", "tr", "google")
    kept = Translation("On Monday evening, she left the office.", "tr", "google")
    assert labels(source, [*good, turned, kept])[-2:] == [(True, "gender"), (False, "consensus")]


@pytest.mark.parametrize(
    ("one", "other"), [("cities", "city"), ("walked", "walking"), ("minister's", "ministers")]
)
def test_consensus_stems_join_forms_of_a_word(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_consensus_content_keeps_negation_and_figures() -> None:
    assert content("He was not in the 12 houses") == {"not", "12", "hous"}
