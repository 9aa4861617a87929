from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys
import warnings
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from support.sample_reports import COPY, SOURCE, sample

from detector import Report
from detector.cli.main import build_parser, main
from detector.errors import EncodeError, InputError, TruncationWarning

HEAVY = {"torch", "sentence_transformers", "transformers", "sklearn", "pandas", "scipy", "wordfreq"}


class FakeScorer:
    """A scorer that gives the report, error or warning that a test asked for."""

    report: Report = sample()
    error: BaseException | None = None
    built: dict[str, Any]
    asked: dict[str, str]

    def __init__(self, **options: Any) -> None:
        type(self).built = options

    def score(self, **texts: str) -> Report:
        type(self).asked = texts
        warnings.warn("a library mumbles", FutureWarning, stacklevel=2)
        warnings.warn("a sentence is\nlong \x1b[31m", TruncationWarning, stacklevel=2)
        if self.error is not None:
            raise self.error
        return self.report


@pytest.fixture
def scorer(monkeypatch: pytest.MonkeyPatch) -> type[FakeScorer]:
    class Scorer(FakeScorer):
        pass

    module = ModuleType("detector.scorer")
    module.Scorer = Scorer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "detector.scorer", module)
    return Scorer


@pytest.fixture
def pair(tmp_path: Path) -> list[str]:
    copy, source = tmp_path / "copy.txt", tmp_path / "source.txt"
    copy.write_bytes(COPY.encode())
    source.write_bytes(SOURCE.encode())
    return [str(copy), str(source)]


def refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail, and return its one line."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("detector: error: ")
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()
    return err


# Results.


