"""A first sum over all tilings of each window, made before anything is known of the pair.

What it teaches about the pair is for `manner`; here it only says where later sums need not look,
and which windows are too narrow to agree with their neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detector.aligning.candidates import find_candidates
from detector.aligning.lattice import Lattice, Path, Places
from detector.aligning.odds import weigh
from detector.aligning.pair import Manner, Pair
from detector.aligning.tiling import meeting
from detector.aligning.weights import Floats
from detector.aligning.windows import WIDEST, Window, cut


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
