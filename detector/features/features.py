"""Compute the named numbers that the models read: the feature registry.

One bead taken apart: quantities that several features share, each computed once.

Pure: reads the evidence. Which of these numbers a model reads, and in what unit, stands in
`features`.

The named numbers that the models read.

One registry: each feature has a name, a unit, a function of `measures`, and says which way is
worse and what it holds for a copy that equals its source. Pure: no fitting, no thresholds, no
probabilities.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from detector.features.cues import doubled_words, negation_change, opposite_pairs, pronoun_change
from detector.features.evidence import BeadEvidence
from detector.records import REPORTED_PROBABILITY, SLIPS
from detector.text.lexicon import base_forms, is_quantifier, is_stopword, zipf
from detector.text.words import Word

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

_HEAVY = 0.45  # rarity from which a word's place says who did what to whom


@dataclass(frozen=True, eq=False)  # cached properties need a dictionary, so no slots
class Side:
    """The n words of one side of a bead, weighed against the other side.

    Attributes
    ----------
    words : tuple of Word
    weights : ndarray of shape (n,), float64
        Rarity in [0, 1].
    strength : ndarray of shape (n,), float32
        Likeness in [0, 1] to the linked word; 0 where there is none.
    to : ndarray of shape (n,), int32
        Place of the linked word on the other side, -1 where there is none.
    far : ndarray of shape (n,), float32, or None
        1 less the cosine of each word to its nearest on the other side.
    tokens : ndarray of shape (n_tokens,), float32, or None
        The same of the encoder's tokens.
    """

    words: tuple[Word, ...]
    weights: Floats
    strength: Singles
    to: NDArray[np.int32]
    far: Singles | None
    tokens: Singles | None

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each word stands here."""
        return Counter(word.norm for word in self.words)

    @cached_property
    def letters(self) -> int:
        """Letters and digits of all words."""
        return sum(len(word.norm) for word in self.words)

    @cached_property
    def total(self) -> float:
        """Rarity of all words."""
        return float(self.weights.sum())

    @cached_property
    def missing(self) -> Singles:
        """What each word lacks of the likeness to its counterpart, of shape (n,), in [0, 1]."""
        return 1.0 - self.strength

    @property
    def coverage(self) -> float:
        """Share of the rarity that the other side covers; NaN where nothing weighs anything."""
        return float(self.weights @ self.strength) / self.total if self.total else math.nan

    @property
    def mass(self) -> float:
        """Rarity that the other side does not cover."""
        return float(self.weights @ self.missing)

    @property
    def worst(self) -> float:
        """The most that one word adds to `mass`."""
        return float((self.weights * self.missing).max(initial=0.0))

    @property
    def far_mass(self) -> float:
        """Rarity-weighted sum of `far`."""
        return math.nan if self.far is None else float(self.weights @ self.far)

    @property
    def token_mean(self) -> float:
        """Mean of `tokens`."""
        return math.nan if self.tokens is None else float(self.tokens.mean())

    @property
    def token_sum(self) -> float:
        """Sum of `tokens`."""
        return math.nan if self.tokens is None else float(self.tokens.sum())

    @property
    def token_worst(self) -> float:
        """Greatest of `tokens`."""
        return math.nan if self.tokens is None else float(self.tokens.max())

    def shared(self, other: Side) -> float:
        """Return the share of the rarity in words that the other side repeats."""
        if not self.total:
            return math.nan
        kept = [word.norm in other.counts for word in self.words]
        return float(self.weights[kept].sum()) / self.total

    def alone(self, *, small: bool) -> float:
        """Count the words without a link that are function words, or that are not."""
        loose = np.flatnonzero(self.to < 0).tolist()
        return float(sum(is_stopword(self.words[i].norm) == small for i in loose))

    def unrepeated(self, other: Side, *, small: bool) -> float:
        """Count the words, as often as they stand, that the other side does not repeat."""
        theirs = other.counts
        return float(
            sum(
                count - theirs[norm]
                for norm, count in self.counts.items()
                if count > theirs[norm] and is_stopword(norm) == small
            )
        )


