"""Choose what is highlighted in the sentences of a bead.

Text made into markup that only shows it: what every page and fragment has in common.

Pure. Whatever comes from a document goes through here, and through `safe` before it: acting
characters are spelled out, the rest is escaped for text and for attributes alike.

Which words of a bead's two sides differ: changed, lost or added, as a reader would see it.

Pure, and plain: words are compared by their letters alone, in order. What a difference means is
for the models; this only shows an eye where to look.

What is marked in the sentences of a bead, and how loudly.

Pure. A damaged name or a changed figure is loud, a slip and a word that a tagger suspects are
quiet, and words that merely differ are quieter still; where two marks meet, the louder stands.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple

from rapidfuzz.distance import LCSseq

from detector.records import SLIPS, NumberChange, Span
from detector.report.text import CHANGE_WORDS, ERROR_WORDS, became
from detector.text.escape import cut, safe
from detector.text.words import find_words

if TYPE_CHECKING:
    from detector.records import Change, ErrorSpan, Row
    from detector.report.report import Report


def escaped(text: str) -> str:
    """Return text as markup that only shows it, fit for an attribute in double quotes too.

    Examples
    --------
    >>> escaped('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(safe(text), quote=True)


def quoted(text: str) -> str:
    """Return text of a document as markup, its direction held apart from its surroundings."""
    return f"<bdi>{escaped(text)}</bdi>"


def prose(text: str) -> str:
    """Return our own words as markup; they read from the left, whatever they quote."""
    return f'<bdi dir="ltr">{escaped(text)}</bdi>'


Difference = Literal["changed", "lost", "added"]
"""What became of a word: another stands in its place, none does, or it stands for none."""

LONGEST = 2000
"""Words of a side from which on nothing is compared: the time grows with the product of both."""

FEWEST = 0.2
"""Share of the shorter side's words below which nothing is marked: all of it differs."""


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
    """Say which words of two texts differ.

    Parameters
    ----------
    source_text, copy_text : str
        Both sides of a bead.

    Returns
    -------
    Differences
        Empty where a side is longer than `LONGEST` words, or fewer than `FEWEST` are shared.

    Notes
    -----
    The longest common subsequence of the words, without regard to case, accents, apostrophes and
    punctuation, is kept (rapidfuzz's bit-parallel one). Between two kept words, what stands on
    both sides is changed and what stands on one alone is lost or added.

    Examples
    --------
    >>> found = differences("He was not late.", "He was early, today.")
    >>> [kind for _, kind in found.source], [kind for _, kind in found.copy]
    (['changed', 'changed'], ['changed', 'changed'])
    >>> differences("Not a word.", "Not one word more.").copy[1]
    (Span(start=13, end=17), 'added')
    """
    sides = source, copy = find_words(source_text), find_words(copy_text)
    if max(map(len, sides)) > LONGEST:
        return Differences()
    lost: list[tuple[Span, Difference]] = []
    added: list[tuple[Span, Difference]] = []
    at_source = at_copy = 0
    norms = [[word.norm for word in side] for side in sides]
    kept = [block for block in LCSseq.opcodes(*norms) if block.tag == "equal"]
    if sum(b.src_end - b.src_start for b in kept) < FEWEST * min(map(len, sides)):
        return Differences()
    ends = [(b.src_start, b.dest_start, b.src_end, b.dest_end) for b in kept]
    for to_source, to_copy, next_source, next_copy in [*ends, (len(source), len(copy), 0, 0)]:
        gone, new = source[at_source:to_source], copy[at_copy:to_copy]
        both = bool(gone and new)
        lost += [(word.span, "changed" if both else "lost") for word in gone]
        added += [(word.span, "changed" if both else "added") for word in new]
        at_source, at_copy = next_source, next_copy
    return Differences(source=tuple(lost), copy=tuple(added))


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
    for at, row in enumerate(rows):
        for change in row.number_changes:
            if not change.reported:
                continue
            if change.copy is not None:
                copies[at].append((change.copy, _figure_mark(change)))
            if change.source is not None:
                look = "gone" if change.copy is None else "origin"
                source.append((change.source, Mark(look=look, title=change.reason)))
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


def _figure_mark(change: NumberChange) -> Mark:
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
