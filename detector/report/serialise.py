"""Convert reports and their records to plain dictionaries and JSON, and back.

Keys are the column names of `Report.to_frame`. Nothing here opens a file, and nothing read is
trusted: a missing key or a wrong type is an `InputError` that names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from detector.errors import InputError
from detector.records import (
    Alignment,
    Bead,
    ErrorSpan,
    NameChange,
    NumberChange,
    Passage,
    Pivot,
    Relation,
    Row,
    Span,
)
from detector.text.escape import HOSTILE

if TYPE_CHECKING:
    from detector.report.data import ReportData

FORMAT = "detector-report"
SCHEMA = 5
"""What `report_record` writes and `read_fields` reads; another number is refused."""

# With the joiners behind it, which would follow a letter of its escape.
_ESCAPED = re.compile(f"(?:{HOSTILE.pattern})[\u200c\u200d]*")

T = TypeVar("T")
C = TypeVar("C", NameChange, NumberChange)
Record = dict[str, Any]


def dumps(value: object, *, indent: int | None = None) -> str:
    r"""Return `value` as JSON in which every character that could act on a terminal is escaped.

    Examples
    --------
    >>> dumps({"text": "caf\u00e9 \u202e"})
    '{"text": "café \\u202e"}'
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return _ESCAPED.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match.group())[1:-1]


def report_record(report: ReportData) -> Record:
    """Return a report as a dict."""
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "signature": report.signature.to_dict(),
        "match": report.match,
        "matched": report.matched,
        "threshold": report.threshold,
        "name_threshold": report.name_threshold,
        "n_source": report.n_source,
        "n_copy": report.n_copy,
        "n_truncated": report.n_truncated,
        "n_figures": report.n_figures,
        "severity": report.severity,
        "relation": None if report.relation is None else relation_record(report.relation),
        "pivot": None if report.pivot is None else pivot_record(report.pivot),
        "warnings": list(report.warnings),
        "rows": [row_record(row) for row in report.rows],
        "omissions": [_passage_record(passage) for passage in report.omissions],
        "outside": [_passage_record(passage) for passage in report.outside],
        "beads": [bead_record(bead) for bead in report.alignment.beads],
    }


def read_fields(record: object) -> dict[str, Any]:
    """Return the fields of the `ReportData` that `report_record` wrote; counts are not read."""
    from detector.models.bundle_config import Signature

    if not isinstance(record, dict) or record.get("format") != FORMAT:
        msg = f"this is not a report; one says format {FORMAT!r}"
        raise InputError(msg)
    if record.get("schema") != SCHEMA:
        msg = f"report has schema {record.get('schema')!r}; this version reads {SCHEMA}"
        raise InputError(msg)
    return {
        "rows": tuple(map(_read_row, _take(record, "rows", list))),
        "omissions": tuple(map(_read_passage, _take(record, "omissions", list))),
        "outside": tuple(map(_read_passage, _take(record, "outside", list))),
        "alignment": Alignment(
            beads=tuple(map(_read_bead, _take(record, "beads", list))),
            n_source=_take(record, "n_source", int),
            n_copy=_take(record, "n_copy", int),
        ),
        "threshold": _take(record, "threshold", float),
        "name_threshold": _take(record, "name_threshold", float),
        "signature": Signature.from_dict(_take(record, "signature", dict)),
        "matched": _take(record, "matched", float),
        "match": _take(record, "match", bool),
        "relation": read_relation(_maybe(record, "relation", dict)),
        "pivot": read_pivot(_maybe(record, "pivot", dict)),
        "n_truncated": _take(record, "n_truncated", int),
        "warnings": _items(record, "warnings", str),
    }


def row_record(row: Row) -> Record:
    """Return a row as a dict with the columns of `Report.to_frame`, in order."""
    return {
        "copy_index": row.copy_index,
        **_place("copy", row.copy),
        "copy_text": row.copy_text,
        "kind": row.kind,
        "source_indices": list(row.source_indices),
        **_place("source", row.source),
        "source_text": row.source_text,
        "similarity": row.similarity,
        "drift_probability": row.drift_probability,
        "drift_flag": row.drift_flag,
        "severity": row.severity,
        "name_changes": [_change_record(change) for change in row.name_changes],
        "number_changes": [_change_record(change) for change in row.number_changes],
        "spans": [_error_record(span) for span in row.spans],
        "reasons": list(row.reasons),
        "n_truncated": row.n_truncated,
    }


def _change_record(change: NameChange | NumberChange) -> Record:
    return {
        "change": change.change,
        "probability": change.probability,
        **_place("copy", change.copy),
        "copy_text": change.copy_text,
        **_place("source", change.source),
        "source_text": change.source_text,
        "reason": change.reason,
    }


def _error_record(error: ErrorSpan) -> Record:
    return {
        **_place("copy", error.copy),
        **_place("source", error.source),
        "probability": error.probability,
        "kind": error.kind,
    }


def _place(side: str, span: Span | None) -> Record:
    start, end = (span.start, span.end) if span else (None, None)
    return {f"{side}_start": start, f"{side}_end": end}


def _passage_record(passage: Passage) -> Record:
    return {
        "source_indices": list(passage.indices),
        **_place("source", passage.span),
        "source_text": passage.text,
        "reason": passage.reason,
    }


def bead_record(bead: Bead) -> Record:
    """Return a bead as a dict; ranges are `[start, stop]`."""
    return {
        "source": [bead.source.start, bead.source.stop],
        "copy": [bead.copy.start, bead.copy.stop],
        "similarity": bead.similarity,
    }


