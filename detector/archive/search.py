"""The archived sentences nearest to some sentences: by the index, or by looking at every one.

Looks up vectors and nothing else: which article they speak for is `votes`' matter.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.archive.index import PROBES, has_index
from detector.archive.store import Store, matrix_of
from detector.archive.tables import guarded
from detector.archive.votes import Hits

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
