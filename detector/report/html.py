"""Write a report as one self-contained HTML page; show reports and alignments in a notebook.

A page runs its own script and no other, and is complete without it; a fragment has no script.
Every piece of a document is escaped by `highlights`. Nothing here reads a clock or the network.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

from detector.records import CHANGES, Alignment, Bead, Row
from detector.report.highlights import escaped, marked_bead, name_kinds, prose, quoted
from detector.report.text import CHANGE_WORDS, MEANING, chance, count, facts, shortened

if TYPE_CHECKING:
    from detector.records import Passage
    from detector.report.data import ReportData


@cache
def style() -> str:
    """Return the style of pages and fragments; every rule of it stays within class `rtd`."""
    return _read("page.css")


@cache
def script() -> str:
    """Return the script of a page: filters, keys and the threshold."""
    return _read("page.js")


def policy() -> str:
    """Return the content-security policy of a page: its own style and script, nothing else."""
    return (
        f"default-src 'none'; style-src '{_digest(style())}'; script-src '{_digest(script())}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _read(name: str) -> str:
    return (files("detector.report") / name).read_text(encoding="utf-8").strip()


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


N_WORST = 10
MAX_LISTED = 500
"""Beads of an alignment listed one by one; the map shows all."""

_MAP_SIDE = 320  # units of the map's longer side

KIND_WORDS: dict[str, str] = {
    "drift": "drift",
    "number": "changed number",
    "omission": "left out of the copy",
    "addition": "added in the copy",
    **{change: CHANGE_WORDS[change] for change in CHANGES if change != "kept"},
    "added": "name not in the source",
    "dropped": "name dropped",
}
"""What rows can be filtered by, and how the page says it."""

LEGEND = (
    ("loud", "name or number", "damaged or changed (its source form: hover, focus, print)"),
    ("suspect", "words", "may be wrong or lost"),
    ("slip", "name", "slip of case or possessive, or an unsure change"),
    ("changed", "words", "differ (unmarked where the two sides share few)"),
    ("lost", "words", "in the source only"),
    ("added", "words", "in the copy only"),
)


def _top(report: ReportData, *, date: datetime.date | None, title: str) -> str:
    """Return the report as a whole; the date and the title are left out where not given."""
    verdict = "verdict" if report.match else "verdict mismatch"
    heading = f'<p class="named">{prose(title)}</p>\n' if title else ""
    themes = "\n".join(
        f"{f'<dt>{label}</dt>' if label else ''}<dd>{prose(fact)}</dd>"
        for label, fact in facts(report)
    )
    scored = ""
    if date:
        day = f"{date.day} {date:%B %Y}"
        scored = f'\n<dt>Scored</dt><dd><time datetime="{date.isoformat()}">{day}</time></dd>'
    return (
        f'<header>\n<h1>Copy against source</h1>\n{heading}<p class="{verdict}">'
        f"{prose(report.statement)}</p>\n<dl>\n{themes}{scored}\n"
        f'<dt>Signature</dt><dd class="signature">{prose(str(report.signature))}</dd>\n'
        "</dl>\n</header>"
    )


def _worst(report: ReportData, *, linked: bool) -> str:
    """Return the rows to read first, each with its strongest reasons."""
    first = report.worst[:N_WORST]
    if not first:
        return (
            '<p class="none">No sentence is flagged and no name is damaged; left-out and added '
            "sentences are marked below.</p>"
        )
    items = "\n".join(_worst_row(report, row, linked=linked) for row in first)
    of = f' <span class="soft">{len(first)} of {len(report.worst)} with a finding</span>'
    return f'<h2>Read these first{of}</h2>\n<ol class="worst" role="list">\n{items}\n</ol>'


def _worst_row(report: ReportData, row: Row, *, linked: bool) -> str:
    number = f"{row.copy_index + 1}"
    place = f'<a href="#s{number}">Sentence {number}</a>' if linked else f"Sentence {number}"
    why = "; ".join(report.findings(row)[:2]) or "the meaning may have moved"
    return (
        f'<li><span class="place">{place} <span class="soft">drift {chance(row)}</span></span>'
        f'<span class="said" dir="auto">{escaped(shortened(row.copy_text, 120))}</span>'
        f'<span class="soft">{prose(shortened(why, 180))}</span></li>'
    )


def _filters(report: ReportData, counted: Mapping[str, int]) -> str:
    """Return the filters of a page, hidden until the script shows them.

    `counted` is how many rows have each of `KIND_WORDS`.
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


