"""Write reports and matches as Parquet tables.

Reports as Parquet: the columns that tables share, and the two tables of scored pairs.

Pure: reports in, bytes out. The same reports give the same bytes.

Matches as Parquet: a row for each suspect, for each candidate source, for each sentence.

Pure: matches in, bytes out. The same matches give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from detector.archive.match import Match
from detector.batch.inputs import Row
from detector.records import RELATIONS, Relation
from detector.report.report import Report
from detector.report.serialise import row_record

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


SUSPECTS, CANDIDATES = "suspects", "candidates"
"""Names of tables; the third is `tables.SENTENCES`."""


@cache
def match_schemas() -> dict[str, Any]:
    """Return the Arrow schema of each table; null stands for what is not known.

    Returns
    -------
    dict of str to pyarrow.Schema
        `suspects` holds, after `suspect_index` (position in the input, from 0), `id` and `error`
        (null where the suspect was matched), the first candidate (null where no article is like
        the suspect), the figures of the report against it, how many articles were there, and what
        produced this. `candidates` holds all of them by `rank`, from 1. `sentences` holds the
        columns of `Report.to_frame`, against the first.
    """
    import pyarrow as pa

    text, whole, number = pa.string(), pa.int64(), pa.float64()
    first = {"suspect_index": whole, "id": text}
    source = {"source": text, "title": text, "share": number}
    return {
        SUSPECTS: pa.schema(
            {
                **first,
                "error": text,
                "n_sentences": whole,
                "n_candidates": whole,
                **source,
                **report_columns(),
                "n_articles": whole,
                "signature": text,
            }
        ),
        CANDIDATES: pa.schema(
            {
                **first,
                "rank": whole,
                **source,
                "sentences": pa.list_(whole),
                **relation_columns(),
                "evidence": pa.list_(text),
            }
        ),
        SENTENCES: pa.schema({**first, "source": text, **sentence_columns()}),
    }


def match_parquet(
    findings: Sequence[Outcome[Match]], *, n_articles: int, signature: str, report: bool
) -> dict[str, bytes]:
    """Return the tables of some suspects, by name, each as a whole Parquet file.

    Parameters
    ----------
    findings : sequence of Outcome
    n_articles : int
        Of the archive.
    signature : str
    report : bool
        Whether there is a table of sentences.
    """
    searched = {"n_articles": n_articles, "signature": signature}
    records = {
        SUSPECTS: ({**_suspect(one), **searched} for one in findings),
        CANDIDATES: (record for one in findings for record in _candidates(one)),
        SENTENCES: (record for one in findings for record in _sentences(one)),
    }
    if not report:
        del records[SENTENCES]
    return {name: file_of(match_schemas()[name], rows) for name, rows in records.items()}


def _suspect(one: Outcome[Match]) -> dict[str, Any]:
    record: dict[str, Any] = {"suspect_index": one.index, "id": one.id, "error": one.error}
    if one.result is None:
        return record
    record |= {"n_sentences": one.result.n_sentences, "n_candidates": len(one.result.candidates)}
    if not one.result.candidates:
        return record
    best = one.result.candidates[0]
    return {
        **record,
        "source": best.id,
        "title": best.title,
        "share": best.share,
        **relation_record(best.relation),
        **report_record(one.result.report),
    }


def _candidates(one: Outcome[Match]) -> Iterator[dict[str, Any]]:
    for rank, found in enumerate(one.result.candidates if one.result else (), start=1):
        yield {
            "suspect_index": one.index,
            "id": one.id,
            "rank": rank,
            "source": found.id,
            "title": found.title,
            "share": found.share,
            "sentences": list(found.sentences),
            **relation_record(found.relation),
            "evidence": None if found.relation is None else list(found.relation.evidence),
        }


def _sentences(one: Outcome[Match]) -> Iterator[dict[str, Any]]:
    if one.result is None or one.result.report is None:
        return
    source = one.result.candidates[0].id
    for row in one.result.report.rows:
        yield {"suspect_index": one.index, "id": one.id, "source": source, **row_record(row)}
