"""Choose what is highlighted in the sentences of a bead, and write it as safe HTML.

A damaged name or a changed number is loud, a slip and an error span are quiet, and words that
merely differ are quieter still; where two marks meet, the louder is kept. Nothing here compares
names or numbers: the rows hold those changes.
"""

from __future__ import annotations

import html
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple

from rapidfuzz.distance import LCSseq

from detector.records import SLIPS, Span
from detector.report.text import ERROR_WORDS, change_word, described
from detector.text.escape import cut, safe
from detector.text.words import find_words

if TYPE_CHECKING:
    from detector.records import Change, ErrorSpan, NameChange, NumberChange, Row
    from detector.report.data import ReportData

Difference = Literal["changed", "lost", "added"]
"""How a word differs: another replaces it, none does, or it replaces none."""

MAX_WORDS = 2000
"""Words of a side above which nothing is compared: the time grows with the product of both."""

MIN_SHARED = 0.2
"""Share of the shorter side's words below which nothing is marked: all of it differs."""


def escaped(text: str) -> str:
    """Return text as HTML that only shows it, fit for an attribute in double quotes too.

    Examples
    --------
    >>> escaped('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(safe(text), quote=True)


def quoted(text: str) -> str:
    """Return text of a document as HTML, its direction isolated from its surroundings."""
    return f"<bdi>{escaped(text)}</bdi>"


def prose(text: str) -> str:
    """Return our own words as HTML; they run from left to right, whatever they quote."""
    return f'<bdi dir="ltr">{escaped(text)}</bdi>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Words that differ between two texts, in order; spans count in the given texts.

    Attributes
    ----------
    source, copy : tuple of (Span, Difference)
        One for each word; of the source they are changed or lost, of the copy changed or added.
    """

    source: tuple[tuple[Span, Difference], ...] = ()
    copy: tuple[tuple[Span, Difference], ...] = ()


def differences(source_text: str, copy_text: str) -> Differences:
    """Return which words differ between the two sides of a bead.

    Empty where a side is longer than `MAX_WORDS`, or fewer than `MIN_SHARED` are shared.

    Notes
    -----
    The longest common subsequence of the normalised words is kept. Between two kept words, what
    is on both sides is changed and what is on one alone is lost or added.

    Examples
    --------
    >>> differing = differences("He was not late.", "He was early, today.")
    >>> [kind for _, kind in differing.source], [kind for _, kind in differing.copy]
    (['changed', 'changed'], ['changed', 'changed'])
    >>> differences("Not a word.", "Not one word more.").copy[1]
    (Span(start=13, end=17), 'added')
    """
    source, copy = find_words(source_text), find_words(copy_text)
    if max(len(source), len(copy)) > MAX_WORDS:
        return Differences()
    norms = ([word.norm for word in side] for side in (source, copy))
    blocks = LCSseq.editops(*norms).as_matching_blocks()
    if sum(block.size for block in blocks) < MIN_SHARED * min(len(source), len(copy)):
        return Differences()
    lost: list[tuple[Span, Difference]] = []
    added: list[tuple[Span, Difference]] = []
    at_source = at_copy = 0
    for block in blocks:  # the last is empty, at the end of both
        gone, new = source[at_source : block.a], copy[at_copy : block.b]
        both = bool(gone and new)
        lost += [(word.span, "changed" if both else "lost") for word in gone]
        added += [(word.span, "changed" if both else "added") for word in new]
        at_source, at_copy = block.a + block.size, block.b + block.size
    return Differences(source=tuple(lost), copy=tuple(added))


class Mark(NamedTuple):
    """How a stretch of text is marked.

    `kind` is a class of the page's style and `title` its meaning, shown under the pointer. `was`
    is shown on hover, on focus and in print; `how` beside it, but not in print.
    """

    kind: str
    title: str = ""
    was: str = ""
    how: str = ""


