"""Tokenise sentences into words and align the words of two sentences.

This is the only tokeniser of the package: `find_words` gives words with their places and a
normalised form `norm`. A plain word diff is `rapidfuzz.distance.Levenshtein.opcodes` (or `LCSseq`)
over the norms; `align_words` links words by meaning as well. Names and numbers are detected
elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detector.records import Span, TokenVectors
from detector.text.lexicon import is_stopword, zipf

# Marks that a reader does not see: soft hyphen, zero-width and bidirectional controls, BOM.
_INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_APOSTROPHES = "'’‘ʼ`´"
_WORD = re.compile(
    rf"""
    (?:[^\W\d_]\.){{2,}}                       # U.S.  a.m.
    | \d+(?:[.,]\d+)+(?![^\W_])                 # 1.5  200,000
    | [^\W\d_]+\x20?n[{_APOSTROPHES}]t\b         # don't, as well when taken apart: do n't
    | [^\W_](?:[{_INVISIBLE}\u0300-\u036f]*[^\W_])*  # a run of letters and digits ...
      (?:[{_APOSTROPHES}][^\W_]+)*              # ... with what an apostrophe ties to it
      (?:\x20[{_APOSTROPHES}](?:s|re|ve|ll|d|m)\b)?  # ... taken apart or not: Khan 's
    """,
    re.VERBOSE,
)
_PRICE = 0.15  # similarity that a link must exceed
_DROP = re.compile(f"[{_INVISIBLE}]")
# Letters that Unicode does not take apart into a base and a mark.
_LETTERS = str.maketrans(
    {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "ħ": "h"}
)
_POSSESSIVE = re.compile(rf"(?:\x20?[{_APOSTROPHES}][sS]|(?<=[sS])[{_APOSTROPHES}])$")


@dataclass(frozen=True, slots=True)
class Word:
    """A word: a run of letters and digits with the apostrophes inside it.

    `text` is the text at `start` to `end`. `norm` is what two spellings of the word share: lower
    case, no accents, no invisible marks, straight apostrophe, no possessive ending, no dots of an
    abbreviation. `possessive` says whether the text ends in a possessive 's (or s').
    """

    start: int
    end: int
    text: str
    norm: str
    possessive: bool

    @property
    def span(self) -> Span:
        """The word's place in the text."""
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True, eq=False)
class WordAlignment:
    """One-to-one links between the words of two sides.

    Attributes
    ----------
    source, copy : tuple of Word
    to_copy : ndarray of shape (n_source,), int32
        Index of the copy word, -1 where there is none.
    to_source : ndarray of shape (n_copy,), int32
        The same from the other side; the two agree.
    strength : ndarray of shape (n_source, n_copy), float32
        Similarity in [0, 1]: 1 for identical words, else contextual cosine and spelling.
    """

    source: tuple[Word, ...]
    copy: tuple[Word, ...]
    to_copy: NDArray[np.int32]
    to_source: NDArray[np.int32]
    strength: NDArray[np.float32]

    @property
    def source_strength(self) -> NDArray[np.float32]:
        """Similarity of each source word to its copy word; 0 where it has none."""
        return _linked(self.strength, self.to_copy)

    @property
    def copy_strength(self) -> NDArray[np.float32]:
        """Similarity of each copy word to its source word; 0 where it has none."""
        return _linked(self.strength.T, self.to_source)


def find_words(text: str, *, offset: int = 0) -> tuple[Word, ...]:
    """Find the words of a text, in order.

    `offset` is where `text` starts in the text that places count from:
    `text[word.start - offset : word.end - offset] == word.text`.

    Examples
    --------
    >>> [w.norm for w in find_words("Khan’s U.S. trip cost 1.5 million")]
    ['khan', 'us', 'trip', 'cost', '1.5', 'million']
    """
    words = []
    for match in _WORD.finditer(text):
        # The possessive of a plural ("analysts'") has its apostrophe after the match.
        start, end = match.span()
        if text[end - 1] in "sS" and text[end : end + 1] in _APOSTROPHES and end < len(text):
            possessive = True
        else:
            possessive = _POSSESSIVE.search(match.group()) is not None
        norm = normalise(match.group())
        if norm:
            words.append(Word(start + offset, end + offset, match.group(), norm, possessive))
    return tuple(words)


@lru_cache(maxsize=65536)
def normalise(text: str) -> str:
    r"""Return what two spellings of one word share: see `Word.norm`.

    Examples
    --------
    >>> normalise("Türkiye’s"), normalise("U.S."), normalise("ex\xadtra")
    ('turkiye', 'us', 'extra')
    """
    text = _POSSESSIVE.sub("", _DROP.sub("", text))
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_LETTERS))
        text = "".join(c for c in text if not unicodedata.combining(c))
        text = re.sub(f"[{_APOSTROPHES}]", "'", text)
    if "." in text and not text[0].isdigit():
        text = text.replace(".", "")
    return text.replace(" ", "").casefold()


