"""The command `detector match`: suspects against an archive, shown one by one or into a folder.

Reads arguments, calls the other rooms, prints results to stdout and talk to stderr. What is heavy
is imported when the command runs, not when it is registered.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from detector.archive.commands import (
    BAD_INPUT,
    DONE,
    FILES,
    add_reading,
    archive_of,
    refuser,
    shown_entries,
)
from detector.batch.engines import absolute, add_engine, carry_out
from detector.batch.suspects import SHARD_ROWS
from detector.console import put, status
from detector.errors import InputError
from detector.options import add_judging, count, judging_of
from detector.showing.plain import dumps

Commands = Any  # argparse keeps the type of a group of subcommands private

_EPILOG = f"""\
{FILES}

With --out, OUT becomes a folder with
  suspects/*.parquet      a row for each suspect: error, likeliest source, relation, counts
  candidates/*.parquet    a row for each candidate source, by rank
  sentences/*.parquet     a row for each sentence of a suspect, against its likeliest source
  manifest.jsonl          what is finished, and what made it

Stopped at any moment, even by kill -9, the same command goes on where it was.

examples:
  detector match my_archive suspect.txt
  detector match my_archive suspects.jsonl --format jsonl --no-report > found.jsonl
  detector match my_archive suspects.parquet -o found --workers 8
  detector match my_archive suspects.parquet -o found --engine ray --address auto
"""
_FOLDER_ONLY = ("restart", "workers", "shard_rows", "address")


def add_match(commands: Commands) -> None:
    """Register the command.

    Parameters
    ----------
    commands : argparse subparsers
        The command sets `run`, a function of the parsed arguments that returns the exit code.
    """
    parser = commands.add_parser(
        "match",
        help="find the source of suspects in an archive",
        description="For every suspect: the articles it may come from, what it is to each, and a "
        "report against the first.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("archive", metavar="ARCHIVE")
    parser.add_argument("suspects", nargs="+", metavar="SUSPECT")
    parser.add_argument("--top", type=count, default=5, metavar="N", help="candidates (5)")
    parser.add_argument("--no-report", action="store_true", help="the candidates alone")
    parser.add_argument(
        "--format",
        choices=("text", "jsonl"),
        help="form of what is printed (text); jsonl is an object for each suspect, the whole "
        "report in it",
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="OUT",
        help="folder to write to instead, by workers: new, empty, or of a run that was stopped",
    )
    add_engine(parser, rows="suspects", shard_rows=SHARD_ROWS)
    add_judging(parser)
    add_reading(parser)
    parser.set_defaults(run=_match)


def _match(arguments: argparse.Namespace) -> int:
    if arguments.out is None:
        given = [name for name in _FOLDER_ONLY if getattr(arguments, name)]
        given += ["engine"] * (arguments.engine != "local")
        if given:
            msg = f"--{given[0].replace('_', '-')} is for results in a folder; give --out too"
            raise InputError(msg)
        return _print(arguments)
    if arguments.format is not None:
        msg = f"--format {arguments.format} is for results that are printed; leave out it or --out"
        raise InputError(msg)
    return _write(arguments)


def _print(arguments: argparse.Namespace) -> int:
    from detector.archive.match import match
    from detector.archive.shown import match_lines, match_record
    from detector.scorer import Scorer

    archive = archive_of(arguments)
    archive.check()
    with status("loading the model", quiet=arguments.quiet):
        scorer = Scorer(**{**judging_of(arguments), "encoder": archive.encoder})
    refuse, n_done = refuser(arguments), 0
    with shown_entries(arguments, arguments.suspects, lambda: f"{n_done:,} suspects") as entries:
        for entry in entries:
            if entry.article is None:
                refuse(entry.place, entry.reason)
                continue
            try:
                found = match(
                    entry.article.text,
                    archive,
                    scorer=scorer,
                    top=arguments.top,
                    report=not arguments.no_report,
                )
            except InputError as err:
                refuse(entry.place, str(err))
                continue
            n_done += 1
            if arguments.format == "jsonl":
                put(dumps(match_record(entry.article.id, found)) + "\n")
                continue
            put("".join(f"{line}\n" for line in match_lines(entry.article.id, found)))
            if found.report is not None:
                put(f"\n{found.report.summary()}\n\n")
    return DONE if n_done else BAD_INPUT


def _write(arguments: argparse.Namespace) -> int:
    from detector.archive.archive import Archive
    from detector.archive.tables import folder_of
    from detector.batch.matching import Matching
    from detector.batch.scoring import Scoring
    from detector.batch.suspects import SuspectTable

    Archive(arguments.archive).info()  # says what is wrong with it, before a worker does
    folder = folder_of(arguments.archive)
    table = SuspectTable(
        files=tuple(arguments.suspects),
        folder=Path.cwd(),
        encoding=arguments.encoding,
        shard_rows=arguments.shard_rows or SHARD_ROWS,
    )
    task = Matching(
        archive=arguments.archive if folder is None else str(folder.absolute()),
        top=arguments.top,
        report=not arguments.no_report,
        scoring=Scoring(**absolute(judging_of(arguments))),
    )
    carry_out(arguments, table, task, row="suspect", doing="matching", done="matched")
    return DONE
