"""Search an archive's index, and rank articles by the sentences they share with a suspect.

A sentence of the suspect adds to an article's score by how much closer the article is than is usual
for that sentence: a phrase of many articles counts little. Below `INDEX_FROM` sentences every
vector is compared; docs/scale.md has the measurements. No text is handled here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.archive.store import Store, lancedb_errors, matrix_of

logger = logging.getLogger(__name__)

INDEX_FROM: Final = 100_000
"""Sentences from which an archive is indexed."""

NEAREST: Final = 64
"""Hits of each sentence: one that more articles hold word for word is no evidence."""

_PROBES: Final = 8  # partitions of the index that are searched for each sentence
_PARTITION: Final = 4_096  # sentences in a partition; building takes sentences x partitions
_MAX_PARTITIONS: Final = 2.0  # times the square root of the sentences
_REBUILD_AT: Final = 2.0  # times the sentences that the index was built for
_SAMPLE_RATE: Final = 32  # vectors a partition that k-means is fitted on
_KMEANS_ROUNDS: Final = 15
_INDEX: Final = "vector_idx"
_BLOCK: Final = 16_384  # archived sentences compared at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """The state of an archive's index; `kind` is empty where there is none.

    `n_left` sentences were added since, and are compared one by one.
    """

    kind: str
    n_indexed: int
    n_left: int


def index_state(store: Store) -> IndexState:
    """Return the state of the index."""
    with lancedb_errors(store.uri, "read"):
        if not _has_index(store):
            return IndexState(kind="", n_indexed=0, n_left=store.n_sentences)
        stats = store.sentences.index_stats(_INDEX)
        return IndexState(
            kind=str(stats.index_type),
            n_indexed=int(stats.num_indexed_rows),
            n_left=int(stats.num_unindexed_rows),
        )


def update_index(store: Store) -> None:
    """Build the index where it pays, and rebuild it where the archive has doubled.

    `Store.compact` adds new sentences to an index that is there.
    """
    n = store.n_sentences
    built_for = max(store.numbers("indexed"), default=0)
    if n < INDEX_FROM or (built_for and n < _REBUILD_AT * built_for):
        return
    from lancedb.index import BTree, IvfSq

    partitions = max(1, min(n // _PARTITION, int(_MAX_PARTITIONS * n**0.5)))
    logger.info("building an index of %d sentences in %d partitions", n, partitions)
    config = IvfSq(
        distance_type="cosine",
        num_partitions=partitions,
        sample_rate=_SAMPLE_RATE,
        max_iterations=_KMEANS_ROUNDS,
    )
    with lancedb_errors(store.uri, "indexed"):
        store.sentences.create_index("vector", config=config, replace=True)
        store.sentences.create_index("article", config=BTree(), replace=True)
    store.set_setting("indexed", n)


class Searcher:
    """Nearest-neighbour search in one archive.

    Without an index, all vectors stay in memory until the archive changes.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version = -1
        self._matrix = np.zeros((0, store.encoder.dimension), np.float32)
        self._articles = np.zeros(0, np.int64)

    def nearest(self, queries: NDArray[np.float32]) -> Hits:
        """Return the `NEAREST` archived sentences of each query, or all there are.

        `queries` has shape (n, d) and unit rows. An archive that cannot be read is an `InputError`.
        """
        if not len(queries):
            return Hits(
                queries=np.zeros(0, np.intp),
                articles=np.zeros(0, np.int64),
                similarities=np.zeros(0, np.float32),
                n_queries=0,
                truncated=False,
            )
        with lancedb_errors(self._store.uri, "searched"):
            if _has_index(self._store):
                return self._search_index(queries)
            return self._search_all(queries)

    def _search_index(self, queries: NDArray[np.float32]) -> Hits:
        # One call for all sentences: a call for each costs several times as much.
        search = self._store.sentences.search(queries, vector_column_name="vector")
        search = search.distance_type("cosine").nprobes(_PROBES).limit(NEAREST)
        table = search.select(["article", "_distance"]).to_arrow()
        single = len(queries) == 1  # then there is no column of query indices
        rows = np.zeros(table.num_rows, np.intp) if single else table["query_index"].to_numpy()
        return Hits(
            queries=rows.astype(np.intp),
            articles=table["article"].to_numpy(),
            similarities=(1.0 - table["_distance"].to_numpy()).astype(np.float32),
            n_queries=len(queries),
            truncated=True,
        )

    def _search_all(self, queries: NDArray[np.float32]) -> Hits:
        self._read_vectors()
        n, k = len(self._matrix), min(NEAREST, len(self._matrix))
        similarities = np.zeros((len(queries), 0), np.float32)
        rows = np.zeros((len(queries), 0), np.intp)
        for start in range(0, n, _BLOCK):
            block = queries @ self._matrix[start : start + _BLOCK].T
            at = np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)
            similarities = np.concatenate([similarities, block], axis=1)
            rows = np.concatenate([rows, at], axis=1)
            if similarities.shape[1] > k:
                best = np.argpartition(-similarities, k - 1, axis=1)[:, :k]
                similarities = np.take_along_axis(similarities, best, axis=1)
                rows = np.take_along_axis(rows, best, axis=1)
        return Hits(
            queries=np.repeat(np.arange(len(queries)), k),
            articles=self._articles[rows.ravel()],
            similarities=similarities.ravel(),
            n_queries=len(queries),
            truncated=n > NEAREST,
        )

    def _read_vectors(self) -> None:
        version = int(self._store.sentences.version)
        if version == self._version:
            return
        table = self._store.sentences.search().select(["article", "vector"]).to_arrow()
        self._articles = table["article"].to_numpy()
        self._matrix = matrix_of(table["vector"], self._store.encoder.dimension)
        self._version = version


