"""A report in a few lines of plain text: what an editor reads first.

Pure text out, safe to print; nothing here judges, it counts and picks what the report holds.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from detector.pivoting.languages import NAMES
from detector.records import CHANGES
from detector.showing.display import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from detector.pivot import Pivot
    from detector.records import Change, ErrorKind, NameChange, Row
    from detector.relation import Relation, RelationKind
    from detector.report import Report

MEANING = (
    "A flag is evidence that meaning moved or a name was damaged on the way. It is not a verdict "
    "on a person, and it can be wrong: read both sentences side by side."
)
"""What a flag means, in the words that every view uses."""

POINTS = "a minor error counts 1, a major one 5"
"""What an error point is, in the words that every view uses."""

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
    "added": "out of nothing",
}
"""What became of a name, as every view says it."""

ERROR_WORDS: dict[ErrorKind, str] = {
    "mistranslation": "may be mistranslated",
    "omission": "may be missing from the copy",
    "addition": "may be added",
    "name": "may be a damaged name",
    "number": "may be a changed figure",
    "grammar": "may be wrong in grammar",
}
"""What may be wrong with the words of an error span, as every view says it."""

RELATION_WORDS: dict[RelationKind, str] = {
    "round_trip": "machine round trip",
    "duplicate": "duplicate",
    "paraphrase": "paraphrase",
    "independent": "another text on the same event",
    "unrelated": "unrelated text",
}
"""What a copy can be to its source, as every view says it."""

_TOLD = 0.005  # probability that is not 0.00 when shown
_N_LIKELY, _N_EVIDENCE = 5, 4
_WIDTH = 96
_LABEL = 11  # columns before the text of a line


def render(report: Report, *, n_worst: int = 5) -> str:
    """Return a few lines about a report.

    Parameters
    ----------
    report : Report
        What to tell of.
    n_worst : int
        How many of the worst rows to show.

    Returns
    -------
    str
        Lines of plain text without a last line end, safe to print on a terminal.
    """
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


def facts(report: Report) -> list[tuple[str, str]]:
    """Return what a report says as a whole, as pairs of a theme and what there is to say of it.

    The theme is empty where the pair goes on with the theme before it. All of it is safe to show.
    """
    n_added = len(report.additions)
    n_omitted = sum(len(passage.indices) for passage in report.omissions)
    n_outside = sum(len(passage.indices) for passage in report.outside)
    n_judged = sum(row.drift_probability is not None for row in report.rows)
    loud, slips = report.damaged, report.slips
    pairs = [
        *([] if report.relation is None else _relation(report.relation)),
        *([] if report.pivot is None else _pivot(report.pivot)),
        (
            "Copy",
            f"{count(report.n_copy, 'sentence')}: {report.n_copy - n_added} with a counterpart in "
            f"the source, {n_added} without",
        ),
        (
            "Source",
            f"{count(report.n_source, 'sentence')}: {n_omitted} left out of the copy, "
            f"{n_outside} of page furniture",
        ),
        (
            "Meaning",
            f"{len(report.flagged)} of {count(n_judged, 'judged sentence')} at or above the drift "
            f"threshold {report.threshold:.2f}",
        ),
        (
            "Names",
            f"{len(loud)} of {len(report.names)} damaged" + (f": {_kinds(loud)}" if loud else ""),
        ),
    ]
    if report.severity is not None:
        points = f"{report.severity:.2f} error points a sentence ({POINTS})"
        pairs.insert(len(pairs) - 1, ("Severity", points))
    if loud:
        pairs.append(("", "; ".join(f"{became(c)} ({c.probability:.2f})" for c in loud[:5])))
    if slips:
        pairs.append(("Slips", _kinds(slips)))
    spans = [span for row in report.rows for span in row.spans]
    if spans:
        n_lost = sum(span.copy is None for span in spans)
        damaged, lost = count(len(spans) - n_lost, "stretch", "stretches"), f"{n_lost:,}"
        pairs.append(("Words", f"{damaged} of the copy may be wrong, {lost} of the source missing"))
    if report.n_figures is not None:
        pairs.append(("Figures", f"{report.n_figures} changed"))
    return [*pairs, *(("Note", safe(warning)) for warning in report.warnings)]


def _relation(relation: Relation) -> list[tuple[str, str]]:
    likely = {RELATION_WORDS[kind]: p for kind, p in relation.probabilities.items()}
    label = None if relation.label is None else RELATION_WORDS[relation.label]
    return [("Relation", _likely(likely, label)), *_evidence(relation.evidence)]


def _pivot(pivot: Pivot) -> list[tuple[str, str]]:
    family, p = max(pivot.families.items(), key=lambda item: item[1])
    # A report read from elsewhere may hold any code; one that is not known stands as it is.
    posterior = {NAMES.get(code, code): share for code, share in pivot.posterior.items()}
    language = pivot.language
    likely = _likely(posterior, None if language is None else NAMES.get(language, language))
    said = f"{likely}, family {shortened(family, 40)} {p:.2f}"
    return [("Pivot", said), *_evidence(pivot.evidence)]


def _likely(probabilities: Mapping[str, float], label: str | None) -> str:
    """Return what is likely: the label, if any, its probability and the likeliest others."""
    likely = sorted(probabilities.items(), key=lambda item: -item[1])[:_N_LIKELY]
    shown = [f"{shortened(name, 40)} {p:.2f}" for name, p in likely if name != label and p >= _TOLD]
    if label is None:
        return f"not sure: {', '.join(shown)}"
    others = f" ({', '.join(shown)})" if shown else ""
    return f"{shortened(label, 40)} {probabilities[label]:.2f}{others}"


def _evidence(evidence: Sequence[str]) -> list[tuple[str, str]]:
    return [("", shortened(one, 200)) for one in evidence[:_N_EVIDENCE]]


def became(change: NameChange) -> str:
    """Return what became of a name in a few words, safe to show."""
    if change.copy_text is None:
        return f'"{shortened(change.source_text or "", 40)}" {CHANGE_WORDS[change.change]}'
    if change.source_text is None:
        return f'"{shortened(change.copy_text, 40)}" {CHANGE_WORDS[change.change]}'
    return f'"{shortened(change.source_text, 40)}" became "{shortened(change.copy_text, 40)}"'


def chance(row: Row) -> str:
    """Return a row's drift probability to two places, or dashes where it was not judged."""
    return "--" if row.drift_probability is None else f"{row.drift_probability:.2f}"


def count(n: int, noun: str, plural: str = "") -> str:
    """Return `n` with its noun, in the plural (by default with an s) where it needs one.

    Examples
    --------
    >>> count(1, "row"), count(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {plural or noun + 's'}"


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
