"""A report as one self-contained HTML page, or as a fragment for a notebook.

Pure text out: no file, no network, no script, no clock. Every piece of a document goes through
`_escaped`, which makes acting characters visible and markup text, and stands in an element that
isolates its direction.
"""

from __future__ import annotations

import base64
import hashlib
import html
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from detector.records import Row
from detector.showing.display import cut, safe
from detector.showing.summary import (
    CHANGE_WORDS,
    ERROR_WORDS,
    MEANING,
    became,
    chance,
    count,
    facts,
    shortened,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from detector.records import ErrorSpan, Passage, Span
    from detector.report import Report

N_WORST = 10


class _Mark(NamedTuple):
    """How a name is marked: its look, what a pointer over it says, its source form in print."""

    look: str
    title: str
    was: str


_STYLE = """
.rtd { --ink: #1c1e21; --soft: #5b626b; --paper: #fff; --tint: #f5f6f8; --line: #dde1e6;
  --bad: #a8201a; --bad-tint: #fde5e2; --slip: #7a5b00; --bar: #8a929c; --link: #1a56b0;
  color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { .rtd { --ink: #e6e8eb; --soft: #a3abb5; --paper: #15171a;
  --tint: #1e2126; --line: #343a42; --bad: #ff9d94; --bad-tint: #4a1916; --slip: #e3c168;
  --bar: #78818c; --link: #8ab8ff; } }
.rtd.page { margin: 0 auto; max-width: 78rem; padding: 1.5rem 1rem 4rem; }
.rtd.fragment { border: 1px solid var(--line); max-height: 40rem; overflow: auto; padding: 1rem; }
.rtd *, .rtd *::before { box-sizing: border-box; }
.rtd h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
.rtd h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.rtd p { margin: .25rem 0; }
.rtd a { color: var(--link); }
.rtd .verdict { font-size: 1.1rem; }
.rtd .mismatch { border-left: .3rem solid var(--bad); padding-left: .7rem; }
.rtd .soft, .rtd dt, .rtd .label { color: var(--soft); }
.rtd dl { display: grid; gap: .1rem 1rem; grid-template-columns: max-content 1fr; margin: 1rem 0; }
.rtd dd { margin: 0; }
.rtd ol, .rtd ul { margin: 0; padding: 0; list-style: none; }
.rtd .worst li { margin: .3rem 0; }
.rtd .rows > li { border-top: 1px solid var(--line); display: grid; gap: .25rem 1.25rem;
  grid-template: auto 1fr / 4.5rem 1fr 1fr; padding: .7rem .4rem; content-visibility: auto;
  contain-intrinsic-size: auto 6rem; }
.rtd .rows > li.flagged { background: var(--tint); box-shadow: inset .25rem 0 var(--bad); }
.rtd .rows > li:target { outline: 2px solid var(--link); }
.rtd .rows > li.head { color: var(--soft); font-size: .85rem; padding-block: .25rem;
  content-visibility: visible; border: 0; position: sticky; top: 0; background: var(--paper); }
.rtd .number { font-variant-numeric: tabular-nums; grid-row: 1 / 3; line-height: 1.3; }
.rtd .number b { display: block; font-size: 1rem; line-height: 1.5; }
.rtd .number span { display: block; }
.rtd .label { display: block; font-size: .75rem; }
.rtd .cell > .label { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute;
  width: 1px; }
.rtd .why { font-size: .9em; grid-column: 2 / -1; }
.rtd .why li::before { content: "– "; color: var(--soft); }
.rtd svg { display: block; height: .45rem; margin: .25rem 0; width: 3.5rem; }
.rtd .track { fill: var(--line); } .rtd .level { fill: var(--bar); }
.rtd .limit { fill: var(--ink); }
.rtd .flagged .level { fill: var(--bad); }
.rtd mark { background: none; color: inherit; }
.rtd mark.loud { background: var(--bad-tint); border-bottom: 2px solid var(--bad);
  color: var(--bad); font-weight: 700; padding: 0 .15em; }
.rtd mark.slip { text-decoration: underline dotted var(--slip) 2px; text-underline-offset: .2em; }
.rtd mark.suspect { text-decoration: underline dashed var(--bar) 1px; text-underline-offset: .2em; }
.rtd mark.origin { border-bottom: 2px solid var(--bar); }
.rtd mark.gone { text-decoration: line-through var(--bad) 2px; }
.rtd mark .was { display: none; }
.rtd .missing, .rtd .extra { color: var(--soft); font-style: italic; }
.rtd details { color: var(--soft); } .rtd summary { cursor: pointer; }
.rtd footer { border-top: 1px solid var(--line); font-size: .85rem; margin-top: 2rem; }
@media screen and (max-width: 48rem) {
  .rtd .rows > li { display: block; } .rtd .rows > li.head { display: none; }
  .rtd .number { align-items: center; display: flex; gap: .6rem; }
  .rtd .cell > .label { clip-path: none; height: auto; position: static; width: auto; }
  .rtd dl { grid-template-columns: 1fr; gap: 0; } .rtd dd { margin-bottom: .4rem; } }
@media print {
  .rtd { --ink: #000; --soft: #333; --paper: #fff; --tint: #fff; --line: #999; --bad: #000;
    --bad-tint: #fff; --slip: #000; --bar: #666; --link: #000; font-size: 10pt; }
  .rtd .rows > li { break-inside: avoid; content-visibility: visible; }
  .rtd .rows > li.head { position: static; }
  .rtd mark .was { display: inline; font-weight: 400; } }
""".strip()


def page(report: Report) -> str:
    """Return a report as a whole page that needs nothing else and runs nothing.

    Parameters
    ----------
    report : Report
        What to show.

    Returns
    -------
    str
        HTML. Its content-security policy allows this page's own style and no other resource.
    """
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>Copy against source</title>\n<style>{_STYLE}</style>\n</head>\n"
        f'<body class="rtd page">\n{_body(report, linked=True)}\n</body>\n</html>\n'
    )


