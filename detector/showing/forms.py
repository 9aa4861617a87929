"""A report in the form that was asked for by name, or by the ending of a file.

Pure text out: it only chooses between the rooms that know a form each.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from detector.errors import InputError

if TYPE_CHECKING:
    from detector.report import Report

FORMS = ("table", "json", "jsonl", "csv", "html", "summary")
BY_ROWS = ("table", "jsonl", "csv")
"""Forms that can leave rows out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a form needs to know beside the report.

    Attributes
    ----------
    width : int
        Columns of a table.
    colour : bool
        Whether a table is coloured.
    date : date or None
        When the pair was scored; a page says so.
    title : str
        What the two texts are called; a page says so.
    """

    width: int = 100
    colour: bool = False
    date: datetime.date | None = None
    title: str = ""


_ENDINGS = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".html": "html", ".htm": "html"}


def form_of(path: str) -> str:
    """Return the form that a file's ending asks for; a table where it asks for none.

    Examples
    --------
    >>> form_of("out/page.HTML"), form_of("report.txt")
    ('html', 'table')
    """
    return _ENDINGS.get(PurePath(path).suffix.lower(), "table")


def render(
    report: Report,
    form: str,
    *,
    only_flagged: bool = False,
    options: Options = Options(),
) -> str:
    """Return a report in one of `FORMS`, ending in a line end.

    Parameters
    ----------
    report : Report
        What to show.
    form : str
        One of `FORMS`.
    only_flagged : bool
        Leave out rows without a finding; only in a form of `BY_ROWS`.
    options : Options
        How a table is laid out, and what a page says of itself.

    Returns
    -------
    str
        Text to print or to write.

    Raises
    ------
    InputError
        When the form is unknown or cannot leave rows out.
    """
    from detector.showing import page, tables, terminal

    check(form, only_flagged=only_flagged)
    rows = [row for row in report.rows if not only_flagged or report.has_finding(row)]
    if form == "table":
        return terminal.render(
            report, width=options.width, colour=options.colour, only_flagged=only_flagged
        )
    if form == "json":
        return f"{report.to_json(indent=2)}\n"
    if form == "html":
        return page.page(report, date=options.date, title=options.title)
    if form == "summary":
        return f"{report.summary()}\n"
    return tables.jsonl(rows) if form == "jsonl" else tables.csv_text(rows)


def check(form: str, *, only_flagged: bool) -> None:
    """Raise `InputError` when a form is unknown or cannot leave rows out."""
    if form not in FORMS:
        msg = f"form {form!r} is unknown; use one of {', '.join(FORMS)}"
        raise InputError(msg)
    if only_flagged and form not in BY_ROWS:
        msg = f"{form} holds every row; leave out rows only in {', '.join(BY_ROWS)}"
        raise InputError(msg)
