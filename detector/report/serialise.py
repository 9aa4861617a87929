"""Convert records to plain dictionaries and JSON, and back.

Records as plain dicts and JSON, and back: the form that leaves the program and may return.

Keys are the column names of `Report.to_frame`. Nothing here opens a file, and nothing read is
trusted: a missing key or a wrong type is an `InputError` that names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from detector.errors import InputError
from detector.records import Bead, ErrorSpan, NameChange, Passage, Pivot, Relation, Row, Span
from detector.text.escape import HOSTILE

T = TypeVar("T")
Record = dict[str, Any]


def dumps(value: object, *, indent: int | None = None) -> str:
    r"""Return `value` as JSON in which every character that could act on a terminal is escaped.

    Parameters
    ----------
    value : object
        Dicts, lists, strings, finite numbers, bools and None.
    indent : int, optional
        Spaces a level; None gives one line.

    Returns
    -------
    str
        JSON that reads back to exactly `value`.

    Examples
    --------
    >>> dumps({"text": "caf\u00e9 \u202e"})
    '{"text": "café \\u202e"}'
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return HOSTILE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match.group())[1:-1]


def row_record(row: Row) -> Record:
    """Return a row as a dict with the columns of `Report.to_frame`, in order."""
    return {
        "copy_index": row.copy_index,
        "copy_start": row.copy.start,
        "copy_end": row.copy.end,
        "copy_text": row.copy_text,
        "kind": row.kind,
        "source_indices": list(row.source_indices),
        "source_start": row.source.start if row.source else None,
        "source_end": row.source.end if row.source else None,
        "source_text": row.source_text,
        "similarity": row.similarity,
        "drift_probability": row.drift_probability,
        "drift_flag": row.drift_flag,
        "severity": row.severity,
        "name_changes": [_change_record(change) for change in row.name_changes],
        "spans": [_error_record(span) for span in row.spans],
        "reasons": list(row.reasons),
        "n_truncated": row.n_truncated,
    }


def _change_record(change: NameChange) -> Record:
    return {
        "change": change.change,
        "probability": change.probability,
        "copy_start": change.copy.start if change.copy else None,
        "copy_end": change.copy.end if change.copy else None,
        "copy_text": change.copy_text,
        "source_start": change.source.start if change.source else None,
        "source_end": change.source.end if change.source else None,
        "source_text": change.source_text,
        "reason": change.reason,
    }


def _error_record(error: ErrorSpan) -> Record:
    return {
        "copy_start": error.copy.start if error.copy else None,
        "copy_end": error.copy.end if error.copy else None,
        "source_start": error.source.start if error.source else None,
        "source_end": error.source.end if error.source else None,
        "probability": error.probability,
        "kind": error.kind,
    }


def passage_record(passage: Passage) -> Record:
    """Return a missing source passage as a dict."""
    return {
        "source_indices": list(passage.indices),
        "source_start": passage.span.start,
        "source_end": passage.span.end,
        "source_text": passage.text,
        "reason": passage.reason,
    }


def bead_record(bead: Bead) -> Record:
    """Return a bead as a dict; ranges are `[start, stop]` counts of sentences."""
    return {
        "source": [bead.source.start, bead.source.stop],
        "copy": [bead.copy.start, bead.copy.stop],
        "similarity": bead.similarity,
    }


def relation_record(relation: Relation) -> Record:
    """Return what a copy is to its source as a dict."""
    return {
        "label": relation.label,
        "probabilities": dict(relation.probabilities),
        "evidence": list(relation.evidence),
        "evidence_weights": list(relation.evidence_weights),
    }


def pivot_record(pivot: Pivot) -> Record:
    """Return through which language a copy went as a dict."""
    return {
        "language": pivot.language,
        "posterior": dict(pivot.posterior),
        "families": dict(pivot.families),
        "evidence": list(pivot.evidence),
        "evidence_weights": list(pivot.evidence_weights),
    }


def read_row(record: object) -> Row:
    """Read what `row_record` wrote."""
    kind = take(record, "kind", str)
    if kind not in ("aligned", "addition"):
        msg = f"a row has kind {kind!r}; one is 'aligned' or 'addition'"
        raise InputError(msg)
    return Row(
        copy_index=take(record, "copy_index", int),
        copy=_needed(_span(record, "copy"), "copy_start"),
        copy_text=take(record, "copy_text", str),
        kind=cast("Any", kind),
        source_indices=items(record, "source_indices", int),
        source=_span(record, "source"),
        source_text=maybe(record, "source_text", str),
        similarity=maybe(record, "similarity", float),
        drift_probability=maybe(record, "drift_probability", float),
        drift_flag=take(record, "drift_flag", bool),
        severity=maybe(record, "severity", float),
        name_changes=tuple(_read_change(item) for item in take(record, "name_changes", list)),
        spans=tuple(_read_error(item) for item in take(record, "spans", list)),
        reasons=items(record, "reasons", str),
        n_truncated=take(record, "n_truncated", int),
    )


