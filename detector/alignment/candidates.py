"""Enumerate candidate beads and weigh the evidence for them.

Which beads a window can hold, and what speaks for and against each.

Measures only: what they are worth is for `odds`.

What the evidence for a bead is worth: its log-odds, in nats.

A first sum over all tilings of each window, made before anything is known of the pair.

What it teaches about the pair is for `manner`; here it only says where later sums need not look,
and which windows are too narrow to agree with their neighbours.

What is usual in a pair: how often it leaves and joins sentences, how close and long matches are.

Learnt from the first look alone; nothing here weighs a bead.

Which joins are in doubt, and so worth encoding as one text.

How a join encoded so is weighed is for `odds`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.alignment.config import MOST, Curve, Floats, Ints
from detector.alignment.lattice import Lattice, Odds, Path, Places
from detector.alignment.pair import LITTLE, SPREAD, Joins, Manner, Pair, Side
from detector.alignment.windows import WIDEST, Window, cut, meeting


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


def weigh(found: Candidates, pair: Pair) -> Odds:
    """Return the log-odds of candidates, and of their window's sentences standing alone."""
    manner, config, places = pair.manner, pair.config, found.places
    usual = found.cosine + manner.shift
    sizes = range(MOST)
    shape = np.array([[config.shape[max(a, b)][min(a, b)] for b in sizes] for a in sizes])
    bead = shape[places.a, places.b]
    bead += _read(config.complete, found.outside)
    bead += _read(config.length, found.lengths)
    faint = np.clip(0.6 - usual, 0.0, 0.5) * config.faint_often * manner.alone
    joined, rejoined = places.joined, places.joined & found.encoded
    for where, similarity, support, often in (
        (~joined, config.single, None, config.single_often),
        (joined & ~rejoined, config.joined, config.support, config.joined_often),
        (rejoined, config.rejoined, config.rejoined_support, config.joined_often),
    ):
        these = np.flatnonzero(where)
        bead[these] += _read(similarity, usual[these]) + often * manner.joins
        bead[these] += faint[these] if support is None else _read(support, found.support[these])
    often = config.alone_often * manner.alone
    return Odds(
        bead=bead,
        omit=_read(config.alone, found.best_source) + often,
        add=_read(config.alone, found.best_copy) + often,
    )


def _read(curve: Curve, values: NDArray[np.float64] | NDArray[np.float32]) -> Floats:
    """Read a curve at each value."""
    knots = np.asarray(curve)
    return np.asarray(np.interp(values, knots[:, 0], knots[:, 1]), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a first sum says of a window."""

    window: Window
    places: Places  # of the beads worth counting
    cosine: Floats  # of each
    bead: Floats  # probability of each
    omit: Floats  # (n,) probability of each source sentence standing alone
    add: Floats  # (m,)
    passed: NDArray[np.bool_]  # (n + 1, m + 1) corners that later sums may pass
    path: Path  # corners of the best tiling


def look_at(pair: Pair, window: Window) -> Look:
    """Sum over the tilings of one window, as if nothing were known of the pair."""
    pair = replace(pair, manner=Manner())
    found = find_candidates(pair, window)
    lattice = Lattice(found.places, weigh(found, pair))
    chances = lattice.probabilities()
    likely = chances.bead >= pair.config.least_passage
    return Look(
        window=window,
        places=found.places.only(likely),
        cosine=found.cosine[likely],
        bead=chances.bead[likely],
        omit=chances.omit,
        add=chances.add,
        passed=chances.passage >= np.log(pair.config.least_passage),
        path=window.placed(lattice.best()),
    )


def look_through(pair: Pair) -> list[Look]:
    """Look at the windows once; those whose best tilings do not meet become one."""
    looks: list[Look] = []
    for window in cut(pair):
        look = look_at(pair, window)
        while looks and not meeting(looks[-1].path, look.path, looks[-1].window, look.window):
            wide = looks[-1].window.until(look.window)
            if wide.cells > WIDEST:
                break
            looks.pop()
            look = look_at(pair, wide)
        looks.append(look)
    return looks


def learn_manner(pair: Pair, looks: Sequence[Look]) -> Manner:
    """Learn what is usual in this pair.

    Counts are expected ones, each with a few of what is usual at large put beside it.
    """
    log_x, log_y = (np.log(np.diff(joins.ends) + LITTLE) for joins in (pair.source, pair.copy))
    alone = single = joins = cosine = ratio = square = 0.0
    owned = zip(
        _own([look.window.source for look in looks]),
        _own([look.window.copy for look in looks]),
        strict=True,
    )
    for look, (source, copy) in zip(looks, owned, strict=True):
        top, left = look.window.source.start, look.window.copy.start
        i, j = top + look.places.i, left + look.places.j
        own = (i >= source.start) & (i < source.stop)
        lone = own & ~look.places.joined
        p, here = look.bead[lone], log_y[j[lone]] - log_x[i[lone]]
        alone += float(look.omit[source.start - top : source.stop - top].sum())
        alone += float(look.add[copy.start - left : copy.stop - left].sum())
        single += float(p.sum())
        joins += float(look.bead[own].sum() - p.sum())
        cosine += float(p @ look.cosine[lone])
        ratio += float(p @ here)
        square += float(p @ (here * here))
    stretch = ratio / (single + 5.0)
    variance = max(square - 2.0 * stretch * ratio + stretch * stretch * single, 0.0)
    return Manner(
        alone=float(np.log((alone + 1.0) / (pair.source.n + pair.copy.n + 10.0))) + 2.0,
        joins=float(np.log((joins + 0.5) / (single + joins + 5.0))) + 2.5,
        # Chance pairs of unrelated texts are no measure of how close a match is.
        similarity=max((cosine + 1.7) / (single + 2.0), 0.7),
        stretch=stretch,
        spread=float(np.sqrt((variance + 5.0 * SPREAD**2) / (single + 5.0))),
    )


def _own(parts: Sequence[range]) -> list[range]:
    """Return what each window counts of a side: where two overlap, each its own half."""
    cuts = ((one.stop + other.start) // 2 for one, other in pairwise(parts))
    return [range(*ends) for ends in pairwise([parts[0].start, *cuts, parts[-1].stop])]


class Rejoin(Protocol):
    """Encodes neighbouring sentences as one text, for the joins that are looked at again."""

    def __call__(self, joins: Sequence[tuple[Side, range]]) -> NDArray[np.float32]:
        """Return one unit row per join, in order."""
        ...


def doubtful_joins(pair: Pair, looks: Sequence[Look]) -> list[tuple[Side, range]]:
    """Return the joins whose being right is least certain, within the budget."""
    config = pair.config
    doubts: dict[tuple[Side, int, int], float] = {}
    for look in looks:
        found = find_candidates(pair, look.window, look.passed)
        places = found.places
        bead = Lattice(places, weigh(found, pair)).probabilities().bead
        for joins, more, at in (
            (pair.source, places.a, look.window.source.start + places.i),
            (pair.copy, places.b, look.window.copy.start + places.j),
        ):
            p = np.zeros((MOST, joins.n))
            np.add.at(p, (more, at), bead)
            variance = p * (1.0 - p)
            for k, i in zip(*np.nonzero(variance[1:] > config.doubt), strict=True):
                key = (joins.side, int(i), int(k) + 2)
                doubts[key] = max(doubts.get(key, 0.0), float(variance[k + 1, i]))
    most = int(config.second_look * (pair.source.n + pair.copy.n))
    chosen = sorted(doubts, key=lambda key: (-doubts[key], key))[:most]
    return [(side, range(start, start + size)) for side, start, size in chosen]
