"""Write a report as plain text: the summary, and the table for a terminal.

Whatever comes from a document is made harmless by `safe`, and every colour has a sign beside it.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from detector.pivot.languages import NAMES
from detector.records import CHANGES, NumberChange, Row
from detector.text.escape import columns, cut, safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from detector.records import (
        Change,
        ErrorKind,
        NameChange,
        NumberFate,
        Passage,
        Pivot,
        Relation,
        RelationKind,
        Span,
    )
    from detector.report.data import ReportData

MEANING = (
    "A flag is evidence that meaning moved or a name was damaged on the way. It is not a verdict "
    "on a person, and it can be wrong: read both sentences side by side."
)
"""What a flag means, in the words that every view uses."""

CHANGE_WORDS: dict[Change, str] = {
    "kept": "kept",
    "case": "case changed",
    "possessive": "possessive slipped",
    "respelled": "respelled",
    "truncated": "cut short",
    "garbled": "garbled",
    "translated": "translated",
    "as_word": "read as a word",
    "swapped": "swapped for another",
    "dropped": "dropped",
    "added": "not in the source",
}
"""How a name changed, in the words that every view uses."""

NUMBER_WORDS: dict[NumberFate, str] = {
    "kept": "kept",
    "changed": "changed",
    "unit_changed": "unit changed",
    "unit_lost": "unit lost",
    "unit_added": "unit added",
    "dropped": "dropped",
    "added": "not in the source",
}
"""How a number changed, in the words that every view uses."""

ERROR_WORDS: dict[ErrorKind, str] = {
    "mistranslation": "may be mistranslated",
    "omission": "may be missing from the copy",
    "addition": "may be added",
    "name": "may be a damaged name",
    "number": "may be a changed number",
    "grammar": "may be wrong in grammar",
}
"""What may be wrong with an error span, in the words that every view uses."""

RELATION_WORDS: dict[RelationKind, str] = {
    "round_trip": "machine round trip",
    "duplicate": "duplicate",
    "paraphrase": "paraphrase",
    "independent": "another text on the same event",
    "unrelated": "unrelated text",
}
"""What a copy can be to its source, in the words that every view uses."""

_SHOWN = 0.005  # lowest probability that is not 0.00 in two decimals
_N_LIKELY, _N_EVIDENCE, _N_CHANGES = 5, 4, 5
_WIDTH = 96
_LABEL = 11  # columns before the text of a line


def summary_text(report: ReportData, *, n_worst: int = 5) -> str:
    """Return a few lines about a report and its `n_worst` worst rows, safe to print."""
    lines = [report.statement]
    for label, fact in facts(report):
        first, *others = textwrap.wrap(fact, _WIDTH - _LABEL) or [""]
        lines.append(f"{label:<{_LABEL}}{first}")
        lines += [f"{'':<{_LABEL}}{other}" for other in others]
    worst = report.worst[:n_worst]
    if worst:
        lines.append("Worst")
    for row in worst:
        lines.append(f"{row.copy_index + 1:>4}  {chance(row):>4} {shortened(row.copy_text, 80)}")
        lines += [f"{'':<{_LABEL}}- {shortened(why, 100)}" for why in report.findings(row)[:3]]
    lines += textwrap.wrap(MEANING, _WIDTH)
    return "\n".join([*lines, f"{'Signature':<{_LABEL}}{safe(str(report.signature))}"])


def facts(report: ReportData) -> list[tuple[str, str]]:
    """Return the report as a whole as pairs of a theme and a fact, safe to show.

    The theme is empty where the pair goes on with the theme before it.
    """
    n_added = len(report.additions)
    n_omitted, n_outside = (
        sum(len(passage.indices) for passage in passages)
        for passages in (report.omissions, report.outside)
    )
    judged = count(sum(row.drift_probability is not None for row in report.rows), "judged sentence")
    damaged, slips = report.damaged, report.slips
    pairs = [] if report.relation is None else _relation(report.relation)
    pairs += [] if report.pivot is None else _pivot(report.pivot)
    copy = f"{report.n_copy - n_added} with a counterpart in the source, {n_added} without"
    source = f"{n_omitted} left out of the copy, {n_outside} of page boilerplate"
    drift = f"{len(report.flagged)} of {judged} at or above the drift threshold"
    pairs += [
        ("Copy", f"{count(report.n_copy, 'sentence')}: {copy}"),
        ("Source", f"{count(report.n_source, 'sentence')}: {source}"),
        ("Meaning", f"{drift} {report.threshold:.2f}"),
    ]
    if report.severity is not None:
        points = "a minor error counts 1, a major one 5"
        pairs.append(("Severity", f"{report.severity:.2f} error points a sentence ({points})"))
    names = f"{len(damaged)} of {len(report.names)} damaged"
    pairs.append(("Names", f"{names}: {_kinds(damaged)}" if damaged else names))
    pairs += _listed(damaged)
    if slips:
        pairs.append(("Slips", _kinds(slips)))
    if report.n_figures is not None:
        pairs += [("Numbers", f"{report.n_figures} changed"), *_listed(report.changed_numbers)]
    spans = [span for row in report.rows for span in row.spans]
    if spans:
        n_lost = sum(span.copy is None for span in spans)
        wrong = f"{count(len(spans) - n_lost, 'span')} of the copy may be wrong"
        pairs.append(("Words", f"{wrong}, {n_lost:,} of the source missing"))
    return [*pairs, *(("Note", safe(warning)) for warning in report.warnings)]


def _relation(relation: Relation) -> list[tuple[str, str]]:
    likely = {RELATION_WORDS[kind]: p for kind, p in relation.probabilities.items()}
    label = None if relation.label is None else RELATION_WORDS[relation.label]
    return [("Relation", _likely(likely, label)), *_evidence(relation.evidence)]


def _pivot(pivot: Pivot) -> list[tuple[str, str]]:
    family, p = max(pivot.families.items(), key=lambda item: item[1])
    # A report read from elsewhere may hold any code; an unknown one is shown as it is.
    posterior = {NAMES.get(code, code): share for code, share in pivot.posterior.items()}
    language = pivot.language
    likely = _likely(posterior, None if language is None else NAMES.get(language, language))
    fact = f"{likely}, family {shortened(family, 40)} {p:.2f}"
    return [("Pivot", fact), *_evidence(pivot.evidence)]


def _likely(probabilities: Mapping[str, float], label: str | None) -> str:
    """Return the label, if any, its probability and the likeliest others."""
    likely = sorted(probabilities.items(), key=lambda item: -item[1])[:_N_LIKELY]
    shown = [
        f"{shortened(name, 40)} {p:.2f}" for name, p in likely if name != label and p >= _SHOWN
    ]
    if label is None:
        return f"not sure: {', '.join(shown)}"
    others = f" ({', '.join(shown)})" if shown else ""
    return f"{shortened(label, 40)} {probabilities[label]:.2f}{others}"


def _evidence(evidence: Sequence[str]) -> list[tuple[str, str]]:
    return [("", shortened(line, 200)) for line in evidence[:_N_EVIDENCE]]


def _listed(changes: Sequence[NameChange | NumberChange]) -> list[tuple[str, str]]:
    shown = [f"{described(c)} ({c.probability:.2f})" for c in changes[:_N_CHANGES]]
    return [("", "; ".join(shown))] if shown else []


def described(change: NameChange | NumberChange) -> str:
    """Return a change of a name or number in a few words, safe to show."""
    source, copy = change.source_text, change.copy_text
    if source and copy:
        return f'"{shortened(source, 40)}" became "{shortened(copy, 40)}"'
    return f'"{shortened(source or copy or "", 40)}" {change_word(change)}'


def change_word(change: NameChange | NumberChange) -> str:
    """Return the kind of a change in words."""
    if isinstance(change, NumberChange):
        return NUMBER_WORDS[change.change]
    return CHANGE_WORDS[change.change]


def chance(row: Row) -> str:
    """Return a row's drift probability to two places, or dashes where it was not judged."""
    return "--" if row.drift_probability is None else f"{row.drift_probability:.2f}"


