"""Tables as streams: four forms read alike, and a bad row costs no other."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.errors import InputError
from detector.text import tables
from detector.text.tables import rows_of

ROWS = [{"source": "One, two.", "copy": 'He said "no".'}, {"source": "Line\nbreak.", "copy": "é"}]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    if path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        pd.DataFrame(rows).to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_rows_read_every_form_alike(tmp_path: Path, ending: str) -> None:
    found = list(rows_of(write(tmp_path / f"a{ending}", ROWS)))
    assert [dict(row.values) for row in found] == ROWS
    assert [row.fault for row in found] == [None, None]


def test_rows_of_csv_go_on_after_a_bad_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        b'source,copy\nA.,B.\nonly one\n\n"A" b,c\nCaf\xe9.,B.\nC.,D.\nE.,"never closed\nF.,G.\n'
    )
    found = list(rows_of(path))
    assert [row.place for row in found] == [
        "row 1 (line 2)",
        "row 2 (line 3)",
        "row 3 (line 5)",
        "row 4 (line 6)",
        "row 5 (line 7)",
        "row 6 (line 9)",
    ]
    faults = [row.fault or "" for row in found]
    for fault, told in zip(
        faults, ["", "does not hold 2", "double quote", "UTF-8", "", "quote"], strict=True
    ):
        assert bool(fault) == bool(told)
        assert told in fault


def test_rows_of_json_lines_go_on_after_a_bad_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_LONGEST_LINE", 40)
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'{"source": "A."}\n{"source": \n[1]\n\n{"source": "\xe9"}\n{"source": "'
        + b"x" * 99
        + b'"}\r\n{"source": "B."}'
    )
    found = list(rows_of(path))
    assert [row.place for row in found] == [f"line {n}" for n in (1, 2, 3, 5, 6, 7)]
    faults = [row.fault or "" for row in found]
    for fault, told in zip(
        faults, ["", "not JSON", "list, not an object", "UTF-8", "longer than 40", ""], strict=True
    ):
        assert bool(fault) == bool(told)
        assert told in fault
    assert found[-1].values == {"source": "B."}


def test_rows_of_parquet_read_the_wanted_columns_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [{**row, "other": "x"} for row in ROWS] * 300)
    found = list(rows_of(path, columns=("source", "copy", "id")))
    assert len(found) == 600
    assert found[-1].place == "row 600"
    assert set(found[0].values) == {"source", "copy"}


def test_rows_of_a_torn_parquet_are_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"a\.parquet: cannot be read as Parquet"):
        list(rows_of(path))


def test_rows_refuse_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.xlsx is not a table; give \.csv"):
        list(rows_of(tmp_path / "a.xlsx"))
    with pytest.raises(InputError, match="no such file"):
        list(rows_of(tmp_path / "a.csv"))
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match=r"pipe\.csv is a pipe or a device, .*give a table"):
        list(rows_of(tmp_path / "pipe.csv"))


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
def test_rows_refuse_a_wanted_column_that_is_there_twice(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    head, row = ["copy", "note", "source", "note", "copy"], ["A.", "x", "B.", "y", "C."]
    if ending == ".parquet":
        pq.write_table(pa.table([[value] for value in row], names=head), path)
    else:
        mark = "\t" if ending == ".tsv" else ","
        path.write_text(f"{mark.join(head)}\n{mark.join(row)}\n", encoding="utf-8")
    for columns, named in ((("source", "copy"), "'copy'"), (None, "'copy' and 'note'")):
        with pytest.raises(InputError, match=rf"a{ending}.*: has {named} more than once"):
            list(rows_of(path, columns=columns))
    [found] = rows_of(path, columns=("source",))
    assert found.values["source"] == "B."


HOSTILE_JSON: Mapping[str, str] = {
    "nested": "[" * 100_000,
    "nested in an object": '{"copy": ' * 100_000,
    "a number of 5000 digits": f'{{"copy": {"9" * 5000}}}',
    "a key twice": '{"copy": "A.", "source": "B.", "copy": "C."}',
}


@pytest.mark.parametrize("kind", HOSTILE_JSON)
def test_rows_of_hostile_json_have_a_fault_and_cost_no_other(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{HOSTILE_JSON[kind]}\n{{"copy": "A."}}\n', encoding="utf-8")
    first, second = rows_of(path)
    assert (first.fault or "").startswith("not JSON (")
    assert not first.values
    assert second.values == {"copy": "A."}


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_rows_after_a_line_without_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(tables, "_LONGEST_LINE", 40)
    path = tmp_path / f"a{ending}"
    good = "B.\n" if ending == ".csv" else '{"copy": "B."}\n'
    head = "copy\n" if ending == ".csv" else ""
    path.write_text(f"{head}{good}{'x' * 500}\n{good}", encoding="utf-8")
    found = list(rows_of(path))
    assert [row.values.get("copy") for row in found] == ["B.", None, "B."]
    assert "longer than 40 characters; give one row a line" in (found[1].fault or "")


@pytest.mark.parametrize(
    "value",
    [
        pa.array([1 << 40], pa.int64()).cast(pa.timestamp("s")),
        pa.array([1 << 30], pa.int32()).cast(pa.date32()),
        pa.array([0], pa.int64()).cast(pa.timestamp("s", "Mars/Olympus_Mons")),
        pa.array([1 << 50], pa.int64()).cast(pa.duration("s")),
    ],
    ids=["timestamp", "date", "zone", "duration"],
)
def test_rows_of_parquet_that_python_cannot_hold_have_a_fault(tmp_path: Path, value: Any) -> None:
    path, sound = tmp_path / "a.parquet", pa.nulls(1, value.type)
    ids = pa.chunked_array([sound, value, sound])
    pq.write_table(pa.table({"id": ids, "copy": ["A.", "B.", "C."]}), path)
    found = list(rows_of(path))
    assert [row.values.get("copy") for row in found] == ["A.", None, "C."]
    assert "holds a value that Python cannot" in (found[1].fault or "")
