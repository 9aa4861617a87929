"""Monotone alignment of two documents' sentences over their vectors.

Pure: two arrays in, beads out; numpy only, no randomness. Order is assumed: a passage that moved
comes out as an omission and an addition. It reads no text and encodes nothing, except through the
`rejoin` it is handed.

How it goes: every possible bead gets a log-odds (`_weigh`), a lattice sums over all ways to tile
both documents (`_Lattice`), and what is returned is the tiling with the most beads expected to be
right (`_decode`). The first sum only learns the pair's manner (`_learn`): how often this copy
joins and drops sentences, and how close its matches are. Long documents are cut into windows that
overlap (`_windows`) and stitched where neighbours agree (`_stitch`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError
from detector.records import Alignment, Bead

Side = Literal["source", "copy"]
Curve = tuple[tuple[float, float], ...]
"""Knots (value, log-odds) of a piecewise linear function, flat beyond its ends."""

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Path = list[tuple[int, int]]
"""Corners of the beads: (sentences of the source, of the copy) done so far, from the start."""

_K = 4  # sentences a bead may hold on one side
_NEVER = -1e9  # log-odds of what cannot be
_WIDEST = 1_000_000  # sentence pairs that one window may hold where it must


class Rejoin(Protocol):
    """Encodes neighbouring sentences as one text, for the joins that are looked at again."""

    def __call__(self, joins: Sequence[tuple[Side, range]]) -> NDArray[np.float32]:
        """Return one unit row per join, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignConfig:
    """How beads are weighed, and how far is searched.

    The curves and prices are the weights of a conditional random field over tilings, fitted to
    stress documents made by `benchmarks/stress.py` (`benchmarks/README.md` says which); all
    are in nats. A bead's log-odds is the sum of its shape, similarity, support, completeness and
    length; sentences left alone are priced by their best cosine.

    Attributes
    ----------
    shape : tuple of tuple of float
        Log-odds of an n-m bead by its larger and its smaller side, from 1: `shape[2][1]` is 3-2.
    single, joined, rejoined : Curve
        Of the cosine, shifted by the pair's usual one: 1-1 beads; beads with a join made of the
        sentences' own vectors; beads whose joins were all encoded as one text.
    support, rejoined_support : Curve
        Of the least that the first or last sentence of a join adds: the cosine between what it
        says beyond the rest of the join, and the other side.
    complete : Curve
        Of the most that a neighbour left outside would add, in the same measure.
    length : Curve
        Of the distance between both sides' log lengths, in the pair's standard deviations times
        0.15.
    alone : Curve
        Of the best cosine that a sentence reaches on the other side: it stands alone.
    alone_often : float
        Added to `alone` for each nat by which this pair leaves more sentences alone than usual.
    single_often, joined_often : float
        Added to 1-1 beads and to joins for each nat by which this pair joins more than usual.
    faint_often : float
        Added to 1-1 beads for each unit of cosine under 0.6, per nat of `alone_often`.
    weight_power : float
        A sentence weighs its length to this power in a join.
    joined_floor : float
        Least cosine, shifted as above, of a bead with a join.
    second_look : float
        Joins encoded as one text, at most, per sentence of both documents, in [0, 1].
    doubt : float
        Variance, in (0, 0.25], of a join's being right from which it is worth a second look.
    bead_price, bead_worth : float
        A bead is worth `bead_worth` times its probability, a sentence alone its probability, and
        each costs `bead_price`: the slopes of the strict F1 around 0.9.
    least_probability : float
        No bead under this probability is returned; its sentences stand alone.
    least_passage : float
        Corners of the lattice under this probability in the first sum are left out of the later.
    exact_cells : int
        Up to this many sentence pairs the whole lattice is searched.
    window, overlap : int
        Beyond that, sentences a window holds and shares with the next, about.
    """

    # fmt: off
    shape: tuple[tuple[float, ...], ...] = (
        (1.1,),
        (0.8, -1.6),
        (-1.9, -4.1, -5.7),
        (-11.6, -6.7, -8, -14.6),
    )
    single: Curve = (
        (0, -8.78), (0.2, -6.78), (0.35, -3.86), (0.5, -2.95), (0.6, -1.02), (0.7, -0.74),
        (0.8, 0.66), (0.9, 1.36), (1, 4.67),
    )
    joined: Curve = (
        (0.35, -10.02), (0.5, -5.24), (0.6, -5.07), (0.7, -3.34), (0.8, -1.49), (0.9, 0.58),
        (1, 4.14),
    )
    rejoined: Curve = (
        (0.35, -10.38), (0.5, -5.25), (0.6, -4.55), (0.7, -3.09), (0.8, -1.6), (0.9, 0.17),
        (1, 3.61),
    )
    support: Curve = (
        (-0.05, -3.77), (0.05, -2.24), (0.1, -1.2), (0.15, -0.45), (0.2, -0.29), (0.3, -0.39),
        (0.45, -1.49),
    )
    rejoined_support: Curve = (
        (-0.05, -2.57), (0.05, -2.02), (0.1, -0.76), (0.15, -0.62), (0.2, -0.56), (0.3, -0.8),
        (0.45, -2.14),
    )
    complete: Curve = (
        (-0.05, 2.58), (0.05, 1.05), (0.12, 0.54), (0.2, 0.31), (0.3, -1.01), (0.4, -1.62),
    )
    length: Curve = (
        (0, 2.01), (0.1, 0.4), (0.2, -0.3), (0.3, -0.55), (0.5, -0.89), (0.8, -1.3),
        (1.4, -2.66),
    )
    alone: Curve = (
        (0, 0.93), (0.2, -1.89), (0.4, -2.48), (0.5, -2.39), (0.6, -2.31), (0.7, -2.31),
        (0.8, -2.5), (0.9, -2.42),
    )
    alone_often: float = 1.29
    single_often: float = -0.66
    joined_often: float = -0.07
    faint_often: float = -2.54
    # fmt: on
    weight_power: float = 0.6
    joined_floor: float = 0.35
    second_look: float = 0.15
    doubt: float = 0.05
    bead_price: float = 1.0
    bead_worth: float = 2.0
    least_probability: float = 0.1
    least_passage: float = 1e-6
    exact_cells: int = 160_000
    window: int = 96
    overlap: int = 16

    def __post_init__(self) -> None:
        if not 0.0 <= self.second_look <= 1.0:
            msg = f"second_look is {self.second_look}; give a share in [0, 1]"
            raise InputError(msg)
        if self.window < 2 * _K or not 0 < self.overlap <= self.window or self.exact_cells < 1:
            msg = (
                f"window {self.window}, overlap {self.overlap}, exact_cells {self.exact_cells}; "
                f"give a window of {2 * _K} or more, an overlap within it, and a cell or more"
            )
            raise InputError(msg)


