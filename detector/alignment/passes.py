"""Run the passes over the windows of a pair: estimate priors, pick merges to encode, decode.

The first pass knows nothing of the pair. It gives the priors, the corners that later passes may
use, and the windows whose paths agree with their neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.alignment.candidates import find_candidates, log_odds
from detector.alignment.config import MAX_MERGED, Floats
from detector.alignment.lattice import IMPOSSIBLE, BeadPositions, Lattice, LogOdds, Path
from detector.alignment.pair import LENGTH_DEVIATION, LENGTH_OFFSET, Pair, PairPriors, Side
from detector.alignment.windows import LARGEST_WINDOW, Window, cut, meeting_corner

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
    log_length_ratio = ratio / (single + 5.0)
    variance = max(
        square - 2.0 * log_length_ratio * ratio + log_length_ratio * log_length_ratio * single, 0.0
    )
    return PairPriors(
        alone=float(np.log((alone + 1.0) / (pair.source.n + pair.copy.n + 10.0))) + 2.0,
        merges=float(np.log((merges + 0.5) / (single + merges + 5.0))) + 2.5,
        # Not lower: chance pairs of unrelated texts say nothing about matches.
        similarity=max((cosine + 1.7) / (single + 2.0), 0.7),
        log_length_ratio=log_length_ratio,
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
            meet = i, j
            before = Window(range(window.source.start, i), range(window.copy.start, j))
            path = _decode_window(pair, before)
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
