"""A batch on a real Ray of two nodes, one of which is killed on the way: a process of its own."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from fake_scoring import FakeScoring
from ray.cluster_utils import Cluster

from detector.batch.cluster import RayEngine
from detector.batch.pairs import PairTable
from detector.batch.runs import Progress, run
from detector.batch.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedScoring(FakeScoring):
    """Leaves a file named for each node that it was loaded on."""

    notes: Path

    def load(self) -> Work:
        (self.notes / ray.get_runtime_context().get_node_id()).touch()
        return FakeScoring.load(self)


def main(table: Path, out: Path, notes: Path) -> None:
    temporary = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # sockets want a short path
    # A dead node is known as one in seconds, not in half a minute.
    health = {"health_check_period_ms": 1000, "health_check_failure_threshold": 3}
    head = {
        "num_cpus": 1,
        "include_dashboard": False,
        "temp_dir": temporary,
        "_system_config": health,
    }
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        other = cluster.add_node(num_cpus=1)
        task = NotedScoring(pause=0.01, notes=notes)
        killed = False

        def progress(now: Progress) -> None:
            nonlocal killed
            both = len(list(notes.iterdir())) == 2
            if not killed and both and now.n_done < now.n_rows:
                cluster.remove_node(other, allow_graceful=False)
                killed = True
                print(f"killed a node after {now.n_done} of {now.n_rows}", flush=True)

        with RayEngine(task, address=cluster.address) as engine:
            assert engine.workers == 2
            end = run(
                PairTable(path=table, shard_rows=10),
                engine,
                tables=task.tables,
                out=out,
                progress=progress,
            )
        print(f"killed {killed}, {end.n_done} rows, {end.n_errors} errors")
    finally:
        ray.shutdown()
        cluster.shutdown()
        shutil.rmtree(temporary, ignore_errors=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
