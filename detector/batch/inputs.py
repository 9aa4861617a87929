"""Read the pairs or suspects of a batch from tables and files, shard by shard.

Which rows a shard holds follows from the input alone, so it is the same for any number of workers
and after an interruption. Memory does not grow with the input. Nothing is scored here.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from detector.archive.articles import read_articles
from detector.errors import InputError
from detector.text.tables import TableRow, rows_of

SHARD_ROWS = 512
"""Pairs of a shard; fewer where they are long."""

SUSPECT_SHARD_ROWS = 64
"""Suspects of a shard: each takes up to a second, and an interruption should lose little."""

_SHARD_CHARACTERS = 1 << 22
_SIDES = ("source", "copy")
_COLUMNS = ("id", *_SIDES, *(f"{side}_path" for side in _SIDES))
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(ABC):
    """One row of an input.

    Attributes
    ----------
    index : int
        Position among the rows, from 0.
    place : str
        File and position in it, for messages.
    id : str or None
    fault : str or None
        Why the row cannot be used, and what would be accepted.
    """

    index: int
    place: str
    id: str | None
    fault: str | None = None

    @property
    @abstractmethod
    def length(self) -> int:
        """About how many characters the row holds."""

    @property
    @abstractmethod
    def content(self) -> list[object]:
        """What identifies the row, as JSON values."""


R = TypeVar("R", bound=Row, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard(Generic[R]):
    """Rows that one worker processes together, and whose results share a file."""

    index: int
    rows: tuple[R, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Counts of an input, and the SHA-256 of its rows."""

    n_rows: int
    n_shards: int
    n_faults: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Table(ABC, Generic[R]):
    """Rows that can be read again and again, the same each time."""

    shard_rows: int = SHARD_ROWS

    def __post_init__(self) -> None:
        if self.shard_rows < 1:
            msg = f"a shard of {self.shard_rows} rows holds nothing; give 1 or more"
            raise InputError(msg)

    @property
    @abstractmethod
    def name(self) -> str:
        """Name for messages."""

    @abstractmethod
    def rows(self) -> Iterator[R]:
        """Yield the rows; an `InputError` says why there are none."""

    def shards(self, *, done: frozenset[int] = frozenset()) -> Iterator[Shard[R]]:
        """Yield the rows by shard, without the shards of `done`."""
        rows: list[R] = []
        index = length = 0
        for row in self.rows():
            rows.append(row)
            length += row.length
            if len(rows) >= self.shard_rows or length >= _SHARD_CHARACTERS:
                if index not in done:
                    yield Shard(index=index, rows=tuple(rows))
                rows, index, length = [], index + 1, 0
        if rows and index not in done:
            yield Shard(index=index, rows=tuple(rows))

    def survey(self, *, strict: bool = False) -> Survey:
        """Count and digest the input, with the files that it names.

        Raises
        ------
        InputError
            When the input cannot be read or holds no row; with `strict`, at the first fault.
        """
        digest = hashlib.sha256()
        n_rows = n_shards = n_faults = 0
        for shard in self.shards():
            n_shards += 1
            for row in shard.rows:
                n_rows += 1
                if row.fault is not None:
                    n_faults += 1
                    if strict:
                        msg = f"{row.place}: {row.fault}"
                        raise InputError(msg)
                digest.update(json.dumps(row.content).encode("ascii"))
        if not n_rows:
            msg = f"{self.name}: holds no row; give at least one"
            raise InputError(msg)
        return Survey(
            n_rows=n_rows, n_shards=n_shards, n_faults=n_faults, digest=digest.hexdigest()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow(Row):
    """A pair: each side is a text, the path of its file, or None where the row has a fault."""

    source: str | Path | None = None
    copy: str | Path | None = None

    @property
    def length(self) -> int:
        """About how many characters both sides hold."""
        return sum(_length(side) for side in (self.source, self.copy))

    @property
    def content(self) -> list[object]:
        """Id, texts and fault, with digests of the files that the row names."""
        return [self.id, _fingerprint(self.source), _fingerprint(self.copy), self.fault]


@dataclass(frozen=True, kw_only=True)
class PairTable(Table[PairRow]):
    """A table of pairs.

    Attributes
    ----------
    path : Path
        A `.csv`, `.tsv`, `.jsonl` or `.parquet` file with columns `source` and `copy`, or
        `source_path` and `copy_path` (text files and saved pages, relative to the table's folder),
        and optionally `id`.
    """

    path: Path

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    def rows(self) -> Iterator[PairRow]:
        """Yield the rows; an `InputError` says which column is missing."""
        for index, row in enumerate(rows_of(self.path, columns=_COLUMNS)):
            if row.fault is None and not index and self.path.suffix.lower() != ".jsonl":
                self._check_columns(row)
            yield self._pair(index, row)

    def _check_columns(self, row: TableRow) -> None:
        for side in _SIDES:
            if side not in row.values and f"{side}_path" not in row.values:
                msg = (
                    f"{self.path}: has no column {side} and no {side}_path; needed are source "
                    "and copy (texts) or source_path and copy_path (files), and id is read where "
                    "it is there"
                )
                raise InputError(msg)

    def _pair(self, index: int, row: TableRow) -> PairRow:
        name = row.values.get("id")
        source, copy, fault = None, None, row.fault
        if fault is None:
            source, fault = self._side("source", row.values)
        if fault is None:
            copy, fault = self._side("copy", row.values)
        return PairRow(
            index=index,
            place=f"{self.path}, {row.place}",
            id=None if name is None else _SURROGATE.sub("\ufffd", str(name)),
            source=source if fault is None else None,
            copy=copy,
            fault=fault,
        )

    def _side(self, side: str, values: Any) -> tuple[str | Path | None, str | None]:  # noqa: ANN401
        """Return one side of a pair, and its fault."""
        column = side if side in values or f"{side}_path" not in values else f"{side}_path"
        value = values.get(column)
        if not isinstance(value, str) or not value.strip():
            held = "blank" if isinstance(value, str) or value is None else type(value).__name__
            wanted = "a text" if column == side else "the path of a text file"
            return None, f"{column} is {held}; give {wanted}"
        # Arrow holds no lone surrogate; U+FFFD is as long, so offsets stay.
        text = _SURROGATE.sub("\ufffd", value)
        return (text if column == side else self.path.parent / text), None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectRow(Row):
    """A suspect; without an id where it has a fault."""

    text: str

    @property
    def length(self) -> int:
        """Characters of the text."""
        return len(self.text)

    @property
    def content(self) -> list[object]:
        """Id, text and fault."""
        return [self.id, self.text, self.fault]


@dataclass(frozen=True, kw_only=True)
class SuspectTable(Table[SuspectRow]):
    """Files of suspects.

    Attributes
    ----------
    files : tuple of str
        As for `read_articles`, but not standard input, which cannot be read twice.
    folder : Path
        Base of relative paths.
    encoding : str, optional
        Of texts and pages; by default detected.
    """

    files: tuple[str, ...]
    folder: Path
    encoding: str | None = None

    def __post_init__(self) -> None:
        Table.__post_init__(self)
        if "-" in self.files:
            msg = "standard input can be read once only; give a file, so that a stop loses nothing"
            raise InputError(msg)

    @property
    def name(self) -> str:
        """Name of the first file, and how many more there are."""
        first, more = Path(self.files[0]).name, len(self.files) - 1
        return f"{first} and {more} more" if more else first

    def rows(self) -> Iterator[SuspectRow]:
        """Yield the suspects; an input that is none has a fault."""
        entries = read_articles(self.files, encoding=self.encoding, folder=self.folder)
        for index, entry in enumerate(entries):
            article = entry.article
            yield SuspectRow(
                index=index,
                place=entry.place,
                id=None if article is None else article.id,
                text="" if article is None else article.text,
                fault=entry.reason if article is None else None,
            )


def _length(side: str | Path | None) -> int:
    if not isinstance(side, Path):
        return len(side or "")
    try:
        return side.stat().st_size
    except (OSError, ValueError):
        return 0


def _fingerprint(side: str | Path | None) -> str | list[str] | None:
    """Return a text itself, or the name and the SHA-256 of a file."""
    if not isinstance(side, Path):
        return side
    try:
        with side.open("rb") as file:
            return [side.name, hashlib.file_digest(file, "sha256").hexdigest()]
    except (OSError, ValueError) as err:
        return [side.name, type(err).__name__]
