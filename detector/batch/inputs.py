"""Read the pairs or suspects of a batch from tables and files, shard by shard.

The rows of a shard follow from the input alone, for any number of workers. Memory does not grow
with the input. Nothing is scored here.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.archive.articles import read_articles
from detector.errors import InputError
from detector.text.files import read_bytes
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
class Row:
    """One row of an input: a pair, or a suspect; `index` from 0, `place` for messages.

    `texts` are the source and the copy, or the suspect: texts or paths of files; none where the row
    has a `fault`, which says what would be accepted.
    """

    index: int
    place: str
    id: str | None
    texts: tuple[str | Path, ...]
    fault: str | None = None

    @property
    def length(self) -> int:
        """About how many characters the row holds."""
        return sum(_length(text) for text in self.texts)

    @property
    def content(self) -> list[object]:
        """What identifies the row, as JSON values, with digests of the files that it names."""
        return [self.id, *map(_fingerprint, self.texts), self.fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Rows that one worker processes together, and whose results share a file."""

    index: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Counts of an input, and the SHA-256 of its rows."""

    n_rows: int
    n_shards: int
    n_faults: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Table(ABC):
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
    def rows(self) -> Iterator[Row]:
        """Yield the rows; an `InputError` says why there are none."""

    def shards(self, *, done: frozenset[int] = frozenset()) -> Iterator[Shard]:
        """Yield the rows by shard, without the shards of `done`."""
        rows: list[Row] = []
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
        """Count and digest the input; `strict` raises the first fault as an `InputError`."""
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


@dataclass(frozen=True, kw_only=True)
class PairTable(Table):
    """A table of pairs in columns `source` and `copy`, or `source_path` and `copy_path`.

    Paths are relative to the table's folder; `id` is optional.
    """

    path: Path

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    def rows(self) -> Iterator[Row]:
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

    def _pair(self, index: int, row: TableRow) -> Row:
        name = row.values.get("id")
        texts: tuple[str | Path, ...] = ()
        fault = row.fault
        if fault is None:
            try:
                texts = tuple(self._side(side, row.values) for side in _SIDES)
            except InputError as err:
                fault = str(err)
        return Row(
            index=index,
            place=f"{self.path}, {row.place}",
            id=None if name is None else _SURROGATE.sub("\ufffd", str(name)),
            texts=texts,
            fault=fault,
        )

    def _side(self, side: str, values: Mapping[str, Any]) -> str | Path:
        column = side if side in values or f"{side}_path" not in values else f"{side}_path"
        value = values.get(column)
        if not isinstance(value, str) or not value.strip():
            held = "blank" if isinstance(value, str) or value is None else type(value).__name__
            wanted = "a text" if column == side else "the path of a text file"
            msg = f"{column} is {held}; give {wanted}"
            raise InputError(msg)
        # Arrow holds no lone surrogate; U+FFFD is as long, so offsets stay.
        text = _SURROGATE.sub("\ufffd", value)
        return text if column == side else self.path.parent / text


@dataclass(frozen=True, kw_only=True)
class SuspectTable(Table):
    """Files of suspects, as for `read_articles`; standard input cannot be read twice."""

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

    def rows(self) -> Iterator[Row]:
        """Yield the suspects; an input that is none has a fault."""
        entries = read_articles(self.files, encoding=self.encoding, folder=self.folder)
        for index, entry in enumerate(entries):
            article = entry.article
            yield Row(
                index=index,
                place=entry.place,
                id=article.id if article else None,
                texts=(article.text,) if article else (),
                fault=None if article else entry.reason,
            )


def _length(text: str | Path) -> int:
    if isinstance(text, str):
        return len(text)
    try:
        return text.stat().st_size
    except (OSError, ValueError):
        return 0


def _fingerprint(text: str | Path) -> str | list[str]:
    """Return a text itself, or the name and the SHA-256 of a file."""
    if isinstance(text, str):
        return text
    try:
        return [text.name, hashlib.sha256(read_bytes(text)).hexdigest()]
    except InputError as err:
        return [text.name, type(err.__cause__ or err).__name__]
