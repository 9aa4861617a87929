"""Describe where neighbouring words of a copy do not fit together, as rows of numbers.

Where the words of a copy do not join: a word lost, added, replaced or out of place between two.

A join is described by two neighbouring copy words and the source words that they and their
neighbours answer to, all as the encoder's contextual vectors. Pure: words and vectors in, rows
out; which rows are broken is for `join_classify` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.text.lexicon import zipf
from detector.text.words import Word, WordAlignment

_APART = -9  # stands for "linked to nothing" among source positions
_N_FACTS = 18

Vectors = NDArray[np.float32]

AdjacencyModel = Callable[[Vectors], NDArray[np.float64]]
"""From rows of `join_rows` to the probability in [0, 1] that each join is broken."""


def predict_adjacency(
    links: WordAlignment, source: Vectors, copy: Vectors, broken: AdjacencyModel
) -> NDArray[np.float64]:
    """Judge every join of a copy; those that are plainly intact are not asked about.

    Parameters
    ----------
    links, source, copy
        As for `join_rows`.
    broken : callable
        Judges the rows of the other joins; it is not called where there are none.

    Returns
    -------
    ndarray of shape (m + 1,), float64
        Probability in [0, 1] that each join is broken, 0 for those that are plainly intact.
    """
    out = np.zeros(len(copy) + 1)
    asked = np.flatnonzero(~intact(links))
    if len(asked):
        out[asked] = broken(join_rows(links, source, copy, asked))
    return out


def join_rows(
    links: WordAlignment, source: Vectors, copy: Vectors, at: NDArray[np.intp]
) -> Vectors:
    """Describe joins of a copy; it has one before its first word, and one after each word.

    Parameters
    ----------
    links : WordAlignment
        Of the n source words and m copy words, at least one each.
    source : ndarray of shape (n, d), float32
        Contextual vectors of the source words, unit rows.
    copy : ndarray of shape (m, d), float32
        The same of the copy words.
    at : ndarray of shape (k,), intp
        Joins to describe, each in [0, m]: join j stands before copy word j.

    Returns
    -------
    ndarray of shape (k, 6 d + 18), float32
        Per join: the vectors of the copy words left and right of it, of the source words they
        are linked to, of the source word after the left one's and of the one before the right
        one's (zero where there is none), then cosines among these, how far the two source places
        lie apart, and how common the words are.
    """
    n, m, d = len(source), len(copy), source.shape[1]
    # Everything that may be absent is looked up one place on, where place 0 holds nothing.
    vectors = np.concatenate([np.zeros((1, d), np.float32), source, copy])
    lost = np.concatenate([[False], links.to_copy < 0])
    common = np.concatenate([[0.0], _common(links.source), _common(links.copy)])
    nearest = np.concatenate([[1.0], (source @ copy.T).max(axis=0), [1.0]])
    places = np.concatenate([[-1], np.where(links.to_source >= 0, links.to_source, _APART), [n]])
    a, b = places[at], places[at + 1]
    known_a, known_b = a > _APART, b > _APART
    left, right = np.where(at > 0, n + at, 0), np.where(at < m, n + at + 1, 0)
    after, before = _inside(a + 1, n), _inside(b - 1, n)
    six = vectors[np.stack([left, right, _inside(a, n), _inside(b, n), after, before], axis=1)]
    cosines = six @ six.transpose(0, 2, 1)
    facts = np.empty((len(at), _N_FACTS), np.float32)
    facts[:, 0:4] = cosines[:, [0, 1, 4, 5], [2, 3, 1, 0]]
    facts[:, 4] = np.clip(b - a, -3, 5) * (known_a & known_b) / 3
    facts[:, 5], facts[:, 6] = known_a, known_b
    facts[:, 7], facts[:, 8] = nearest[at], nearest[at + 1]
    facts[:, 9], facts[:, 10] = lost[after], lost[before]
    facts[:, 11], facts[:, 12], facts[:, 13] = common[left], common[right], common[after]
    facts[:, 14:17] = cosines[:, [0, 2, 4], [1, 3, 3]]
    facts[:, 17] = np.log1p(m) / 4
    return np.hstack([six.reshape(len(at), 6 * d), facts])


def _inside(place: NDArray[Any], n: int) -> NDArray[Any]:
    """Return where a place in a text of n words stands in a table whose first row is for none."""
    return np.where((place >= 0) & (place < n), place + 1, 0)


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