def count(n: int, noun: str) -> str:
    """Return `n` with its noun, with an s where it needs one.

    Examples
    --------
    >>> count(1, "row"), count(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def shortened(text: str, width: int) -> str:
    """Return `text` safe to show and at most `width` characters long.

    Examples
    --------
    >>> shortened("a rather long sentence", 10)
    'a rather …'
    """
    shown = safe(text[: 4 * width])  # a sentence may be a megabyte
    if len(shown) <= width and len(text) <= 4 * width:
        return shown
    return f"{shown[: width - 1]}…"


def _kinds(changes: Iterable[NameChange]) -> str:
    counts = Counter(change.change for change in changes)
    return ", ".join(f"{counts[kind]} {CHANGE_WORDS[kind]}" for kind in CHANGES if counts[kind])


LEGEND = (
    "! drift   * damaged name or changed number   + added in the copy   - left out of the copy",
    "*name* [was: its source form]   ~name~ slip of case or possessive, or an unsure change",
)

_GUTTER = 16  # columns of index, signs and probability
_LONGEST = 1500  # characters of one sentence that are shown; some "sentences" are a whole file
_RESET = "\x1b[0m"
_LOUD, _SLIP, _SOFT, _BOLD, _FLAG = "\x1b[1;31m", "\x1b[4m", "\x1b[2m", "\x1b[1m", "\x1b[33m"


class _Run(NamedTuple):
    """Safe text in one style; the style is a terminal sequence or empty."""

    text: str
    style: str = ""


def terminal_table(
    report: ReportData, *, width: int = 100, colour: bool = False, only_flagged: bool = False
) -> str:
    """Return a report as a table followed by its summary, safe to print.

    Parameters
    ----------
    report : ReportData
    width : int
        Columns of the terminal; at least 40 are used.
    colour : bool
        Whether to colour; the text is the same without.
    only_flagged : bool
        Leave out what has no finding: sound rows, omissions and page boilerplate.
    """
    width = max(40, width)
    shown = [
        entry
        for entry in report.entries
        if not only_flagged or (isinstance(entry, Row) and report.has_finding(entry))
    ]
    lines: list[str] = []
    outside = set(report.outside)
    for is_outside, group in groupby(shown, key=lambda entry: entry in outside):
        if is_outside:
            passages = [entry for entry in group if not isinstance(entry, Row)]
            lines += _wrapped(_boilerplate(passages), "", width, colour=colour)
            continue
        for entry in group:
            if isinstance(entry, Row):
                lines += _row(report, entry, width, colour=colour)
            else:
                lines += _omission(entry, width, colour=colour)
    lines += ["", *(_painted([_Run(line, _SOFT)], colour=colour) for line in LEGEND), ""]
    return "\n".join([*lines, summary_text(report), ""])


def _row(report: ReportData, row: Row, width: int, *, colour: bool) -> list[str]:
    damaged = report.damage(row)
    flag, damage, addition = row.drift_flag, bool(damaged), row.kind == "addition"
    signs = f"{'!' if flag else ' '}{'*' if damage else ' '}{'+' if addition else ' '}"
    gutter = f"{row.copy_index + 1:>5} {signs} {chance(row):>4}"
    style = _FLAG if flag else ""
    lines = _wrapped(_copy_runs(row, damaged), gutter, width, colour=colour, style=style)
    if (flag or damaged) and row.source_text is not None and row.source is not None:
        marks = [(c.source, c) for c in damaged if c.source is not None]
        source = [
            _Run(safe(piece), _SOFT) if change is None else _Run(f"*{safe(piece)}*", _BOLD)
            for piece, change in _pieces(row.source_text, row.source.start, marks)
        ]
        lines += _wrapped([_Run("source: ", _SOFT), *source], "", width, colour=colour)
    for reason in report.findings(row):
        lines += _wrapped([_Run(f"- {safe(reason)}")], "", width, colour=colour)
    return lines


def _copy_runs(row: Row, damaged: Sequence[NameChange | NumberChange]) -> list[_Run]:
    unsure = [c for c in row.name_changes if c.change != "kept" and c not in damaged]
    marks = [(c.copy, c) for c in (*damaged, *unsure) if c.copy is not None]
    runs: list[_Run] = []
    for piece, change in _pieces(row.copy_text, row.copy.start, marks):
        if change is None:
            runs.append(_Run(safe(piece)))
        elif change in damaged:
            was = shortened(change.source_text or "", 60)
            runs.append(_Run(f"*{safe(piece)}*", _LOUD))
            runs.append(_Run(f" [was: {was}]" if was else " [not in the source]", _SOFT))
        else:
            runs.append(_Run(f"~{safe(piece)}~", _SLIP))
    return runs


def _pieces(
    text: str, start: int, marks: Iterable[tuple[Span, NameChange | NumberChange]]
) -> Iterator[tuple[str, NameChange | NumberChange | None]]:
    yield from cut(text[:_LONGEST], start, marks)
    if len(text) > _LONGEST:
        yield f" … ({count(len(text) - _LONGEST, 'character')} more)", None


def _omission(passage: Passage, width: int, *, colour: bool) -> list[str]:
    reason = f" ({safe(passage.reason)})" if passage.reason else ""
    text = f"left out{reason}: {shortened(passage.text, _LONGEST)}"
    return _wrapped([_Run(text, _SOFT)], f"{'':>8}-", width, colour=colour)


def _boilerplate(passages: list[Passage]) -> list[_Run]:
    n = sum(len(passage.indices) for passage in passages)
    first = shortened(passages[0].text, 50)
    return [_Run(f'page boilerplate of the source, {count(n, "sentence")}: "{first}"', _SOFT)]


def _wrapped(
    runs: Iterable[_Run], gutter: str, width: int, *, colour: bool, style: str = ""
) -> list[str]:
    """Wrap runs of text beside a gutter; only the first line has the gutter's words."""
    limit = width - _GUTTER
    lines: list[list[_Run]] = [[]]
    at = 0
    for word in _words(runs, limit):
        size = sum(columns(run.text) for run in word)
        if at and at + 1 + size > limit:
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


def _words(runs: Iterable[_Run], limit: int) -> Iterator[list[_Run]]:
    """Split runs at spaces; a word is the runs between two spaces, at most `limit` columns wide."""
    word: list[_Run] = []
    size = 0
    for run in runs:
        for index, part in enumerate(run.text.split(" ")):
            if index and word:
                yield word
                word, size = [], 0
            while part:
                head = _head(part, limit - size)
                if head:
                    word.append(_Run(head, run.style))
                    size += columns(head)
                    part = part[len(head) :]
                if part:
                    yield word
                    word, size = [], 0
    if word:
        yield word


def _head(text: str, limit: int) -> str:
    """Return the longest beginning of `text` that takes at most `limit` columns."""
    for index, char in enumerate(text):
        limit -= columns(char)
        if limit < 0:
            return text[:index]
    return text


def _painted(runs: Iterable[_Run], *, colour: bool) -> str:
    texts = []
    for style, alike in groupby(runs, key=lambda run: run.style):
        text = "".join(run.text for run in alike)
        texts.append(f"{style}{text}{_RESET}" if colour and style else text)
    return "".join(texts)
