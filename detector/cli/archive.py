"""The commands `archive` and `match`.

Matches and archives as lines for a person, and as plain records. Pure; all text is made safe.

The command line of the archive: `archive add`, `archive info`, `archive remove`.

Reads arguments, calls the other rooms, prints results to stdout and talk to stderr. What is heavy
is imported when a command runs, not when it is registered.

The command `detector match`: suspects against an archive, shown one by one or into a folder.

Reads arguments, calls the other rooms, prints results to stdout and talk to stderr. What is heavy
is imported when the command runs, not when it is registered.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.archive.archive import Info
from detector.archive.match import Candidate, Match
from detector.batch.inputs import SUSPECT_SHARD_ROWS
from detector.cli.batch import absolute, add_engine, carry_out
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
from detector.records import Relation
from detector.report.serialise import dumps, relation_record
from detector.text.escape import safe

if TYPE_CHECKING:
    from detector.archive.add import Added
    from detector.archive.archive import Archive
    from detector.archive.articles import Entry

_LONGEST = 80  # characters of a title


def match_lines(name: str, match: Match) -> Iterator[str]:
    """Yield what was found for one suspect, a line each; without the report.

    Parameters
    ----------
    name : str
        Of the suspect.
    match : Match
    """
    yield safe(name)
    if not match.candidates:
        yield "  no article of the archive is like it"
        return
    for rank, one in enumerate(match.candidates, start=1):
        title = f"  {safe(one.title)[:_LONGEST]}" if one.title else ""
        yield f"  {rank}. {safe(one.id)}{title}"
        yield f"     explains {one.share:.2f} of it{_parts(one, match.n_sentences)}"
        if one.relation is not None:
            yield f"     {_relation(one.relation)}"
            yield from (f"     - {safe(why)}" for why in one.relation.evidence)


def match_record(name: str, match: Match) -> dict[str, Any]:
    """Return a match as plain dicts, lists, strings and numbers."""
    return {
        "suspect": name,
        "n_sentences": match.n_sentences,
        "candidates": [
            {
                "id": one.id,
                "title": one.title,
                "share": one.share,
                "sentences": list(one.sentences),
                "relation": None if one.relation is None else relation_record(one.relation),
            }
            for one in match.candidates
        ],
        "report": None if match.report is None else match.report.to_dict(),
    }


def info_record(info: Info) -> dict[str, Any]:
    """Return what an archive holds as plain values."""
    return {
        "articles": info.n_articles,
        "sentences": info.n_sentences,
        "bytes": info.n_bytes,
        "encoder": info.encoder.to_dict(),
        "index": {
            "kind": info.index.kind,
            "indexed": info.index.n_indexed,
            "left": info.index.n_left,
        },
    }


def info_lines(info: Info) -> Iterator[str]:
    """Yield what an archive holds, a line each."""
    encoder = info.encoder
    yield f"articles   {info.n_articles:,}"
    yield f"sentences  {info.n_sentences:,}"
    yield f"disk       {info.n_bytes / 2**20:,.1f} MiB"
    yield (
        f"encoder    {safe(encoder.name)}@{encoder.weights_sha256[:12]}/{encoder.precision}, "
        f"{encoder.dimension} dimensions"
    )
    if info.index.kind:
        yield (
            f"index      {safe(info.index.kind)}, {info.index.n_indexed:,} sentences, "
            f"{info.index.n_left:,} not yet in it"
        )
    else:
        yield "index      none: every sentence is looked at"


def runs(sentences: Sequence[int]) -> str:
    """Return sentence numbers, counted from 1, as runs.

    Examples
    --------
    >>> runs([0, 1, 2, 6])
    '1-3, 7'
    """
    parts = []
    for _, group in groupby(enumerate(sentences), key=lambda pair: pair[1] - pair[0]):
        numbers = [number + 1 for _, number in group]
        parts.append(f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}")
    return ", ".join(parts)


def _parts(one: Candidate, n: int) -> str:
    if not one.sentences:
        return ""
    return f": sentences {runs(one.sentences)} of {n}"


def _relation(relation: Relation) -> str:
    ranked = sorted(relation.probabilities.items(), key=lambda item: -item[1])
    said = ", ".join(f"{kind.replace('_', ' ')} {value:.2f}" for kind, value in ranked)
    label = "unsure" if relation.label is None else relation.label.replace("_", " ")
    return f"{label} ({said})"


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
    from detector.archive.add import Added

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
    from detector.encoder import MiniLMEncoder

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
    add_engine(parser, rows="suspects", shard_rows=SUSPECT_SHARD_ROWS)
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
    from detector.archive.store import folder_of
    from detector.batch.inputs import SuspectTable
    from detector.batch.tasks import Matching, Scoring

    Archive(arguments.archive).info()  # says what is wrong with it, before a worker does
    folder = folder_of(arguments.archive)
    table = SuspectTable(
        files=tuple(arguments.suspects),
        folder=Path.cwd(),
        encoding=arguments.encoding,
        shard_rows=arguments.shard_rows or SUSPECT_SHARD_ROWS,
    )
    task = Matching(
        archive=arguments.archive if folder is None else str(folder.absolute()),
        top=arguments.top,
        report=not arguments.no_report,
        scoring=Scoring(**absolute(judging_of(arguments))),
    )
    carry_out(arguments, table, task, row="suspect", doing="matching", done="matched")
    return DONE
