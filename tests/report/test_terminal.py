from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample_reports import empty, one_row, reports, sample

from detector.records import NameChange, Span
from detector.report.report import Report
from detector.report.text import LEGEND, terminal_table
from detector.text.escape import columns, safe

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def table(text: str) -> list[str]:
    """The lines above the legend."""
    return text.split(f"\n{LEGEND[0]}")[0].rstrip("\n").split("\n")


def bare(report: Report) -> str:
    return terminal_table(report, width=80)


@given(reports(), st.integers(0, 130))
def test_terminal_lines_fit_the_width(report: Report, width: int) -> None:
    assert all(
        columns(line) <= max(40, width) for line in table(terminal_table(report, width=width))
    )


@given(reports())
def test_terminal_colour_adds_nothing_but_colour(report: Report) -> None:
    coloured = COLOUR.sub("", terminal_table(report, width=80, colour=True))
    assert [line.rstrip() for line in coloured.split("\n")] == [
        line.rstrip() for line in bare(report).split("\n")
    ]


@given(reports(), st.booleans())
def test_terminal_text_of_a_document_cannot_act(report: Report, colour: bool) -> None:
    text = COLOUR.sub("", terminal_table(report, width=80, colour=colour))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", text)


@given(st.text(min_size=1).filter(lambda text: not text.isspace()))
def test_terminal_loses_no_word(text: str) -> None:
    shown = "".join("".join(table(bare(one_row(text)))).split())
    assert "".join(safe(text).split()) in shown


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (r"^ +3 !\*  0\.93  He consulted the \*Ambove\* \[was: AMBER\] movement\.$", "damage"),
        (r"^ +source: It did not consult the \*AMBER\* movement", "source of a finding"),
        (r"^ +- a negation may be lost", "reason"),
        (r"port ~authoritys~ voted", "slip"),
        (r"fees by \*21\s+percent\*\s+\[was:\s+12\s+percent\]\.", "changed number"),
        (r"^ +5  \*  0\.48  Marrack told the \*reservation book\* \[was: Morning Ledger\]", "name"),
        (r"^ +-  +left out \(a photo caption\): A crane at the Ellery docks", "omission"),
        (r"^ +7   \+   --  Read more tomorrow\.$", "addition"),
        (r'^ +page boilerplate of the source, 2 sentences: "Related Article"$', "boilerplate"),
    ],
)
def test_terminal_shows_each_kind(line: str, what: str) -> None:
    assert re.search(line, bare(sample()), re.MULTILINE), what


def test_terminal_flagged_addition_shows_both_signs() -> None:
    report = sample()
    added = replace(report.rows[6], drift_probability=0.7, drift_flag=True)
    text = bare(replace(report, rows=(*report.rows[:6], added)))
    assert "7 ! + 0.70  Read more" in text


def test_terminal_shows_no_source_for_a_sound_row() -> None:
    assert "Nobody from the board" not in bare(sample())


def test_terminal_omission_is_between_its_neighbours() -> None:
    text = bare(sample())
    caption = text.index("A crane at the Ellery docks")
    assert text.index("members") < caption < text.index("Nobody of the board")


def test_terminal_damaged_name_is_red() -> None:
    assert "\x1b[1;31m*Ambove*\x1b[0m" in terminal_table(sample(), colour=True)


def test_terminal_says_when_the_source_lacks_a_name() -> None:
    added = NameChange(
        change="added",
        probability=0.9,
        copy=Span(0, 6),
        copy_text="Sophia",
        source=None,
        source_text=None,
        reason="no such name in the source",
    )
    assert "*Sophia* [not in the source] said no." in bare(
        one_row("Sophia said no.", name_changes=(added,))
    )


def test_terminal_only_flagged_leaves_out_what_has_no_finding() -> None:
    text = "\n".join(table(terminal_table(sample(), only_flagged=True)))
    assert "He consulted" in text
    assert "reservation" in text
    for left_out in ("Nobody", "A crane", "Related Article", "Read more", "Port fees"):
        assert left_out not in text


def test_terminal_cuts_a_sentence_that_is_a_whole_file() -> None:
    text = bare(one_row("word " * 200_000))
    assert len(text) < 10_000
    assert "(998,500 characters more)" in " ".join(text.split())


def test_terminal_wide_characters_wrap_by_columns() -> None:
    lines = table(terminal_table(one_row("甲骨文" * 40), width=60))
    assert max(map(columns, lines)) in (59, 60)


def test_terminal_ends_with_the_summary() -> None:
    assert bare(sample()).endswith(f"\n{sample().summary()}\n")


def test_terminal_without_rows_is_the_summary() -> None:
    assert "do not match" in bare(empty())
