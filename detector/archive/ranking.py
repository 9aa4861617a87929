"""Rank articles by the sentences they share with a suspect.

Which articles the sentences of a suspect speak for, and which sentence for which article.

Pure numpy. Every sentence of the suspect that was looked up votes for the articles among its
nearest: with how much nearer they are than what is merely usual for it. So a phrase that stands in
many articles says little, and one that is like no article says nothing. It reads no text, and what
kind of a source an article is remains open.

The archived sentences nearest to some sentences: by the index, or by looking at every one.

Looks up vectors and nothing else: which article they speak for is `votes`' matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.archive.store import PROBES, Store, guarded, has_index, matrix_of

ALIKE: Final = 0.55
"""Cosine from which a sentence of a suspect may come from a sentence of an article."""

_USUAL: Final = 0.45
_ALWAYS: Final = 0.01  # share of its cosine that a hit votes with, however usual it is
_CLOSE: Final = 0.08  # so much less alike than the best article of a sentence still counts
_FEWEST: Final = 2  # sentences that a further source must explain, where the suspect has them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """The nearest archived sentences of some sentences.

    Attributes
    ----------
    queries : ndarray of shape (n_hits,), intp
        Which of the sentences looked up, from 0.
    articles : ndarray of shape (n_hits,), int64
        Number of the article that the hit stands in.
    cosines : ndarray of shape (n_hits,), float32
        In [-1, 1].
    n_queries : int
    full : bool
        Whether there may be more sentences than were given, so that the last hit of each tells
        what is usual.
    """

    queries: NDArray[np.intp]
    articles: NDArray[np.int64]
    cosines: NDArray[np.float32]
    n_queries: int
    full: bool


def usual(hits: Hits) -> NDArray[np.float32]:
    """Return the cosine that is merely usual for each sentence: that of its last hit.

    An archive too small to tell gets what is usual elsewhere.

    Returns
    -------
    ndarray of shape (n_queries,), float32
    """
    floors = np.full(hits.n_queries, 1.0, np.float32)
    np.minimum.at(floors, hits.queries, hits.cosines)
    return floors if hits.full else np.full_like(floors, _USUAL)


def ballot(hits: Hits, *, top: int) -> NDArray[np.int64]:
    """Return the numbers of the articles with the most votes, best first.

    Parameters
    ----------
    hits : Hits
    top : int
        At most so many.
    """
    if not len(hits.queries):
        return np.zeros(0, np.int64)
    articles, column = np.unique(hits.articles, return_inverse=True)
    # One vote of a sentence for an article, its best.
    pairs = hits.queries * len(articles) + column
    order = np.lexsort((-hits.cosines, pairs))
    _, first = np.unique(pairs[order], return_index=True)
    best = order[first]
    # The little that is always given decides where more articles than were looked up hold every
    # sentence, as with a story that went to all papers.
    gains = hits.cosines[best] * (1.0 + _ALWAYS) - usual(hits)[hits.queries[best]]
    votes = np.bincount(column[best], weights=np.maximum(gains, 0.0), minlength=len(articles))
    # The number decides between equals, so that the order is always the same.
    return articles[np.lexsort((articles, -votes))[:top]]


def closeness(
    queries: NDArray[np.float32], articles: Mapping[int, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return how alike each sentence is to its counterpart in each article.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, d), float32
        Unit rows.
    articles : mapping of int to ndarray of shape (n_sentences, d), float32

    Returns
    -------
    ndarray of shape (n_queries, n_articles), float32
        Cosine to the nearest sentence of the article, in [-1, 1].
    """
    columns = [(queries @ vectors.T).max(axis=1) for vectors in articles.values()]
    return np.stack(columns, axis=1) if columns else np.zeros((len(queries), 0), np.float32)


