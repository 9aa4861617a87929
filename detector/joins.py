"""Where the words of a copy do not join: a word lost, added, replaced or out of place between two.

A join is described by two neighbouring copy words and the source words that they and their
neighbours answer to, all as the encoder's contextual vectors. Pure: words and vectors in, rows
out; which rows are broken is for `join_classify` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.lexicon import zipf
from detector.words import Word, WordAlignment

_APART = -9  # stands for "linked to nothing" among source positions
_N_FACTS = 18

Vectors = NDArray[np.float32]

Broken = Callable[[Vectors], NDArray[np.float64]]
"""From rows of `join_rows` to the probability in [0, 1] that each join is broken."""


def join_rows(links: WordAlignment, source: Vectors, copy: Vectors) -> Vectors:
    """Describe every join of a copy: before its first word, between two words, after the last.

    Parameters
    ----------
    links : WordAlignment
        Of the n source words and m copy words.
    source : ndarray of shape (n, d), float32
        Contextual vectors of the source words, unit rows.
    copy : ndarray of shape (m, d), float32
        The same of the copy words.

    Returns
    -------
    ndarray of shape (m + 1, 6 d + 18), float32
        Per join: the vectors of the copy words left and right of it, of the source words they
        are linked to, of the source word after the left one's and of the one before the right
        one's (zero where there is none), then cosines among these, how far the two source places
        lie apart, and how common the words are.
    """
    n, m, d = len(source), len(copy), source.shape[1]
    edge = np.zeros((1, d), np.float32)
    ahead = np.vstack([edge, source, edge])  # place i stands at i + 1
    copies = np.vstack([edge, copy, edge])
    left, right = copies[:-1], copies[1:]
    linked = np.where(links.to_source >= 0, links.to_source, _APART)
    places = np.concatenate([[-1], linked, [n]])
    a, b = places[:-1], places[1:]
    after, before = np.where(a > _APART, a + 1, _APART), np.where(b > _APART, b - 1, _APART)

    def at(place: NDArray[Any]) -> Vectors:
        there = (place >= -1) & (place <= n)
        out: Vectors = ahead[np.clip(place + 1, 0, n + 1)] * there[:, None].astype(np.float32)
        return out

    def inside(values: NDArray[Any], place: NDArray[Any]) -> NDArray[Any]:
        if not n:
            return np.zeros(len(place))
        return np.where((place >= 0) & (place < n), values[np.clip(place, 0, n - 1)], 0)

    def dot(one: Vectors, other: Vectors) -> NDArray[Any]:
        products: NDArray[Any] = (one * other).sum(axis=1)
        return products

    left_source, right_source, next_source, last_source = at(a), at(b), at(after), at(before)
    best = np.concatenate([[1.0], (source @ copy.T).max(axis=0), [1.0]])
    lost = links.to_copy < 0
    common = np.concatenate([[0.0], _common(links.copy), [0.0]])
    both = (a > _APART) & (b > _APART)
    facts = (
        *(dot(left, left_source), dot(right, right_source)),
        *(dot(next_source, right), dot(last_source, left)),
        *(np.clip(b - a, -3, 5) * both / 3, a > _APART, b > _APART, best[:-1], best[1:]),
        *(inside(lost, after), inside(lost, before), common[:-1], common[1:]),
        inside(_common(links.source), after),
        *(dot(left, right), dot(left_source, right_source), dot(next_source, right_source)),
        np.full(m + 1, np.log1p(m) / 4),
    )
    vectors = (left, right, left_source, right_source, next_source, last_source)
    return np.hstack([*vectors, np.stack(facts, axis=1).astype(np.float32)])


def width(dimension: int) -> int:
    """Return the length of a row of `join_rows` for word vectors of that length."""
    return 6 * dimension + _N_FACTS


def intact(links: WordAlignment) -> NDArray[np.bool_]:
    """Tell which joins of the copy stand in the source just so, between the same two words.

    Returns
    -------
    ndarray of shape (m + 1,), bool
    """
    same = [
        i >= 0 and links.source[i].norm == word.norm
        for i, word in zip(links.to_source.tolist(), links.copy, strict=True)
    ]
    there = np.array([True, *same, True])
    places = np.concatenate([[-1], links.to_source, [len(links.source)]])
    together: NDArray[np.bool_] = there[:-1] & there[1:] & (np.diff(places) == 1)
    return together


def _common(words: Sequence[Word]) -> NDArray[np.float64]:
    return np.array([min(7.0, zipf(word.norm)) / 7 for word in words])
