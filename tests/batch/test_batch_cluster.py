"""The same batch on Ray: on two nodes, one of which is killed on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from support.fake_scoring import FakeMatching, FakeScoring
from support.fakes import FakeEncoder

from detector.archive.archive import Archive
from detector.archive.articles import Article
from detector.batch.inputs import PairTable, SuspectTable
from detector.batch.ray import RayEngine
from detector.batch.run import LocalEngine, run
from detector.errors import InputError, MissingExtra

ARTICLES = {
    "harbour": "The harbour was closed. Two cranes broke in the storm.",
    "bees": "Bees fly far. They come home at night.",
}


@pytest.mark.cluster
def test_batch_and_match_on_a_cluster_that_loses_a_node_have_every_row(tmp_path: Path) -> None:
    pytest.importorskip("lancedb")
    copies = [f"Copy {i}." if i % 97 else "unusable" for i in range(1000)]
    suspects = [*ARTICLES.values(), "Quarks whirl.", " "] * 10
    for name, columns in (
        ("pairs", {"source": "Source.", "copy": copies}),
        ("suspects", {"id": [f"s{i}" for i in range(len(suspects))], "text": suspects}),
    ):
        pd.DataFrame(columns).to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True)
    Archive(tmp_path / "archive", encoder=FakeEncoder()).add(
        Article(id=name, text=text) for name, text in ARTICLES.items()
    )
    tests = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "support.cluster_process", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])},
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "matched 40 suspects, 10 errors, on 2 nodes" in done.stdout
    assert "killed True, 1000 rows, 11 errors" in done.stdout
    assert len(list((tmp_path / "scoring").iterdir())) == 2  # both had loaded it before

    scoring, pairs = FakeScoring(), PairTable(path=tmp_path / "pairs.jsonl", shard_rows=10)
    matching = FakeMatching(archive=str(tmp_path / "archive"))
    files = SuspectTable(files=("suspects.jsonl",), folder=tmp_path, shard_rows=5)
    for task, table, name in ((scoring, pairs, "scored"), (matching, files, "matched")):
        with LocalEngine(task, workers=1) as engine:
            run(table, engine, tables=task.tables, out=tmp_path / name)
        for part in task.tables:
            by_ray, here = (pd.read_parquet(tmp_path / by / part) for by in (f"ray_{name}", name))
            pd.testing.assert_frame_equal(by_ray, here, atol=1e-5)


def test_batch_without_ray_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"roundtrip-detector\[cluster\]"):
        RayEngine(FakeScoring())


def test_batch_on_a_cluster_refuses_what_cannot_be() -> None:
    with pytest.raises(InputError, match="0 workers do nothing"):
        RayEngine(FakeScoring(), workers=0)
