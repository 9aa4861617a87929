"""Run `batch`: score a table of pairs into a folder of Parquet.

It also holds what every command that writes such a folder shares. Nothing heavy is imported before
the arguments are known to be good.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.batch.inputs import SHARD_ROWS
from detector.cli import options as cli
from detector.errors import InputError
from detector.text.escape import safe

if TYPE_CHECKING:
    from detector.batch.inputs import Table
    from detector.batch.ray import RayEngine
    from detector.batch.run import LocalEngine, Progress
    from detector.batch.tasks import Task

RESUME_NOTE = """\
Interrupt the command at any moment, even by kill -9: run again, it continues. A folder made by
another model, version or table is refused."""

_NOTES = f"""\
PAIRS is a .csv, .tsv, .jsonl or .parquet table in UTF-8 with columns
  source, copy            texts, or
  source_path, copy_path  text files or saved pages, relative to the table's own folder
  id                      optional name of the pair

OUT becomes a folder with
  pairs/*.parquet         one row for each pair: error, matched, severity, counts
  sentences/*.parquet     one row for each copy sentence, as in `score --format jsonl`
  manifest.jsonl          finished files, and the signature that made them

A pair that cannot be scored becomes a row of `pairs` with its `error`.

{RESUME_NOTE}"""


def add_batch(commands: cli.Commands) -> None:
    """Add the command `batch`."""
    parser = cli.add_command(
        commands,
        "batch",
        "score a table of pairs into a folder, and resume after a stop",
        description="Score every pair of a table into a folder of Parquet.",
        notes=_NOTES,
        examples=(
            "detector batch pairs.csv -o scored",
            "detector batch pairs.parquet -o scored --workers 8 --no-tagger",
            "detector batch pairs.jsonl -o scored --engine ray   # Ray on this machine",
            "detector batch pairs.jsonl -o scored --engine ray --address auto   # a Ray cluster",
        ),
    )
    parser.add_argument("pairs", metavar="PAIRS", type=Path, help="table of pairs, see below")
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first row that cannot be scored"
    )
    add_run(parser, rows="pairs", shard_rows=SHARD_ROWS, required=True)
    cli.add_encoder(parser)
    cli.add_scoring(parser)
    cli.add_quiet(parser)
    parser.set_defaults(run=_batch)


def add_run(parser: argparse.ArgumentParser, *, rows: str, shard_rows: int, required: bool) -> None:
    """Add the options of a run in shards of rows ("pairs", "suspects") into a folder."""
    out = "write to this folder: new, empty, or of an interrupted run"
    parser.add_argument("-o", "--out", type=Path, metavar="OUT", required=required, help=out)
    parser.add_argument("--restart", action="store_true", help="empty OUT and start over")
    parser.add_argument(
        "--workers",
        type=cli.positive,
        metavar="N",
        help="processes (or Ray actors) of one thread and about 750 MiB each (default: one for "
        "each core)",
    )
    parser.add_argument(
        "--shard-rows",
        type=cli.positive,
        metavar="N",
        help=f"{rows} in one file (default: {shard_rows}); if interrupted, each worker loses at "
        "most one unfinished file",
    )
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="where to compute (local)"
    )
    parser.add_argument(
        "--address",
        metavar="ADDRESS",
        help="with --engine ray: auto or HOST:PORT of a running cluster, from one of its nodes "
        "(default: start Ray on this machine)",
    )


def _batch(arguments: argparse.Namespace) -> int:
    from detector.batch.inputs import PairTable
    from detector.batch.tasks import Scoring

    path = arguments.pairs.absolute()
    table = PairTable(path=path, shard_rows=arguments.shard_rows or SHARD_ROWS)
    task = Scoring(**absolute_paths(cli.scorer_options(arguments)))
    return run_batch(arguments, table, task, row="pair", doing="scoring", done="scored")


def run_batch(  # noqa: PLR0913 - words, each by its name
    arguments: argparse.Namespace, table: Table, task: Task, *, row: str, doing: str, done: str
) -> int:
    """Run a task on the rows of a table as the arguments ask, and print the counts.

    `row`, `doing` and `done` are words for messages, such as "pair", "scoring" and "scored".
    """
    from detector.batch import run as runs

    with (
        _engine(arguments, task) as engine,
        _show_progress(row, doing, quiet=arguments.quiet) as progress,
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
    cli.print_result(
        f"{end.n_rows} {row}s, {end.n_errors} of them with an error, in "
        f"{safe(str(arguments.out))} ({end.n_done - end.n_before} {done} now)\n"
    )
    return cli.DONE


def absolute_paths(options: Mapping[str, Any]) -> dict[str, Any]:
    """Make the paths among options absolute, since a worker may start in another folder.

    The encoder is a path where a folder of that name exists, and else the name of a model.
    """
    return {
        name: Path(value).absolute()
        if isinstance(value, Path)
        or (name == "encoder" and isinstance(value, str) and Path(value).is_dir())
        else value
        for name, value in options.items()
    }


def _engine(
    arguments: argparse.Namespace, task: Task
) -> AbstractContextManager[LocalEngine | RayEngine]:
    if arguments.engine == "local":
        if arguments.address is not None:
            msg = f"--address {arguments.address} is for --engine ray; give that too"
            raise InputError(msg)
        from detector.batch.run import LocalEngine

        return LocalEngine(task, workers=arguments.workers)
    from detector.batch.ray import RayEngine

    with cli.status("joining Ray", quiet=arguments.quiet):
        return RayEngine(task, workers=arguments.workers, address=arguments.address)


@contextmanager
def _show_progress(unit: str, doing: str, *, quiet: bool) -> Iterator[Callable[[Progress], object]]:
    """Show finished rows, their rate and the time left; on a terminal only."""
    started = False
    with cli.progress_bar(doing, unit, quiet=quiet) as bar:

        def show(progress: Progress) -> None:
            nonlocal started
            if not started:
                started = True
                bar.reset(total=progress.n_rows)
                bar.initial = bar.n = progress.n_before
                if not quiet:
                    _print_start(progress, unit)
            bar.set_postfix(errors=progress.n_errors, refresh=False)
            bar.update(progress.n_done - bar.n)

        yield show


def _print_start(progress: Progress, unit: str) -> None:
    if progress.n_before or progress.damaged:
        cli.print_message(
            f"detector: going on after {progress.n_before} of {progress.n_rows} {unit}s"
        )
    for name in progress.damaged:
        cli.print_message(f"detector: {name} is damaged or missing; its shard is made anew")
