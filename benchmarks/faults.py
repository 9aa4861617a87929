"""Test a batch under faults: kill -9, a full disk, a truncated shard, corrupt rows.

    python benchmarks/faults.py [--kills 20] [--pairs 120]

Every run is a real `python -m detector batch` with the real model, killed at random moments: while
models are loaded, or after a new shard. In the end the folder must hold the bytes of an unbroken
run. Faults that need a mount (full disk, read-only) are skipped without the right to mount.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd


def write(path: Path, n: int) -> Path:
    rows = [(f"n{i}", f"Ann counted {i} ships.", f"Ann has counted {i} boats.") for i in range(n)]
    pd.DataFrame(rows, columns=["id", "source", "copy"]).to_csv(path, index=False)
    return path


def command(table: Path, out: Path, *more: str) -> list[str]:
    first = [sys.executable, "-m", "detector", "batch", str(table), "-o", str(out)]
    return [*first, "--no-tagger", "--shard-rows", "4", "--workers", "1", *more]


def finish(table: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(table, out, *more), capture_output=True, encoding="utf-8", check=False
    )


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def shards(out: Path) -> int:
    return len(list(out.glob("pairs/*.parquet")))


def kills(table: Path, out: Path, wanted: int, seed: int) -> tuple[int, int]:
    """Kill runs until so many were killed; return that, and how many died after a new shard."""
    draw = random.Random(seed)
    killed = within = 0
    while killed < wanted:
        before = shards(out)
        with subprocess.Popen(command(table, out, "--quiet"), stdout=subprocess.PIPE) as process:
            if draw.random() < 0.25:
                time.sleep(draw.uniform(0.0, 6.0))
            else:
                while process.poll() is None and shards(out) <= before:
                    time.sleep(0.005)
                time.sleep(draw.uniform(0.0, 0.3))
            if process.poll() is not None:
                break
            process.kill()
            process.wait()
            killed += 1
            within += shards(out) > before
    return killed, within


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[bool]:
    """Mount a small tmpfs; yield whether that was possible."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        done = False
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", str(folder)], check=True)


def report(what: str, passed: bool, output: str = "") -> bool:
    lines = output.strip().splitlines()
    print(
        f"{'ok  ' if passed else 'FAIL'} {what}{': ' + lines[-1][:160] if lines else ''}",
        flush=True,
    )
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    passed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, whole, out = write(folder / "a.csv", options.pairs), folder / "whole", folder / "out"
        assert finish(table, whole).returncode == 0

        killed, within = kills(table, out, options.kills, options.seed)
        left = options.pairs - len(pd.read_parquet(out / "pairs")) if shards(out) else options.pairs
        done = finish(table, out)
        index = sorted(pd.read_parquet(out / "pairs")["pair_index"])
        passed.append(
            report(
                f"{killed} kills, {within} of them after a new shard, {left} pairs left for the "
                f"last run; {options.pairs - len(set(index))} rows lost, "
                f"{len(index) - len(set(index))} twice; same bytes as unbroken",
                done.returncode == 0
                and killed == options.kills
                and index == list(range(options.pairs))
                and files(out) == files(whole),
            )
        )

        shard = out / "sentences" / "000001.parquet"
        shard.write_bytes(shard.read_bytes()[:-100])
        done = finish(table, out)
        passed.append(report("a truncated shard", files(out) == files(whole), done.stderr))

        first = subprocess.Popen(command(table, folder / "two"), stdout=subprocess.DEVNULL)
        while not (folder / "two" / ".lock").exists():
            time.sleep(0.01)
        time.sleep(0.2)
        done = finish(table, folder / "two")
        first.wait()
        same = files(folder / "two") == files(whole)
        passed.append(report("two runs at once", done.returncode == 2 and same, done.stderr))

        bad = folder / "bad.csv"
        lines = table.read_bytes().splitlines(keepends=True)
        bad.write_bytes(b"".join([*lines[:3], b'n,"a" b,c\n', b"n,\xff\xfe,c\n", *lines[3:]]))
        done = finish(bad, folder / "bad")
        errors = pd.read_parquet(folder / "bad" / "pairs")["error"].notna()
        strict = finish(bad, folder / "strict", "--strict")
        passed.append(
            report(
                "two corrupt rows",
                done.returncode == 0
                and (int(errors.sum()), len(errors)) == (2, options.pairs + 2)
                and strict.returncode == 2,
                strict.stderr,
            )
        )

        with mounted(folder / "small", "size=96k") as possible:
            if possible:
                at = folder / "small" / "out"
                full = finish(table, at)
                held = shards(at)
                subprocess.run(
                    ["mount", "-o", "remount,size=64m", str(folder / "small")], check=True
                )
                done = finish(table, at)
                passed.append(
                    report(
                        f"a full disk after {held} shards",
                        full.returncode == 2 and done.returncode == 0 and files(at) == files(whole),
                        full.stderr,
                    )
                )
                subprocess.run(["mount", "-o", "remount,ro", str(folder / "small")], check=True)
                done = finish(table, at)
                passed.append(report("a read-only folder", done.returncode == 2, done.stderr))
            else:
                print("skipped: a full disk and a read-only folder need the right to mount")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