Marks = list[tuple[Span, Mark]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedBead:
    """HTML of the source side, empty for an addition, and of each copy sentence of a bead."""

    source: str
    copies: tuple[str, ...]


def marked_bead(report: ReportData, rows: Sequence[Row]) -> MarkedBead:
    """Mark the sentences of a bead, given its copy sentences: at least one row."""
    first = rows[0]
    copies: list[Marks] = [
        [(c.copy, _loud(c)) for c in report.damage(row) if c.copy is not None] for row in rows
    ]
    if first.source is None or first.source_text is None:
        return MarkedBead(source="", copies=_marked_copies(rows, copies))
    text, start = first.source_text, first.source.start
    source: Marks = [
        (c.source, Mark("gone" if c.copy is None else "origin", described(c)))
        for row in rows
        for c in report.damage(row)
        if c.source is not None
    ]
    for row, marks in zip(rows, copies, strict=True):
        marks += _slips(report, row) + _suspects((e.copy, e) for e in row.spans)
        source += _suspects((e.source, e) for e in row.spans)
    words = differences(text, "\n".join(row.copy_text for row in rows))
    source += _differing(words.source, text, 0, start, taken=source)
    offsets = accumulate((len(row.copy_text) + 1 for row in rows), initial=0)
    for row, marks, offset in zip(rows, copies, offsets, strict=False):
        marks += _differing(words.copy, row.copy_text, offset, row.copy.start, taken=marks)
    return MarkedBead(source=_marked(text, start, source), copies=_marked_copies(rows, copies))


def name_kinds(report: ReportData, row: Row) -> list[Change]:
    """Return the kinds of a row's name changes that the page filters by, slips included."""
    changes = (c for c in row.name_changes if report.is_damaged(c) or c.change in SLIPS)
    return list(dict.fromkeys(change.change for change in changes))


def _loud(change: NameChange | NumberChange) -> Mark:
    if not change.source_text:
        return Mark("loud", was="not in the source", how=f" ({change.probability:.2f})")
    how = f" ({change_word(change)}, {change.probability:.2f})"
    return Mark("loud", was=f"was: {change.source_text}", how=how)


def _slips(report: ReportData, row: Row) -> Marks:
    """Mark the names that slipped, and those whose damage is not sure enough."""
    return [
        (c.copy, Mark("slip", f"{described(c)} ({change_word(c)}, {c.probability:.2f})"))
        for c in row.name_changes
        if c.copy is not None and c.change != "kept" and not report.is_damaged(c)
    ]


def _suspects(errors: Iterable[tuple[Span | None, ErrorSpan]]) -> Marks:
    return [
        (span, Mark("suspect", f"{ERROR_WORDS[e.kind]} ({e.probability:.2f})"))
        for span, e in errors
        if span is not None
    ]


def _differing(
    words: Iterable[tuple[Span, Difference]], text: str, offset: int, start: int, *, taken: Marks
) -> Marks:
    """Mark the words of a sentence that differ, neighbours together, around what is marked.

    The words count in a text where the sentence starts at `offset`, the marks in the raw text,
    where it starts at `start`.
    """
    runs: list[tuple[int, int, Difference]] = []
    spans = sorted(span for span, _ in taken)
    reach = list(accumulate((span.end for span in spans), max, initial=0))
    for span, kind in words:
        left, right = span.start - offset, span.end - offset
        if left < 0 or right > len(text):
            continue
        before = bisect_left(spans, right + start, key=lambda mark: mark.start)
        if reach[before] > left + start:  # a mark that starts before the word's end goes into it
            continue
        if runs and runs[-1][2] == kind and not any(map(str.isalnum, text[runs[-1][1] : left])):
            runs[-1] = (runs[-1][0], right, kind)
        else:
            runs.append((left, right, kind))
    return [(Span(left + start, right + start), Mark(kind)) for left, right, kind in runs]


def _marked_copies(rows: Sequence[Row], copies: Sequence[Marks]) -> tuple[str, ...]:
    pairs = zip(rows, copies, strict=True)
    return tuple(_marked(row.copy_text, row.copy.start, marks) for row, marks in pairs)


def _marked(text: str, start: int, marks: Marks) -> str:
    pieces = []
    for piece, mark in cut(text, start, marks):
        if mark is None:
            pieces.append(escaped(piece))
        elif mark.was:
            how = f'<span class="how">{escaped(mark.how)}</span>' if mark.how else ""
            was = f'<span class="was"><span>{quoted(mark.was)}{how}</span></span>'
            pieces.append(f'<mark class="{mark.kind}" tabindex="0">{quoted(piece)}{was}</mark>')
        elif mark.title:
            title = escaped(mark.title)
            pieces.append(f'<mark class="{mark.kind}" title="{title}">{quoted(piece)}</mark>')
        else:
            pieces.append(f'<mark class="{mark.kind}">{escaped(piece)}</mark>')
    return "".join(pieces)
