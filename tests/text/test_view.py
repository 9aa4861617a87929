"""The view that is matched: same length, and blind to what is cosmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.encoder import matching_view
from detector.text.words import find_words


@given(st.text(max_size=200))
def test_view_keeps_every_place(text: str) -> None:
    view = matching_view(text)
    assert len(view) == len(text)
    assert bool(view.strip()) == bool(text.strip())


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
