from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample_reports import change, one_row, reports, sample

from detector.records import ErrorSpan, NameChange, NumberChange, Span
from detector.report.highlights import Mark, MarkedBead, _differing, marked_bead, name_kinds
from detector.report.report import Report
from detector.text.escape import safe


def only(report: Report) -> MarkedBead:
    return marked_bead(report, report.rows)


def marks(markup: str) -> list[tuple[str, str]]:
    """Return look and text of every mark, without what it was."""
    bare = re.sub(r'<span class="was">.*?</span></span>|<span class="was">.*?</span>', "", markup)
    found = re.findall(r'<mark class="(\w+)"[^>]*>(.*?)</mark>', bare)
    return [(look, re.sub(r"<[^>]*>", "", text)) for look, text in found]


def test_marks_damage_strongly_and_slips_quietly() -> None:
    report = sample()
    bead = marked_bead(report, report.rows[2:4])
    assert ("loud", "Ambove") in marks(bead.copies[0])
    assert ("origin", "AMBER") in marks(bead.source)
    assert ("slip", "authoritys") in marks(marked_bead(report, report.rows[1:2]).copies[0])
    assert "Odile Marrack" not in str(marks(bead.copies[1]))


def test_marks_give_the_source_form_of_a_damaged_name_to_pointer_key_and_print() -> None:
    bead = marked_bead(sample(), sample().rows[2:4])
    assert (
        '<mark class="loud" tabindex="0"><bdi>Ambove</bdi><span class="was"><span><bdi>was: AMBER'
        '</bdi><span class="how"> (garbled, 0.97)</span></span></span></mark>' in bead.copies[0]
    )


def test_marks_say_of_a_name_out_of_nothing_that_the_source_lacks_it() -> None:
    new = NameChange(
        change="added",
        probability=0.9,
        copy=Span(0, 4),
        copy_text="Oslo",
        source=None,
        source_text=None,
        reason="Oslo is new",
    )
    assert "not in the source" in only(one_row("Oslo is far.", name_changes=(new,))).copies[0]


def test_marks_strike_a_dropped_name_out_of_the_source() -> None:
    gone = NameChange(
        change="dropped",
        probability=0.9,
        copy=None,
        copy_text=None,
        source=Span(4, 8),
        source_text="Oslo",
        reason="Oslo is gone",
    )
    report = one_row("He left.", source="For Oslo, he left.", name_changes=(gone,))
    assert marks(only(report).source) == [("lost", "For"), ("gone", "Oslo")]


def test_marks_suspect_words_quietly_on_both_sides() -> None:
    bead = marked_bead(sample(), [replace(sample().rows[1], number_changes=())])
    assert 'class="suspect" title="may be a changed number (0.70)"' in bead.copies[0]
    assert ("suspect", "21 percent") in marks(bead.copies[0])
    assert ("suspect", "board") in marks(bead.source)


def test_marks_changed_numbers_strongly() -> None:
    bead = marked_bead(sample(), sample().rows[1:2])
    assert ("loud", "21 percent") in marks(bead.copies[0])
    assert "was: 12 percent" in bead.copies[0]
    assert "(changed, 0.95)" in bead.copies[0]
    assert ("origin", "12 percent") in marks(bead.source)


def test_marks_a_number_in_its_own_sentence_of_the_bead() -> None:
    number = NumberChange(
        change="changed",
        probability=0.9,
        copy=Span(28, 31),
        copy_text="£30",
        source=Span(17, 20),
        source_text="£20",
        reason="£20 became £30",
    )
    first = one_row("He came.", source="He came and paid £20.").rows[0]
    second = replace(
        first, copy_index=1, copy=Span(20, 32), copy_text="He paid £30.", number_changes=(number,)
    )
    bead = marked_bead(one_row("x"), [first, second])
    assert ("origin", "£20") in marks(bead.source)
    assert ("loud", "£30") in marks(bead.copies[1])
    assert [look for look, _ in marks(bead.copies[0])] == []


def test_marks_words_that_differ_neighbours_together() -> None:
    report = one_row("The fee will go up at once today.", source="The old fee rises at once.")
    bead = only(report)
    assert marks(bead.source) == [("lost", "old"), ("changed", "rises")]
    assert marks(bead.copies[0]) == [("changed", "will go up"), ("added", "today")]


def test_marks_compare_words_over_all_sentences_of_a_bead() -> None:
    first = one_row("The fee rose.", source="The fee rose and nobody cared.").rows[0]
    second = replace(first, copy_index=1, copy=Span(14, 28), copy_text="Nobody cared a")
    bead = marked_bead(one_row("x"), [first, second])
    assert marks(bead.source) == [("lost", "and")]
    assert [marks(copy) for copy in bead.copies] == [[], [("added", "a")]]


def test_marks_keep_the_louder_of_two() -> None:
    name = NameChange(
        change="garbled",
        probability=0.9,
        copy=Span(4, 8),
        copy_text="Osol",
        source=Span(4, 8),
        source_text="Oslo",
        reason="",
    )
    error = ErrorSpan(copy=Span(0, 8), source=None, probability=0.9, kind="name")
    report = one_row("For Osol.", source="For Oslo.", name_changes=(name,), spans=(error,))
    assert marks(only(report).copies[0]) == [("loud", "Osol")]


def letters(text: str) -> str:
    return "".join(filter(str.isalpha, re.sub(r"⟦U\+[0-9A-F]+⟧", "", text)))


@pytest.mark.slow
@given(reports())
def test_marks_leave_every_letter_in_place(report: Report) -> None:
    for row in report.rows:
        markup = re.sub(r'<span class="was">.*?</mark>', "", marked_bead(report, [row]).copies[0])
        shown = html.unescape(re.sub(r"<[^>]*>", "", markup))
        assert letters(shown) == letters(safe(row.copy_text))


def test_marks_name_kinds_are_those_of_damage_and_slips() -> None:
    report = sample()
    assert name_kinds(report, report.rows[1]) == ["possessive"]
    assert name_kinds(report, report.rows[3]) == []
    unsure = change("garbled", 0.2, copy="Ambove", source="AMBER")
    assert name_kinds(report, replace(report.rows[2], name_changes=(unsure,))) == []


@given(st.lists(st.builds(lambda at, n: Span(at, at + n), st.integers(0, 80), st.integers(1, 30))))
def test_marks_of_differing_words_keep_clear_of_what_is_marked(taken: list[Span]) -> None:
    words = [Span(at, at + 2) for at in range(0, 80, 4)]  # letters between them: none are joined
    found = _differing(
        [(word, "lost") for word in words], "a" * 80, 0, 7, taken=[(t, Mark("loud")) for t in taken]
    )
    clear = [word.shift(7) for word in words]
    clear = [w for w in clear if not any(w.start < t.end and t.start < w.end for t in taken)]
    assert [span for span, _ in found] == clear
