"""Parse the command line and run `score`, `align` and `export`.

Nothing is computed here, and nothing heavy is imported before the arguments are known to be good.
"""

from __future__ import annotations

import argparse
import datetime
import io
import os
import re
import shutil
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from detector import __version__
from detector.cli import options as cli
from detector.errors import DetectorError, InputError
from detector.report.formats import FORMS
from detector.text.escape import safe

if TYPE_CHECKING:
    from detector.report.report import Report
    from detector.scorer import Scorer

_EXIT_CODES = """\
exit codes:
  0    done
  1    --fail-on found something, or the two texts do not match
  2    bad input or bad arguments: one line on stderr says what and why
  130  interrupted"""

_SCORE_NOTES = f"""\
csv: lists are JSON. A text that a spreadsheet would run (= + - @ tab) gets a leading
apostrophe, and control characters read ⟦U+001B⟧: copy_start and copy_end find the
original.

{_EXIT_CODES}"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line on arguments without the program's name; return the exit code."""
    try:
        with cli.own_warnings():
            arguments = build_parser().parse_args(argv)
            if getattr(arguments, "quiet", False):
                warnings.simplefilter("ignore")  # the report holds the same facts
            code: int = arguments.run(arguments)
            return code
    except (DetectorError, OSError) as err:
        cli.print_message(f"detector: error: {err}")
        return cli.BAD_INPUT
    except (MemoryError, RuntimeError, ImportError) as err:
        if not (isinstance(err, MemoryError) or _OUT_OF_MEMORY.search(str(err))):
            raise
        cli.print_message("detector: error: out of memory; give shorter texts or fewer --workers")
        return cli.BAD_INPUT
    except cli.ReaderLeftError:
        return cli.DONE
    except KeyboardInterrupt:
        cli.print_message("detector: interrupted")
        return cli.INTERRUPTED
    except SystemExit as leaving:  # --help and --version
        return int(leaving.code or cli.DONE)


def entry() -> NoReturn:
    """Run `main` as the process's own command."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that workers end in order
    if sys.stdout is None:
        cli.print_message("detector: error: stdout is closed; send it to a file, or to /dev/null")
        sys.exit(cli.BAD_INPUT)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    sys.exit(main())


_OUT_OF_MEMORY = re.compile(  # as torch and the loader of shared libraries say it
    "(can't|cannot) allocate memory|out of memory|failed to map segment", re.IGNORECASE
)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are reported like any other bad input."""

    def error(self, message: str) -> NoReturn:
        msg = f"{message}; see '{self.prog} --help'"
        raise InputError(msg)

    def print_help(self, _: object = None) -> None:
        cli.print_result(self.format_help())


