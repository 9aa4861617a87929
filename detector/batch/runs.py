"""A whole batch: a table surveyed, an output taken up, an engine run, every row accounted for.

This room conducts; it knows no form of a table, no file's layout and no kind of worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from detector.batch.jobs import Job, Row, Table
from detector.batch.shards import Header, Output
from detector.batch.work import Done
from detector.errors import InputError


class Engine(Protocol):
    """Workers that do shards, on this machine or on others."""

    def signature(self) -> str:
        """Return what produces the tables."""
        ...

    def run(self, jobs: Iterable[Job[Any]]) -> Iterator[Done]:
        """Yield finished shards in any order, each once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs(Iterable[Job[Row]]):
    """The shards of a table that are still to be done; can be gone through again, elsewhere."""

    table: Table[Any]
    done: frozenset[int] = frozenset()

    def __iter__(self) -> Iterator[Job[Row]]:
        """Yield them in order."""
        return self.table.jobs(done=self.done)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a batch is: rows finished before this run, and in all; error rows so far."""

    n_before: int
    n_done: int
    n_rows: int
    n_errors: int
    damaged: tuple[str, ...]


def run(  # noqa: PLR0913 - options of a front door, each by its name
    table: Table[Any],
    engine: Engine,
    *,
    tables: Iterable[str],
    out: Path,
    strict: bool = False,
    restart: bool = False,
    progress: Callable[[Progress], object] = lambda _: None,
) -> Progress:
    """Do a table's rows into a folder; go on where an earlier run on it was stopped.

    Parameters
    ----------
    table : Table
    engine : Engine
    tables : iterable of str
        Names of the tables that the engine's task makes.
    out : Path
        Folder to write to: for each table a folder of Parquet files, and `manifest.jsonl`.
    strict : bool
        Whether to stop at a row that cannot be done, instead of writing an error row.
    restart : bool
        Whether to delete what `out` holds of an earlier batch.
    progress : callable
        Told at the start and after each shard.

    Returns
    -------
    Progress
        At the end.

    Raises
    ------
    InputError
        When the table cannot be read, `out` cannot be written to, is in use or holds a batch of
        other rows or another model; by `strict`, at the first row that cannot be done.
    """
    with Output(out) as output:
        survey = table.survey(strict=strict)
        output.begin(
            Header(
                input=table.name,
                n_rows=survey.n_rows,
                n_shards=survey.n_shards,
                digest=survey.digest,
                shard_rows=table.shard_rows,
                tables=tuple(tables),
                signature=engine.signature(),
            ),
            restart=restart,
        )
        before = output.n_rows
        if strict and output.n_errors:
            msg = (
                f"{out}: an earlier run wrote {output.n_errors} error rows there; go on without "
                "--strict, or mend them and begin anew with --restart"
            )
            raise InputError(msg)

        def now() -> Progress:
            return Progress(
                n_before=before,
                n_done=output.n_rows,
                n_rows=survey.n_rows,
                n_errors=output.n_errors,
                damaged=output.damaged,
            )

        progress(now())
        if len(output.done) < survey.n_shards:
            for done in engine.run(Jobs(table=table, done=output.done)):
                if strict and done.first_error is not None:
                    raise InputError(done.first_error)
                output.write(done)
                progress(now())
        output.finish()
        return now()
