"""The named numbers that the models read.

One registry: each feature has a name, a unit, a function of the evidence, and says which way is
worse and what it holds for a copy that equals its source. Pure: no fitting, no thresholds, no
probabilities.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.clues import doubled_words, negation_change, opposite_pairs, pronoun_change
from detector.evidence import BeadEvidence
from detector.lexicon import base_forms, is_quantifier, is_stopword, zipf
from detector.records import SLIPS
from detector.words import Word

Floats = NDArray[np.float64]

TOLD_FIGURE = 0.5
"""Weight from which a changed figure is told to a reader."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One column: its name, its unit and how it is read off the evidence.

    Attributes
    ----------
    name, unit : str
    compute : callable
        Gives a finite number, or NaN where the evidence does not allow one.
    worse : int
        1 where more is worse, -1 where less is worse, 0 where neither holds by itself.
    sound : float
        What it gives for a copy that equals its source.
    """

    name: str
    unit: str
    compute: Callable[[BeadEvidence], float]
    worse: int = 1
    sound: float = 0.0


def matrix(evidence: Sequence[BeadEvidence]) -> Floats:
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


def heaviest_figure(bead: BeadEvidence) -> float:
    """Return how likely the worst changed figure changed the meaning, in [0, 1].

    Figures too light to be told to a reader count nothing here.
    """
    weights = [change.weight for change in bead.figures if change.change != "kept"]
    worst = max(weights, default=0.0)
    return worst if worst >= TOLD_FIGURE else 0.0


# Words of one side that the other does not hold.


def _coverage(weights: Floats, strength: NDArray[np.float32]) -> float:
    total = float(weights.sum())
    return float(weights @ strength) / total if total > 0.0 else math.nan


def _mass(weights: Floats, strength: NDArray[np.float32]) -> float:
    return float(weights @ (1.0 - strength))


def _worst(weights: Floats, strength: NDArray[np.float32]) -> float:
    return float((weights * (1.0 - strength)).max(initial=0.0))


def _shared(words: Sequence[Word], weights: Floats, others: Sequence[Word]) -> float:
    present = {word.norm for word in others}
    total = float(weights.sum())
    if total == 0.0:
        return math.nan
    kept = sum(w for word, w in zip(words, weights, strict=True) if word.norm in present)
    return float(kept) / total


def _alone(words: Sequence[Word], to: NDArray[np.int32], *, small: bool) -> float:
    """Count the words without a link that are function words, or that are not."""
    return float(
        sum(
            is_stopword(word.norm) == small
            for word, linked in zip(words, to.tolist(), strict=True)
            if linked < 0
        )
    )


def _missing_norms(words: Sequence[Word], others: Sequence[Word], *, small: bool) -> float:
    """Count the words, as often as they stand, that the other side does not repeat."""
    mine, theirs = (
        Counter(w.norm for w in side if is_stopword(w.norm) == small) for side in (words, others)
    )
    return float((mine - theirs).total())


# Contextual likeness.


def _mean(values: NDArray[np.float32] | None) -> float:
    return math.nan if values is None else float(values.mean())


def _sum(values: NDArray[np.float32] | None) -> float:
    return math.nan if values is None else float(values.sum())


def _most(values: NDArray[np.float32] | None) -> float:
    return math.nan if values is None else float(values.max())


def _far(bead: BeadEvidence, axis: int) -> float:
    # Rarity-weighted distance of each word to its nearest on the other side, summed.
    if bead.cosines is None:
        return math.nan
    weights = bead.source_weights if axis == 1 else bead.copy_weights
    return float(weights @ (1.0 - bead.cosines.max(axis=axis)))


def _same_elsewhere(bead: BeadEvidence) -> float:
    # How far the context moved of the words that are the same on both sides, summed.
    if bead.cosines is None:
        return math.nan
    links = bead.words
    return float(
        sum(
            1.0 - bead.cosines[i, j]
            for i, j in enumerate(links.to_copy.tolist())
            if j >= 0 and links.source[i].norm == links.copy[j].norm
        )
    )


def _joins(bead: BeadEvidence, read: Callable[[Floats], float]) -> float:
    return math.nan if bead.joins is None else float(read(bead.joins))


def _surprise(broken: Floats) -> float:
    return float(-np.log1p(-np.minimum(broken, 0.9999)).sum())


# Length, order, and single facts.


def _letters(words: Sequence[Word]) -> int:
    return sum(len(word.norm) for word in words)


def _length_ratio(bead: BeadEvidence) -> float:
    return math.log((1 + _letters(bead.words.copy)) / (1 + _letters(bead.words.source)))


def _spelling(bead: BeadEvidence) -> float:
    from rapidfuzz.distance import Indel

    source, copy = (" ".join(w.norm for w in s) for s in (bead.words.source, bead.words.copy))
    return float(Indel.normalized_similarity(source, copy))


def _order(bead: BeadEvidence) -> Floats:
    return bead.words.to_copy[bead.words.to_copy >= 0].astype(np.float64)


def _crossings(bead: BeadEvidence) -> float:
    # Share of linked pairs of words that stand in the other order: 0 all kept, 1 all turned.
    to = _order(bead)
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


def _breaks(bead: BeadEvidence) -> float:
    # Neighbouring linked words of the copy whose source words are no neighbours.
    linked = bead.words.to_source[bead.words.to_source >= 0]
    return float((np.diff(linked) != 1).sum())


def _break_share(bead: BeadEvidence) -> float:
    return _breaks(bead) / max(1, len(bead.words.copy))


def _inflections(bead: BeadEvidence) -> float:
    # Links between two forms of one word: another tense, another number.
    links = bead.words
    pairs = (
        (links.source[i].norm, links.copy[j].norm)
        for i, j in enumerate(links.to_copy.tolist())
        if j >= 0
    )
    return float(sum(a != b and not base_forms(a).isdisjoint(base_forms(b)) for a, b in pairs))


def _question(bead: BeadEvidence) -> float:
    # A mark lost says nothing, one put in makes a question of a statement.
    return float("?" in bead.copy_text and "?" not in bead.source_text)


def _figure_changes(bead: BeadEvidence) -> float:
    return float(sum(c.weight for c in bead.figures if c.change != "kept"))


def _name_damage(bead: BeadEvidence) -> float:
    return sum(c.probability for c in bead.names if c.change != "kept" and c.change not in SLIPS)


def _unknown(bead: BeadEvidence) -> float:
    # Rare words that no name answers for and the source does not hold: often left untranslated.
    named = [change.copy for change in bead.names if change.copy is not None]
    known = {word.norm for word in bead.words.source}
    return float(
        sum(
            word.norm not in known
            and zipf(word.norm) < 1.5
            and not any(span.start <= word.start < span.end for span in named)
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
    Feature("similarity", "cosine", lambda b: b.similarity, -1, 1.0),
    Feature(
        "source_coverage",
        "share of the source's rarity",
        lambda b: _coverage(b.source_weights, b.words.source_strength),
        *(-1, 1.0),
    ),
    Feature(
        "copy_coverage",
        "share of the copy's rarity",
        lambda b: _coverage(b.copy_weights, b.words.copy_strength),
        *(-1, 1.0),
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
        *(-1, 1.0),
    ),
    Feature(
        "copy_shared",
        "share of the copy's rarity",
        lambda b: _shared(b.words.copy, b.copy_weights, b.words.source),
        *(-1, 1.0),
    ),
    Feature("lost_words", "words", lambda b: _alone(b.words.source, b.words.to_copy, small=False)),
    Feature("added_words", "words", lambda b: _alone(b.words.copy, b.words.to_source, small=False)),
    Feature(
        "lost_small_words", "words", lambda b: _alone(b.words.source, b.words.to_copy, small=True)
    ),
    Feature(
        "added_small_words", "words", lambda b: _alone(b.words.copy, b.words.to_source, small=True)
    ),
    Feature(
        "unrepeated_words",
        "words",
        lambda b: _missing_norms(b.words.source, b.words.copy, small=False),
    ),
    Feature(
        "new_words", "words", lambda b: _missing_norms(b.words.copy, b.words.source, small=False)
    ),
    Feature(
        "unrepeated_small_words",
        "words",
        lambda b: _missing_norms(b.words.source, b.words.copy, small=True),
    ),
    Feature(
        "new_small_words",
        "words",
        lambda b: _missing_norms(b.words.copy, b.words.source, small=True),
    ),
    Feature("token_recall", "cosine", lambda b: 1.0 - _mean(b.source_distances), -1, 1.0),
    Feature("token_precision", "cosine", lambda b: 1.0 - _mean(b.copy_distances), -1, 1.0),
    Feature("tokens_lost", "sum of distance", lambda b: _sum(b.source_distances)),
    Feature("tokens_added", "sum of distance", lambda b: _sum(b.copy_distances)),
    Feature("worst_token_lost", "distance", lambda b: _most(b.source_distances)),
    Feature("worst_token_added", "distance", lambda b: _most(b.copy_distances)),
    Feature("words_far_lost", "sum of rarity", lambda b: _far(b, 1)),
    Feature("words_far_added", "sum of rarity", lambda b: _far(b, 0)),
    Feature("context_moved", "sum of distance", _same_elsewhere),
    Feature("worst_join", "probability", lambda b: _joins(b, np.max)),
    Feature("broken_joins", "sum of probability", lambda b: _joins(b, np.sum)),
    Feature("join_surprise", "nats", lambda b: _joins(b, _surprise)),
    Feature("spelling", "share of characters", _spelling, -1, 1.0),
    Feature("length_ratio", "log ratio", _length_ratio, 0),
    Feature("length_change", "absolute log ratio", lambda b: abs(_length_ratio(b))),
    Feature("copy_words", "log count", lambda b: math.log1p(len(b.words.copy)), 0),
    Feature("crossings", "share of pairs of words", _crossings),
    Feature("content_crossings", "pairs of words", _name_order),
    Feature("breaks", "joins", _breaks),
    Feature("break_share", "share of the copy's words", _break_share),
    Feature("inflections", "words", _inflections),
    Feature("question_added", "0 or 1", _question),
    Feature("figure_changes", "weighted count", _figure_changes),
    Feature("heaviest_figure", "probability", heaviest_figure),
    Feature("negation_difference", "words", _negation_difference),
    Feature("quantifier_difference", "words", _quantifier_difference),
    Feature("opposites", "pairs of words", lambda b: float(len(opposite_pairs(b)))),
    Feature("name_damage", "sum of probability", _name_damage),
    Feature("unknown_words", "words", _unknown),
    Feature("doubled_words", "words", lambda b: float(len(doubled_words(b)))),
    Feature("pronoun_change", "0 or 1", lambda b: float(pronoun_change(b) is not None)),
)
"""The registry; its order is the order of the columns, and a bundle remembers it."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
