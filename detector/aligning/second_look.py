"""Which joins are in doubt, and so worth encoding as one text.

How a join encoded so is weighed is for `odds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.aligning.candidates import find_candidates
from detector.aligning.first_look import Look
from detector.aligning.joining import Side
from detector.aligning.lattice import Lattice
from detector.aligning.odds import weigh
from detector.aligning.pair import Pair
from detector.aligning.weights import MOST


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
