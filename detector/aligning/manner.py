"""What is usual in a pair: how often it leaves and joins sentences, how close and long matches are.

Learnt from the first look alone; nothing here weighs a bead.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from detector.aligning.first_look import Look
from detector.aligning.pair import LITTLE, SPREAD, Manner, Pair


def learn_manner(pair: Pair, looks: Sequence[Look]) -> Manner:
    """Learn what is usual in this pair.

    Counts are expected ones, each with a few of what is usual at large put beside it.
    """
    log_x, log_y = (np.log(np.diff(joins.ends) + LITTLE) for joins in (pair.source, pair.copy))
    alone = single = joins = cosine = ratio = square = 0.0
    owned = zip(
        _own([look.window.source for look in looks]),
        _own([look.window.copy for look in looks]),
        strict=True,
    )
    for look, (source, copy) in zip(looks, owned, strict=True):
        top, left = look.window.source.start, look.window.copy.start
        i, j = top + look.places.i, left + look.places.j
        own = (i >= source.start) & (i < source.stop)
        lone = own & ~look.places.joined
        p, here = look.bead[lone], log_y[j[lone]] - log_x[i[lone]]
        alone += float(look.omit[source.start - top : source.stop - top].sum())
        alone += float(look.add[copy.start - left : copy.stop - left].sum())
        single += float(p.sum())
        joins += float(look.bead[own].sum() - p.sum())
        cosine += float(p @ look.cosine[lone])
        ratio += float(p @ here)
        square += float(p @ (here * here))
    stretch = ratio / (single + 5.0)
    variance = max(square - 2.0 * stretch * ratio + stretch * stretch * single, 0.0)
    return Manner(
        alone=float(np.log((alone + 1.0) / (pair.source.n + pair.copy.n + 10.0))) + 2.0,
        joins=float(np.log((joins + 0.5) / (single + joins + 5.0))) + 2.5,
        # Chance pairs of unrelated texts are no measure of how close a match is.
        similarity=max((cosine + 1.7) / (single + 2.0), 0.7),
        stretch=stretch,
        spread=float(np.sqrt((variance + 5.0 * SPREAD**2) / (single + 5.0))),
    )


def _own(parts: Sequence[range]) -> list[range]:
    """Return what each window counts of a side: where two overlap, each its own half."""
    cuts = ((one.stop + other.start) // 2 for one, other in pairwise(parts))
    return [range(*ends) for ends in pairwise([parts[0].start, *cuts, parts[-1].stop])]
