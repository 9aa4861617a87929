"""Run a batch: survey the inputs, resume an output, run an engine, account for every row.

A worker ends when the process that started it does, however that ended.
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
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol, Self, TypeVar

from detector.batch.inputs import Shard, Table
from detector.batch.manifest import Header, Output
from detector.batch.tasks import RESUME_HINT, ShardResult, Task, Worker
from detector.errors import DetectorError, InputError

T = TypeVar("T")
_SHARDS_PER_WORKER = 2  # submitted at a time, so that no worker waits for the next


class LocalEngine:
    """Worker processes with one thread each, by default one for each core; use it in a `with`.

    They are spawned, so a script uses this under `if __name__ == "__main__":`.
    """

    def __init__(self, task: Task, *, workers: int | None = None) -> None:
        self.workers = _cores() if workers is None else workers
        if self.workers < 1:
            msg = f"{workers} workers do nothing; give 1 or more"
            raise InputError(msg)
        context = get_context("spawn")
        # The workers end when the sending end is closed, by us or by the end of this process.
        self._receiver, self._sender = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            self.workers, mp_context=context, initializer=_start, initargs=(task, self._receiver)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._sender.close()  # stops the workers where they are
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._sender.close()
        self._receiver.close()

    def signature(self) -> str:
        """Return what produces the tables, as a worker reports it."""
        return _result(self._pool.submit(_signature))

    def run(self, shards: Iterable[Shard]) -> Iterator[ShardResult]:
        """Yield the results of shards as they finish; a worker that died is a `DetectorError`.

        Shards are taken as workers become free, so memory does not grow with their number.
        """
        pending: set[Future[ShardResult]] = set()
        for shard in shards:
            pending.add(self._pool.submit(_process, shard))
            if len(pending) >= _SHARDS_PER_WORKER * self.workers:
                ready, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from map(_result, ready)
        while pending:
            ready, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from map(_result, ready)


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenProcessPool as err:
        msg = (
            f"a worker process died, perhaps for want of memory; {RESUME_HINT}, with fewer "
            "--workers"
        )
        raise DetectorError(msg) from err


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


_task: Task  # of a worker process, set at its start


def _start(task: Task, parent: Connection) -> None:
    global _task
    _task = task
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides
    warnings.simplefilter("ignore")  # a report holds the same facts
    threading.Thread(target=_exit_with, args=(parent,), daemon=True).start()


def _exit_with(parent: Connection) -> None:
    try:
        parent.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


@cache
def _worker() -> Worker:
    return _task.load()


def _signature() -> str:
    return _worker().signature


def _process(shard: Shard) -> ShardResult:
    return _worker()(shard)


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

    `tables` are the names that the engine's task makes: each becomes a folder of Parquet files in
    `out`, beside `manifest.jsonl`. `strict` stops at a row that cannot be processed, instead of
    writing an error row; `restart` deletes an earlier batch. `progress` is called at the start and
    after each shard.

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
