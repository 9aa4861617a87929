"""Why a bead was judged as it was, in words that point at the text.

Pure: reads the same evidence as `features` and says what it found, strongest first. It decides
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from detector.evidence import BeadEvidence
from detector.features import (
    added_words,
    doubled_words,
    lost_words,
    negations,
    opposite_pairs,
)
from detector.records import NameChange
from detector.words import Word

_HEAVY = 0.3  # rarity-weighted mass from which a lost or added word is worth naming
_MOST = 4  # words listed in one reason


def bead_reasons(bead: BeadEvidence, *, flagged: bool) -> tuple[str, ...]:
    """Say in words what moved in a bead.

    Parameters
    ----------
    bead : BeadEvidence
    flagged : bool
        Whether the bead's drift probability reaches the threshold. A sound bead is given the
        hard findings alone (figures, negation, opposites, names), not every synonym.

    Returns
    -------
    tuple of str
        Strongest first; empty when nothing was found.
    """
    reasons = [
        change.reason for change in bead.figures if change.change != "kept" and change.weight >= 0.5
    ]
    reasons += _negation(bead)
    reasons += [
        f"“{source.text}” became its opposite “{copy.text}”"
        for source, copy in opposite_pairs(bead)
    ]
    reasons += name_reasons(bead.names)
    reasons += [f"“{word.text}” stands twice in a row" for word in doubled_words(bead.words.copy)]
    if flagged:
        reasons += _wording(bead)
        if bead.similarity < 0.6:
            reasons.append(f"the two sides are little alike (cosine {bead.similarity:.2f})")
        if not reasons:
            reasons.append("small differences in wording add up; no single one stands out")
    if bead.n_truncated:
        reasons.append("a sentence is longer than the encoder reads; its end was judged by words")
    return tuple(dict.fromkeys(reasons))


def name_reasons(changes: Sequence[NameChange]) -> list[str]:
    """Return the reasons of the names that changed, surest damage first."""
    changed = [c for c in changes if c.change != "kept"]
    return [c.reason for c in sorted(changed, key=lambda c: -c.probability)]


def _negation(bead: BeadEvidence) -> list[str]:
    source, copy = negations(bead.words.source), negations(bead.words.copy)
    if len(source) > len(copy):
        lost = [w.text for w in source if w.norm not in {c.norm for c in copy}] or [source[-1].text]
        return [f"a negation may be lost: the source has {_listed(lost)}"]
    if len(copy) > len(source):
        new = [w.text for w in copy if w.norm not in {s.norm for s in source}] or [copy[-1].text]
        return [f"a negation may be added: the copy has {_listed(new)}"]
    return []


def _wording(bead: BeadEvidence) -> list[str]:
    """Say which words were replaced, lost or added, heaviest first."""
    reasons = []
    links = bead.words
    place = {word.start: index for index, word in enumerate(links.source)}
    replaced: list[str] = []
    lost: list[str] = []
    answered: set[int] = set()
    for word, mass in lost_words(bead):
        if mass < _HEAVY:
            break
        j = int(links.to_copy[place[word.start]])
        if j >= 0 and links.copy[j].norm != word.norm:
            replaced.append(f"“{word.text}” became “{links.copy[j].text}”")
            answered.add(j)
        elif j < 0:
            lost.append(word.text)
    added = [
        word.text
        for word, mass in added_words(bead)
        if mass >= _HEAVY and not any(links.copy[j].start == word.start for j in answered)
    ]
    if replaced:
        reasons.append("; ".join(replaced[:_MOST]))
    if lost:
        reasons.append(f"the copy has nothing for {_listed(lost)}")
    if added:
        reasons.append(f"the source has nothing for {_listed(added)}")
    return reasons


def _listed(words: Sequence[str] | Sequence[Word]) -> str:
    shown = ", ".join(f"“{word}”" for word in words[:_MOST])
    return f"{shown} and {len(words) - _MOST} more" if len(words) > _MOST else shown
