"""Matches as Parquet: a row for each suspect, for each candidate source, for each sentence.

Pure: matches in, bytes out. The same matches give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from detector.archive.match import Match
from detector.batch.tables import (
    SENTENCES,
    Outcome,
    file_of,
    relation_columns,
    relation_record,
    report_columns,
    report_record,
    sentence_columns,
)
from detector.showing.plain import row_record

SUSPECTS, CANDIDATES = "suspects", "candidates"
"""Names of tables; the third is `tables.SENTENCES`."""


@cache
def schemas() -> dict[str, Any]:
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


def parquet_of(
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
    return {name: file_of(schemas()[name], rows) for name, rows in records.items()}


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
