"""Find cues of changed meaning: opposites, negations, repetitions, pronouns, lost words.

`features` turns the cues into numbers and `explain` into sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.features.evidence import BeadEvidence
from detector.text.lexicon import base_forms, closed_class, is_negation, is_word, opposites
from detector.text.words import Word


def opposite_pairs(bead: BeadEvidence) -> tuple[tuple[Word, Word], ...]:
    """Find source words that the copy lacks, with an antonym that the copy alone holds."""
    gained: dict[str, Word] = {}
    for word in _unshared(bead.words.copy, bead.words.source):
        for form in base_forms(word.norm) | {word.norm}:
            gained.setdefault(form, word)
    lost = _unshared(bead.words.source, bead.words.copy)
    return tuple(
        (word, other)
        for word in lost
        for other in dict.fromkeys(gained[o] for o in sorted(opposites(word.norm)) if o in gained)
    )


def lost_words(bead: BeadEvidence) -> tuple[tuple[Word, float], ...]:
    """Weigh the source words that the copy lacks, heaviest first.

    A weight in [0, 1] is the word's rarity times 1 less the likeness to its counterpart.
    """
    return _missing(bead.words.source, bead.source_weights, bead.words.source_strength)


def added_words(bead: BeadEvidence) -> tuple[tuple[Word, float], ...]:
    """Weigh the copy words that the source lacks, heaviest first; as `lost_words`."""
    return _missing(bead.words.copy, bead.copy_weights, bead.words.copy_strength)


def doubled_words(bead: BeadEvidence) -> tuple[Word, ...]:
    """Find words that are repeated in a row in the copy alone ("federal federal")."""
    before = {left.norm for left, right in pairwise(bead.words.source) if left.norm == right.norm}
    return tuple(
        right
        for left, right in pairwise(bead.words.copy)
        if left.norm == right.norm and left.norm not in before and left.norm.isalpha()
    )


def negation_change(bead: BeadEvidence) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Find the surplus negations (not, never, n't) of the source, or else of the copy.

    A word with a negative meaning ("failed", "unclear") that one side alone holds makes up for one
    of them, as in "did not" and "failed to", or "not impossible" and "possible".
    """
    sides = bead.words.source, bead.words.copy
    source, copy = ([word for word in side if is_negation(word.norm)] for side in sides)
    if len(source) == len(copy):
        return (), ()
    one_sided = (*_unshared(*sides), *_unshared(*sides[::-1]))
    n_negative = sum(_is_negative(word.norm) for word in one_sided)
    spare = max(0, abs(len(source) - len(copy)) - n_negative)
    if len(source) > len(copy):
        return _alone(source, copy)[:spare], ()
    return (), _alone(copy, source)[:spare]


def _alone(words: Sequence[Word], others: Sequence[Word]) -> tuple[Word, ...]:
    """Sort the words that the other side lacks to the front."""
    present = {word.norm for word in others}
    return tuple(sorted(words, key=lambda word: word.norm in present))


@lru_cache(maxsize=65536)
def _is_negative(norm: str) -> bool:
    if norm in closed_class("negating") or not base_forms(norm).isdisjoint(
        closed_class("negating")
    ):
        return True
    return any(
        norm.startswith(prefix) and is_word(norm) and is_word(norm[len(prefix) :])
        for prefix in ("un", "in", "im", "non", "dis", "ir", "il")
        if len(norm) > len(prefix) + 3
    ) or (norm.endswith("less") and len(norm) > 6)


def pronoun_change(bead: BeadEvidence) -> tuple[str, str] | None:
    """Find a third person whose gender changed: a pronoun of each side that the other lacks."""
    source, copy = _genders(bead.words.source), _genders(bead.words.copy)
    lost = [gender for gender in source if gender not in copy]
    gained = [gender for gender in copy if gender not in source]
    if lost and gained:
        return source[lost[0]], copy[gained[0]]
    return None


def _genders(words: Sequence[Word]) -> dict[str, str]:
    """Return the first pronoun of each gender."""
    return {_GENDER[w.norm]: w.text for w in reversed(words) if w.norm in _GENDER}


_GENDER = {
    **dict.fromkeys(("he", "him", "his", "himself"), "masculine"),
    **dict.fromkeys(("she", "her", "hers", "herself"), "feminine"),
}


def _missing(
    words: Sequence[Word], weights: NDArray[np.float64], strength: NDArray[np.float32]
) -> tuple[tuple[Word, float], ...]:
    mass = weights * (1.0 - strength)
    order = np.argsort(-mass, kind="stable")
    return tuple((words[i], float(mass[i])) for i in order if mass[i] > 0.0)


def _unshared(words: Sequence[Word], others: Sequence[Word]) -> list[Word]:
    present = {word.norm for word in others}
    return [word for word in words if word.norm not in present]
