"""When an archive gets an index, of which kind, and what its state is.

Below `FROM` sentences looking at every vector is fast enough and finds all. What the numbers here
rest on stands in docs/scale.md.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from detector.archive.store import Store
from detector.archive.tables import guarded

logger = logging.getLogger(__name__)

FROM: Final = 100_000
"""Sentences from which an index is made."""

PROBES: Final = 8
"""Parts of the index that are looked at for each sentence."""

_PART: Final = 4_096  # sentences in a part, or more: to make an index takes n times parts
_MOST_PARTS: Final = 2.0  # times the root of the sentences
_GROWN: Final = 2.0  # times as many sentences as when it was made: made anew
_SAMPLE: Final = 32  # vectors that each part's middle is learnt from
_ROUNDS: Final = 15  # at most, to learn them

_COLUMN, _NAME = "vector", "vector_idx"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """What is indexed.

    Attributes
    ----------
    kind : str
        Empty where there is no index.
    n_indexed, n_left : int
        Sentences in the index; those added since, which are looked at one by one.
    """

    kind: str
    n_indexed: int
    n_left: int


def state(store: Store) -> IndexState:
    """Return what is indexed."""
    with guarded(store.uri, "read"):
        if not has_index(store):
            return IndexState(kind="", n_indexed=0, n_left=store.n_sentences)
        stats = store.sentences.index_stats(_NAME)
        return IndexState(
            kind=str(stats.index_type),
            n_indexed=int(stats.num_indexed_rows),
            n_left=int(stats.num_unindexed_rows),
        )


def has_index(store: Store) -> bool:
    """Whether there is an index of the vectors."""
    return any(one.name == _NAME for one in store.sentences.list_indices())


def bring_up(store: Store) -> None:
    """Make the index where it pays, or make it anew where the archive has outgrown it.

    Sentences added to an archive that has one are put into it by `Store.tidy`.
    """
    n = store.n_sentences
    made_for = int(store.noted("indexed") or 0)
    if n < FROM or (made_for and n < _GROWN * made_for):
        return
    from lancedb.index import BTree, IvfSq

    parts = max(1, min(n // _PART, int(_MOST_PARTS * n**0.5)))
    logger.info("making an index of %d sentences in %d parts", n, parts)
    config = IvfSq(
        distance_type="cosine",
        num_partitions=parts,
        sample_rate=_SAMPLE,
        max_iterations=_ROUNDS,
    )
    with guarded(store.uri, "indexed"):
        store.sentences.create_index(_COLUMN, config=config, replace=True)
        store.sentences.create_index("article", config=BTree(), replace=True)
    store.note("indexed", n)
