"""The shared round trips as rows of features for the pivot model, with what is known of each.

Arrays of what `learn.pivot_tables` read and `learn.pivot_contexts` encoded. It fits nothing.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
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
class FeatureCounts:
    """How often each of n pairs has each feature.

    Attributes
    ----------
    matrix : csr_matrix of shape (n, n_features), float32
    keys : ndarray of shape (n_features,), uint32
        `key_of` each feature, ascending.
    """

    matrix: csr_matrix
    keys: NDArray[np.uint32]

    def of(self, at: NDArray[Any]) -> FeatureCounts:
        """Return the counts of some of the pairs."""
        return FeatureCounts(self.matrix[at], self.keys)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Features of round trips.

    Attributes
    ----------
    edits, kept : FeatureCounts
        Of what was changed, 1 where a pair has it; and of the words that were kept.
    counts : ndarray of shape (n, 4), float64
        Tokens of the source, of the copy, tokens kept, and edits.
    language, system, corpus : ndarray of shape (n,), object
        `system` is the family of translators that is held apart as one, such as "bergamot".
    variant : ndarray of shape (n,), object
        The translator itself.
    fold : ndarray of shape (n,), int64
        Of the source sentence, 0 to `FOLDS` less 1; neighbours share it.
    pool : Pool
        Vectors behind the edits and kept words of all pairs that rows were ever made of.
    pair : ndarray of shape (n,), int64
        Which of them each row is.
    """

    edits: FeatureCounts
    kept: FeatureCounts
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
            self.edits.of(at),
            self.kept.of(at),
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
    common: float = 0.02,
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
        Source sentences that a feature of edits must be seen in to count.
    common : float
        Share in [0, 1] of the source sentences that a feature of kept words must be seen in.
    prefixes : tuple of str
        What the names of features of edits are to start with; by default all count.
    progress : callable, optional
        Told how many pairs were done since it was last told.

    Returns
    -------
    Rows
    """
    edits, kept, counts = _Found(), _Found(), []
    for pair in pairs:
        one = changes(pair.source, pair.copy, languages)
        names = (n for n in one.features if not prefixes or n.startswith(prefixes))
        edits.add({key_of(name) for name in names})
        kept.add(map(key_of, one.kept))
        counts.append((one.n_source, one.n_copy, len(one.kept_places), len(one.edits)))
        if progress is not None:
            progress(1)
    numbers = {name: i for i, name in enumerate(dict.fromkeys(p.sentence for p in pairs))}
    sentence = np.array([numbers[p.sentence] for p in pairs], np.int64)

    def named(values: Iterator[str]) -> NDArray[Any]:
        return np.array(list(values), dtype=object)

    return Rows(
        edits.counted(sentence, least),
        kept.counted(sentence, round(common * len(numbers))),
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


class _Found:
    """Gathers the keys of features, pair by pair."""

    def __init__(self) -> None:
        self._keys, self._ends = array("I"), array("q", [0])

    def add(self, keys: Iterable[int]) -> None:
        """Take in the features of one more pair."""
        self._keys.extend(keys)
        self._ends.append(len(self._keys))

    def counted(self, sentence: NDArray[np.int64], least: int) -> FeatureCounts:
        """Count the features that are seen in enough sentences; whose each pair is, is given."""
        from scipy.sparse import csr_matrix

        found, ends = np.array(self._keys, np.uint32), np.array(self._ends, np.int64)
        keys, column = np.unique(found, return_inverse=True)
        row = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
        m = int(sentence.max(initial=0)) + 1
        seen = np.unique(column.astype(np.int64) * m + sentence[row]) // m
        enough = np.flatnonzero(np.bincount(seen, minlength=len(keys)) >= least)
        place = np.full(len(keys), -1)
        place[enough] = np.arange(len(enough))
        at = place[column]
        known = at >= 0
        matrix = csr_matrix(
            (np.ones(int(known.sum()), np.float32), (row[known], at[known])),
            shape=(len(ends) - 1, len(enough)),
        )
        return FeatureCounts(matrix, keys[enough])
