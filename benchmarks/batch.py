"""Measure what a batch costs beyond encoding: rates with the same workers, tables, memory.

    python benchmarks/batch.py [--pairs 300] [--workers 2] [--memory 2000]

Documents of consecutive lines of wmt14_15_18_rt (DETECTOR_SHARED) go through the same engine three
times: encoded only, scored without the tagger, and scored with it. `--memory N` runs the command on
N and on four times N short pairs and prints the peak memory of all its processes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from detector.batch.inputs import Row, Shard
from detector.batch.run import LocalEngine
from detector.batch.tasks import Scoring, ShardResult, Worker
from detector.encoder import Encoder, MiniLMEncoder
from detector.errors import DetectorWarning
from detector.text.sentences import split

Pair = tuple[str, str]


class EncodingWorker:
    """Splits and encodes the texts of a shard, and nothing else."""

    signature = "encoding alone"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def __call__(self, shard: Shard) -> ShardResult:
        """Encode what a scorer would."""
        sides = [str(text) for row in shard.rows for text in row.texts]
        texts = [text for side in sides for text in split(side).texts]
        self._encoder.encode(list(dict.fromkeys(texts)))
        return ShardResult(
            shard=shard.index,
            n_rows=len(shard.rows),
            n_errors=0,
            first_error=None,
            signature=self.signature,
            tables={},
        )


@dataclass(frozen=True)
class Encoding:
    """The task of encoding."""

    tables: tuple[str, ...] = ()

    def load(self) -> Worker:
        """Load the encoder that a scorer would."""
        return EncodingWorker(MiniLMEncoder(threads=1))


def documents(n: int, size: int, *, skip: int = 0) -> list[Pair]:
    """Return n pairs of documents of so many consecutive lines."""
    folder = os.environ.get("DETECTOR_SHARED")
    if folder is None:
        sys.exit("skipped: DETECTOR_SHARED names no folder of corpora")
    table = pd.read_parquet(Path(folder) / "data" / "wmt14_15_18_rt.parquet")
    sides = [table[side].tolist() for side in ("orig_en", "back_en")]

    def lines(side: list[str], i: int) -> str:
        return "\n".join(side[(skip + i * size + j) % len(side)] for j in range(size))

    return [(lines(sides[0], i), lines(sides[1], i)) for i in range(n)]


def shards_of(pairs: list[Pair], n_rows: int) -> list[Shard]:
    rows = [Row(index=i, place=f"row {i + 1}", id=None, texts=pair) for i, pair in enumerate(pairs)]
    return [
        Shard(index=i // n_rows, rows=tuple(rows[i : i + n_rows]))
        for i in range(0, len(rows), n_rows)
    ]


def rates(pairs: list[Pair], workers: int, rounds: int) -> None:
    """Print rates through the engine, and their share of the rate of encoding alone."""
    tasks = {
        "encoding alone": Encoding(),
        "without tagger": Scoring(tagger=None),
        "with tagger": Scoring(),
    }
    shards = shards_of(pairs, max(1, len(pairs) // (workers * 8)))
    took: dict[str, list[float]] = {name: [] for name in tasks}
    engines = {name: LocalEngine(task, workers=workers) for name, task in tasks.items()}
    for engine in engines.values():
        list(engine.run(shards[: 2 * workers]))  # loads in every worker
    for _ in range(rounds):
        for name, engine in engines.items():
            began = time.perf_counter()
            list(engine.run(shards))
            took[name].append(time.perf_counter() - began)
    for name, engine in engines.items():
        engine.__exit__(None, None, None)
        rate = len(pairs) / statistics.median(took[name])
        shares = sorted(a / b for a, b in zip(took["encoding alone"], took[name], strict=True))
        print(
            f"  {name:<16}{rate:>8.1f} pairs/s   of encoding alone "
            f"{statistics.median(shares):.2f} ({shares[0]:.2f} to {shares[-1]:.2f})"
        )


def table_cost(pairs: list[Pair], rounds: int) -> None:
    """Print what the Parquet tables cost beside the scorer."""
    worker = Scoring(tagger=None).load()
    [shard] = shards_of(pairs, len(pairs))
    scorer = worker._scorer  # type: ignore[attr-defined]
    list(scorer.score_pairs(pairs[:4]))
    ratios = []
    for _ in range(rounds):
        began = time.process_time()
        list(scorer.score_pairs(pairs))
        alone = time.process_time() - began
        began = time.process_time()
        worker(shard)
        ratios.append((time.process_time() - began) / alone)
    ratios.sort()
    print(
        f"  a shard with its tables / its reports alone (no tagger, processor time): "
        f"{statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
    )


def memory(n: int, workers: int) -> None:
    """Print the peak memory of the command and its workers on n and 4 n short pairs."""
    with tempfile.TemporaryDirectory() as folder:
        for count in (n, 4 * n):
            table = Path(folder) / f"{count}.csv"
            texts = (
                (f"Ann counted {i} ships.", f"Ann has counted {i} boats.") for i in range(count)
            )
            pd.DataFrame(texts, columns=["source", "copy"]).to_csv(table, index=False)
            command = [sys.executable, "-m", "detector", "batch", str(table), "--no-tagger"]
            command += ["-o", str(Path(folder) / f"out{count}"), "--workers", str(workers)]
            began = time.perf_counter()
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
                peak = largest = 0
                while process.poll() is None:
                    held = proportional(process.pid)
                    peak, largest = max(peak, sum(held)), max(largest, *held, 0)
                    time.sleep(0.25)
            if process.returncode:
                sys.exit(f"the command ended with {process.returncode}")
            took = time.perf_counter() - began
            print(
                f"  {count:>7} pairs, {workers} workers: {peak >> 20} MiB in all, "
                f"{largest >> 20} MiB the largest process, {took:.0f} s"
            )


def proportional(pid: int) -> list[int]:
    """Return the proportional set sizes of a process and its children, in bytes."""
    held = []
    for one in (pid, *children(pid)):
        try:
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    held.append(int(line.split()[1]) << 10)
        except OSError:
            continue
    return held


def children(pid: int) -> list[int]:
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=300, help="of one sentence each")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, default=0, help="short pairs of the smaller run")
    options = parser.parse_args()
    warnings.simplefilter("ignore", DetectorWarning)
    for size in (1, 12):
        pairs = documents(max(16, options.pairs // size), size, skip=500)
        print(f"{len(pairs)} pairs of {size} lines, {options.workers} workers of one thread")
        rates(pairs, options.workers, options.rounds)
        table_cost(pairs[: max(8, 100 // size)], options.rounds)
    if options.memory:
        print("memory (proportional set size, short pairs, no tagger)")
        memory(options.memory, options.workers)


if __name__ == "__main__":
    main()
