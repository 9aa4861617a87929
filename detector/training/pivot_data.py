"""Load the shared round trips as rows and vectors for the pivot model.

The shared round trips, with what is known of each: pivot, translator, sentence.

Reads the tables that say through which language a copy went. It makes no feature and fits nothing.

The shared round trips as rows of features for the pivot model, with what is known of each.

Arrays of what `learn.pivot_tables` read and `learn.pivot_contexts` encoded. It fits nothing.

Edits and kept words of the shared round trips as the encoder sees them: each text encoded once.

It hands texts to the encoder and keeps vectors; it reads no table and fits nothing.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.encoder import Encoder
from detector.errors import EncodeError, InputError
from detector.pivot.edits import Contexts, Place, Side, changes, compare, key_of, means, tokens
from detector.records import TokenVectors
from detector.training.data.corpus import tidy, unmark

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TABLES = ("flores_dev_rt.parquet", "wmt14_15_18_rt.parquet", "apertium_rt.parquet")

_BLOCK = 10  # neighbouring sentences that stay together: they are of one article as often as not


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One sentence and what came back of it.

    Attributes
    ----------
    source, copy : str
    language, system, corpus : str
        Pivot, translator and table.
    sentence : int
        Place of the sentence in its table or set, in order.
    block : str
        Key of the neighbouring sentences that are held apart together.
    """

    source: str
    copy: str
    language: str
    system: str
    corpus: str
    sentence: str
    block: str


def read_round_trips(folder: Path, languages: Sequence[str]) -> list[RoundTrip]:
    """Read the tables that are there.

    Parameters
    ----------
    folder : Path
        Holds the Parquet files.
    languages : sequence of str
        Pivots to keep.

    Returns
    -------
    list of RoundTrip

    Raises
    ------
    InputError
        When no table is there, or one lacks a column.
    """
    found: list[RoundTrip] = []
    for name in TABLES:
        if (folder / name).is_file():
            found += [one for one in _read(folder / name) if one.language in set(languages)]
    if not found:
        msg = f"{folder}: holds no round trips; one of {', '.join(TABLES)} is needed"
        raise InputError(msg)
    return found


def _read(path: Path) -> Iterator[RoundTrip]:
    import pandas as pd

    corpus = path.name.partition("_")[0].rstrip("0123456789")
    for row in pd.read_parquet(path).to_dict("records"):
        if str(row.get("suspect_misaligned", "0")) == "1":
            continue
        try:
            known = {str(k): v for k, v in row.items()}
            yield _round_trip(known, corpus)
        except KeyError as err:
            msg = f"{path}: lacks the column {err}"
            raise InputError(msg) from err


def _round_trip(row: dict[str, Any], corpus: str) -> RoundTrip:
    # apertium's table is FLORES again, through other translators: the same sentences.
    source_set = str(row["set"]) if corpus == "wmt" else "flores"
    place = int(row["line"] if corpus == "wmt" else row["sid"])
    source = tidy(row["orig_en"])
    if corpus == "apertium":
        copy, language = unmark(row["back_en"], source), row["pivot"]
        system = f"{row['forward']}-apertium"
    else:
        copy, language, system = tidy(row["back_en"]), row["lang"], row["system"]
    return RoundTrip(
        source,
        copy,
        language,
        system,
        corpus,
        f"{source_set}:{place}",
        f"{source_set}:{place // _BLOCK}",
    )


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


