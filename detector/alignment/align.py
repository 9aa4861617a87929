"""Align two documents: the way in.

The tiling that is returned: the most right beads expected, and windows stitched into one.

What makes a bead probable is for `odds` and `lattice`.

Monotone alignment of two documents' sentences over their vectors.

Pure: two arrays in, beads out; numpy only, no randomness. Order is assumed: a passage that moved
comes out as an omission and an addition. It reads no text and encodes nothing, except through the
`rejoin` it is handed.

How it goes: long documents are cut into windows that overlap (`windows`). Every bead that a window
can hold (`candidates`) gets a log-odds (`odds`), and a lattice sums over all ways to tile it
(`lattice`). A first sum (`first_look`) only learns the pair's manner (`manner`): how often this
copy joins and drops sentences, and how close its matches are. A second one finds the joins that
are in doubt (`second_look`). What is returned is the tiling with the most beads expected to be
right, stitched where neighbouring windows agree (`choice`).

Page furniture set aside before two documents are aligned, and put back after.

Pure. A date line or a visit counter that stands on one page alone says nothing about the article,
but an aligner that must do something with it may tie it to the headline. What stands on both
pages is left where it is.

Two documents and their sentence vectors to the beads that tile both.

Page furniture of one page alone is set aside first and put back after; joins in doubt are handed
back to be encoded. It knows no model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.alignment.candidates import (
    Look,
    Rejoin,
    doubtful_joins,
    find_candidates,
    learn_manner,
    look_at,
    look_through,
    weigh,
)
from detector.alignment.config import AlignConfig
from detector.alignment.lattice import NEVER, Lattice, Odds, Path
from detector.alignment.pair import Joins, Manner, Pair, Side
from detector.alignment.windows import WIDEST, Window, meeting, to_alignment
from detector.encoder import Encoder
from detector.errors import InputError
from detector.records import Alignment, Bead, Document, Sentence


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


# Cosine from which a piece of furniture has a counterpart on the other page.
_SAME = 0.7
_BLOCK = 512  # rows compared at a time


def mask_boilerplate(
    sentences: Sequence[Sentence], vectors: NDArray[np.float32], others: NDArray[np.float32]
) -> list[int]:
    """Return the indices of the sentences to align: all but boilerplate of this page alone.

    Parameters
    ----------
    sentences : sequence of Sentence
        Of one document.
    vectors : ndarray of shape (n, d), float32
        Their unit vectors.
    others : ndarray of shape (m, d), float32
        Unit vectors of the other document.

    Returns
    -------
    list of int
        In order; all of them where nothing else would be left.
    """
    everything = list(range(len(sentences)))
    boilerplate = [i for i in everything if sentences[i].boilerplate is not None]
    if not boilerplate or not len(others):
        return everything
    _, cosines = nearest(vectors[boilerplate], others)
    masked = {i for i, cosine in zip(boilerplate, cosines, strict=True) if cosine < _SAME}
    return [i for i in everything if i not in masked] or everything


def nearest(
    vectors: NDArray[np.float32], others: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Find the most similar row of another document for each row.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
    others : ndarray of shape (m, d), float32
        Unit rows, at least one.

    Returns
    -------
    tuple of ndarray of shape (n,)
        Its index, and the cosine in [-1, 1]. Memory does not grow with n times m.
    """
    at = np.empty(len(vectors), np.intp)
    cosines = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK] @ others.T
        at[start : start + _BLOCK] = block.argmax(axis=1)
        cosines[start : start + _BLOCK] = block.max(axis=1)
    return at, cosines


def unmask(
    alignment: Alignment, source: Sequence[int], copy: Sequence[int], sizes: tuple[int, int]
) -> Alignment:
    """Return the alignment of the whole documents.

    Parameters
    ----------
    alignment : Alignment
        Of the sentences that were kept.
    source, copy : sequence of int
        Which sentences those are; see `mask_boilerplate`.
    sizes : tuple of int
        Sentences of the whole source and the whole copy.

    Returns
    -------
    Alignment
        What was set aside is an omission or an addition of its own, or lies inside a bead whose
        sentences stand around it.
    """
    return Alignment(
        beads=tuple(_beads(alignment, source, copy, sizes)), n_source=sizes[0], n_copy=sizes[1]
    )


def _beads(
    alignment: Alignment, source: Sequence[int], copy: Sequence[int], sizes: tuple[int, int]
) -> Iterator[Bead]:
    at_source = at_copy = 0
    for bead in alignment.beads:
        here = _whole(bead.source, source, at_source)
        there = _whole(bead.copy, copy, at_copy)
        yield from _empty(range(at_source, here.start), range(at_copy, there.start))
        yield Bead(source=here, copy=there, similarity=bead.similarity)
        at_source, at_copy = here.stop, there.stop
    yield from _empty(range(at_source, sizes[0]), range(at_copy, sizes[1]))


def _whole(part: range, kept: Sequence[int], at: int) -> range:
    """Return the place in the whole document of some of the kept sentences."""
    return range(kept[part.start], kept[part.stop - 1] + 1) if part else range(at, at)


def _empty(source: range, copy: range) -> Iterator[Bead]:
    for i in source:
        yield Bead(source=range(i, i + 1), copy=range(copy.start, copy.start), similarity=None)
    for j in copy:
        yield Bead(source=range(source.stop, source.stop), copy=range(j, j + 1), similarity=None)


Vectors = NDArray[np.float32]


def align_documents(
    source: tuple[Document, Vectors],
    copy: tuple[Document, Vectors],
    encoder: Encoder,
    config: AlignConfig,
) -> Alignment:
    """Align two documents.

    Parameters
    ----------
    source, copy : (Document, ndarray of shape (n, d), float32)
        A document and the unit vectors of its sentences.
    encoder : Encoder
        Encodes the few joins of neighbouring sentences that are in doubt.
    config : AlignConfig

    Returns
    -------
    Alignment
    """
    sides = {"source": source, "copy": copy}
    kept = {
        side: mask_boilerplate(sides[side][0].sentences, sides[side][1], sides[other][1])
        for side, other in (("source", "copy"), ("copy", "source"))
    }
    lengths = {side: [len(sides[side][0].sentences[i].text) for i in kept[side]] for side in sides}

    def rejoin(joins: Sequence[tuple[Side, range]]) -> Vectors:
        texts = [
            " ".join(sides[side][0].sentences[kept[side][i]].text for i in indices)
            for side, indices in joins
        ]
        return encoder.encode(texts, tokens=False).vectors

    beads = align(
        source[1][kept["source"]],
        copy[1][kept["copy"]],
        source_lengths=lengths["source"],
        copy_lengths=lengths["copy"],
        config=config,
        rejoin=rejoin,
    )
    sizes = (len(source[0]), len(copy[0]))
    return unmask(beads, kept["source"], kept["copy"], sizes)
