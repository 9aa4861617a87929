"""Collate beads for a tagger; turn its token predictions into features and error spans.

It runs no network and chooses no threshold.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.names.calibration import NameFinding
from detector.records import (
    ERROR_KINDS,
    ErrorKind,
    ErrorSpan,
    NameChange,
    NumberChange,
    Sentence,
    Span,
    TokenVectors,
)
from detector.text.words import Word

Placed = TypeVar("Placed", NameChange, NumberChange, ErrorSpan)

KINDS = ERROR_KINDS
"""Kinds of error, in the order of the network's columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """One side of a bead as the tagger reads it.

    Attributes
    ----------
    vectors : ndarray of shape (n_tokens, d), float16
        Unit rows, as `Encoding.tokens` holds them.
    texts : tuple of str
        The tokens in lower case.
    starts, ends : ndarray of shape (n_tokens,), int64
        Half-open character ranges in the raw text.
    """

    vectors: NDArray[np.float16]
    texts: tuple[str, ...]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, sentences: Sequence[tuple[str, int, TokenVectors]]) -> Tokens:
        """Join the tokens of sentences, each given as encoded text, start and token vectors."""
        return cls(
            np.concatenate([tokens.vectors for _, _, tokens in sentences]),
            tuple(
                text[start:end].lower()
                for text, _, tokens in sentences
                for start, end in zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)
            ),
            np.concatenate([offset + tokens.starts for _, offset, tokens in sentences]),
            np.concatenate([offset + tokens.ends for _, offset, tokens in sentences]),
        )

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, at: slice) -> Tokens:
        return Tokens(self.vectors[at], self.texts[at], self.starts[at], self.ends[at])


@dataclass(frozen=True, slots=True, eq=False)
class TokenTags:
    """A tagger's predictions for the tokens of a bead.

    Attributes
    ----------
    damaged : ndarray of shape (n_copy_tokens,), float64
        Calibrated probability in [0, 1] that the token is damaged.
    lost : ndarray of shape (n_source_tokens,), float64
        Calibrated probability in [0, 1] that the token's meaning is not in the copy.
    kinds : ndarray of shape (n_copy_tokens, n_kinds), float64
        Share in [0, 1] of each of `KINDS`, if it is damaged; rows sum to 1.
    drift : float
        Log-odds that meaning was changed or lost; not calibrated.
    points : float
        Expected error points.
    """

    damaged: NDArray[np.float64]
    lost: NDArray[np.float64]
    kinds: NDArray[np.float64]
    drift: float
    points: float


TAG_FEATURES: tuple[tuple[str, str, Callable[[TokenTags], float]], ...] = (
    ("tag_drift", "log(1 + odds)", lambda tags: float(np.logaddexp(0.0, tags.drift))),
    ("tag_points", "error points", lambda tags: tags.points),
    ("tag_damaged", "sum of probability", lambda tags: float(tags.damaged.sum())),
    ("tag_lost", "sum of probability", lambda tags: float(tags.lost.sum())),
    ("tag_worst_damaged", "probability", lambda tags: float(tags.damaged.max(initial=0.0))),
    ("tag_worst_lost", "probability", lambda tags: float(tags.lost.max(initial=0.0))),
)
"""Name, unit and function of the features of tags; more is worse, 0 is sound."""


def tag_matrix(tags: Sequence[TokenTags]) -> NDArray[np.float64]:
    """Compute `TAG_FEATURES` of every bead, of shape (n, n_tag_features), float64."""
    rows = [[compute(bead) for _, _, compute in TAG_FEATURES] for bead in tags]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(TAG_FEATURES))


def word_probabilities(
    words: Sequence[Word], tokens: Tokens, probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the greatest probability among the tokens of each word, of shape (n_words,)."""
    out = np.zeros(len(words))
    owner = _owner(words, tokens)
    inside = owner >= 0
    np.maximum.at(out, owner[inside], probabilities[inside])
    return out