def align(  # noqa: PLR0913 - two sides, what they weigh, and how
    source: NDArray[np.float32],
    copy: NDArray[np.float32],
    *,
    source_lengths: Sequence[int],
    copy_lengths: Sequence[int],
    config: AlignConfig | None = None,
    rejoin: Rejoin | None = None,
) -> Alignment:
    """Align the sentences of a copy with those of its source, in order.

    Parameters
    ----------
    source : ndarray of shape (n, d), float32
        Unit rows, one per source sentence; n may be 0.
    copy : ndarray of shape (m, d), float32
        Unit rows, one per copy sentence; m may be 0.
    source_lengths, copy_lengths : sequence of int
        Characters (or words) of each sentence.
    config : AlignConfig, optional
        Weights and limits.
    rejoin : Rejoin, optional
        Encodes the doubtful joins as one text each, for a second look; it is called at most once,
        with at most `config.second_look * (n + m)` joins.

    Returns
    -------
    Alignment
        Beads of up to 4 sentences a side that tile both documents. Omissions and additions hold
        one sentence each; between two beads, omissions stand before additions. A bead's
        similarity is the cosine between both sides, the vector of a join being that of its text
        where it was looked at again, else the weighted sum of its sentences' vectors.

    Raises
    ------
    InputError
        If vectors, lengths and rejoined vectors do not fit each other.

    Notes
    -----
    A bead's odds must grow with the sentences it covers, or 1-1 beads always win; here they do
    because every sentence that a bead leaves out must be paid for as standing alone. That price is
    no constant: a first sum over all tilings counts how many sentences this pair leaves alone, and
    a second one is made with prices to match. So two unrelated texts come apart into omissions
    and additions, and a sentence translated beyond recognition still pairs in a faithful copy.

    Up to `exact_cells` the sum runs over all tilings. Beyond, sentences that are each other's best
    match by a clear margin cut the documents into windows, which overlap. Two neighbours are
    stitched at a corner near the cut where both of their tilings hold the same bead before and
    after it. Where they share none they become one window and are searched again, so a wrong cut
    widens the search until the tilings agree, if need be to the whole; only where that would take
    more than a million sentence pairs does the cut itself stand. Work and memory grow with the
    number of windows, not with n times m. What a window cannot see is a sentence's best cosine
    outside it, so choices on a knife's edge may fall otherwise than in a search of the whole.

    Swapping the sides mirrors the beads, but for the order of omissions before additions.

    References
    ----------
    Gale and Church (1993) for length as evidence; Lafferty, McCallum and Pereira (2001) for the
    model; Thompson and Koehn (2019) for joins and windows over sentence vectors. Ours are the
    support of each joined sentence, the pair's manner learnt in a first sum, the choice by
    expected right beads, and the second look.

    Examples
    --------
    >>> import numpy as np
    >>> from detector.align import align
    >>> source = np.eye(4, dtype=np.float32)
    >>> copy = source[[0, 2, 3]]
    >>> found = align(source, copy, source_lengths=[60] * 4, copy_lengths=[60] * 3)
    >>> [(list(bead.source), list(bead.copy)) for bead in found.beads]
    [([0], [0]), ([1], []), ([2], [1]), ([3], [2])]
    """
    config = config or AlignConfig()
    left = _Text.of("source", source, source_lengths, config)
    right = _Text.of("copy", copy, copy_lengths, config)
    if left.n and right.n and source.shape[1] != copy.shape[1]:
        msg = f"source vectors have {source.shape[1]} columns, copy vectors {copy.shape[1]}"
        raise InputError(msg)
    if not left.n or not right.n:
        corners = [(i, 0) for i in range(left.n + 1)] + [(left.n, j + 1) for j in range(right.n)]
        return _alignment(corners, left, right)
    pair = _Pair(left, right, _Manner(), config)
    looks = _looks(pair)
    pair = replace(pair, manner=_learn(pair, looks))
    if rejoin is not None and (joins := _doubtful(pair, looks)):
        vectors = rejoin(joins)
        left, right = (text.rejoined(joins, vectors) for text in (left, right))
        pair = replace(pair, left=left, right=right)
    return _alignment(_stitch(pair, looks), left, right)


