"""Enumerate candidate beads, weigh the evidence for them, run the first and the re-encoding pass.

The first pass knows nothing of the pair. It gives the priors, the corners that later passes may
use, and the windows whose paths agree with their neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.alignment.config import MAX_MERGED, Curve, Floats, Ints
from detector.alignment.lattice import (
    IMPOSSIBLE,
    LARGEST_WINDOW,
    BeadPositions,
    Lattice,
    LogOdds,
    Path,
    Window,
    cut,
    meeting_corner,
)
from detector.alignment.pair import (
    LENGTH_DEVIATION,
    LENGTH_OFFSET,
    MergedSentences,
    Pair,
    PairPriors,
    Side,
)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Beads that a window can hold, and the evidence for them."""

    positions: BeadPositions
    encoded: NDArray[np.bool_]  # whether all merged sentences of the bead were encoded as one text
    cosine: Floats  # between both sides, in [-1, 1]
    support: Floats  # least that the first or last of merged sentences adds; inf for a 1-1 bead
    outside: Floats  # most that a neighbour outside the bead would add; -inf without a neighbour
    lengths: Floats  # distance of both log lengths, in the pair's deviations times 0.15
    best_source: NDArray[np.float32]  # (n,) best cosine of each source sentence with the copy
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
    steps = (MAX_MERGED * m, n * MAX_MERGED * m)
    sides = (
        _Side(pair.source, window.source, positions.a, positions.i, steps),
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
    cosines = x.reshape(MAX_MERGED * n, d) @ y.reshape(MAX_MERGED * m, d).T
    cosines = cosines.reshape(MAX_MERGED, n, MAX_MERGED, m)
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
    root = np.exp(pair.priors.log_length_ratio / 2)
    ratio = np.log((source * root + LENGTH_OFFSET) / (copy / root + LENGTH_OFFSET))
    distance = np.abs(ratio) * (LENGTH_DEVIATION / pair.priors.length_deviation)
    return np.asarray(distance, dtype=np.float64)


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


EncodeMerged = Callable[[Sequence[tuple[Side, range]]], NDArray[np.float32]]
"""Encodes runs of neighbouring sentences, each as one text: one unit row per run, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class FirstPass:
    """Posteriors of a window before anything is known of the pair."""

    window: Window
    positions: BeadPositions  # of the beads worth counting
    cosine: Floats  # of each
    bead: Floats  # probability of each
    omit: Floats  # (n,) probability of each source sentence being unaligned
    add: Floats  # (m,)
    reachable: NDArray[np.bool_]  # (n + 1, m + 1) corners that later passes may use
    path: Path  # the best path


def first_pass(pair: Pair, window: Window) -> FirstPass:
    """Sum over the paths of one window under the default priors."""
    pair = replace(pair, priors=PairPriors())
    candidates = find_candidates(pair, window)
    lattice = Lattice(candidates.positions, log_odds(candidates, pair))
    posteriors = lattice.posteriors()
    likely = posteriors.bead >= pair.config.min_corner_probability
    return FirstPass(
        window=window,
        positions=candidates.positions.subset(likely),
        cosine=candidates.cosine[likely],
        bead=posteriors.bead[likely],
        omit=posteriors.omit,
        add=posteriors.add,
        reachable=posteriors.corner >= np.log(pair.config.min_corner_probability),
        path=window.to_document(lattice.best()),
    )


def first_passes(pair: Pair) -> list[FirstPass]:
    """Run the first pass over each window, widening windows whose best paths do not meet."""
    passes: list[FirstPass] = []
    for window in cut(pair):
        here = first_pass(pair, window)
        while passes and not meeting_corner(
            passes[-1].path, here.path, passes[-1].window, here.window
        ):
            wide = passes[-1].window.until(here.window)
            if wide.cells > LARGEST_WINDOW:
                break
            passes.pop()
            here = first_pass(pair, wide)
        passes.append(here)
    return passes


def estimate_priors(pair: Pair, passes: Sequence[FirstPass]) -> PairPriors:
    """Estimate the priors of a pair from expected counts, smoothed by those of many pairs."""
    log_x, log_y = (np.log(np.diff(side.ends) + LENGTH_OFFSET) for side in (pair.source, pair.copy))
    alone = single = merges = cosine = ratio = square = 0.0
    owned = zip(
        _own([first.window.source for first in passes]),
        _own([first.window.copy for first in passes]),
        strict=True,
    )
    for first, (source, copy) in zip(passes, owned, strict=True):
        top, left = first.window.source.start, first.window.copy.start
        i, j = top + first.positions.i, left + first.positions.j
        own = (i >= source.start) & (i < source.stop)
        lone = own & ~first.positions.merged
        p, here = first.bead[lone], log_y[j[lone]] - log_x[i[lone]]
        alone += float(first.omit[source.start - top : source.stop - top].sum())
        alone += float(first.add[copy.start - left : copy.stop - left].sum())
        single += float(p.sum())
        merges += float(first.bead[own].sum() - p.sum())
        cosine += float(p @ first.cosine[lone])
        ratio += float(p @ here)
        square += float(p @ (here * here))
    mean = ratio / (single + 5.0)
    variance = max(square - 2.0 * mean * ratio + mean * mean * single, 0.0)
    return PairPriors(
        alone=float(np.log((alone + 1.0) / (pair.source.n + pair.copy.n + 10.0))) + 2.0,
        merges=float(np.log((merges + 0.5) / (single + merges + 5.0))) + 2.5,
        # Not lower: chance pairs of unrelated texts say nothing about matches.
        similarity=max((cosine + 1.7) / (single + 2.0), 0.7),
        log_length_ratio=mean,
        length_deviation=float(np.sqrt((variance + 5.0 * LENGTH_DEVIATION**2) / (single + 5.0))),
    )


def _own(parts: Sequence[range]) -> list[range]:
    """Return the part of a side that each window counts: half of each overlap."""
    cuts = ((one.stop + other.start) // 2 for one, other in pairwise(parts))
    return [range(*ends) for ends in pairwise([parts[0].start, *cuts, parts[-1].stop])]


def uncertain_merges(pair: Pair, passes: Sequence[FirstPass]) -> list[tuple[Side, range]]:
    """Return the runs whose being one bead's side is least certain, within the budget."""
    config = pair.config
    uncertain: dict[tuple[Side, int, int], float] = {}
    for first in passes:
        candidates = find_candidates(pair, first.window, first.reachable)
        positions = candidates.positions
        bead = Lattice(positions, log_odds(candidates, pair)).posteriors().bead
        for side, more, at in (
            (pair.source, positions.a, first.window.source.start + positions.i),
            (pair.copy, positions.b, first.window.copy.start + positions.j),
        ):
            p = np.zeros((MAX_MERGED, side.n))
            np.add.at(p, (more, at), bead)
            variance = p * (1.0 - p)
            for k, i in zip(*np.nonzero(variance[1:] > config.min_variance), strict=True):
                key = (side.side, int(i), int(k) + 2)
                uncertain[key] = max(uncertain.get(key, 0.0), float(variance[k + 1, i]))
    most = int(config.reencoding_share * (pair.source.n + pair.copy.n))
    chosen = sorted(uncertain, key=lambda key: (-uncertain[key], key))[:most]
    return [(side, range(start, start + size)) for side, start, size in chosen]


def decode(pair: Pair, passes: Sequence[FirstPass]) -> Path:
    """Return the path of most expected right beads, decoded by window and stitched.

    Where the paths of two windows do not meet, they are searched again as one.
    """
    window, path = passes[0].window, _decode_window(pair, passes[0].window, passes[0].reachable)
    done: Path = []  # corners before the current window
    for first in passes[1:]:
        following, onward = first.window, _decode_window(pair, first.window, first.reachable)
        meet = meeting_corner(path, onward, window, following)
        if meet is None and window.until(following).cells <= LARGEST_WINDOW:
            # The rest is searched again as one window.
            i, j = done[-1] if done else (0, 0)
            window = Window(range(i, following.source.stop), range(j, following.copy.stop))
            path = _decode_window(pair, window)
            continue
        if meet is None:
            i = (following.source.start + following.source.stop) // 2
            j = (following.copy.start + following.copy.stop) // 2
            before = Window(range(window.source.start, i), range(window.copy.start, j))
            meet, path = (i, j), _decode_window(pair, before)
            after = Window(range(i, following.source.stop), range(j, following.copy.stop))
            onward = _decode_window(pair, after)
        done += [corner for corner in path if not done or corner > done[-1]]
        done = done[: done.index(meet) + 1]
        window, path = following, onward[onward.index(meet) :]
    return done + [corner for corner in path if not done or corner > done[-1]]


def _decode_window(pair: Pair, window: Window, reachable: NDArray[np.bool_] | None = None) -> Path:
    """Return the path of a window with the most expected right beads."""
    config = pair.config
    if reachable is None:
        reachable = first_pass(pair, window).reachable
    candidates = find_candidates(pair, window, reachable)
    posteriors = Lattice(candidates.positions, log_odds(candidates, pair)).posteriors()
    worth = config.bead_worth * posteriors.bead - config.bead_price
    worth[posteriors.bead < config.min_bead_probability] = IMPOSSIBLE
    gain = LogOdds(worth, posteriors.omit - config.bead_price, posteriors.add - config.bead_price)
    return window.to_document(Lattice(candidates.positions, gain).best())
