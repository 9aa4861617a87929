"""Describe where neighbouring words of a copy do not fit together, as rows of numbers.

A copy of m words has m + 1 gaps: before its first word and after each word. A gap is described by
the copy words on either side of it and the source words that these are linked to, all as
contextual vectors. Where a word is lost, added, replaced or out of place, the neighbours are
incoherent; `models.adjacency` says which are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.text.lexicon import zipf
from detector.text.words import Word, WordAlignment

_N_FACTS = 18

Vectors = NDArray[np.float32]

AdjacencyModel = Callable[[Vectors], NDArray[np.float64]]
"""From `adjacency_rows` to the probability in [0, 1] that each gap's neighbours are incoherent."""


def predict_adjacency(
    links: WordAlignment, source: Vectors, copy: Vectors, model: AdjacencyModel
) -> NDArray[np.float64]:
    """Predict for each gap of the copy, of shape (m + 1,), that its neighbours are incoherent.

    Intact gaps get 0; the model is not called where there is no other.
    """
    out = np.zeros(len(copy) + 1)
    changed = np.flatnonzero(~intact(links))
    if len(changed):
        out[changed] = model(adjacency_rows(links, source, copy, changed))
    return out


def adjacency_rows(
    links: WordAlignment, source: Vectors, copy: Vectors, at: NDArray[np.intp]
) -> Vectors:
    """Describe gaps of a copy.

    Parameters
    ----------
    links : WordAlignment
        Of the n source words and m copy words, at least one each.
    source : ndarray of shape (n, d), float32
        Contextual vectors of the source words, unit rows.
    copy : ndarray of shape (m, d), float32
        The same of the copy words.
    at : ndarray of shape (k,), intp
        Gaps to describe, each in [0, m]: gap j is before copy word j.

    Returns
    -------
    ndarray of shape (k, 6 d + 18), float32
        Per gap: the vectors of the copy words left and right of it, of the source words they
        are linked to, of the source word after the left one's and of the one before the right
        one's (zero where there is none), then cosines among these, the distance of the two source
        places, and how common the words are.
    """
    n, m, d = len(source), len(copy), source.shape[1]
    # Row 0 of each table is for "no word"; source word i is in row i + 1.
    vectors = np.concatenate([np.zeros((1, d), np.float32), source, copy])
    lost = np.concatenate([[False], links.to_copy < 0])
    common = np.concatenate([[0.0], _common(links.source), _common(links.copy)])
    nearest = np.concatenate([[1.0], (source @ copy.T).max(axis=0), [1.0]])
    # Source places of the words around each gap; both ends of the copy count as linked.
    places = np.concatenate([[-1], links.to_source, [n]])
    linked = np.concatenate([[True], links.to_source >= 0, [True]])
    a, b = places[at], places[at + 1]
    known_a, known_b = linked[at], linked[at + 1]
    left, right = np.where(at > 0, n + at, 0), np.where(at < m, n + at + 1, 0)
    own_a, own_b = _row(a, known_a, n), _row(b, known_b, n)
    after, before = _row(a + 1, known_a, n), _row(b - 1, known_b, n)
    six = vectors[np.stack([left, right, own_a, own_b, after, before], axis=1)]
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


def _row(place: NDArray[np.intp], known: NDArray[np.bool_], n: int) -> NDArray[np.intp]:
    """Return the table row of a source place; 0 where it is unknown or outside the source."""
    return np.where(known & (place >= 0) & (place < n), place + 1, 0)


def width(dimension: int) -> int:
    """Return the length of a row of `adjacency_rows` for word vectors of that length."""
    return 6 * dimension + _N_FACTS


def intact(links: WordAlignment) -> NDArray[np.bool_]:
    """Mark the gaps, of shape (m + 1,), that the source has too, between the same two words."""
    same = [
        i >= 0 and links.source[i].norm == word.norm
        for i, word in zip(links.to_source.tolist(), links.copy, strict=True)
    ]
    kept = np.array([True, *same, True])
    places = np.concatenate([[-1], links.to_source, [len(links.source)]])
    together: NDArray[np.bool_] = kept[:-1] & kept[1:] & (np.diff(places) == 1)
    return together


def _common(words: Sequence[Word]) -> NDArray[np.float64]:
    return np.array([min(7.0, zipf(word.norm)) / 7 for word in words])