@dataclass(frozen=True, eq=False)
class Measures:
    """Both sides of a bead, and how their words stand to one another.

    Attributes
    ----------
    bead : BeadEvidence
    """

    bead: BeadEvidence

    @cached_property
    def source(self) -> Side:
        """The source's side."""
        bead, links = self.bead, self.bead.words
        return Side(
            words=links.source,
            weights=bead.source_weights,
            strength=links.source_strength,
            to=links.to_copy,
            far=None if bead.cosines is None else 1.0 - bead.cosines.max(axis=1),
            tokens=bead.source_distances,
        )

    @cached_property
    def copy(self) -> Side:
        """The copy's side."""
        bead, links = self.bead, self.bead.words
        return Side(
            words=links.copy,
            weights=bead.copy_weights,
            strength=links.copy_strength,
            to=links.to_source,
            far=None if bead.cosines is None else 1.0 - bead.cosines.max(axis=0),
            tokens=bead.copy_distances,
        )

    @cached_property
    def linked(self) -> list[tuple[int, int]]:
        """Places in the source and the copy of the words that are linked."""
        return [(i, j) for i, j in enumerate(self.bead.words.to_copy.tolist()) if j >= 0]

    @cached_property
    def length_ratio(self) -> float:
        """Natural log of the copy's letters over the source's, one added to each."""
        return math.log((1 + self.copy.letters) / (1 + self.source.letters))

    @cached_property
    def _turned(self) -> NDArray[np.bool_]:
        # Which two linked words, in the order of the source, stand in the other order in the copy.
        to = self.source.to[self.source.to >= 0]
        return np.triu(to[:, None] > to[None, :], k=1)

    @property
    def crossings(self) -> float:
        """Share of linked pairs of words in the other order: 0 all kept, 1 all turned."""
        n = len(self._turned)
        return float(self._turned.sum()) / (n * (n - 1) / 2) if n > 1 else 0.0

    @property
    def content_crossings(self) -> float:
        """Pairs of rare words that changed sides of one another: who did what to whom."""
        heavy = np.flatnonzero(self.source.weights[self.source.to >= 0] > _HEAVY)
        return float(self._turned[heavy[:, None], heavy].sum())

    @cached_property
    def breaks(self) -> float:
        """Neighbouring linked words of the copy whose source words are no neighbours."""
        to = self.copy.to[self.copy.to >= 0]
        return float((np.diff(to) != 1).sum())

    @property
    def context_moved(self) -> float:
        """Sum of how far the context moved of linked words that are the same on both sides."""
        bead = self.bead
        if bead.cosines is None:
            return math.nan
        source, copy = bead.words.source, bead.words.copy
        same = [(i, j) for i, j in self.linked if source[i].norm == copy[j].norm]
        return float(sum(1.0 - bead.cosines[i, j] for i, j in same))


