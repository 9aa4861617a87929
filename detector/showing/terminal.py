"""A report as a table for a terminal, with the damaged names marked in place.

Pure text out. Nothing of a document reaches the terminal before `safe` has made it harmless, and
every colour has a sign beside it, so that nothing is lost without colour.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from detector.records import Row
from detector.showing.display import columns, cut, safe
from detector.showing.summary import chance, count, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from detector.records import NameChange, Passage, Span
    from detector.report import Report

__all__ = ["render", "safe"]

LEGEND = (
    "! drift   * damaged name   + added in the copy   - left out of the copy",
    "*name* [was: its source form]   ~name~ slip of case or possessive, or an unsure change",
)

_GUTTER = 16  # columns of number, signs and probability
_LONGEST = 1500  # characters of one sentence that are shown; some "sentences" are a whole file
_RESET = "\x1b[0m"
_LOUD, _SLIP, _SOFT, _BOLD, _FLAG = "\x1b[1;31m", "\x1b[4m", "\x1b[2m", "\x1b[1m", "\x1b[33m"


class _Run(NamedTuple):
    """Harmless text in one style; the style is a terminal sequence or nothing."""

    text: str
    style: str = ""


def render(
    report: Report, *, width: int = 100, colour: bool = False, only_flagged: bool = False
) -> str:
    """Return a report as a table followed by its summary.

    Parameters
    ----------
    report : Report
        What to show.
    width : int
        Columns of the terminal; at least 40 are used.
    colour : bool
        Whether to colour; the text is the same without.
    only_flagged : bool
        Leave out what has no finding: sound rows, omissions and page furniture.

    Returns
    -------
    str
        Lines ending in a line end, safe to print.
    """
    width = max(40, width)
    lines: list[str] = []
    outside = set(report.outside)
    for is_outside, group in groupby(report.entries, key=lambda entry: entry in outside):
        if is_outside:
            passages = [entry for entry in group if not isinstance(entry, Row)]
            if not only_flagged:
                lines += _laid_out(_furniture(passages), "", width, colour=colour)
            continue
        for entry in group:
            if not isinstance(entry, Row):
                if not only_flagged:
                    lines += _omission(entry, width, colour=colour)
            elif not only_flagged or report.has_finding(entry):
                lines += _row(report, entry, width, colour=colour)
    lines += ["", *(_painted([_Run(line, _SOFT)], colour=colour) for line in LEGEND), ""]
    return "\n".join([*lines, report.summary(), ""])


def _row(report: Report, row: Row, width: int, *, colour: bool) -> list[str]:
    signs = "".join(
        sign if shown else " "
        for sign, shown in (
            ("!", row.drift_flag),
            ("*", any(map(report.is_damaged, row.name_changes))),
            ("+", row.kind == "addition"),
        )
    )
    gutter = f"{row.copy_index + 1:>5} {signs} {chance(row):>4}"
    lines = _laid_out(
        _copy_runs(report, row), gutter, width, colour=colour, style=_FLAG if row.drift_flag else ""
    )
    if report.has_finding(row) and row.source_text is not None and row.source is not None:
        source = _source_runs(report, row)
        lines += _laid_out([_Run("source: ", _SOFT), *source], "", width, colour=colour)
    for reason in report.findings(row):
        lines += _laid_out([_Run(f"- {safe(reason)}")], "", width, colour=colour)
    return lines


def _copy_runs(report: Report, row: Row) -> list[_Run]:
    marks = [(c.copy, c) for c in row.name_changes if c.copy is not None and c.change != "kept"]
    marks.sort(key=lambda mark: report.is_damaged(mark[1]), reverse=True)
    runs: list[_Run] = []
    for piece, change in _pieces(row.copy_text, row.copy.start, marks):
        if change is None:
            runs.append(_Run(safe(piece)))
        elif report.is_damaged(change):
            was = shortened(change.source_text or "", 60)
            runs.append(_Run(f"*{safe(piece)}*", _LOUD))
            runs.append(_Run(f" [was: {was}]" if was else " [from nothing]", _SOFT))
        else:
            runs.append(_Run(f"~{safe(piece)}~", _SLIP))
    return runs


def _source_runs(report: Report, row: Row) -> list[_Run]:
    if row.source is None or row.source_text is None:
        return []
    loud = [c for c in row.name_changes if report.is_damaged(c)]
    marks = [(c.source, c) for c in loud if c.source is not None]
    return [
        _Run(safe(piece), _SOFT) if change is None else _Run(f"*{safe(piece)}*", _BOLD)
        for piece, change in _pieces(row.source_text, row.source.start, marks)
    ]


def _pieces(
    text: str, start: int, marks: Iterable[tuple[Span, NameChange]]
) -> Iterator[tuple[str, NameChange | None]]:
    yield from cut(text[:_LONGEST], start, marks)
    if len(text) > _LONGEST:
        yield f" … ({count(len(text) - _LONGEST, 'character')} more)", None


def _omission(passage: Passage, width: int, *, colour: bool) -> list[str]:
    reason = f" ({safe(passage.reason)})" if passage.reason else ""
    text = f"left out{reason}: {shortened(passage.text, _LONGEST)}"
    return _laid_out([_Run(text, _SOFT)], f"{'':>8}-", width, colour=colour)


def _furniture(passages: list[Passage]) -> list[_Run]:
    n = sum(len(passage.indices) for passage in passages)
    first = shortened(passages[0].text, 50)
    return [_Run(f'page furniture of the source, {count(n, "sentence")}: "{first}"', _SOFT)]


def _laid_out(
    runs: Iterable[_Run], gutter: str, width: int, *, colour: bool, style: str = ""
) -> list[str]:
    """Wrap runs of text beside a gutter; only the first line has the gutter's words."""
    room = width - _GUTTER
    lines: list[list[_Run]] = [[]]
    at = 0
    for word in _words(runs, room):
        size = sum(columns(run.text) for run in word)
        if at and at + 1 + size > room:
            lines.append([])
            at = 0
        if at:
            last = lines[-1][-1].style
            lines[-1].append(_Run(" ", last if last == word[0].style else ""))
            at += 1
        lines[-1] += word
        at += size
    margins = [_painted([_Run(f"{gutter:<{_GUTTER}}", style)], colour=colour)]
    margins += [" " * _GUTTER] * (len(lines) - 1)
    return [
        (margin + _painted(line, colour=colour)).rstrip()
        for margin, line in zip(margins, lines, strict=True)
    ]


def _words(runs: Iterable[_Run], room: int) -> Iterator[list[_Run]]:
    """Split runs at spaces; a word is the runs between two spaces, at most `room` columns wide."""
    word: list[_Run] = []
    size = 0
    for run in runs:
        for index, part in enumerate(run.text.split(" ")):
            if index and word:
                yield word
                word, size = [], 0
            while part:
                head = _head(part, room - size)
                if head:
                    word.append(_Run(head, run.style))
                    size += columns(head)
                    part = part[len(head) :]
                if part:
                    yield word
                    word, size = [], 0
    if word:
        yield word


def _head(text: str, room: int) -> str:
    """Return the longest beginning of `text` that takes at most `room` columns."""
    for index, char in enumerate(text):
        room -= columns(char)
        if room < 0:
            return text[:index]
    return text


def _painted(runs: Iterable[_Run], *, colour: bool) -> str:
    texts = []
    for style, alike in groupby(runs, key=lambda run: run.style):
        text = "".join(run.text for run in alike)
        texts.append(f"{style}{text}{_RESET}" if colour and style else text)
    return "".join(texts)
