"""Compute posteriors and best paths of bead lattices, in windows of long documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.alignment.config import MAX_MERGED, Floats, Ints
from detector.alignment.pair import Pair
from detector.records import Alignment, Bead

Path = list[tuple[int, int]]
"""Corners of the beads in order: (sentences of the source, of the copy) before each corner."""

IMPOSSIBLE = -1e9  # log-odds of an impossible step


@dataclass(frozen=True, slots=True, eq=False)
class BeadPositions:
    """Positions of beads in a window: [i, i + a + 1) of the source, [j, j + b + 1) of the copy."""

    a: Ints
    i: Ints
    b: Ints
    j: Ints

    @property
    def starts(self) -> tuple[Ints, Ints]:
        """Corners at which the beads begin."""
        return self.i, self.j

    @property
    def ends(self) -> tuple[Ints, Ints]:
        """Corners at which the beads end."""
        return self.i + self.a + 1, self.j + self.b + 1

    @property
    def merged(self) -> NDArray[np.bool_]:
        """Which beads hold merged sentences."""
        return (self.a > 0) | (self.b > 0)

    def subset(self, these: NDArray[np.bool_]) -> BeadPositions:
        """Return the beads under a mask."""
        return BeadPositions(self.a[these], self.i[these], self.b[these], self.j[these])


@dataclass(frozen=True, slots=True, eq=False)
class LogOdds:
    """Log-odds of the beads of a window, and of its unaligned sentences."""

    bead: Floats
    omit: Floats  # (n,) of each source sentence
    add: Floats  # (m,) of each copy sentence


@dataclass(frozen=True, slots=True, eq=False)
class Posteriors:
    """Probabilities, in [0, 1], under the sum over all paths."""

    total: float  # log of the sum
    bead: Floats
    omit: Floats  # (n,)
    add: Floats  # (m,)
    corner: Floats  # (n + 1, m + 1) upper bound of the log-probability of a path through a corner


class Lattice:
    """All paths through one window, each once: an omission never follows an addition.

    Corner (i, j) follows i source and j copy sentences. A whole row of corners is computed at
    once, additions by a running scan, so nothing loops over cells.
    """

    def __init__(self, positions: BeadPositions, odds: LogOdds) -> None:
        self.positions, self.odds = positions, odds
        self.n, self.m = len(odds.omit), len(odds.add)
        self.ending = _OrderedBeads(positions.ends, positions.starts, odds.bead, self.n)
        self.starting = _OrderedBeads(positions.starts, positions.ends, odds.bead, self.n)
        self.summed_add = np.concatenate([[0.0], np.cumsum(odds.add)])

    def posteriors(self) -> Posteriors:
        """Return the probability of each bead and of each unaligned sentence."""
        settled, reached = self._forward(total=True)
        ahead, added = self._backward()
        odds, whole = self.odds, reached[-1, -1]
        bead = reached[self.positions.starts] + odds.bead + ahead[self.positions.ends] - whole
        omit = settled[:-1] + odds.omit[:, None] + ahead[1:] - whole
        add = reached[:, :-1] + odds.add + added[:, 1:] - whole
        return Posteriors(
            total=float(whole),
            bead=np.exp(np.minimum(bead, 0.0)),
            omit=np.exp(np.minimum(omit, 0.0)).sum(axis=1),
            add=np.exp(np.minimum(add, 0.0)).sum(axis=0),
            corner=reached + ahead - whole,
        )

    def best(self) -> Path:
        """Return the best path."""
        settled, reached = self._forward(total=False)
        steps, omit = self.ending, self.odds.omit
        i, j, must_settle, path = self.n, self.m, False, [(self.n, self.m)]
        while i or j:
            if j and not must_settle and reached[i, j] > settled[i, j]:
                j -= 1
            else:
                low, high = steps.bounds[i], steps.bounds[i + 1]
                low, high = low + np.searchsorted(steps.column[low:high], (j, j + 1))
                rows, columns = steps.other[0][low:high], steps.other[1][low:high]
                moves = reached[rows, columns] + steps.odds[low:high]
                skip = settled[i - 1, j] + omit[i - 1] if i else IMPOSSIBLE
                must_settle = not len(moves) or bool(skip >= moves.max())
                if must_settle:
                    i -= 1
                else:
                    at = int(moves.argmax())
                    i, j = int(rows[at]), int(columns[at])
            path.append((i, j))
        return path[::-1]

    def _forward(self, *, total: bool) -> tuple[Floats, Floats]:
        """Return, per corner, the log-sum (or the best) of the paths up to it.

        The first table holds the paths that do not end in an addition, the second all.
        """
        n, m, scan = self.n, self.m, self.summed_add
        settled, reached = np.empty((2, n + 1, m + 1))
        either = np.logaddexp if total else np.maximum
        for i in range(n + 1):
            row = self.ending.reduce(i, reached, m + 1, total=total)
            if i == 0:
                row[0] = 0.0
            else:
                row = either(row, settled[i - 1] + self.odds.omit[i - 1])
            settled[i] = row
            flat = row - scan
            scanned = either.accumulate(flat)
            # Differs from `row` only where an addition wins strictly, so ties cost nothing.
            reached[i] = np.where(scanned > flat, scanned + scan, row)
        return settled, reached

    def _backward(self) -> tuple[Floats, Floats]:
        """Return, per corner, the log-sum of the paths from it on: all, and after an addition."""
        n, m = self.n, self.m
        ahead, added = np.empty((2, n + 1, m + 1))
        scan = self.summed_add[-1] - self.summed_add
        for i in range(n, -1, -1):
            row = self.starting.reduce(i, ahead, m + 1, total=True)
            if i == n:
                row[m] = 0.0
            added[i] = np.logaddexp.accumulate((row - scan)[::-1])[::-1] + scan
            ahead[i] = added[i]
            if i < n:
                ahead[i] = np.logaddexp(added[i], self.odds.omit[i] + ahead[i + 1])
        return ahead, added


class _OrderedBeads:
    """Beads sorted by row and column, so that those of one corner are summed by `reduceat`."""

    def __init__(
        self, corner: tuple[Ints, Ints], other: tuple[Ints, Ints], odds: Floats, n: int
    ) -> None:
        row, column = corner
        order = np.lexsort((column, row))
        row, self.column = row[order], column[order]
        self.other = other[0][order], other[1][order]
        self.odds = odds[order]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (np.diff(row) != 0) | (np.diff(self.column) != 0)
        first, group = np.flatnonzero(new), np.cumsum(new) - 1
        # Per row: its beads; where each of its corners begins among them, and the corner's column.
        self.bounds = np.searchsorted(row, np.arange(n + 2)).tolist()
        at = np.searchsorted(row[first], np.arange(n + 2)).tolist()
        self.rows = [
            (slice(b, e), first[p:q] - b, group[b:e] - p, self.column[first[p:q]])
            for b, e, p, q in zip(self.bounds, self.bounds[1:], at, at[1:], strict=False)
        ]

    def reduce(self, i: int, table: Floats, width: int, *, total: bool) -> Floats:
        """Return, per corner of row `i`, the log-sum (or best) over its beads."""
        out = np.full(width, IMPOSSIBLE)
        here, first, group, column = self.rows[i]
        if len(column):
            value = table[self.other[0][here], self.other[1][here]] + self.odds[here]
            best = np.maximum.reduceat(value, first)
            if total:
                value -= best[group]
                best += np.log(np.add.reduceat(np.exp(np.maximum(value, -60.0)), first))
            out[column] = best
        return out


LARGEST_WINDOW = 1_000_000  # most sentence pairs of a window

_SAMPLE = 512  # source sentences of a region that are compared, so the work is linear in its sides


@dataclass(frozen=True, slots=True)
class Window:
    """Neighbouring sentences of both documents."""

    source: range
    copy: range

    @property
    def cells(self) -> int:
        """Number of sentence pairs."""
        return len(self.source) * len(self.copy)

    def until(self, last: Window) -> Window:
        """Return the window from the start of this one to the end of another."""
        return Window(
            range(self.source.start, last.source.stop), range(self.copy.start, last.copy.stop)
        )

    def to_document(self, path: Path) -> Path:
        """Return corners of this window as corners of the documents."""
        return [(self.source.start + i, self.copy.start + j) for i, j in path]


def cut(pair: Pair) -> list[Window]:
    """Cut two documents into overlapping windows at sentences that surely match."""
    n, m, config = pair.source.n, pair.copy.n, pair.config
    whole = Window(range(n), range(m))
    if whole.cells <= config.exact_cells:
        return [whole]
    chosen = [(0, 0)]
    for here, following in pairwise([*sorted(set(_cuts(pair, whole))), (n, m)]):
        # Cut at the last anchor before a window would grow too large.
        if max(following[0] - chosen[-1][0], following[1] - chosen[-1][1]) > config.window:
            chosen.append(here)
    chosen = [*dict.fromkeys(chosen), (n, m)]
    more = config.overlap
    return [
        Window(range(max(0, i - more), min(n, p + more)), range(max(0, j - more), min(m, q + more)))
        for (i, j), (p, q) in pairwise(chosen)
    ]


def _cuts(pair: Pair, whole: Window) -> Iterator[tuple[int, int]]:
    """Yield corners where the documents may be cut, until no part is larger than a window."""
    todo = [whole]
    while todo:
        region = todo.pop()
        if region.cells <= pair.config.window**2:
            continue
        anchors = _anchors(pair, region)
        if not anchors and region.cells > LARGEST_WINDOW:
            anchors = [_closest(pair, region)]
        yield from anchors
        first = region.source.start, region.copy.start
        last = region.source.stop, region.copy.stop
        parts = (
            Window(range(i, p), range(j, q)) for (i, j), (p, q) in pairwise([first, *anchors, last])
        )
        todo.extend(part for part in parts if part != region)


def _anchors(pair: Pair, region: Window) -> Path:
    """Return sentences that are each other's best match by a clear margin, in order."""
    x = pair.source.vectors[0, region.source.start : region.source.stop]
    y = pair.copy.vectors[0, region.copy.start : region.copy.stop]
    rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), _SAMPLE)).round().astype(np.intp))
    j, cosine, margin = _clear_best(x[rows] @ y.T)
    back_i, _, back_margin = _clear_best(y[j] @ x.T)
    sure = (back_i == rows) & (cosine >= 0.6) & (np.minimum(margin, back_margin) >= 0.1)
    sure &= (rows > 0) | (j > 0)
    return region.to_document(_rising(rows[sure], j[sure], cosine[sure]))


