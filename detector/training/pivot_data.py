"""Load the shared round trips as rows and vectors for the pivot model.

Pairs become counts of features (`Rows`) and vectors of edits and kept words (`Pool`). Fits nothing.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.encoder import Encoder
from detector.errors import EncodeError, InputError
from detector.pivot.edits import (
    EditVectors,
    Offsets,
    Side,
    encode_edits,
    feature_key,
    find_edits,
    token_means,
    tokenise,
)
from detector.records import TokenVectors
from detector.training.data.corpus import tidy, unmark

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TABLES = ("flores_dev_rt.parquet", "wmt14_15_18_rt.parquet", "apertium_rt.parquet")

Progress = Callable[[int], object]

FOLDS = 10

_BLOCK = 10  # neighbouring sentences of one fold: they are often of one article
_CHUNK = 2000  # pairs whose copies are encoded together


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A sentence and its round trip.

    `language`, `system` and `corpus` are the pivot, the translator and the table; `sentence` is the
    key of the source sentence and `block` that of the neighbours that share its fold.
    """

    source: str
    copy: str
    language: str
    system: str
    corpus: str
    sentence: str
    block: str


def read_round_trips(folder: Path, languages: Sequence[str]) -> list[RoundTrip]:
    """Read round trips through some languages from a folder's tables; none is an `InputError`."""
    pairs: list[RoundTrip] = []
    for name in TABLES:
        if (folder / name).is_file():
            pairs += [pair for pair in _read(folder / name) if pair.language in set(languages)]
    if not pairs:
        msg = f"{folder}: holds no round trips; one of {', '.join(TABLES)} is needed"
        raise InputError(msg)
    return pairs


def _read(path: Path) -> Iterator[RoundTrip]:
    import pandas as pd

    corpus = path.name.partition("_")[0].rstrip("0123456789")
    for row in pd.read_parquet(path).to_dict("records"):
        if str(row.get("suspect_misaligned", "0")) == "1":
            continue
        try:
            yield _round_trip({str(k): v for k, v in row.items()}, corpus)
        except KeyError as err:
            msg = f"{path}: lacks the column {err}"
            raise InputError(msg) from err


def _round_trip(row: dict[str, Any], corpus: str) -> RoundTrip:
    # The apertium table has the sentences of FLORES, by other translators.
    source_set = str(row["set"]) if corpus == "wmt" else "flores"
    number = int(row["line"] if corpus == "wmt" else row["sid"])
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
        f"{source_set}:{number}",
        f"{source_set}:{number // _BLOCK}",
    )


