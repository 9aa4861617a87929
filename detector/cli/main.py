"""The command `detector`: arguments in, exit code out; `score`, `align`, `export`.

The command `detector`: arguments in, exit code out.

Results go to stdout (or `--out`), talk to stderr. No figure is computed here, and nothing heavy is
imported before the arguments are known to be good.
"""

from __future__ import annotations

import argparse
import datetime
import io
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from detector import __version__
from detector.cli.options import (
    add_encoder,
    add_judging,
    add_quiet,
    judging_of,
    own_warnings,
    put,
    status,
    tell,
)
from detector.errors import DetectorError, InputError
from detector.report.formats import FORMS
from detector.text.escape import safe

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

    from detector.onnx import OnnxEncoder
    from detector.report.report import Report
    from detector.scorer import Scorer

DONE, FLAGGED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

_EPILOG = """\
exit codes:
  0    done
  1    --fail-on found something, or the two texts do not match
  2    bad input or bad arguments: one line on stderr says what and why
  130  interrupted
"""

_CSV_NOTE = (
    "csv: lists are JSON; a text that a spreadsheet would run (= + - @ tab) gets a leading "
    "apostrophe and control characters read ⟦U+001B⟧: copy_start and copy_end find the original"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        The exit code: 0 done, 1 flagged under `--fail-on`, 2 bad input, 130 interrupted.
    """
    try:
        with own_warnings():
            arguments = _parser().parse_args(argv)
            if getattr(arguments, "quiet", False):
                warnings.simplefilter("ignore")  # the report holds the same facts
            code: int = arguments.run(arguments)
            return code
    except (DetectorError, OSError) as err:
        tell(f"detector: error: {err}")
        return BAD_INPUT
    except KeyboardInterrupt:
        tell("detector: interrupted")
        return INTERRUPTED
    except SystemExit as leaving:  # --help and --version
        return int(leaving.code or DONE)


def entry() -> NoReturn:
    """Run `main` as the process's own command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    sys.exit(main())


class _Parser(argparse.ArgumentParser):
    """A parser whose errors take the same road as every other bad input."""

    def error(self, message: str) -> NoReturn:
        msg = f"{message}; see '{self.prog} --help'"
        raise InputError(msg)


class _Version(argparse.Action):
    """Print the version and what the default model bundle says of itself, without loading it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from detector.models.store import read_config

        try:
            signature = str(read_config().signature())
        except DetectorError as err:
            signature = f"no usable model bundle: {err}"
        put(f"detector {__version__}\n{safe(signature)}\n")
        parser.exit(DONE)


def _parser() -> argparse.ArgumentParser:
    from detector.cli.archive import add_archive, add_match
    from detector.cli.batch import add_batch
    from detector.cli.train import add_parsers

    parser: argparse.ArgumentParser = _Parser(
        prog="detector",
        description="Find where a machine round trip of an English text changed meaning or "
        "damaged names.",
        epilog=_EPILOG,
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
    add_parsers(commands)
    return parser


def _add_score(commands: Commands) -> None:
    parser = commands.add_parser(
        "score",
        help="judge every sentence of a copy against its source",
        description="Judge every sentence of a copy against its source. With --out the result is "
        "written there and stdout gets the summary.",
        epilog=f"{_CSV_NOTE}.\n\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_pair(parser)
    parser.add_argument(
        "--format",
        choices=FORMS,
        help="form of the result; by default what the ending of --out says, else table",
    )
    parser.add_argument(
        "--only-flagged",
        action="store_true",
        help="rows with a finding only (table, jsonl, csv)",
    )
    parser.add_argument(
        "--fail-on",
        choices=("drift", "names", "any"),
        help="exit with 1 when a row is flagged, a name is damaged (slips of case and possessive "
        "left aside), or either; and when the texts do not match",
    )
    add_judging(parser)
    parser.add_argument(
        "--colour",
        choices=("auto", "always", "never"),
        default="auto",
        help="colours of the table (auto: on a terminal, unless NO_COLOR is set)",
    )
    parser.set_defaults(run=_score)


def _add_align(commands: Commands) -> None:
    parser = commands.add_parser(
        "align",
        help="say which sentences of a copy stand for which of its source",
        description="Align a copy with its source, without judging it. Ranges of sentences are "
        "half-open and count from 0; offsets count characters of the raw texts.",
    )
    _add_pair(parser)
    parser.add_argument(
        "--format", choices=("tsv", "jsonl"), default="tsv", help="form of the result (tsv)"
    )
    parser.set_defaults(run=_align)


def _add_export(commands: Commands) -> None:
    parser = commands.add_parser(
        "export",
        help="write encoder and tagger as ONNX, for --onnx",
        description="Write the encoder and the bundle's tagger as ONNX, in fp32, for "
        "`detector score --onnx FOLDER` or `Scorer(encoder=OnnxEncoder(folder))`.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="made where it is absent")
    parser.add_argument(
        "--encoder", metavar="NAME_OR_FOLDER", help="as for `detector score` (default: its own)"
    )
    parser.add_argument("--bundle", type=Path, metavar="FOLDER", help="whose tagger is exported")
    add_quiet(parser)
    parser.set_defaults(run=_export)


def _add_pair(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("copy", metavar="COPY", help="file of the suspected copy, or - for stdin")
    parser.add_argument("source", metavar="SOURCE", help="file of its source, or - for stdin")
    parser.add_argument(
        "--out",
        action="append",
        default=[],
        metavar="FILE",
        help="write the result there, whole or not at all; may be given more than once",
    )
    parser.add_argument("--encoding", help="character encoding of both files (default: detected)")
    add_encoder(parser)
    parser.add_argument(
        "--onnx",
        type=Path,
        metavar="FOLDER",
        help="compute with onnxruntime, out of a folder that `detector export` wrote",
    )
    add_quiet(parser)


def _score(arguments: argparse.Namespace) -> int:
    from detector.report import formats as forms

    wanted = {out: arguments.format or forms.form_of(out) for out in arguments.out}
    shown = "summary" if wanted else arguments.format or "table"
    for form in wanted.values() if wanted else (shown,):
        forms.check(form, only_flagged=arguments.only_flagged)
    copy, source = _texts(arguments)
    scorer = _scorer(arguments)
    with _named(arguments, "scoring"):
        report = scorer.score(copy=copy, source=source)
    texts = (arguments.copy, arguments.source)
    named = ("stdin" if name == "-" else Path(name).name for name in texts)
    options = forms.Options(date=datetime.date.today(), title=" against ".join(named))
    made = {
        out: forms.render(report, form, only_flagged=arguments.only_flagged, options=options)
        for out, form in wanted.items()
    }
    _write(made, arguments)
    only_flagged = arguments.only_flagged and not wanted
    shown_as = replace(options, **_look(arguments))
    put(forms.render(report, shown, only_flagged=only_flagged, options=shown_as))
    return FLAGGED if _fails(report, arguments.fail_on) else DONE


def _fails(report: Report, fail_on: str | None) -> bool:
    if fail_on is None:
        return False
    drift, names = bool(report.flagged), bool(report.damaged)
    asked = {"drift": drift, "names": names, "any": drift or names}
    return asked[fail_on] or not report.match


def _look(arguments: argparse.Namespace) -> dict[str, Any]:
    at_terminal = sys.stdout.isatty()
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    colour = {"always": True, "never": False, "auto": at_terminal and not unwanted}
    width = min(shutil.get_terminal_size((100, 24)).columns, 120) if at_terminal else 100
    return {"width": width, "colour": colour[arguments.colour]}


def _align(arguments: argparse.Namespace) -> int:
    from detector.report import formats as tables
    from detector.text.sentences import split

    copy, source = _texts(arguments)
    scorer = _scorer(arguments)
    with _named(arguments, "aligning"):
        alignment = scorer.align(copy=copy, source=source)
    form = tables.beads_jsonl if arguments.format == "jsonl" else tables.beads_tsv
    text = form(alignment, copy=split(copy), source=split(source))
    if arguments.out:
        _write(dict.fromkeys(arguments.out, text), arguments)
    else:
        put(text)
    return DONE


def _export(arguments: argparse.Namespace) -> int:
    with status("exporting", quiet=arguments.quiet):
        from detector.encoder import MiniLMEncoder
        from detector.models.store import load
        from detector.onnx import export

        encoder = MiniLMEncoder(arguments.encoder)
        bundle = load(arguments.bundle, encoder=encoder.identity)
        written = export(encoder, bundle.tagger, arguments.folder)
    for name, digest in sorted(written.files.items()):
        put(f"{digest[:12]}  {safe(str(arguments.folder / name))}\n")
    return DONE


def _texts(arguments: argparse.Namespace) -> tuple[str, str]:
    from detector.text.files import read

    if arguments.copy == "-" and arguments.source == "-":
        msg = "COPY and SOURCE are both '-', but stdin can be read once; give a file for one"
        raise InputError(msg)
    for out in arguments.out:  # better told now than after the scoring
        _check_out(Path(out), arguments)
    copy = read(arguments.copy, encoding=arguments.encoding)
    return copy, read(arguments.source, encoding=arguments.encoding)


def _check_out(out: Path, arguments: argparse.Namespace) -> None:
    if out.is_dir() or not out.parent.is_dir():
        what = "is a folder" if out.is_dir() else "stands in a folder that does not exist"
        msg = f"--out {out} {what}; give the path of a file in an existing folder"
        raise InputError(msg)
    for name in (arguments.copy, arguments.source):
        if name != "-" and out.exists() and Path(name).exists() and out.samefile(name):
            msg = f"--out {out} is one of the texts to be read; give another file"
            raise InputError(msg)


def _write(made: Mapping[str, str], arguments: argparse.Namespace) -> None:
    from detector.text.files import write_whole

    for out, text in made.items():
        write_whole(Path(out), text)
        if not arguments.quiet:
            tell(f"detector: written to {out}")


def _scorer(arguments: argparse.Namespace) -> Scorer:
    with status("loading the model", quiet=arguments.quiet):
        from detector.scorer import Scorer

        options = judging_of(arguments)
        if arguments.onnx is not None:
            options["encoder"] = _onnx(arguments)
        return Scorer(**options)


def _onnx(arguments: argparse.Namespace) -> OnnxEncoder:
    from detector.onnx import OnnxEncoder

    for name, default in (("encoder", None), ("precision", "fp32")):
        given = getattr(arguments, name)
        if given != default:
            msg = f"--{name} {given} is settled by --onnx; give one of them"
            raise InputError(msg)
    return OnnxEncoder(arguments.onnx)


@contextmanager
def _named(arguments: argparse.Namespace, doing: str) -> Iterator[None]:
    """Say on stderr what is being done, and name the files when it fails."""
    try:
        with status(f"{doing} {arguments.copy}", quiet=arguments.quiet):
            yield
    except InputError as err:
        msg = f"{arguments.copy} against {arguments.source}: {err}"
        raise InputError(msg) from err
