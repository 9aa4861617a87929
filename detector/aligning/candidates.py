"""Which beads a window can hold, and what speaks for and against each.

Measures only: what they are worth is for `odds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.aligning.joining import Joins
from detector.aligning.lattice import Places
from detector.aligning.pair import LITTLE, SPREAD, Pair
from detector.aligning.weights import MOST, Floats, Ints
from detector.aligning.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Beads that a window can hold, with their evidence, and its sentences with theirs."""

    places: Places
    encoded: NDArray[np.bool_]  # whether every join of the bead was encoded as one text
    cosine: Floats  # between both sides, in [-1, 1]
    support: Floats  # least that the first or last sentence of a join adds; 9 without a join
    outside: Floats  # most that a neighbour left outside would add; -0.1 without a neighbour
    lengths: Floats  # how far both log lengths are apart, in the pair's deviations times 0.15
    best_source: NDArray[
        np.float32
    ]  # (n,) best cosine of each source sentence with a copy sentence
    best_copy: NDArray[np.float32]  # (m,) and the other way


def find_candidates(
    pair: Pair, window: Window, passed: NDArray[np.bool_] | None = None
) -> Candidates:
    """Find the beads that a window can hold.

    Parameters
    ----------
    pair : Pair
    window : Window
    passed : ndarray of shape (n + 1, m + 1), bool, optional
        Which corners a tiling may pass. Without it all may be passed, but no bead is larger than
        2-1 or 1-2.

    Returns
    -------
    Candidates
    """
    cosines = _cosines(pair, window)
    _, n, _, m = cosines.shape
    at = np.flatnonzero(_possible(cosines, pair, passed))
    places = Places(*(index.astype(np.intp) for index in np.unravel_index(at, cosines.shape)))
    flat = cosines.ravel()
    sides = (
        _Side(pair.source, window.source, places.a, places.i, (MOST * m, n * MOST * m)),
        _Side(pair.copy, window.copy, places.b, places.j, (1, m)),
    )
    support, outside = np.full(len(at), 9.0), np.full(len(at), -0.1)
    for side in sides:
        for these, adds in side.ends_add(flat, at):
            support[these] = np.minimum(support[these], adds)
        for these, adds in side.neighbours_add(flat, at):
            outside[these] = np.maximum(outside[these], adds)
    return Candidates(
        places=places,
        encoded=sides[0].encoded & sides[1].encoded,
        cosine=flat[at].astype(np.float64),
        support=support,
        outside=outside,
        lengths=_apart(sides[0].length, sides[1].length, pair),
        best_source=cosines[0, :, 0].max(axis=1),
        best_copy=cosines[0, :, 0].max(axis=0),
    )


def _cosines(pair: Pair, window: Window) -> NDArray[np.float32]:
    """Return the cosine of every join with every other, of shape (4, n, 4, m)."""
    x = pair.source.vectors[:, window.source.start : window.source.stop]
    y = pair.copy.vectors[:, window.copy.start : window.copy.stop]
    n, m, d = x.shape[1], y.shape[1], x.shape[2]
    cosines = (x.reshape(MOST * n, d) @ y.reshape(MOST * m, d).T).reshape(MOST, n, MOST, m)
    for k in range(1, MOST):  # joins that run past the window
        cosines[k, max(n - k, 0) :] = -9.0
        cosines[:, :, k, max(m - k, 0) :] = -9.0
    return cosines


def _possible(
    cosines: NDArray[np.float32], pair: Pair, passed: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    _, n, _, m = cosines.shape
    possible = cosines >= max(pair.config.joined_floor - pair.manner.shift, -1.0)
    possible[0, :, 0] = True
    if passed is None:
        possible[1:, :, 1:] = False
        possible[2:] = possible[:, :, 2:] = False
        return possible
    for a in range(min(MOST, n)):
        for b in range(min(MOST, m)):
            both_ends = passed[: n - a, : m - b] & passed[a + 1 :, b + 1 :]
            possible[a, : n - a, b, : m - b] &= both_ends
    return possible


class _Side:
    """One side of all candidates: what its joins' ends add, and what its neighbours would.

    Cosines are looked up in the flat table of all joins, where `steps` lead to the next sentence
    of this side and to the join with one sentence more.
    """

    def __init__(
        self, joins: Joins, part: range, more: Ints, start: Ints, steps: tuple[int, int]
    ) -> None:
        self.more, self.start, self.n = more, start, len(part)
        self.onward, self.longer = steps
        here = slice(part.start, part.stop)
        self.first, self.last = joins.first[:, here], joins.last[:, here]
        first = part.start + start
        self.encoded = joins.encoded[more, first]
        self.length = joins.ends[first + more + 1] - joins.ends[first]

    def ends_add(self, flat: NDArray[np.float32], at: Ints) -> Iterator[tuple[Ints, Floats]]:
        """Yield, for the first sentence of each join and the last, what it adds to the rest."""
        these = np.flatnonzero(self.more > 0)
        at, more, start = at[these], self.more[these], self.start[these]
        alone, shorter = at - more * self.longer, at - self.longer
        yield these, _adds(flat[alone], flat[shorter + self.onward], self.first[more, start])
        yield these, _adds(flat[alone + more * self.onward], flat[shorter], self.last[more, start])

    def neighbours_add(self, flat: NDArray[np.float32], at: Ints) -> Iterator[tuple[Ints, Floats]]:
        """Yield, for the sentence before each bead and the one after, what it would add."""
        room, alone = self.more < MOST - 1, at - self.more * self.longer
        these = np.flatnonzero(room & (self.start > 0))
        between = self.first[self.more[these] + 1, self.start[these] - 1]
        yield these, _adds(flat[alone[these] - self.onward], flat[at[these]], between)
        these = np.flatnonzero(room & (self.start + self.more + 1 < self.n))
        more = self.more[these] + 1
        between = self.last[more, self.start[these]]
        yield these, _adds(flat[alone[these] + more * self.onward], flat[at[these]], between)


def _adds(new: NDArray[np.float32], rest: NDArray[np.float32], between: Floats) -> Floats:
    """Return the cosine of the other side with what a sentence says beyond the rest of its join.

    `new` and `rest` are the cosines of the other side with the sentence and with the rest;
    `between` is the cosine of these two.
    """
    added = (new - between * rest) / np.sqrt(1 - np.minimum(between**2, 0.96))
    return np.asarray(added, dtype=np.float64)


def _apart(source: Floats, copy: Floats, pair: Pair) -> Floats:
    stretch = np.exp(pair.manner.stretch / 2)
    ratio = np.log((source * stretch + LITTLE) / (copy / stretch + LITTLE))
    return np.asarray(np.abs(ratio) * (SPREAD / pair.manner.spread), dtype=np.float64)