def shares(alike: NDArray[np.float32], floors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how much of a suspect each article explains.

    Parameters
    ----------
    alike : ndarray of shape (n_queries, n_articles), float32
        See `closeness`.
    floors : ndarray of shape (n_queries,), float32
        See `usual`; taken as `ALIKE` at most, since what many articles hold this one holds too.

    Returns
    -------
    ndarray of shape (n_articles,), float64
        In [0, 1]: 1 where every sentence stands in the article word for word.
    """
    if not len(alike):
        return np.zeros(alike.shape[1])
    floors = np.minimum(floors, np.float32(ALIKE))[:, None]
    gains = np.clip((alike - floors) / (1.0 - floors), 0.0, 1.0)
    return np.asarray(gains.mean(axis=0), np.float64)


def pieces(alike: NDArray[np.float32], ranked: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Say which article explains which sentences, when it takes more than one.

    Parameters
    ----------
    alike : ndarray of shape (n_queries, n_articles), float32
    ranked : sequence of int
        Columns, best first: of equals the first is taken.

    Returns
    -------
    dict of int to tuple of int
        Column to the sentences that it explains, the article with the most first. A sentence that
        is like no article stands nowhere; one stands in one article only.

    Notes
    -----
    Greedy: the article that explains most of what is left is taken, while it explains at least
    two sentences (or all there are), none of which another article explains clearly better.
    """
    found: dict[int, tuple[int, ...]] = {}
    if not alike.size:
        return found
    best = alike.max(axis=1)
    own = (alike >= ALIKE) & (alike >= best[:, None] - _CLOSE)
    left = best >= ALIKE
    fewest = min(_FEWEST, int(left.sum()))
    while left.any():
        counts = (own[left][:, ranked] * (alike[left][:, ranked])).sum(axis=0)
        column = ranked[int(counts.argmax())]
        taken = np.flatnonzero(own[:, column] & left)
        if len(taken) < max(1, fewest):
            break
        found[column] = tuple(int(i) for i in taken)
        left[taken] = False
    return found


NEAREST: Final = 64
"""Hits for each sentence: a sentence that more articles hold word for word tells nothing."""

_BLOCK: Final = 16_384  # archived sentences compared at a time


class Searcher:
    """Looks vectors up in one archive.

    Without an index all vectors are kept in memory after the first search, and read again when the
    archive has changed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version = -1
        self._matrix = np.zeros((0, store.encoder.dimension), np.float32)
        self._articles = np.zeros(0, np.int64)

    def nearest(self, queries: NDArray[np.float32]) -> Hits:
        """Find the archived sentences nearest to each of some sentences.

        Parameters
        ----------
        queries : ndarray of shape (n, d), float32
            Unit rows.

        Returns
        -------
        Hits
            `NEAREST` for each, or all there are.

        Raises
        ------
        InputError
            When the archive cannot be read.
        """
        if not len(queries):
            none = np.zeros(0)
            return Hits(
                queries=none.astype(np.intp),
                articles=none.astype(np.int64),
                cosines=none.astype(np.float32),
                n_queries=0,
                full=False,
            )
        with guarded(self._store.uri, "searched"):
            return self._by_index(queries) if has_index(self._store) else self._by_all(queries)

    def _by_index(self, queries: NDArray[np.float32]) -> Hits:
        # One call for all sentences: a call for each costs several times as much.
        search = self._store.sentences.search(queries, vector_column_name="vector")
        search = search.distance_type("cosine").nprobes(PROBES).limit(NEAREST)
        table = search.select(["article", "_distance"]).to_arrow()
        one = len(queries) == 1
        at = np.zeros(table.num_rows, np.intp) if one else table["query_index"].to_numpy()
        return Hits(
            queries=at.astype(np.intp),
            articles=table["article"].to_numpy(),
            cosines=(1.0 - table["_distance"].to_numpy()).astype(np.float32),
            n_queries=len(queries),
            full=True,
        )

    def _by_all(self, queries: NDArray[np.float32]) -> Hits:
        self._follow()
        n, k = len(self._matrix), min(NEAREST, len(self._matrix))
        cosines = np.zeros((len(queries), 0), np.float32)
        rows = np.zeros((len(queries), 0), np.intp)
        for start in range(0, n, _BLOCK):
            block = queries @ self._matrix[start : start + _BLOCK].T
            at = np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)
            cosines = np.concatenate([cosines, block], axis=1)
            rows = np.concatenate([rows, at], axis=1)
            if cosines.shape[1] > k:
                best = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
                cosines = np.take_along_axis(cosines, best, axis=1)
                rows = np.take_along_axis(rows, best, axis=1)
        return Hits(
            queries=np.repeat(np.arange(len(queries)), k),
            articles=self._articles[rows.ravel()],
            cosines=cosines.ravel(),
            n_queries=len(queries),
            full=n > NEAREST,
        )

    def _follow(self) -> None:
        """Read the vectors again when the archive has changed."""
        version = int(self._store.sentences.version)
        if version == self._version:
            return
        columns = ["article", "vector"]
        table = self._store.sentences.search().select(columns).to_arrow()
        self._articles = table["article"].to_numpy()
        self._matrix = matrix_of(table["vector"], self._store.encoder.dimension)
        self._version = version
