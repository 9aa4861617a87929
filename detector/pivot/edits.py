"""Describe a copy's edits to its source, as named features and as vectors.

Encodes nothing and opens no file. The pattern of tokens keys the model's weights, so it is not
`text.words`, which gives other edits of words in 4 % of pairs.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel, Levenshtein, Prefix

from detector.pivot.languages import UntranslatedWord, find_untranslated
from detector.records import TokenVectors
from detector.text.lexicon import is_stopword

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]|_")
# Quotation marks depend on the page and the translator, not on the pivot.
_DROPPED = frozenset('"“”„«»\xad')
_PLAIN = str.maketrans({"’": "'", "‘": "'", **dict.fromkeys(_DROPPED)})
_ENDINGS = ("ing", "ed", "ly", "tion", "s")
_INFLECTIONS = ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e")
_MAX_TOKENS = 4  # of either side of an edit that has features as a whole
_START, _END = "<s>", "</s>"

Offsets = tuple[int, int]
_Block = tuple[int, int, int, int]  # source tokens i to j became copy tokens k to m


@dataclass(frozen=True, slots=True)
class Edit:
    """Source tokens that became other tokens, as written; one side may be empty."""

    source: tuple[str, ...]
    copy: tuple[str, ...]

    def __str__(self) -> str:
        return f"{' '.join(self.source) or '∅'} → {' '.join(self.copy) or '∅'}"


@dataclass(frozen=True, slots=True)
class SentenceEdits:
    """The edits of one sentence and their features; offsets are half-open ranges of characters."""

    edits: tuple[Edit, ...]  # in the order of the copy; last, those of capitals alone
    offsets: tuple[tuple[Offsets, Offsets], ...]  # in source and copy; not of capitals
    features: dict[str, int]  # name to the index of its first edit
    untranslated: tuple[UntranslatedWord, ...]
    kept_features: tuple[str, ...]  # of kept words, alone and with neighbours
    kept_offsets: tuple[Offsets, ...]  # in the source, of tokens that the copy keeps in order
    n_source: int  # tokens
    n_copy: int

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Tokens of the source, of the copy, tokens kept, and edits."""
        return self.n_source, self.n_copy, len(self.kept_offsets), len(self.edits)


def tokenise(text: str) -> tuple[list[str], list[Offsets]]:
    """Split a text into words, numbers and punctuation, and return the offsets of each.

    >>> tokenise("It’s 1,000 well-known")[0]
    ["It's", '1,000', 'well', '-', 'known']
    """
    matches = list(_TOKEN.finditer(text.translate(_PLAIN)))
    raw = [i for i, character in enumerate(text) if character not in _DROPPED]
    return [m.group() for m in matches], [(raw[m.start()], raw[m.end() - 1] + 1) for m in matches]


def _range(offsets: list[Offsets], first: int, end: int) -> Offsets:
    return (offsets[first][0], offsets[end - 1][1]) if end > first else (0, 0)