@dataclass(frozen=True, slots=True, eq=False)
class FeatureCounts:
    """Counts of features in pairs, (n, n_features), and `feature_key` of each, ascending."""

    matrix: csr_matrix
    keys: NDArray[np.uint32]

    def of(self, at: NDArray[Any]) -> FeatureCounts:
        """Return the counts of some of the pairs."""
        return FeatureCounts(self.matrix[at], self.keys)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Round trips as features, n of them."""

    edits: FeatureCounts  # 1 where a pair has a feature
    kept: FeatureCounts
    counts: NDArray[np.float64]  # (n, 4): `SentenceEdits.counts`
    language: NDArray[Any]
    system: NDArray[Any]  # family of translators that is held out as one, such as "bergamot"
    variant: NDArray[Any]  # the translator itself
    corpus: NDArray[Any]
    fold: NDArray[np.int64]  # in [0, FOLDS); neighbouring source sentences share it
    pool: Pool  # vectors; it may hold more pairs
    pair: NDArray[np.int64]  # index of each row in the pool

    def of(self, at: NDArray[Any]) -> Rows:
        """Return some of the rows."""
        arrays = ("counts", "language", "system", "variant", "corpus", "fold", "pair")
        return replace(
            self,
            edits=self.edits.of(at),
            kept=self.kept.of(at),
            **{name: getattr(self, name)[at] for name in arrays},
        )


def featurise(  # noqa: PLR0913 - options, each by its name
    pairs: Sequence[RoundTrip],
    languages: Sequence[str],
    pool: Pool,
    *,
    least: int = 6,
    common: float = 0.02,
    prefixes: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> Rows:
    """Compute the features of pairs; `pool` is their `encode_pairs`.

    A feature of edits (one of `prefixes`) must occur in `least` source sentences, one of kept words
    in a share `common` of them. `progress` is called with the number of pairs done since its last
    call.
    """
    edits, kept, counts = _FeatureCounter(), _FeatureCounter(), []
    for pair in pairs:
        compared = find_edits(pair.source, pair.copy, languages)
        names = (n for n in compared.features if not prefixes or n.startswith(prefixes))
        edits.add({feature_key(name) for name in names})
        kept.add(map(feature_key, compared.kept_features))
        counts.append(compared.counts)
        if progress is not None:
            progress(1)
    numbers = {name: i for i, name in enumerate(dict.fromkeys(p.sentence for p in pairs))}
    sentence = np.array([numbers[p.sentence] for p in pairs], np.int64)

    def objects(values: Iterator[str]) -> NDArray[Any]:
        return np.array(list(values), dtype=object)

    return Rows(
        edits=edits.matrix(sentence, least),
        kept=kept.matrix(sentence, round(common * len(numbers))),
        counts=np.array(counts, np.float64).reshape(len(pairs), 4),
        language=objects(p.language for p in pairs),
        system=objects(
            "apertium" if "apertium" in p.system else p.system.split("-")[0] for p in pairs
        ),
        variant=objects(p.system for p in pairs),
        corpus=objects(p.corpus for p in pairs),
        fold=np.array([fold_of(p.block) for p in pairs], np.int64),
        pool=pool,
        pair=np.arange(len(pairs)),
    )


def group_names(language: NDArray[Any], translator: NDArray[Any]) -> NDArray[np.str_]:
    """Return one name for each language and translator, row by row; the language ends at a tab."""
    return np.array([f"{a}\t{b}" for a, b in zip(language, translator, strict=True)])


def fold_of(block: str) -> int:
    """Return the fold, in [0, `FOLDS`), of a block of sentences."""
    return int(hashlib.sha256(block.encode()).hexdigest()[:8], 16) % FOLDS


class _FeatureCounter:
    """Collect the keys of features, pair by pair."""

    def __init__(self) -> None:
        self._keys, self._ends = array("I"), array("q", [0])

    def add(self, keys: Iterable[int]) -> None:
        self._keys.extend(keys)
        self._ends.append(len(self._keys))

    def matrix(self, sentence: NDArray[np.int64], least: int) -> FeatureCounts:
        """Count the features that occur in enough sentences; `sentence` is that of each pair."""
        from scipy.sparse import csr_matrix

        every, ends = np.array(self._keys, np.uint32), np.array(self._ends, np.int64)
        keys, column = np.unique(every, return_inverse=True)
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


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Vectors of the edits and the kept words of round trips."""

    vectors: EditVectors
    starts: NDArray[np.int64]  # index of the first edit of each pair, and the number of edits
    words: NDArray[np.float16]  # (n_words, d): vectors of the words of all distinct sources
    kept: NDArray[np.int32]  # indices in `words` of the kept words of all pairs
    kept_starts: NDArray[np.int64]  # as `starts`

    def edits_of(self, pairs: NDArray[np.int64]) -> tuple[EditVectors, NDArray[np.int64]]:
        """Return the edits of some pairs, and the index in `pairs` of the pair of each."""
        at, owner = _slices(self.starts, pairs)
        return self.vectors[at], owner

    def kept_of(self, pairs: NDArray[np.int64]) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
        """Return the vectors, (k, d), of the kept words of some pairs; as `edits_of`."""
        at, owner = _slices(self.kept_starts, pairs)
        return self.words[self.kept[at]], owner


def _slices(
    starts: NDArray[np.int64], pairs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of all items of some pairs, and the index in `pairs` of each."""
    first, count = starts[pairs], starts[pairs + 1] - starts[pairs]
    owner = np.repeat(np.arange(len(pairs)), count)
    before = np.cumsum(count) - count
    return np.repeat(first - before, count) + np.arange(len(owner)), owner


def encode_pairs(
    pairs: Sequence[RoundTrip],
    encoder: Encoder,
    *,
    progress: Progress | None = None,
) -> Pool:
    """Encode both sides of round trips, and keep the vectors of edits and of source words.

    `progress` is called with the number of pairs done since its last call.
    """
    sources = encode_sides([pair.source for pair in pairs], encoder)
    offsets = {text: tokenise(text)[1] for text in sources}
    index: dict[str, dict[Offsets, int]] = {}
    n = 0
    for text, words in offsets.items():
        index[text] = {word: i for i, word in enumerate(words, n)}
        n += len(words)
    parts: list[EditVectors] = []
    counts: list[int] = []
    kept = array("i")
    kept_starts = [0]
    for start in range(0, len(pairs), _CHUNK):
        chunk = pairs[start : start + _CHUNK]
        copies = encode_sides([pair.copy for pair in chunk], encoder)
        edits = [encode_edits(sources[pair.source], copies[pair.copy]) for pair in chunk]
        counts += (len(encoded.vectors) for encoded in edits)
        parts.append(EditVectors.concatenate([encoded.vectors for encoded in edits]))
        for pair, encoded in zip(chunk, edits, strict=True):
            kept.extend(index[pair.source][word] for word in encoded.sentence.kept_offsets)
            kept_starts.append(len(kept))
        if progress is not None:
            progress(len(chunk))
    return Pool(
        EditVectors.concatenate(parts),
        np.cumsum([0, *counts]),
        np.concatenate([token_means(sources[t].tokens, words) for t, words in offsets.items()]),
        np.array(kept, np.int32),
        np.array(kept_starts),
    )


def encode_sides(texts: Sequence[str], encoder: Encoder) -> dict[str, Side]:
    """Encode distinct sentences as a scorer does; a blank one has no tokens."""
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
        text: Side(text, tokens) for text, tokens in zip(distinct, encoding.tokens, strict=True)
    }
