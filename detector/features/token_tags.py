"""Hold what a tagger says of tokens: records, columns, error spans.

What a tagger says of the tokens of a bead: the records, the numbers models read, error spans.

Pure: it runs no network and chooses no threshold.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.names.calibration import NameFinding
from detector.records import (
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

KINDS: tuple[ErrorKind, ...] = (
    "mistranslation",
    "omission",
    "addition",
    "name",
    "number",
    "grammar",
)
"""Kinds of damage, in the order of the network's columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """One side of a bead as the tagger reads it.

    Attributes
    ----------
    vectors : ndarray of shape (n_tokens, d), float16
        Unit rows, as `Encoding.tokens` holds them.
    texts : tuple of str
        The tokens in lower case, to see which stand on both sides.
    starts, ends : ndarray of shape (n_tokens,), int64
        Their half-open ranges of characters in the text that the sentences' places count in.
    """

    vectors: NDArray[np.float16]
    texts: tuple[str, ...]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, sentences: Sequence[tuple[str, int, TokenVectors]]) -> Tokens:
        """Join the tokens of neighbouring sentences.

        Parameters
        ----------
        sentences : sequence of (str, int, TokenVectors)
            The text that was encoded, where it starts, and its tokens.
        """
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
    """What the tagger says of a bead.

    Attributes
    ----------
    damaged : ndarray of shape (n_copy_tokens,), float64
        Calibrated probability in [0, 1] that the token is damaged.
    lost : ndarray of shape (n_source_tokens,), float64
        Calibrated probability in [0, 1] that what the token says is not in the copy.
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


def _worst(probabilities: NDArray[np.float64]) -> float:
    return float(probabilities.max(initial=0.0))


def _excess(tags: TokenTags) -> float:
    return float(np.logaddexp(0.0, tags.drift))


TAG_FEATURES: tuple[tuple[str, str, Callable[[TokenTags], float]], ...] = (
    ("tag_drift", "log(1 + odds)", _excess),
    ("tag_points", "error points", lambda tags: tags.points),
    ("tag_damaged", "sum of probability", lambda tags: float(tags.damaged.sum())),
    ("tag_lost", "sum of probability", lambda tags: float(tags.lost.sum())),
    ("tag_worst_damaged", "probability", lambda tags: _worst(tags.damaged)),
    ("tag_worst_lost", "probability", lambda tags: _worst(tags.lost)),
)
"""Name, unit and function of the numbers that models read off tags; more is worse, 0 is sound."""


def tag_matrix(tags: Sequence[TokenTags]) -> NDArray[np.float64]:
    """Read every number off the tags of every bead.

    Returns
    -------
    ndarray of shape (n, n_tag_features), float64
        Columns in the order of `TAG_FEATURES`.
    """
    rows = [[read(one) for _, _, read in TAG_FEATURES] for one in tags]
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


def span_probability(
    tokens: Tokens, probabilities: NDArray[np.float64], span: Span | None
) -> float:
    """Return the greatest probability among the tokens that touch a span; 0 where none does."""
    if span is None:
        return 0.0
    touched = (tokens.starts < span.end) & (tokens.ends > span.start)
    return _worst(probabilities[touched])


def name_probability(name: NameFinding, tokens: tuple[Tokens, Tokens], tags: TokenTags) -> float:
    """Return the greatest probability that a tagger gives to a word of a name, on either side."""
    source, copy = tokens
    return max(
        span_probability(source, tags.lost, name.source),
        span_probability(copy, tags.damaged, name.copy),
    )


def error_spans(
    sides: tuple[Sequence[Word], Sequence[Word]],
    tokens: tuple[Tokens, Tokens],
    tags: TokenTags,
    thresholds: tuple[float, float],
) -> tuple[ErrorSpan, ...]:
    """Turn tags into spans of whole words.

    Parameters
    ----------
    sides : (sequence of Word, sequence of Word)
        Words of source and copy.
    tokens : (Tokens, Tokens)
        Of source and copy; places count in the same texts as the words'.
    tags : TokenTags
    thresholds : (float, float)
        Probabilities from which a copy word is damaged and a source word is lost.

    Returns
    -------
    tuple of ErrorSpan
        Those of the copy in order, then those of the source. Neighbouring words of one kind make
        one span, with the greatest of their probabilities.
    """
    (source_words, copy_words), (source, copy) = sides, tokens
    damaged = word_probabilities(copy_words, copy, tags.damaged)
    kinds = np.zeros((len(copy_words), len(KINDS)))
    owner = _owner(copy_words, copy)
    inside = owner >= 0
    np.add.at(kinds, owner[inside], (tags.damaged[:, None] * tags.kinds)[inside])
    small = [word.text.islower() for word in copy_words]
    kinds[small, KINDS.index("name")] = 0.0  # the tagger sees no capitals; we do
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
    """Deal a bead's names or error spans out to its copy sentences, in order.

    What stands nowhere in the copy goes to the first.
    """
    dealt: list[list[Placed]] = [[] for _ in sentences]
    starts = [sentence.start for sentence in sentences]
    for item in items:
        at = 0 if item.copy is None else max(0, bisect_right(starts, item.copy.start) - 1)
        dealt[at].append(item)
    return [tuple(mine) for mine in dealt]


def _owner(words: Sequence[Word], tokens: Tokens) -> NDArray[np.intp]:
    """Return the word that holds each token's middle, -1 where none does."""
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
