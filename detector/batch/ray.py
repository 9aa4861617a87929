"""Run a batch on a Ray cluster.

Shards by Ray Data: the same work on the nodes of a cluster, models loaded once an actor.

The table is read on the node where this runs, its shards go to a pool of actors, and what they
make comes back here to be written. Ray does again what was lost with a node.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from detector.batch.inputs import Job
from detector.batch.tasks import Done, Task, Work
from detector.errors import DetectorError, InputError, MissingExtra

_BLOCK = 1 << 16  # bytes from which shards go out: one or a few at a time


class RayEngine:
    """Actors on a Ray cluster; use it in a `with`.

    Parameters
    ----------
    task : Task
        Where the cluster has graphics cards, its encoder computes on them.
    workers : int, optional
        Actors at most; by default one for each graphics card, or else for each core.
    address : str, optional
        "auto" or HOST:PORT of a running cluster of which this machine is a node; by default Ray
        is started here for as long as this lasts. Ray that the program has started is used.

    Raises
    ------
    MissingExtra
        When Ray is not installed.
    InputError
        When there is no cluster at the address.
    """

    def __init__(
        self, task: Task, *, workers: int | None = None, address: str | None = None
    ) -> None:
        if workers is not None and workers < 1:
            msg = f"{workers} workers do nothing; give 1 or more"
            raise InputError(msg)
        self._owned = _join(address)
        cards, cores = _resources()
        self._cards = cards
        self.workers = workers or max(1, cards or cores)
        self._task = task.on("cuda") if cards else task

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._owned:
            import ray

            ray.shutdown()

    def signature(self) -> str:
        """Return what produces the tables, as a worker says."""
        import ray

        loaded = ray.remote(_signature).options(**self._needs)
        return str(_told(lambda: ray.get(loaded.remote(self._task))))

    def run(self, jobs: Iterable[Job[Any]]) -> Iterator[Done]:
        """Yield finished shards, in the order in which they are finished.

        Parameters
        ----------
        jobs : iterable of Job
            Sent to the task that reads the table, and gone through there.

        Yields
        ------
        Done

        Raises
        ------
        DetectorError
            When a worker cannot load its models, or the cluster is lost.
        """
        rows = iter(self._dataset(jobs).iter_rows())
        while (row := _told(lambda: next(rows, None))) is not None:
            yield row["done"]

    def _dataset(self, jobs: Iterable[Job[Any]]) -> Any:  # noqa: ANN401 - ray is loaded lazily
        import ray
        from ray.data import ActorPoolStrategy, DataContext
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        pool = ActorPoolStrategy(min_size=1, max_size=self.workers, initial_size=self.workers)
        context = DataContext.get_current().copy()
        context.target_max_block_size = _BLOCK
        context.enable_progress_bars = context.print_on_execution_start = False
        with DataContext.current(context):
            shards = ray.data.from_items([{"begin": 0}]).map_batches(
                _read,
                fn_kwargs={"jobs": jobs},
                num_cpus=0,
                ray_remote_args_fn=lambda: {"scheduling_strategy": here},
            )
            return shards.map_batches(
                _Actor,
                fn_constructor_kwargs={"task": self._task},
                batch_size=1,
                compute=pool,
                **self._needs,
            )

    @property
    def _needs(self) -> dict[str, float]:
        """What an actor takes of a node; no card is asked for where there is none."""
        return {"num_cpus": 1, "num_gpus": 1} if self._cards else {"num_cpus": 1}


class _Actor:
    """The work of one actor."""

    def __init__(self, task: Task) -> None:
        self._work: Work = task.load()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"done": _column(self._work(job) for job in batch["job"])}


def _read(batch: dict[str, Any], jobs: Iterable[Job[Any]]) -> Iterator[dict[str, Any]]:
    for _ in batch["begin"]:
        for job in jobs:
            yield {"job": _column([job])}


def _column(values: Iterable[object]) -> Any:  # noqa: ANN401 - numpy would look into the records
    import numpy as np

    held = list(values)
    column = np.empty(len(held), dtype=object)
    column[:] = held
    return column


def _signature(task: Task) -> str:
    return task.load().signature


def _join(address: str | None) -> bool:
    """Join a cluster or start one; return whether it is for us to leave."""
    # Before Ray is imported: it would tell its makers of its use, and this program tells nobody.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as err:
        msg = (
            'Ray is not installed; pip install "roundtrip-detector[cluster]", or leave '
            "--engine ray out to compute on this machine alone"
        )
        raise MissingExtra(msg) from err
    if address is not None and "://" in address:
        msg = (
            f"address {address!r} is that of a Ray client; run this on a node of the cluster, "
            "with auto or HOST:PORT"
        )
        raise InputError(msg)
    if ray.is_initialized():
        return False
    try:
        ray.init(
            address=address or "local",
            include_dashboard=None if address else False,
            log_to_driver=False,
            configure_logging=False,
        )
    except (ConnectionError, RuntimeError, ValueError) as err:
        msg = (
            f"no Ray cluster at {address or 'this machine'} ({str(err).splitlines()[0]}); start "
            "one with `ray start --head`, or leave --address out"
        )
        raise InputError(msg) from err
    return True


def _resources() -> tuple[int, int]:
    """Return how many graphics cards and cores the cluster has."""
    import ray

    known = ray.cluster_resources()
    return int(known.get("GPU", 0)), int(known.get("CPU", 1))


def _told(do: Any) -> Any:  # noqa: ANN401 - a result of Ray's, whatever it is
    """Do something of Ray's, and say in our words what went wrong."""
    import ray

    try:
        return do()
    except ray.exceptions.RayTaskError as err:
        cause = err.cause
        while cause is not None and not isinstance(cause, DetectorError):
            cause = cause.__cause__
        if cause is not None:
            raise cause from err
        msg = f"a worker failed: {str(err).strip().splitlines()[-1]}"
        raise DetectorError(msg) from err
    except ray.exceptions.RayError as err:
        msg = (
            f"the cluster failed ({type(err).__name__}: {str(err).splitlines()[0]}); what was "
            "finished before is kept: run the same command again to go on"
        )
        raise DetectorError(msg) from err