def feature_key(name: str) -> int:
    """Return the key of a feature in a model: the CRC-32 of its name."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass"))


def find_edits(source: str, copy: str, languages: Sequence[str] = ()) -> SentenceEdits:
    """Compare a source sentence with its copy, regardless of capitals.

    >>> edits = find_edits("It was a robbery.", "It was a flight.")
    >>> [str(edit) for edit in edits.edits], "pair robbery>flight" in edits.features
    (['robbery → flight'], True)
    """
    (written, source_offsets), (rendered, copy_offsets) = tokenise(source), tokenise(copy)
    a, b = [w.lower() for w in written], [w.lower() for w in rendered]
    blocks, kept = _diff(a, b)
    edits = [Edit(tuple(written[i:j]), tuple(rendered[k:m])) for i, j, k, m in blocks]
    recased = [Edit((written[i],), (rendered[k],)) for i, k in kept if written[i] != rendered[k]]
    added = {word: number for number, edit in enumerate(edits) for word in edit.copy}
    untranslated = find_untranslated(written, added, languages)
    namer = _FeatureNames(a, b)
    features: dict[str, int] = {}
    for name, number in chain(
        ((name, number) for number, block in enumerate(blocks) for name in namer.of_edit(*block)),
        _case_features(recased, len(edits)),
        _move_features(blocks, a, b),
        ((name, added[one.word]) for one in untranslated for name in one.features),
    ):
        features.setdefault(name, number)
    return SentenceEdits(
        edits=tuple(edits + recased),
        offsets=tuple(
            (_range(source_offsets, i, j), _range(copy_offsets, k, m)) for i, j, k, m in blocks
        ),
        features=features,
        untranslated=untranslated,
        kept_features=tuple(namer.of_kept(i for i, _ in kept)),
        kept_offsets=tuple(source_offsets[i] for i, _ in kept),
        n_source=len(a),
        n_copy=len(b),
    )


def _diff(source: list[str], copy: list[str]) -> tuple[list[_Block], list[tuple[int, int]]]:
    """Return the blocks that differ, neighbours joined, and the index pairs of equal tokens."""
    blocks: list[_Block] = []
    kept: list[tuple[int, int]] = []
    for op in Levenshtein.opcodes(source, copy):
        i, j, k, m = op.src_start, op.src_end, op.dest_start, op.dest_end
        if op.tag == "equal":
            kept += zip(range(i, j), range(k, m), strict=True)
        elif blocks and blocks[-1][1] == i and blocks[-1][3] == k:
            blocks[-1] = (blocks[-1][0], j, blocks[-1][2], m)
        else:
            blocks.append((i, j, k, m))
    return blocks, kept


def _case_features(recased: list[Edit], first: int) -> Iterator[tuple[str, int]]:
    for number, edit in enumerate(recased, first):
        yield f"case {edit.source[0]}>{edit.copy[0]}", number
        yield f"case {'lower' if edit.copy[0].islower() else 'upper'}", number


class _FeatureNames:
    """Name the features of edits and kept words of one sentence."""

    def __init__(self, source: list[str], copy: list[str]) -> None:
        self.source = [_START, *source, _END]
        self.copy = [_START, *copy, _END]
        self.source_kinds = [_kind(w) for w in self.source]
        self.copy_kinds = [_kind(w) for w in self.copy]

    def of_kept(self, at: Iterable[int]) -> Iterator[str]:
        return _word_features("kept", self.source, self.source_kinds, (i + 1 for i in at))

    def of_edit(self, i: int, j: int, k: int, m: int) -> Iterator[str]:
        lost, new = self.source[i + 1 : j + 1], self.copy[k + 1 : m + 1]
        if len(lost) <= _MAX_TOKENS and len(new) <= _MAX_TOKENS:
            yield from self._of_whole(i, j, k, m)
        if len(lost) <= _MAX_TOKENS + 1 and len(new) <= _MAX_TOKENS + 1:
            for s in lost:
                for c in new:
                    yield from _pair_features(s, c)
        yield from _word_features("out", self.source, self.source_kinds, range(i + 1, j + 1))
        yield from _word_features("in", self.copy, self.copy_kinds, range(k + 1, m + 1))

    def _of_whole(self, i: int, j: int, k: int, m: int) -> Iterator[str]:
        before, after = slice(i + 1, j + 1), slice(k + 1, m + 1)
        words = f"{' '.join(self.source[before])}>{' '.join(self.copy[after])}"
        kinds = f"{' '.join(self.source_kinds[before])}>{' '.join(self.copy_kinds[after])}"
        left, right = self.source[i], self.source[j + 1]
        left_kind, right_kind = self.source_kinds[i], self.source_kinds[j + 1]
        yield f"edit {words}"
        yield f"edit {left}|{words}"
        yield f"edit {words}|{right}"
        yield f"kinds {kinds}"
        yield f"kinds {left}|{kinds}"
        yield f"kinds {kinds}|{right}"
        yield f"kinds {left_kind}|{kinds}"
        yield f"kinds {kinds}|{right_kind}"
        yield f"kinds {left_kind}|{kinds}|{right_kind}"


def _word_features(
    side: str, words: list[str], kinds: list[str], at: Iterable[int]
) -> Iterator[str]:
    for p in at:
        yield f"{side} {words[p]}"
        yield f"{side} {words[p - 1]}_{words[p]}"
        yield f"{side} {words[p]}_{words[p + 1]}"
        yield f"{side} {kinds[p - 1]}_{words[p]}_{kinds[p + 1]}"


@lru_cache(maxsize=65536)
def _pair_features(source: str, copy: str) -> tuple[str, ...]:
    """Name the features of one word in the place of another."""
    names = [f"pair {source}>{copy}"]
    prefix = Prefix.similarity(source, copy)
    if prefix >= 3:
        names.append(f"ending {source[prefix:]}>{copy[prefix:]}")
    if source[0].isdigit() and copy[0].isdigit():
        names.append(f"figure {_shape(source)}>{_shape(copy)}")
    elif min(len(source), len(copy)) >= 4 and Indel.normalized_similarity(source, copy) >= 0.6:
        for op in Levenshtein.opcodes(source, copy):
            if op.tag != "equal":
                old = source[op.src_start : op.src_end]
                names.append(f"letters {old}>{copy[op.dest_start : op.dest_end]}")
    return tuple(names)


def _move_features(blocks: list[_Block], a: list[str], b: list[str]) -> Iterator[tuple[str, int]]:
    """Name the words that one edit takes out and another puts in."""
    lost = {w for i, j, _, _ in blocks for w in a[i:j]}
    stems = {_stem(w) for w in lost if not is_stopword(w)}
    for number, (_, _, k, m) in enumerate(blocks):
        for word in b[k:m]:
            if word in lost:
                yield f"moved {word}", number
                yield f"moved kind {_kind(word)}", number
            elif not is_stopword(word) and _stem(word) in stems:
                yield f"moved stem {_kind(word)}", number


def _shape(number: str) -> str:
    return re.sub(r"\d", "0", number)


@lru_cache(maxsize=65536)
def _kind(word: str) -> str:
    """Return a stopword or punctuation itself, "#" for a number, and of others the ending."""
    if not word[0].isalnum() or is_stopword(word):
        return word
    if word[0].isdigit():
        return "#"
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return f"-{ending}"
    return "*"


def _stem(word: str) -> str:
    for ending in _INFLECTIONS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


N_LENGTHS = 4
"""Columns of `EditVectors.inputs` that describe the lengths of both sides."""

_LONG_SIDE = 4  # tokens; longer sides count as this long

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a bead: its raw text, and the encoder's tokens with offsets in it."""

    text: str
    tokens: TokenVectors