def _mover() -> str:
    """Return the buttons that move between findings, hidden until the script shows them."""
    return (
        '<div class="mover" role="group" aria-label="Findings" hidden>'
        '<button type="button" name="previous" aria-label="Previous finding">↑</button>'
        '<button type="button" name="next" aria-label="Next finding">↓</button> '
        '<span class="at" role="status"></span> '
        '<label class="keys"><input type="checkbox" name="keys" checked> keys '
        "<kbd>j</kbd> next, <kbd>k</kbd> previous</label></div>"
    )


def _legend() -> str:
    """Return what the marks of the rows mean."""
    items = "".join(
        f'<li><mark class="{look}">{word}</mark> {meaning}</li>' for look, word, meaning in LEGEND
    )
    return f'<ul class="legend" aria-label="Marks">{items}</ul>'


def _rows(report: ReportData, *, linked: bool) -> tuple[str, Counter[str]]:
    """Return the rows as list items, and how many have each of `KIND_WORDS`.

    A fragment has no links: another on the same page may have the same anchors.
    """
    lines: list[str] = []
    counted: Counter[str] = Counter()
    outside = set(report.outside)
    for is_outside, group in groupby(report.entries, key=lambda entry: entry in outside):
        entries = list(group)
        if is_outside:
            lines.append(_boilerplate([entry for entry in entries if not isinstance(entry, Row)]))
            continue
        for entry in _beads(entries):
            if isinstance(entry, list):
                for line, kinds in _bead(report, entry, linked=linked):
                    lines.append(line)
                    counted.update(kinds)
            else:
                lines.append(_omission(entry))
                counted["omission"] += 1
    return "\n".join(lines), counted


def _beads(entries: Sequence[Row | Passage]) -> Iterator[list[Row] | Passage]:
    """Yield passages, and the rows of a bead together."""
    for indices, group in groupby(entries, key=lambda e: isinstance(e, Row) and e.source_indices):
        alike = list(group)
        rows = [entry for entry in alike if isinstance(entry, Row)]
        if rows and indices:
            yield rows
        else:
            yield from ([entry] if isinstance(entry, Row) else entry for entry in alike)


def _bead(report: ReportData, bead: list[Row], *, linked: bool) -> Iterator[tuple[str, list[str]]]:
    marked = marked_bead(report, bead)
    for k, (row, copy) in enumerate(zip(bead, marked.copies, strict=True)):
        reasons = report.findings(row)
        if row.kind == "addition":
            source = _missing("added in the copy", reasons[0] if reasons else "")
            reasons = reasons[1:]
        elif k:
            source = (
                '<details class="again"><summary>same as for the sentence above</summary>'
                f"{_text(marked.source)}</details>"
            )
        else:
            source = _text(marked.source)
        kinds = ["drift"] if row.drift_flag else []
        kinds += ["number"] if any(change.reported for change in row.number_changes) else []
        kinds += ["addition"] if row.kind == "addition" else []
        kinds += name_kinds(report, row)
        yield (
            (
                f"<li{_attributes(row, kinds, linked=linked)}>{_number(report, row, linked=linked)}"
                f"{_cell('Source', source)}{_cell('Copy', _text(copy))}{_why(reasons)}</li>"
            ),
            kinds,
        )