def name_probability(name: NameFinding, tokens: tuple[Tokens, Tokens], tags: TokenTags) -> float:
    """Return the greatest probability among the tokens that touch a name, on either side."""
    worst = 0.0
    for side, probabilities, span in zip(
        tokens, (tags.lost, tags.damaged), (name.source, name.copy), strict=True
    ):
        if span is not None:
            touched = (side.starts < span.end) & (side.ends > span.start)
            worst = max(worst, float(probabilities[touched].max(initial=0.0)))
    return worst


def error_spans(
    sides: tuple[Sequence[Word], Sequence[Word]],
    tokens: tuple[Tokens, Tokens],
    tags: TokenTags,
    thresholds: tuple[float, float],
) -> tuple[ErrorSpan, ...]:
    """Turn tags into error spans of whole words: those of the copy, then those of the source.

    `sides` holds the words of source and copy, `thresholds` the probabilities from which a copy
    word is damaged and a source word is lost. Neighbouring words of one kind make one span, with
    the greatest of their probabilities.
    """
    (source_words, copy_words), (source, copy) = sides, tokens
    damaged = word_probabilities(copy_words, copy, tags.damaged)
    kinds = np.zeros((len(copy_words), len(KINDS)))
    owner = _owner(copy_words, copy)
    inside = owner >= 0
    np.add.at(kinds, owner[inside], (tags.damaged[:, None] * tags.kinds)[inside])
    lower = [word.text.islower() for word in copy_words]
    kinds[lower, KINDS.index("name")] = 0.0  # tokens are in lower case, words are not
    found = [
        ErrorSpan(copy=span, source=None, probability=probability, kind=kind)
        for span, probability, kind in _runs(
            copy_words, damaged, thresholds[0], [KINDS[k] for k in kinds.argmax(axis=1).tolist()]
        )
    ]
    lost = word_probabilities(source_words, source, tags.lost)
    found += [
        ErrorSpan(copy=None, source=span, probability=probability, kind=kind)
        for span, probability, kind in _runs(
            source_words, lost, thresholds[1], ["omission"] * len(source_words)
        )
    ]
    return tuple(found)


def split_by_sentence(
    items: Sequence[Placed], sentences: Sequence[Sentence]
) -> list[tuple[Placed, ...]]:
    """Assign a bead's changes or spans to its copy sentences; what the copy lacks, to the first.

    None reaches beyond its sentence: a change is cut at its end, an error span goes on in the next.
    """
    parts: list[list[Placed]] = [[] for _ in sentences]
    starts, ends = [s.start for s in sentences], [s.end for s in sentences]
    for item in items:
        if item.copy is None:
            parts[0].append(item)
            continue
        at = bisect_right(ends, item.copy.start)  # a currency may stand before the sentence
        after = at + 1
        if type(item) is ErrorSpan:
            after = bisect_left(starts, item.copy.end)
        for k in range(at, after):
            span = item.copy.within(sentences[k].span)
            parts[k].append(item if span == item.copy else _cut(item, span, sentences[k]))
    return [tuple(part) for part in parts]


def _cut(item: Placed, span: Span, sentence: Sentence) -> Placed:
    if isinstance(item, ErrorSpan):
        return replace(item, copy=span)
    return replace(item, copy=span, copy_text=span.shift(-sentence.start).of(sentence.text))


def _owner(words: Sequence[Word], tokens: Tokens) -> NDArray[np.intp]:
    """Return the index of the word that holds each token's middle, -1 where none does."""
    if not words or not len(tokens):
        return np.full(len(tokens), -1, np.intp)
    starts = np.array([word.start for word in words])
    ends = np.array([word.end for word in words])
    middles = (tokens.starts + tokens.ends) / 2
    at = np.searchsorted(starts, middles, side="right") - 1
    return np.where((at >= 0) & (middles < ends[np.maximum(at, 0)]), at, -1)


