"""Tables as streams: four forms read alike, and a bad row costs no other."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
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