def relation_record(relation: Relation) -> Record:
    """Return a relation as a dict."""
    return {
        "label": relation.label,
        "probabilities": dict(relation.probabilities),
        "evidence": list(relation.evidence),
        "evidence_weights": list(relation.evidence_weights),
    }


def pivot_record(pivot: Pivot) -> Record:
    """Return a pivot as a plain dictionary."""
    return {
        "language": pivot.language,
        "posterior": dict(pivot.posterior),
        "families": dict(pivot.families),
        "evidence": list(pivot.evidence),
        "evidence_weights": list(pivot.evidence_weights),
    }


def _read_row(record: object) -> Row:
    kind = _take(record, "kind", str)
    if kind not in ("aligned", "addition"):
        msg = f"a row has kind {kind!r}; one is 'aligned' or 'addition'"
        raise InputError(msg)
    return Row(
        copy_index=_take(record, "copy_index", int),
        copy=_needed_span(record, "copy"),
        copy_text=_take(record, "copy_text", str),
        kind=cast("Any", kind),
        source_indices=_items(record, "source_indices", int),
        source=_span(record, "source"),
        source_text=_maybe(record, "source_text", str),
        similarity=_maybe(record, "similarity", float),
        drift_probability=_maybe(record, "drift_probability", float),
        drift_flag=_take(record, "drift_flag", bool),
        severity=_maybe(record, "severity", float),
        name_changes=_read_changes(record, "name_changes", NameChange),
        number_changes=_read_changes(record, "number_changes", NumberChange),
        spans=tuple(_read_error(item) for item in _take(record, "spans", list)),
        reasons=_items(record, "reasons", str),
        n_truncated=_take(record, "n_truncated", int),
    )


def _read_changes(record: object, key: str, kind: type[C]) -> tuple[C, ...]:
    return tuple(
        kind(
            change=cast("Any", _take(item, "change", str)),  # the record checks itself
            probability=_take(item, "probability", float),
            copy=_span(item, "copy"),
            copy_text=_maybe(item, "copy_text", str),
            source=_span(item, "source"),
            source_text=_maybe(item, "source_text", str),
            reason=_take(item, "reason", str),
        )
        for item in _take(record, key, list)
    )


def _read_error(record: object) -> ErrorSpan:
    return ErrorSpan(
        copy=_span(record, "copy"),
        source=_span(record, "source"),
        probability=_take(record, "probability", float),
        kind=cast("Any", _take(record, "kind", str)),  # the record checks itself
    )


def _read_passage(record: object) -> Passage:
    return Passage(
        indices=_items(record, "source_indices", int),
        span=_needed_span(record, "source"),
        text=_take(record, "source_text", str),
        reason=_take(record, "reason", str),
    )


def _read_bead(record: object) -> Bead:
    return Bead(
        source=_range(record, "source"),
        copy=_range(record, "copy"),
        similarity=_maybe(record, "similarity", float),
    )


def read_relation(record: object) -> Relation | None:
    """Return the relation of a plain dictionary."""
    if record is None:
        return None
    return Relation(
        label=cast("Any", _maybe(record, "label", str)),  # the record checks itself
        probabilities=cast("Any", _shares(record, "probabilities")),
        evidence=_items(record, "evidence", str),
        evidence_weights=_weights(record),
    )


def read_pivot(record: object) -> Pivot | None:
    """Return the pivot of a plain dictionary."""
    if record is None:
        return None
    return Pivot(
        language=_maybe(record, "language", str),
        posterior=_shares(record, "posterior"),
        families=_shares(record, "families"),
        evidence=_items(record, "evidence", str),
        evidence_weights=_weights(record),
    )


def _take(record: object, key: str, kind: type[T]) -> T:
    """Return `record[key]` of that type, or raise `InputError`; an int is taken for a float."""
    if not isinstance(record, Mapping) or key not in record:
        msg = f"the record lacks {key!r}: {_short(record)}"
        raise InputError(msg)
    return _checked(record[key], key, kind)


def _maybe(record: object, key: str, kind: type[T]) -> T | None:
    """Return `record[key]`, of that type or None."""
    if isinstance(record, Mapping) and key in record and record[key] is None:
        return None
    return _take(record, key, kind)


def _items(record: object, key: str, kind: type[T]) -> tuple[T, ...]:
    """Return the list `record[key]`, all of that type, as a tuple."""
    return tuple(_checked(item, key, kind) for item in _take(record, key, list))


def _checked(value: object, key: str, kind: type[T]) -> T:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        msg = f"{key!r} is {_short(value)}; give a value of type {kind.__name__}"
        raise InputError(msg)
    return value


def _shares(record: object, key: str) -> dict[str, float]:
    return {str(name): _checked(v, key, float) for name, v in _take(record, key, dict).items()}


def _weights(record: object) -> tuple[float, ...]:
    known = isinstance(record, dict) and "evidence_weights" in record  # not before version 0.9
    return _items(record, "evidence_weights", float) if known else ()


def _span(record: object, side: str) -> Span | None:
    start, end = _maybe(record, f"{side}_start", int), _maybe(record, f"{side}_end", int)
    return None if start is None or end is None else Span(start, end)


def _needed_span(record: object, side: str) -> Span:
    return Span(_take(record, f"{side}_start", int), _take(record, f"{side}_end", int))


def _range(record: object, key: str) -> range:
    bounds = _items(record, key, int)
    if len(bounds) != 2:
        msg = f"{key!r} is {_short(bounds)}; give a start and a stop"
        raise InputError(msg)
    return range(*bounds)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
