"""Pairs out of a table, in the shards that they are scored in, in constant memory.

Which rows a shard holds follows from the table alone, so it is the same for any number of workers
and after a stop. Nothing is scored here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.errors import InputError
from detector.reading.rows import TableRow, rows_of

SIDES = ("source", "copy")
COLUMNS = ("id", *SIDES, *(f"{side}_path" for side in SIDES))
"""Columns that are read: each side is a text or, with `_path`, the path of a file."""

SHARD_ROWS = 512
"""Pairs of a shard; fewer where they are long."""

_SHARD_CHARACTERS = 1 << 22
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """One row of a table of pairs.

    Attributes
    ----------
    index : int
        Its position among the rows, from 0.
    place : str
        Where it stands in the table, for messages.
    id : str or None
        What the table calls it.
    source, copy : str, Path or None
        A text, or the file that holds it; None where the row has a fault.
    fault : str or None
        Why it cannot be scored, and what would be accepted.
    """

    index: int
    place: str
    id: str | None
    source: str | Path | None = None
    copy: str | Path | None = None
    fault: str | None = None

    @property
    def length(self) -> int:
        """About how many characters both sides hold."""
        return sum(_length(side) for side in (self.source, self.copy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The rows of one shard."""

    shard: int
    rows: tuple[PairRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a table holds: how many rows and shards, how many faults, and a SHA-256 of it all."""

    n_rows: int
    n_shards: int
    n_faults: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTable:
    """A table of pairs.

    Attributes
    ----------
    path : Path
        A `.csv`, `.tsv`, `.jsonl` or `.parquet` file with columns `source` and `copy`, or
        `source_path` and `copy_path` (text files and saved pages, from the table's folder), and
        if you like `id`.
    shard_rows : int
        Pairs of a shard.
    """

    path: Path
    shard_rows: int = SHARD_ROWS

    def __post_init__(self) -> None:
        if self.shard_rows < 1:
            msg = f"a shard of {self.shard_rows} pairs holds nothing; give 1 or more"
            raise InputError(msg)

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

    def jobs(self, *, done: frozenset[int] = frozenset()) -> Iterator[Job]:
        """Yield the rows by shard, those of `done` left out."""
        rows: list[PairRow] = []
        shard = length = 0
        for row in self.rows():
            rows.append(row)
            length += row.length
            if len(rows) >= self.shard_rows or length >= _SHARD_CHARACTERS:
                if shard not in done:
                    yield Job(shard=shard, rows=tuple(rows))
                rows, shard, length = [], shard + 1, 0
        if rows and shard not in done:
            yield Job(shard=shard, rows=tuple(rows))

    def survey(self, *, strict: bool = False) -> Survey:
        """Read everything once, to count it and to know it again.

        Parameters
        ----------
        strict : bool
            Whether a row with a fault is an error.

        Returns
        -------
        Survey
            Its digest covers the files that the table names.

        Raises
        ------
        InputError
            When the table cannot be read or holds no row, or by `strict`.
        """
        digest = hashlib.sha256()
        n_rows = n_shards = n_faults = 0
        for job in self.jobs():
            n_shards += 1
            for row in job.rows:
                n_rows += 1
                if row.fault is not None:
                    n_faults += 1
                    if strict:
                        msg = f"{self.path}, {row.place}: {row.fault}"
                        raise InputError(msg)
                known = [row.id, _known(row.source), _known(row.copy), row.fault]
                digest.update(json.dumps(known).encode("ascii"))
        if not n_rows:
            msg = f"{self.path}: holds no row; give a table with columns source and copy"
            raise InputError(msg)
        return Survey(
            n_rows=n_rows, n_shards=n_shards, n_faults=n_faults, digest=digest.hexdigest()
        )

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
            index=index, place=row.place, id=called, source=source, copy=copy, fault=fault
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