def test_cli_score_reads_both_files(
    scorer: type[FakeScorer], pair: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", *pair]) == 0
    assert scorer.asked == {"copy": COPY, "source": SOURCE}
    assert "*Ambove* [was: AMBER]" in capsys.readouterr().out


def test_cli_score_reads_one_side_from_stdin(
    scorer: type[FakeScorer], pair: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(b"Piped in."), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["score", "-", pair[1], "--quiet"]) == 0
    assert scorer.asked["copy"] == "Piped in."


@pytest.mark.usefixtures("scorer")
def test_cli_score_table_has_no_colour_off_a_terminal(
    pair: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["score", *pair])
    assert "\x1b" not in capsys.readouterr().out
    main(["score", *pair, "--colour", "always"])
    assert "\x1b[1;31m*Ambove*" in capsys.readouterr().out


@pytest.mark.usefixtures("scorer")
@pytest.mark.parametrize("no_color", [None, "", "1"])
def test_cli_score_honours_no_color_on_a_terminal(
    pair: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    no_color: str | None,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    main(["score", *pair])
    assert ("\x1b[" in capsys.readouterr().out) == (not no_color)


@pytest.mark.usefixtures("scorer")
def test_cli_score_formats(pair: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    def out(form: str) -> str:
        assert main(["score", *pair, "--format", form]) == 0
        return capsys.readouterr().out

    assert Report.from_json(out("json")) == sample()
    assert [json.loads(line)["copy_index"] for line in out("jsonl").splitlines()] == [*range(7)]
    assert len(list(csv.DictReader(io.StringIO(out("csv"))))) == 7
    assert out("html").startswith("<!doctype html>")
    assert out("summary") == f"{sample().summary()}\n"


@pytest.mark.usefixtures("scorer")
def test_cli_score_only_flagged_leaves_rows_out(
    pair: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["score", *pair, "--only-flagged", "--format", "jsonl"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["copy_index"] for row in rows] == [1, 2, 4]


def test_cli_score_hands_its_options_on(scorer: type[FakeScorer], pair: list[str]) -> None:
    options = ["--threshold", "0.7", "--name-threshold", "0.2", "--precision", "bf16"]
    main(["score", *pair, *options, "--encoder", "folder", "--bundle", "other", "--no-tagger"])
    assert scorer.built == {
        "encoder": "folder",
        "precision": "bf16",
        "bundle": Path("other"),
        "threshold": 0.7,
        "name_threshold": 0.2,
        "tagger": None,
        "pivot": False,
        "pivot_dictionary": None,
    }


def test_cli_score_hands_on_how_to_name_the_pivot(
    scorer: type[FakeScorer], pair: list[str]
) -> None:
    main(["score", *pair, "--pivot", "--dictionary", "en-fr.tsv"])
    assert scorer.built["pivot"] is True
    assert scorer.built["pivot_dictionary"] == Path("en-fr.tsv")
    main(["score", *pair, "--pivot-model", "mine.safetensors"])
    assert scorer.built["pivot"] == Path("mine.safetensors")


def test_cli_score_leaves_thresholds_to_the_bundle(
    scorer: type[FakeScorer], pair: list[str]
) -> None:
    main(["score", *pair])
    assert scorer.built["threshold"] is scorer.built["name_threshold"] is None
    assert scorer.built["tagger"] == "bundled"


# Files written.


@pytest.mark.usefixtures("scorer")
def test_cli_out_takes_its_form_from_the_ending(
    pair: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = [tmp_path / f"report.{ending}" for ending in ("json", "html", "csv", "txt")]
    assert main(["score", *pair, *(part for out in outs for part in ("--out", str(out)))]) == 0
    as_json, as_html, as_csv, as_text = (out.read_text(encoding="utf-8") for out in outs)
    assert Report.from_json(as_json) == sample()
    assert as_html.startswith("<!doctype html>")
    assert as_csv.startswith("copy_index,")
    assert "*Ambove*" in as_text
    out, err = capsys.readouterr()
    assert out == f"{sample().summary()}\n"
    assert all(f"written to {path}" in err for path in outs)


@pytest.mark.usefixtures("scorer")
def test_cli_out_given_a_format_keeps_it(pair: list[str], tmp_path: Path) -> None:
    out = tmp_path / "report.txt"
    main(["score", *pair, "--format", "json", "--out", str(out)])
    assert Report.from_json(out.read_text(encoding="utf-8")) == sample()


@pytest.mark.usefixtures("scorer")
def test_cli_quiet_says_nothing(
    pair: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["score", *pair, "--quiet", "--out", str(tmp_path / "report.json")])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("out", [".", "missing/report.json", "copy.txt"])
def test_cli_out_that_cannot_be_written_is_refused_before_scoring(
    scorer: type[FakeScorer],
    pair: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    out: str,
) -> None:
    folder = Path(pair[0]).parent
    monkeypatch.chdir(folder)
    assert f"--out {out}" in refused(["score", *pair, "--out", out], capsys)
    assert not hasattr(scorer, "built")
    assert sorted(path.name for path in folder.iterdir()) == ["copy.txt", "source.txt"]
    assert Path(pair[0]).read_bytes() == COPY.encode()


def test_cli_failed_scoring_leaves_the_old_file(
    scorer: type[FakeScorer], pair: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scorer.error = InputError("no sentence")
    out = tmp_path / "report.json"
    out.write_text("old", encoding="utf-8")
    assert main(["score", *pair, "--out", str(out)]) == 2
    assert out.read_text(encoding="utf-8") == "old"
    assert len(list(tmp_path.iterdir())) == 3
    assert "no sentence" in capsys.readouterr().err


# Exit codes and errors.


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, {"drift": 1, "names": 1, "any": 1}),
        ({"name_threshold": 1.0}, {"drift": 1, "names": 0, "any": 1}),
        ({"match": False, "name_threshold": 1.0}, {"drift": 1, "names": 1, "any": 1}),
    ],
)
def test_cli_fail_on_sets_the_exit_code(
    scorer: type[FakeScorer], pair: list[str], changes: dict[str, Any], codes: dict[str, int]
) -> None:
    scorer.report = sample(**changes)
    assert main(["score", *pair]) == 0
    assert {on: main(["score", *pair, "--fail-on", on]) for on in codes} == codes


def test_cli_error_names_the_files(
    scorer: type[FakeScorer], pair: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    scorer.error = InputError("the copy holds no sentence; give a text with words")
    assert main(["score", *pair]) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line == f"detector: error: {pair[0]} against {pair[1]}: {scorer.error}"


@pytest.mark.parametrize(
    ("error", "code"),
    [(EncodeError("no model"), 2), (OSError(28, "No space left"), 2), (KeyboardInterrupt(), 130)],
)
def test_cli_error_ends_with_its_code_and_one_line(
    scorer: type[FakeScorer],
    pair: list[str],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
) -> None:
    scorer.error = error
    assert main(["score", *pair]) == code
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("detector: ")
    assert str(error) in line


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    ],
)
def test_cli_error_for_want_of_memory_is_one_line(
    scorer: type[FakeScorer],
    pair: list[str],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
) -> None:
    scorer.error = error
    assert main(["score", "--quiet", *pair]) == 2
    said = "detector: error: out of memory; give shorter texts or fewer --workers\n"
    assert capsys.readouterr().err == said


def test_cli_error_that_nobody_foresaw_is_not_hidden(
    scorer: type[FakeScorer], pair: list[str]
) -> None:
    scorer.error = RuntimeError("nobody thought of this")
    with pytest.raises(RuntimeError, match="nobody thought of this"):
        main(["score", *pair])


@pytest.mark.usefixtures("scorer")
def test_cli_shows_our_warnings_and_no_others(
    pair: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["score", *pair])
    assert capsys.readouterr().err == "detector: warning: a sentence is long ⟦U+001B⟧[31m\n"


@pytest.mark.parametrize(
    ("argv", "fact"),
    [
        ([], "COMMAND"),
        (["scorn"], "'scorn'"),
        (["score"], "COPY"),
        (["score", "a", "b", "--format", "pdf"], "'pdf'"),
        (["score", "a", "b", "--threshold", "2"], "'2' is not a probability"),
        (["score", "a", "b", "--threshold", "nan"], "'nan' is not a probability"),
        (["score", "a", "b", "--fail-on", "x"], "'x'"),
        (["score", "a", "b", "--nonsense\x1b[31m"], "--nonsense⟦U+001B⟧[31m"),
        (["score", "-", "-"], "both '-'"),
        (["score", "a", "b", "--only-flagged", "--format", "json"], "json"),
        (["align", "a", "b", "--format", "csv"], "'csv'"),
    ],
)
def test_cli_bad_arguments_get_one_line(
    capsys: pytest.CaptureFixture[str], argv: list[str], fact: str
) -> None:
    assert fact in refused(argv, capsys)


BAD_FILES = {
    "empty.txt": (b"", "empty"),
    "blank.txt": (b" \r\n\t \xe2\x80\x8b\n", ""),
    "binary.txt": (b"\x7fELF\x02\x01\x00\x00" * 50, ""),
    "wrong.txt": ("naïve café".encode("latin-1") * 5, ""),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("side", [0, 1])
def test_cli_bad_file_is_named(
    scorer: type[FakeScorer],
    pair: list[str],
    capsys: pytest.CaptureFixture[str],
    name: str,
    side: int,
) -> None:
    bad = Path(pair[0]).with_name(name)
    data, fact = BAD_FILES[name]
    bad.write_bytes(data)
    pair[side] = str(bad)
    line = refused(["score", *pair, "--encoding", "utf-8"], capsys)
    assert str(bad) in line
    assert fact in line
    assert not hasattr(scorer, "built")


@pytest.mark.usefixtures("scorer")
@pytest.mark.parametrize("name", ["missing.txt", ".", "new\nline\x1b[2J\u202e.txt"])
def test_cli_missing_file_and_folder_are_named(
    pair: list[str], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    line = refused(["score", str(Path(pair[0]).parent / name), pair[1]], capsys)
    assert str(Path(pair[0]).parent) in line


# The process itself.


def detector(*argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "detector", *argv],
        capture_output=True,
        encoding="utf-8",
        check=False,
        **options,
    )


def parsers(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    """Yield a parser and those of all its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for command in action.choices.values():
                yield from parsers(command)


PARSERS = {parser.prog: parser for parser in parsers(build_parser())}


def test_cli_has_all_its_commands() -> None:
    assert len(PARSERS) == 18


@pytest.mark.parametrize("prog", PARSERS)
def test_cli_help_explains_every_option_with_an_example(
    prog: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*prog.split()[1:], "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: {prog} ")
    assert max(map(len, text.splitlines())) <= 100
    actions = [a for a in PARSERS[prog]._actions if not isinstance(a, _SubParsersAction)]
    assert [action.dest for action in actions if not action.help] == []
    examples = (PARSERS[prog].epilog or "").partition("example")[2]
    commands = re.findall(r"^  (?:cat .*\| )?detector (.*)$", examples, flags=re.MULTILINE)
    assert commands
    for command in commands:
        arguments = shlex.split(command.partition(" > ")[0], comments=True)
        assert callable(build_parser().parse_args(arguments).run)


def test_cli_version_prints_the_signature() -> None:
    done = detector("--version")
    assert done.returncode == 0
    version, signature = done.stdout.splitlines()
    assert version.startswith("detector 0.")
    assert "encoder all-MiniLM-L6-v2@53aa51172d14" in signature
    assert done.stderr == ""


@pytest.mark.parametrize("argv", [["--version"], ["--help"], ["score", "missing", "missing"]])
def test_cli_loads_nothing_heavy_before_it_must(argv: list[str]) -> None:
    code = (
        "import sys; from detector.cli.main import main; main(sys.argv[1:]); "
        "print({m.partition('.')[0] for m in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *argv], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].strip("{}").replace("'", "").split(", "))
    assert "argparse" in loaded
    assert loaded & HEAVY == set()


def test_cli_reader_who_leaves_is_no_error(pair: list[str]) -> None:
    code = (
        "import sys; from types import ModuleType; sys.path.insert(0, sys.argv.pop(1)); "
        "from support.sample_reports import one_row; module = ModuleType('detector.scorer'); "
        "module.Scorer = lambda **_: type('S', (), {'score': "
        "lambda self, **_: one_row('long ' * 200_000)})(); "
        "sys.modules['detector.scorer'] = module; from detector.cli.main import entry; entry()"
    )
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            code,
            str(Path(__file__).parents[1]),
            "score",
            *pair,
            "--format",
            "json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize("argument", ["--version", "--help"])
@pytest.mark.parametrize(
    ("stdout", "said"),
    [
        (">&-", "stdout is closed; send it to a file, or to /dev/null"),
        ("> /dev/full", "stdout cannot be written to (No space left on device); send it to a file"),
    ],
)
def test_cli_stdout_that_cannot_be_written_to_is_one_line(
    argument: str, stdout: str, said: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$1" -m detector {argument} {stdout}', "sh", sys.executable],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"detector: error: {said}")
    assert done.stderr.count("\n") == 1


def test_cli_output_is_utf_8_in_any_locale(tmp_path: Path) -> None:
    bad = tmp_path / "naïve.txt"
    done = detector(
        "score", str(bad), str(bad), env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 2
    assert "naïve.txt" in done.stderr


# The real thing.

EXAMPLE = Path(__file__).parents[2] / "data" / "example"


@pytest.mark.model
def test_cli_scores_the_example(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    pair = [str(EXAMPLE / "copy.txt"), str(EXAMPLE / "source.txt")]
    done = detector("score", *pair, "--out", str(out), "--fail-on", "any")
    assert done.returncode == 1
    assert done.stderr == f"detector: written to {out}\n"
    report = Report.from_json(out.read_text(encoding="utf-8"))
    assert report.match
    assert done.stdout == f"{report.summary()}\n"
    raw = (EXAMPLE / "copy.txt").read_bytes().decode("utf-8")
    assert all(row.copy.of(raw) == row.copy_text for row in report.rows)


@pytest.mark.model
def test_cli_aligns_the_example() -> None:
    pair = [str(EXAMPLE / "copy.txt"), str(EXAMPLE / "source.txt")]
    done = detector("align", *pair, "--format", "jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    beads = [json.loads(line) for line in done.stdout.splitlines()]
    for side in ("copy", "source"):
        ends = [bead[side] for bead in beads]
        assert [start for start, _ in ends[1:]] == [stop for _, stop in ends[:-1]]


@pytest.mark.model
def test_cli_says_plainly_that_texts_do_not_match(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(
        "Whisk the eggs with the sugar until pale. Fold in the flour, then the butter. "
        "Bake for twenty minutes and let the cake cool on a rack.",
        encoding="utf-8",
    )
    done = detector("score", str(other), str(EXAMPLE / "source.txt"), "--format", "summary")
    assert done.returncode == 0
    assert done.stdout.startswith("The two texts do not match")


@pytest.mark.model
def test_cli_scores_one_sentence_a_side(tmp_path: Path) -> None:
    copy, source = tmp_path / "copy.txt", tmp_path / "source.txt"
    copy.write_text("Nine ships left the port.", encoding="utf-8")
    source.write_text("Three ships left the harbour.", encoding="utf-8")
    done = detector("score", str(copy), str(source), "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert Report.from_json(done.stdout).n_figures == 1


@pytest.mark.model
def test_cli_takes_a_sentence_of_a_megabyte(tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("word " * 200_000, encoding="utf-8")
    done = detector("score", str(long), str(EXAMPLE / "source.txt"))
    assert done.returncode == 0
    assert "longer than" in done.stdout
    assert done.stderr.startswith("detector: warning: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.model
def test_cli_takes_control_and_bidirectional_characters(tmp_path: Path) -> None:
    evil = tmp_path / "evil.txt"
    evil.write_text(
        "The \u202eboard\u202c of the port \x1b[31mvoted\x1b[0m.\u200b It rained.\x07\n",
        encoding="utf-8",
    )
    outs = [tmp_path / f"out.{ending}" for ending in ("txt", "json", "jsonl", "csv", "html")]
    options = [part for out in outs for part in ("--out", str(out))]
    done = detector("score", str(evil), str(EXAMPLE / "source.txt"), *options)
    assert done.returncode == 0
    shown = [done.stdout, done.stderr, *(out.read_text(encoding="utf-8") for out in outs)]
    assert [set(text) & set("\u202e\u202c\x1b\x07\u200b") for text in shown] == [set()] * 7
    assert all("U+202E" in text or "\\u202e" in text for text in shown[2:])