@dataclass(frozen=True, slots=True)
class Feature:
    """One column: its name, its unit and how it is read off the measures.

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
    compute: Callable[[Measures], float]
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
        measures = Measures(bead)
        out[row] = [feature.compute(measures) for feature in FEATURES]
    return out


def _joins(m: Measures, read: Callable[[Floats], float]) -> float:
    return math.nan if m.bead.joins is None else float(read(m.bead.joins))


def _surprise(broken: Floats) -> float:
    return float(-np.log1p(-np.minimum(broken, 0.9999)).sum())


def _spelling(m: Measures) -> float:
    from rapidfuzz.distance import Indel

    source, copy = (" ".join(w.norm for w in side.words) for side in (m.source, m.copy))
    return float(Indel.normalized_similarity(source, copy))


def _inflections(m: Measures) -> float:
    # Links between two forms of one word: another tense, another number.
    pairs = ((m.source.words[i].norm, m.copy.words[j].norm) for i, j in m.linked)
    return float(sum(a != b and not base_forms(a).isdisjoint(base_forms(b)) for a, b in pairs))


def _question(m: Measures) -> float:
    # A mark lost says nothing, one put in makes a question of a statement.
    return float("?" in m.bead.copy_text and "?" not in m.bead.source_text)


def _figure_changes(m: Measures) -> float:
    return float(sum(c.probability for c in m.bead.number_changes if c.change != "kept"))


def _heaviest_figure(m: Measures) -> float:
    # Figures too light to be told to a reader count nothing here.
    weights = [change.probability for change in m.bead.number_changes if change.change != "kept"]
    worst = max(weights, default=0.0)
    return worst if worst >= REPORTED_PROBABILITY else 0.0


def _name_damage(m: Measures) -> float:
    changes = (c for c in m.bead.names if c.change != "kept" and c.change not in SLIPS)
    return sum(change.confidence for change in changes)


def _unknown(m: Measures) -> float:
    # Rare words that no name answers for and the source does not hold: often left untranslated.
    named = [change.copy for change in m.bead.names if change.copy is not None]
    return float(
        sum(
            word.norm not in m.source.counts
            and zipf(word.norm) < 1.5
            and not any(span.start <= word.start < span.end for span in named)
            for word in m.copy.words
        )
    )


def _negation_difference(m: Measures) -> float:
    lost, added = negation_change(m.bead)
    return float(len(lost) + len(added))


def _quantifier_difference(m: Measures) -> float:
    return float(sum(is_quantifier(norm) for norm in m.source.counts.keys() ^ m.copy.counts.keys()))


FEATURES: tuple[Feature, ...] = (
    Feature("similarity", "cosine", lambda m: m.bead.similarity, -1, 1.0),
    Feature(
        "source_coverage", "share of the source's rarity", lambda m: m.source.coverage, -1, 1.0
    ),
    Feature("copy_coverage", "share of the copy's rarity", lambda m: m.copy.coverage, -1, 1.0),
    Feature("lost_mass", "sum of rarity", lambda m: m.source.mass),
    Feature("added_mass", "sum of rarity", lambda m: m.copy.mass),
    Feature("worst_lost", "rarity", lambda m: m.source.worst),
    Feature("worst_added", "rarity", lambda m: m.copy.worst),
    Feature(
        "source_shared",
        "share of the source's rarity",
        lambda m: m.source.shared(m.copy),
        *(-1, 1.0),
    ),
    Feature(
        "copy_shared", "share of the copy's rarity", lambda m: m.copy.shared(m.source), -1, 1.0
    ),
    Feature("lost_words", "words", lambda m: m.source.alone(small=False)),
    Feature("added_words", "words", lambda m: m.copy.alone(small=False)),
    Feature("lost_small_words", "words", lambda m: m.source.alone(small=True)),
    Feature("added_small_words", "words", lambda m: m.copy.alone(small=True)),
    Feature("unrepeated_words", "words", lambda m: m.source.unrepeated(m.copy, small=False)),
    Feature("new_words", "words", lambda m: m.copy.unrepeated(m.source, small=False)),
    Feature("unrepeated_small_words", "words", lambda m: m.source.unrepeated(m.copy, small=True)),
    Feature("new_small_words", "words", lambda m: m.copy.unrepeated(m.source, small=True)),
    Feature("token_recall", "cosine", lambda m: 1.0 - m.source.token_mean, -1, 1.0),
    Feature("token_precision", "cosine", lambda m: 1.0 - m.copy.token_mean, -1, 1.0),
    Feature("tokens_lost", "sum of distance", lambda m: m.source.token_sum),
    Feature("tokens_added", "sum of distance", lambda m: m.copy.token_sum),
    Feature("worst_token_lost", "distance", lambda m: m.source.token_worst),
    Feature("worst_token_added", "distance", lambda m: m.copy.token_worst),
    Feature("words_far_lost", "sum of rarity", lambda m: m.source.far_mass),
    Feature("words_far_added", "sum of rarity", lambda m: m.copy.far_mass),
    Feature("context_moved", "sum of distance", lambda m: m.context_moved),
    Feature("worst_join", "probability", lambda m: _joins(m, np.max)),
    Feature("broken_joins", "sum of probability", lambda m: _joins(m, np.sum)),
    Feature("join_surprise", "nats", lambda m: _joins(m, _surprise)),
    Feature("spelling", "share of characters", _spelling, -1, 1.0),
    Feature("length_ratio", "log ratio", lambda m: m.length_ratio, 0),
    Feature("length_change", "absolute log ratio", lambda m: abs(m.length_ratio)),
    Feature("copy_words", "log count", lambda m: math.log1p(len(m.copy.words)), 0),
    Feature("crossings", "share of pairs of words", lambda m: m.crossings),
    Feature("content_crossings", "pairs of words", lambda m: m.content_crossings),
    Feature("breaks", "joins", lambda m: m.breaks),
    Feature(
        "break_share", "share of the copy's words", lambda m: m.breaks / max(1, len(m.copy.words))
    ),
    Feature("inflections", "words", _inflections),
    Feature("question_added", "0 or 1", _question),
    Feature("figure_changes", "weighted count", _figure_changes),
    Feature("heaviest_figure", "probability", _heaviest_figure),
    Feature("negation_difference", "words", _negation_difference),
    Feature("quantifier_difference", "words", _quantifier_difference),
    Feature("opposites", "pairs of words", lambda m: float(len(opposite_pairs(m.bead)))),
    Feature("name_damage", "sum of probability", _name_damage),
    Feature("unknown_words", "words", _unknown),
    Feature("doubled_words", "words", lambda m: float(len(doubled_words(m.bead)))),
    Feature("pronoun_change", "0 or 1", lambda m: float(pronoun_change(m.bead) is not None)),
)
"""The registry; its order is the order of the columns, and a bundle remembers it."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
