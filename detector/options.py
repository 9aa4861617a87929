"""Options that several commands of the command line take, so that they read alike everywhere.

Nothing is computed or loaded here.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


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
