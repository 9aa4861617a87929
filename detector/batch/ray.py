"""Run a batch on a Ray cluster.

Shards go to a pool of actors, each of which loads its models once; results are written here. Ray
repeats what was lost with a node.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from detector.batch.inputs import Shard
from detector.batch.tasks import RESUME_HINT, ShardResult, Task, Worker
from detector.errors import DetectorError, InputError, MissingExtra

_BLOCK = 1 << 16  # bytes of a block, small so that one or a few shards are in it


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
        import ray

        resources = ray.cluster_resources()
        gpus, cores = int(resources.get("GPU", 0)), int(resources.get("CPU", 1))
        self.workers = workers or max(1, gpus or cores)
        self._task = task.on("cuda") if gpus else task
        # What an actor reserves; no graphics card is asked for where there is none.
        self._reserved = {"num_cpus": 1, **({"num_gpus": 1} if gpus else {})}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._owned:
            import ray

            ray.shutdown()

    def signature(self) -> str:
        """Return what produces the tables, as a worker reports it."""
        import ray

        remote = ray.remote(_signature).options(**self._reserved)
        return str(_translate_errors(lambda: ray.get(remote.remote(self._task))))

    def run(self, shards: Iterable[Shard]) -> Iterator[ShardResult]:
        """Yield the results of shards as they finish; a lost cluster is a `DetectorError`."""
        rows = iter(self._dataset(shards).iter_rows())
        while (row := _translate_errors(lambda: next(rows, None))) is not None:
            yield row["result"]

    def _dataset(self, shards: Iterable[Shard]) -> Any:  # noqa: ANN401 - ray is loaded lazily
        import ray
        from ray.data import ActorPoolStrategy, DataContext
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        pool = ActorPoolStrategy(min_size=1, max_size=self.workers, initial_size=self.workers)
        context = DataContext.get_current().copy()
        context.target_max_block_size = _BLOCK
        context.enable_progress_bars = context.print_on_execution_start = False
        with DataContext.current(context):
            dataset = ray.data.from_items([{"start": 0}]).map_batches(
                _read,
                fn_kwargs={"shards": shards},
                num_cpus=0,
                ray_remote_args_fn=lambda: {"scheduling_strategy": here},
            )
            return dataset.map_batches(
                _Actor,
                fn_constructor_kwargs={"task": self._task},
                batch_size=1,
                compute=pool,
                **self._reserved,
            )


class _Actor:
    """Holds the worker of one actor."""

    def __init__(self, task: Task) -> None:
        self._worker: Worker = task.load()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"result": _column(self._worker(shard) for shard in batch["shard"])}


def _read(batch: dict[str, Any], shards: Iterable[Shard]) -> Iterator[dict[str, Any]]:
    for _ in batch["start"]:
        for shard in shards:
            yield {"shard": _column([shard])}


def _column(values: Iterable[object]) -> Any:  # noqa: ANN401 - numpy would look into the records
    import numpy as np

    items = list(values)
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column


def _signature(task: Task) -> str:
    return task.load().signature


def _join(address: str | None) -> bool:
    """Join a cluster or start one; return whether we started or joined it, and shut it down."""
    # Before Ray is imported, which would otherwise send usage statistics.
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


def _translate_errors(call: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever Ray returns
    """Return the result of a call; turn Ray's errors into ours."""
    import ray

    try:
        return call()
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
            f"the cluster failed ({type(err).__name__}: {str(err).splitlines()[0]}); {RESUME_HINT}"
        )
        raise DetectorError(msg) from err
