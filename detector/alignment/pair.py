"""Hold two documents for the aligner: sentence vectors, merged sentences, pair priors.

One document as an aligner sees it: each sentence, joined with up to three that follow it.

A join's vector is the weighted sum of its sentences' vectors until somebody encodes its text. Which
joins are worth that is for `second_look`.

Two documents and what is usual between them.

Records only: `manner` learns what is usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector.alignment.config import MOST, AlignConfig, Floats
from detector.errors import InputError

Side = Literal["source", "copy"]


@dataclass(frozen=True, slots=True, eq=False)
class Joins:
    """The joins of 1 to 4 neighbours on one side, and how each one's ends stand to its rest.

    `vectors[k, i]` is the unit vector of sentences [i, i + k + 1); `encoded` says that it came from
    their text. `first[k, i]` is the cosine between sentence i and the rest of that join, `last` the
    same for its last sentence. Rows that run past the end are zero and never used.
    """

    side: Side
    vectors: NDArray[np.float32]  # (4, n, d)
    encoded: NDArray[np.bool_]  # (4, n)
    first: Floats  # (4, n)
    last: Floats  # (4, n)
    ends: Floats  # (n + 1,) lengths summed

    @property
    def n(self) -> int:
        """Sentences of this side."""
        return len(self.ends) - 1

    @classmethod
    def of(
        cls, side: Side, vectors: NDArray[np.float32], lengths: Sequence[int], weight_power: float
    ) -> Joins:
        """Join the sentences of one side, each weighing its length to a power."""
        if vectors.ndim != 2 or len(lengths) != len(vectors):
            msg = (
                f"{side}: vectors of shape {vectors.shape} came with {len(lengths)} lengths; "
                "give one row and one length per sentence"
            )
            raise InputError(msg)
        if not np.isfinite(vectors).all() or any(length < 0 for length in lengths):
            msg = f"{side}: vectors must be finite and lengths 0 or more"
            raise InputError(msg)
        n = len(vectors)
        size = np.asarray(lengths, dtype=np.float64)
        weighted = vectors * np.maximum(size, 1.0).astype(np.float32)[:, None] ** weight_power
        joins = np.zeros((MOST, *vectors.shape), dtype=np.float32)
        encoded = np.zeros((MOST, n), dtype=np.bool_)
        joins[0], encoded[0] = vectors, True
        total = weighted.astype(np.float32)
        for k in range(1, min(MOST, n)):
            total = total[:-1] + weighted[k:]
            norm = np.linalg.norm(total, axis=1, keepdims=True)
            joins[k, : n - k] = total / np.maximum(norm, np.float32(1e-9))
        ends = np.concatenate([[0.0], np.cumsum(size)])
        return cls(side, joins, encoded, *_ends_to_rest(joins), ends)

    def rejoined(self, joins: Sequence[tuple[Side, range]], vectors: NDArray[np.float32]) -> Joins:
        """Return this side with the vectors of some joins taken from their texts."""
        if vectors.shape != (len(joins), self.vectors.shape[2]):
            msg = (
                f"rejoin gave vectors of shape {vectors.shape} for {len(joins)} joins; "
                f"give one row of {self.vectors.shape[2]} per join"
            )
            raise InputError(msg)
        mine = [row for row, (side, _) in enumerate(joins) if side == self.side]
        if not mine:
            return self
        at = [len(joins[row][1]) - 1 for row in mine], [joins[row][1].start for row in mine]
        full, encoded = self.vectors.copy(), self.encoded.copy()
        full[at], encoded[at] = vectors[mine], True
        first, last = _ends_to_rest(full)
        return replace(self, vectors=full, encoded=encoded, first=first, last=last)


def _ends_to_rest(joins: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return the cosine of each join's first and last sentence with the rest of the join."""
    n = joins.shape[1]
    first, last = np.zeros((2, MOST, n))
    for k in range(1, min(MOST, n)):
        first[k, : n - k] = np.einsum("nd,nd->n", joins[0, : n - k], joins[k - 1, 1 : n - k + 1])
        last[k, : n - k] = np.einsum("nd,nd->n", joins[0, k:], joins[k - 1, : n - k])
    return first, last


# What is usual at large.
SIMILARITY = 0.85
SPREAD = 0.15

LITTLE = 15.0  # added to every length before its log is taken: a short sentence's varies more


@dataclass(frozen=True, slots=True)
class Manner:
    """What is usual in this pair; the defaults are what is usual at large."""

    alone: float = 0.0  # nats by which sentences stand alone more often
    joins: float = 0.0  # nats by which beads hold joins more often
    similarity: float = SIMILARITY  # cosine of a 1-1 bead
    stretch: float = 0.0  # log of copy length over source length
    spread: float = SPREAD  # standard deviation of that

    @property
    def shift(self) -> float:
        """What a cosine of this pair lacks of one at large."""
        return SIMILARITY - self.similarity


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two documents and all that is known of them."""

    source: Joins
    copy: Joins
    manner: Manner
    config: AlignConfig
