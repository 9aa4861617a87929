"""Every command and every snippet of README and docs/ is run, or at least parsed.

One folder holds the small files that the documents name. The blocks of a document run there from
top to bottom; a command that an earlier document ran is not run again. `PARSED` lists the commands
that cannot be run here, with the reason.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from make_architecture import architecture

from detector import Scorer
from detector.cli.main import build_parser, main

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "data" / "example"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]

# Commands that are only parsed: words of the command, and why it is not run.
PARSED = {
    "train tagger": "fits for 90 minutes, on corpora that are not part of the project",
    "--tagger": "needs the tagger of such a fit",
    "export": "writes 119 MB; tests/test_onnx.py does it",
    "--onnx": "reads what `export` wrote",
    "--engine": "starts Ray, or needs a cluster; tests/batch/test_batch_cluster.py does it",
    "--workers": "starts more processes than this machine may have cores",
    "--shared": "needs corpora that are not part of the project",
    "--dictionary": "reads a FreeDict file that is not part of the project",
    "data check": "needs corpora that are not part of the project",
}


def _blocks(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield language and lines of each code block; an indented one has the language ""."""
    language: str | None = None
    block: list[str] = []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("```"):
            if language:
                yield language, block
            language, block = (line[3:].strip() or "text" if language in (None, "") else None), []
        elif language:
            block.append(line)
        elif line.startswith("    "):
            language = ""
            block.append(line[4:])
        elif language == "":
            yield language, block
            language, block = None, []


def _commands(lines: list[str]) -> list[str]:
    """Return the commands of a block, each on one line, without comments."""
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [line for line in joined if shlex.split(line, comments=True)]


