"""A user's own table of labelled pairs, as CSV, TSV, JSON lines or Parquet.

Every row is checked, and an error names the file, the row, the fact and what would be accepted.
The shared corpora, whose labels follow from their own columns, are read by `loaders`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detector.errors import InputError
from detector.learn.cleaning import tidy, unusable
from detector.learn.corpus import Dropped, Pair, group_of
from detector.reading.rows import rows_of

NEEDED = ("source", "copy", "label")
OPTIONAL = ("group", "points", "kind", "system", "lang")

_LABELS = {
    **dict.fromkeys(("1", "true", "drift"), True),
    **dict.fromkeys(("0", "false", "sound"), False),
    "": None,
}


def read_table(path: Path, dropped: Dropped) -> list[Pair]:
    """Read the pairs of one table.

    Parameters
    ----------
    path : Path
        A `.csv`, `.tsv`, `.jsonl` or `.parquet` file, text in UTF-8, with columns `source`,
        `copy` and `label` (1, true, drift; 0, false, sound; blank where unknown). It may hold
        `group` (rows that must stay together; by default those of one source sentence),
        `points` (error points, 0 is sound), `kind`, `system` and `lang`.
    dropped : Dropped
        Takes the counts of the rows left out, and why.

    Returns
    -------
    list of Pair
        Cleaned; their corpus is the name of the file.

    Raises
    ------
    InputError
        When the file cannot be read, lacks a column, holds a value that is not accepted, or no
        usable row.
    """
    pairs = []
    for row in rows_of(path):
        place = f"{path}, {row.place}"
        if row.fault is not None:
            msg = f"{place}: {row.fault}"
            raise InputError(msg)
        missing = [name for name in NEEDED if name not in row.values]
        if missing:
            msg = (
                f"{place}: no column {', '.join(missing)}; needed are {', '.join(NEEDED)}, and "
                f"{', '.join(OPTIONAL)} are read where they are there"
            )
            raise InputError(msg)
        pair = _pair(row.values, place, corpus=path.name)
        reason = unusable(pair.source, pair.copy) if pair else "blank"
        if reason is not None:
            dropped.add(path.name, reason)
        elif pair is not None:
            pairs.append(pair)
    if not pairs:
        left_out = dropped.to_dict().get(path.name, {})
        why = "; ".join(f"{n} {reason}" for reason, n in left_out.items()) or "it is empty"
        msg = f"{path}: no usable row ({why}); give rows with an English source and copy"
        raise InputError(msg)
    return pairs


def _pair(row: Mapping[str, Any], place: str, *, corpus: str) -> Pair | None:
    """Make a pair of a row; None where a side is blank."""
    text = {name: _text(row.get(name)) for name in (*NEEDED, *OPTIONAL)}
    label = text["label"].casefold().removesuffix(".0")  # Parquet may hold 1.0 beside a blank
    if label not in _LABELS:
        msg = (
            f"{place}: label is {text['label']!r}; give 1, true or drift, 0, false or sound, "
            "or leave it blank where it is unknown"
        )
        raise InputError(msg)
    source, copy = tidy(text["source"]), tidy(text["copy"])
    if not source or not copy:
        return None
    return Pair(
        source=source,
        copy=copy,
        label=_LABELS[label],
        corpus=corpus,
        kind=text["kind"],
        group=_key(text["group"]) if text["group"] else group_of(source),
        points=_points(text["points"], place),
        system=text["system"],
        lang=text["lang"],
    )


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).strip()


def _key(group: str) -> str:
    return hashlib.sha256(group.encode("utf-8", "replace")).hexdigest()[:20]


def _points(text: str, place: str) -> float | None:
    if not text:
        return None
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not 0.0 <= points < math.inf:
        msg = f"{place}: points is {text!r}; give error points, a number from 0 (sound), or nothing"
        raise InputError(msg)
    return points
