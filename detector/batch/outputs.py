"""Write reports and matches as Parquet tables.

The same reports and matches give the same bytes. Null means unknown. No file is opened here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Generic, TypeVar

from detector.archive.match import Match
from detector.batch.inputs import Row
from detector.records import RELATIONS, Relation
from detector.report.formats import COLUMNS
from detector.report.report import Report
from detector.report.serialise import row_record

PAIRS, SENTENCES, SUSPECTS, CANDIDATES = TABLES = ("pairs", "sentences", "suspects", "candidates")
"""Names of the tables."""

T = TypeVar("T")
Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[T]):
    """The result of one row, or the reason why there is none."""

    index: int
    id: str | None
    result: T | None
    error: str | None

    @classmethod
    def of(cls, row: Row, result: T | str) -> Outcome[T]:
        """Return the outcome of a row, given its result or its error."""
        if isinstance(result, str):
            return cls(index=row.index, id=row.id, result=None, error=result)
        return cls(index=row.index, id=row.id, result=result, error=None)


_RELATION_COLUMNS: Final = {
    "relation": "string",
    **{f"relation_{name}": "float64" for name in RELATIONS},
}
_REPORT_COLUMNS: Final[dict[str, tuple[str, Callable[[Report], Any]]]] = {
    "n_source": ("int64", lambda report: report.n_source),
    "n_copy": ("int64", lambda report: report.n_copy),
    "matched": ("float64", lambda report: report.matched),
    "match": ("bool", lambda report: report.match),
    "severity": ("float64", lambda report: report.severity),
    "n_flagged": ("int64", lambda report: len(report.flagged)),
    "n_damaged": ("int64", lambda report: len(report.damaged)),
    "n_additions": ("int64", lambda report: len(report.additions)),
    "n_omissions": ("int64", lambda report: len(report.omissions)),
    "n_figures": ("int64", lambda report: report.n_figures),
    "n_truncated": ("int64", lambda report: report.n_truncated),
}


@cache
def schemas() -> dict[str, Any]:
    """Return the Arrow schema of each table of scored pairs.

    `pair_index` is the position in the input, from 0; `error` is null where the pair was scored.
    """
    import pyarrow as pa

    key = {"pair_index": "int64", "id": "string"}
    return {
        PAIRS: pa.schema({**key, "error": "string", **_report_columns(), "signature": "string"}),
        SENTENCES: pa.schema({**key, **_sentence_columns()}),
    }


@cache
def match_schemas() -> dict[str, Any]:
    """Return the schema of each table of matched suspects: indices from 0, ranks from 1."""
    import pyarrow as pa

    key = {"suspect_index": "int64", "id": "string"}
    source = {"source": "string", "title": "string", "share": "float64"}
    return {
        SUSPECTS: pa.schema(
            {
                **key,
                "error": "string",
                "n_sentences": "int64",
                "n_candidates": "int64",
                **source,
                **_report_columns(),
                "n_articles": "int64",
                "signature": "string",
            }
        ),
        CANDIDATES: pa.schema(
            {
                **key,
                "rank": "int64",
                **source,
                "sentences": pa.list_(pa.int64()),
                **_RELATION_COLUMNS,
                "evidence": pa.list_(pa.string()),
            }
        ),
        SENTENCES: pa.schema({**key, "source": "string", **_sentence_columns()}),
    }


def pair_parquet(outcomes: Sequence[Outcome[Report]]) -> dict[str, bytes]:
    """Return the tables of some pairs by name, each as a whole Parquet file."""
    pairs = (
        {
            "pair_index": outcome.index,
            "id": outcome.id,
            "error": outcome.error,
            **_report_record(outcome.result),
            "signature": None if outcome.result is None else str(outcome.result.signature),
        }
        for outcome in outcomes
    )
    sentences = (
        {"pair_index": outcome.index, "id": outcome.id, **row_record(row)}
        for outcome in outcomes
        if outcome.result is not None
        for row in outcome.result.rows
    )
    return {
        PAIRS: _parquet(schemas()[PAIRS], pairs),
        SENTENCES: _parquet(schemas()[SENTENCES], sentences),
    }


def match_parquet(
    outcomes: Sequence[Outcome[Match]], *, n_articles: int, signature: str, report: bool
) -> dict[str, bytes]:
    """Return the tables of some suspects by name, each as a whole Parquet file.

    `n_articles` is the size of the archive; without `report` there is no table of sentences.
    """
    searched = {"n_articles": n_articles, "signature": signature}
    records: dict[str, Iterable[Record]] = {
        SUSPECTS: ({**_suspect_record(outcome), **searched} for outcome in outcomes),
        CANDIDATES: (record for outcome in outcomes for record in _candidate_records(outcome)),
    }
    if report:
        records[SENTENCES] = (
            record for outcome in outcomes for record in _sentence_records(outcome)
        )
    return {name: _parquet(match_schemas()[name], rows) for name, rows in records.items()}


def _parquet(schema: Any, records: Iterable[Mapping[str, Any]]) -> bytes:  # noqa: ANN401 - Arrow
    """Return records as a whole Parquet file; what a record lacks is null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(records), schema=schema), out, compression="zstd")
    return out.getvalue()


