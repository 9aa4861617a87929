"""What stands above the rows of a page: what the report says, the worst rows, filters, a legend.

Pure. The filters do nothing without the script, which shows them; everything else stands alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING

from detector.showing.markup import escaped, prose
from detector.showing.rows import KIND_WORDS
from detector.showing.summary import chance, facts, shortened

if TYPE_CHECKING:
    from detector.records import Row
    from detector.report import Report

N_WORST = 10

LEGEND = (
    ("loud", "name or figure", "damaged (its source form: hover, focus, print)"),
    ("suspect", "words", "may be wrong or lost"),
    ("slip", "name", "slip of case or possessive, or an unsure change"),
    ("changed", "words", "differ (unmarked where the two sides share few)"),
    ("lost", "words", "in the source only"),
    ("added", "words", "in the copy only"),
)


def top(report: Report, *, date: datetime.date | None, title: str) -> str:
    """Return what the report says as a whole.

    Parameters
    ----------
    report : Report
    date : date or None
        When it was scored; the page says nothing of it without.
    title : str
        What the two texts are called; may be empty.
    """
    verdict = "verdict" if report.match else "verdict mismatch"
    named = f'<p class="named">{prose(title)}</p>\n' if title else ""
    themes = "\n".join(_theme(label, fact) for label, fact in facts(report))
    scored = (
        f'\n<dt>Scored</dt><dd><time datetime="{date.isoformat()}">{_in_words(date)}</time></dd>'
        if date
        else ""
    )
    return (
        f'<header>\n<h1>Copy against source</h1>\n{named}<p class="{verdict}">'
        f"{prose(report.statement)}</p>\n<dl>\n{themes}{scored}\n"
        f'<dt>Signature</dt><dd class="signature">{prose(str(report.signature))}</dd>\n'
        "</dl>\n</header>"
    )


def _theme(label: str, fact: str) -> str:
    theme = f"<dt>{label}</dt>" if label else ""
    return f"{theme}<dd>{prose(fact)}</dd>"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


def _in_words(date: datetime.date) -> str:
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def worst(report: Report, *, linked: bool) -> str:
    """Return the rows to read first, each with its strongest reasons."""
    found = report.worst[:N_WORST]
    if not found:
        return (
            '<p class="none">No sentence is flagged and no name is damaged; left-out and added '
            "sentences are marked below.</p>"
        )
    items = "\n".join(_worst(report, row, linked=linked) for row in found)
    of = f' <span class="soft">{len(found)} of {len(report.worst)} with a finding</span>'
    return f'<h2>Read these first{of}</h2>\n<ol class="worst" role="list">\n{items}\n</ol>'


def _worst(report: Report, row: Row, *, linked: bool) -> str:
    number = f"{row.copy_index + 1}"
    place = f'<a href="#s{number}">Sentence {number}</a>' if linked else f"Sentence {number}"
    why = "; ".join(report.findings(row)[:2]) or "the meaning may have moved"
    return (
        f'<li><span class="place">{place} <span class="soft">drift {chance(row)}</span></span>'
        f'<span class="said" dir="auto">{escaped(shortened(row.copy_text, 120))}</span>'
        f'<span class="soft">{prose(shortened(why, 180))}</span></li>'
    )


def filters(report: Report, counted: Mapping[str, int]) -> str:
    """Return the filters of a page, hidden until the script shows them.

    Parameters
    ----------
    report : Report
        Its threshold is where the slider starts.
    counted : mapping of str to int
        Rows of each of `KIND_WORDS`.
    """
    chips = "".join(
        f'<label class="chip"><input type="checkbox" name="kind" value="{kind}"> {word} '
        f'<span class="count">{counted.get(kind, 0):,}</span></label>'
        for kind, word in KIND_WORDS.items()
        if kind == "drift" or counted.get(kind)
    )
    threshold = f"{report.threshold:.2f}"
    return (
        '<form class="filters" aria-label="Filters" hidden><details open>'
        "<summary>Filters</summary>\n"
        f"<fieldset><legend>Show only rows with</legend>{chips}</fieldset>\n"
        '<p class="line"><label>Drift threshold <input type="range" name="threshold" min="0" '
        f'max="1" step="0.01" value="{threshold}"></label> <output>{threshold}</output> '
        '<button type="reset">Reset</button> '
        '<span class="shown soft" role="status"></span></p>\n'
        "</details></form>"
    )


def mover() -> str:
    """Return the buttons that move between findings, hidden until the script shows them."""
    return (
        '<div class="mover" role="group" aria-label="Findings" hidden>'
        '<button type="button" name="previous" aria-label="Previous finding">↑</button>'
        '<button type="button" name="next" aria-label="Next finding">↓</button> '
        '<span class="at" role="status"></span> '
        '<label class="keys"><input type="checkbox" name="keys" checked> keys '
        "<kbd>j</kbd> next, <kbd>k</kbd> previous</label></div>"
    )


def legend() -> str:
    """Return what the marks of the rows mean."""
    items = "".join(
        f'<li><mark class="{look}">{word}</mark> {meaning}</li>' for look, word, meaning in LEGEND
    )
    return f'<ul class="legend" aria-label="Marks">{items}</ul>'
