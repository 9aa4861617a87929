"""Monotone alignment of two documents' sentences over their vectors.

Pure: two arrays in, beads out; numpy only, no randomness. Order is assumed: a passage that moved
comes out as an omission and an addition. It reads no text and encodes nothing, except through the
`rejoin` it is handed.

How it goes: long documents are cut into windows that overlap (`windows`). Every bead that a window
can hold (`candidates`) gets a log-odds (`odds`), and a lattice sums over all ways to tile it
(`lattice`). A first sum (`first_look`) only learns the pair's manner (`manner`): how often this
copy joins and drops sentences, and how close its matches are. A second one finds the joins that
are in doubt (`second_look`). What is returned is the tiling with the most beads expected to be
right, stitched where neighbouring windows agree (`choice`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.aligning.choice import choose
from detector.aligning.first_look import look_through
from detector.aligning.joining import Joins
from detector.aligning.manner import learn_manner
from detector.aligning.pair import Manner, Pair
from detector.aligning.second_look import Rejoin, doubtful_joins
from detector.aligning.tiling import to_alignment
from detector.aligning.weights import AlignConfig
from detector.errors import InputError
from detector.records import Alignment


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
    >>> from detector.aligning.align import align
    >>> source = np.eye(4, dtype=np.float32)
    >>> copy = source[[0, 2, 3]]
    >>> found = align(source, copy, source_lengths=[60] * 4, copy_lengths=[60] * 3)
    >>> [(list(bead.source), list(bead.copy)) for bead in found.beads]
    [([0], [0]), ([1], []), ([2], [1]), ([3], [2])]
    """
    config = config or AlignConfig()
    left = Joins.of("source", source, source_lengths, config.weight_power)
    right = Joins.of("copy", copy, copy_lengths, config.weight_power)
    pair = Pair(left, right, Manner(), config)
    if not left.n or not right.n:
        omitted = [(i, 0) for i in range(left.n + 1)]
        return to_alignment([*omitted, *((left.n, j + 1) for j in range(right.n))], pair)
    if source.shape[1] != copy.shape[1]:
        msg = f"source vectors have {source.shape[1]} columns, copy vectors {copy.shape[1]}"
        raise InputError(msg)
    looks = look_through(pair)
    pair = replace(pair, manner=learn_manner(pair, looks))
    if rejoin is not None and (joins := doubtful_joins(pair, looks)):
        vectors = rejoin(joins)
        left, right = (side.rejoined(joins, vectors) for side in (left, right))
        pair = replace(pair, source=left, copy=right)
    return to_alignment(choose(pair, looks), pair)
