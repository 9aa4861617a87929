"""Run a batch: survey the inputs, resume an output, run an engine, account for every row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from detector.batch.inputs import Shard, Table
from detector.batch.manifest import Header, Output
from detector.batch.tasks import ShardResult
from detector.errors import InputError


class Engine(Protocol):
    """Workers that process shards, on this machine or on others."""

    def signature(self) -> str:
        """Return what produces the tables."""
        ...

    def run(self, shards: Iterable[Shard]) -> Iterator[ShardResult]:
        """Yield the results of shards in any order, each once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingShards(Iterable[Shard]):
    """The shards of a table that are not done; can be pickled and iterated again."""

    table: Table
    done: frozenset[int] = frozenset()

    def __iter__(self) -> Iterator[Shard]:
        """Yield them in order."""
        return self.table.shards(done=self.done)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Rows finished before this run, so far, and in all; error rows so far.

    `damaged` are files that were damaged or missing, and whose shards are processed again.
    """

    n_before: int
    n_done: int
    n_rows: int
    n_errors: int
    damaged: tuple[str, ...]


def run(  # noqa: PLR0913 - options of a front door, each by its name
    table: Table,
    engine: Engine,
    *,
    tables: Iterable[str],
    out: Path,
    strict: bool = False,
    restart: bool = False,
    progress: Callable[[Progress], object] = lambda _: None,
) -> Progress:
    """Process a table into a folder, or continue an earlier run on it.

    Parameters
    ----------
    table : Table
    engine : Engine
    tables : iterable of str
        Names of the tables that the engine's task makes.
    out : Path
        Folder to write to: for each table a folder of Parquet files, and `manifest.jsonl`.
    strict : bool
        Whether to stop at a row that cannot be processed, instead of writing an error row.
    restart : bool
        Whether to delete what `out` holds of an earlier batch.
    progress : callable
        Called at the start and after each shard.

    Raises
    ------
    InputError
        When the table cannot be read, or `out` cannot be written to, is in use or holds a batch
        of other rows or another model; with `strict`, at the first row that cannot be processed.
    """
    with Output(out) as output:
        survey = table.survey(strict=strict)
        header = Header(
            input=table.name,
            n_rows=survey.n_rows,
            n_shards=survey.n_shards,
            digest=survey.digest,
            shard_rows=table.shard_rows,
            tables=tuple(tables),
            signature=engine.signature(),
        )
        output.begin(header, restart=restart)
        n_before = output.n_rows
        if strict and output.n_errors:
            msg = (
                f"{out}: an earlier run wrote {output.n_errors} error rows there; go on without "
                "--strict, or mend them and begin anew with --restart"
            )
            raise InputError(msg)

        def now() -> Progress:
            return Progress(
                n_before=n_before,
                n_done=output.n_rows,
                n_rows=survey.n_rows,
                n_errors=output.n_errors,
                damaged=output.damaged,
            )

        progress(now())
        if len(output.done) < survey.n_shards:
            for result in engine.run(PendingShards(table=table, done=output.done)):
                if strict and result.first_error is not None:
                    raise InputError(result.first_error)
                output.write(result)
                progress(now())
        output.finish()
        return now()