@dataclass(frozen=True, slots=True, eq=False)
class EditVectors:
    """Mean token vectors of n edits."""

    lost: NDArray[np.float16]  # (n, d): of tokens that an edit took out of the source; 0 for none
    added: NDArray[np.float16]  # (n, d): of those that it put into the copy
    lengths: NDArray[np.uint8]  # (n, 2): tokens of both sides, at most 255

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, at: slice | NDArray[np.int64]) -> EditVectors:
        return EditVectors(self.lost[at], self.added[at], self.lengths[at])

    @classmethod
    def concatenate(cls, parts: Sequence[EditVectors]) -> EditVectors:
        """Concatenate the edits of one or more sentences."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))

    def inputs(self) -> NDArray[np.float32]:
        """Return a net's inputs: both vectors, the lengths, and whether each side is empty.

        The shape is (n, 2 d + N_LENGTHS).
        """
        lengths = np.minimum(self.lengths, _LONG_SIDE).astype(np.float32)
        parts = (self.lost, self.added, lengths / 2.0, lengths == 0.0)
        return np.concatenate([part.astype(np.float32) for part in parts], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class EncodedEdits:
    """The edits of a sentence, their vectors, and those of the kept source words.

    `kept` has shape (n_kept, d), float16; `vectors` leaves out edits of capitals alone.
    """

    sentence: SentenceEdits
    vectors: EditVectors
    kept: NDArray[np.float16]


def encode_edits(source: Side, copy: Side, languages: Sequence[str] = ()) -> EncodedEdits:
    """Compare a source sentence with its copy; `languages` as for `find_edits`."""
    sentence = find_edits(source.text, copy.text, languages)
    n = len(sentence.offsets)
    lost, added = ([offsets[side] for offsets in sentence.offsets] for side in (0, 1))
    lengths = np.array([(len(e.source), len(e.copy)) for e in sentence.edits[:n]]).reshape(-1, 2)
    of_source = token_means(source.tokens, [*lost, *sentence.kept_offsets])
    vectors = EditVectors(
        of_source[:n],
        token_means(copy.tokens, added),
        np.minimum(lengths, 255).astype(np.uint8),
    )
    return EncodedEdits(sentence, vectors, of_source[n:])


def token_means(tokens: TokenVectors, offsets: Sequence[Offsets]) -> NDArray[np.float16]:
    """Return the mean vector of the tokens that overlap each range; zeros where none does."""
    starts, ends = np.array(offsets, np.int64).reshape(-1, 2).T
    first = np.searchsorted(tokens.ends, starts, side="right")
    end = np.maximum(np.searchsorted(tokens.starts, ends, side="left"), first)
    sums = np.zeros((len(tokens.starts) + 1, tokens.vectors.shape[1]), np.float32)
    np.cumsum(tokens.vectors, axis=0, dtype=np.float32, out=sums[1:])
    count = np.maximum(end - first, 1)[:, None]
    return np.asarray((sums[end] - sums[first]) / count, np.float16)


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """A network of one hidden layer that scores languages for an edit or a kept word."""

    inward: NDArray[np.float16]  # (n_inputs, n_hidden)
    offset: NDArray[np.float16]  # (n_hidden,)
    outward: NDArray[np.float16]  # (n_hidden, K)

    def scores(self, inputs: NDArray[np.float32]) -> Floats:
        """Return the log-odds of each language over the mean of all, (n, K), for (n, n_inputs).

        Hidden units are GELU (Hendrycks and Gimpel, 2016), in the form with a tanh.
        """
        x = inputs @ self.inward.astype(np.float32) + self.offset.astype(np.float32)
        hidden = 0.5 * x * (1.0 + np.tanh(np.float32(0.7978845608) * (x + 0.044715 * x**3)))
        logits = (hidden @ self.outward.astype(np.float32)).astype(np.float64)
        return np.asarray(logits - logits.mean(axis=1, keepdims=True), np.float64)