def word_vectors(
    words: Sequence[Word], tokens: TokenVectors, *, offset: int
) -> NDArray[np.float32]:
    """Average the token vectors that fall into each word of a sentence.

    `offset` is where the sentence starts in the text that the words' places count from. Returns
    unit rows of shape (n_words, d), float32; a zero row for a word past the encoder's limit.
    """
    dimension = tokens.vectors.shape[1] if tokens.vectors.ndim == 2 else 0
    out = np.zeros((len(words), dimension), dtype=np.float32)
    if not len(words) or not len(tokens.starts):
        return out
    starts = np.fromiter((w.start for w in words), np.int64, len(words)) - offset
    ends = np.fromiter((w.end for w in words), np.int64, len(words)) - offset
    middles = (tokens.starts + tokens.ends) / 2
    owner = np.searchsorted(starts, middles, side="right") - 1
    inside = (owner >= 0) & (middles < ends[np.maximum(owner, 0)])
    member = np.zeros((len(words), len(middles)), dtype=np.float32)
    member[owner[inside], np.flatnonzero(inside)] = 1.0
    out = member @ tokens.vectors.astype(np.float32, copy=False)
    norms = np.maximum(np.linalg.norm(out, axis=1, keepdims=True), np.float32(1e-6))
    return np.asarray(out / norms, dtype=np.float32)


def align_words(
    source: Sequence[Word],
    copy: Sequence[Word],
    *,
    source_vectors: NDArray[np.float32] | None = None,
    copy_vectors: NDArray[np.float32] | None = None,
) -> WordAlignment:
    """Link the words of both sides of a bead, one to one.

    The vectors are contextual, unit rows of shape (n_words, d), float32; without them spelling and
    place decide.

    Notes
    -----
    The links are the assignment of greatest total gain (Jonker and Volgenant, 1987, through
    `scipy.optimize.linear_sum_assignment`). The gain of a link is the similarity less a price, so
    a word without a counterpart has no link. Similarity is the contextual cosine (as in SimAlign:
    Jalili Sabet et al., 2020) raised by spelling: identical words count 1, words that share a stem
    or most of their letters at least .57 to .95. A small term for the relative place decides
    between two occurrences of one word.
    """
    n, m = len(source), len(copy)
    to_copy, to_source = np.full(n, -1, np.int32), np.full(m, -1, np.int32)
    if not n or not m:
        none = np.zeros((n, m), np.float32)
        return WordAlignment(tuple(source), tuple(copy), to_copy, to_source, none)
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cdist
    from scipy.optimize import linear_sum_assignment

    if source_vectors is None or copy_vectors is None:
        strength = np.zeros((n, m), np.float32)
    else:
        # Contextual cosines of unrelated words in one sentence lie near .2.
        strength = np.clip((source_vectors @ copy_vectors.T - 0.2) / 0.8, 0.0, 0.9)
    source_norms, copy_norms = [w.norm for w in source], [w.norm for w in copy]
    spelling = cdist(
        source_norms, copy_norms, scorer=Indel.normalized_similarity, score_cutoff=0.6
    ).astype(np.float32)
    short = np.minimum.outer([len(w) for w in source_norms], [len(w) for w in copy_norms]) < 4
    spelling[short & (spelling < 1.0)] = 0.0
    strength = np.maximum(strength, np.where(spelling < 1.0, spelling * 0.95, 1.0))
    # A name or a noun rarely translates "the": such links are close in context alone.
    small = [np.array([is_stopword(w) for w in norms]) for norms in (source_norms, copy_norms)]
    strength[np.not_equal.outer(*small) & (spelling < 1.0)] *= 0.5
    place = np.abs(np.subtract.outer((np.arange(n) + 0.5) / n, (np.arange(m) + 0.5) / m))
    gain = strength - _PRICE - 0.15 * place
    rows, columns = linear_sum_assignment(np.maximum(gain, 0.0), maximize=True)
    kept = gain[rows, columns] > 0.0
    to_copy[rows[kept]] = columns[kept]
    to_source[columns[kept]] = rows[kept]
    return WordAlignment(tuple(source), tuple(copy), to_copy, to_source, strength)


def rarity(words: Sequence[Word]) -> NDArray[np.float64]:
    """Weight each word by its rarity: 0 for "the", near 1 for an unseen word.

    Weights of shape (n,), in [0, 1], are linear in the word's Zipf frequency.
    """
    return np.fromiter((_weight(w.norm) for w in words), np.float64, len(words))


@lru_cache(maxsize=65536)
def _weight(norm: str) -> float:
    # Zipf frequencies: "the" 7.7, "said" 6, "treaty" 4.3, a surname 2 to 3.
    if norm[0].isdigit():
        return 0.7  # a number says as much as a rare noun, however frequent "2" is
    return min(1.0, max(0.0, (7.0 - zipf(norm)) / 4.5))


def _linked(strength: NDArray[np.float32], to: NDArray[np.int32]) -> NDArray[np.float32]:
    out = np.zeros(len(to), np.float32)
    linked = to >= 0
    out[linked] = strength[np.flatnonzero(linked), to[linked]]
    return out
