"""Suspects matched and pairs scored on a real Ray of two nodes, one of which is then killed."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from ray.cluster_utils import Cluster
from support.fake_scoring import FakeMatching, FakeScoring

from detector.batch.inputs import PairTable, SuspectTable
from detector.batch.ray import RayEngine
from detector.batch.run import Progress, run
from detector.batch.tasks import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedScoring(FakeScoring):
    """Leaves a file named for each node that it was loaded on."""

    notes: Path

    def load(self) -> Worker:
        (self.notes / ray.get_runtime_context().get_node_id()).touch()
        return FakeScoring.load(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedMatching(FakeMatching):
    """Likewise."""

    notes: Path

    def load(self) -> Worker:
        (self.notes / ray.get_runtime_context().get_node_id()).touch()
        return FakeMatching.load(self)


def match(address: str, folder: Path) -> None:
    """Match the suspects of a folder with its archive."""
    notes = folder / "matching"
    notes.mkdir()
    task = NotedMatching(archive=str(folder / "archive"), notes=notes, pause=0.05)
    table = SuspectTable(files=("suspects.jsonl",), folder=folder, shard_rows=5)
    with RayEngine(task, address=address) as engine:
        end = run(table, engine, tables=task.tables, out=folder / "ray_matched")
    nodes = len(list(notes.iterdir()))
    print(f"matched {end.n_done} suspects, {end.n_errors} errors, on {nodes} nodes")


def score(cluster: Cluster, other: object, folder: Path) -> None:
    """Score the pairs of a folder, and kill the other node once both are at work."""
    notes = folder / "scoring"
    notes.mkdir()
    task = NotedScoring(pause=0.01, notes=notes)
    killed = False

    def progress(now: Progress) -> None:
        nonlocal killed
        both = len(list(notes.iterdir())) == 2
        if not killed and both and now.n_done < now.n_rows:
            cluster.remove_node(other, allow_graceful=False)
            killed = True
            print(f"killed a node after {now.n_done} of {now.n_rows}", flush=True)

    table = PairTable(path=folder / "pairs.jsonl", shard_rows=10)
    with RayEngine(task, address=cluster.address) as engine:
        assert engine.workers == 2
        end = run(table, engine, tables=task.tables, out=folder / "ray_scored", progress=progress)
    print(f"killed {killed}, {end.n_done} rows, {end.n_errors} errors")


def main(folder: Path) -> None:
    temporary = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # sockets want a short path
    Path(temporary, "ray").mkdir()
    os.environ["RAY_TMPDIR"] = temporary  # where Ray leaves the address, too
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
        match(cluster.address, folder)
        score(cluster, other, folder)
    finally:
        ray.shutdown()
        cluster.shutdown()
        shutil.rmtree(temporary, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
