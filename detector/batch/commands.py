"""The command `detector batch`: a table of pairs scored into a folder of Parquet.

Reads arguments, calls the other rooms in order, results to stdout and talk to stderr. Nothing
heavy is imported before the arguments are known to be good.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.console import put, status, tell
from detector.options import add_encoder, add_quiet, count
from detector.showing.display import safe

if TYPE_CHECKING:
    from detector.batch.cluster import RayEngine
    from detector.batch.local import LocalEngine
    from detector.batch.runs import Progress
    from detector.batch.work import Task

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
    parser.add_argument(
        "--restart", action="store_true", help="delete the batch that OUT holds and begin anew"
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
        help="pairs of a file at most (default 512); what is lost by a stop is at most a file a "
        "worker",
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
    _add_scorer(parser)
    add_quiet(parser)
    parser.set_defaults(run=_batch)


def _add_scorer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, metavar="FOLDER", help="model bundle to judge with")
    add_encoder(parser)
    parser.add_argument(
        "--no-tagger",
        dest="tagger",
        action="store_const",
        const=None,
        default="bundled",
        help="do not read word by word: no spans, less time",
    )
    for name, what in (("threshold", "a row is flagged"), ("name-threshold", "a name is damaged")):
        parser.add_argument(
            f"--{name}", type=float, help=f"probability in [0, 1] from which {what}"
        )


def _batch(arguments: argparse.Namespace) -> int:
    from detector.batch import runs
    from detector.batch.pairs import SHARD_ROWS, PairTable
    from detector.batch.work import Scoring

    table = PairTable(path=arguments.pairs, shard_rows=arguments.shard_rows or SHARD_ROWS)
    task = Scoring(
        encoder=arguments.encoder,
        bundle=None if arguments.bundle is None else arguments.bundle.resolve(),
        threshold=arguments.threshold,
        name_threshold=arguments.name_threshold,
        precision=arguments.precision,
        tagger=arguments.tagger,
    )
    with _engine(arguments, task) as engine, _bar(quiet=arguments.quiet) as progress:
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
        f"{end.n_rows} pairs, {end.n_errors} of them with an error, in {safe(str(arguments.out))}"
        f" ({end.n_done - end.n_before} scored now)\n"
    )
    return DONE


def _engine(
    arguments: argparse.Namespace, task: Task
) -> AbstractContextManager[LocalEngine | RayEngine]:
    from detector.errors import InputError

    if arguments.engine == "local":
        if arguments.address is not None:
            msg = f"--address {arguments.address} is for --engine ray; give that too"
            raise InputError(msg)
        from detector.batch.local import LocalEngine

        return LocalEngine(task, workers=arguments.workers)
    from detector.batch.cluster import RayEngine

    with status("joining Ray", quiet=arguments.quiet):
        return RayEngine(task, workers=arguments.workers, address=arguments.address)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[Progress], object]]:
    """Show pairs done, their rate and the time left; on a terminal only."""
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    told = False
    with tqdm(unit="pair", desc="scoring", disable=hidden) as bar:

        def show(now: Progress) -> None:
            nonlocal told
            if not told:
                told = True
                bar.reset(total=now.n_rows)
                bar.initial = bar.n = now.n_before
                if not quiet:
                    _tell_start(now)
            bar.set_postfix(errors=now.n_errors, refresh=False)
            bar.update(now.n_done - bar.n)

        yield show


def _tell_start(now: Progress) -> None:
    if now.n_before or now.damaged:
        tell(f"detector: going on after {now.n_before} of {now.n_rows} pairs")
    for name in now.damaged:
        tell(f"detector: {name} is damaged or missing; its shard is made anew")
