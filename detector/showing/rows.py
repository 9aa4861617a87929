"""The rows of a page: source and copy side by side, and what the copy lacks where it belongs.

Pure. How a row looks is for the style; what it says must be clear without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from detector.records import CHANGES, Row
from detector.showing.marks import marked_bead, name_kinds
from detector.showing.markup import escaped, prose, quoted
from detector.showing.summary import CHANGE_WORDS, chance, count

if TYPE_CHECKING:
    from detector.records import Passage
    from detector.report import Report

KIND_WORDS: dict[str, str] = {
    "drift": "drift",
    "figure": "changed figure",
    "omission": "left out of the copy",
    "addition": "added in the copy",
    **{change: CHANGE_WORDS[change] for change in CHANGES if change != "kept"},
    "added": "name out of nothing",
    "dropped": "name dropped",
}
"""What a row can be looked for by, and how the page says it."""


def rows(report: Report, *, linked: bool) -> tuple[str, Counter[str]]:
    """Return the rows of a report as list items, and how many there are of each of `KIND_WORDS`.

    Parameters
    ----------
    report : Report
    linked : bool
        Whether rows can be linked to; not in a fragment, where another may have the same anchors.

    Returns
    -------
    str, Counter
    """
    lines: list[str] = []
    counted: Counter[str] = Counter()
    outside = set(report.outside)
    for is_outside, group in groupby(report.entries, key=lambda entry: entry in outside):
        entries = list(group)
        if is_outside:
            lines.append(_furniture([entry for entry in entries if not isinstance(entry, Row)]))
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
        found = [entry for entry in alike if isinstance(entry, Row)]
        if found and indices:
            yield found
        else:
            yield from ([entry] if isinstance(entry, Row) else entry for entry in alike)


def _bead(report: Report, bead: list[Row], *, linked: bool) -> Iterator[tuple[str, list[str]]]:
    marked = marked_bead(report, bead)
    for k, (row, copy, n_figures) in enumerate(
        zip(bead, marked.copies, marked.n_figures, strict=True)
    ):
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
        kinds += ["figure"] if n_figures else []
        kinds += ["addition"] if row.kind == "addition" else []
        kinds += name_kinds(report, row)
        line = (
            f"<li{_anchor(row, linked=linked)}{_facts(row, kinds)}>"
            f"{_number(report, row, linked=linked)}"
            f"{_cell('Source', source)}{_cell('Copy', _text(copy))}{_why(reasons)}</li>"
        )
        yield line, kinds


def _anchor(row: Row, *, linked: bool) -> str:
    return f' id="s{row.copy_index + 1}"' if linked else ""


def _facts(row: Row, kinds: Sequence[str]) -> str:
    """Return what the script filters by, and whether the row is flagged."""
    look = ' class="flagged"' if row.drift_flag else ""
    drift = "" if row.drift_probability is None else f' data-drift="{row.drift_probability:.4f}"'
    found = [kind for kind in kinds if kind != "drift"]
    return f'{look}{drift} data-kinds="{" ".join(found)}"'


def _number(report: Report, row: Row, *, linked: bool) -> str:
    number = f"{row.copy_index + 1}"
    link = f'<a href="#s{number}">{number}</a>' if linked else number
    return f'<div class="number"><b>{link}</b>{_meter(report, row)}</div>'


def _meter(report: Report, row: Row) -> str:
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
    if not reasons:
        return ""
    return f'<ul class="why">{"".join(f"<li>{prose(reason)}</li>" for reason in reasons)}</ul>'


def _omission(passage: Passage) -> str:
    return (
        '<li class="omitted" data-kinds="omission"><div class="number">–</div>'
        f"{_cell('Source', _text(escaped(passage.text)))}"
        f"{_cell('Copy', _missing('left out of the copy', passage.reason))}</li>"
    )


def _missing(what: str, why: str) -> str:
    return f'<p class="missing">{what}{f": {prose(why)}" if why else ""}</p>'


def _furniture(passages: Sequence[Passage]) -> str:
    n = sum(len(passage.indices) for passage in passages)
    items = "".join(
        f"<li>{quoted(passage.text)}"
        + (f' <span class="soft">({prose(passage.reason)})</span>' if passage.reason else "")
        + "</li>"
        for passage in passages
    )
    return (
        '<li class="outside" data-kinds=""><details><summary>'
        f"Page furniture of the source, {count(n, 'sentence')}</summary>"
        f"<ul>{items}</ul></details></li>"
    )