def _closest(pair: Pair, region: Window) -> tuple[int, int]:
    """Return the closest pair in the middle of a region without a sure match."""
    high, wide = len(region.source), len(region.copy)
    rows = np.linspace(high // 4, high - high // 4 - 1, _SAMPLE).round().astype(np.intp)
    first, last = region.copy.start + wide // 4, region.copy.start + wide - wide // 4
    x = pair.source.vectors[0, region.source.start + rows]
    cosines = x @ pair.copy.vectors[0, first:last].T
    at, over = np.unravel_index(int(cosines.argmax()), cosines.shape)
    return region.source.start + int(rows[at]), first + int(over)


def _clear_best(cosines: NDArray[np.float32]) -> tuple[Ints, Floats, Floats]:
    """Return each row's best column, its cosine, and its lead over all but its neighbours."""
    line = np.arange(len(cosines))
    best = cosines.argmax(axis=1)
    top = cosines[line, best].astype(np.float64)
    rest = cosines.copy()
    for step in range(-MAX_MERGED, MAX_MERGED + 1):
        rest[line, np.clip(best + step, 0, cosines.shape[1] - 1)] = -1.0
    return best, top, top - rest.max(axis=1)


def _rising(i: Ints, j: Ints, weight: Floats) -> Path:
    """Return the heaviest chain of pairs that rises on both sides; `i` rises already."""
    if not len(i):
        return []
    total, before = weight.copy(), np.full(len(i), -1)
    for k in range(1, len(i)):
        fits = np.where(j[:k] < j[k], total[:k], 0.0)
        before_k = int(fits.argmax())
        if fits[before_k] > 0.0:
            total[k] += fits[before_k]
            before[k] = before_k
    chain, k = [], int(total.argmax())
    while k >= 0:
        chain.append((int(i[k]), int(j[k])))
        k = int(before[k])
    return chain[::-1]


def meeting_corner(
    path: Path, onward: Path, window: Window, following: Window
) -> tuple[int, int] | None:
    """Return the corner nearest the middle of two windows' overlap where their paths agree.

    Both hold the same bead before it and after it, one of them with sentences on both sides.
    """
    beads = set(pairwise(path)) & set(pairwise(onward))
    held = [(a, b) for a, b in beads if a[0] < b[0] and a[1] < b[1]]
    firm = {a for a, _ in beads} & {b for _, b in held}
    firm |= {a for a, _ in held} & {b for _, b in beads}
    ends = window.source.stop, following.source.start, window.copy.stop, following.copy.start
    middle = sum(ends) / 2
    return min(firm, key=lambda corner: (abs(sum(corner) - middle), corner), default=None)


def to_alignment(path: Path, pair: Pair) -> Alignment:
    """Make the beads between corners, with their cosines."""
    beads = []
    for (i, j), (p, q) in pairwise(path):
        similarity = None
        if p > i and q > j:
            cosine = pair.source.vectors[p - i - 1, i] @ pair.copy.vectors[q - j - 1, j]
            similarity = float(np.clip(cosine, -1.0, 1.0))
        beads.append(Bead(source=range(i, p), copy=range(j, q), similarity=similarity))
    return Alignment(beads=tuple(beads), n_source=pair.source.n, n_copy=pair.copy.n)