def _attributes(row: Row, kinds: Sequence[str], *, linked: bool) -> str:
    """Return the anchor of a row, whether it is flagged, and what the script filters by."""
    anchor = f' id="s{row.copy_index + 1}"' if linked else ""
    flag = ' class="flagged"' if row.drift_flag else ""
    drift = "" if row.drift_probability is None else f' data-drift="{row.drift_probability:.4f}"'
    others = " ".join(kind for kind in kinds if kind != "drift")
    return f'{anchor}{flag}{drift} data-kinds="{others}"'


def _number(report: ReportData, row: Row, *, linked: bool) -> str:
    number = f"{row.copy_index + 1}"
    link = f'<a href="#s{number}">{number}</a>' if linked else number
    return f'<div class="number"><b>{link}</b>{_meter(report, row)}</div>'


def _meter(report: ReportData, row: Row) -> str:
    probability = row.drift_probability
    if probability is None:
        return '<span class="soft">not judged</span>'
    flag = '<strong class="flag">flagged</strong>' if row.drift_flag else ""
    return (
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="level" width="{100 * probability:.0f}" height="10"/>'
        f'<rect class="limit" x="{100 * report.threshold - 1:.0f}" width="2" height="10"/></svg>'
        f'<span class="soft"><span class="label">drift </span>{chance(row)}</span>{flag}'
    )


def _text(content: str) -> str:
    return f'<div class="text" dir="auto">{content}</div>'


def _cell(label: str, content: str) -> str:
    return f'<div class="cell"><span class="label">{label}: </span>{content}</div>'


def _why(reasons: Sequence[str]) -> str:
    items = "".join(f"<li>{prose(reason)}</li>" for reason in reasons)
    return f'<ul class="why">{items}</ul>' if items else ""


def _omission(passage: Passage) -> str:
    return (
        '<li class="omitted" data-kinds="omission"><div class="number">–</div>'
        f"{_cell('Source', _text(escaped(passage.text)))}"
        f"{_cell('Copy', _missing('left out of the copy', passage.reason))}</li>"
    )


def _missing(what: str, why: str) -> str:
    return f'<p class="missing">{what}{f": {prose(why)}" if why else ""}</p>'


def _boilerplate(passages: Sequence[Passage]) -> str:
    n = sum(len(passage.indices) for passage in passages)
    items = "".join(
        f"<li>{quoted(passage.text)}"
        + (f' <span class="soft">({prose(passage.reason)})</span>' if passage.reason else "")
        + "</li>"
        for passage in passages
    )
    return (
        '<li class="outside" data-kinds=""><details><summary>'
        f"Page boilerplate of the source, {count(n, 'sentence')}</summary>"
        f"<ul>{items}</ul></details></li>"
    )


_COLUMNS = (
    '<div class="head" aria-hidden="true"><span>Drift</span><span>Source</span>'
    "<span>Copy</span></div>"
)


def page(report: ReportData, *, date: datetime.date | None = None, title: str = "") -> str:
    """Return a report as a whole page that needs nothing else.

    Parameters
    ----------
    report : ReportData
    date : date, optional
        When it was scored.
    title : str
        Names of the two texts, such as those of their files.
    """
    shown, counted = _rows(report, linked=True)
    name = f"{escaped(title)}: copy against source" if title else "Copy against source"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{name}</title>\n<style>{style()}</style>\n</head>\n"
        f'<body class="rtd page">\n{_top(report, date=date, title=title)}\n'
        f"<main>\n{_worst(report, linked=True)}\n"
        f"<h2>Sentence by sentence</h2>\n{_filters(report, counted)}\n{_legend()}\n"
        f'{_COLUMNS}\n<ol class="rows" role="list">\n{shown}\n</ol>\n'
        f'<p class="none nothing" hidden>No row matches the filters.</p>\n</main>\n'
        f"<footer>\n<p>{MEANING}</p>\n</footer>\n{_mover()}\n"
        f"<script>{script()}</script>\n</body>\n</html>\n"
    )


