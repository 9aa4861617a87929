"""Compute the named numbers that the models read: the feature registry.

Each feature has a name, a unit, a function of a bead's `Measures`, which way is worse, and its
value for a copy that equals its source. Nothing is fitted here.
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
        Index of the linked word on the other side, -1 where there is none.
    distances : ndarray of shape (n,), float32, or None
        1 less the cosine of each word to its nearest on the other side.
    token_distances : ndarray of shape (n_tokens,), float32, or None
        The same of the encoder's tokens.
    """

    words: tuple[Word, ...]
    weights: Floats
    strength: Singles
    to: NDArray[np.int32]
    distances: Singles | None
    token_distances: Singles | None

    @cached_property
    def counts(self) -> Counter[str]:
        """Occurrences of each word."""
        return Counter(word.norm for word in self.words)

    @cached_property
    def n_letters(self) -> int:
        """Letters and digits of all words."""
        return sum(len(word.norm) for word in self.words)

    @cached_property
    def total(self) -> float:
        """Rarity of all words."""
        return float(self.weights.sum())

    @property
    def coverage(self) -> float:
        """Share of the rarity that the other side covers; NaN where nothing has any weight."""
        return float(self.weights @ self.strength) / self.total if self.total else math.nan

    @property
    def mass(self) -> float:
        """Rarity that the other side does not cover."""
        return float(self.weights @ (1.0 - self.strength))

    @property
    def worst(self) -> float:
        """The most that one word adds to `mass`."""
        return float((self.weights * (1.0 - self.strength)).max(initial=0.0))

    @property
    def far_mass(self) -> float:
        """Rarity-weighted sum of `distances`."""
        return math.nan if self.distances is None else float(self.weights @ self.distances)

    def over_tokens(self, reduce: Callable[[Singles], np.floating]) -> float:
        """Reduce `token_distances` to one number."""
        return math.nan if self.token_distances is None else float(reduce(self.token_distances))

    def shared(self, other: Side) -> float:
        """Return the share of the rarity in words that the other side repeats."""
        if not self.total:
            return math.nan
        kept = [word.norm in other.counts for word in self.words]
        return float(self.weights[kept].sum()) / self.total

    def unlinked(self, *, stopwords: bool) -> float:
        """Count the words without a link that are stop words, or that are not."""
        loose = np.flatnonzero(self.to < 0).tolist()
        return float(sum(is_stopword(self.words[i].norm) == stopwords for i in loose))

    def unrepeated(self, other: Side, *, stopwords: bool) -> float:
        """Count the occurrences of words beyond those on the other side."""
        surplus = self.counts - other.counts
        return float(sum(n for norm, n in surplus.items() if is_stopword(norm) == stopwords))


@dataclass(frozen=True, eq=False)
class Measures:
    """Both sides of a bead and the links of their words; what features share is computed once."""

    bead: BeadEvidence

    @cached_property
    def source(self) -> Side:
        """The source's side."""
        bead, links = self.bead, self.bead.words
        words = links.source, bead.source_weights, links.source_strength, links.to_copy
        return Side(*words, self._distances(axis=1), bead.source_distances)

    @cached_property
    def copy(self) -> Side:
        """The copy's side."""
        bead, links = self.bead, self.bead.words
        words = links.copy, bead.copy_weights, links.copy_strength, links.to_source
        return Side(*words, self._distances(axis=0), bead.copy_distances)

    def _distances(self, *, axis: int) -> Singles | None:
        return None if self.bead.cosines is None else 1.0 - self.bead.cosines.max(axis=axis)

    @cached_property
    def linked(self) -> list[tuple[str, str, int, int]]:
        """Norms and indices in the source and the copy of the words that are linked."""
        source, copy = self.source.words, self.copy.words
        links = enumerate(self.bead.words.to_copy.tolist())
        return [(source[i].norm, copy[j].norm, i, j) for i, j in links if j >= 0]

    @cached_property
    def length_ratio(self) -> float:
        """Natural log of the copy's letters over the source's, one added to each."""
        return math.log((1 + self.copy.n_letters) / (1 + self.source.n_letters))

    @cached_property
    def _swapped(self) -> NDArray[np.bool_]:
        # Which two linked words, in the order of the source, are in the other order in the copy.
        to = self.source.to[self.source.to >= 0]
        return np.triu(to[:, None] > to[None, :], k=1)

    @property
    def crossings(self) -> float:
        """Share of linked pairs of words in the other order: 0 all kept, 1 all reversed."""
        n = len(self._swapped)
        return float(self._swapped.sum()) / (n * (n - 1) / 2) if n > 1 else 0.0

    @property
    def content_crossings(self) -> float:
        """Pairs of rare words in the other order: who did what to whom."""
        heavy = np.flatnonzero(self.source.weights[self.source.to >= 0] > _HEAVY)
        return float(self._swapped[heavy[:, None], heavy].sum())

    @cached_property
    def breaks(self) -> float:
        """Neighbouring linked words of the copy whose source words are no neighbours."""
        to = self.copy.to[self.copy.to >= 0]
        return float((np.diff(to) != 1).sum())

    @property
    def context_moved(self) -> float:
        """Sum of the contextual distances of linked words that are the same on both sides."""
        cosines = self.bead.cosines
        if cosines is None:
            return math.nan
        return float(sum(1.0 - cosines[i, j] for a, b, i, j in self.linked if a == b))


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the feature matrix.

    Attributes
    ----------
    name, unit : str
    compute : callable
        Gives a finite number, or NaN where the evidence does not allow one.
    worse : int
        1 where more is worse, -1 where less is worse, 0 where neither holds by itself.
    sound : float
        Its value for a copy that equals its source.
    """

    name: str
    unit: str
    compute: Callable[[Measures], float]
    worse: int = 1
    sound: float = 0.0


def matrix(evidence: Sequence[BeadEvidence]) -> Floats:
    """Compute every feature of every bead.

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


