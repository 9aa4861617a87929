"""What a tagger says of each word of a pair, beside what people marked there.

Nothing is fitted and nothing judged here: `tagger_runs` chooses thresholds by it, `word_figures`
measures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.encode import Encoder
from detector.evidence import BeadEvidence, gather_pairs
from detector.learn.corpus import Mark, Pair
from detector.learn.metrics import Floats
from detector.tagger import Tagger
from detector.tags import word_probabilities
from detector.words import Word

_PART = 64  # pairs read at a time


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of one side of a pair.

    Attributes
    ----------
    probability : ndarray of shape (n_words,), float64
        The tagger's, in [0, 1], that the word is damaged or lost.
    weight : ndarray of shape (n_words,), float64
        Error points of the worst mark on it, 0 where there is none or the pair is sound.
    size : ndarray of shape (n_words,), float64
        Characters.
    """

    probability: Floats
    weight: Floats
    size: Floats


@dataclass(frozen=True, slots=True, eq=False)
class TaggedWords:
    """Both sides of a pair.

    Attributes
    ----------
    pair : Pair
    copy, source : Words
    new : ndarray of shape (n_copy_words,), bool
        Which words of the copy the source does not hold: the lexical difference.
    gone : ndarray of shape (n_source_words,), bool
        Which words of the source the copy does not hold.
    """

    pair: Pair
    copy: Words
    source: Words
    new: NDArray[np.bool_]
    gone: NDArray[np.bool_]


def tagged_words(tagger: Tagger, pairs: Sequence[Pair], encoder: Encoder) -> list[TaggedWords]:
    """Read pairs word by word.

    Parameters
    ----------
    tagger : Tagger
    pairs : sequence of Pair
    encoder : Encoder
        Must offer token vectors.

    Returns
    -------
    list of TaggedWords
        In the order of `pairs`.
    """
    return [
        words
        for start in range(0, len(pairs), _PART)
        for words in _read(tagger, pairs[start : start + _PART], encoder)
    ]


def _read(tagger: Tagger, pairs: Sequence[Pair], encoder: Encoder) -> Iterator[TaggedWords]:
    beads = list(gather_pairs(((p.source, p.copy) for p in pairs), encoder, batch=_PART))
    tokens = [both for bead in beads if (both := bead.tokens) is not None]
    for pair, bead, (source, copy), tags in zip(
        pairs, beads, tokens, tagger.tag(tokens), strict=True
    ):
        words = bead.words
        yield TaggedWords(
            pair=pair,
            copy=_words(
                words.copy, word_probabilities(words.copy, copy, tags.damaged), pair, "copy"
            ),
            source=_words(
                words.source, word_probabilities(words.source, source, tags.lost), pair, "source"
            ),
            new=_unshared(bead, of="copy"),
            gone=_unshared(bead, of="source"),
        )


def _words(words: Sequence[Word], probability: Floats, pair: Pair, side: str) -> Words:
    harmless = pair.corpus == "contrast" and pair.label is False
    marks = [] if harmless else [mark for mark in pair.marks if mark.side == side]
    return Words(
        probability,
        marked_words(words, marks),
        np.array([float(word.end - word.start) for word in words]),
    )


def marked_words(words: Sequence[Word], marks: Sequence[Mark]) -> Floats:
    """Return the error points of the worst mark on each word, of shape (n_words,)."""
    weight = np.zeros(len(words))
    starts = np.array([word.start for word in words])
    ends = np.array([word.end for word in words])
    for mark in marks:
        hit = (starts < mark.end) & (ends > mark.start)
        weight[hit] = np.maximum(weight[hit], mark.weight)
    return weight


def _unshared(bead: BeadEvidence, *, of: str) -> NDArray[np.bool_]:
    sides = {"copy": bead.words.copy, "source": bead.words.source}
    (mine, theirs) = (sides.pop(of), *sides.values())
    held = {word.norm for word in theirs}
    return np.array([word.norm not in held for word in mine], dtype=np.bool_)
