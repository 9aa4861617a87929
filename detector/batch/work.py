"""What an engine knows of the work: a `Task` that is loaded once, and makes shard after shard.

It scores and matches nothing itself, starts no worker and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from detector.batch.jobs import Job
from detector.batch.tables import Outcome
from detector.errors import DetectorError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished shard.

    Attributes
    ----------
    shard : int
    n_rows, n_errors : int
        Rows of it, and how many of them became an error row.
    first_error : str or None
        The place of the first of these, and its reason.
    signature : str
        What produced it.
    tables : mapping of str to bytes
        A whole Parquet file for each table.
    """

    shard: int
    n_rows: int
    n_errors: int
    first_error: str | None
    signature: str
    tables: Mapping[str, bytes]


class Work(Protocol):
    """Something loaded that turns jobs into finished shards."""

    @property
    def signature(self) -> str:
        """What produces its tables, on one line."""
        ...

    def __call__(self, job: Job[Any]) -> Done:
        """Do one shard."""
        ...


class Task(Protocol):
    """What is sent to a worker, which loads it once; it must be possible to pickle."""

    @property
    def tables(self) -> Sequence[str]:
        """Names of the tables that it makes."""
        ...

    def on(self, device: str) -> Self:
        """Return the same with its encoder on another device, such as "cuda"."""
        ...

    def load(self) -> Work:
        """Load what is needed, in the worker."""
        ...


def finished(
    job: Job[Any],
    outcomes: Iterable[Outcome[Any]],
    *,
    signature: str,
    tables: Mapping[str, bytes],
) -> Done:
    """Count what became of a shard.

    Parameters
    ----------
    job : Job
    outcomes : iterable of Outcome
        One for each row.
    signature : str
    tables : mapping of str to bytes
    """
    told = [
        f"{row.place}: {one.error}"
        for row, one in zip(job.rows, outcomes, strict=True)
        if one.error is not None
    ]
    return Done(
        shard=job.shard,
        n_rows=len(job.rows),
        n_errors=len(told),
        first_error=told[0] if told else None,
        signature=signature,
        tables=tables,
    )


def attempted(do: Callable[[], T], what: str) -> T | str:
    """Do one row; what nobody foresaw in it must not stop the others, and becomes its error.

    Parameters
    ----------
    do : callable
        Errors of ours that it raises are raised: they are not the row's.
    what : str
        What the person is to report, such as "pair".
    """
    try:
        return do()
    except (DetectorError, MemoryError):
        raise
    except Exception as err:  # see above
        return f"cannot be done ({type(err).__name__}: {err}); please report this {what}"