def _has_index(store: Store) -> bool:
    return any(index.name == _INDEX for index in store.sentences.list_indices())


MIN_SIMILARITY: Final = 0.55
"""Cosine from which a sentence of a suspect may come from a sentence of an article."""

_DEFAULT_BACKGROUND: Final = 0.45
_BASE_WEIGHT: Final = 0.01  # share of its cosine that a hit always adds to an article's score
_TIE: Final = 0.08  # an article this much less similar than a sentence's best still explains it
_MIN_SENTENCES: Final = 2  # that a further source must explain, where the suspect has them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """The nearest archived sentences of some queries; arrays of shape (n_hits,).

    `queries` are indices, `articles` numbers of the articles that hold the hits, `similarities`
    cosines in [-1, 1]. `truncated` where the archive may hold more sentences than each query has
    hits.
    """

    queries: NDArray[np.intp]
    articles: NDArray[np.int64]
    similarities: NDArray[np.float32]
    n_queries: int
    truncated: bool


def background(hits: Hits) -> NDArray[np.float32]:
    """Return the usual similarity of each query: that of its last hit; shape (n_queries,).

    An archive too small for an estimate gets a fixed one.
    """
    last = np.full(hits.n_queries, 1.0, np.float32)
    np.minimum.at(last, hits.queries, hits.similarities)
    return last if hits.truncated else np.full_like(last, _DEFAULT_BACKGROUND)


def rank_articles(hits: Hits, *, top: int) -> NDArray[np.int64]:
    """Return the numbers of the `top` articles, best first; equals by their number."""
    if not len(hits.queries):
        return np.zeros(0, np.int64)
    articles, column = np.unique(hits.articles, return_inverse=True)
    # A query counts once for an article, with its best hit.
    pairs = hits.queries * len(articles) + column
    order = np.lexsort((-hits.similarities, pairs))
    _, first = np.unique(pairs[order], return_index=True)
    best = order[first]
    # The base weight decides where more articles than there are hits hold every sentence, as with
    # a story that many papers print.
    gains = hits.similarities[best] * (1.0 + _BASE_WEIGHT) - background(hits)[hits.queries[best]]
    scores = np.bincount(column[best], weights=np.maximum(gains, 0.0), minlength=len(articles))
    return articles[np.lexsort((articles, -scores))[:top]]


def max_similarities(
    queries: NDArray[np.float32], articles: Mapping[int, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return each query's cosine to each article's nearest sentence: (n_queries, n_articles)."""
    columns = [(queries @ vectors.T).max(axis=1) for vectors in articles.values()]
    return np.stack(columns, axis=1) if columns else np.zeros((len(queries), 0), np.float32)


def explained_shares(
    similarities: NDArray[np.float32], usual: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return how much of a suspect each article explains, in [0, 1]; shape (n_articles,).

    1 means that the article holds every query word for word. `similarities` are those of
    `max_similarities`, `usual` those of `background`, of which at most `MIN_SIMILARITY` is used,
    since what many articles hold, this one holds too.
    """
    if not len(similarities):
        return np.zeros(similarities.shape[1])
    floors = np.minimum(usual, np.float32(MIN_SIMILARITY))[:, None]
    gains = np.clip((similarities - floors) / (1.0 - floors), 0.0, 1.0)
    return np.asarray(gains.mean(axis=0), np.float64)


def assign_sentences(
    similarities: NDArray[np.float32], ranked: Sequence[int]
) -> dict[int, tuple[int, ...]]:
    """Assign each sentence of a suspect to at most one article that explains it.

    `similarities` has shape (n_sentences, n_articles), `ranked` its columns, best first: of equals
    the first is taken. The result maps a column to its sentences, the one with the most first.

    Greedy: the article that explains most of what is left is taken, while it explains at least
    two sentences (or all there are), none of which another article explains clearly better.
    """
    assigned: dict[int, tuple[int, ...]] = {}
    if not similarities.size:
        return assigned
    best = similarities.max(axis=1)
    explains = (similarities >= MIN_SIMILARITY) & (similarities >= best[:, None] - _TIE)
    left = best >= MIN_SIMILARITY
    fewest = max(1, min(_MIN_SENTENCES, int(left.sum())))
    while left.any():
        scores = (explains[left][:, ranked] * similarities[left][:, ranked]).sum(axis=0)
        column = ranked[int(scores.argmax())]
        taken = np.flatnonzero(explains[:, column] & left)
        if len(taken) < fewest:
            break
        assigned[column] = tuple(int(i) for i in taken)
        left[taken] = False
    return assigned
