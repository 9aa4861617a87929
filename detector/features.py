"""The named numbers that the drift classifier reads, and the words for what they found.

One registry: each feature has a name, a unit and a function of the evidence. Pure: no fitting,
no thresholds, no probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.evidence import BeadEvidence
from detector.lexicon import antonyms, is_negation, is_quantifier, zipf
from detector.words import Word

_SLIPS = ("case", "possessive")


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
    lost = _unshared(bead.words.source, bead.words.copy)
    gained = _unshared(bead.words.copy, bead.words.source)
    by_norm = {word.norm: word for word in gained}
    return tuple(
        (word, by_norm[other])
        for word in lost
        for other in sorted(antonyms(word.norm) & by_norm.keys())
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


def doubled_words(words: Sequence[Word]) -> tuple[Word, ...]:
    """Find words that stand twice in a row ("federal federal")."""
    return tuple(
        right
        for left, right in pairwise(words)
        if left.norm == right.norm and not left.norm[0].isdigit() and left.norm not in _MAY_DOUBLE
    )


_MAY_DOUBLE = frozenset({"that", "had", "very", "is", "no"})


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
    return sum(c.probability for c in bead.names if c.change != "kept" and c.change not in _SLIPS)


def _name_slips(bead: BeadEvidence) -> float:
    return float(sum(c.change in _SLIPS for c in bead.names))


def _unknown(bead: BeadEvidence) -> float:
    known = {word.norm for word in bead.words.source}
    return float(
        sum(
            word.norm not in known and word.text.islower() and zipf(word.norm) < 1.5
            for word in bead.words.copy
        )
    )


def _negation_difference(bead: BeadEvidence) -> float:
    return float(abs(len(negations(bead.words.source)) - len(negations(bead.words.copy))))


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
    Feature("doubled_words", "words", lambda b: float(len(doubled_words(b.words.copy)))),
)
"""The registry; its order is the order of the columns, and a bundle remembers it."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
