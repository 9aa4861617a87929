"""A report as one self-contained HTML page, or as a fragment for a notebook.

Pure text out: no file, no network, no clock. A page runs its own script and no other, and stands
whole without it; a fragment has none. Every piece of a document goes through `markup`.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from detector.showing import head, look
from detector.showing.markup import escaped
from detector.showing.rows import rows
from detector.showing.summary import MEANING

if TYPE_CHECKING:
    from detector.report import Report

_COLUMNS = (
    '<div class="head" aria-hidden="true"><span>Drift</span><span>Source</span>'
    "<span>Copy</span></div>"
)


def page(report: Report, *, date: datetime.date | None = None, title: str = "") -> str:
    """Return a report as a whole page that needs nothing else.

    Parameters
    ----------
    report : Report
        What to show.
    date : date, optional
        When it was scored, to be said on the page.
    title : str
        What the two texts are called, such as the names of their files.

    Returns
    -------
    str
        HTML. Its content-security policy allows this page's own style and script and no other
        resource.
    """
    shown, counted = rows(report, linked=True)
    name = f"{escaped(title)}: copy against source" if title else "Copy against source"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{look.policy()}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{name}</title>\n<style>{look.style()}</style>\n</head>\n"
        f'<body class="rtd page">\n{head.top(report, date=date, title=title)}\n'
        f"<main>\n{head.worst(report, linked=True)}\n"
        f"<h2>Sentence by sentence</h2>\n{head.filters(report, counted)}\n{head.legend()}\n"
        f'{_COLUMNS}\n<ol class="rows" role="list">\n{shown}\n</ol>\n'
        f'<p class="none nothing" hidden>No row has what is asked for.</p>\n</main>\n'
        f"<footer>\n<p>{MEANING}</p>\n</footer>\n{head.mover()}\n"
        f"<script>{look.script()}</script>\n</body>\n</html>\n"
    )


def fragment(report: Report) -> str:
    """Return a report as one element with its own style, to stand inside another page."""
    shown, _ = rows(report, linked=False)
    return (
        f'<style>{look.style()}</style>\n<div class="rtd fragment">\n'
        f"{head.top(report, date=None, title='')}\n{head.worst(report, linked=False)}\n"
        f"<h2>Sentence by sentence</h2>\n{head.legend()}\n{_COLUMNS}\n"
        f'<ol class="rows" role="list">\n{shown}\n</ol>\n<p class="soft">{MEANING}</p>\n</div>'
    )
