"""Run `archive add`, `archive info`, `archive remove` and `match`.

Heavy modules are imported when a command runs, not when it is added.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.batch.inputs import SUSPECT_SHARD_ROWS
from detector.cli import options as cli
from detector.cli.batch import RESUME_NOTE, absolute_paths, add_run, run_batch
from detector.errors import InputError
from detector.report.serialise import dumps, relation_record
from detector.text.escape import safe

if TYPE_CHECKING:
    from detector.archive.add import Added
    from detector.archive.archive import Archive, Info
    from detector.archive.articles import Entry
    from detector.archive.match import Candidate, Match
    from detector.records import Relation

_MAX_TITLE = 80  # characters
_FILES_NOTE = """\
FILES: .txt, .md and .html hold one text each. Tables (.csv, .tsv, .jsonl, .parquet) hold one text
in each row, in the column text, with optional columns id and title."""
_OUT_NOTE = f"""\
With --out, OUT becomes a folder with
  suspects/*.parquet      one row for each suspect: error, likeliest source, relation, counts
  candidates/*.parquet    one row for each candidate source, by rank
  sentences/*.parquet     one row for each sentence of a suspect, against its likeliest source
  manifest.jsonl          finished files, and the signature that made them

{RESUME_NOTE}"""
_FOLDER_ONLY = ("restart", "workers", "shard_rows", "address")


def add_archive(commands: cli.Commands) -> None:
    """Add the commands `archive add`, `archive info` and `archive remove`."""
    archive = cli.add_command(
        commands,
        "archive",
        "build an archive of possible source articles",
        description="Build an archive of possible source articles, for `detector match`. ARCHIVE "
        "is a folder, or an address that LanceDB takes, such as s3://bucket/archive.",
        examples=(
            "detector archive add my_archive articles/*.txt",
            "detector archive info my_archive",
        ),
    )
    actions = archive.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = cli.add_command(
        actions,
        "add",
        "add articles",
        description="Add articles. A text that the archive holds already is skipped, so after a "
        "stop the same command continues.",
        notes=_FILES_NOTE.replace("FILES", "FILE"),
        examples=("detector archive add my_archive articles/*.txt more.jsonl",),
    )
    add.add_argument("archive", metavar="ARCHIVE", help="archive to add to; created if missing")
    add.add_argument("files", nargs="+", metavar="FILE", help="texts or tables, see below")
    _add_text_options(add)
    add.set_defaults(run=_add)

    example = "detector archive info my_archive"
    info = cli.add_command(
        actions,
        "info",
        "show counts, size, encoder and index of an archive",
        examples=(example, f"{example} --format json"),
    )
    info.add_argument("archive", metavar="ARCHIVE", help="archive to describe")
    info.add_argument(
        "--format", choices=("text", "json"), default="text", help="format of the result (text)"
    )
    info.set_defaults(run=_info)

    example = "detector archive remove my_archive ID"
    remove = cli.add_command(actions, "remove", "remove articles by their ids", examples=(example,))
    remove.add_argument("archive", metavar="ARCHIVE", help="archive to remove from")
    remove.add_argument("ids", nargs="+", metavar="ID", help="id of an article")
    remove.set_defaults(run=_remove)


def add_match(commands: cli.Commands) -> None:
    """Add the command `match`."""
    parser = cli.add_command(
        commands,
        "match",
        "find the source of suspects in an archive",
        description="Find for every suspect the articles that it may come from, its relation to "
        "each, and a report against the first.",
        notes=f"{_FILES_NOTE.replace('FILES', 'SUSPECT')}\n\n{_OUT_NOTE}",
        examples=(
            "detector match my_archive suspect.txt",
            "detector match my_archive suspects.jsonl --format jsonl --no-report > found.jsonl",
            "detector match my_archive suspects.parquet -o found --workers 8",
            "detector match my_archive suspects.parquet -o found --engine ray --address auto",
        ),
    )
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to search")
    parser.add_argument("suspects", nargs="+", metavar="SUSPECT", help="texts or tables, see below")
    parser.add_argument(
        "--top", type=cli.positive, default=5, metavar="N", help="candidates for each suspect (5)"
    )
    parser.add_argument("--no-report", action="store_true", help="only list the candidates")
    parser.add_argument(
        "--format", choices=("text", "jsonl"), help="text, or jsonl with whole reports (text)"
    )
    add_run(parser, rows="suspects", shard_rows=SUSPECT_SHARD_ROWS, required=False)
    cli.add_scoring(parser)
    _add_text_options(parser)
    parser.set_defaults(run=_match)


def _add_text_options(parser: argparse.ArgumentParser) -> None:
    """Add how texts are read and encoded."""
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first text that cannot be used"
    )
    parser.add_argument(
        "--encoding", help="character encoding of texts and pages (default: detected)"
    )
    cli.add_encoder(parser)
    cli.add_quiet(parser)


def _add(arguments: argparse.Namespace) -> int:
    from detector.archive.add import Added

    archive = _open(arguments)
    so_far = Added()

    def stored(done: Added) -> None:
        nonlocal so_far
        so_far = done

    with _entries(arguments, arguments.files, lambda: f"{so_far.n_added:,} new") as entries:
        done = archive.add(entries, refused=_refuser(arguments), stored=stored)
    cli.print_result(
        f"{done.n_added} articles added ({done.n_sentences} sentences), {done.n_known} were there, "
        f"{done.n_refused} left out\n"
    )
    return cli.BAD_INPUT if done.n_refused and not done.n_added + done.n_known else cli.DONE


def _info(arguments: argparse.Namespace) -> int:
    from detector.archive.archive import Archive

    info = Archive(arguments.archive).info()
    as_json = arguments.format == "json"
    text = dumps(_info_record(info), indent=1) if as_json else "\n".join(_info_lines(info))
    cli.print_result(f"{text}\n")
    return cli.DONE


def _remove(arguments: argparse.Namespace) -> int:
    from detector.archive.archive import Archive

    removed = set(Archive(arguments.archive).remove(arguments.ids))
    for name in arguments.ids:
        if name not in removed:
            cli.print_message(f"detector: {name}: no article has this id")
    cli.print_result(f"{len(removed)} articles taken out\n")
    return cli.DONE if removed else cli.BAD_INPUT


def _match(arguments: argparse.Namespace) -> int:
    if arguments.out is None:
        given = [name for name in _FOLDER_ONLY if getattr(arguments, name)]
        given += ["engine"] * (arguments.engine != "local")
        if given:
            msg = f"--{given[0].replace('_', '-')} is for results in a folder; give --out too"
            raise InputError(msg)
        return _match_to_stdout(arguments)
    if arguments.format is not None:
        msg = f"--format {arguments.format} is for results that are printed; leave out it or --out"
        raise InputError(msg)
    return _match_to_folder(arguments)


def _match_to_stdout(arguments: argparse.Namespace) -> int:
    from detector.archive.match import match
    from detector.scorer import Scorer

    archive = _open(arguments)
    archive.check()
    with cli.status("loading the model", quiet=arguments.quiet):
        scorer = Scorer(**{**cli.scorer_options(arguments), "encoder": archive.encoder})
    refuse, n_done = _refuser(arguments), 0
    with _entries(arguments, arguments.suspects, lambda: f"{n_done:,} suspects") as entries:
        for entry in entries:
            if entry.article is None:
                refuse(entry.place, entry.reason)
                continue
            name, text = entry.article.id, entry.article.text
            report = not arguments.no_report
            try:
                found = match(text, archive, scorer=scorer, top=arguments.top, report=report)
            except InputError as err:
                refuse(entry.place, str(err))
                continue
            n_done += 1
            if arguments.format == "jsonl":
                cli.print_result(dumps(_match_record(name, found)) + "\n")
                continue
            cli.print_result("".join(f"{line}\n" for line in _match_lines(name, found)))
            if found.report is not None:
                cli.print_result(f"\n{found.report.summary()}\n\n")
    return cli.DONE if n_done else cli.BAD_INPUT


def _match_to_folder(arguments: argparse.Namespace) -> int:
    from detector.archive.archive import Archive
    from detector.archive.store import folder_of
    from detector.batch.inputs import SuspectTable
    from detector.batch.tasks import Matching, Scoring

    Archive(arguments.archive).info()  # reports a broken archive before a worker does
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
        scoring=Scoring(**absolute_paths(cli.scorer_options(arguments))),
    )
    return run_batch(arguments, table, task, row="suspect", doing="matching", done="matched")


def _open(arguments: argparse.Namespace) -> Archive:
    """Return the archive, with its encoder loaded."""
    from detector.archive.archive import Archive
    from detector.encoder import MiniLMEncoder

    with cli.status("loading the encoder", quiet=arguments.quiet):
        encoder = MiniLMEncoder(arguments.encoder, precision=arguments.precision)
    return Archive(arguments.archive, encoder=encoder)


def _refuser(arguments: argparse.Namespace) -> Callable[[str, str], None]:
    """Return a function that reports a text as left out, and under --strict raises."""

    def refuse(place: str, reason: str) -> None:
        if arguments.strict:
            msg = f"{place}: {reason}"
            raise InputError(msg)
        cli.print_message(f"detector: left out: {place}: {reason}")

    return refuse


@contextmanager
def _entries(
    arguments: argparse.Namespace, files: Sequence[str], postfix: Callable[[], str]
) -> Iterator[Iterator[Entry]]:
    """Give the texts of the files, and show progress on a terminal."""
    from detector.archive.articles import count_articles, read_articles

    total = count_articles(files) if not arguments.quiet and sys.stderr.isatty() else None
    with cli.progress_bar("reading", "text", total=total, quiet=arguments.quiet) as bar:

        def entries() -> Iterator[Entry]:
            for entry in read_articles(files, encoding=arguments.encoding):
                yield entry
                bar.set_postfix_str(postfix(), refresh=False)
                bar.update()

        yield entries()


def _info_record(info: Info) -> dict[str, Any]:
    index = info.index
    return {
        "articles": info.n_articles,
        "sentences": info.n_sentences,
        "bytes": info.n_bytes,
        "encoder": info.encoder.to_dict(),
        "index": {"kind": index.kind, "indexed": index.n_indexed, "left": index.n_left},
    }


def _info_lines(info: Info) -> Iterator[str]:
    encoder, index = info.encoder, info.index
    yield f"articles   {info.n_articles:,}"
    yield f"sentences  {info.n_sentences:,}"
    yield f"disk       {info.n_bytes / 2**20:,.1f} MiB"
    yield (
        f"encoder    {safe(encoder.name)}@{encoder.weights_sha256[:12]}/{encoder.precision}, "
        f"{encoder.dimension} dimensions"
    )
    how = "none: every sentence is compared"
    if index.kind:
        counts = f"{index.n_indexed:,} sentences, {index.n_left:,} not yet in it"
        how = f"{safe(index.kind)}, {counts}"
    yield f"index      {how}"


def _match_record(name: str, match: Match) -> dict[str, Any]:
    return {
        "suspect": name,
        "n_sentences": match.n_sentences,
        "candidates": [
            {
                "id": found.id,
                "title": found.title,
                "share": found.share,
                "sentences": list(found.sentences),
                "relation": None if found.relation is None else relation_record(found.relation),
            }
            for found in match.candidates
        ],
        "report": None if match.report is None else match.report.to_dict(),
    }


def _match_lines(name: str, match: Match) -> Iterator[str]:
    yield safe(name)
    if not match.candidates:
        yield "  no article of the archive is like it"
    for rank, candidate in enumerate(match.candidates, start=1):
        yield from _candidate_lines(rank, candidate, match.n_sentences)


def _candidate_lines(rank: int, candidate: Candidate, n_sentences: int) -> Iterator[str]:
    title = f"  {safe(candidate.title)[:_MAX_TITLE]}" if candidate.title else ""
    yield f"  {rank}. {safe(candidate.id)}{title}"
    sentences = candidate.sentences
    part = f": sentences {sentence_ranges(sentences)} of {n_sentences}" if sentences else ""
    yield f"     explains {candidate.share:.2f} of it{part}"
    if candidate.relation is not None:
        yield f"     {_relation_line(candidate.relation)}"
        yield from (f"     - {safe(reason)}" for reason in candidate.relation.evidence)


def sentence_ranges(numbers: Sequence[int]) -> str:
    """Return sentence numbers as ranges that count from 1.

    Examples
    --------
    >>> sentence_ranges([0, 1, 2, 6])
    '1-3, 7'
    """
    parts = []
    for _, group in groupby(enumerate(numbers, start=1), key=lambda pair: pair[1] - pair[0]):
        run = [number + 1 for _, number in group]
        parts.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}")
    return ", ".join(parts)


def _relation_line(relation: Relation) -> str:
    ranked = sorted(relation.probabilities.items(), key=lambda item: -item[1])
    kinds = ", ".join(f"{kind.replace('_', ' ')} {value:.2f}" for kind, value in ranked)
    label = "unsure" if relation.label is None else relation.label.replace("_", " ")
    return f"{label} ({kinds})"
