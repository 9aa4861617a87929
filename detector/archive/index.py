"""Index an archive's vectors, and search the archived sentences nearest to a suspect's.

Below `INDEX_FROM` sentences every vector is compared, which is fast enough and finds all. What the
numbers here rest on is in docs/scale.md. Ranking the articles is not done here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.archive.ranking import Hits
from detector.archive.store import Store, lancedb_errors, matrix_of

logger = logging.getLogger(__name__)

INDEX_FROM: Final = 100_000
"""Sentences from which an archive is indexed."""

NEAREST: Final = 64
"""Hits of each sentence: one that more articles hold word for word does not tell them apart."""

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
    built_for = int(store.setting("indexed") or 0)
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

    Without an index, all vectors stay in memory after the first search, and are read again when
    the archive has changed.
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
    return any(one.name == _INDEX for one in store.sentences.list_indices())