def fragment(report: Report) -> str:
    """Return a report as one element with its own style, to stand inside another page."""
    return f'<style>{_STYLE}</style>\n<div class="rtd fragment">\n{_body(report)}\n</div>'


def _body(report: Report, *, linked: bool = False) -> str:
    verdict = "verdict" if report.match else "verdict mismatch"
    counts = "\n".join(f"<dt>{label}</dt><dd>{_prose(fact)}</dd>" for label, fact in facts(report))
    return (
        "<header>\n<h1>Copy against source</h1>\n"
        f'<p class="{verdict}">{_prose(report.statement)}</p>\n<dl>\n{counts}\n</dl>\n</header>\n'
        f"<main>\n{_worst(report, linked=linked)}<h2>Sentence by sentence</h2>\n"
        f'<ol class="rows" role="list">\n{_rows(report, linked=linked)}\n</ol>\n</main>\n'
        f"<footer>\n<p>{MEANING}</p>\n"
        f"<p>Signature: {_prose(str(report.signature))}</p>\n</footer>"
    )


def _worst(report: Report, *, linked: bool) -> str:
    items = []
    for row in report.worst[:N_WORST]:
        number = f"Sentence {row.copy_index + 1}"
        place = f'<a href="#s{row.copy_index + 1}">{number}</a>' if linked else number
        why = "; ".join(report.findings(row)[:2]) or "meaning may have moved"
        items.append(
            f'<li>{place} <span class="soft">(drift {chance(row)})</span> '
            f"{_prose(shortened(why, 160))}</li>"
        )
    if not items:
        return "<p>No sentence is flagged and no name is damaged.</p>\n"
    return f'<h2>Read these first</h2>\n<ol class="worst">\n{"".join(items)}\n</ol>\n'


def _rows(report: Report, *, linked: bool) -> str:
    lines = [
        '<li class="head" aria-hidden="true"><span>Drift</span><span>Source</span>'
        "<span>Copy</span></li>"
    ]
    outside = set(report.outside)
    for is_outside, group in groupby(report.entries, key=lambda entry: entry in outside):
        if is_outside:
            lines.append(_furniture([entry for entry in group if not isinstance(entry, Row)]))
            continue
        for entry in group:
            if isinstance(entry, Row):
                lines.append(_row(report, entry, linked=linked))
            else:
                lines.append(_omission(entry))
    return "\n".join(lines)


def _row(report: Report, row: Row, *, linked: bool) -> str:
    above = report.rows[row.copy_index - 1] if row.copy_index else None
    if row.source_text is None:
        source = '<span class="missing">nothing: added in the copy</span>'
    elif above and above.source_indices == row.source_indices:
        source = '<span class="missing">same as for the sentence above</span>'
    else:
        source = _marked(row.source_text, row.source, _source_marks(report, row))
    anchor = f' id="s{row.copy_index + 1}"' if linked else ""
    flagged = ' class="flagged"' if row.drift_flag else ""
    return (
        f'<li{anchor}{flagged}><div class="number">{row.copy_index + 1}'
        f"{_meter(report, row)}</div>{_cell('Source', source)}"
        f"{_cell('Copy', _marked(row.copy_text, row.copy, _copy_marks(report, row)))}"
        f"{_why(report.findings(row))}</li>"
    )


