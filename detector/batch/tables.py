"""The two tables of a batch as Parquet: one row for each pair, one for each copy sentence.

Pure: reports in, bytes out. The same reports give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from detector.relation import RELATIONS
from detector.report import Report
from detector.showing.plain import row_record

PAIRS, SENTENCES = "pairs", "sentences"
"""Names of the tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one pair: a report, or the reason why there is none."""

    index: int
    id: str | None
    report: Report | None
    error: str | None


@cache
def schemas() -> dict[str, Any]:
    """Return the Arrow schema of each table; null stands for what is not known.

    Returns
    -------
    dict of str to pyarrow.Schema
        `pairs` holds, after `pair_index` (position in the input, from 0), `id` and `error` (null
        where the pair was scored), the figures of the report and what produced them;
        `sentences` holds `pair_index`, `id` and the columns of `Report.to_frame`.
    """
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
    first = {"pair_index": whole, "id": text}
    pairs = {
        "error": text,
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
        "relation": text,
        **{f"relation_{name}": number for name in RELATIONS},
        "pivot": text,
        "signature": text,
    }
    sentences = {
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
    return {
        PAIRS: pa.schema({**first, **pairs}),
        SENTENCES: pa.schema({**first, **sentences}),
    }


def parquet_of(outcomes: Sequence[Outcome]) -> dict[str, bytes]:
    """Return both tables of some pairs, by name, each as a whole Parquet file."""
    return {
        PAIRS: _file(PAIRS, map(_pair_record, outcomes)),
        SENTENCES: _file(
            SENTENCES,
            (
                {"pair_index": one.index, "id": one.id, **row_record(row)}
                for one in outcomes
                if one.report is not None
                for row in one.report.rows
            ),
        ),
    }


def _pair_record(one: Outcome) -> dict[str, Any]:
    record: dict[str, Any] = {"pair_index": one.index, "id": one.id, "error": one.error}
    report = one.report
    if report is None:
        return record
    relation, pivot = report.relation, report.pivot
    shares = {} if relation is None else relation.probabilities
    return {
        **record,
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
        "relation": None if relation is None else relation.label,
        **{f"relation_{name}": share for name, share in shares.items()},
        "pivot": None if pivot is None else pivot.language,
        "signature": str(report.signature),
    }


def _file(name: str, records: Iterable[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(list(records), schema=schemas()[name])
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()