def _examples(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield every Python block as ("python", lines), every shell block by its commands."""
    for language, lines in _blocks(path):
        if language == "python":
            yield "python", lines
        elif language in ("", "sh", "bash"):
            yield "shell", _commands(lines)


def _detector(command: str) -> tuple[list[str], str | None] | None:
    """Return the arguments of a call of detector and the file its stdin comes from."""
    words = shlex.split(command, comments=True)
    given = None
    if words[0] == "cat" and words[2:3] == ["|"]:
        given, words = words[1], words[3:]
    if words[0] != "detector":
        return None
    if ">" in words:
        words = words[: words.index(">")]
    return [w for word in words[1:] for w in _globbed(word)], given


def _globbed(word: str) -> list[str]:
    return sorted(str(path) for path in Path().glob(word)) if "*" in word else [word]


def _why_not_run(arguments: list[str]) -> str | None:
    text = f" {' '.join(arguments)} "
    return next((reason for words, reason in PARSED.items() if f" {words} " in text), None)


COMMANDS = [
    (name, command)
    for name, path in zip(NAMES, DOCUMENTS, strict=True)
    for kind, lines in _examples(path)
    if kind == "shell"
    for command in lines
]


def test_docs_hold_commands_and_snippets() -> None:
    kinds = [kind for path in DOCUMENTS for kind, _ in _examples(path)]
    assert kinds.count("shell") >= 15
    assert kinds.count("python") >= 8


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_docs_command_exists(name: str, command: str) -> None:
    words = shlex.split(command, comments=True)
    called = _detector(command)
    if called is not None:
        assert callable(build_parser().parse_args(called[0]).run)
    elif words[0] == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert re.search(rf"^{words[1]}:", makefile, flags=re.MULTILINE)
    elif words[:2] in (["pip", "install"], ["pip", "wheel"]):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        asked = re.fullmatch(r"(?:roundtrip-detector|\.)(?:\[([\w,]+)\])?", words[-1])
        assert asked is not None
        extras = set(asked[1].split(",")) if asked[1] else set()
        assert extras <= set(project["optional-dependencies"])
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file()
    else:
        assert words[0] in {"git", "cd", "ray", "jupyter"}, f"{name}: nothing checks {command!r}"


def test_docs_list_of_parsed_commands_holds_no_unused_entry() -> None:
    text = " \n ".join(f" {' '.join(called[0])} " for _, c in COMMANDS if (called := _detector(c)))
    assert [words for words in PARSED if f" {words} " not in text] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_docs_links_within_the_project_exist(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    inner = [target for target in targets if "://" not in target]
    assert [target for target in inner if not (path.parent / target).exists()] == []


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the documents name."""
    folder = tmp_path_factory.mktemp("desk")
    for side in ("copy", "source"):
        paragraphs = (EXAMPLE / f"{side}.txt").read_text(encoding="utf-8").split("\n\n")
        (folder / f"{side}.txt").write_text("\n\n".join(paragraphs[:6]) + "\n", encoding="utf-8")
    source = (folder / "source.txt").read_text(encoding="utf-8")
    body = "".join(f"<p>{part}</p>" for part in source.split("\n\n"))
    page = f"<html><head><title>-</title></head><body><article>{body}</article></body></html>"
    (folder / "source.html").write_text(page, encoding="utf-8")
    frame = pd.read_csv(EXAMPLE / "pairs.csv")
    frame.to_csv(folder / "pairs.csv", index=False)
    frame.to_parquet(folder / "pairs.parquet")
    row = {"source_path": "source.txt", "copy_path": "copy.txt"}
    (folder / "files.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    shutil.copy(folder / "copy.txt", folder / "suspect.txt")
    suspect = {"id": "suspect", "text": (folder / "copy.txt").read_text(encoding="utf-8")}
    (folder / "suspects.jsonl").write_text(json.dumps(suspect) + "\n", encoding="utf-8")
    more = {"id": "ID", "text": "Rain fell on the hills. The river rose by a metre overnight."}
    (folder / "more.jsonl").write_text(json.dumps(more) + "\n", encoding="utf-8")
    shutil.copytree(EXAMPLE, folder / "data" / "example")
    (folder / "articles").mkdir()
    for name in ("source", "independent", "unrelated"):
        shutil.copy(EXAMPLE / f"{name}.txt", folder / "articles")
    return folder


@pytest.fixture(scope="module")
def ran() -> set[str]:
    """Commands that were run."""
    return set()


def _run(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called = _detector(command)
    if called is None or _why_not_run(called[0]):
        return
    arguments, given = called
    if given is not None:
        stdin = io.TextIOWrapper(io.BytesIO(Path(given).read_bytes()), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", stdin)
    # 1 says that something was flagged, which only --fail-on asks for.
    allowed = {0, 1} if "--fail-on" in arguments else {0}
    assert main(arguments) in allowed, command


@pytest.mark.model
@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_docs_run_from_top_to_bottom(
    path: Path, desk: Path, scorer: Scorer, ran: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    monkeypatch.setattr("detector.batch.run._cores", lambda: 1)
    copy_text, source_text = (Path(f"{s}.txt").read_text("utf-8") for s in ("copy", "source"))
    frame = pd.read_csv("pairs.csv").head(4)
    known: dict[str, Any] = {
        "scorer": scorer,
        "copy_text": copy_text,
        "source_text": source_text,
        "suspect_text": copy_text,
        "articles": [("source", source_text)],
        "frame": frame,
        "pairs": list(zip(frame["source"], frame["copy"], strict=True)),
    }
    if path != ROOT / "README.md":  # the README makes its own
        known["report"] = scorer.score(copy=copy_text, source=source_text)
    for kind, lines in _examples(path):
        if kind == "python":
            exec(compile("\n".join(lines), path.name, "exec"), known)
        for command in lines if kind == "shell" else ():
            words = shlex.join(shlex.split(command, comments=True))
            if words not in ran:
                _run(command, monkeypatch)
                ran.add(words)


@pytest.mark.model
def test_docs_readme_shows_real_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    blocks = list(_blocks(ROOT / "README.md"))
    i, shown = next((i, lines) for i, (kind, lines) in enumerate(blocks) if kind == "text")
    called = _detector(blocks[i - 1][1][0])
    assert called is not None
    assert main(called[0]) == 0
    printed = capsys.readouterr().out
    for part in filter(None, "\n".join(shown).split("...")):  # lines left out, or cut off
        _, found, printed = printed.partition(part.strip("\n"))
        assert found, part


def test_docs_architecture_is_up_to_date() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert page == architecture(), "run: python tests/make_architecture.py"
