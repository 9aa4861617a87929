"""Options that several commands of the command line take, so that they read alike everywhere.

Nothing is computed or loaded here.
"""

from __future__ import annotations

import argparse
from pathlib import Path


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
