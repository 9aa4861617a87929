"""Guarantees of `split`, each as a property, and golden documents written for this project."""

from __future__ import annotations

import os
import re
import textwrap
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tracing import lines_run

from detector.text.sentences import LIMIT, split

MARKS = "aB1é中。.!?…,;:\"'“”‘’()[]*_#>|-—`~ \t\n\r\v\f\x00\x1b\x85\xa0\xad\u200b\u202e\u2028\ufeff"
TEXTS = st.one_of(
    st.text(),
    st.text(st.characters(codec=None)),  # lone surrogates too
    st.text(st.sampled_from(MARKS)),
    st.lists(st.sampled_from([*"\n -“”.", "The U.S. ", "He won.", "```", "Mr. Xi said so. "])).map(
        "".join
    ),
)
HIDDEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


@given(TEXTS)
def test_text_spans_rebuild_the_sentences_in_order(raw: str) -> None:
    document = split(raw)
    assert document.raw == raw
    assert all(raw[s.start : s.end] == s.text for s in document.sentences)
    assert all(left.end <= right.start for left, right in pairwise(document.sentences))


@given(TEXTS)
def test_text_sentences_hold_a_letter_or_digit_and_have_clean_edges(raw: str) -> None:
    for text in split(raw).texts:
        assert any(mark.isalnum() for mark in text)
        assert not HIDDEN.match(text[0])
        assert not HIDDEN.match(text[-1])


@given(TEXTS.filter(lambda raw: "```" not in raw and "~~~" not in raw))
def test_text_every_letter_and_digit_is_in_a_sentence(raw: str) -> None:
    assert _seen(raw) == [mark for mark in raw if mark.isalnum()]


