"""The shared round trips as rows of features for the pivot model, with what is known of each.

Arrays of what `learn.pivot_tables` read and `learn.pivot_contexts` encoded. It fits nothing.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.learn.pivot_contexts import Pool
from detector.learn.pivot_tables import RoundTrip
from detector.pivoting.edits import changes, key_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FOLDS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Features of round trips.

    Attributes
    ----------
    features : csr_matrix of shape (n, n_features), float32
        1 where a pair has a feature.
    keys : ndarray of shape (n_features,), uint32
        `key_of` each feature, ascending.
    counts : ndarray of shape (n, 4), float64
        Tokens of the source, of the copy, tokens kept, and edits.
    language, system, corpus : ndarray of shape (n,), object
        `system` is the family of translators that is held apart as one, such as "bergamot".
    variant : ndarray of shape (n,), object
        The translator itself.
    fold : ndarray of shape (n,), int64
        Of the source sentence, 0 to `FOLDS` less 1; neighbours share it.
    pool : Pool
        Vectors behind the edits of all pairs that rows were ever made of.
    pair : ndarray of shape (n,), int64
        Which of them each row is.
    """

    features: csr_matrix
    keys: NDArray[np.uint32]
    counts: NDArray[np.float64]
    language: NDArray[Any]
    system: NDArray[Any]
    variant: NDArray[Any]
    corpus: NDArray[Any]
    fold: NDArray[np.int64]
    pool: Pool
    pair: NDArray[np.int64]

    def of(self, at: NDArray[Any]) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.features[at],
            self.keys,
            self.counts[at],
            self.language[at],
            self.system[at],
            self.variant[at],
            self.corpus[at],
            self.fold[at],
            self.pool,
            self.pair[at],
        )


def rows_of(  # noqa: PLR0913 - options, each by its name
    pairs: Sequence[RoundTrip],
    languages: Sequence[str],
    pool: Pool,
    *,
    least: int = 6,
    prefixes: tuple[str, ...] = (),
    progress: Callable[[int], object] | None = None,
) -> Rows:
    """Turn pairs into rows of features.

    Parameters
    ----------
    pairs : sequence of RoundTrip
    languages : sequence of str
        Those whose words are looked for in the copies.
    pool : Pool
        `contexts_of` the pairs.
    least : int
        Source sentences that a feature must be seen in to count.
    prefixes : tuple of str
        What the names of features are to start with; by default all are kept.
    progress : callable, optional
        Told how many pairs were done since it was last told.

    Returns
    -------
    Rows
    """
    found, ends, counts = array("I"), array("q", [0]), []
    for pair in pairs:
        one = changes(pair.source, pair.copy, languages)
        names = (n for n in one.features if not prefixes or n.startswith(prefixes))
        found.extend({key_of(name) for name in names})
        ends.append(len(found))
        counts.append((one.n_source, one.n_copy, one.n_kept, len(one.edits)))
        if progress is not None:
            progress(1)
    sentences = {name: i for i, name in enumerate(dict.fromkeys(p.sentence for p in pairs))}
    keys, features = _matrix(
        np.frombuffer(found, np.uint32) if len(found) else np.zeros(0, np.uint32),
        np.frombuffer(ends, np.int64),
        np.array([sentences[p.sentence] for p in pairs], np.int64),
        least,
    )

    def named(values: Iterator[str]) -> NDArray[Any]:
        return np.array(list(values), dtype=object)

    return Rows(
        features,
        keys,
        np.array(counts, np.float64).reshape(len(pairs), 4),
        named(p.language for p in pairs),
        named("apertium" if "apertium" in p.system else p.system.split("-")[0] for p in pairs),
        named(p.system for p in pairs),
        named(p.corpus for p in pairs),
        np.array([fold_of(p.block) for p in pairs], np.int64),
        pool,
        np.arange(len(pairs)),
    )


def named_groups(language: NDArray[Any], translator: NDArray[Any]) -> NDArray[np.str_]:
    """Return one name for each language and translator, row by row; the language ends at a tab."""
    return np.array([f"{a}\t{b}" for a, b in zip(language, translator, strict=True)])


def fold_of(block: str) -> int:
    """Return the fold of a block of sentences.

    Examples
    --------
    >>> 0 <= fold_of("flores:12") < FOLDS
    True
    """
    return int(hashlib.sha256(block.encode()).hexdigest()[:8], 16) % FOLDS


def _matrix(
    found: NDArray[np.uint32], ends: NDArray[np.int64], sentence: NDArray[np.int64], least: int
) -> tuple[NDArray[np.uint32], csr_matrix]:
    """Keep the features seen in enough sentences."""
    from scipy.sparse import csr_matrix

    keys, column = np.unique(found, return_inverse=True)
    row = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    m = int(sentence.max(initial=0)) + 1
    seen = np.unique(column.astype(np.int64) * m + sentence[row]) // m
    kept = np.flatnonzero(np.bincount(seen, minlength=len(keys)) >= least)
    place = np.full(len(keys), -1)
    place[kept] = np.arange(len(kept))
    at = place[column]
    known = at >= 0
    matrix = csr_matrix(
        (np.ones(int(known.sum()), np.float32), (row[known], at[known])),
        shape=(len(ends) - 1, len(kept)),
    )
    return keys[kept], matrix
