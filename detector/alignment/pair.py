"""Hold two documents for the aligner: sentence vectors, merged sentences, pair priors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector.alignment.config import MAX_MERGED, AlignConfig, Floats
from detector.errors import InputError

Side = Literal["source", "copy"]


@dataclass(frozen=True, slots=True, eq=False)
class MergedSentences:
    """Runs of 1 to 4 neighbouring sentences of one side, with their vectors.

    `vectors[k, i]` is the unit vector of sentences [i, i + k + 1): a weighted sum, or the encoding
    of their text where `encoded` is set. `first[k, i]` is the cosine of sentence i with the rest of
    that run, `last[k, i]` that of its last sentence. Rows past the end are zero and never used.
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
    ) -> MergedSentences:
        """Merge the sentences of one side, each weighted by its length to a power."""
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
        merged = np.zeros((MAX_MERGED, *vectors.shape), dtype=np.float32)
        encoded = np.zeros((MAX_MERGED, n), dtype=np.bool_)
        merged[0], encoded[0] = vectors, True
        total = weighted.astype(np.float32)
        for k in range(1, min(MAX_MERGED, n)):
            total = total[:-1] + weighted[k:]
            norm = np.linalg.norm(total, axis=1, keepdims=True)
            merged[k, : n - k] = total / np.maximum(norm, np.float32(1e-9))
        ends = np.concatenate([[0.0], np.cumsum(size)])
        return cls(side, merged, encoded, *_ends_to_rest(merged), ends)

    def with_encoded(
        self, runs: Sequence[tuple[Side, range]], vectors: NDArray[np.float32]
    ) -> MergedSentences:
        """Return this side with the vectors of some runs replaced by those of their texts."""
        if vectors.shape != (len(runs), self.vectors.shape[2]):
            msg = (
                f"encode_merged gave vectors of shape {vectors.shape} for {len(runs)} runs; "
                f"give one row of {self.vectors.shape[2]} per run"
            )
            raise InputError(msg)
        rows = [row for row, (side, _) in enumerate(runs) if side == self.side]
        if not rows:
            return self
        at = [len(runs[row][1]) - 1 for row in rows], [runs[row][1].start for row in rows]
        full, encoded = self.vectors.copy(), self.encoded.copy()
        full[at], encoded[at] = vectors[rows], True
        first, last = _ends_to_rest(full)
        return replace(self, vectors=full, encoded=encoded, first=first, last=last)


def _ends_to_rest(merged: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return the cosine of each run's first and last sentence with the rest of the run."""
    n = merged.shape[1]
    first, last = np.zeros((2, MAX_MERGED, n))
    for k in range(1, min(MAX_MERGED, n)):
        first[k, : n - k] = np.einsum("nd,nd->n", merged[0, : n - k], merged[k - 1, 1 : n - k + 1])
        last[k, : n - k] = np.einsum("nd,nd->n", merged[0, k:], merged[k - 1, : n - k])
    return first, last


# Means over many pairs.
SIMILARITY = 0.85
LENGTH_DEVIATION = 0.15

LENGTH_OFFSET = 15.0  # added to a length before its log: short sentences vary more


@dataclass(frozen=True, slots=True)
class PairPriors:
    """Rates and means of one pair; the defaults are those of many pairs."""

    alone: float = 0.0  # nats by which more sentences stay unaligned
    merges: float = 0.0  # nats by which more beads hold merged sentences
    similarity: float = SIMILARITY  # mean cosine of a 1-1 bead
    log_length_ratio: float = 0.0  # of the copy over the source
    length_deviation: float = LENGTH_DEVIATION  # standard deviation of that

    @property
    def shift(self) -> float:
        """What a cosine of this pair is below the mean of many pairs."""
        return SIMILARITY - self.similarity


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two documents, their priors and the configuration."""

    source: MergedSentences
    copy: MergedSentences
    priors: PairPriors
    config: AlignConfig
