from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.fakes import FakeEncoder
from support.sample_reports import RELATION, sample

import detector.encoder
from detector.cli import options
from detector.cli.archive import sentence_ranges
from detector.cli.main import main
from detector.cli.options import ReaderLeftError
from detector.features.evidence import EncodedDocument, encode_together
from detector.records import Document

pytest.importorskip("lancedb")

HOSTILE = "a\x1b[31m\u202e"
TEXT = "The harbour was closed. Two cranes broke in the storm."


class FakeScorer:
    def __init__(self, *, encoder: FakeEncoder, **_: Any) -> None:
        self.encoder = encoder

    def read(self, document: Document) -> EncodedDocument:
        [encoded] = encode_together([document], self.encoder)
        return encoded

    def score(self, *, copy: EncodedDocument, source: str) -> Any:
        assert isinstance(copy, EncodedDocument)
        assert isinstance(source, str)
        return sample()

    def relate(self, *, copy: tuple[Any, Any], source: tuple[Any, Any]) -> Any:
        assert [len(one) for one in copy] == [len(copy[0])] * 2
        assert [len(one) for one in source] == [len(source[0])] * 2
        return RELATION


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    module = ModuleType("detector.scorer")
    module.Scorer = FakeScorer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "detector.scorer", module)
    monkeypatch.setattr(detector.encoder, "MiniLMEncoder", lambda *_, **__: FakeEncoder())
    return str(tmp_path / "kept")


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "articles.jsonl"
    rows = [
        {"id": HOSTILE, "text": TEXT, "title": HOSTILE},
        {"id": "blank", "text": " "},
        {"id": "other", "text": "Bees fly far. They come home at night."},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_archive_commands_add_info_match_remove(
    archive: str, table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["archive", "add", archive, table]) == 0
    out, err = capsys.readouterr()
    assert out == "2 articles added (4 sentences), 0 were there, 1 left out\n"
    assert err == (
        f"detector: left out: {table}, line 2: the text holds nothing; "
        "give one of at least one sentence\n"
    )
    assert main(["archive", "info", archive]) == 0
    assert "articles   2\nsentences  4\n" in capsys.readouterr().out
    assert main(["archive", "info", archive, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["encoder"]["name"] == "fake"

    suspect = tmp_path / "suspect.txt"
    suspect.write_text(TEXT, encoding="utf-8")
    assert main(["match", archive, str(suspect), "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert "1. a⟦U+001B⟧[31m⟦U+202E⟧" in out
    assert "explains 1.00 of it: sentences 1-2 of 2" in out
    assert f"{RELATION.label.replace('_', ' ')} (" in out
    assert sample().summary() in out
    assert not {"\x1b", "\u202e"} & set(out + err)
    assert main(["match", archive, str(suspect), "--format", "jsonl", "--no-report"]) == 0
    out = capsys.readouterr().out
    assert not {"\x1b", "\u202e"} & set(out)
    found = json.loads(out)
    assert found["candidates"][0]["id"] == HOSTILE
    assert (found["candidates"][0]["sentences"], found["report"]) == ([0, 1], None)
    assert found["candidates"][0]["relation"]["label"] == RELATION.label

    assert main(["archive", "remove", archive, HOSTILE, "nobody"]) == 0
    out, err = capsys.readouterr()
    assert out == "1 articles taken out\n"
    assert err == "detector: nobody: no article has this id\n"
    assert main(["archive", "remove", archive, "nobody"]) == 2


def test_archive_commands_strict_stops_at_the_first_bad_row(
    archive: str, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["archive", "add", archive, table, "--strict"]) == 2
    assert "line 2: the text holds nothing" in capsys.readouterr().err
    assert main(["archive", "info", archive]) == 0
    assert "articles   1\n" in capsys.readouterr().out


def test_archive_commands_nothing_usable_is_bad_input(
    archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["archive", "add", archive, "none\x1b[2J.txt"]) == 2
    assert "none⟦U+001B⟧[2J.txt" in capsys.readouterr().err


def test_archive_commands_without_an_archive_say_so(
    archive: str, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for argv in (
        ["archive", "info", archive],
        ["match", archive, table],
        ["archive", "remove", archive, "x"],
    ):
        assert main(argv) == 2
        assert "there is no archive here" in capsys.readouterr().err
        assert not Path(archive).exists()


def test_archive_commands_a_suspect_like_nothing_is_said(
    archive: str, table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["archive", "add", archive, table, "--quiet"]) == 0
    suspect = tmp_path / "suspect.txt"
    suspect.write_text("Quarks whirl. Gluons bind.", encoding="utf-8")
    capsys.readouterr()
    assert main(["match", archive, str(suspect)]) == 0
    assert "no article of the archive is like it" in capsys.readouterr().out


def test_archive_commands_match_stops_when_its_reader_leaves(
    archive: str, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["archive", "add", archive, table])
    printed = []

    def leave(text: str) -> None:
        printed.append(text)
        raise ReaderLeftError

    monkeypatch.setattr(options, "print_result", leave)
    assert main(["match", archive, table, "--no-report"]) == 0
    assert len(printed) == 1


@pytest.mark.parametrize(("given", "shown"), [([], ""), ([4], "5"), ([0, 1, 3, 4, 5], "1-2, 4-6")])
def test_archive_commands_runs_of_sentences(given: list[int], shown: str) -> None:
    assert sentence_ranges(given) == shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "2"], "--workers is for results in a folder; give --out too"),
        (["--engine", "ray"], "--engine is for results in a folder; give --out too"),
        (["--format", "jsonl", "-o", "out"], "leave out it or --out"),
        (["-o", "out", "--address", "auto"], "--address auto is for --engine ray"),
        (["-", "-o", "out"], "standard input can be read once only"),
    ],
)
def test_archive_commands_match_says_what_is_wrong(
    arguments: list[str], message: str, archive: str, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["archive", "add", archive, table, "--quiet"]) == 0
    assert main(["match", archive, table, *arguments]) == 2
    assert message in capsys.readouterr().err
