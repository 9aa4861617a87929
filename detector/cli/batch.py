"""The command `batch`, and the options of commands that work in shards.

What commands that work in shards share: their options, and a run by the engine asked for.

Nothing heavy is imported before the arguments are known to be good.

The command `detector batch`: a table of pairs scored into a folder of Parquet.

Reads arguments, calls the other rooms in order, results to stdout and talk to stderr. Nothing
heavy is imported before the arguments are known to be good.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.batch.inputs import SHARD_ROWS
from detector.cli.options import (
    add_encoder,
    add_judging,
    add_quiet,
    count,
    judging_of,
    put,
    status,
    tell,
)
from detector.errors import InputError
from detector.text.escape import safe

if TYPE_CHECKING:
    from detector.batch.inputs import Table
    from detector.batch.local import LocalEngine
    from detector.batch.ray import RayEngine
    from detector.batch.run import Progress
    from detector.batch.tasks import Task


def add_engine(parser: argparse.ArgumentParser, *, rows: str, shard_rows: int) -> None:
    """Take where and in what shards to compute.

    Parameters
    ----------
    parser : ArgumentParser
    rows : str
        What the rows are, such as "pairs".
    shard_rows : int
        How many of them a shard holds by default.
    """
    parser.add_argument(
        "--restart", action="store_true", help="delete what OUT holds and begin anew"
    )
    parser.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="processes (or Ray actors), one thread and about 750 MiB each; by default one for "
        "each core",
    )
    parser.add_argument(
        "--shard-rows",
        type=count,
        metavar="N",
        help=f"{rows} of a file at most (default {shard_rows}); what is lost by a stop is at most "
        "a file a worker",
    )
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="where to compute (local)"
    )
    parser.add_argument(
        "--address",
        metavar="ADDRESS",
        help="with --engine ray: auto or HOST:PORT of a running cluster, from one of its nodes; "
        "by default Ray is started on this machine",
    )


def carry_out(  # noqa: PLR0913 - words, each by its name
    arguments: argparse.Namespace, table: Table, task: Task, *, row: str, doing: str, done: str
) -> None:
    """Do a table's rows as the arguments say, and tell what came of it.

    Parameters
    ----------
    arguments : Namespace
        With `out`, `strict`, `quiet`, and what `add_engine` took.
    table : Table
    task : Task
    row, doing, done : str
        What a row is and what is done to it, such as "pair", "scoring" and "scored".

    Raises
    ------
    InputError
        See `runs.run`; when an address is given for the local engine, or there is no cluster at it.
    MissingExtra
        When Ray is not installed.
    """
    from detector.batch import run as runs

    with (
        _engine(arguments, task) as engine,
        _bar(row, doing, quiet=arguments.quiet) as progress,
    ):
        end = runs.run(
            table,
            engine,
            tables=task.tables,
            out=arguments.out,
            strict=arguments.strict,
            restart=arguments.restart,
            progress=progress,
        )
    put(
        f"{end.n_rows} {row}s, {end.n_errors} of them with an error, in "
        f"{safe(str(arguments.out))} ({end.n_done - end.n_before} {done} now)\n"
    )


def _engine(
    arguments: argparse.Namespace, task: Task
) -> AbstractContextManager[LocalEngine | RayEngine]:
    """Return the engine that the arguments ask for."""
    if arguments.engine == "local":
        if arguments.address is not None:
            msg = f"--address {arguments.address} is for --engine ray; give that too"
            raise InputError(msg)
        from detector.batch.local import LocalEngine

        return LocalEngine(task, workers=arguments.workers)
    from detector.batch.ray import RayEngine

    with status("joining Ray", quiet=arguments.quiet):
        return RayEngine(task, workers=arguments.workers, address=arguments.address)


def absolute(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with the paths among them made absolute: a worker may start elsewhere.

    The encoder is a path where a folder of that name is there, and else a model's name.
    """
    found = {}
    for name, value in options.items():
        is_path = isinstance(value, Path)
        if name == "encoder" and isinstance(value, str):
            is_path = Path(value).is_dir()
        found[name] = Path(value).absolute() if is_path else value
    return found


@contextmanager
def _bar(unit: str, doing: str, *, quiet: bool) -> Iterator[Callable[[Progress], object]]:
    """Show rows done, their rate and the time left; on a terminal only."""
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    told = False
    with tqdm(unit=unit, desc=doing, disable=hidden) as shown:

        def show(now: Progress) -> None:
            nonlocal told
            if not told:
                told = True
                shown.reset(total=now.n_rows)
                shown.initial = shown.n = now.n_before
                if not quiet:
                    _tell_start(now, unit)
            shown.set_postfix(errors=now.n_errors, refresh=False)
            shown.update(now.n_done - shown.n)

        yield show


def _tell_start(now: Progress, unit: str) -> None:
    if now.n_before or now.damaged:
        tell(f"detector: going on after {now.n_before} of {now.n_rows} {unit}s")
    for name in now.damaged:
        tell(f"detector: {name} is damaged or missing; its shard is made anew")


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
    from detector.batch.inputs import PairTable
    from detector.batch.tasks import Scoring

    # Absolute, since a worker on a cluster may start elsewhere.
    path = arguments.pairs.absolute()
    table = PairTable(path=path, shard_rows=arguments.shard_rows or SHARD_ROWS)
    task = Scoring(**absolute(judging_of(arguments)))
    carry_out(arguments, table, task, row="pair", doing="scoring", done="scored")
    return DONE
