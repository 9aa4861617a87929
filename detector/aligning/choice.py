"""The tiling that is returned: the most right beads expected, and windows stitched into one.

What makes a bead probable is for `odds` and `lattice`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.aligning.candidates import find_candidates
from detector.aligning.first_look import Look, look_at
from detector.aligning.lattice import NEVER, Lattice, Odds, Path
from detector.aligning.odds import weigh
from detector.aligning.pair import Pair
from detector.aligning.tiling import meeting
from detector.aligning.windows import WIDEST, Window


def choose(pair: Pair, looks: Sequence[Look]) -> Path:
    """Choose a tiling per window and join them where neighbours agree; widen where they do not."""
    window, path = looks[0].window, _choose_in(pair, looks[0].window, looks[0].passed)
    done: Path = []  # corners settled by windows that are behind
    for look in looks[1:]:
        following, onward = look.window, _choose_in(pair, look.window, look.passed)
        meet = meeting(path, onward, window, following)
        if meet is None and window.until(following).cells <= WIDEST:
            # What is settled stays; the rest is searched again as one window.
            i, j = done[-1] if done else (0, 0)
            window = Window(range(i, following.source.stop), range(j, following.copy.stop))
            path = _choose_in(pair, window)
            continue
        if meet is None:
            i = (following.source.start + following.source.stop) // 2
            j = (following.copy.start + following.copy.stop) // 2
            meet = i, j
            before = Window(range(window.source.start, i), range(window.copy.start, j))
            path = _choose_in(pair, before)
            after = Window(range(i, following.source.stop), range(j, following.copy.stop))
            onward = _choose_in(pair, after)
        done += [corner for corner in path if not done or corner > done[-1]]
        done = done[: done.index(meet) + 1]
        window, path = following, onward[onward.index(meet) :]
    return done + [corner for corner in path if not done or corner > done[-1]]


def _choose_in(pair: Pair, window: Window, passed: NDArray[np.bool_] | None = None) -> Path:
    """Return the corners of the tiling of a window that expects the most right beads."""
    config = pair.config
    if passed is None:
        passed = look_at(pair, window).passed
    found = find_candidates(pair, window, passed)
    chances = Lattice(found.places, weigh(found, pair)).probabilities()
    worth = config.bead_worth * chances.bead - config.bead_price
    worth[chances.bead < config.least_probability] = NEVER
    gain = Odds(worth, chances.omit - config.bead_price, chances.add - config.bead_price)
    return window.placed(Lattice(found.places, gain).best())
