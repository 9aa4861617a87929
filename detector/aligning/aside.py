"""Page furniture set aside before two documents are aligned, and put back after.

Pure. A date line or a visit counter that stands on one page alone says nothing about the article,
but an aligner that must do something with it may tie it to the headline. What stands on both
pages is left where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.reading.furniture import furniture_reason
from detector.records import Alignment, Bead

# Cosine from which a piece of furniture has a counterpart on the other page.
_SAME = 0.7
_BLOCK = 512  # rows compared at a time


def article_of(
    texts: Sequence[str], vectors: NDArray[np.float32], others: NDArray[np.float32]
) -> list[int]:
    """Return the indices of the sentences to align: all but furniture of this page alone.

    Parameters
    ----------
    texts : sequence of str
        Sentences of one document.
    vectors : ndarray of shape (n, d), float32
        Their unit vectors.
    others : ndarray of shape (m, d), float32
        Unit vectors of the other document.

    Returns
    -------
    list of int
        In order; all of them where nothing else would be left.
    """
    furniture = [i for i, text in enumerate(texts) if furniture_reason(text) is not None]
    if furniture and len(others):
        _, cosines = nearest(vectors[furniture], others)
        alone = {i for i, cosine in zip(furniture, cosines, strict=True) if cosine < _SAME}
        kept = [i for i in range(len(texts)) if i not in alone]
        if kept:
            return kept
    return list(range(len(texts)))


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


def put_back(
    alignment: Alignment, source: Sequence[int], copy: Sequence[int], sizes: tuple[int, int]
) -> Alignment:
    """Return the alignment of the whole documents.

    Parameters
    ----------
    alignment : Alignment
        Of the sentences that were kept.
    source, copy : sequence of int
        Which sentences those are; see `article_of`.
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
