"""Cut long documents into overlapping windows, at sentences that surely match."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.alignment.config import MAX_MERGED, Floats, Ints
from detector.alignment.lattice import Path
from detector.alignment.pair import Pair
from detector.records import Alignment, Bead

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
    cosines = (
        pair.source.vectors[0, region.source.start + rows] @ pair.copy.vectors[0, first:last].T
    )
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
