"""The same batch on Ray: on two nodes, one of which is killed on the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from fake_scoring import FakeScoring

from detector.batch.cluster import RayEngine
from detector.batch.local import LocalEngine
from detector.batch.pairs import PairTable
from detector.batch.runs import run
from detector.errors import InputError, MissingExtra


@pytest.mark.cluster
def test_batch_on_a_cluster_that_loses_a_node_has_every_row(tmp_path: Path) -> None:
    table, notes = tmp_path / "a.jsonl", tmp_path / "notes"
    copies = [f"Copy {i}." if i % 97 else "unusable" for i in range(1000)]
    frame = pd.DataFrame({"source": "Source.", "copy": copies})
    frame.to_json(table, orient="records", lines=True)
    notes.mkdir()
    script = str(Path(__file__).with_name("cluster_process.py"))
    done = subprocess.run(
        [sys.executable, script, str(table), str(tmp_path / "ray"), str(notes)],
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "killed True, 1000 rows, 11 errors" in done.stdout
    assert len(list(notes.iterdir())) == 2  # both nodes had loaded it before one was killed
    task = FakeScoring()
    with LocalEngine(task, workers=1) as engine:
        pairs = PairTable(path=table, shard_rows=10)
        run(pairs, engine, tables=task.tables, out=tmp_path / "local")
    for name in task.tables:
        by_ray, here = (pd.read_parquet(tmp_path / by / name) for by in ("ray", "local"))
        pd.testing.assert_frame_equal(by_ray, here, atol=1e-5)


def test_batch_without_ray_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"roundtrip-detector\[cluster\]"):
        RayEngine(FakeScoring())


def test_batch_on_a_cluster_refuses_what_cannot_be() -> None:
    with pytest.raises(InputError, match="0 workers do nothing"):
        RayEngine(FakeScoring(), workers=0)
