"""The command line of the archive: `archive add`, `archive info`, `archive remove`.

Reads arguments, calls the other rooms, prints results to stdout and talk to stderr. What is heavy
is imported when a command runs, not when it is registered.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from detector.console import put, status, tell
from detector.errors import InputError
from detector.options import add_encoder, add_quiet
from detector.showing.plain import dumps

if TYPE_CHECKING:
    from detector.archive.adding import Added
    from detector.archive.archive import Archive
    from detector.archive.articles import Entry

Commands = Any  # argparse keeps the type of a group of subcommands private

DONE, BAD_INPUT = 0, 2

FILES = """\
Files: .txt, .md and .html are a text each; .csv, .tsv, .jsonl and .parquet hold one a row,
in the column text, and if you like id and title."""


def add_archive(commands: Commands) -> None:
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
        epilog=FILES,
    )
    add.add_argument("archive", metavar="ARCHIVE", help="made if it is not there")
    add.add_argument("files", nargs="+", metavar="FILE")
    add_reading(add)
    add.set_defaults(run=_add)

    info = archive.add_parser("info", help="say what an archive holds")
    info.add_argument("archive", metavar="ARCHIVE")
    info.add_argument("--format", choices=("text", "json"), default="text", help="(text)")
    info.set_defaults(run=_info)

    remove = archive.add_parser("remove", help="take articles out")
    remove.add_argument("archive", metavar="ARCHIVE")
    remove.add_argument("ids", nargs="+", metavar="ID", help="id of an article")
    remove.set_defaults(run=_remove)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Take how texts are read, and with which encoder."""
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first text that cannot be used"
    )
    parser.add_argument("--encoding", help="character encoding of texts and pages (detected)")
    add_encoder(parser)
    add_quiet(parser)


def _add(arguments: argparse.Namespace) -> int:
    from detector.archive.adding import Added

    archive = archive_of(arguments)
    so_far = Added()

    def stored(done: Added) -> None:
        nonlocal so_far
        so_far = done

    with shown_entries(arguments, arguments.files, lambda: f"{so_far.n_added:,} new") as entries:
        done = archive.add(entries, refused=refuser(arguments), stored=stored)
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


def archive_of(arguments: argparse.Namespace) -> Archive:
    """Return the archive, with its encoder loaded."""
    from detector.archive.archive import Archive
    from detector.encode import MiniLMEncoder

    with status("loading the encoder", quiet=arguments.quiet):
        encoder = MiniLMEncoder(arguments.encoder, precision=arguments.precision)
    return Archive(arguments.archive, encoder=encoder)


def refuser(arguments: argparse.Namespace) -> Callable[[str, str], None]:
    """Return what tells of a text that is left out, and stops there by --strict."""

    def refuse(place: str, reason: str) -> None:
        if arguments.strict:
            msg = f"{place}: {reason}"
            raise InputError(msg)
        tell(f"detector: left out: {place}: {reason}")

    return refuse


@contextmanager
def shown_entries(
    arguments: argparse.Namespace, files: Sequence[str], saying: Callable[[], str]
) -> Iterator[Iterator[Entry]]:
    """Give what the files hold, and show on a terminal how far that has come."""
    from tqdm import tqdm

    from detector.archive.articles import count_articles, read_articles

    hidden = arguments.quiet or not sys.stderr.isatty()
    total = None if hidden else count_articles(files)
    with tqdm(total=total, unit="text", desc="reading", disable=hidden) as bar:

        def entries() -> Iterator[Entry]:
            for entry in read_articles(files, encoding=arguments.encoding):
                yield entry
                bar.set_postfix_str(saying(), refresh=False)
                bar.update()

        yield entries()