def _meter(report: Report, row: Row) -> str:
    probability = row.drift_probability
    if probability is None:
        return '<span class="soft">not judged</span>'
    said = " <strong>flagged</strong>" if row.drift_flag else ""
    return (
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="level" width="{100 * probability:.1f}" height="10"/>'
        f'<rect class="limit" x="{100 * report.threshold - 1:.1f}" width="2" height="10"/></svg>'
        f'<span class="soft">{chance(row)}</span>{said}'
    )


def _copy_marks(report: Report, row: Row) -> list[tuple[Span, _Mark]]:
    changed = [c for c in row.name_changes if c.copy is not None and c.change != "kept"]
    changed.sort(key=report.is_damaged, reverse=True)  # where two meet, the damaged name wins
    return [
        (
            change.copy,
            _Mark(
                look="loud" if report.is_damaged(change) else "slip",
                title=f"{became(change)} ({CHANGE_WORDS[change.change]}, {change.probability:.2f})",
                was=(change.source_text or "") if report.is_damaged(change) else "",
            ),
        )
        for change in changed
        if change.copy is not None
    ] + _error_marks([(e.copy, e) for e in row.spans])


def _source_marks(report: Report, row: Row) -> list[tuple[Span, _Mark]]:
    return [
        (c.source, _Mark(look="gone" if c.copy is None else "origin", title=became(c), was=""))
        for c in row.name_changes
        if c.source is not None and report.is_damaged(c)
    ] + _error_marks([(e.source, e) for e in row.spans])


def _error_marks(errors: Sequence[tuple[Span | None, ErrorSpan]]) -> list[tuple[Span, _Mark]]:
    """Mark quietly what a tagger suspects; where a name is marked already, that mark stands."""
    return [
        (span, _Mark(look="suspect", title=f"{ERROR_WORDS[e.kind]} ({e.probability:.2f})", was=""))
        for span, e in errors
        if span is not None
    ]


def _marked(text: str, span: Span | None, marks: Iterable[tuple[Span, _Mark]]) -> str:
    pieces = []
    for piece, mark in cut(text, span.start if span else 0, marks):
        if mark is None:
            pieces.append(_escaped(piece))
            continue
        was = f'<span class="was"> [was: {_text(mark.was)}]</span>' if mark.was else ""
        title = _escaped(mark.title)
        pieces.append(f'<mark class="{mark.look}" title="{title}">{_text(piece)}{was}</mark>')
    return "".join(pieces)


def _cell(label: str, content: str) -> str:
    return (
        f'<div class="cell"><span class="label">{label}</span><div dir="auto">{content}</div></div>'
    )


def _why(reasons: Sequence[str]) -> str:
    if not reasons:
        return ""
    return f'<ul class="why">{"".join(f"<li>{_prose(reason)}</li>" for reason in reasons)}</ul>'


def _omission(passage: Passage) -> str:
    why = f": {_prose(passage.reason)}" if passage.reason else ""
    said = f'<span class="missing">left out of the copy{why}</span>'
    return (
        f'<li class="omitted"><div class="number">–</div>'
        f"{_cell('Source', _escaped(passage.text))}"
        f"{_cell('Copy', said)}</li>"
    )


def _furniture(passages: Sequence[Passage]) -> str:
    n = sum(len(passage.indices) for passage in passages)
    items = "".join(
        f"<li>{_text(passage.text)}"
        + (f' <span class="soft">({_prose(passage.reason)})</span>' if passage.reason else "")
        + "</li>"
        for passage in passages
    )
    return (
        f'<li class="outside"><div class="number"></div><details class="why"><summary>'
        f"Page furniture of the source, {count(n, 'sentence')}</summary>"
        f"<ul>{items}</ul></details></li>"
    )


def _text(text: str) -> str:
    """Return text of a document as markup that only shows it, apart from its surroundings."""
    return f"<bdi>{_escaped(text)}</bdi>"


def _prose(text: str) -> str:
    """Return our own words as markup; they read from the left, whatever they quote."""
    return f'<bdi dir="ltr">{_escaped(text)}</bdi>'


def _escaped(text: str) -> str:
    return html.escape(safe(text), quote=True)
