from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

import pytest
from support.sample_reports import COPY, SOURCE, SOURCE_SENTENCES, empty, one_row, sample

from detector.records import Document, Sentence
from detector.report import formats as tables


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_tables_csv_holds_every_row_and_column() -> None:
    rows = read(tables.csv_text(sample().rows))
    assert list(rows[0]) == list(tables.COLUMNS)
    assert [row["copy_text"] for row in rows] == [row.copy_text for row in sample().rows]
    assert json.loads(rows[2]["name_changes"])[0]["copy_text"] == "Ambove"
    assert json.loads(rows[1]["number_changes"])[0]["copy_text"] == "21 percent"
    assert rows[6]["source_start"] == rows[6]["similarity"] == ""
    assert rows[2]["drift_flag"] == "True"


def test_tables_csv_of_no_rows_is_its_header() -> None:
    assert tables.csv_text(empty().rows).count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("x")',
        "+1",
        "-1 said he",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "\n=1",
        "\xa0=1",
        "＝1+1",
    ],
)
def test_tables_csv_runs_no_formula(text: str) -> None:
    cell = read(tables.csv_text(one_row(text).rows))[0]["copy_text"]
    assert cell.startswith("'")
    assert cell[1:].replace("⟦U+000D⟧", "\r") == text


def test_tables_csv_leaves_numbers_and_plain_text_alone() -> None:
    row = read(tables.csv_text(one_row("A = b, said x@y.").rows))[0]
    assert row["copy_text"] == "A = b, said x@y."
    assert row["similarity"] == "0.5"


def test_tables_csv_spells_out_what_acts() -> None:
    assert "⟦U+001B⟧" in tables.csv_text(one_row("a\x1b[31m").rows)


def test_tables_jsonl_is_a_row_a_line() -> None:
    lines = tables.jsonl(one_row("a\u2028b\x85c").rows).splitlines()
    assert [json.loads(line)["copy_text"] for line in lines] == ["a\u2028b\x85c"]


def _document(raw: str, texts: Sequence[str]) -> Document:
    starts = [raw.index(text) for text in texts]
    return Document(
        raw,
        tuple(Sentence(at, at + len(t), t, 0) for at, t in zip(starts, texts, strict=True)),
    )


@pytest.fixture
def beads() -> dict[str, object]:
    report = sample()
    return {
        "alignment": report.alignment,
        "copy": _document(COPY, [row.copy_text for row in report.rows]),
        "source": _document(SOURCE, SOURCE_SENTENCES),
    }


def test_tables_beads_jsonl_points_into_the_raw_texts(beads: dict[str, object]) -> None:
    records = [json.loads(line) for line in tables.beads_jsonl(**beads).splitlines()]
    assert [record["copy"] for record in records][:3] == [[0, 1], [1, 2], [2, 4]]
    for record in records:
        for side, raw in (("copy", COPY), ("source", SOURCE)):
            start, end = record[f"{side}_start"], record[f"{side}_end"]
            assert record[f"{side}_text"] == (None if start is None else raw[start:end])


def test_tables_beads_tsv_is_a_bead_a_line(beads: dict[str, object]) -> None:
    head, *lines = tables.beads_tsv(**beads).rstrip("\n").split("\n")
    assert head.split("\t") == ["source", "copy", "similarity", "source_text", "copy_text"]
    assert len(lines) == len(sample().alignment.beads)
    assert all(line.count("\t") == 4 for line in lines)
    assert lines[4].split("\t")[:3] == ["4:5", "5:5", ""]
