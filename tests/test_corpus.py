"""Labelled pairs: cleaning, groups that never leak, the draw, loaders on small made tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.learn import corpus, loaders
from detector.learn.corpus import Dropped, Pair, draw, group_of, held_apart, split


def _pair(source: str, copy: str, **known: Any) -> Pair:
    fields: dict[str, Any] = {"label": None, "corpus": "made", "kind": "made"}
    return Pair(source=source, copy=copy, group=group_of(source), **{**fields, **known})


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
        ("", ""),
    ],
)
def test_corpus_detokenise_writes_as_people_do(tokenised: str, written: str) -> None:
    assert corpus.detokenise(tokenised) == written


@given(st.text())
def test_corpus_cleaning_is_done_after_one_time(text: str) -> None:
    tidied = corpus.tidy(text)
    assert corpus.tidy(tidied) == tidied or "&" in tidied  # entities may nest without end
    assert tidied == tidied.strip()
    assert "\n" not in tidied


def test_corpus_unmark_keeps_marks_that_are_not_apertiums() -> None:
    assert corpus.unmark("The *Oslo *and #1", "It is.") == "The Oslo and #1."
    assert corpus.unmark("5 * 3", "5 times 3") == "5 * 3"


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
def test_corpus_unusable_says_why(source: str, copy: str, reason: str | None) -> None:
    found = corpus.unusable(source, copy)
    assert found is None if reason is None else reason in (found or "")


@given(st.text(min_size=1).filter(lambda t: any(c.isalnum() for c in t)))
def test_corpus_group_ignores_case_space_and_marks(text: str) -> None:
    assert group_of(text) == group_of(f'  "{text}" ')
    assert group_of("A bird " + text) != group_of("Two birds " + text)


def test_corpus_split_never_parts_twins() -> None:
    pairs = [_pair(f"Sentence {i % 40}", f"Copy {i}") for i in range(200)]
    ours, apart = split(pairs)
    assert not {p.group for p in ours} & {p.group for p in apart}
    assert len(ours) + len(apart) == 200
    assert all(held_apart(p.group) for p in apart)


def test_corpus_a_fifth_of_the_groups_is_held_apart() -> None:
    share = sum(held_apart(group_of(f"Sentence {i}")) for i in range(5000)) / 5000
    assert share == pytest.approx(0.2, abs=0.02)


def test_corpus_draw_does_not_depend_on_order_and_spreads_over_groups() -> None:
    pairs = [_pair(f"Sentence {i % 30}", f"Copy {i}") for i in range(300)]
    one, two = draw(pairs, 30), draw(pairs[::-1], 30)
    assert one == two
    assert len({p.group for p in one}) == 30
    assert draw(pairs, 30, seed=1) != one
    assert len(draw(pairs, 1000)) == 300


def test_corpus_refuses_a_blank_side() -> None:
    with pytest.raises(InputError, match="blank side"):
        _pair("A house.", "  ")


def test_corpus_shared_folder_says_what_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(corpus.ENVIRONMENT, raising=False)
    with pytest.raises(InputError, match="give --shared FOLDER, or set DETECTOR_SHARED"):
        corpus.shared_folder(None)
    with pytest.raises(InputError, match=r"demetr_dev\.parquet"):
        corpus.shared_folder(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demetr_dev.parquet").write_bytes(b"")
    assert corpus.shared_folder(tmp_path) == tmp_path / "data"
    monkeypatch.setenv(corpus.ENVIRONMENT, str(tmp_path))
    assert corpus.shared_folder(None) == tmp_path / "data"


def test_corpus_check_tells_absent_from_different(tmp_path: Path) -> None:
    (tmp_path / "demetr_dev.parquet").write_bytes(b"something else")
    states = {name: state for name, state, _ in corpus.check(tmp_path)}
    assert states["demetr_dev.parquet"] == "differs"
    assert states["flores_dev_rt.parquet"] == "absent"


def _write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    import pandas as pd

    pd.DataFrame(rows).to_parquet(folder / name)


def _demetr_row(kind: str, damaged: str, severity: str) -> dict[str, Any]:
    return {
        "id": 1,
        "eng_sent": "The mayor left on Monday.",
        "mt_sent": "The mayor went away on Monday.",
        "pert_sent": damaged,
        "pert_check": True,
        "severity": severity,
        "pert_desc": kind,
        "pert_name": kind,
    }


def test_corpus_loads_demetr_as_twins(tmp_path: Path) -> None:
    rows = [
        _demetr_row("critical_id8_negation", "The mayor did not go away on Monday.", "critical"),
        _demetr_row("minor_id28_final_punc_removed", "The mayor went away on Monday", "minor"),
        _demetr_row("major_id18_aspect", "The mayor was going away on Monday.", "major"),
        {**_demetr_row("critical_id9_ne_replaced", "x", "critical"), "pert_check": False},
    ]
    _write(tmp_path, "demetr_dev.parquet", rows)
    dropped = Dropped()
    pairs = loaders.load(tmp_path, dropped)["demetr"]
    assert {p.kind: p.label for p in pairs} == {
        "sound": False,
        "critical_id8_negation": True,
        "minor_id28_final_punc_removed": False,
        "major_id18_aspect": None,
    }
    assert len({p.twin for p in pairs}) == 1
    assert dropped.counts["demetr"]["damage not carried out"] == 1
    assert dropped.counts["wmt"] == {"wmt14_15_18_rt.parquet absent": 1}


def _span(category: str | None, severity: str) -> dict[str, Any]:
    return {"start": 0, "end": 3, "category": category, "severity": severity, "side": "copy"}


@pytest.mark.parametrize(
    ("spans", "label"),
    [
        ([], False),
        ([_span("Fluency/Grammar", "Minor")], False),
        ([_span("Accuracy/Mistranslation", "Major")], True),
        ([_span("Accuracy/Mistranslation", "Minor")], None),
        ([_span("Style/Awkward", "Major")], None),
        ([_span("Style/Awkward", "Minor"), _span("Accuracy/Omission", "Major")], True),
    ],
)
def test_corpus_labels_talks_by_errors_of_meaning(
    tmp_path: Path, spans: list[dict[str, Any]], label: bool | None
) -> None:
    row = {
        "source": "He spoke for an hour.",
        "copy": "He talked for an hour.",
        "system": "x",
        "score": 1.0,
        "spans": json.dumps(spans),
        "source_mqm": 0.0,
    }
    _write(tmp_path, "mqm_ted_zhen.parquet", [row])
    assert [p.label for p in loaders.load(tmp_path, Dropped())["mqm_ted"]] == [label]


def test_corpus_drops_identical_pairs_that_are_called_drift(tmp_path: Path) -> None:
    text = "He spoke for an hour."
    row = {
        "source": text,
        "copy": text,
        "system": "x",
        "score": 5,
        "spans": json.dumps([_span(None, "Major")]),
    }
    _write(tmp_path, "mqm_news21_zhen.parquet", [row])
    _write(
        tmp_path, "demetr_dev.parquet", [_demetr_row("critical_id8_negation", "No.", "critical")]
    )
    dropped = Dropped()
    assert "mqm_news" not in loaders.load(tmp_path, dropped)
    assert dropped.counts["mqm_news"] == {"identical, yet judged to be drift": 1}


def test_corpus_names_the_table_that_lacks_a_column(tmp_path: Path) -> None:
    _write(tmp_path, "demetr_dev.parquet", [{"id": 1}])
    with pytest.raises(InputError, match=r"demetr_dev\.parquet.*eng_sent"):
        loaders.load(tmp_path, Dropped())


def test_corpus_names_the_table_that_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "demetr_dev.parquet").write_bytes(b"not a table")
    with pytest.raises(InputError, match=r"demetr_dev\.parquet"):
        loaders.load(tmp_path, Dropped())
