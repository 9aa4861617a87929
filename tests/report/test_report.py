from __future__ import annotations

import json
import re
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample_reports import (
    PIVOT,
    RELATION,
    SIGNATURE,
    SOURCE,
    empty,
    one_row,
    reports,
    sample,
)

from detector.errors import InputError
from detector.records import Alignment, Bead, Passage, Row
from detector.report import text as terminal
from detector.report.highlights import escaped
from detector.report.html import page
from detector.report.report import Report
from detector.report.serialise import SCHEMA, dumps
from detector.report.text import facts
from detector.text.escape import HOSTILE

COLUMNS = [
    "copy_index",
    "copy_start",
    "copy_end",
    "copy_text",
    "kind",
    "source_indices",
    "source_start",
    "source_end",
    "source_text",
    "similarity",
    "drift_probability",
    "drift_flag",
    "severity",
    "name_changes",
    "number_changes",
    "spans",
    "reasons",
    "n_truncated",
]
CHANGE_KEYS = [
    "change",
    "probability",
    "copy_start",
    "copy_end",
    "copy_text",
    "source_start",
    "source_end",
    "source_text",
    "reason",
]


# The record.


def test_report_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        sample().threshold = 0.1  # type: ignore[misc]


def test_report_equal_reports_have_one_hash() -> None:
    assert hash(sample()) == hash(sample())
    assert sample() == sample()


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"rows": ()}, "0 rows for 7 copy sentences"),
        ({"rows": tuple(reversed(sample().rows))}, "in order"),
        ({"threshold": 1.5}, "threshold 1.5"),
        ({"name_threshold": float("nan")}, "name_threshold nan"),
        ({"matched": -0.1}, "matched -0.1"),
        ({"threshold": 0.1}, "row 0 has drift flag False at probability 0.12"),
        (
            {"omissions": (replace(sample().omissions[0], indices=(8,)),)},
            "the source has 8",
        ),
    ],
)
def test_report_refuses_what_does_not_fit(changes: dict[str, Any], fact: str) -> None:
    with pytest.raises(InputError, match=re.escape(fact)):
        sample(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"drift_probability": float("nan"), "drift_flag": False},
        {"drift_probability": 1.01},
        {"similarity": float("inf")},
        {"kind": "addition"},
        {"source_text": None},
        {"source_indices": ()},
    ],
)
def test_report_refuses_a_broken_row(changes: dict[str, Any]) -> None:
    report = one_row("A sentence.")
    with pytest.raises(InputError, match="row 0"):
        replace(report, rows=(replace(report.rows[0], **changes),))


def test_report_refuses_a_similarity_that_is_no_number() -> None:
    beads = (Bead(source=range(1), copy=range(1), similarity=float("nan")),)
    with pytest.raises(InputError, match="similarity"):
        replace(one_row("A sentence."), alignment=Alignment(beads=beads, n_source=1, n_copy=1))


# Counting and sorting.


@pytest.mark.slow
@given(reports())
def test_report_entries_hold_every_row_and_passage_once(report: Report) -> None:
    entries = report.entries
    assert tuple(e for e in entries if isinstance(e, Row)) == report.rows
    passages = [e for e in entries if isinstance(e, Passage)]
    assert sorted(map(id, passages)) == sorted(map(id, (*report.omissions, *report.outside)))
    firsts = [
        e.source_indices[0] if isinstance(e, Row) else e.indices[0]
        for e in entries
        if not isinstance(e, Row) or e.source_indices
    ]
    assert firsts == sorted(firsts)


def test_report_entries_put_an_omission_where_it_belongs() -> None:
    kinds = [
        entry.copy_index if isinstance(entry, Row) else entry.reason for entry in sample().entries
    ]
    assert kinds == [0, 1, 2, 3, 4, "a photo caption", 5, 6, "a teaser", "a teaser"]


@pytest.mark.slow
@given(reports())
def test_report_damaged_are_changed_and_sure(report: Report) -> None:
    assert all(c.change != "kept" for c in report.damaged)
    assert all(c.probability >= report.name_threshold for c in report.damaged)
    assert set(report.damaged) <= set(report.names)
    probabilities = [c.probability for c in report.damaged]
    assert probabilities == sorted(probabilities, reverse=True)


def test_report_counts_a_name_that_two_rows_share_once() -> None:
    report = sample()
    shared = report.rows[2].name_changes
    rows = list(report.rows)
    rows[3] = replace(rows[3], name_changes=shared)
    assert replace(report, rows=tuple(rows)).damaged.count(shared[0]) == 1


