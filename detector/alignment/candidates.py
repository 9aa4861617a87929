"""Enumerate candidate beads and weigh the evidence for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.alignment.config import MAX_MERGED, Curve, Floats, Ints
from detector.alignment.lattice import BeadPositions, LogOdds
from detector.alignment.pair import LENGTH_DEVIATION, LENGTH_OFFSET, MergedSentences, Pair
from detector.alignment.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Beads that a window can hold, and the evidence for them."""

    positions: BeadPositions
    encoded: NDArray[np.bool_]  # whether all merged sentences of the bead were encoded as one text
    cosine: Floats  # between both sides, in [-1, 1]
    support: Floats  # least that the first or last of merged sentences adds; inf for a 1-1 bead
    outside: Floats  # most that a neighbour outside the bead would add; -inf without a neighbour
    lengths: Floats  # distance of both log lengths, in the pair's deviations times 0.15
    best_source: NDArray[
        np.float32
    ]  # (n,) best cosine of each source sentence with a copy sentence
    best_copy: NDArray[np.float32]  # (m,) and the other way


def find_candidates(
    pair: Pair, window: Window, reachable: NDArray[np.bool_] | None = None
) -> Candidates:
    """Find the beads that a window can hold.

    `reachable`, of shape (n + 1, m + 1), says which corners a path may pass. Without it a path may
    pass all, but no bead is larger than 2-1 or 1-2.
    """
    cosines = _cosines(pair, window)
    _, n, _, m = cosines.shape
    at = np.flatnonzero(_possible(cosines, pair, reachable))
    positions = BeadPositions(
        *(index.astype(np.intp) for index in np.unravel_index(at, cosines.shape))
    )
    flat = cosines.ravel()
    sides = (
        _Side(
            pair.source,
            window.source,
            positions.a,
            positions.i,
            (MAX_MERGED * m, n * MAX_MERGED * m),
        ),
        _Side(pair.copy, window.copy, positions.b, positions.j, (1, m)),
    )
    support, outside = np.full(len(at), np.inf), np.full(len(at), -np.inf)
    for side in sides:
        for these, adds in side.ends_add(flat, at):
            support[these] = np.minimum(support[these], adds)
        for these, adds in side.neighbours_add(flat, at):
            outside[these] = np.maximum(outside[these], adds)
    return Candidates(
        positions=positions,
        encoded=sides[0].encoded & sides[1].encoded,
        cosine=flat[at].astype(np.float64),
        support=support,
        outside=outside,
        lengths=_length_distance(sides[0].length, sides[1].length, pair),
        best_source=cosines[0, :, 0].max(axis=1),
        best_copy=cosines[0, :, 0].max(axis=0),
    )


def _cosines(pair: Pair, window: Window) -> NDArray[np.float32]:
    """Return the cosine of every run of sentences with every other, of shape (4, n, 4, m)."""
    x = pair.source.vectors[:, window.source.start : window.source.stop]
    y = pair.copy.vectors[:, window.copy.start : window.copy.stop]
    n, m, d = x.shape[1], y.shape[1], x.shape[2]
    cosines = (x.reshape(MAX_MERGED * n, d) @ y.reshape(MAX_MERGED * m, d).T).reshape(
        MAX_MERGED, n, MAX_MERGED, m
    )
    for k in range(1, MAX_MERGED):  # runs that pass the end of the window
        cosines[k, max(n - k, 0) :] = -np.inf
        cosines[:, :, k, max(m - k, 0) :] = -np.inf
    return cosines


