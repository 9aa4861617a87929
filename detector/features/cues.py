"""Find cues of changed meaning: opposites, negations, repetitions, pronouns, lost words.

What a person would point at in a bead: opposites, negations, doubled words, pronouns, losses.

Pure: reads the evidence and gives words back. `features` turns them into numbers and `reasons`
into sentences; nothing is weighed against anything here.
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
    """Find words of the source that came back as their opposite.

    Returns
    -------
    tuple of (Word, Word)
        A source word that the copy lacks, and an antonym of it in the copy that the source lacks.
    """
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


def negations(words: Sequence[Word]) -> tuple[Word, ...]:
    """Find the negating words: not, never, without, the n't of a contraction."""
    return tuple(word for word in words if is_negation(word.norm))


def lost_words(bead: BeadEvidence) -> tuple[tuple[Word, float], ...]:
    """Weigh the source words that the copy does not hold, heaviest first.

    Returns
    -------
    tuple of (Word, float)
        Weight in [0, 1]: rarity times what is missing of the likeness to its counterpart.
    """
    return _missing(bead.words.source, bead.source_weights, bead.words.source_strength)


def added_words(bead: BeadEvidence) -> tuple[tuple[Word, float], ...]:
    """Weigh the copy words that the source does not hold, heaviest first; as `lost_words`."""
    return _missing(bead.words.copy, bead.copy_weights, bead.words.copy_strength)


def doubled_words(bead: BeadEvidence) -> tuple[Word, ...]:
    """Find words that stand twice in a row in the copy alone ("federal federal")."""
    before = {left.norm for left, right in pairwise(bead.words.source) if left.norm == right.norm}
    return tuple(
        right
        for left, right in pairwise(bead.words.copy)
        if left.norm == right.norm and left.norm not in before and left.norm.isalpha()
    )


def negation_change(bead: BeadEvidence) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Find negations without a counterpart: those that the source and the copy hold alone.

    Returns
    -------
    tuple of (tuple of Word, tuple of Word)
        Negations of the source and of the copy that are left when equal numbers are struck out.
        A word that negates by itself ("failed", "unclear") answers for one where it stands on one
        side alone, in the same clause ("not impossible") or in the other text.
    """
    source, copy = negations(bead.words.source), negations(bead.words.copy)
    difference = len(source) - len(copy)
    if not difference:
        return (), ()
    answers = len(_implied(bead.words.copy, bead.words.source))
    answers += len(_implied(bead.words.source, bead.words.copy))
    spare = max(0, abs(difference) - answers)
    if difference > 0:
        return _alone(source, copy)[:spare], ()
    return (), _alone(copy, source)[:spare]


def _alone(words: tuple[Word, ...], others: tuple[Word, ...]) -> tuple[Word, ...]:
    present = {word.norm for word in others}
    return tuple(sorted(words, key=lambda word: word.norm in present))


def _implied(words: Sequence[Word], others: Sequence[Word]) -> list[Word]:
    """Find words that negate by themselves and that the other side lacks."""
    return [word for word in _unshared(words, others) if _negates(word.norm)]


@lru_cache(maxsize=65536)
def _negates(norm: str) -> bool:
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
    """Find a third person whose gender changed ("her brother", "his brother").

    Returns
    -------
    tuple of (str, str), or None
        A pronoun that the source holds and the copy does not, and one of another gender that
        stands in the copy alone.
    """
    source, copy = _genders(bead.words.source), _genders(bead.words.copy)
    lost = [gender for gender in source if gender not in copy]
    gained = [gender for gender in copy if gender not in source]
    if lost and gained:
        return source[lost[0]], copy[gained[0]]
    return None


def _genders(words: Sequence[Word]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        if (gender := _GENDER.get(word.norm)) is not None:
            found.setdefault(gender, word.text)
    return found


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
