"""Reports as Parquet: what comes back is what went in."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from support.sample_reports import reports, sample

from detector.batch.outputs import PAIRS, SENTENCES, Outcome, pair_parquet, schemas
from detector.records import RELATIONS
from detector.report.formats import COLUMNS
from detector.report.report import Report
from detector.report.serialise import row_record


def read(data: bytes) -> list[dict[str, object]]:
    return pq.read_table(io.BytesIO(data)).to_pylist()


def outcome(index: int, report: Report | None, error: str | None = None) -> Outcome[Report]:
    return Outcome(index=index, id=f"n{index}", result=report, error=error)


def test_batch_tables_hold_the_columns_of_a_report() -> None:
    assert schemas()[SENTENCES].names == ["pair_index", "id", *COLUMNS]
    assert schemas()[PAIRS].names[:3] == ["pair_index", "id", "error"]


def test_batch_tables_give_a_row_for_each_pair() -> None:
    report = sample()
    bare = sample(relation=None, pivot=None)
    outcomes = [outcome(3, report), outcome(4, None, "copy is blank"), outcome(5, bare)]
    first, second, third = read(pair_parquet(outcomes)[PAIRS])
    assert first["n_flagged"] == len(report.flagged) == 2
    assert first["n_damaged"] == len(report.damaged)
    assert first["n_omissions"] == len(report.omissions)
    assert (first["n_source"], first["n_copy"]) == (report.n_source, report.n_copy)
    assert first["relation"] == "round_trip"
    assert sum(first[f"relation_{name}"] for name in RELATIONS) == 1.0  # type: ignore[misc]
    assert first["pivot"] == "fr"
    assert first["signature"] == str(report.signature)
    assert first["error"] is None
    assert second["error"] == "copy is blank"
    assert {v for k, v in second.items() if k not in {"pair_index", "id", "error"}} == {None}
    assert third["relation"] is third["pivot"] is third["relation_duplicate"] is None
    assert [row["pair_index"] for row in (first, second, third)] == [3, 4, 5]


@pytest.mark.slow
@given(reports())
def test_batch_tables_give_back_the_rows_of_any_report(report: Report) -> None:
    tables = pair_parquet([outcome(0, report)])
    assert read(tables[SENTENCES]) == [
        {"pair_index": 0, "id": "n0", **row_record(row)} for row in report.rows
    ]
    assert pair_parquet([outcome(0, report)]) == tables