def fragment(report: ReportData) -> str:
    """Return a report as one element with its own style, for a notebook."""
    shown, _ = _rows(report, linked=False)
    return (
        f'<style>{style()}</style>\n<div class="rtd fragment">\n'
        f"{_top(report, date=None, title='')}\n{_worst(report, linked=False)}\n"
        f"<h2>Sentence by sentence</h2>\n{_legend()}\n{_COLUMNS}\n"
        f'<ol class="rows" role="list">\n{shown}\n</ol>\n<p class="soft">{MEANING}</p>\n</div>'
    )


def show_alignments() -> None:
    """Make every alignment show itself in a notebook; the records need not know of HTML."""
    Alignment._repr_html_ = alignment_fragment  # type: ignore[attr-defined]


def alignment_fragment(alignment: Alignment) -> str:
    """Return an alignment as one HTML element with its own style, without a script.

    In the map the source runs from left to right and the copy from top to bottom. A bead is the
    darker, the closer its sides; what only one side holds is a stroke at its edge.
    """
    beads = alignment.beads
    rows = "".join(map(_bead_row, beads[:MAX_LISTED]))
    more = len(beads) - MAX_LISTED
    rest = f'<p class="soft">{more:,} more are not listed.</p>' if more > 0 else ""
    return (
        f'<style>{style()}</style>\n<div class="rtd fragment">\n<p>{_bead_counts(alignment)}</p>\n'
        f"{_map(alignment)}\n<details><summary>{len(beads):,} beads one by one</summary>\n"
        "<table><thead><tr><th>Source sentences</th><th>Copy sentences</th><th>Cosine</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>{rest}</details>\n</div>"
    )


def _bead_counts(alignment: Alignment) -> str:
    plain = sum(len(bead.source) == len(bead.copy) == 1 for bead in alignment.beads)
    omitted = sum(len(bead.source) for bead in alignment.beads if not bead.copy)
    added = sum(len(bead.copy) for bead in alignment.beads if not bead.source)
    joined = len(alignment.aligned) - plain
    return (
        f"{alignment.n_source:,} source and {alignment.n_copy:,} copy sentences: {plain:,} beads "
        f"of one and one, {joined:,} of more; {omitted:,} source sentences left out, "
        f"{added:,} copy sentences added"
    )


def _map(alignment: Alignment) -> str:
    longer = max(alignment.n_source, alignment.n_copy)
    if not longer:
        return ""
    scale = _MAP_SIDE / longer
    width, height = alignment.n_source * scale, alignment.n_copy * scale
    marks = "".join(_rectangle(bead, scale) for bead in alignment.beads)
    return (
        f'<svg class="map" viewBox="0 0 {max(width, 8):.1f} {max(height, 8):.1f}" role="img" '
        f'aria-label="Map of the beads">{marks}</svg>'
    )


def _rectangle(bead: Bead, scale: float) -> str:
    x, y = bead.source.start * scale, bead.copy.start * scale
    width, height = len(bead.source) * scale, len(bead.copy) * scale
    kind = "bead"
    if not bead.copy:
        kind, y, height = "lone", 0.0, 6.0
    elif not bead.source:
        kind, x, width = "lone", 0.0, 6.0
    shade = 1.0 if bead.similarity is None else 0.15 + 0.85 * max(0.0, bead.similarity) ** 2
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 1.5):.1f}" '
        f'height="{max(height, 1.5):.1f}" opacity="{shade:.2f}"><title>{_tip(bead)}</title></rect>'
    )


def _tip(bead: Bead) -> str:
    cosine = "" if bead.similarity is None else f", cosine {bead.similarity:.2f}"
    return f"source {_range(bead.source)}, copy {_range(bead.copy)}{cosine}"


def _bead_row(bead: Bead) -> str:
    cosine = "–" if bead.similarity is None else f"{bead.similarity:.2f}"
    return f"<tr><td>{_range(bead.source)}</td><td>{_range(bead.copy)}</td><td>{cosine}</td></tr>"


def _range(sentences: range) -> str:
    """Return sentences as a reader counts them, from 1, both ends included."""
    if not sentences:
        return "–"
    first, last = sentences.start + 1, sentences.stop
    return f"{first}" if first == last else f"{first}–{last}"