@pytest.mark.slow
@given(st.text(st.sampled_from("ab ,\n"), max_size=40), st.integers(1, 4))
def test_text_no_sentence_passes_the_limit(unit: str, times: int) -> None:
    raw = (unit or "a") * (times * LIMIT // max(1, len(unit)))
    document = split(raw)
    assert all(len(text) <= LIMIT for text in document.texts)
    assert _seen(raw) == [mark for mark in raw if mark.isalnum()]


@given(TEXTS)
def test_text_no_sentence_crosses_a_blank_line(raw: str) -> None:
    for text in split(raw).texts:
        assert all(any(map(str.isalnum, line)) for line in text.splitlines())


@given(TEXTS)
def test_text_paragraphs_are_numbered_from_zero_without_gaps(raw: str) -> None:
    numbers = [s.paragraph for s in split(raw).sentences]
    assert numbers[:1] in ([], [0])
    assert all(right - left in (0, 1) for left, right in pairwise(numbers))


@given(TEXTS)
def test_text_is_deterministic(raw: str) -> None:
    assert split(raw) == split(raw)


@given(st.lists(st.sampled_from(["He won.", "The U.S. lost.", "“Go.”", "Now"]), max_size=9))
def test_text_line_breaks_of_every_kind_end_a_paragraph(lines: list[str]) -> None:
    for mark in ("\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\u2029", "\n \t\n"):
        assert split(mark.join(lines)).texts == lines


def _seen(raw: str) -> list[str]:
    return [mark for text in split(raw).texts for mark in text if mark.isalnum()]


DOCUMENTS = {
    "nothing": ("", []),
    "white space": (" \n\t\xa0\u200b\ufeff\n", []),
    "marks alone": ("— \n***\n...\n---\n", []),
    "dateline": (
        "Lake Town\n\xa0—\xa0\nThe mayor left.",
        ["Lake Town", "The mayor left."],
    ),
    "dateline in the sentence": (
        "LAKE TOWN (AP) — The mayor left. He won.",
        ["LAKE TOWN (AP) — The mayor left.", "He won."],
    ),
    "headline, byline, text": (
        "Mayor leaves town\nBy Ann Fox\n\nThe mayor left. He won.",
        ["Mayor leaves town", "By Ann Fox", "The mayor left.", "He won."],
    ),
    "byte order mark": ("\ufeffThe mayor left.", ["The mayor left."]),
    "line ends of Windows": ("He won.\r\nShe won.\r\n", ["He won.", "She won."]),
    "soft hyphen": ("The may\xador left. He won.", ["The may\xador left.", "He won."]),
    "zero width after the stop": ("He left.\u200bShe won.", ["He left.", "She won."]),
    "no-break spaces": ("He\xa0left.\xa0She\u202fwon.", ["He\xa0left.", "She\u202fwon."]),
    "controls": ("\x00He\x07 left.\x00 She won.\x1b", ["He\x07 left.", "She won."]),
    "bidirectional marks": ("\u202eHe left.\u202c She won.", ["He left.", "She won."]),
    "lone surrogates": ("He \ud800 left. She\udfff won.", ["He \ud800 left.", "She\udfff won."]),
    "list": ("- One thing\n* Two things\n• Three.", ["One thing", "Two things", "Three."]),
    "markdown": (
        "# Big news\n\nThe **mayor** [left](http://a.example/x). He won.\n\n---\n\n> So it is.",
        ["Big news", "The **mayor** [left](http://a.example/x).", "He won.", "So it is."],
    ),
    "fenced code": ("He left.\n```python\nx = 1\n```\nShe won.", ["He left.", "She won."]),
    "fence that never closes": ("He left.\n```\nShe won.", ["He left.", "She won."]),
    "stop lost": ("It ended earlyThe firm fell.", ["It ended early", "The firm fell."]),
    "one damaged sentence": (
        "He once called it daylight flightNow describes it as fair.",
        ["He once called it daylight flightNow describes it as fair."],
    ),
    "Chinese": ("市长走了。他赢了！", ["市长走了。", "他赢了！"]),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_text_splits_the_golden_documents(name: str) -> None:
    raw, expected = DOCUMENTS[name]
    assert split(raw).texts == expected


PARAGRAPHS = [
    "The harbour board of Lake Town said on Monday that Dr. Ann Fox, its head since 2019, would "
    "leave at the end of the year. She told reporters that the work was done.",
    "“We built two piers,” she said. “The third one, which No. 5 Company began in Sept. 2021, is "
    "to open in spring – unless the ice is late again, as it was in the U.S. last year.”",
    "Nobody on the board would say who comes next.",
    "A spokesman for the mayor, Robert F. Moss, said the search would take several months and "
    "that the board was in no hurry, although the old ferry line has been losing money for years.",
]


@pytest.mark.parametrize("width", [60, 66, 72, 80])
@pytest.mark.parametrize("between", ["\n\n", "\n    "])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_text_hard_wrapped_lines_are_joined(width: int, between: str, line_end: str) -> None:
    expected = split("\n\n".join(PARAGRAPHS)).texts
    wrapped = between.join(
        textwrap.fill(text, width, break_on_hyphens=False) for text in PARAGRAPHS
    )
    raw = wrapped.replace("\n", line_end)
    assert [" ".join(text.split()) for text in split(raw).texts] == expected


def test_text_wrapped_markdown_keeps_its_blocks_apart() -> None:
    raw = (
        "# Harbour\n\n"
        "The board said on Monday that its head would leave at the end of\n"
        "the year, and that nobody had yet been asked to take her place in\n"
        "the long run.\n\n"
        "- The first pier was built by the town, which borrowed the money\n"
        "  from a bank.\n"
        "- The second pier was built by a company.\n"
    )
    texts = [" ".join(text.split()) for text in split(raw).texts]
    assert [text.split()[0] + " … " + text.split()[-1] for text in texts] == [
        "Harbour … Harbour",
        "The … run.",
        "The … bank.",
        "The … company.",
    ]


@pytest.mark.parametrize(
    "raw",
    [
        "\n".join(PARAGRAPHS),  # a paragraph a line
        "\n".join(s for text in PARAGRAPHS for s in split(text).texts),  # a sentence a line
        "Mayor leaves town after nine years in the office\nBoard is in no hurry to name a new head",
    ],
)
def test_text_lines_that_are_not_wrapped_stay_apart(raw: str) -> None:
    assert all("\n" not in text for text in split(raw).texts)


def test_text_an_endless_sentence_is_cut_at_a_clause_then_at_white_space_then_anywhere() -> None:
    clauses = split("one two three, " * 300).texts
    assert all(text.endswith(",") for text in clauses)
    assert len(clauses) == 3
    words = split("onetwo " * 500).texts
    assert {word for text in words for word in text.split()} == {"onetwo"}
    assert [len(text) for text in split("x" * 4_500).texts] == [2_000, 2_000, 500]


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["x", "x ", "!", "。", "\n", "\u200b", "a\u200b", "- ", "# ", "``` \n", "x.\n"]
)
def test_text_a_million_characters_are_split(unit: str) -> None:
    raw = unit * (1_000_000 // len(unit))
    assert len("".join(split(raw).texts)) <= len(raw)


@pytest.mark.parametrize(
    "unit", ["He won. ", "He won.\n", "x" * 60 + " y\n", "x\u200b", "```\nx\n```\n"]
)
def test_text_work_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Lines run are counted, not seconds."""
    short, long = (lines_run(split, unit * n) for n in (400, 800))
    assert long <= 2.2 * short + 100


def test_text_twenty_thousand_sentences_are_kept_apart() -> None:
    raw = "".join(f"The {i}th guest came. " for i in range(20_000))
    assert len(split(raw)) == 20_000


@pytest.mark.shared
def test_text_sentences_of_the_seeds_end_in_a_stop_or_a_mark() -> None:
    folder = os.environ.get("DETECTOR_SHARED")
    if not folder:
        pytest.skip("DETECTOR_SHARED names no folder")
    for path in sorted(Path(folder, "seeds").glob("*.txt")):
        for left, right in pairwise(split(path.read_text(encoding="utf-8")).sentences):
            if left.paragraph == right.paragraph:
                assert left.text[-1] in '.!?…”’")。！？」'
