"""Texts of a corpus cleaned, and places in them followed through the cleaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.training.data.corpus import detokenise, moved, rejoin, tidy, unmark, unusable


@pytest.mark.parametrize(
    ("tokenised", "written"),
    [
        ("He left , then came back .", "He left, then came back."),
        ("( 30 ) men , 12 . 5 %", "(30) men, 12.5%"),
        ('He said " stop " twice .', 'He said "stop" twice.'),
        ("I can 't and don 't .", "I can't and don't."),
        ("Jupiter 's largest moons ' names", "Jupiter's largest moons ' names"),
        ("non - aligned", "non-aligned"),
        ("A house ; a street : a town !", "A house; a street: a town!"),
        ("the ' sick man ' of d 'Oise", "the 'sick man' of d'Oise"),
        ("", ""),
    ],
)
def test_cleaning_detokenise_writes_as_people_do(tokenised: str, written: str) -> None:
    assert detokenise(tokenised) == written


@given(st.text())
def test_cleaning_cleaning_is_done_after_one_time(text: str) -> None:
    tidied = tidy(text)
    assert tidy(tidied) == tidied or "&" in tidied  # entities may nest without end
    assert tidied == tidied.strip()
    assert "\n" not in tidied


def test_cleaning_unmark_keeps_marks_that_are_not_apertiums() -> None:
    assert unmark("The *Oslo *and #1", "It is.") == "The Oslo and #1."
    assert unmark("5 * 3", "5 times 3") == "5 * 3"


@pytest.mark.parametrize(
    ("source", "copy", "reason"),
    [
        ("A house.", "", "blank"),
        ("--", "...", "blank"),
        ("A house.", "Ein Haus. " * 200, "longer"),
        ("A house.", "这是一所房子。", "not English"),
        ("A house.", "Zażółć gęślą jaźń.", None),
        ("A house.", "A house in Ω.", None),
    ],
)
def test_cleaning_unusable_says_why(source: str, copy: str, reason: str | None) -> None:
    found = unusable(source, copy)
    assert found is None if reason is None else reason in (found or "")


@pytest.mark.parametrize(
    ("split", "source", "whole"),
    [
        ("a well - known house", "A house.", "a well-known house"),
        ("Nord - Baden fell", "Baden fell.", "Nord-Baden fell"),
        ("Oslo, May 26 - The king left", "The king left.", "Oslo, May 26 - The king left"),
        ("the house - which fell", "The house fell.", "the house - which fell"),
        ("an in - and - out job", "An in-and-out job.", "an in-and-out job"),
    ],
)
def test_cleaning_rejoin_closes_compounds_not_dashes(split: str, source: str, whole: str) -> None:
    assert rejoin(split, source) == whole


def _follow(raw: str, cleaned: str, part: str) -> str | None:
    at = raw.index(part)
    place = moved(raw, cleaned, at, at + len(part))
    return None if place is None else cleaned[slice(*place)]


@pytest.mark.parametrize(
    ("raw", "part", "there"),
    [
        ("He can 't , said  Anna .", "said", "said"),
        ("He can 't , said  Anna .", "'t ,", "'t,"),
        ("&quot;It&#39;s  on .&quot;", "on", "on"),
        ("A `` good '' man", "good", "good"),
        ("A house  in town", "  ", None),
        ("A house", "house", "house"),
    ],
)
def test_cleaning_moved_follows_words(raw: str, part: str, there: str | None) -> None:
    assert _follow(raw, detokenise(raw), part) == there


@given(st.lists(st.text("abc'\"-,.", min_size=1, max_size=5), min_size=1, max_size=8), st.data())
def test_cleaning_moved_keeps_letters(words: list[str], data: st.DataObject) -> None:
    raw = "  ".join(words)
    cleaned = tidy(raw)
    start = data.draw(st.integers(0, len(raw) - 1))
    end = data.draw(st.integers(start + 1, len(raw)))
    place = moved(raw, cleaned, start, end)
    assert " ".join(raw[start:end].split()) == ("" if place is None else cleaned[slice(*place)])