def _adjacency(m: Measures, reduce: Callable[[Floats], float]) -> float:
    return math.nan if m.bead.adjacency is None else float(reduce(m.bead.adjacency))


def _surprise(incoherent: Floats) -> float:
    return float(-np.log1p(-np.minimum(incoherent, 0.9999)).sum())


def _spelling(m: Measures) -> float:
    from rapidfuzz.distance import Indel

    source, copy = (" ".join(w.norm for w in side.words) for side in (m.source, m.copy))
    return float(Indel.normalized_similarity(source, copy))


def _inflections(m: Measures) -> float:
    # Links between two forms of one word: another tense, another number.
    return float(
        sum(a != b and not base_forms(a).isdisjoint(base_forms(b)) for a, b, _, _ in m.linked)
    )


def _question(m: Measures) -> float:
    # A question mark that is lost says nothing, an added one makes a question of a statement.
    return float("?" in m.bead.copy_text and "?" not in m.bead.source_text)


def _number_weights(m: Measures) -> list[float]:
    return [change.probability for change in m.bead.number_changes if change.change != "kept"]


def _heaviest_number(m: Measures) -> float:
    # Numbers too unlikely to be reported count nothing here.
    worst = max(_number_weights(m), default=0.0)
    return worst if worst >= REPORTED_PROBABILITY else 0.0


def _name_damage(m: Measures) -> float:
    changes = (c for c in m.bead.names if c.change != "kept" and c.change not in SLIPS)
    return sum(change.probability for change in changes)


def _unknown(m: Measures) -> float:
    # Rare copy words outside names that the source lacks: often left untranslated.
    names = [change.copy for change in m.bead.names if change.copy is not None]
    return float(
        sum(
            word.norm not in m.source.counts
            and zipf(word.norm) < 1.5
            and not any(span.start <= word.start < span.end for span in names)
            for word in m.copy.words
        )
    )


def _negation_difference(m: Measures) -> float:
    return float(sum(map(len, negation_change(m.bead))))


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
        worse=-1,
        sound=1.0,
    ),
    Feature(
        "copy_shared", "share of the copy's rarity", lambda m: m.copy.shared(m.source), -1, 1.0
    ),
    Feature("lost_words", "words", lambda m: m.source.unlinked(stopwords=False)),
    Feature("added_words", "words", lambda m: m.copy.unlinked(stopwords=False)),
    Feature("lost_small_words", "words", lambda m: m.source.unlinked(stopwords=True)),
    Feature("added_small_words", "words", lambda m: m.copy.unlinked(stopwords=True)),
    Feature("unrepeated_words", "words", lambda m: m.source.unrepeated(m.copy, stopwords=False)),
    Feature("new_words", "words", lambda m: m.copy.unrepeated(m.source, stopwords=False)),
    Feature(
        "unrepeated_small_words", "words", lambda m: m.source.unrepeated(m.copy, stopwords=True)
    ),
    Feature("new_small_words", "words", lambda m: m.copy.unrepeated(m.source, stopwords=True)),
    Feature("token_recall", "cosine", lambda m: 1.0 - m.source.over_tokens(np.mean), -1, 1.0),
    Feature("token_precision", "cosine", lambda m: 1.0 - m.copy.over_tokens(np.mean), -1, 1.0),
    Feature("tokens_lost", "sum of distance", lambda m: m.source.over_tokens(np.sum)),
    Feature("tokens_added", "sum of distance", lambda m: m.copy.over_tokens(np.sum)),
    Feature("worst_token_lost", "distance", lambda m: m.source.over_tokens(np.max)),
    Feature("worst_token_added", "distance", lambda m: m.copy.over_tokens(np.max)),
    Feature("words_far_lost", "sum of rarity", lambda m: m.source.far_mass),
    Feature("words_far_added", "sum of rarity", lambda m: m.copy.far_mass),
    Feature("context_moved", "sum of distance", lambda m: m.context_moved),
    Feature("worst_join", "probability", lambda m: _adjacency(m, np.max)),
    Feature("broken_joins", "sum of probability", lambda m: _adjacency(m, np.sum)),
    Feature("join_surprise", "nats", lambda m: _adjacency(m, _surprise)),
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
    Feature("figure_changes", "weighted count", lambda m: float(sum(_number_weights(m)))),
    Feature("heaviest_figure", "probability", _heaviest_number),
    Feature("negation_difference", "words", _negation_difference),
    Feature("quantifier_difference", "words", _quantifier_difference),
    Feature("opposites", "pairs of words", lambda m: float(len(opposite_pairs(m.bead)))),
    Feature("name_damage", "sum of probability", _name_damage),
    Feature("unknown_words", "words", _unknown),
    Feature("doubled_words", "words", lambda m: float(len(doubled_words(m.bead)))),
    Feature("pronoun_change", "0 or 1", lambda m: float(pronoun_change(m.bead) is not None)),
)
"""The registry; a bundle stores its order, which is that of the columns."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