def test_report_worst_puts_flagged_rows_before_damaged_names() -> None:
    assert [row.copy_index for row in sample().worst] == [2, 1, 4]


def test_report_findings_leave_slips_to_their_marks() -> None:
    report = sample()
    slip = report.rows[1].name_changes[0]
    assert slip in report.slips
    assert slip not in report.damaged
    assert slip.reason in report.rows[1].reasons
    assert report.findings(report.rows[1]) == ("“12 percent” became “21 percent”",)


def test_report_findings_name_a_damaged_name_once() -> None:
    report = sample()
    findings = report.findings(report.rows[2])
    assert findings.count(report.rows[2].name_changes[0].reason) == 1
    assert report.findings(report.rows[4]) == (report.rows[4].name_changes[0].reason,)


def test_report_name_threshold_decides_what_is_damaged() -> None:
    assert [c.copy_text for c in sample(name_threshold=0.95).damaged] == ["Ambove"]


# The frame.


def test_report_frame_has_the_promised_columns() -> None:
    frame = sample().to_frame()
    assert list(frame.columns) == COLUMNS
    assert len(frame) == sample().n_copy


def test_report_frame_says_what_the_rows_say() -> None:
    report = sample()
    frame = report.to_frame()
    third = frame.iloc[2]
    assert third.copy_text == "He consulted the Ambove movement."
    assert third.source_indices == [2]
    assert third.drift_probability == 0.93
    assert third.reasons == list(report.rows[2].reasons)
    assert [list(record) for record in third.name_changes] == [CHANGE_KEYS]
    assert third.name_changes[0]["copy_start"] == report.rows[2].name_changes[0].copy.start
    assert [list(record) for record in frame.iloc[1].number_changes] == [CHANGE_KEYS]
    assert frame.iloc[1].number_changes[0]["source_text"] == "12 percent"
    assert frame.drift_flag.tolist() == [False, True, True, False, False, False, False]


def test_report_frame_says_which_words_are_suspect() -> None:
    second = sample().to_frame().iloc[1]
    damaged, lost = second.spans
    assert second.copy_text[damaged["copy_start"] - second.copy_start :].startswith("21 percent")
    assert (damaged["probability"], damaged["kind"]) == (0.7, "number")
    assert damaged["source_start"] is damaged["source_end"] is lost["copy_start"] is None
    assert SOURCE[lost["source_start"] : lost["source_end"]] == "board"


def test_report_frame_addition_has_nothing_on_the_source_side() -> None:
    last = sample().to_frame().iloc[6]
    assert last.kind == "addition"
    assert last.source_indices == []
    assert last.source_text is None
    assert last[["source_start", "source_end", "similarity", "drift_probability"]].isna().all()


@pytest.mark.parametrize("report", [sample(), empty()], ids=["sample", "empty"])
def test_report_frame_types_do_not_depend_on_the_rows(report: Report) -> None:
    types = report.to_frame().dtypes.astype(str).to_dict()
    assert types["source_start"] == types["source_end"] == "Int64"
    assert types["similarity"] == types["drift_probability"] == "float64"
    assert types["drift_flag"] == "bool"
    assert types["copy_index"] == types["n_truncated"] == "int64"


# JSON.


@pytest.mark.slow
@given(reports())
def test_report_json_round_trip_is_exact(report: Report) -> None:
    assert Report.from_json(report.to_json()) == report
    assert Report.from_json(report.to_json(indent=2)) == report


@given(st.text(alphabet=st.characters(min_codepoint=0xD7F0, max_codepoint=0xDBFF), min_size=1))
def test_report_json_keeps_lone_surrogates(text: str) -> None:
    report = one_row(text)
    written = report.to_json()
    written.encode("utf-8")
    assert Report.from_json(written) == report


def test_report_json_cannot_act_on_a_terminal() -> None:
    written = one_row("a\x1b[31m\x9b\u202e\u200b").to_json()
    assert written.isprintable()


