"""Whole batches in real processes, with a scorer that needs no model: every row exactly once."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from support.fake_scoring import FakeScoring

from detector.batch.inputs import PairTable
from detector.batch.run import LocalEngine, Progress, run
from detector.errors import BundleError, InputError

TESTS = Path(__file__).resolve().parents[1]
PYTHONPATH = os.pathsep.join([str(TESTS.parent), str(TESTS)])


def write(path: Path, copies: list[str]) -> PairTable:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "source", "copy"])
        rows.writerows([f"n{i}", f"Source {i}.", copy] for i, copy in enumerate(copies))
    return PairTable(path=path, shard_rows=4)


def go(table: PairTable, out: Path, *, workers: int = 1, **options: object) -> Progress:
    task = FakeScoring(threshold=options.pop("version", None))  # type: ignore[arg-type]
    with LocalEngine(task, workers=workers) as engine:
        return run(table, engine, tables=task.tables, out=out, **options)  # type: ignore[arg-type]


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {".lock", ".lock.pid"}
    }


@pytest.mark.slow
def test_batch_gives_a_row_for_each_pair_and_the_reason_where_there_is_none(
    tmp_path: Path,
) -> None:
    copies = ["One.", "unusable", "", "unforeseen", "Five.", "Six."]
    reported: list[Progress] = []
    end = go(write(tmp_path / "a.csv", copies), tmp_path / "out", progress=reported.append)
    assert (end.n_rows, end.n_done, end.n_errors, end.n_before) == (6, 6, 3, 0)
    assert [now.n_done for now in reported] == [0, 4, 6]
    pairs = pd.read_parquet(tmp_path / "out" / "pairs")
    assert list(pairs["pair_index"]) == list(range(6))
    assert list(pairs["id"]) == [f"n{i}" for i in range(6)]
    errors = dict(zip(pairs["pair_index"], pairs["error"], strict=True))
    assert {i for i, error in errors.items() if isinstance(error, str)} == {1, 2, 3}
    assert "holds no sentence" in errors[1]
    assert "copy is blank; give a text" in errors[2]
    assert "ZeroDivisionError: nobody thought of this" in errors[3]
    sentences = pq.read_table(tmp_path / "out" / "sentences").to_pylist()
    assert [(row["pair_index"], row["copy_text"]) for row in sentences] == [
        (0, "One."),
        (4, "Five."),
        (5, "Six."),
    ]


@pytest.mark.slow
def test_batch_has_the_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", [f"Copy {i}." for i in range(30)])
    for workers in (1, 3):
        go(table, tmp_path / f"out{workers}", workers=workers)
    assert files(tmp_path / "out1") == files(tmp_path / "out3")
    assert len(files(tmp_path / "out1")) == 2 * 8 + 1


@pytest.mark.slow
def test_batch_by_strict_stops_and_keeps_what_was_finished(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", [*("Fine.",) * 5, "unusable", "Fine."])
    with pytest.raises(InputError, match=r"a\.csv, row 6 \(line 7\): .*holds no sentence"):
        go(table, tmp_path / "out", strict=True)
    assert [p.name for p in (tmp_path / "out" / "pairs").iterdir()] == ["000000.parquet"]
    assert go(table, tmp_path / "out").n_before == 4
    with pytest.raises(InputError, match="an earlier run wrote 1 error rows"):
        go(table, tmp_path / "out", strict=True)


@pytest.mark.slow
def test_batch_does_nothing_twice_and_refuses_another_model_or_table(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", ["Copy."] * 6)
    go(table, tmp_path / "out")
    before = files(tmp_path / "out")
    assert go(table, tmp_path / "out").n_before == 6
    with pytest.raises(InputError, match=r"fake None.*now it is detector fake 0\.3"):
        go(table, tmp_path / "out", version=0.3)
    with pytest.raises(InputError, match="other rows"):
        go(write(tmp_path / "b.csv", ["Copy!"] * 6), tmp_path / "out")
    with pytest.raises(BundleError, match="no bundle here"):
        go(table, tmp_path / "out", version=0.0, restart=True)
    assert files(tmp_path / "out") == before
    assert go(table, tmp_path / "out", version=0.3, restart=True).n_before == 0
    assert files(tmp_path / "out") != before


def command(table: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "support.batch_process", "batch", str(table), "-o", str(out)]


def start(table: Path, out: Path, pause: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command(table, out), "--workers", "2", "--shard-rows", "4"],
        env={**os.environ, "PAUSE": str(pause), "PYTHONPATH": PYTHONPATH},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@pytest.mark.slow
def test_batch_killed_at_any_moment_ends_with_the_rows_of_an_unbroken_run(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", [f"Copy {i}." for i in range(120)])
    go(table, tmp_path / "unbroken", workers=2)
    out, generator = tmp_path / "out", random.Random(0)
    kills, seen = 0, set()
    while kills < 4:
        with start(table.path, out, 0.03) as process:
            # Wait until it has done something new, so that each kill falls within the work.
            pairs = out / "pairs"
            while process.poll() is None:
                held = {path.name for path in pairs.glob("*.parquet")} if pairs.is_dir() else set()
                if held - seen:
                    break
                time.sleep(0.01)
            time.sleep(generator.uniform(0.0, 0.2))
            assert process.poll() is None, process.communicate()
            process.send_signal(signal.SIGKILL)
            process.wait()
            seen |= held
            kills += 1
    with start(table.path, out, 0.0) as process:
        printed, log = process.communicate()
    assert process.returncode == 0, log
    assert "120 pairs, 0 of them with an error" in printed
    assert "going on after" in log
    assert files(out) == files(tmp_path / "unbroken")
    index = pd.read_parquet(out / "pairs")["pair_index"]
    assert list(index) == list(range(120))


@pytest.mark.slow
def test_batch_two_runs_at_once_on_one_folder(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", [f"Copy {i}." for i in range(20)])
    with start(table.path, tmp_path / "out", 3600) as first:  # it ends when it is told to
        while not (tmp_path / "out" / "manifest.jsonl").exists():
            time.sleep(0.05)
        with start(table.path, tmp_path / "out", 0.0) as second:
            _, log = second.communicate()
        assert second.returncode == 2
        assert f"another run writes there (process {first.pid})" in log
        first.send_signal(signal.SIGTERM)
        _, log = first.communicate()
    assert first.returncode == 130
    assert log == "detector: interrupted\n"
    assert go(table, tmp_path / "out").n_rows == 20
    assert len(pd.read_parquet(tmp_path / "out" / "pairs")) == 20


@pytest.mark.slow
def test_batch_reports_that_a_worker_died_and_goes_on_the_next_time(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", [f"Copy {i}." for i in range(40)])
    with start(table.path, tmp_path / "out", 0.1) as process:
        while not list((tmp_path / "out").glob("pairs/*.parquet")):
            time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        spawned = [
            int(child)
            for child in children.read_text().split()
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
        os.kill(spawned[0], signal.SIGKILL)
        _, log = process.communicate()
    assert process.returncode == 2
    assert "a worker process died, perhaps for want of memory" in log
    assert go(table, tmp_path / "out").n_before >= 4
    assert len(pd.read_parquet(tmp_path / "out" / "pairs")) == 40


@pytest.mark.slow
def test_batch_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", [f"Copy {i}." for i in range(400)])
    with start(table.path, tmp_path / "out", 0.1) as process:
        while not list((tmp_path / "out").glob("pairs/*.parquet")):
            time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        spawned = [Path(f"/proc/{child}") for child in children.read_text().split()]
        assert len(spawned) >= 2
        process.kill()
        process.wait()
    for _ in range(200):
        if not any(_lives(child) for child in spawned):
            break
        time.sleep(0.05)
    assert not any(_lives(child) for child in spawned)


def _lives(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
