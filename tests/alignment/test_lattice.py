from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.alignment.lattice import BeadPositions, Lattice, LogOdds


def random_beads(n: int, m: int, seed: int) -> tuple[BeadPositions, LogOdds]:
    """Every bead of up to 4 a side, with odds drawn at random."""
    rng = np.random.default_rng(seed)
    every = [
        (a, i, b, j) for a in range(4) for i in range(n - a) for b in range(4) for j in range(m - b)
    ]
    positions = BeadPositions(
        *(np.array(column, dtype=np.intp) for column in zip(*every, strict=True))
    )
    return positions, LogOdds(
        rng.normal(scale=3.0, size=len(every)),
        rng.normal(scale=2.0, size=n),
        rng.normal(scale=2.0, size=m),
    )


Move = tuple[int, int]


def tilings(n: int, m: int, added: bool = False) -> Iterator[list[tuple[Move, Move]]]:
    """Every way to tile n x m, as pairs of corners; no omission right after an addition."""
    if (n, m) == (0, 0):
        yield []
        return
    moves = [(a, b) for a in range(1, min(n, 4) + 1) for b in range(1, min(m, 4) + 1)]
    # Built from the end: an addition may not stand before an omission.
    moves += [(1, 0)] * bool(n) + [(0, 1)] * bool(m and not added)
    for a, b in moves:
        for rest in tilings(n - a, m - b, (a, b) == (1, 0)):
            yield [*rest, ((n - a, m - b), (n, m))]


def bead_at(positions: BeadPositions, start: Move, stop: Move) -> NDArray[np.bool_]:
    (i, j), (p, q) = start, stop
    starts: NDArray[np.bool_] = (positions.i == i) & (positions.j == j)
    ends: NDArray[np.bool_] = (positions.a == p - i - 1) & (positions.b == q - j - 1)
    both: NDArray[np.bool_] = starts & ends
    return both


def odds_of(positions: BeadPositions, odds: LogOdds, start: Move, stop: Move) -> float:
    (i, j), (p, q) = start, stop
    if i == p:
        return float(odds.add[j])
    if j == q:
        return float(odds.omit[i])
    return float(odds.bead[bead_at(positions, start, stop)][0])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10**6))
def test_lattice_equals_brute_force(n: int, m: int, seed: int) -> None:
    positions, odds = random_beads(n, m, seed)
    every = list(tilings(n, m))
    totals = np.array([sum(odds_of(positions, odds, *move) for move in tiling) for tiling in every])
    lattice = Lattice(positions, odds)

    best = every[int(totals.argmax())]
    assert lattice.best() == [(0, 0), *(stop for _, stop in best)]

    weights = np.exp(totals - totals.max())
    weights /= weights.sum()
    posteriors = lattice.posteriors()
    omit, add, bead = np.zeros(n), np.zeros(m), np.zeros(len(odds.bead))
    for tiling, weight in zip(every, weights, strict=True):
        for start, stop in tiling:
            (i, j), (p, q) = start, stop
            if i == p:
                add[j] += weight
            elif j == q:
                omit[i] += weight
            else:
                bead[bead_at(positions, start, stop)] += weight
    np.testing.assert_allclose(posteriors.bead, bead, atol=1e-9)
    np.testing.assert_allclose(posteriors.omit, omit, atol=1e-9)
    np.testing.assert_allclose(posteriors.add, add, atol=1e-9)


def test_lattice_brute_force_counts_each_tiling_once() -> None:
    # No two tilings hold the same beads: the order of sentences alone tells nothing apart.
    found = [tuple(tiling) for tiling in tilings(2, 2)]
    assert len(found) == len(set(found))
    beads = {
        tuple(move for move in tiling if move[0][0] < move[1][0] and move[0][1] < move[1][1])
        for tiling in found
    }
    assert len(beads) == len(found)
