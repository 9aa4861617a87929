"""Read the pairs or suspects of a batch from tables and files.

A table's rows in the shards that they are done in, in constant memory.

Which rows a shard holds follows from the table alone, so it is the same for any number of workers
and after a stop. What a row holds is its table's matter; nothing is read from a disk here.

Pairs out of a table: texts, or files named beside it. Nothing is scored here.

Suspects out of files, as rows: texts whose sources are to be found. Nothing is matched here.
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
"""Rows of a shard; fewer where they are long."""

_SHARD_CHARACTERS = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(ABC):
    """One row of a table.

    Attributes
    ----------
    index : int
        Its position among the rows, from 0.
    place : str
        The file and where it stands there, for messages.
    id : str or None
        What the table calls it.
    fault : str or None
        Why it cannot be used, and what would be accepted.
    """

    index: int
    place: str
    id: str | None
    fault: str | None = None

    @property
    @abstractmethod
    def length(self) -> int:
        """About how many characters it holds."""

    @property
    @abstractmethod
    def content(self) -> list[object]:
        """What it holds, as JSON: rows with the same content are the same row."""


R = TypeVar("R", bound=Row, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[R]):
    """The rows of one shard."""

    shard: int
    rows: tuple[R, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a table holds: how many rows and shards, how many faults, and a SHA-256 of it all."""

    n_rows: int
    n_shards: int
    n_faults: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Table(ABC, Generic[R]):
    """Rows that can be gone through again and again, the same each time.

    Attributes
    ----------
    shard_rows : int
        Rows of a shard.
    """

    shard_rows: int = SHARD_ROWS

    def __post_init__(self) -> None:
        if self.shard_rows < 1:
            msg = f"a shard of {self.shard_rows} rows holds nothing; give 1 or more"
            raise InputError(msg)

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called."""

    @abstractmethod
    def rows(self) -> Iterator[R]:
        """Yield the rows; an `InputError` says why there are none."""

    def jobs(self, *, done: frozenset[int] = frozenset()) -> Iterator[Job[R]]:
        """Yield the rows by shard, those of `done` left out."""
        rows: list[R] = []
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
                        msg = f"{row.place}: {row.fault}"
                        raise InputError(msg)
                digest.update(json.dumps(row.content).encode("ascii"))
        if not n_rows:
            msg = f"{self.name}: holds no row; give at least one"
            raise InputError(msg)
        return Survey(
            n_rows=n_rows, n_shards=n_shards, n_faults=n_faults, digest=digest.hexdigest()
        )


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


SUSPECT_SHARD_ROWS = 64
"""Suspects of a shard: each takes up to a second, and a stop should cost little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectRow(Row):
    """One suspect; it has no id where it has a fault.

    Attributes
    ----------
    text : str
    """

    text: str

    @property
    def length(self) -> int:
        """Its characters."""
        return len(self.text)

    @property
    def content(self) -> list[object]:
        """What it holds."""
        return [self.id, self.text, self.fault]


@dataclass(frozen=True, kw_only=True)
class SuspectTable(Table[SuspectRow]):
    """Files of suspects.

    Attributes
    ----------
    files : tuple of str
        See `read_articles`; standard input cannot be gone through twice, so it is refused.
    folder : Path
        Where paths that are not absolute begin.
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
        """What it is called."""
        first, more = Path(self.files[0]).name, len(self.files) - 1
        return f"{first} and {more} more" if more else first

    def rows(self) -> Iterator[SuspectRow]:
        """Yield the suspects; what is none has a fault."""
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
