from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.records import Span
from detector.text.escape import columns, cut, safe, visible

# Format characters that have a shape, and joiners that scripts and emoji need.
SHAPED = set(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
JOINERS = set("\u200c\u200d")

any_text = st.text(alphabet=st.characters(), max_size=60)


@given(any_text)
def test_display_safe_text_holds_nothing_that_acts(text: str) -> None:
    acting = [
        char
        for char in safe(text)
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and char not in SHAPED | JOINERS
    ]
    assert acting == []


@given(st.text(alphabet="abc \t\r\n.,é甲", max_size=40))
def test_display_safe_keeps_harmless_text(text: str) -> None:
    assert safe(text).split() == text.split()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("\x1b]0;title\x07", "⟦U+001B⟧]0;title⟦U+0007⟧"),
        ("\x9b31m", "⟦U+009B⟧31m"),
        ("Tik\u200bTok", "Tik⟦U+200B⟧Tok"),
        ("Tik\u200dTok", "Tik⟦U+200D⟧Tok"),
        ("Tik\xadTok", "TikTok"),
        ("\ufeffFirst", "⟦U+FEFF⟧First"),
        ("half\ud800", "half⟦U+D800⟧"),
        ("hidden\U000e0041", "hidden⟦U+E0041⟧"),
        ("👩\u200d🔬 می\u200cخواهم", "👩\u200d🔬 می\u200cخواهم"),
        ("one\r\ntwo\rthree", "one two three"),
    ],
)
def test_display_safe_spells_out(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_display_visible_keeps_line_ends_but_not_a_lone_return() -> None:
    assert visible("a\r\nb\tc\rd") == "a\r\nb\tc⟦U+000D⟧d"


def test_display_columns_counts_wide_and_combining() -> None:
    assert columns("甲骨文 e\u0301") == 8


spans = st.builds(
    lambda start, size: Span(start, start + size), st.integers(0, 60), st.integers(1, 20)
)


@given(st.text(max_size=40), st.integers(0, 20), st.lists(st.tuples(spans, st.integers())))
def test_display_cut_pieces_are_the_sentence(
    text: str, start: int, marks: list[tuple[Span, int]]
) -> None:
    pieces = cut(text, start, marks)
    assert "".join(piece for piece, _ in pieces) == text
    assert all(piece for piece, _ in pieces)


@given(st.text(min_size=21, max_size=40), spans.filter(lambda span: span.start < 21))
def test_display_cut_first_mark_always_stands(text: str, span: Span) -> None:
    rival = Span(0, 100)
    marked = [piece for piece, mark in cut(text, 0, [(span, "first"), (rival, "late")]) if mark]
    assert marked == [text[span.start : span.end]]
