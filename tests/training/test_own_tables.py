"""A user's own tables: four forms read alike, and every fault named with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from detector.errors import InputError
from detector.training.data.corpus import Dropped, group_of
from detector.training.data.splits import read_table

ROWS = [
    {"source": "The court met on Monday.", "copy": "The court met Monday.", "label": "sound"},
    {"source": 'He said "no", twice.', "copy": 'He said "yes", twice.', "label": "1"},
    {"source": "Rain fell.", "copy": "It rained.", "label": ""},
]


def _write(path: Path, rows: list[dict[str, object]]) -> Path:
    frame = pd.DataFrame(rows)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_tables_read_every_form_alike(tmp_path: Path, ending: str) -> None:
    pairs = read_table(_write(tmp_path / f"mine{ending}", ROWS), Dropped())
    assert [(p.source, p.copy, p.label) for p in pairs] == [
        (row["source"], row["copy"], label)
        for row, label in zip(ROWS, (False, True, None), strict=True)
    ]
    assert {p.corpus for p in pairs} == {f"mine{ending}"}
    assert pairs[0].group == group_of(ROWS[0]["source"])


def test_tables_take_labels_as_parquet_and_json_hold_them(tmp_path: Path) -> None:
    values = [1.0, 0.0, None]
    rows = [{**row, "label": value} for row, value in zip(ROWS, values, strict=True)]
    parquet = read_table(_write(tmp_path / "mine.parquet", rows), Dropped())
    assert [p.label for p in parquet] == [True, False, None]
    rows = [{**row, "label": v} for row, v in zip(ROWS, (True, False, None), strict=True)]
    lines = read_table(_write(tmp_path / "mine.jsonl", rows), Dropped())
    assert [p.label for p in lines] == [True, False, None]


def test_tables_read_what_else_is_known(tmp_path: Path) -> None:
    more = {"group": "page 1", "points": "5", "kind": "human", "system": "s", "lang": "fr"}
    pairs = read_table(_write(tmp_path / "mine.csv", [{**row, **more} for row in ROWS]), Dropped())
    assert len({p.group for p in pairs}) == 1
    assert (pairs[0].points, pairs[0].kind, pairs[0].system, pairs[0].lang) == (
        5.0,
        "human",
        "s",
        "fr",
    )
    other = [{**row, **more, "group": "page1"} for row in ROWS]
    assert read_table(_write(tmp_path / "other.csv", other), Dropped())[0].group != pairs[0].group


def test_tables_leave_out_and_count_what_cannot_be_judged(tmp_path: Path) -> None:
    rows = [*ROWS, {**ROWS[0], "copy": " "}, {**ROWS[0], "copy": "Суд собрался в понедельник."}]
    dropped = Dropped()
    assert len(read_table(_write(tmp_path / "mine.csv", rows), dropped)) == 3
    assert dropped.to_dict() == {"mine.csv": {"blank": 1, "copy not English": 1}}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "source,copy,label\nA b.,A c.,perhaps\n", r"a\.csv, row 1 .*'perhaps'.*drift"),
        ("a.csv", "source,copy\nA b.,A c.\n", r"row 1 .*no column label.*group"),
        ("a.csv", "source,copy,label\nA b,c.,A c.,1\n", r"row 1 .*3 fields.*quotes"),
        ("a.csv", "source,copy,label\nA b.,A c.\n", r"row 1 .*3 fields"),
        ("a.csv", 'source,copy,label\n"A" b.,A c.,1\n', r"row 1 .*quotes"),
        ("a.csv", "source,copy,label,points\nA b.,A c.,1,-2\n", r"points is '-2'.*from 0"),
        ("a.csv", "source,copy,label,points\nA b.,A c.,1,bad\n", r"points is 'bad'"),
        ("a.csv", "source,copy,label\n", r"no usable row \(it is empty\)"),
        ("a.csv", "source,copy,label\n,,1\n", r"no usable row \(1 blank\)"),
        ("a.jsonl", '{"source": "A"\n', r"line 1: not JSON"),
        ("a.jsonl", "[1]\n", r"line 1: list, not an object"),
        ("a.parquet", "no parquet", r"a\.parquet: cannot be read"),
        ("a.xlsx", "", r"\.xlsx is not a table; give \.csv"),
    ],
)
def test_tables_name_the_fault_and_its_place(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        read_table(path, Dropped())


def test_tables_say_that_a_file_is_not_there_or_not_in_utf8(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.csv", Dropped())
    path = tmp_path / "latin.csv"
    path.write_bytes("source,copy,label\nCafé.,Café.,0\n".encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8"):
        read_table(path, Dropped())
