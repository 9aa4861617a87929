"""The command `detector batch`: arguments that cannot be, and what a whole run prints."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from detector.batch.tasks import Scoring
from detector.cli.main import main

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "example"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], "'0' is not a number of them; give 1 or more"),
        (["--shard-rows", "x"], "'x' is not a number of them"),
        (["--engine", "cloud"], "invalid choice: 'cloud'"),
        (["--address", "auto"], "--address auto is for --engine ray"),
        (["--engine", "ray", "--address", "ray://a:1"], "is that of a Ray client"),
        ([], "pairs.csv: there is no such file"),
    ],
)
def test_batch_command_says_what_is_wrong(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")  # as it would set it, but for this test
    out = tmp_path / "out"
    assert main(["batch", str(tmp_path / "pairs.csv"), "-o", str(out), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_batch_command_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["batch", "--help"]) == 0
    text = capsys.readouterr().out
    for part in ("source_path, copy_path", "--restart", "--address auto", "kill -9"):
        assert part in text


@pytest.mark.model
def test_batch_command_scores_texts_and_files_with_the_real_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "pairs.csv"
    for side in ("source", "copy"):
        text = (EXAMPLE / f"{side}.txt").read_text(encoding="utf-8")
        (tmp_path / f"{side}.txt").write_text(text, encoding="utf-8")
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "source_path", "copy_path"])
        rows.writerow(["example", "source.txt", "copy.txt"])
        rows.writerow(["lost", "source.txt", "none.txt"])
    out = tmp_path / "out"
    assert main(["batch", str(table), "-o", str(out), "--workers", "1", "--no-tagger"]) == 0
    assert f"2 pairs, 1 of them with an error, in {out} (2 scored now)" in capsys.readouterr().out
    pairs = pd.read_parquet(out / "pairs").set_index("id")
    assert "none.txt" in pairs.loc["lost", "error"]
    sentences = pd.read_parquet(out / "sentences")
    assert set(sentences["id"]) == {"example"}
    assert len(sentences) == pairs.loc["example", "n_copy"] > 20
    assert sentences["drift_flag"].sum() == pairs.loc["example", "n_flagged"]


@pytest.mark.model
def test_batch_scoring_loads_one_scorer_that_keeps_to_one_thread() -> None:
    import subprocess
    import sys

    code = (
        "from detector.batch.tasks import Scoring; worker = Scoring(tagger=None).load(); "
        "import torch; from threadpoolctl import threadpool_info; "
        "print(torch.get_num_threads(), {p['num_threads'] for p in threadpool_info()}); "
        "print(worker.signature)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    threads, signature = done.stdout.splitlines()
    assert threads == "1 {1}"
    assert "tagger none" in signature
    assert Scoring().device == "cpu"
