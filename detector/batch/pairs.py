"""Pairs out of a table: texts, or files named beside it. Nothing is scored here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.batch.jobs import Row, Table
from detector.errors import InputError
from detector.reading.rows import TableRow, rows_of

SIDES = ("source", "copy")
COLUMNS = ("id", *SIDES, *(f"{side}_path" for side in SIDES))
"""Columns that are read: each side is a text or, with `_path`, the path of a file."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow(Row):
    """One row of a table of pairs.

    Attributes
    ----------
    source, copy : str, Path or None
        A text, or the file that holds it; None where the row has a fault.
    """

    source: str | Path | None = None
    copy: str | Path | None = None

    @property
    def length(self) -> int:
        """About how many characters both sides hold."""
        return sum(_length(side) for side in (self.source, self.copy))

    @property
    def content(self) -> list[object]:
        """What it holds, with the content of the files that it names."""
        return [self.id, _known(self.source), _known(self.copy), self.fault]


@dataclass(frozen=True, kw_only=True)
class PairTable(Table[PairRow]):
    """A table of pairs.

    Attributes
    ----------
    path : Path
        A `.csv`, `.tsv`, `.jsonl` or `.parquet` file with columns `source` and `copy`, or
        `source_path` and `copy_path` (text files and saved pages, from the table's folder), and
        if you like `id`.
    """

    path: Path

    @property
    def name(self) -> str:
        """What it is called."""
        return self.path.name

    def rows(self) -> Iterator[PairRow]:
        """Yield the rows.

        Raises
        ------
        InputError
            When the file cannot be read, or its head lacks a column.
        """
        for index, row in enumerate(rows_of(self.path, columns=COLUMNS)):
            if row.fault is None and not index and self.path.suffix.lower() != ".jsonl":
                self._check_head(row)
            yield self._pair(index, row)

    def _check_head(self, row: TableRow) -> None:
        for side in SIDES:
            if side not in row.values and f"{side}_path" not in row.values:
                msg = (
                    f"{self.path}: has no column {side} and no {side}_path; needed are source "
                    "and copy (texts) or source_path and copy_path (files), and id is read where "
                    "it is there"
                )
                raise InputError(msg)

    def _pair(self, index: int, row: TableRow) -> PairRow:
        name = row.values.get("id")
        called = None if name is None else _SURROGATE.sub("\ufffd", str(name))
        source, copy, fault = None, None, row.fault
        if fault is None:
            source, fault = self._side("source", row.values)
        if fault is None:
            copy, fault = self._side("copy", row.values)
        if fault is not None:
            source = None
        return PairRow(
            index=index,
            place=f"{self.path}, {row.place}",
            id=called,
            source=source,
            copy=copy,
            fault=fault,
        )

    def _side(self, side: str, values: Any) -> tuple[str | Path | None, str | None]:  # noqa: ANN401
        """Return one side of a pair, or what is wrong with it."""
        column = side if side in values or f"{side}_path" not in values else f"{side}_path"
        value = values.get(column)
        if not isinstance(value, str) or not value.strip():
            held = "blank" if isinstance(value, str) or value is None else type(value).__name__
            wanted = "a text" if column == side else "the path of a text file"
            return None, f"{column} is {held}; give {wanted}"
        # Arrow holds no lone surrogate; U+FFFD is as long, so offsets stay.
        text = _SURROGATE.sub("\ufffd", value)
        return (text if column == side else self.path.parent / text), None


def _length(side: str | Path | None) -> int:
    if not isinstance(side, Path):
        return 0 if side is None else len(side)
    try:
        return side.stat().st_size
    except (OSError, ValueError):
        return 0


def _known(side: str | Path | None) -> str | list[str] | None:
    """Return what a digest is made of: a text itself, a file's path and content."""
    if not isinstance(side, Path):
        return side
    try:
        with side.open("rb") as file:
            return [str(side.name), hashlib.file_digest(file, "sha256").hexdigest()]
    except (OSError, ValueError) as err:
        return [str(side.name), type(err).__name__]