def _possible(
    cosines: NDArray[np.float32], pair: Pair, reachable: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    _, n, _, m = cosines.shape
    possible = cosines >= max(pair.config.merged_floor - pair.priors.shift, -1.0)
    possible[0, :, 0] = True
    if reachable is None:
        possible[1:, :, 1:] = False
        possible[2:] = possible[:, :, 2:] = False
        return possible
    for a in range(min(MAX_MERGED, n)):
        for b in range(min(MAX_MERGED, m)):
            both_ends = reachable[: n - a, : m - b] & reachable[a + 1 :, b + 1 :]
            possible[a, : n - a, b, : m - b] &= both_ends
    return possible


class _Side:
    """One side of all candidates: what the ends of its runs add, and what neighbours would.

    Cosines are looked up in the flat table of all runs, where `steps` lead to the next sentence
    of this side and to the run with one sentence more.
    """

    def __init__(
        self, merged: MergedSentences, part: range, more: Ints, start: Ints, steps: tuple[int, int]
    ) -> None:
        self.more, self.start, self.n = more, start, len(part)
        self.onward, self.longer = steps
        here = slice(part.start, part.stop)
        self.first, self.last = merged.first[:, here], merged.last[:, here]
        first = part.start + start
        self.encoded = merged.encoded[more, first]
        self.length = merged.ends[first + more + 1] - merged.ends[first]

    def ends_add(self, flat: NDArray[np.float32], at: Ints) -> Iterator[tuple[Ints, Floats]]:
        """Yield, for the first sentence of each run and the last, what it adds to the rest."""
        these = np.flatnonzero(self.more > 0)
        at, more, start = at[these], self.more[these], self.start[these]
        alone, shorter = at - more * self.longer, at - self.longer
        yield these, _adds(flat[alone], flat[shorter + self.onward], self.first[more, start])
        yield these, _adds(flat[alone + more * self.onward], flat[shorter], self.last[more, start])

    def neighbours_add(self, flat: NDArray[np.float32], at: Ints) -> Iterator[tuple[Ints, Floats]]:
        """Yield, for the sentence before each bead and the one after, what it would add."""
        extensible, alone = self.more < MAX_MERGED - 1, at - self.more * self.longer
        these = np.flatnonzero(extensible & (self.start > 0))
        between = self.first[self.more[these] + 1, self.start[these] - 1]
        yield these, _adds(flat[alone[these] - self.onward], flat[at[these]], between)
        these = np.flatnonzero(extensible & (self.start + self.more + 1 < self.n))
        more = self.more[these] + 1
        between = self.last[more, self.start[these]]
        yield these, _adds(flat[alone[these] + more * self.onward], flat[at[these]], between)


def _adds(new: NDArray[np.float32], rest: NDArray[np.float32], between: Floats) -> Floats:
    """Return the cosine of the other side with what a sentence says beyond the rest of its run.

    `new` and `rest` are the cosines of the other side with the sentence and with the rest;
    `between` is the cosine of these two.
    """
    added = (new - between * rest) / np.sqrt(1 - np.minimum(between**2, 0.96))
    return np.asarray(added, dtype=np.float64)


def _length_distance(source: Floats, copy: Floats, pair: Pair) -> Floats:
    log_length_ratio = np.exp(pair.priors.log_length_ratio / 2)
    ratio = np.log(
        (source * log_length_ratio + LENGTH_OFFSET) / (copy / log_length_ratio + LENGTH_OFFSET)
    )
    return np.asarray(
        np.abs(ratio) * (LENGTH_DEVIATION / pair.priors.length_deviation), dtype=np.float64
    )


def log_odds(candidates: Candidates, pair: Pair) -> LogOdds:
    """Return the log-odds of candidates, and of the window's unaligned sentences."""
    priors, config, positions = pair.priors, pair.config, candidates.positions
    similarity = candidates.cosine + priors.shift
    sizes = range(MAX_MERGED)
    shape = np.array([[config.shape[max(a, b)][min(a, b)] for b in sizes] for a in sizes])
    bead = shape[positions.a, positions.b]
    bead += _interpolate(config.complete, candidates.outside)
    bead += _interpolate(config.length, candidates.lengths)
    faint = np.clip(0.6 - similarity, 0.0, 0.5) * config.faint_rate * priors.alone
    merged, reencoded = positions.merged, positions.merged & candidates.encoded
    for where, curve, support, rate in (
        (~merged, config.single, None, config.single_rate),
        (merged & ~reencoded, config.merged, config.support, config.merged_rate),
        (reencoded, config.reencoded, config.reencoded_support, config.merged_rate),
    ):
        these = np.flatnonzero(where)
        bead[these] += _interpolate(curve, similarity[these]) + rate * priors.merges
        bead[these] += (
            faint[these] if support is None else _interpolate(support, candidates.support[these])
        )
    rate = config.alone_rate * priors.alone
    return LogOdds(
        bead=bead,
        omit=_interpolate(config.alone, candidates.best_source) + rate,
        add=_interpolate(config.alone, candidates.best_copy) + rate,
    )


def _interpolate(curve: Curve, values: NDArray[np.float64] | NDArray[np.float32]) -> Floats:
    knots = np.asarray(curve)
    return np.asarray(np.interp(values, knots[:, 0], knots[:, 1]), dtype=np.float64)
