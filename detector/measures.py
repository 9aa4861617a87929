"""One bead taken apart: quantities that several features share, each computed once.

Pure: reads the evidence. Which of these numbers a model reads, and in what unit, stands in
`features`.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from detector.evidence import BeadEvidence
from detector.lexicon import is_stopword
from detector.words import Word

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