class _Version(argparse.Action):
    """Print the version and the signature of the default bundle, without loading its models."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from detector.models.store import read_config

        try:
            signature = str(read_config().signature())
        except DetectorError as err:
            signature = f"no usable model bundle: {err}"
        cli.print_result(f"detector {__version__}\n{safe(signature)}\n")
        parser.exit(cli.DONE)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command.

    Each command sets `run`, a function of the parsed arguments that returns the exit code.
    """
    from detector.cli.archive import add_archive, add_match
    from detector.cli.batch import add_batch
    from detector.cli.train import add_training

    parser: argparse.ArgumentParser = _Parser(
        prog="detector",
        description="Find where a machine round trip of an English text changed meaning or "
        "damaged names.",
        epilog=f"{_EXIT_CODES}\n\nexample:\n  detector score copy.txt source.txt\n\n"
        "`detector COMMAND --help` shows the options of a command and examples.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="print the version and the signature"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_score(commands)
    _add_align(commands)
    add_archive(commands)
    add_match(commands)
    add_batch(commands)
    _add_export(commands)
    add_training(commands)
    return parser


def _add_score(commands: cli.Commands) -> None:
    parser = cli.add_command(
        commands,
        "score",
        "score every sentence of a copy against its source",
        description="Score every sentence of a copy against its source. With --out the result is "
        "written there and stdout gets the summary.",
        notes=_SCORE_NOTES,
        examples=(
            "detector score copy.txt source.txt",
            "detector score copy.txt source.html --out report.html --out report.json",
            "cat copy.txt | detector score - source.txt --format jsonl --fail-on any",
            "detector score copy.txt source.txt --only-flagged --threshold 0.8",
        ),
    )
    _add_pair(parser)
    parser.add_argument(
        "--format",
        choices=FORMS,
        help="format of the result (default: by the ending of --out, else table)",
    )
    parser.add_argument(
        "--only-flagged", action="store_true", help="only rows with a finding (table, jsonl, csv)"
    )
    parser.add_argument(
        "--fail-on",
        choices=("drift", "names", "any"),
        help="exit with 1 when a row is flagged, a name is damaged (other than in case or "
        "possessive), or either; and when the texts do not match",
    )
    cli.add_scoring(parser)
    parser.add_argument(
        "--colour",
        choices=("auto", "always", "never"),
        default="auto",
        help="colours of the table (auto: on a terminal, unless NO_COLOR is set)",
    )
    parser.set_defaults(run=_score)


def _add_align(commands: cli.Commands) -> None:
    parser = cli.add_command(
        commands,
        "align",
        "align the sentences of a copy with those of its source",
        description="Align a copy with its source, without scoring it. Ranges of sentences are "
        "half-open and count from 0; offsets count characters of the raw texts.",
        examples=(
            "detector align copy.txt source.txt",
            "detector align copy.txt source.txt --format jsonl --out beads.jsonl",
        ),
    )
    _add_pair(parser)
    parser.add_argument(
        "--format", choices=("tsv", "jsonl"), default="tsv", help="format of the result (tsv)"
    )
    parser.set_defaults(run=_align)


def _add_export(commands: cli.Commands) -> None:
    parser = cli.add_command(
        commands,
        "export",
        "write the encoder and the tagger as ONNX, for --onnx",
        description="Write the encoder and the bundle's tagger as ONNX, in fp32, for "
        "`detector score --onnx FOLDER` or `Scorer(encoder=OnnxEncoder(folder))`.",
        examples=("detector export my_onnx", "detector score copy.txt source.txt --onnx my_onnx"),
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="created if missing")
    cli.add_encoder(parser, precision=False)
    cli.add_path(parser, "--bundle", "FOLDER", "bundle with the tagger (default: own)")
    cli.add_quiet(parser)
    parser.set_defaults(run=_export)


def _add_pair(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("copy", metavar="COPY", help="file of the suspected copy, or - for stdin")
    parser.add_argument("source", metavar="SOURCE", help="file of its source, or - for stdin")
    parser.add_argument(
        "--out",
        action="append",
        default=[],
        metavar="FILE",
        help="write the result to FILE, whole or not at all; may be given more than once",
    )
    parser.add_argument("--encoding", help="character encoding of both files (default: detected)")
    cli.add_encoder(parser)
    cli.add_path(
        parser, "--onnx", "FOLDER", "compute with onnxruntime, from a folder of `detector export`"
    )
    cli.add_quiet(parser)


def _score(arguments: argparse.Namespace) -> int:
    from detector.report import formats

    files = {out: arguments.format or formats.form_of(out) for out in arguments.out}
    printed = "summary" if files else arguments.format or "table"
    for form in files.values() or (printed,):
        formats.check(form, only_flagged=arguments.only_flagged)
    copy, source = _read_texts(arguments)
    scorer = _scorer(arguments)
    with _naming_files(arguments, "scoring"):
        report = scorer.score(copy=copy, source=source)
    paths = (arguments.copy, arguments.source)
    title = " against ".join("stdin" if path == "-" else Path(path).name for path in paths)
    options = formats.Options(date=datetime.date.today(), title=title)
    rendered = {
        out: formats.render(report, form, only_flagged=arguments.only_flagged, options=options)
        for out, form in files.items()
    }
    _write(rendered, arguments)
    only_flagged = arguments.only_flagged and not files
    options = replace(options, **_terminal(arguments.colour))
    cli.print_result(formats.render(report, printed, only_flagged=only_flagged, options=options))
    return cli.FLAGGED if _fails(report, arguments.fail_on) else cli.DONE


def _fails(report: Report, fail_on: str | None) -> bool:
    if fail_on is None:
        return False
    drift, names = bool(report.flagged), bool(report.damaged)
    found = {"drift": drift, "names": names, "any": drift or names}
    return found[fail_on] or not report.match


def _terminal(colour: str) -> dict[str, Any]:
    """Return width and colour of the table on stdout."""
    at_terminal = sys.stdout.isatty()
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    coloured = {"always": True, "never": False, "auto": at_terminal and not unwanted}
    width = min(shutil.get_terminal_size((100, 24)).columns, 120) if at_terminal else 100
    return {"width": width, "colour": coloured[colour]}


def _align(arguments: argparse.Namespace) -> int:
    from detector.report import formats
    from detector.text.sentences import split

    copy, source = _read_texts(arguments)
    scorer = _scorer(arguments)
    with _naming_files(arguments, "aligning"):
        alignment = scorer.align(copy=copy, source=source)
    render = formats.beads_jsonl if arguments.format == "jsonl" else formats.beads_tsv
    text = render(alignment, copy=split(copy), source=split(source))
    if arguments.out:
        _write(dict.fromkeys(arguments.out, text), arguments)
    else:
        cli.print_result(text)
    return cli.DONE


def _export(arguments: argparse.Namespace) -> int:
    with cli.status("exporting", quiet=arguments.quiet):
        from detector.encoder import MiniLMEncoder
        from detector.models.store import load
        from detector.onnx import export

        encoder = MiniLMEncoder(arguments.encoder)
        bundle = load(arguments.bundle, encoder=encoder.identity)
        written = export(encoder, bundle.tagger, arguments.folder)
    for name, digest in sorted(written.files.items()):
        cli.print_result(f"{digest[:12]}  {safe(str(arguments.folder / name))}\n")
    return cli.DONE


def _read_texts(arguments: argparse.Namespace) -> tuple[str, str]:
    """Return copy and source, after a check that the result can be written."""
    from detector.text.files import read

    if arguments.copy == "-" and arguments.source == "-":
        msg = "COPY and SOURCE are both '-', but stdin can be read once; give a file for one"
        raise InputError(msg)
    for out in arguments.out:
        _check_out(Path(out), arguments)
    copy = read(arguments.copy, encoding=arguments.encoding)
    return copy, read(arguments.source, encoding=arguments.encoding)


def _check_out(out: Path, arguments: argparse.Namespace) -> None:
    if out.is_dir() or not out.parent.is_dir():
        problem = "is a folder" if out.is_dir() else "is in a folder that does not exist"
        msg = f"--out {out} {problem}; give the path of a file in an existing folder"
        raise InputError(msg)
    for name in (arguments.copy, arguments.source):
        if name != "-" and out.exists() and Path(name).exists() and out.samefile(name):
            msg = f"--out {out} is one of the texts to be read; give another file"
            raise InputError(msg)


def _write(texts: Mapping[str, str], arguments: argparse.Namespace) -> None:
    from detector.text.files import write_whole

    for out, text in texts.items():
        write_whole(Path(out), text)
        if not arguments.quiet:
            cli.print_message(f"detector: written to {out}")


def _scorer(arguments: argparse.Namespace) -> Scorer:
    with cli.status("loading the model", quiet=arguments.quiet):
        from detector.scorer import Scorer

        options = cli.scorer_options(arguments)
        if arguments.onnx is not None:
            from detector.onnx import OnnxEncoder

            for name, default in (("encoder", None), ("precision", "fp32")):
                if options[name] != default:
                    msg = f"--{name} {options[name]} is settled by --onnx; give one of them"
                    raise InputError(msg)
            options["encoder"] = OnnxEncoder(arguments.onnx)
        return Scorer(**options)


@contextmanager
def _naming_files(arguments: argparse.Namespace, doing: str) -> Iterator[None]:
    """Show the task on stderr, and name both files in an error."""
    try:
        with cli.status(f"{doing} {arguments.copy}", quiet=arguments.quiet):
            yield
    except InputError as err:
        msg = f"{arguments.copy} against {arguments.source}: {err}"
        raise InputError(msg) from err