_CHUNK = 2000  # pairs whose copies are encoded together


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The edits and the kept words of round trips, all in one place.

    Attributes
    ----------
    contexts : Contexts
        Of n edits.
    starts : ndarray of shape (n_pairs + 1,), int64
        Where the edits of each pair start, and the end.
    words : ndarray of shape (n_words, d), float16
        Vectors of the words of all sources, each source once.
    kept : ndarray of shape (n_kept,), int32
        The kept words of all pairs, by their place in `words`.
    kept_starts : ndarray of shape (n_pairs + 1,), int64
        Where those of each pair start, and the end.
    """

    contexts: Contexts
    starts: NDArray[np.int64]
    words: NDArray[np.float16]
    kept: NDArray[np.int32]
    kept_starts: NDArray[np.int64]

    def edits_of(self, pairs: NDArray[np.int64]) -> tuple[Contexts, NDArray[np.int64]]:
        """Find the edits of some pairs.

        Parameters
        ----------
        pairs : ndarray of shape (m,), int64

        Returns
        -------
        (Contexts, ndarray of shape (k,), int64)
            The edits, and the place in `pairs` of the pair that each is of.
        """
        at, owner = _stretches(self.starts, pairs)
        return self.contexts[at], owner

    def kept_of(self, pairs: NDArray[np.int64]) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
        """Find the vectors of the kept words of some pairs, shape (k, d); as `edits_of`."""
        at, owner = _stretches(self.kept_starts, pairs)
        return self.words[self.kept[at]], owner


def _stretches(
    starts: NDArray[np.int64], pairs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places from the start of each pair to that of the next, and whose they are."""
    first, count = starts[pairs], starts[pairs + 1] - starts[pairs]
    owner = np.repeat(np.arange(len(pairs)), count)
    before = np.cumsum(count) - count
    return np.repeat(first - before, count) + np.arange(len(owner)), owner


def contexts_of(
    pairs: Sequence[RoundTrip],
    encoder: Encoder,
    *,
    progress: Callable[[int], object] | None = None,
) -> Pool:
    """Encode both sides of round trips; keep the vectors of what was changed and of sources' words.

    Parameters
    ----------
    pairs : sequence of RoundTrip
    encoder : Encoder
    progress : callable, optional
        Told how many pairs were done since it was last told.

    Returns
    -------
    Pool
        In the order of `pairs`.

    Raises
    ------
    EncodeError
        When the encoder offers no token vectors.
    """
    sources = sides_of([pair.source for pair in pairs], encoder)
    words = [(text, tokens(text)[1]) for text in sources]
    places: dict[str, dict[Place, int]] = {}
    n = 0
    for text, at in words:
        places[text] = {place: number for number, place in enumerate(at, n)}
        n += len(at)
    parts: list[Contexts] = []
    counts: list[int] = []
    kept = array("i")
    kept_ends = [0]
    for start in range(0, len(pairs), _CHUNK):
        some = pairs[start : start + _CHUNK]
        copies = sides_of([pair.copy for pair in some], encoder)
        found = [compare(sources[pair.source], copies[pair.copy]) for pair in some]
        counts += (len(one.contexts) for one in found)
        parts.append(Contexts.joined([one.contexts for one in found]))
        for pair, one in zip(some, found, strict=True):
            kept.extend(places[pair.source][place] for place in one.changes.kept_places)
            kept_ends.append(len(kept))
        if progress is not None:
            progress(len(some))
    return Pool(
        Contexts.joined(parts),
        np.cumsum([0, *counts]),
        np.concatenate([means(sources[text].tokens, at) for text, at in words]),
        np.array(kept, np.int32),
        np.array(kept_ends),
    )


def sides_of(texts: Sequence[str], encoder: Encoder) -> dict[str, Side]:
    """Encode sentences as a scorer does: each text once, without its final stop.

    Parameters
    ----------
    texts : sequence of str
        A blank one has no tokens.
    encoder : Encoder

    Raises
    ------
    EncodeError
        When the encoder offers no token vectors.
    """
    distinct = [text for text in dict.fromkeys(texts) if text.strip()]
    encoding = encoder.encode(distinct)
    if encoding.tokens is None:
        msg = (
            f"the encoder {encoder.identity.name} offers no vectors of tokens; the pivot model "
            "needs them"
        )
        raise EncodeError(msg)
    none = np.zeros(0, np.int32)
    blank = TokenVectors(np.zeros((0, encoder.identity.dimension), np.float16), none, none)
    sides = {text: Side(text, blank) for text in texts if not text.strip()}
    return sides | {
        text: Side(text, one) for text, one in zip(distinct, encoding.tokens, strict=True)
    }
