"""What is marked in the sentences of a bead, and how loudly.

Pure. A damaged name or a changed figure is loud, a slip and a word that a tagger suspects are
quiet, and words that merely differ are quieter still; where two marks meet, the louder stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from detector.features import TOLD_FIGURE
from detector.figures.compare import FigureChange, compare_figures
from detector.records import SLIPS, Span
from detector.showing.differences import Difference, differences
from detector.showing.display import cut
from detector.showing.markup import escaped, quoted
from detector.showing.summary import CHANGE_WORDS, ERROR_WORDS, became

if TYPE_CHECKING:
    from detector.records import Change, ErrorSpan, Row
    from detector.report import Report


class Mark(NamedTuple):
    """How a stretch of text is marked.

    `look` is a class of the page's style. `title` says what it means, where a pointer rests on it.
    `was` is shown on hover, on focus and in print; `how` beside it, but not in print.
    """

    look: str
    title: str = ""
    was: str = ""
    how: str = ""


Marks = list[tuple[Span, Mark]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedBead:
    """The sentences of a bead with their marks, as markup.

    Attributes
    ----------
    source : str
        The source side; empty for an addition.
    copies : tuple of str
        Each copy sentence.
    n_figures : tuple of int
        Figures of each copy sentence that changed; a lost one counts with the first sentence.
    """

    source: str
    copies: tuple[str, ...]
    n_figures: tuple[int, ...]


def marked_bead(report: Report, rows: Sequence[Row]) -> MarkedBead:
    """Mark the sentences of a bead.

    Parameters
    ----------
    report : Report
        Says which names count as damaged, and whether figures were compared.
    rows : sequence of Row
        The bead's copy sentences; at least one.

    Returns
    -------
    MarkedBead
    """
    copies: list[Marks] = [_copy_names(report, row) for row in rows]
    first = rows[0]
    if first.source is None or first.source_text is None:
        marked = [_marked(row.copy_text, row.copy.start, m) for row, m in _zipped(rows, copies)]
        return MarkedBead(source="", copies=tuple(marked), n_figures=(0,) * len(rows))
    text, start = first.source_text, first.source.start
    source = [mark for row in rows for mark in _source_names(report, row)]
    places = list(accumulate((len(row.copy_text) + 1 for row in rows), initial=0))
    joined = "\n".join(row.copy_text for row in rows)
    n_figures = [0] * len(rows)
    for change in _told_figures(text, joined) if report.n_figures is not None else ():
        at = 0
        if change.copy is not None:
            at = max(k for k, place in enumerate(places[:-1]) if place <= change.copy.start)
            moved = change.copy.shift(rows[at].copy.start - places[at])
            copies[at].append((moved, _figure_mark(change)))
        if change.source is not None:
            look = "gone" if change.copy is None else "origin"
            source.append((change.source.shift(start), Mark(look=look, title=change.reason)))
        n_figures[at] += 1
    for row, marks in _zipped(rows, copies):
        marks += _slips(report, row) + _suspects((e.copy, e) for e in row.spans)
        source += _suspects((e.source, e) for e in row.spans)
    words = differences(text, joined)
    source += _quiet(words.source, text, 0, start, taken=source)
    for row, marks, place in zip(rows, copies, places[:-1], strict=True):
        marks += _quiet(words.copy, row.copy_text, place, row.copy.start, taken=marks)
    return MarkedBead(
        source=_marked(text, start, source),
        copies=tuple(_marked(row.copy_text, row.copy.start, m) for row, m in _zipped(rows, copies)),
        n_figures=tuple(n_figures),
    )


def _zipped(rows: Sequence[Row], marks: Sequence[Marks]) -> Iterable[tuple[Row, Marks]]:
    return zip(rows, marks, strict=True)


def _copy_names(report: Report, row: Row) -> Marks:
    return [
        (
            change.copy,
            Mark(
                look="loud",
                was=f"was: {change.source_text}" if change.source_text else "not in the source",
                how=f" ({CHANGE_WORDS[change.change]}, {change.probability:.2f})",
            ),
        )
        for change in row.name_changes
        if change.copy is not None and report.is_damaged(change)
    ]


def _source_names(report: Report, row: Row) -> Marks:
    return [
        (c.source, Mark(look="gone" if c.copy is None else "origin", title=became(c)))
        for c in row.name_changes
        if c.source is not None and report.is_damaged(c)
    ]


def _slips(report: Report, row: Row) -> Marks:
    """Mark quietly the names that slipped, and those whose damage is not sure enough."""
    return [
        (c.copy, Mark("slip", f"{became(c)} ({CHANGE_WORDS[c.change]}, {c.probability:.2f})"))
        for c in row.name_changes
        if c.copy is not None and c.change != "kept" and not report.is_damaged(c)
    ]


def _suspects(errors: Iterable[tuple[Span | None, ErrorSpan]]) -> Marks:
    return [
        (span, Mark("suspect", f"{ERROR_WORDS[e.kind]} ({e.probability:.2f})"))
        for span, e in errors
        if span is not None
    ]


def _told_figures(source_text: str, copy_text: str) -> list[FigureChange]:
    """Return the changes of figures that a report counts."""
    found = compare_figures(source_text, copy_text)
    return [c for c in found if c.change != "kept" and c.weight >= TOLD_FIGURE]


def _figure_mark(change: FigureChange) -> Mark:
    was = f"was: {change.source_text}" if change.source_text else "not in the source"
    return Mark(look="loud", was=was, how=" (figure)")


def _quiet(
    words: Iterable[tuple[Span, Difference]], text: str, place: int, start: int, *, taken: Marks
) -> Marks:
    """Mark the words of a sentence that differ, neighbours together, around what is marked.

    The words count in a text where the sentence stands at `place`, the marks in the raw text,
    where it stands at `start`.
    """
    runs: list[tuple[int, int, Difference]] = []
    for span, kind in words:
        left, right = span.start - place, span.end - place
        if left < 0 or right > len(text):
            continue
        raw = (left + start, right + start)
        if any(raw[0] < other.end and other.start < raw[1] for other, _ in taken):
            continue
        if runs and runs[-1][2] == kind and _is_gap(text[runs[-1][1] : left]):
            runs[-1] = (runs[-1][0], right, kind)
        else:
            runs.append((left, right, kind))
    return [(Span(left + start, right + start), Mark(kind)) for left, right, kind in runs]


def _is_gap(between: str) -> bool:
    return not any(char.isalnum() for char in between)


def _marked(text: str, start: int, marks: Marks) -> str:
    pieces = []
    for piece, mark in cut(text, start, marks):
        if mark is None:
            pieces.append(escaped(piece))
        elif mark.was:
            how = f'<span class="how">{escaped(mark.how)}</span>' if mark.how else ""
            was = f'<span class="was"><span>{quoted(mark.was)}{how}</span></span>'
            pieces.append(f'<mark class="{mark.look}" tabindex="0">{quoted(piece)}{was}</mark>')
        elif mark.title:
            title = escaped(mark.title)
            pieces.append(f'<mark class="{mark.look}" title="{title}">{quoted(piece)}</mark>')
        else:
            pieces.append(f'<mark class="{mark.look}">{escaped(piece)}</mark>')
    return "".join(pieces)


def name_kinds(report: Report, row: Row) -> list[Change]:
    """Return the kinds of a row's name changes that a reader may look for, slips included."""
    told = (c for c in row.name_changes if report.is_damaged(c) or c.change in SLIPS)
    return list(dict.fromkeys(change.change for change in told))
