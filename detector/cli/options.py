"""Print results and messages, and define the options that several commands share.

Nothing is computed or loaded here. Results go to stdout, messages to stderr.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.errors import DetectorWarning, InputError
from detector.text.escape import safe

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DONE, FLAGGED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""


class ReaderLeftError(Exception):
    """The reader of stdout has closed its pipe and wants no more: a reason to stop, no error."""


def print_result(text: str) -> None:
    """Write a result to stdout; raise `ReaderLeftError`, or `InputError` on a full disk."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as err:
        # Python flushes stdout again at exit: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(err, BrokenPipeError):
            raise ReaderLeftError from err
        msg = f"stdout cannot be written to ({err.strerror}); send it to a file that can be"
        raise InputError(msg) from err


def print_message(text: str) -> None:
    """Write one escaped line to stderr, if that is open."""
    if sys.stderr is not None:
        sys.stderr.write(f"{safe(text)}\n")
        sys.stderr.flush()


@contextmanager
def status(doing: str, *, quiet: bool = False) -> Iterator[None]:
    """Show a task and its seconds on stderr while it lasts; on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    line = f"\r\x1b[K{safe(doing)} ..."

    def show() -> None:
        began = time.monotonic()
        sys.stderr.write(line)
        sys.stderr.flush()
        while not done.wait(1.0):
            sys.stderr.write(f"{line} {time.monotonic() - began:.0f} s")
            sys.stderr.flush()

    clock = threading.Thread(target=show, daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def progress_bar(doing: str, unit: str, *, total: int | None = None, quiet: bool) -> Any:  # noqa: ANN401 - tqdm is imported late
    """Return a `tqdm` bar on stderr; it shows on a terminal only."""
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    return tqdm(total=total, unit=unit, desc=doing, disable=hidden)


@contextmanager
def own_warnings() -> Iterator[None]:
    """Show warnings of this package, one line each, and hide those and the logs of libraries."""

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if issubclass(category, DetectorWarning):
            print_message(f"detector: warning: {message}")

    hidden = logging.NullHandler()  # else Python prints what nobody handles, unescaped
    logging.getLogger().addHandler(hidden)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", DetectorWarning)
            warnings.showwarning = show
            yield
    finally:
        logging.getLogger().removeHandler(hidden)


def add_command(  # noqa: PLR0913 - texts, each by its name
    commands: Commands,
    name: str,
    summary: str,
    *,
    examples: Sequence[str],
    description: str = "",
    notes: str = "",
) -> argparse.ArgumentParser:
    """Add a command whose help ends in notes and examples; it describes itself by its summary."""
    lines = "\n".join(f"  {example}" for example in examples)
    return commands.add_parser(
        name,
        help=summary,
        description=textwrap.fill(description or f"{summary[0].upper()}{summary[1:]}.", 78),
        epilog=f"{notes}\n\nexamples:\n{lines}".lstrip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_path(
    parser: argparse.ArgumentParser,
    name: str,
    metavar: str,
    summary: str,
    **options: Any,  # noqa: ANN401 - those of argparse
) -> None:
    """Add an option that takes a path."""
    parser.add_argument(name, type=Path, metavar=metavar, help=summary, **options)


def add_encoder(parser: argparse.ArgumentParser, *, precision: bool = True) -> None:
    """Add the options that choose the encoder and its arithmetic."""
    summary = "sentence-transformers model (default: all-MiniLM-L6-v2 from its package)"
    parser.add_argument("--encoder", metavar="NAME_OR_FOLDER", help=summary)
    if precision:
        add_precision(parser)


def add_precision(
    parser: argparse.ArgumentParser,
    summary: str = "arithmetic of the encoder (default: fp32)",
    *,
    default: str | None = "fp32",
) -> None:
    """Add `--precision`."""
    choices = ("fp32", "bf16", "auto")
    parser.add_argument("--precision", choices=choices, default=default, help=summary)


def add_scoring(parser: argparse.ArgumentParser) -> None:
    """Add the other options of `Scorer`, under its names."""
    for name, summary in (
        ("threshold", "flag a sentence from this drift probability (default: the bundle's)"),
        ("name-threshold", "call a name damaged from this probability (default: the bundle's)"),
    ):
        parser.add_argument(f"--{name}", type=_probability, metavar="P", help=summary)
    add_path(parser, "--bundle", "FOLDER", "model bundle (default: the package's own)")
    parser.add_argument(
        "--no-tagger",
        dest="tagger",
        action="store_const",
        const=None,
        default="bundled",
        help="skip the word-level tagger (no error spans; about twice as fast)",
    )
    parser.add_argument("--pivot", action="store_true", help="estimate the pivot language")
    own = "estimate it with a model that `detector train pivot` wrote"
    add_path(parser, "--pivot-model", "FILE", own, dest="pivot")
    own = "with --pivot: dictionary that explains the evidence (en-fr.tsv, eng-fra.tei or .index)"
    add_path(parser, "--dictionary", "FILE", own, dest="pivot_dictionary")


def scorer_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the values of `add_scoring` and `add_encoder` as options of `Scorer`."""
    names = ("encoder", "precision", "bundle", "threshold", "name_threshold", "tagger")
    given = vars(arguments)
    return {name: given[name] for name in (*names, "pivot", "pivot_dictionary") if name in given}


def add_quiet(parser: argparse.ArgumentParser, *, default: bool | None = False) -> None:
    """Add `--quiet`."""
    parser.add_argument(
        "--quiet", action="store_true", default=default, help="print errors only on stderr"
    )


def positive(text: str) -> int:
    """Parse a whole number of 1 or more."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        msg = f"{text!r} is not a number of them; give 1 or more"
        raise argparse.ArgumentTypeError(msg)
    return number


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        msg = f"{text!r} is not a probability; give a number from 0 to 1"
        raise argparse.ArgumentTypeError(msg)
    return value