@dataclass(frozen=True, slots=True, eq=False)
class _Text:
    """One side: its joins of 1 to 4 neighbours, and how each join's ends stand to its rest.

    `joins[a - 1, i]` is the unit vector of sentences [i, i + a); `true` says that it came from
    the text itself. `first[a - 1, i]` is the cosine between sentence i and the rest of that join,
    `last` the same for its last sentence. Rows that run past the end are zero and never used.
    """

    name: Side
    n: int
    joins: NDArray[np.float32]  # (4, n, d)
    true: NDArray[np.bool_]  # (4, n)
    first: Floats  # (4, n)
    last: Floats  # (4, n)
    ends: Floats  # (n + 1,) lengths summed

    @classmethod
    def of(
        cls, name: Side, vectors: NDArray[np.float32], lengths: Sequence[int], config: AlignConfig
    ) -> _Text:
        if vectors.ndim != 2 or len(lengths) != len(vectors):
            msg = (
                f"{name}: vectors of shape {vectors.shape} came with {len(lengths)} lengths; "
                "give one row and one length per sentence"
            )
            raise InputError(msg)
        if not np.isfinite(vectors).all() or any(length < 0 for length in lengths):
            msg = f"{name}: vectors must be finite and lengths 0 or more"
            raise InputError(msg)
        n = len(vectors)
        size = np.asarray(lengths, dtype=np.float64)
        weighted = (
            vectors * np.maximum(size, 1.0).astype(np.float32)[:, None] ** config.weight_power
        )
        joins = np.zeros((_K, *vectors.shape), dtype=np.float32)
        true = np.zeros((_K, n), dtype=np.bool_)
        joins[0], true[0] = vectors, True
        total = weighted.astype(np.float32)
        for a in range(1, min(_K, n)):
            total = total[:-1] + weighted[a:]
            norm = np.linalg.norm(total, axis=1, keepdims=True)
            joins[a, : n - a] = total / np.maximum(norm, np.float32(1e-9))
        ends = np.concatenate([[0.0], np.cumsum(size)])
        return cls(name, n, joins, true, *_edges(joins), ends)

    def rejoined(self, joins: Sequence[tuple[Side, range]], vectors: NDArray[np.float32]) -> _Text:
        """Return this side with the vectors of some joins taken from their texts."""
        if vectors.shape != (len(joins), self.joins.shape[2]):
            msg = (
                f"rejoin gave vectors of shape {vectors.shape} for {len(joins)} joins; "
                f"give one row of {self.joins.shape[2]} per join"
            )
            raise InputError(msg)
        mine = [k for k, (name, _) in enumerate(joins) if name == self.name]
        if not mine:
            return self
        at = [len(joins[k][1]) - 1 for k in mine], [joins[k][1].start for k in mine]
        full, true = self.joins.copy(), self.true.copy()
        full[at], true[at] = vectors[mine], True
        first, last = _edges(full)
        return replace(self, joins=full, true=true, first=first, last=last)


