"""The command `detector batch`: a table of pairs scored into a folder of Parquet.

Reads arguments, calls the other rooms in order, results to stdout and talk to stderr. Nothing
heavy is imported before the arguments are known to be good.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from detector.batch.engines import absolute, add_engine, carry_out
from detector.batch.jobs import SHARD_ROWS
from detector.options import add_encoder, add_judging, add_quiet, judging_of

Commands = Any  # argparse keeps the type of a group of subcommands private

DONE = 0

_EPILOG = """\
PAIRS is a .csv, .tsv, .jsonl or .parquet table in UTF-8 with columns
  source, copy            texts, or
  source_path, copy_path  text files or saved pages, from the table's own folder
  id                      if you like, what a pair is called

OUT becomes a folder with
  pairs/*.parquet         a row for each pair: error, matched, severity, counts
  sentences/*.parquet     a row for each copy sentence, as in `score --format jsonl`
  manifest.jsonl          what is finished, and what made it

Stopped at any moment, even by kill -9, the same command goes on where it was. Another model,
version or table is refused. A row that cannot be scored becomes a row of `pairs` with its `error`.

examples:
  detector batch pairs.csv -o scored
  detector batch pairs.parquet -o scored --workers 8 --no-tagger
  detector batch pairs.jsonl -o scored --engine ray                  Ray on this machine
  detector batch pairs.jsonl -o scored --engine ray --address auto   on a Ray cluster's own node
"""


def add_batch(commands: Commands) -> None:
    """Register the command.

    Parameters
    ----------
    commands : argparse subparsers
        The command sets `run`, a function of the parsed arguments that returns the exit code.
    """
    parser = commands.add_parser(
        "batch",
        help="score a table of pairs into a folder, and go on after a stop",
        description="Score every pair of a table into a folder of Parquet.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pairs", metavar="PAIRS", type=Path, help="table of pairs, see below")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="OUT",
        required=True,
        help="folder to write to: new, empty, or of a batch that was stopped",
    )
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first row that cannot be scored"
    )
    add_engine(parser, rows="pairs", shard_rows=SHARD_ROWS)
    add_encoder(parser)
    add_judging(parser)
    add_quiet(parser)
    parser.set_defaults(run=_batch)


def _batch(arguments: argparse.Namespace) -> int:
    from detector.batch.pairs import PairTable
    from detector.batch.scoring import Scoring

    # Absolute, since a worker on a cluster may start elsewhere.
    path = arguments.pairs.absolute()
    table = PairTable(path=path, shard_rows=arguments.shard_rows or SHARD_ROWS)
    task = Scoring(**absolute(judging_of(arguments)))
    carry_out(arguments, table, task, row="pair", doing="scoring", done="scored")
    return DONE
