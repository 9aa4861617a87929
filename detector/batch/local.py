"""Shards by worker processes of this machine, each of which loads its models once.

A worker ends when the process that started it does, however that ended. What a shard is and where
it goes is for others.
"""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self, TypeVar

from detector.batch.jobs import Job
from detector.batch.work import Done, Task, Work
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