def _edges(joins: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return the cosine of each join's first and last sentence with the rest of the join."""
    n = joins.shape[1]
    first, last = np.zeros((2, _K, n))
    for a in range(1, min(_K, n)):
        first[a, : n - a] = np.einsum("nd,nd->n", joins[0, : n - a], joins[a - 1, 1 : n - a + 1])
        last[a, : n - a] = np.einsum("nd,nd->n", joins[0, a:], joins[a - 1, : n - a])
    return first, last


@dataclass(frozen=True, slots=True)
class _Box:
    """A window: source sentences [top, bottom), copy sentences [left, right)."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def cells(self) -> int:
        return (self.bottom - self.top) * (self.right - self.left)


@dataclass(frozen=True, slots=True)
class _Manner:
    """What is usual in this pair; the defaults are what is usual at large."""

    alone: float = 0.0  # nats by which sentences stand alone more often
    joins: float = 0.0  # nats by which beads hold joins more often
    similarity: float = 0.85  # cosine of a 1-1 bead
    stretch: float = 0.0  # log of copy length over source length
    spread: float = 0.15  # standard deviation of that


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Two texts and all that is known of them."""

    left: _Text
    right: _Text
    manner: _Manner
    config: AlignConfig


@dataclass(frozen=True, slots=True, eq=False)
class _Beads:
    """Possible beads of one window, [i, i + a + 1) x [j, j + b + 1), and their log-odds."""

    a: Ints
    i: Ints
    b: Ints
    j: Ints
    cosine: Floats
    odds: Floats
    omit: Floats  # (n,) log-odds of each source sentence standing alone
    add: Floats  # (m,)


def _weigh(pair: _Pair, box: _Box, passed: NDArray[np.bool_] | None = None) -> _Beads:
    """Find the beads that can be and work out their log-odds.

    `passed` of shape (n + 1, m + 1) says which corners a tiling may pass. Without it all may be
    passed, but no bead is larger than 2-1 or 1-2.
    """
    left, right, manner, config = pair.left, pair.right, pair.manner, pair.config
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    x, y = left.joins[:, rows], right.joins[:, columns]
    n, m, d = x.shape[1], y.shape[1], x.shape[2]
    cosines = (x.reshape(_K * n, d) @ y.reshape(_K * m, d).T).reshape(_K, n, _K, m)
    for k in range(1, _K):  # joins that run past the window
        cosines[k, max(n - k, 0) :] = -9.0
        cosines[:, :, k, max(m - k, 0) :] = -9.0
    shift = 0.85 - manner.similarity
    possible = cosines >= max(config.joined_floor - shift, -1.0)
    possible[0, :, 0] = True
    if passed is None:
        possible[1:, :, 1:] = False
        possible[2:] = possible[:, :, 2:] = False
    else:
        for k in range(min(_K, n)):
            for p in range(min(_K, m)):
                ends = passed[: n - k, : m - p] & passed[k + 1 :, p + 1 :]
                possible[k, : n - k, p, : m - p] &= ends
    flat, at = cosines.ravel(), np.flatnonzero(possible)
    a, i, b, j = (index.astype(np.intp) for index in np.unravel_index(at, cosines.shape))
    to_a, to_i, to_b = n * _K * m, _K * m, m  # steps in `flat`
    cosine = flat[at].astype(np.float64)

    def adds(where: NDArray[np.bool_], new: Ints, rest: Ints | None, between: Floats) -> Floats:
        """Cosine of what a sentence says beyond the rest with the other side; 9 elsewhere.

        `new` and `rest` are places in `flat` of the sentence alone and of the join without it.
        """
        out = np.full(len(at), 9.0)
        with_rest = cosine[where] if rest is None else flat[rest]
        out[where] = (flat[new] - between * with_rest) / np.sqrt(1 - np.minimum(between**2, 0.96))
        return out

    alone_x, alone_y = at - a * to_a, at - b * to_b
    first_x, last_x = left.first[:, rows], left.last[:, rows]
    first_y, last_y = right.first[:, columns], right.last[:, columns]
    is_join_x, is_join_y = a > 0, b > 0
    u, v = np.flatnonzero(is_join_x), np.flatnonzero(is_join_y)
    support = np.minimum.reduce(
        [
            adds(is_join_x, alone_x[u], at[u] - to_a + to_i, first_x[a[u], i[u]]),
            adds(is_join_x, alone_x[u] + a[u] * to_i, at[u] - to_a, last_x[a[u], i[u]]),
            adds(is_join_y, alone_y[v], at[v] - to_b + 1, first_y[b[v], j[v]]),
            adds(is_join_y, alone_y[v] + b[v], at[v] - to_b, last_y[b[v], j[v]]),
        ]
    )
    before_x, after_x = (a < _K - 1) & (i > 0), (a < _K - 1) & (i + a + 1 < n)
    before_y, after_y = (b < _K - 1) & (j > 0), (b < _K - 1) & (j + b + 1 < m)
    outside = np.full(len(at), -0.1)
    for where, alone, edge, size, start in (
        (before_x, alone_x - to_i, first_x, a, i - 1),
        (after_x, alone_x + (a + 1) * to_i, last_x, a, i),
        (before_y, alone_y - 1, first_y, b, j - 1),
        (after_y, alone_y + b + 1, last_y, b, j),
    ):
        w = np.flatnonzero(where)
        added = adds(where, alone[w], None, edge[size[w] + 1, start[w]])
        outside[w] = np.maximum(outside[w], added[w])

    size_x = left.ends[box.top + i + a + 1] - left.ends[box.top + i]
    size_y = right.ends[box.left + j + b + 1] - right.ends[box.left + j]
    stretch = np.exp(manner.stretch / 2)
    ratio = np.log((size_x * stretch + 15.0) / (size_y / stretch + 15.0))
    joined = is_join_x | is_join_y
    rejoined = joined & left.true[a, box.top + i] & right.true[b, box.left + j]
    usual = cosine + shift
    sizes = range(_K)
    shape = np.array([[config.shape[max(k, p)][min(k, p)] for p in sizes] for k in sizes])
    odds = shape[a, b]
    odds += _on(config.complete, outside)
    odds += _on(config.length, np.abs(ratio) * (0.15 / manner.spread))
    faint = np.clip(0.6 - usual, 0.0, 0.5) * config.faint_often * manner.alone
    for where, similarity, backing, often in (
        (~joined, config.single, None, config.single_often),
        (joined & ~rejoined, config.joined, config.support, config.joined_often),
        (rejoined, config.rejoined, config.rejoined_support, config.joined_often),
    ):
        w = np.flatnonzero(where)
        odds[w] += _on(similarity, usual[w]) + often * manner.joins
        odds[w] += faint[w] if backing is None else _on(backing, support[w])
    often = config.alone_often * manner.alone
    best = cosines[0, :, 0]
    return _Beads(
        a, i, b, j, cosine, odds,
        _on(config.alone, best.max(axis=1)) + often,
        _on(config.alone, best.max(axis=0)) + often,
    )  # fmt: skip


def _on(curve: Curve, values: NDArray[np.float64] | NDArray[np.float32]) -> Floats:
    """Read a curve at each value."""
    knots = np.asarray(curve)
    return np.asarray(np.interp(values, knots[:, 0], knots[:, 1]), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Chances:
    """What a sum over all tilings says; probabilities in [0, 1]."""

    bead: Floats  # of each possible bead
    omit: Floats  # (n,) of each source sentence standing alone
    add: Floats  # (m,)
    passage: Floats  # (n + 1, m + 1) log-probability, at most, that a tiling passes a corner


class _Steps:
    """Beads put in the order in which a lattice walks them: by row, then by column.

    Beads that share a corner lie side by side, so that a row is summed by `reduceat`.
    """

    def __init__(
        self, row: Ints, column: Ints, other: tuple[Ints, Ints], odds: Floats, n: int
    ) -> None:
        order = np.lexsort((column, row))
        self.row, self.column = row[order], column[order]
        self.other = other[0][order], other[1][order]
        self.odds = odds[order]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (np.diff(self.row) != 0) | (np.diff(self.column) != 0)
        first, group = np.flatnonzero(new), np.cumsum(new) - 1
        # Per row: its beads; where each of its corners begins among them, and the corner's column.
        self.bounds = np.searchsorted(self.row, np.arange(n + 2)).tolist()
        at = np.searchsorted(self.row[first], np.arange(n + 2)).tolist()
        self.rows = [
            (slice(b, e), first[p:q] - b, group[b:e] - p, self.column[first[p:q]])
            for b, e, p, q in zip(self.bounds, self.bounds[1:], at, at[1:], strict=False)
        ]

    def reduce(self, i: int, table: Floats, width: int, *, total: bool) -> Floats:
        """Return, per corner of row `i`, the log-sum (or best) over its beads."""
        out = np.full(width, _NEVER)
        here, first, group, column = self.rows[i]
        if len(column):
            value = table[self.other[0][here], self.other[1][here]] + self.odds[here]
            best = np.maximum.reduceat(value, first)
            if total:
                value -= best[group]
                best += np.log(np.add.reduceat(np.exp(np.maximum(value, -60.0)), first))
            out[column] = best
        return out


class _Lattice:
    """All ways to tile one window, each once: an omission never follows an addition.

    Corner (i, j) is reached when i source and j copy sentences are done. A whole row of corners
    is worked out at once, additions by a running scan, so nothing loops over cells.
    """

    def __init__(self, beads: _Beads) -> None:
        b = self.beads = beads
        self.n, self.m = len(b.omit), len(b.add)
        starts, ends = (b.i, b.j), (b.i + b.a + 1, b.j + b.b + 1)
        self.ending = _Steps(*ends, starts, b.odds, self.n)
        self.starting = _Steps(*starts, ends, b.odds, self.n)
        self.summed_add = np.concatenate([[0.0], np.cumsum(b.add)])

    def forward(self, *, total: bool) -> tuple[Floats, Floats]:
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
                row = either(row, settled[i - 1] + self.beads.omit[i - 1])
            settled[i] = row
            flat = row - scan
            scanned = running(flat)
            # Kept apart from `row` only where an addition truly wins, so that ties cost nothing.
            reached[i] = np.where(scanned > flat, scanned + scan, row)
        return settled, reached

    def backward(self) -> tuple[Floats, Floats]:
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
                ahead[i] = np.logaddexp(added[i], self.beads.omit[i] + ahead[i + 1])
        return ahead, added

    def probabilities(self) -> _Chances:
        """Return how probable each bead and each sentence alone is, over all tilings."""
        settled, reached = self.forward(total=True)
        ahead, added = self.backward()
        b, whole = self.beads, reached[-1, -1]
        bead = reached[b.i, b.j] + b.odds + ahead[b.i + b.a + 1, b.j + b.b + 1] - whole
        omit = settled[:-1] + b.omit[:, None] + ahead[1:] - whole
        add = reached[:, :-1] + b.add + added[:, 1:] - whole
        return _Chances(
            bead=np.exp(np.minimum(bead, 0.0)),
            omit=np.exp(np.minimum(omit, 0.0)).sum(axis=1),
            add=np.exp(np.minimum(add, 0.0)).sum(axis=0),
            passage=reached + ahead - whole,
        )

    def best(self) -> Path:
        """Return the corners of the best tiling."""
        settled, reached = self.forward(total=False)
        steps, omit = self.ending, self.beads.omit
        i, j, must_settle, path = self.n, self.m, False, [(self.n, self.m)]
        while i or j:
            if j and not must_settle and reached[i, j] > settled[i, j]:
                j -= 1
            else:
                low, high = steps.bounds[i], steps.bounds[i + 1]
                low, high = low + np.searchsorted(steps.column[low:high], (j, j + 1))
                rows, columns = steps.other[0][low:high], steps.other[1][low:high]
                moves = reached[rows, columns] + steps.odds[low:high]
                skip = settled[i - 1, j] + omit[i - 1] if i else _NEVER
                must_settle = not len(moves) or bool(skip >= moves.max())
                if must_settle:
                    i -= 1
                else:
                    at = int(moves.argmax())
                    i, j = int(rows[at]), int(columns[at])
            path.append((i, j))
        return path[::-1]


@dataclass(frozen=True, slots=True, eq=False)
class _First:
    """What a first sum over all tilings says of a window, before anything is known of the pair."""

    box: _Box
    beads: _Beads  # those worth counting
    bead: Floats  # probability of each
    omit: Floats
    add: Floats
    passed: NDArray[np.bool_]  # (n + 1, m + 1) corners that later sums may pass
    path: Path  # corners of the best tiling

    @classmethod
    def of(cls, pair: _Pair, box: _Box) -> _First:
        beads = _weigh(replace(pair, manner=_Manner()), box)
        lattice = _Lattice(beads)
        chances = lattice.probabilities()
        passed = chances.passage >= np.log(pair.config.least_passage)
        path = [(box.top + i, box.left + j) for i, j in lattice.best()]
        likely = chances.bead >= pair.config.least_passage
        kept = replace(
            beads,
            **{
                name: getattr(beads, name)[likely]
                for name in ("a", "i", "b", "j", "cosine", "odds")
            },
        )
        return cls(box, kept, chances.bead[likely], chances.omit, chances.add, passed, path)


def _looks(pair: _Pair) -> list[_First]:
    """Look at the windows once; those whose best tilings do not meet become one."""
    looks: list[_First] = []
    for box in _windows(pair):
        look = _First.of(pair, box)
        while looks and not _meeting(looks[-1].path, look.path, looks[-1].box, look.box):
            before = looks[-1].box
            wide = _Box(before.top, look.box.bottom, before.left, look.box.right)
            if wide.cells > _WIDEST:
                break
            looks.pop()
            look = _First.of(pair, wide)
        looks.append(look)
    return looks


def _learn(pair: _Pair, looks: Sequence[_First]) -> _Manner:
    """Learn what is usual in this pair.

    Counts are expected ones, each with a few of what is usual at large put beside it.
    """
    left, right = pair.left, pair.right
    log_x, log_y = (np.log(np.diff(text.ends) + 15.0) for text in (left, right))
    alone = single = joins = cosine = ratio = square = 0.0
    # Where windows overlap, each counts its own half.
    boxes = [look.box for look in looks]
    cuts_i = [0, *((a.bottom + b.top) // 2 for a, b in pairwise(boxes)), left.n]
    cuts_j = [0, *((a.right + b.left) // 2 for a, b in pairwise(boxes)), right.n]
    for look, (low_i, high_i), (low_j, high_j) in zip(
        looks, pairwise(cuts_i), pairwise(cuts_j), strict=True
    ):
        i, j = look.box.top + look.beads.i, look.box.left + look.beads.j
        own = (i >= low_i) & (i < high_i)
        lone = own & (look.beads.a == 0) & (look.beads.b == 0)
        p, here = look.bead[lone], log_y[j[lone]] - log_x[i[lone]]
        alone += float(look.omit[low_i - look.box.top : high_i - look.box.top].sum())
        alone += float(look.add[low_j - look.box.left : high_j - look.box.left].sum())
        single += float(p.sum())
        joins += float(look.bead[own].sum() - p.sum())
        cosine += float(p @ look.beads.cosine[lone])
        ratio += float(p @ here)
        square += float(p @ (here * here))
    stretch = ratio / (single + 5.0)
    variance = max(square - 2.0 * stretch * ratio + stretch * stretch * single, 0.0)
    return _Manner(
        alone=float(np.log((alone + 1.0) / (left.n + right.n + 10.0))) + 2.0,
        joins=float(np.log((joins + 0.5) / (single + joins + 5.0))) + 2.5,
        # Chance pairs of unrelated texts are no measure of how close a match is.
        similarity=max((cosine + 1.7) / (single + 2.0), 0.7),
        stretch=stretch,
        spread=float(np.sqrt((variance + 5.0 * 0.15**2) / (single + 5.0))),
    )


def _decode(pair: _Pair, box: _Box, passed: NDArray[np.bool_] | None = None) -> Path:
    """Return the corners of the tiling of a window that expects the most right beads."""
    config = pair.config
    if passed is None:
        passed = _First.of(pair, box).passed
    beads = _weigh(pair, box, passed)
    chances = _Lattice(beads).probabilities()
    worth = config.bead_worth * chances.bead - config.bead_price
    worth[chances.bead < config.least_probability] = _NEVER
    omit, add = chances.omit - config.bead_price, chances.add - config.bead_price
    path = _Lattice(replace(beads, odds=worth, omit=omit, add=add)).best()
    return [(box.top + i, box.left + j) for i, j in path]


def _doubtful(pair: _Pair, looks: Sequence[_First]) -> list[tuple[Side, range]]:
    """Return the joins whose being right is least certain, within the budget."""
    left, right, config = pair.left, pair.right, pair.config
    doubts: dict[tuple[Side, int, int], float] = {}
    for look in looks:
        box, beads = look.box, _weigh(pair, look.box, look.passed)
        bead = _Lattice(beads).probabilities().bead
        for text, size, at in (
            (left, beads.a, box.top + beads.i),
            (right, beads.b, box.left + beads.j),
        ):
            p = np.zeros((_K, text.n))
            np.add.at(p, (size, at), bead)
            variance = p * (1.0 - p)
            for a, i in zip(*np.nonzero(variance[1:] > config.doubt), strict=True):
                key = (text.name, int(i), int(a) + 2)
                doubts[key] = max(doubts.get(key, 0.0), float(variance[a + 1, i]))
    most = int(config.second_look * (left.n + right.n))
    chosen = sorted(doubts, key=lambda key: (-doubts[key], key))[:most]
    return [(name, range(start, start + size)) for name, start, size in chosen]


def _windows(pair: _Pair) -> list[_Box]:
    """Cut two documents into overlapping windows at sentences that surely match."""
    left, right, config = pair.left, pair.right, pair.config
    n, m = left.n, right.n
    if n * m <= config.exact_cells:
        return [_Box(0, n, 0, m)]
    cuts = sorted(set(_cuts(left, right, _Box(0, n, 0, m), config)))
    chosen = [(0, 0)]
    for here, following in pairwise([*cuts, (n, m)]):
        # Cut at the last anchor before a window would grow too large.
        if max(following[0] - chosen[-1][0], following[1] - chosen[-1][1]) > config.window:
            chosen.append(here)
    chosen = [*dict.fromkeys(chosen), (n, m)]
    more = config.overlap
    return [
        _Box(max(0, i - more), min(n, p + more), max(0, j - more), min(m, q + more))
        for (i, j), (p, q) in pairwise(chosen)
    ]


def _cuts(left: _Text, right: _Text, box: _Box, config: AlignConfig) -> Iterator[tuple[int, int]]:
    """Yield corners where a region may be cut, until no part is larger than a window."""
    todo = [box]
    while todo:
        box = todo.pop()
        if box.cells <= config.window**2:
            continue
        anchors = _anchors(left, right, box)
        if not anchors and box.cells > _WIDEST:
            anchors = [_closest(left, right, box)]
        corners = [(box.top, box.left), *anchors, (box.bottom, box.right)]
        yield from anchors
        todo.extend(
            part for (i, j), (p, q) in pairwise(corners) if (part := _Box(i, p, j, q)) != box
        )


def _anchors(left: _Text, right: _Text, box: _Box, sample: int = 512) -> list[tuple[int, int]]:
    """Return sentences of a region that are each other's best match by a clear margin, in order.

    At most `sample` source sentences are tried, so the work is linear in the region's sides.
    """
    x = left.joins[0, box.top : box.bottom]
    y = right.joins[0, box.left : box.right]
    rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), sample)).round().astype(np.intp))
    forth = x[rows] @ y.T
    j, cosine, margin = _clear_best(forth)
    back_i, _, back_margin = _clear_best(y[j] @ x.T)
    sure = (back_i == rows) & (cosine >= 0.6) & (np.minimum(margin, back_margin) >= 0.1)
    sure &= (rows > 0) | (j > 0)
    pairs = _rising(rows[sure], j[sure], cosine[sure])
    return [(box.top + i, box.left + j) for i, j in pairs]


def _closest(left: _Text, right: _Text, box: _Box, sample: int = 512) -> tuple[int, int]:
    """Return the closest pair in the middle of a region that holds no sure match."""
    high, wide = box.bottom - box.top, box.right - box.left
    rows = np.linspace(high // 4, high - high // 4 - 1, sample).round().astype(np.intp)
    first, last = wide // 4, wide - wide // 4
    y = right.joins[0, box.left + first : box.left + last]
    cosines = left.joins[0, box.top + rows] @ y.T
    at, over = np.unravel_index(int(cosines.argmax()), cosines.shape)
    return box.top + int(rows[at]), box.left + first + int(over)


def _clear_best(cosines: NDArray[np.float32]) -> tuple[Ints, Floats, Floats]:
    """Return each row's best column, its cosine, and its lead over all but its neighbours."""
    line = np.arange(len(cosines))
    best = cosines.argmax(axis=1)
    top = cosines[line, best].astype(np.float64)
    rest = cosines.copy()
    for step in range(-_K, _K + 1):
        rest[line, np.clip(best + step, 0, cosines.shape[1] - 1)] = -1.0
    return best, top, top - rest.max(axis=1)


def _rising(i: Ints, j: Ints, weight: Floats) -> list[tuple[int, int]]:
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


def _stitch(pair: _Pair, looks: Sequence[_First]) -> Path:
    """Decode the windows and join their tilings where neighbours agree; widen where they do not."""
    box, path = looks[0].box, _decode(pair, looks[0].box, looks[0].passed)
    done: Path = []  # corners settled by windows that are behind
    for look in looks[1:]:
        following, onward = look.box, _decode(pair, look.box, look.passed)
        meet = _meeting(path, onward, box, following)
        wide = _Box(box.top, following.bottom, box.left, following.right)
        if meet is None and wide.cells <= _WIDEST:
            # What is settled stays; the rest is searched again as one window.
            start = done[-1] if done else (0, 0)
            box = _Box(start[0], wide.bottom, start[1], wide.right)
            path = _decode(pair, box)
            continue
        if meet is None:
            meet = (following.top + following.bottom) // 2, (following.left + following.right) // 2
            path = _decode(pair, _Box(box.top, meet[0], box.left, meet[1]))
            onward = _decode(pair, _Box(meet[0], following.bottom, meet[1], following.right))
        done += [corner for corner in path if not done or corner > done[-1]]
        done = done[: done.index(meet) + 1]
        box, path = following, onward[onward.index(meet) :]
    return done + [corner for corner in path if not done or corner > done[-1]]


def _meeting(path: Path, onward: Path, box: _Box, following: _Box) -> tuple[int, int] | None:
    """Return the corner nearest the middle of their overlap where two tilings agree.

    Both must hold the same bead before it and after it, one of them with sentences on both sides:
    a corner amid omissions and additions shows nothing.
    """
    beads = set(pairwise(path)) & set(pairwise(onward))
    held = [(a, b) for a, b in beads if a[0] < b[0] and a[1] < b[1]]
    firm = {a for a, _ in beads} & {b for _, b in held} | {a for a, _ in held} & {
        b for _, b in beads
    }
    middle = (box.bottom + following.top + box.right + following.left) / 2
    return min(firm, key=lambda corner: (abs(sum(corner) - middle), corner), default=None)


def _alignment(corners: Path, left: _Text, right: _Text) -> Alignment:
    """Make the beads between corners, with their cosines."""
    beads = []
    for (i, j), (p, q) in pairwise(corners):
        similarity = None
        if p > i and q > j:
            cosine = left.joins[p - i - 1, i] @ right.joins[q - j - 1, j]
            similarity = float(np.clip(cosine, -1.0, 1.0))
        beads.append(Bead(source=range(i, p), copy=range(j, q), similarity=similarity))
    return Alignment(beads=tuple(beads), n_source=left.n, n_copy=right.n)
