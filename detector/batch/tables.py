"""Reports as Parquet: the columns that tables share, and the two tables of scored pairs.

Pure: reports in, bytes out. The same reports give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from detector.batch.jobs import Row
from detector.relation import RELATIONS, Relation
from detector.report import Report
from detector.showing.plain import row_record

PAIRS, SENTENCES = "pairs", "sentences"
"""Names of the tables."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[T]):
    """What became of one row: a result, or the reason why there is none."""

    index: int
    id: str | None
    result: T | None
    error: str | None

    @classmethod
    def of(cls, row: Row, found: T | str) -> Outcome[T]:
        """Return that of a row, given its result or what is wrong with it."""
        if isinstance(found, str):
            return cls(index=row.index, id=row.id, result=None, error=found)
        return cls(index=row.index, id=row.id, result=found, error=None)


def relation_columns() -> dict[str, Any]:
    """Return the Arrow types of `relation_record`."""
    import pyarrow as pa

    return {"relation": pa.string(), **{f"relation_{name}": pa.float64() for name in RELATIONS}}


def relation_record(relation: Relation | None) -> dict[str, Any]:
    """Return a relation's label and probabilities, all null where there is none."""
    if relation is None:
        return {}
    shares = {f"relation_{name}": share for name, share in relation.probabilities.items()}
    return {"relation": relation.label, **shares}


def report_columns() -> dict[str, Any]:
    """Return the Arrow types of `report_record`."""
    import pyarrow as pa

    text, whole, number, truth = pa.string(), pa.int64(), pa.float64(), pa.bool_()
    return {
        "n_source": whole,
        "n_copy": whole,
        "matched": number,
        "match": truth,
        "severity": number,
        "n_flagged": whole,
        "n_damaged": whole,
        "n_additions": whole,
        "n_omissions": whole,
        "n_figures": whole,
        "n_truncated": whole,
        **relation_columns(),
        "pivot": text,
    }


def report_record(report: Report | None) -> dict[str, Any]:
    """Return the figures of a report, all null where there is none."""
    if report is None:
        return {}
    return {
        "n_source": report.n_source,
        "n_copy": report.n_copy,
        "matched": report.matched,
        "match": report.match,
        "severity": report.severity,
        "n_flagged": len(report.flagged),
        "n_damaged": len(report.damaged),
        "n_additions": len(report.additions),
        "n_omissions": len(report.omissions),
        "n_figures": report.n_figures,
        "n_truncated": report.n_truncated,
        **relation_record(report.relation),
        "pivot": None if report.pivot is None else report.pivot.language,
    }


def sentence_columns() -> dict[str, Any]:
    """Return the Arrow types of `Report.to_frame`'s columns."""
    import pyarrow as pa

    text, whole, number, truth = pa.string(), pa.int64(), pa.float64(), pa.bool_()
    places = {f"{side}_{end}": whole for side in ("copy", "source") for end in ("start", "end")}
    change = pa.struct(
        {
            "change": text,
            "probability": number,
            **places,
            "copy_text": text,
            "source_text": text,
            "reason": text,
        }
    )
    error = pa.struct({**places, "probability": number, "kind": text})
    return {
        "copy_index": whole,
        "copy_start": whole,
        "copy_end": whole,
        "copy_text": text,
        "kind": text,
        "source_indices": pa.list_(whole),
        "source_start": whole,
        "source_end": whole,
        "source_text": text,
        "similarity": number,
        "drift_probability": number,
        "drift_flag": truth,
        "severity": number,
        "name_changes": pa.list_(change),
        "spans": pa.list_(error),
        "reasons": pa.list_(text),
        "n_truncated": whole,
    }


@cache
def schemas() -> dict[str, Any]:
    """Return the Arrow schema of each table of scored pairs; null stands for what is not known.

    Returns
    -------
    dict of str to pyarrow.Schema
        `pairs` holds, after `pair_index` (position in the input, from 0), `id` and `error` (null
        where the pair was scored), the figures of the report and what produced them;
        `sentences` holds `pair_index`, `id` and the columns of `Report.to_frame`.
    """
    import pyarrow as pa

    text = pa.string()
    first = {"pair_index": pa.int64(), "id": text}
    return {
        PAIRS: pa.schema({**first, "error": text, **report_columns(), "signature": text}),
        SENTENCES: pa.schema({**first, **sentence_columns()}),
    }


def parquet_of(outcomes: Sequence[Outcome[Report]]) -> dict[str, bytes]:
    """Return both tables of some pairs, by name, each as a whole Parquet file."""
    return {
        PAIRS: file_of(schemas()[PAIRS], map(_pair_record, outcomes)),
        SENTENCES: file_of(
            schemas()[SENTENCES],
            (
                {"pair_index": one.index, "id": one.id, **row_record(row)}
                for one in outcomes
                if one.result is not None
                for row in one.result.rows
            ),
        ),
    }


def file_of(schema: Any, records: Iterable[Mapping[str, Any]]) -> bytes:  # noqa: ANN401 - Arrow
    """Return records as a whole Parquet file; what a record lacks is null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(records), schema=schema), out, compression="zstd")
    return out.getvalue()


def _pair_record(one: Outcome[Report]) -> dict[str, Any]:
    signature = None if one.result is None else str(one.result.signature)
    return {
        "pair_index": one.index,
        "id": one.id,
        "error": one.error,
        **report_record(one.result),
        "signature": signature,
    }
