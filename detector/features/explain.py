"""Explain in words why a bead was judged as it was.

Why a bead was judged as it was, in words that point at the text.

Pure: reads the same evidence as `features` and says what it found, strongest first. It decides
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from detector.features.cues import (
    added_words,
    doubled_words,
    lost_words,
    negation_change,
    opposite_pairs,
    pronoun_change,
)
from detector.features.evidence import BeadEvidence
from detector.records import SLIPS, ErrorSpan, NameChange
from detector.text.lexicon import is_stopword

_HEAVY = 0.3  # rarity-weighted mass from which a lost or added word is worth naming
_MOST = 4  # words listed in one reason
_BROKEN = 0.7  # probability from which a join is worth naming ...
_MOST_JOINS = 2  # ... and at most so many of them
_MOST_SPANS = 3  # spans of a side listed


def bead_reasons(
    bead: BeadEvidence,
    names: Sequence[NameChange],
    spans: Sequence[ErrorSpan] = (),
    *,
    flagged: bool,
) -> tuple[str, ...]:
    """Say in words what moved in a bead.

    Parameters
    ----------
    bead : BeadEvidence
    names : sequence of NameChange
        Those of the bead's names that are to be told here: a bead of several copy sentences
        tells each name with the sentence it stands in.
    spans : sequence of ErrorSpan
        Words that a tagger calls damaged or lost, likewise.
    flagged : bool
        Whether the bead's drift probability reaches the threshold. A sound bead is given the
        hard findings alone (figures, negation, opposites, names), not every synonym.

    Returns
    -------
    tuple of str
        Strongest first; empty when nothing was found.
    """
    reasons = [change.reason for change in bead.number_changes if change.reported]
    reasons += _negation(bead)
    reasons += [
        f"“{source.text}” became its opposite “{copy.text}”"
        for source, copy in opposite_pairs(bead)
    ]
    reasons += name_reasons(names)
    named = _named(bead)
    reasons += [
        f"“{word.text}” stands twice in a row"
        for word in doubled_words(bead)
        if word.start not in named[1]
    ]
    pronouns = pronoun_change(bead)
    if pronouns is not None:
        reasons.append(f"a person may have changed gender: “{pronouns[0]}” became “{pronouns[1]}”")
    if "?" in bead.copy_text and "?" not in bead.source_text:
        reasons.append("a statement may have become a question")
    if flagged:
        reasons += _wording(bead, *named)
        reasons += _spans(bead, spans, told=" ".join(reasons))
        reasons += _joins(bead)
        if bead.similarity < 0.6:
            reasons.append(f"the two sides are little alike (cosine {bead.similarity:.2f})")
        if not reasons:
            reasons.append("small differences in wording add up; no single one stands out")
    if bead.n_truncated:
        reasons.append("a sentence is longer than the encoder reads; its end was judged by words")
    return tuple(dict.fromkeys(reasons))


def name_reasons(changes: Sequence[NameChange]) -> list[str]:
    """Return the reasons of the names that changed, surest damage first.

    Slips of case or apostrophe are left to the names' own records: told for each sentence, they
    would drown the rest.
    """
    told = [c for c in changes if c.change != "kept" and c.change not in SLIPS]
    return [c.reason for c in sorted(told, key=lambda c: -c.probability)]


def _negation(bead: BeadEvidence) -> list[str]:
    lost, added = negation_change(bead)
    if lost:
        return [f"a negation may be lost: the source has {_listed([w.text for w in lost])}"]
    if added:
        return [f"a negation may be added: the copy has {_listed([w.text for w in added])}"]
    return []


def _named(bead: BeadEvidence) -> tuple[set[int], set[int]]:
    """Return where words of names start on each side: the names' own reasons tell of them."""
    sides = (
        (bead.words.source, [c.source for c in bead.names if c.source is not None]),
        (bead.words.copy, [c.copy for c in bead.names if c.copy is not None]),
    )
    source, copy = (
        {w.start for w in words for span in spans if span.start <= w.start < span.end}
        for words, spans in sides
    )
    return source, copy


def _wording(bead: BeadEvidence, source_named: set[int], copy_named: set[int]) -> list[str]:
    """Say which words were replaced, lost or added, heaviest first."""
    links = bead.words
    place = {word.start: index for index, word in enumerate(links.source)}
    replaced: list[str] = []
    lost: list[str] = []
    answered: set[int] = set()
    for word, mass in lost_words(bead):
        if mass < _HEAVY:
            break
        if word.start in source_named:
            continue
        j = int(links.to_copy[place[word.start]])
        if j >= 0 and not is_stopword(links.copy[j].norm):
            replaced.append(f"“{word.text}” became “{links.copy[j].text}”")
            answered.add(links.copy[j].start)
        else:
            lost.append(word.text)
    added = [
        word.text
        for word, mass in added_words(bead)
        if mass >= _HEAVY and word.start not in answered | copy_named
    ]
    reasons = []
    if replaced:
        reasons.append("; ".join(replaced[:_MOST]))
    if lost:
        reasons.append(f"the copy has nothing for {_listed(lost)}")
    if added:
        reasons.append(f"the source has nothing for {_listed(added)}")
    return reasons


def _spans(bead: BeadEvidence, spans: Sequence[ErrorSpan], *, told: str) -> Iterator[str]:
    """Say which words a tagger calls damaged or lost, surest first, that no reason told yet."""
    sides = ((bead.copy.document.raw, "copy"), (bead.source.document.raw, "source"))
    for raw, side in sides:
        mine = [(getattr(one, side), one) for one in spans if getattr(one, side) is not None]
        fresh = [
            (span.of(raw), one.probability)
            for span, one in sorted(mine, key=lambda item: -item[1].probability)
            if not all(f"“{word}" in told for word in span.of(raw).split())
        ]
        if fresh:
            says = "may be wrong" if side == "copy" else "may be missing from the copy"
            shown = ", ".join(f"“{text}” ({p:.2f})" for text, p in fresh[:_MOST_SPANS])
            yield f"{shown} {says}"


def _joins(bead: BeadEvidence) -> list[str]:
    """Say where words of the copy do not follow on one another, surest first."""
    if bead.joins is None:
        return []
    words = bead.words.copy
    worst = np.argsort(-bead.joins, kind="stable")[:_MOST_JOINS].tolist()
    found = [at for at in worst if bead.joins[at] >= _BROKEN and 0 < at < len(words)]
    return [
        f"“{words[at - 1].text}” and “{words[at].text}” do not join as in the source: something "
        "may be missing, added or out of place there"
        for at in found
    ]


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(f"“{word}”" for word in words[:_MOST])
    return f"{shown} and {len(words) - _MOST} more" if len(words) > _MOST else shown
