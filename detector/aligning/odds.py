"""What the evidence for a bead is worth: its log-odds, in nats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.aligning.candidates import Candidates
from detector.aligning.lattice import Odds
from detector.aligning.pair import Pair
from detector.aligning.weights import MOST, Curve, Floats


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
