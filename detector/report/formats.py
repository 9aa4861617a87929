"""Write reports as tables (frame, CSV, JSON lines, TSV) and choose the format by name.

A frame and JSON hold the texts exactly; CSV and TSV hold them made safe for a spreadsheet and a
terminal. Nothing here opens a file.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from detector.errors import InputError
from detector.records import Alignment, Document, Row
from detector.report.serialise import bead_record, dumps, report_record, row_record
from detector.text.escape import safe, visible

if TYPE_CHECKING:
    import pandas as pd

    from detector.report.data import ReportData

COLUMNS: dict[str, str] = {
    "copy_index": "int64",
    "copy_start": "int64",
    "copy_end": "int64",
    "copy_text": "object",
    "kind": "object",
    "source_indices": "object",
    "source_start": "Int64",
    "source_end": "Int64",
    "source_text": "object",
    "similarity": "float64",
    "drift_probability": "float64",
    "drift_flag": "bool",
    "severity": "float64",
    "name_changes": "object",
    "number_changes": "object",
    "spans": "object",
    "reasons": "object",
    "n_truncated": "int64",
}
"""Columns of a table of rows with their pandas types, in order."""


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Return a frame with the columns of `COLUMNS`, one row for each of `rows`."""
    import pandas as pd

    records = [row_record(row) for row in rows]
    return pd.DataFrame(
        {
            name: pd.Series([record[name] for record in records], dtype=kind)
            for name, kind in COLUMNS.items()
        }
    )


def frame_of_pairs(pairs: Iterable[Iterable[Row]], names: Iterable[object]) -> pd.DataFrame:
    """Return one frame of the rows of many pairs, each with a name or None.

    Columns are `pair_index`, int64, counted from 0, and `id`, then those of `COLUMNS`.
    """
    import pandas as pd

    tuples = [tuple(rows) for rows in pairs]
    named = enumerate(zip(tuples, names, strict=True))
    places = [(index, name) for index, (rows, name) in named for _ in rows]
    table = frame(row for rows in tuples for row in rows)
    table.insert(0, "pair_index", pd.Series([index for index, _ in places], dtype="int64"))
    table.insert(1, "id", pd.Series([name for _, name in places], dtype="object"))
    return table


def jsonl(rows: Iterable[Row]) -> str:
    """Return one line of JSON a row, with the keys of `COLUMNS`."""
    return "".join(f"{dumps(row_record(row))}\n" for row in rows)


def csv_text(rows: Iterable[Row]) -> str:
    """Return rows as CSV that is safe in a spreadsheet and in a terminal.

    Lists are JSON. A text that a spreadsheet would run as a formula has a leading apostrophe, and
    control characters are spelled out: `copy_start` and `copy_end` find the original in the raw
    text.
    """
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row_record(row).items()})
    return table.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, list):
        return dumps(value)
    if not isinstance(value, str):
        return value
    # Spreadsheets look past blanks and know the wide forms too.
    runs = value[:1] in ("\t", "\r") or value.lstrip()[:1] in tuple("=+-@＝＋－＠")
    return visible(f"'{value}" if runs else value)


def beads_jsonl(alignment: Alignment, *, copy: Document, source: Document) -> str:
    """Return one line of JSON a bead: ranges of sentences, offsets, texts, similarity."""
    records = _bead_records(alignment, copy=copy, source=source)
    return "".join(f"{dumps(record)}\n" for record in records)


def beads_tsv(alignment: Alignment, *, copy: Document, source: Document) -> str:
    """Return a header and a line a bead: ranges of sentences, similarity, safe texts."""
    lines = ["source\tcopy\tsimilarity\tsource_text\tcopy_text"]
    for record in _bead_records(alignment, copy=copy, source=source):
        ranges = (f"{start}:{stop}" for start, stop in (record["source"], record["copy"]))
        similarity = "" if record["similarity"] is None else f"{record['similarity']:.4f}"
        texts = (safe(record[key] or "") for key in ("source_text", "copy_text"))
        lines.append("\t".join([*ranges, similarity, *texts]))
    return "\n".join([*lines, ""])


def _bead_records(
    alignment: Alignment, *, copy: Document, source: Document
) -> Iterable[dict[str, Any]]:
    for bead in alignment.beads:
        record = bead_record(bead)
        for side, document, indices in (
            ("source", source, bead.source),
            ("copy", copy, bead.copy),
        ):
            sentences = document.sentences[indices.start : indices.stop]
            start, end = (sentences[0].start, sentences[-1].end) if sentences else (None, None)
            record[f"{side}_start"], record[f"{side}_end"] = start, end
            record[f"{side}_text"] = document.raw[start:end] if sentences else None
        yield record


FORMS = ("table", "json", "jsonl", "csv", "html", "summary")
BY_ROWS = ("table", "jsonl", "csv")
"""Formats that can leave rows out."""

_ENDINGS = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".html": "html", ".htm": "html"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a table (columns, colour) and a page (date of scoring, title) need beside the report."""

    width: int = 100
    colour: bool = False
    date: datetime.date | None = None
    title: str = ""


def form_of(path: str) -> str:
    """Return the format that a file's ending asks for; a table where it asks for none.

    Examples
    --------
    >>> form_of("out/page.HTML"), form_of("report.txt")
    ('html', 'table')
    """
    return _ENDINGS.get(PurePath(path).suffix.lower(), "table")


def render(
    report: ReportData, form: str, *, only_flagged: bool = False, options: Options = Options()
) -> str:
    """Return a report in one of `FORMS`, ending in a line end.

    With `only_flagged` rows without a finding are left out: only in a format of `BY_ROWS`.

    Raises
    ------
    InputError
        When the format is unknown or cannot leave rows out.
    """
    from detector.report import html, text

    check(form, only_flagged=only_flagged)
    rows = [row for row in report.rows if not only_flagged or report.has_finding(row)]
    if form == "table":
        return text.terminal_table(
            report, width=options.width, colour=options.colour, only_flagged=only_flagged
        )
    if form == "json":
        return f"{dumps(report_record(report), indent=2)}\n"
    if form == "html":
        return html.page(report, date=options.date, title=options.title)
    if form == "summary":
        return f"{text.summary_text(report)}\n"
    return jsonl(rows) if form == "jsonl" else csv_text(rows)


def check(form: str, *, only_flagged: bool) -> None:
    """Raise `InputError` when a format is unknown or cannot leave rows out."""
    if form not in FORMS:
        msg = f"format {form!r} is unknown; use one of {', '.join(FORMS)}"
        raise InputError(msg)
    if only_flagged and form not in BY_ROWS:
        msg = f"{form} holds every row; leave out rows only in {', '.join(BY_ROWS)}"
        raise InputError(msg)
