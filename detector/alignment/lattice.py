"""Compute posteriors and the best path over all bead lattices of a window.

All ways to tile a window with given beads: how probable each bead is, and the best tiling.

Numbers only: where the beads come from and what their odds rest on is nothing to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.alignment.config import Floats, Ints

Path = list[tuple[int, int]]
"""Corners of the beads: (sentences of the source, of the copy) done so far, from the start."""

NEVER = -1e9  # log-odds of what cannot be


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where beads lie in a window: [i, i + a + 1) of the source, [j, j + b + 1) of the copy."""

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
        """Corners at which they end."""
        return self.i + self.a + 1, self.j + self.b + 1

    @property
    def joined(self) -> NDArray[np.bool_]:
        """Which of them hold a join."""
        return (self.a > 0) | (self.b > 0)

    def only(self, these: NDArray[np.bool_]) -> Places:
        """Return some of them."""
        return Places(self.a[these], self.i[these], self.b[these], self.j[these])


@dataclass(frozen=True, slots=True, eq=False)
class Odds:
    """Log-odds of the beads of a window, and of its sentences standing alone."""

    bead: Floats
    omit: Floats  # (n,) of each source sentence
    add: Floats  # (m,) of each copy sentence


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """What a sum over all tilings says; probabilities in [0, 1]."""

    total: float  # log of the sum
    bead: Floats
    omit: Floats  # (n,)
    add: Floats  # (m,)
    passage: Floats  # (n + 1, m + 1) log-probability, at most, that a tiling passes a corner


class Lattice:
    """All ways to tile one window, each once: an omission never follows an addition.

    Corner (i, j) is reached when i source and j copy sentences are done. A whole row of corners
    is worked out at once, additions by a running scan, so nothing loops over cells.
    """

    def __init__(self, places: Places, odds: Odds) -> None:
        self.places, self.odds = places, odds
        self.n, self.m = len(odds.omit), len(odds.add)
        self.ending = _Steps(places.ends, places.starts, odds.bead, self.n)
        self.starting = _Steps(places.starts, places.ends, odds.bead, self.n)
        self.summed_add = np.concatenate([[0.0], np.cumsum(odds.add)])

    def probabilities(self) -> Chances:
        """Return how probable each bead and each sentence alone is, over all tilings."""
        settled, reached = self._forward(total=True)
        ahead, added = self._backward()
        odds, whole = self.odds, reached[-1, -1]
        bead = reached[self.places.starts] + odds.bead + ahead[self.places.ends] - whole
        omit = settled[:-1] + odds.omit[:, None] + ahead[1:] - whole
        add = reached[:, :-1] + odds.add + added[:, 1:] - whole
        return Chances(
            total=float(whole),
            bead=np.exp(np.minimum(bead, 0.0)),
            omit=np.exp(np.minimum(omit, 0.0)).sum(axis=1),
            add=np.exp(np.minimum(add, 0.0)).sum(axis=0),
            passage=reached + ahead - whole,
        )

    def best(self) -> Path:
        """Return the corners of the best tiling."""
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
                skip = settled[i - 1, j] + omit[i - 1] if i else NEVER
                must_settle = not len(moves) or bool(skip >= moves.max())
                if must_settle:
                    i -= 1
                else:
                    at = int(moves.argmax())
                    i, j = int(rows[at]), int(columns[at])
            path.append((i, j))
        return path[::-1]

    def _forward(self, *, total: bool) -> tuple[Floats, Floats]:
        """Return, per corner, the log-sum (or the best) of the tilings up to it.

        The first table holds those that do not end in an addition, the second all.
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
            # Kept apart from `row` only where an addition truly wins, so that ties cost nothing.
            reached[i] = np.where(scanned > flat, scanned + scan, row)
        return settled, reached

    def _backward(self) -> tuple[Floats, Floats]:
        """Return, per corner, the log-sum of the tilings from it on: all, and after an addition."""
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


class _Steps:
    """Beads put in the order in which a lattice walks them: by row, then by column.

    Beads that share a corner lie side by side, so that a row is summed by `reduceat`.
    """

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
        out = np.full(width, NEVER)
        here, first, group, column = self.rows[i]
        if len(column):
            value = table[self.other[0][here], self.other[1][here]] + self.odds[here]
            best = np.maximum.reduceat(value, first)
            if total:
                value -= best[group]
                best += np.log(np.add.reduceat(np.exp(np.maximum(value, -60.0)), first))
            out[column] = best
        return out
