"""Compute posteriors and the best path over the beads of a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.alignment.config import Floats, Ints

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
        either, running = (
            (np.logaddexp, np.logaddexp.accumulate)
            if total
            else (np.maximum, np.maximum.accumulate)
        )
        for i in range(n + 1):
            row = self.ending.reduce(i, reached, m + 1, total=total)
            if i == 0:
                row[0] = 0.0
            else:
                row = either(row, settled[i - 1] + self.odds.omit[i - 1])
            settled[i] = row
            flat = row - scan
            scanned = running(flat)
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