def test_report_json_is_plain() -> None:
    record = json.loads(sample().to_json())
    assert record["schema"] == SCHEMA
    assert record["n_source"] == 8
    assert record["signature"] == SIGNATURE.to_dict()
    assert [row["copy_index"] for row in record["rows"]] == list(range(7))
    assert list(record["rows"][0]) == COLUMNS


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 100_000, "not JSON"),
        ("[]", "not a report"),
        ("{}", "not a report"),
        ('{"format": "other"}', "not a report"),
        ('{"format": "detector-report", "schema": 99}', "schema 99; this version reads 5"),
        ('{"format": "detector-report", "schema": 5}', "lacks 'rows'"),
    ],
)
def test_report_json_refuses_what_is_foreign(text: str, fact: str) -> None:
    with pytest.raises(InputError) as caught:
        Report.from_json(text)
    assert fact in str(caught.value)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.mark.slow
@given(st.data())
def test_report_damaged_json_is_refused_or_read_never_worse(data: st.DataObject) -> None:
    record: Any = sample().to_dict()
    place = record
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and data.draw(st.booleans()):
            place = place[key]
            continue
        if isinstance(place, dict) and data.draw(st.booleans()):
            del place[key]
        else:
            place[key] = data.draw(_json)
        break
    try:
        report = Report.from_dict(record)
    except InputError as err:
        assert str(err)  # noqa: PT017 - either way of ending is right
    else:
        assert Report.from_json(report.to_json()) == report


# Views.


def test_report_summary_tells_the_counts_and_the_worst() -> None:
    text = sample().summary()
    for said in (
        "The copy matches the source: 94%",
        "7 sentences: 6 with a counterpart in the source, 1 without",
        "8 sentences: 1 left out of the copy, 2 of page boilerplate",
        "2 of 6 judged sentences at or above the drift threshold 0.50",
        "2 of 4 damaged: 1 garbled, 1 read as a word",
        '"AMBER" became "Ambove" (0.97)',
        "1 possessive slipped",
        "Numbers    1 changed",
        '"12 percent" became "21 percent" (0.95)',
        "a negation may be lost",
        "not a verdict",
        str(SIGNATURE),
    ):
        assert said in text
    assert text.index("a negation may be lost") < text.index("“12 percent” became")


def test_report_summary_tells_the_relation_and_the_pivot_with_their_evidence() -> None:
    text = " ".join(sample().summary().split())
    for said in (
        "Relation machine round trip 0.95 (paraphrase 0.03, duplicate 0.01, another text on the "
        "same event 0.01) 6 of 7 sentences of the copy have a close counterpart",
        "Pivot French 0.90 (German 0.10), family Romance 0.90",
        '"Morning Ledger" became "reservation book"',
    ):
        assert said in text


def test_report_summary_says_when_relation_or_pivot_is_not_sure() -> None:
    relation, pivot = replace(RELATION, label=None), replace(PIVOT, language=None)
    text = sample(relation=relation, pivot=pivot).summary()
    assert "Relation   not sure: machine round trip 0.95, paraphrase 0.03" in text
    assert "Pivot      not sure: French 0.90, German 0.10, family Romance 0.90" in text


def test_report_summary_is_silent_on_what_was_not_judged() -> None:
    text = sample(relation=None, pivot=None).summary()
    assert "Relation" not in text
    assert "Pivot" not in text


def test_report_views_tell_the_same_of_relation_and_pivot() -> None:
    report = sample()
    as_page, as_table = page(report), terminal.terminal_table(report)
    for label, fact in facts(report)[:4]:
        assert label in as_page
        assert escaped(fact) in as_page
        assert fact.split("(")[0] in as_table


def test_report_summary_says_when_texts_do_not_match() -> None:
    text = sample(match=False, matched=0.04).summary()
    assert text.startswith("The two texts do not match: 4%")


def test_report_counts_changed_numbers_where_sentences_were_compared() -> None:
    assert sample().n_figures == 1
    assert one_row("One sentence.").n_figures == 0
    assert empty().n_figures is None
    assert "Numbers" not in empty().summary()


@pytest.mark.slow
@given(reports())
def test_report_summary_is_safe_to_print(report: Report) -> None:
    lines = report.summary().split("\n")
    assert all(char not in line for line in lines for char in "\x1b\x9b\r\u202e\u200b\u2028")


def test_report_shows_itself_in_a_notebook() -> None:
    shown = sample()._repr_html_()
    assert "Ambove" in shown
    assert "<html" not in shown


def test_report_json_escapes_the_joiners_behind_an_escape() -> None:
    text = "é\u200f\u200d\u200ca é\u200dé"
    assert not HOSTILE.search(dumps(text))
    assert json.loads(dumps(text)) == text
    assert "é\u200dé" in dumps(text)