def _read_change(record: object) -> NameChange:
    return NameChange(
        change=cast("Any", take(record, "change", str)),  # the record checks itself
        probability=take(record, "probability", float),
        copy=_span(record, "copy"),
        copy_text=maybe(record, "copy_text", str),
        source=_span(record, "source"),
        source_text=maybe(record, "source_text", str),
        reason=take(record, "reason", str),
    )


def _read_error(record: object) -> ErrorSpan:
    return ErrorSpan(
        copy=_span(record, "copy"),
        source=_span(record, "source"),
        probability=take(record, "probability", float),
        kind=cast("Any", take(record, "kind", str)),  # the record checks itself
    )


def read_passage(record: object) -> Passage:
    """Read what `passage_record` wrote."""
    return Passage(
        indices=items(record, "source_indices", int),
        span=_needed(_span(record, "source"), "source_start"),
        text=take(record, "source_text", str),
        reason=take(record, "reason", str),
    )


def read_bead(record: object) -> Bead:
    """Read what `bead_record` wrote."""
    return Bead(
        source=_range(record, "source"),
        copy=_range(record, "copy"),
        similarity=maybe(record, "similarity", float),
    )


def read_relation(record: object) -> Relation | None:
    """Read what `relation_record` wrote; None stays None."""
    if record is None:
        return None
    return Relation(
        label=cast("Any", maybe(record, "label", str)),  # the record checks itself
        probabilities=cast("Any", _shares(record, "probabilities")),
        evidence=items(record, "evidence", str),
        evidence_weights=_weights(record),
    )


def read_pivot(record: object) -> Pivot | None:
    """Read what `pivot_record` wrote; None stays None."""
    if record is None:
        return None
    return Pivot(
        language=maybe(record, "language", str),
        posterior=_shares(record, "posterior"),
        families=_shares(record, "families"),
        evidence=items(record, "evidence", str),
        evidence_weights=_weights(record),
    )


def take(record: object, key: str, kind: type[T]) -> T:
    """Return `record[key]`, which must be of that kind.

    Parameters
    ----------
    record : object
        What should be a dict.
    key : str
        What it should hold.
    kind : type
        `int` refuses a bool, `float` takes an int.

    Returns
    -------
    kind
        The value.

    Raises
    ------
    InputError
        When the record is no dict, lacks the key, or holds something else there.
    """
    if not isinstance(record, Mapping) or key not in record:
        msg = f"the record lacks {key!r}: {_short(record)}"
        raise InputError(msg)
    return _checked(record[key], key, kind)


def maybe(record: object, key: str, kind: type[T]) -> T | None:
    """Return `record[key]`, of that kind or None; see `take`."""
    if isinstance(record, Mapping) and key in record and record[key] is None:
        return None
    return take(record, key, kind)


def items(record: object, key: str, kind: type[T]) -> tuple[T, ...]:
    """Return the list `record[key]`, all of that kind, as a tuple; see `take`."""
    return tuple(_checked(item, key, kind) for item in take(record, key, list))


def _checked(value: object, key: str, kind: type[T]) -> T:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        msg = f"{key!r} is {_short(value)}; give a value of type {kind.__name__}"
        raise InputError(msg)
    return value


def _shares(record: object, key: str) -> dict[str, float]:
    return {str(name): _checked(v, key, float) for name, v in take(record, key, dict).items()}


def _weights(record: object) -> tuple[float, ...]:
    known = isinstance(record, dict) and "evidence_weights" in record  # not before version 0.9
    return items(record, "evidence_weights", float) if known else ()


def _span(record: object, side: str) -> Span | None:
    start, end = maybe(record, f"{side}_start", int), maybe(record, f"{side}_end", int)
    if start is None or end is None:
        return None
    return Span(start, end)


def _needed(span: Span | None, key: str) -> Span:
    if span is None:
        msg = f"{key!r} is None; give a position"
        raise InputError(msg)
    return span


def _range(record: object, key: str) -> range:
    bounds = items(record, key, int)
    if len(bounds) != 2:
        msg = f"{key!r} is {_short(bounds)}; give a start and a stop"
        raise InputError(msg)
    return range(*bounds)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
