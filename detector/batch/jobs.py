"""A table's rows in the shards that they are done in, in constant memory.

Which rows a shard holds follows from the table alone, so it is the same for any number of workers
and after a stop. What a row holds is its table's matter; nothing is read from a disk here.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from detector.errors import InputError

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
