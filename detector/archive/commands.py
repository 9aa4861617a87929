"""The command line of the archive: `archive add`, `archive info`, `archive remove`, `match`.

Reads arguments, calls the other rooms, prints results to stdout and talk to stderr. What is heavy
is imported when a command runs, not when it is registered.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.console import put, status, tell
from detector.errors import InputError
from detector.options import add_encoder, add_quiet, count
from detector.showing.plain import dumps

if TYPE_CHECKING:
    from detector.archive.adding import Added
    from detector.archive.archive import Archive
    from detector.archive.articles import Entry

Commands = Any  # argparse keeps the type of a group of subcommands private

DONE, BAD_INPUT = 0, 2

_FILES = (
    "Files: .txt, .md and .html are a text each; .csv, .tsv, .jsonl and .parquet hold one a row, "
    "in the column text, and if you like id and title."
)


def add_parsers(commands: Commands) -> None:
    """Register the commands.

    Parameters
    ----------
    commands : argparse subparsers
        Each command sets `run`, a function of the parsed arguments that returns the exit code.
    """
    archive = commands.add_parser(
        "archive",
        help="keep articles to find the sources of suspects in",
        description="Keep articles to find the sources of suspects in. ARCHIVE is a folder, or an "
        "address that LanceDB takes, such as s3://bucket/archive.",
    ).add_subparsers(dest="action", metavar="ACTION", required=True)
    add = archive.add_parser(
        "add",
        help="add articles",
        description="Add articles. Those that are there already, by their text, are passed over, "
        "so what was stopped goes on when it is called again.",
        epilog=_FILES,
    )
    add.add_argument("archive", metavar="ARCHIVE", help="made if it is not there")
    add.add_argument("files", nargs="+", metavar="FILE")
    _add_reading(add)
    add.set_defaults(run=_add)

    info = archive.add_parser("info", help="say what an archive holds")
    info.add_argument("archive", metavar="ARCHIVE")
    info.add_argument("--format", choices=("text", "json"), default="text", help="(text)")
    info.set_defaults(run=_info)

    remove = archive.add_parser("remove", help="take articles out")
    remove.add_argument("archive", metavar="ARCHIVE")
    remove.add_argument("ids", nargs="+", metavar="ID", help="id of an article")
    remove.set_defaults(run=_remove)

    match = commands.add_parser(
        "match",
        help="find the source of suspects in an archive",
        description="For every suspect: the articles it may come from, what it is to each, and a "
        "report against the first.",
        epilog=_FILES,
    )
    match.add_argument("archive", metavar="ARCHIVE")
    match.add_argument("suspects", nargs="+", metavar="SUSPECT")
    match.add_argument("--top", type=count, default=5, metavar="N", help="candidates (5)")
    match.add_argument("--no-report", action="store_true", help="the candidates alone")
    match.add_argument(
        "--format",
        choices=("text", "jsonl"),
        default="text",
        help="form of the result; jsonl is an object for each suspect, the whole report in it",
    )
    match.add_argument("--bundle", type=Path, metavar="FOLDER", help="model bundle to judge with")
    _add_reading(match)
    match.set_defaults(run=_match)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first text that cannot be used"
    )
    parser.add_argument("--encoding", help="character encoding of texts and pages (detected)")
    add_encoder(parser)
    add_quiet(parser)


def _add(arguments: argparse.Namespace) -> int:
    from detector.archive.adding import Added

    archive = _archive(arguments)
    so_far = Added()

    def stored(done: Added) -> None:
        nonlocal so_far
        so_far = done

    with _entries(arguments, lambda: f"{so_far.n_added:,} new") as entries:
        done = archive.add(entries, refused=_refuser(arguments), stored=stored)
    put(
        f"{done.n_added} articles added ({done.n_sentences} sentences), {done.n_known} were there, "
        f"{done.n_refused} left out\n"
    )
    return BAD_INPUT if done.n_refused and not done.n_added + done.n_known else DONE


def _info(arguments: argparse.Namespace) -> int:
    from detector.archive.archive import Archive
    from detector.archive.shown import info_lines, info_record

    info = Archive(arguments.archive).info()
    if arguments.format == "json":
        put(dumps(info_record(info), indent=1) + "\n")
    else:
        put("".join(f"{line}\n" for line in info_lines(info)))
    return DONE


def _remove(arguments: argparse.Namespace) -> int:
    from detector.archive.archive import Archive

    gone = set(Archive(arguments.archive).remove(arguments.ids))
    for name in arguments.ids:
        if name not in gone:
            tell(f"detector: {name}: no article has this id")
    put(f"{len(gone)} articles taken out\n")
    return DONE if gone else BAD_INPUT


def _match(arguments: argparse.Namespace) -> int:
    from detector.archive.match import match
    from detector.archive.shown import match_lines, match_record
    from detector.scorer import Scorer

    archive = _archive(arguments)
    archive.check()
    with status("loading the model", quiet=arguments.quiet):
        scorer = Scorer(encoder=archive.encoder, bundle=arguments.bundle)
    refuse, n_done = _refuser(arguments), 0
    with _entries(arguments, lambda: f"{n_done:,} suspects") as entries:
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


def _archive(arguments: argparse.Namespace) -> Archive:
    from detector.archive.archive import Archive
    from detector.encode import MiniLMEncoder

    with status("loading the encoder", quiet=arguments.quiet):
        encoder = MiniLMEncoder(arguments.encoder, precision=arguments.precision)
    return Archive(arguments.archive, encoder=encoder)


def _refuser(arguments: argparse.Namespace) -> Callable[[str, str], None]:
    def refuse(place: str, reason: str) -> None:
        if arguments.strict:
            msg = f"{place}: {reason}"
            raise InputError(msg)
        tell(f"detector: left out: {place}: {reason}")

    return refuse


@contextmanager
def _entries(arguments: argparse.Namespace, saying: Callable[[], str]) -> Iterator[Iterator[Entry]]:
    """Give what the files hold, and show on a terminal how far that has come."""
    from tqdm import tqdm

    from detector.archive.articles import count_articles, read_articles

    files: Sequence[str] = getattr(arguments, "files", None) or arguments.suspects
    hidden = arguments.quiet or not sys.stderr.isatty()
    total = None if hidden else count_articles(files)
    with tqdm(total=total, unit="text", desc="reading", disable=hidden) as bar:

        def entries() -> Iterator[Entry]:
            for entry in read_articles(files, encoding=arguments.encoding):
                yield entry
                bar.set_postfix_str(saying(), refresh=False)
                bar.update()

        yield entries()