def _report_columns() -> dict[str, str]:
    counts = {name: kind for name, (kind, _) in _REPORT_COLUMNS.items()}
    return {**counts, **_RELATION_COLUMNS, "pivot": "string"}


def _sentence_columns() -> dict[str, Any]:
    """Return the Arrow types of `Report.to_frame`'s columns."""
    import pyarrow as pa

    spans = {f"{side}_{end}": "int64" for side in ("copy", "source") for end in ("start", "end")}
    change = pa.struct(
        {
            "change": "string",
            "probability": "float64",
            **spans,
            "copy_text": "string",
            "source_text": "string",
            "reason": "string",
        }
    )
    error = pa.struct({**spans, "probability": "float64", "kind": "string"})
    lists = {
        "source_indices": pa.list_(pa.int64()),
        "name_changes": pa.list_(change),
        "number_changes": pa.list_(change),
        "spans": pa.list_(error),
        "reasons": pa.list_(pa.string()),
    }
    plain = {"object": "string"}
    return {name: lists.get(name, plain.get(kind, kind.lower())) for name, kind in COLUMNS.items()}


def _report_record(report: Report | None) -> Record:
    if report is None:
        return {}
    return {
        **{name: value(report) for name, (_, value) in _REPORT_COLUMNS.items()},
        **_relation_record(report.relation),
        "pivot": None if report.pivot is None else report.pivot.language,
    }


def _relation_record(relation: Relation | None) -> Record:
    if relation is None:
        return {}
    probabilities = {f"relation_{name}": p for name, p in relation.probabilities.items()}
    return {"relation": relation.label, **probabilities}


def _suspect_record(outcome: Outcome[Match]) -> Record:
    record: Record = {"suspect_index": outcome.index, "id": outcome.id, "error": outcome.error}
    if outcome.result is None:
        return record
    record |= {
        "n_sentences": outcome.result.n_sentences,
        "n_candidates": len(outcome.result.candidates),
    }
    if not outcome.result.candidates:
        return record
    best = outcome.result.candidates[0]
    return {
        **record,
        "source": best.id,
        "title": best.title,
        "share": best.share,
        **_relation_record(best.relation),
        **_report_record(outcome.result.report),
    }


def _candidate_records(outcome: Outcome[Match]) -> Iterator[Record]:
    for rank, candidate in enumerate(outcome.result.candidates if outcome.result else (), start=1):
        relation = candidate.relation
        yield {
            "suspect_index": outcome.index,
            "id": outcome.id,
            "rank": rank,
            "source": candidate.id,
            "title": candidate.title,
            "share": candidate.share,
            "sentences": list(candidate.sentences),
            **_relation_record(relation),
            "evidence": None if relation is None else list(relation.evidence),
        }


def _sentence_records(outcome: Outcome[Match]) -> Iterator[Record]:
    if outcome.result is None or outcome.result.report is None:
        return
    source = outcome.result.candidates[0].id
    for row in outcome.result.report.rows:
        key = {"suspect_index": outcome.index, "id": outcome.id, "source": source}
        yield {**key, **row_record(row)}
