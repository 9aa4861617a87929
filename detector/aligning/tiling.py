"""A tiling, given by the corners of its beads: where two of them agree, and its alignment.

Which tiling is best is for `lattice` and `choice`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from detector.aligning.lattice import Path
from detector.aligning.pair import Pair
from detector.aligning.windows import Window
from detector.records import Alignment, Bead


def meeting(path: Path, onward: Path, window: Window, following: Window) -> tuple[int, int] | None:
    """Return the corner nearest the middle of their overlap where two windows' tilings agree.

    Both must hold the same bead before it and after it, one of them with sentences on both sides:
    a corner amid omissions and additions shows nothing.
    """
    beads = set(pairwise(path)) & set(pairwise(onward))
    held = [(a, b) for a, b in beads if a[0] < b[0] and a[1] < b[1]]
    firm = {a for a, _ in beads} & {b for _, b in held} | {a for a, _ in held} & {
        b for _, b in beads
    }
    middle = (
        window.source.stop + following.source.start + window.copy.stop + following.copy.start
    ) / 2
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
