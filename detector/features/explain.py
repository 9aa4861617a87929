"""Explain in words what changed in a bead.

It reads the same evidence as `features` and decides nothing.
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

_HEAVY = 0.3  # weight from which a lost or added word is named
_MOST = 4  # words listed in one reason
_INCOHERENT = 0.7  # probability from which incoherent neighbours are named
_MOST_NEIGHBOURS = 2
_MOST_SPANS = 3  # error spans of a side listed


def bead_reasons(
    bead: BeadEvidence,
    names: Sequence[NameChange],
    spans: Sequence[ErrorSpan] = (),
    *,
    flagged: bool,
) -> tuple[str, ...]:
    """List what changed in a bead, strongest first; empty when nothing was found.

    `names` and `spans` are those of one copy sentence of the bead. A bead that is not flagged gets
    the typed findings alone (numbers, negation, opposites, names), not every synonym.
    """
    reasons = [change.reason for change in bead.number_changes if change.reported]
    reasons += _negation(bead)
    reasons += [
        f"“{source.text}” became its opposite “{copy.text}”"
        for source, copy in opposite_pairs(bead)
    ]
    damaged = [c for c in names if c.change != "kept" and c.change not in SLIPS]
    reasons += [c.reason for c in sorted(damaged, key=lambda c: -c.probability)]
    source_named, copy_named = _named(bead)
    reasons += [
        f"“{word.text}” stands twice in a row"
        for word in doubled_words(bead)
        if word.start not in copy_named
    ]
    pronouns = pronoun_change(bead)
    if pronouns is not None:
        reasons.append(f"a person may have changed gender: “{pronouns[0]}” became “{pronouns[1]}”")
    if "?" in bead.copy_text and "?" not in bead.source_text:
        reasons.append("a statement may have become a question")
    if flagged:
        reasons += _wording(bead, source_named, copy_named)
        reasons += _spans(bead, spans, said=" ".join(reasons))
        reasons += _adjacency(bead)
        if bead.similarity < 0.6:
            reasons.append(f"the two sides are little alike (cosine {bead.similarity:.2f})")
        if not reasons:
            reasons.append("small differences in wording add up; no single one stands out")
    if bead.n_truncated:
        reasons.append("a sentence is longer than the encoder reads; its end was judged by words")
    return tuple(dict.fromkeys(reasons))


def _negation(bead: BeadEvidence) -> list[str]:
    lost, added = negation_change(bead)
    if lost:
        return [f"a negation may be lost: the source has {_listed([w.text for w in lost])}"]
    if added:
        return [f"a negation may be added: the copy has {_listed([w.text for w in added])}"]
    return []


def _named(bead: BeadEvidence) -> tuple[set[int], set[int]]:
    """Return where words of names start on each side: names have reasons of their own."""
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
    """List the words that were replaced, lost or added, heaviest first."""
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


def _spans(bead: BeadEvidence, spans: Sequence[ErrorSpan], *, said: str) -> Iterator[str]:
    """List the error spans of each side, likeliest first, that no other reason names."""
    sides = ((bead.copy.document.raw, "copy"), (bead.source.document.raw, "source"))
    for raw, side in sides:
        own = [(getattr(s, side), s.probability) for s in spans if getattr(s, side) is not None]
        fresh = [
            (span.of(raw), probability)
            for span, probability in sorted(own, key=lambda item: -item[1])
            if not all(f"“{word}" in said for word in span.of(raw).split())
        ]
        if fresh:
            says = "may be wrong" if side == "copy" else "may be missing from the copy"
            shown = ", ".join(f"“{text}” ({p:.2f})" for text, p in fresh[:_MOST_SPANS])
            yield f"{shown} {says}"


def _adjacency(bead: BeadEvidence) -> list[str]:
    """List the incoherent neighbours among the copy's words, likeliest first."""
    if bead.adjacency is None:
        return []
    words, probability = bead.words.copy, bead.adjacency
    worst = np.argsort(-probability, kind="stable")[:_MOST_NEIGHBOURS].tolist()
    found = [at for at in worst if probability[at] >= _INCOHERENT and 0 < at < len(words)]
    return [
        f"“{words[at - 1].text}” and “{words[at].text}” do not join as in the source: something "
        "may be missing, added or out of place there"
        for at in found
    ]


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(f"“{word}”" for word in words[:_MOST])
    return f"{shown} and {len(words) - _MOST} more" if len(words) > _MOST else shown
