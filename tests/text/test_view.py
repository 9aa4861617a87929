"""The view that is matched: same length, and blind to what is cosmetic."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.encoder import _SPACES, matching_view
from detector.text.words import find_words


@given(st.text(max_size=200))
def test_view_keeps_every_place(text: str) -> None:
    view = matching_view(text)
    assert len(view) == len(text)
    assert bool(view.strip()) == bool(text.strip())


_FINAL = re.compile(r"[\s.!?…]+(?=[\s\"')\]]*$)")  # what the trimming is held to; cubic in time


@given(st.text(alphabet="ab.!?… \t\n\x1c\xa0\u2003\u3000\"')]", max_size=14))
def test_view_trims_what_the_pattern_finds(text: str) -> None:
    found = _FINAL.search(text)
    start, end = found.span() if found else (0, 0)
    expected = text[:start] + " " * (end - start) + text[end:]
    assert matching_view(text) == (expected if expected.strip() else text)


def test_view_spaces_are_those_of_the_pattern() -> None:
    assert sorted(_SPACES) == re.findall(r"\s", "".join(map(chr, range(0x110000))))


@pytest.mark.parametrize("tail", ["b", ".", ' . "b', '") \u3000'])
def test_view_of_a_long_gap_is_linear(tail: str) -> None:
    text = "a" + " " * 200_000 + tail
    assert len(matching_view(text)) == len(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The boats left.", "The boats left"),
        ("“It’s over,” he said.", '"It\'s over," he said'),
        ("Has it ended?", "Has it ended"),
        ("He said “no.”", 'He said "no"'),
    ],
)
def test_view_of_cosmetic_variants_is_the_same(one: str, other: str) -> None:
    assert matching_view(one).split() == [w for w in matching_view(other).split() if w] or (
        matching_view(one).replace(" ", "") == matching_view(other).replace(" ", "")
    )


@pytest.mark.parametrize(
    ("joined", "apart"),
    [
        ("They don't pay Oslo's debt.", "They do n't pay Oslo 's debt ."),
        ("We’re sure it wasn’t theirs", "We ’re sure it was n’t theirs"),
    ],
)
def test_view_words_taken_apart_are_the_same_words(joined: str, apart: str) -> None:
    one, other = find_words(joined), find_words(apart)
    assert [w.norm for w in one] == [w.norm for w in other]
    assert [w.possessive for w in one] == [w.possessive for w in other]
