"""A user's own table of labelled pairs, as CSV, TSV, JSON lines or Parquet.

Every row is checked, and an error names the file, the row, the fact and what would be accepted.
The shared corpora, whose labels follow from their own columns, are read by `loaders`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from detector.errors import InputError
from detector.learn.cleaning import tidy, unusable
from detector.learn.corpus import Dropped, Pair, group_of

NEEDED = ("source", "copy", "label")
OPTIONAL = ("group", "points", "kind", "system", "lang")

_LABELS = {
    **dict.fromkeys(("1", "true", "drift"), True),
    **dict.fromkeys(("0", "false", "sound"), False),
    "": None,
}
_LONGEST_FIELD = 1 << 20  # characters; the csv module's own limit is shorter than some pages


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
    read = _READERS.get(path.suffix.lower())
    if read is None:
        msg = f"{path}: {path.suffix or 'no ending'} is not a table; give {', '.join(_READERS)}"
        raise InputError(msg)
    if not path.is_file():
        msg = f"{path}: there is no such file; give a table with columns {', '.join(NEEDED)}"
        raise InputError(msg)
    pairs = []
    try:
        for place, row in read(path):
            missing = [name for name in NEEDED if name not in row]
            if missing:
                msg = (
                    f"{path}, {place}: no column {', '.join(missing)}; needed are "
                    f"{', '.join(NEEDED)}, and {', '.join(OPTIONAL)} are read where they are there"
                )
                raise InputError(msg)
            pair = _pair(row, f"{path}, {place}", corpus=path.name)
            reason = unusable(pair.source, pair.copy) if pair else "blank"
            if reason is not None:
                dropped.add(path.name, reason)
            elif pair is not None:
                pairs.append(pair)
    except (OSError, UnicodeError) as err:
        msg = f"{path}: cannot be read ({err}); give a table in UTF-8"
        raise InputError(msg) from err
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


def _separated(delimiter: str) -> Callable[[Path], Iterator[tuple[str, dict[str, Any]]]]:
    def read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        csv.field_size_limit(_LONGEST_FIELD)
        text = path.read_text(encoding="utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        number = 0
        try:
            for number, row in enumerate(rows, start=1):
                place = f"row {number} (line {rows.line_num})"
                if None in row or None in row.values():
                    msg = (
                        f"{path}, {place}: does not hold {len(rows.fieldnames or ())} fields, as "
                        "the head does; put a field that holds the separator in double quotes"
                    )
                    raise InputError(msg)
                yield place, row
        except csv.Error as err:
            msg = (
                f"{path}, row {number + 1} (line {rows.line_num}): {err}; put a field with a "
                "double quote in double quotes, and double the quotes inside"
            )
            raise InputError(msg) from err

    return read


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as err:
            msg = f"{path}, line {number}: not JSON ({err}); give one object a line"
            raise InputError(msg) from err
        if not isinstance(row, dict):
            msg = f"{path}, line {number}: {type(row).__name__}, not an object; give one a line"
            raise InputError(msg)
        yield f"line {number}", row


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    import pandas as pd
    import pyarrow as pa

    try:
        table = pd.read_parquet(path)
    except (pa.ArrowException, ValueError) as err:
        msg = f"{path}: cannot be read as Parquet ({err})"
        raise InputError(msg) from err
    for number, row in enumerate(table.astype(object).to_dict("records"), start=1):
        yield f"row {number}", {str(name): value for name, value in row.items()}


_READERS: Mapping[str, Callable[[Path], Iterator[tuple[str, dict[str, Any]]]]] = {
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
