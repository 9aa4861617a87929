"""Run a batch: survey the inputs, resume an output, run an engine, account for every row.

Shards by worker processes of this machine, each of which loads its models once.

A worker ends when the process that started it does, however that ended. What a shard is and where
it goes is for others.

A whole batch: a table surveyed, an output taken up, an engine run, every row accounted for.

This room conducts; it knows no form of a table, no file's layout and no kind of worker.
"""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from detector.batch.inputs import Job, Row, Table
from detector.batch.manifest import Header, Output
from detector.batch.tasks import Done, Task, Work
from detector.errors import DetectorError, InputError

T = TypeVar("T")
_WAITING = 2  # shards in hand for each worker, so that none waits for the next


class LocalEngine:
    """Worker processes; use it in a `with`.

    Parameters
    ----------
    task : Task
    workers : int, optional
        Processes, each with one thread; by default one for each core that this process may use.

    Notes
    -----
    The processes are spawned, so a script that uses this does so under `if __name__ ==
    "__main__":`.
    """

    def __init__(self, task: Task, *, workers: int | None = None) -> None:
        self.workers = _cores() if workers is None else workers
        if self.workers < 1:
            msg = f"{workers} workers do nothing; give 1 or more"
            raise InputError(msg)
        context = get_context("spawn")
        ours, self._alive = context.Pipe(duplex=False)
        self._ours = ours
        self._pool = ProcessPoolExecutor(
            self.workers, mp_context=context, initializer=_start, initargs=(task, ours)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._alive.close()  # stops the workers where they are
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._alive.close()
        self._ours.close()

    def signature(self) -> str:
        """Return what produces the tables, as a worker says."""
        return _result(self._pool.submit(_signature))

    def run(self, jobs: Iterable[Job[Any]]) -> Iterator[Done]:
        """Yield finished shards, in the order in which they are finished.

        Parameters
        ----------
        jobs : iterable of Job
            Taken as workers become free, so memory does not grow with their number.

        Yields
        ------
        Done

        Raises
        ------
        DetectorError
            When a worker cannot load its models, or died.
        """
        waiting: set[Future[Done]] = set()
        for job in jobs:
            waiting.add(self._pool.submit(_do, job))
            if len(waiting) >= _WAITING * self.workers:
                ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from map(_result, ready)
        while waiting:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from map(_result, ready)


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenProcessPool as err:
        msg = (
            "a worker process died, perhaps for want of memory; what was finished before is kept: "
            "run the same command again to go on, with fewer --workers"
        )
        raise DetectorError(msg) from err


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


# What a worker process holds, from its start to its end.
_task: Task | None = None
_work: Work | None = None


def _start(task: Task, parent: Connection) -> None:
    global _task
    _task = task
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that started it decides
    warnings.simplefilter("ignore")  # a report holds the same facts
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Connection) -> None:
    try:
        parent.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


def _loaded() -> Work:
    global _work
    if _work is None:
        if _task is None:
            msg = "a worker was given no task"
            raise DetectorError(msg)
        _work = _task.load()
    return _work


def _signature() -> str:
    return _loaded().signature


def _do(job: Job[Any]) -> Done:
    return _loaded()(job)


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
