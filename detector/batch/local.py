"""Run a batch with worker processes of this machine, each of which loads its models once.

A worker ends when the process that started it does, however that ended.
"""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Self, TypeVar

from detector.batch.inputs import Shard
from detector.batch.tasks import RESUME_HINT, ShardResult, Task, Worker
from detector.errors import DetectorError, InputError

T = TypeVar("T")
_SHARDS_PER_WORKER = 2  # submitted at a time, so that no worker waits for the next


class LocalEngine:
    """Worker processes; use it in a `with`.

    Parameters
    ----------
    task : Task
    workers : int, optional
        Processes, each with one thread; by default one for each core that this process may use.

    Notes
    -----
    The processes are spawned, so a script uses this under `if __name__ == "__main__":`.
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
        """Yield the results of shards in the order in which they are finished.

        Shards are taken as workers become free, so memory does not grow with their number. A
        worker that died or cannot load its models is a `DetectorError`.
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
