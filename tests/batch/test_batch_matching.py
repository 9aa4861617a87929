"""Suspects matched in shards: the rows of `match`, by workers, resumed after an interruption."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.fake_scoring import FakeMatching
from support.fakes import FakeEncoder
from support.sample_reports import RELATION

from detector.archive.archive import Archive
from detector.archive.articles import Article
from detector.archive.match import match
from detector.batch.inputs import Shard, SuspectTable
from detector.batch.outputs import CANDIDATES, SENTENCES, SUSPECTS, match_schemas
from detector.batch.run import LocalEngine, run
from detector.batch.tasks import MatchingWorker
from detector.cli.main import main
from detector.errors import InputError

pytest.importorskip("lancedb")

HARBOUR = "The harbour was closed. Two cranes broke in the storm."
BEES = "Bees fly far. They come home at night."


@pytest.fixture
def archive(tmp_path: Path) -> str:
    uri = str(tmp_path / "kept")
    texts = {"harbour": HARBOUR, "bees": BEES}
    Archive(uri, encoder=FakeEncoder()).add(
        Article(id=name, text=text, title=name.title()) for name, text in texts.items()
    )
    return uri


def suspects(folder: Path, texts: list[str], **options: object) -> SuspectTable:
    path = folder / "suspects.jsonl"
    rows = ({"id": f"s{i}", "text": text} for i, text in enumerate(texts))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return SuspectTable(files=("suspects.jsonl",), folder=folder, **options)  # type: ignore[arg-type]


def read(out: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(out / name).to_pylist()
    return rows


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


@pytest.mark.slow
def test_matching_by_workers_gives_the_rows_of_match(archive: str, tmp_path: Path) -> None:
    texts = [BEES, " ", "Quarks whirl. Gluons bind.", HARBOUR, "Unforeseen unforeseen. " + BEES]
    table = suspects(tmp_path, texts, shard_rows=2)
    task = FakeMatching(archive=archive)
    out = tmp_path / "out"
    with LocalEngine(task, workers=2) as engine:
        end = run(table, engine, tables=task.tables, out=out)
    assert (end.n_rows, end.n_errors) == (5, 2)

    found = read(out, SUSPECTS)
    assert list(found[0]) == match_schemas()[SUSPECTS].names
    assert column(found, "suspect_index") == [0, 1, 2, 3, 4]
    assert column(found, "source") == ["bees", None, None, "harbour", None]
    assert column(found, "title") == ["Bees", None, None, "Harbour", None]
    assert column(found, "relation") == [RELATION.label, None, None, RELATION.label, None]
    assert set(column(found, "n_articles")) == {2}
    errors = column(found, "error")
    assert "the text holds nothing" in errors[1]
    assert "please report this suspect" in errors[4]
    assert errors[0] is errors[2] is errors[3] is None

    candidates = read(out, CANDIDATES)
    assert [(row["suspect_index"], row["rank"]) for row in candidates] == [(0, 1), (3, 1)]
    harbour = candidates[1]
    best = match(HARBOUR, Archive(archive, encoder=FakeEncoder())).candidates[0]
    assert harbour["source"] == best.id == "harbour"
    assert harbour["share"] == pytest.approx(best.share)
    assert tuple(harbour["sentences"]) == best.sentences == (0, 1)
    assert harbour["evidence"] == list(RELATION.evidence)

    sentences = read(out, SENTENCES)
    assert column(sentences, "source") == ["bees", "harbour"]
    assert column(sentences, "copy_text") == [BEES, HARBOUR]


@pytest.mark.slow
def test_matching_goes_on_where_it_was_and_refuses_another_archive(
    archive: str, tmp_path: Path
) -> None:
    table = suspects(tmp_path, [BEES, HARBOUR, BEES], shard_rows=1)
    task = FakeMatching(archive=archive, report=False)
    assert task.tables == (SUSPECTS, CANDIDATES)
    out = tmp_path / "out"
    with LocalEngine(task, workers=1) as engine:
        run(table, engine, tables=task.tables, out=out)
        (out / SUSPECTS / "000001.parquet").unlink()
        end = run(table, engine, tables=task.tables, out=out)
    assert (end.n_before, end.n_done, len(end.damaged)) == (2, 3, 1)
    assert column(read(out, SUSPECTS), "source") == ["bees", "harbour", "bees"]
    assert not (out / SENTENCES).exists()
    other = FakeMatching(archive=str(tmp_path / "other"), report=False)
    with (
        LocalEngine(other, workers=1) as engine,
        pytest.raises(InputError, match=r"was begun with .*kept, now it is .*other"),
    ):
        run(table, engine, tables=other.tables, out=out)


def test_matching_an_archive_that_cannot_be_read_is_no_error_row(
    archive: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = FakeMatching(archive=archive).load()
    assert isinstance(worker, MatchingWorker)

    def broken(*_: object, **__: object) -> None:
        msg = "the archive cannot be searched"
        raise InputError(msg)

    monkeypatch.setattr(worker._archive, "search", broken)
    [shard] = suspects(tmp_path, [BEES]).shards()
    assert isinstance(shard, Shard)
    with pytest.raises(InputError, match="the archive cannot be searched"):
        worker(shard)


def test_matching_without_an_archive_fails_before_a_worker_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suspect = tmp_path / "a.txt"
    suspect.write_text(BEES, encoding="utf-8")
    command = ["match", str(tmp_path / "none"), str(suspect), "-o", str(tmp_path / "out")]
    assert main(command) == 2
    assert "there is no archive here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_suspects_are_named_by_the_path_as_given(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(BEES, encoding="utf-8")
    table = SuspectTable(files=("a.txt", "none.txt"), folder=tmp_path)
    there, missing = table.rows()
    assert (there.id, there.texts, there.fault) == ("a.txt", (BEES,), None)
    assert (missing.id, missing.index) == (None, 1)
    assert "there is no such file" in (missing.fault or "")
    assert table.name == "a.txt and 1 more"
    with pytest.raises(InputError, match=r"none\.txt: there is no such file"):
        table.survey(strict=True)


@pytest.mark.model
def test_match_command_writes_a_folder_with_the_real_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = Path(__file__).resolve().parents[2] / "data" / "example"
    archive, out = str(tmp_path / "kept"), tmp_path / "out"
    assert main(["archive", "add", archive, str(example / "source.txt"), "--quiet"]) == 0
    command = ["match", archive, str(example / "copy.txt"), "-o", str(out), "--workers", "1"]
    assert main([*command, "--no-tagger", "--pivot"]) == 0
    assert "1 suspects, 0 of them with an error" in capsys.readouterr().out
    [suspect] = read(out, SUSPECTS)
    assert suspect["source"] == str(example / "source.txt")
    assert suspect["relation"] == "round_trip"
    assert suspect["pivot"] in (None, "es")
    assert "|pivot " in suspect["signature"]
    assert len(read(out, SENTENCES)) == suspect["n_copy"] > 20
