"""Options and messages that commands share.

How the command line talks: results to stdout, talk to stderr, one line each.

Everything written to stderr is made safe here. Nothing here knows what is being said.

Options that several commands of the command line take, so that they read alike everywhere.

Nothing is computed or loaded here.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from detector.errors import DetectorWarning
from detector.text.escape import safe


def put(text: str) -> None:
    """Write a result to stdout; a reader who has gone away is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout again at exit: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(text: str) -> None:
    """Write one safe line to stderr."""
    sys.stderr.write(f"{safe(text)}\n")
    sys.stderr.flush()


@contextmanager
def status(doing: str, *, quiet: bool = False) -> Iterator[None]:
    """Show on stderr what is being done and for how long, while it lasts; on a terminal only."""
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


@contextmanager
def bar(total: int, doing: str, unit: str, *, quiet: bool) -> Iterator[Callable[[int], object]]:
    """Show how far long work has come, its rate and the time left; on a terminal only.

    Yields
    ------
    callable
        To be told how many more of `total` are done.
    """
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    with tqdm(total=total, unit=unit, desc=doing, disable=hidden) as shown:
        yield shown.update


@contextmanager
def own_warnings() -> Iterator[None]:
    """Show our own warnings, a line each, and no library's."""

    def show(  # noqa: PLR0913 - the signature of warnings.showwarning
        message: Warning | str,
        category: type[Warning],
        filename: str,  # noqa: ARG001
        lineno: int,  # noqa: ARG001
        file: TextIO | None = None,  # noqa: ARG001
        line: str | None = None,  # noqa: ARG001
    ) -> None:
        if issubclass(category, DetectorWarning):
            tell(f"detector: warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", DetectorWarning)
        warnings.showwarning = show
        yield


def add_encoder(parser: argparse.ArgumentParser) -> None:
    """Take which encoder is to be used, and in which arithmetic."""
    parser.add_argument(
        "--encoder",
        metavar="NAME_OR_FOLDER",
        help="a sentence-transformers model (default: all-MiniLM-L6-v2 from its package)",
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "bf16", "auto"),
        default="fp32",
        help="arithmetic of the encoder (default fp32)",
    )


def add_judging(parser: argparse.ArgumentParser) -> None:
    """Take the other options of `Scorer`, under its names."""
    for name, what in (
        ("threshold", "drift probability from which a row is flagged"),
        ("name-threshold", "probability from which a changed name counts as damaged"),
    ):
        parser.add_argument(f"--{name}", type=_probability, metavar="P", help=what)
    parser.add_argument("--bundle", type=Path, metavar="FOLDER", help="model bundle to judge with")
    parser.add_argument(
        "--no-tagger",
        dest="tagger",
        action="store_const",
        const=None,
        default="bundled",
        help="do not read word by word: no spans, about half the time",
    )
    parser.add_argument(
        "--pivot", action="store_true", help="say through which language the copy went"
    )
    parser.add_argument(
        "--pivot-model",
        dest="pivot",
        type=Path,
        metavar="FILE",
        help="the same, with a model that `detector train pivot` wrote",
    )
    parser.add_argument(
        "--dictionary",
        dest="pivot_dictionary",
        type=Path,
        metavar="FILE",
        help="with --pivot: dictionary from English that explains its evidence (en-fr.tsv, "
        "eng-fra.tei, eng-fra.index)",
    )


def judging_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what `add_judging` and `add_encoder` took, as options of `Scorer`."""
    names = ("encoder", "precision", "bundle", "threshold", "name_threshold", "tagger")
    given = vars(arguments)
    return {name: given[name] for name in (*names, "pivot", "pivot_dictionary") if name in given}


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Take where the shared corpora lie."""
    parser.add_argument(
        "--shared",
        type=Path,
        metavar="FOLDER",
        help="folder of the shared corpora (default: $DETECTOR_SHARED)",
    )


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Take whether there is to be no talk."""
    parser.add_argument("--quiet", action="store_true", help="say nothing on stderr but errors")


def count(text: str) -> int:
    """Read how many of something an argument asks for: 1 or more."""
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
