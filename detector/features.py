"""The named numbers that the drift classifier reads, and the words for what they found.

One registry: each feature has a name, a unit and a function of the evidence. Pure: no fitting,
no thresholds, no probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.evidence import BeadEvidence
from detector.lexicon import (
    base_forms,
    closed_class,
    is_negation,
    is_quantifier,
    is_word,
    opposites,
    zipf,
)
from detector.records import SLIPS
from detector.words import Word


@dataclass(frozen=True, slots=True)
class Feature:
    """One column: its name, its unit and how it is read off the evidence.

    `compute` gives a finite number, or NaN where the evidence does not allow one.
    """

    name: str
    unit: str
    compute: Callable[[BeadEvidence], float]


def matrix(evidence: Sequence[BeadEvidence]) -> NDArray[np.float64]:
    """Read every feature off every bead.

    Parameters
    ----------
    evidence : sequence of BeadEvidence

    Returns
    -------
    ndarray of shape (n, n_features), float64
        Columns in the order of `FEATURES`; NaN where a feature cannot be computed.
    """
    out = np.empty((len(evidence), len(FEATURES)), dtype=np.float64)
    for row, bead in enumerate(evidence):
        out[row] = [feature.compute(bead) for feature in FEATURES]
    return out


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


def _coverage(weights: NDArray[np.float64], strength: NDArray[np.float32]) -> float:
    total = float(weights.sum())
    return float(weights @ strength) / total if total > 0.0 else math.nan


def _mass(weights: NDArray[np.float64], strength: NDArray[np.float32]) -> float:
    return float(weights @ (1.0 - strength))


def _worst(weights: NDArray[np.float64], strength: NDArray[np.float32]) -> float:
    return float((weights * (1.0 - strength)).max(initial=0.0))


def _shared(words: Sequence[Word], weights: NDArray[np.float64], others: Sequence[Word]) -> float:
    present = {word.norm for word in others}
    total = float(weights.sum())
    if total == 0.0:
        return math.nan
    return (
        float(sum(w for word, w in zip(words, weights, strict=True) if word.norm in present))
        / total
    )


def _length_ratio(bead: BeadEvidence) -> float:
    return math.log(len(bead.copy_text) / len(bead.source_text))


def _spelling(bead: BeadEvidence) -> float:
    from rapidfuzz.distance import Indel

    return float(Indel.normalized_similarity(bead.source_text, bead.copy_text))


def _crossings(bead: BeadEvidence) -> float:
    # Share of linked pairs of words that stand in the other order: 0 all kept, 1 all turned.
    to = bead.words.to_copy[bead.words.to_copy >= 0].astype(np.int64)
    if len(to) < 2:
        return 0.0
    later = np.triu(to[:, None] > to[None, :], k=1)
    return float(later.sum()) / (len(to) * (len(to) - 1) / 2)


def _name_order(bead: BeadEvidence) -> float:
    # Content words that changed sides of one another: who did what to whom.
    heavy = (bead.source_weights > 0.45) & (bead.words.to_copy >= 0)
    to = bead.words.to_copy[heavy].astype(np.int64)
    if len(to) < 2:
        return 0.0
    return float(np.triu(to[:, None] > to[None, :], k=1).sum())


def _figure_changes(bead: BeadEvidence) -> float:
    return float(sum(c.weight for c in bead.figures if c.change != "kept"))


def _name_damage(bead: BeadEvidence) -> float:
    return sum(c.probability for c in bead.names if c.change != "kept" and c.change not in SLIPS)


def _name_slips(bead: BeadEvidence) -> float:
    return float(sum(c.change in SLIPS for c in bead.names))


def _unknown(bead: BeadEvidence) -> float:
    known = {word.norm for word in bead.words.source}
    return float(
        sum(
            word.norm not in known and word.text.islower() and zipf(word.norm) < 1.5
            for word in bead.words.copy
        )
    )


def _negation_difference(bead: BeadEvidence) -> float:
    lost, added = negation_change(bead)
    return float(len(lost) + len(added))


def _quantifier_difference(bead: BeadEvidence) -> float:
    source = {w.norm for w in bead.words.source if is_quantifier(w.norm)}
    return float(len(source ^ {w.norm for w in bead.words.copy if is_quantifier(w.norm)}))


FEATURES: tuple[Feature, ...] = (
    Feature("similarity", "cosine", lambda b: b.similarity),
    Feature(
        "source_coverage",
        "share of the source's rarity",
        lambda b: _coverage(b.source_weights, b.words.source_strength),
    ),
    Feature(
        "copy_coverage",
        "share of the copy's rarity",
        lambda b: _coverage(b.copy_weights, b.words.copy_strength),
    ),
    Feature(
        "lost_mass", "sum of rarity", lambda b: _mass(b.source_weights, b.words.source_strength)
    ),
    Feature("added_mass", "sum of rarity", lambda b: _mass(b.copy_weights, b.words.copy_strength)),
    Feature("worst_lost", "rarity", lambda b: _worst(b.source_weights, b.words.source_strength)),
    Feature("worst_added", "rarity", lambda b: _worst(b.copy_weights, b.words.copy_strength)),
    Feature(
        "source_shared",
        "share of the source's rarity",
        lambda b: _shared(b.words.source, b.source_weights, b.words.copy),
    ),
    Feature(
        "copy_shared",
        "share of the copy's rarity",
        lambda b: _shared(b.words.copy, b.copy_weights, b.words.source),
    ),
    Feature("spelling", "share of characters", _spelling),
    Feature("length_ratio", "log ratio", _length_ratio),
    Feature("length_change", "absolute log ratio", lambda b: abs(_length_ratio(b))),
    Feature("copy_words", "log count", lambda b: math.log1p(len(b.words.copy))),
    Feature("crossings", "share of pairs of words", _crossings),
    Feature("content_crossings", "pairs of words", _name_order),
    Feature("figure_changes", "weighted count", _figure_changes),
    Feature("negation_difference", "words", _negation_difference),
    Feature("quantifier_difference", "words", _quantifier_difference),
    Feature("opposites", "pairs of words", lambda b: float(len(opposite_pairs(b)))),
    Feature("name_damage", "sum of probability", _name_damage),
    Feature("name_slips", "names", _name_slips),
    Feature("unknown_words", "words", _unknown),
    Feature("doubled_words", "words", lambda b: float(len(doubled_words(b)))),
    Feature("pronoun_change", "0 or 1", lambda b: float(pronoun_change(b) is not None)),
)
"""The registry; its order is the order of the columns, and a bundle remembers it."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