def _runs(
    words: Sequence[Word],
    probabilities: NDArray[np.float64],
    threshold: float,
    kinds: Sequence[ErrorKind],
) -> Iterator[tuple[Span, float, ErrorKind]]:
    marked = np.flatnonzero(probabilities >= threshold).tolist()
    for (kind, _), run in groupby(
        enumerate(marked), key=lambda item: (kinds[item[1]], item[1] - item[0])
    ):
        at = [word for _, word in run]
        probability = float(probabilities[at].max())
        yield Span(words[at[0]].start, words[at[-1]].end), probability, kind


Array = TypeVar("Array")

OPENING, CLOSING = 4, 5
"""Roles of the two special tokens: one that pools the whole bead, one that ends a side."""

N_ROLES = 6
N_CUES = 3


class TaggerBatch(NamedTuple):
    """A batch of b beads, padded to t tokens.

    `vectors` of shape (b, t, d), float32: unit rows, zeros at special tokens and padding. `roles`
    of shape (b, t), int64: 0 and 1 source token without and with a counterpart, 2 and 3 copy token
    likewise, then `OPENING` (first) and `CLOSING`. `cues` of shape (b, t, n_cues), float32: of each
    token 1 less its best cosine on the other side, twice the square of that, and whether that
    nearest token has a nearer one itself. `padding` of shape (b, t), bool.
    """

    vectors: NDArray[np.float32]
    roles: NDArray[np.int64]
    cues: NDArray[np.float32]
    padding: NDArray[np.bool_]


class TaggerOutputs(NamedTuple, Generic[Array]):
    """What a network predicts for a batch of b beads padded to t tokens; log-odds throughout.

    `damaged` and `lost` are of shape (b, t) and hold -10,000 where there is no copy token (source
    token); `kinds` is of shape (b, t, n_kinds), before a softmax; `drift` of shape (b,);
    `grades` of shape (b, 3): log(1 + error points), share of edited words and of quality lost.
    """

    damaged: Array
    lost: Array
    kinds: Array
    drift: Array
    grades: Array


class Network(Protocol):
    """Runs a tagger's network over a batch."""

    def predict(self, batch: TaggerBatch, /) -> TaggerOutputs[NDArray[np.float32]]:
        """Predict for a batch."""
        ...


def collate(beads: Sequence[tuple[Tokens, Tokens]]) -> TaggerBatch:
    """Pad a batch of beads, each: opening, source tokens, closing, copy tokens, closing."""
    size = max(len(s) + len(c) + 3 for s, c in beads)
    dimension = beads[0][0].vectors.shape[1]
    vectors = np.zeros((len(beads), size, dimension), np.float32)
    roles = np.full((len(beads), size), CLOSING, np.int64)
    cues = np.zeros((len(beads), size, N_CUES), np.float32)
    padding = np.ones((len(beads), size), np.bool_)
    roles[:, 0] = OPENING
    for row, (source, copy) in enumerate(beads):
        at_source, at_copy = places(source, copy)
        vectors[row, at_source], vectors[row, at_copy] = source.vectors, copy.vectors
        shared = set(source.texts) & set(copy.texts)
        roles[row, at_source] = [text in shared for text in source.texts]
        roles[row, at_copy] = [2 + (text in shared) for text in copy.texts]
        cosines = vectors[row, at_source] @ vectors[row, at_copy].T
        cues[row, at_source], cues[row, at_copy] = _cues(cosines), _cues(cosines.T)
        padding[row, : at_copy.stop + 1] = False
    return TaggerBatch(vectors, roles, cues, padding)


def _cues(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cues of the tokens in the rows, from their cosines to the other side's."""
    if not cosines.size:
        return np.zeros((len(cosines), 3), np.float32)
    nearest = cosines.argmax(axis=1)
    far = 1.0 - cosines.max(axis=1)
    taken = cosines.argmax(axis=0)[nearest] != np.arange(len(cosines))
    return np.stack([far, 2.0 * far**2, taken], axis=1).astype(np.float32)


def places(source: Tokens, copy: Tokens) -> tuple[slice, slice]:
    """Return where the tokens of both sides are in a row of `collate`."""
    middle = 1 + len(source.texts)
    return slice(1, middle), slice(middle + 1, middle + 1 + len(copy.texts))
