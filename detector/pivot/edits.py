"""Describe a copy's edits to its source, as named features and as vectors.

What was changed from a source sentence to its copy, as named features.

A cheap comparison of two lists of tokens; no model is asked, nothing is weighed. Words that both
sides share are named too, since each pivot loses words of its own: a Slavic one does not leave as
many articles alone. Only how often they come through can speak for a language, not that they are
there: the round trips fitted on hold the same sentences through all languages.

What the encoder makes of words lost, put in and kept: their vectors, and nets on them.

Named features know a word only where they were fitted on it; vectors know what is like it. Numbers
in, numbers out: it encodes nothing and opens no file; nets are fitted in `learn.pivot_net`.
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

from detector.errors import BundleError
from detector.pivot.languages import Leak, find_leaks
from detector.records import TokenVectors
from detector.text.lexicon import is_stopword

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]|_")
# Whether quotation marks survive is the matter of a page and its translator, not of a language.
_DROPPED = frozenset('"“”„«»\xad')
_PLAIN = str.maketrans({"’": "'", "‘": "'", **dict.fromkeys(_DROPPED)})
_ENDINGS = ("ing", "ed", "ly", "tion", "s")
_INFLECTIONS = ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e")
_LONGEST = 4  # tokens of either side of an edit that is looked at as a whole
_OPEN, _CLOSE = "<s>", "</s>"

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Edit:
    """A run of tokens that became another; one side may be empty.

    Attributes
    ----------
    source, copy : tuple of str
        The tokens as written.
    """

    source: tuple[str, ...]
    copy: tuple[str, ...]

    def __str__(self) -> str:
        return f"{' '.join(self.source) or '∅'} → {' '.join(self.copy) or '∅'}"


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that was changed in one sentence.

    Attributes
    ----------
    edits : tuple of Edit
        In the order of the copy; last, where words only changed their capitals, one edit each.
    places : tuple of ((int, int), (int, int))
        Half-open character ranges, in the texts given, of what each edit lost and put in; empty
        ones where a side is. None for the edits of capitals alone, which come last.
    features : mapping of str to int
        Name of each feature to the edit it came from first.
    leaks : tuple of Leak
        Words of other languages in the copy.
    kept : tuple of str
        Names of what was kept: each kept word by itself and with its neighbours in the source.
    kept_places : tuple of (int, int)
        Half-open character ranges in the source of the tokens that the copy has in the same order.
    n_source, n_copy : int
        Tokens of each side.
    """

    edits: tuple[Edit, ...]
    places: tuple[tuple[Place, Place], ...]
    features: dict[str, int]
    leaks: tuple[Leak, ...]
    kept: tuple[str, ...]
    kept_places: tuple[Place, ...]
    n_source: int
    n_copy: int


def tokens(text: str) -> tuple[list[str], list[Place]]:
    """Cut a text into words, figures and signs, and say where each stands in it.

    Examples
    --------
    >>> tokens("It’s 1,000 well-known")[0]
    ["It's", '1,000', 'well', '-', 'known']
    """
    found = list(_TOKEN.finditer(text.translate(_PLAIN)))
    where = [at for at, sign in enumerate(text) if sign not in _DROPPED]
    return [one.group() for one in found], [
        (where[one.start()], where[one.end() - 1] + 1) for one in found
    ]


def _stretch(places: list[Place], first: int, end: int) -> Place:
    return (places[first][0], places[end - 1][1]) if end > first else (0, 0)


def key_of(feature: str) -> int:
    """Return the number that stands for a feature's name in a model: its CRC-32."""
    return zlib.crc32(feature.encode("utf-8", "surrogatepass"))


def changes(source: str, copy: str, languages: Sequence[str] = ()) -> Changes:
    """Compare a source sentence with its copy.

    Parameters
    ----------
    source, copy : str
        Any text; capitals do not part words.
    languages : sequence of str
        Codes of the languages whose words are looked for in the copy.

    Returns
    -------
    Changes

    Examples
    --------
    >>> found = changes("It was a robbery.", "It was a flight.")
    >>> [str(edit) for edit in found.edits], "pair robbery>flight" in found.features
    (['robbery → flight'], True)
    """
    (written, lost_at), (rendered, put_at) = tokens(source), tokens(copy)
    a, b = [w.lower() for w in written], [w.lower() for w in rendered]
    blocks, kept = _blocks(a, b)
    edits = [Edit(tuple(written[i:j]), tuple(rendered[k:m])) for i, j, k, m in blocks]
    cased = [Edit((written[i],), (rendered[k],)) for i, k in kept if written[i] != rendered[k]]
    new = {word: number for number, edit in enumerate(edits) for word in edit.copy}
    leaks = find_leaks(written, new, languages)
    features: dict[str, int] = {}
    sides = _Sides(a, b)
    named = chain(
        sides.named(blocks),
        _cases(cased, len(edits)),
        _moves(blocks, a, b),
        ((name, new[leak.word]) for leak in leaks for name in leak.features),
    )
    for name, number in named:
        features.setdefault(name, number)
    places = tuple((_stretch(lost_at, i, j), _stretch(put_at, k, m)) for i, j, k, m in blocks)
    return Changes(
        edits=tuple(edits + cased),
        places=places,
        features=features,
        leaks=leaks,
        kept=tuple(sides.kept(i for i, _ in kept)),
        kept_places=tuple(lost_at[i] for i, _ in kept),
        n_source=len(a),
        n_copy=len(b),
    )


def _blocks(
    source: list[str], copy: list[str]
) -> tuple[list[tuple[int, int, int, int]], list[tuple[int, int]]]:
    """Find the runs that differ, as bounds on both sides, and the pairs of places that do not."""
    from rapidfuzz.distance import Levenshtein

    blocks: list[tuple[int, int, int, int]] = []
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


def _cases(cased: list[Edit], first: int) -> Iterator[tuple[str, int]]:
    for number, edit in enumerate(cased, first):
        yield f"case {edit.source[0]}>{edit.copy[0]}", number
        yield f"case {'lower' if edit.copy[0].islower() else 'upper'}", number


class _Sides:
    """Both sides' tokens and their kinds, framed by marks of start and end."""

    def __init__(self, source: list[str], copy: list[str]) -> None:
        self.source = [_OPEN, *source, _CLOSE]
        self.copy = [_OPEN, *copy, _CLOSE]
        self.source_kinds = [_kind(w) for w in self.source]
        self.copy_kinds = [_kind(w) for w in self.copy]

    def named(self, blocks: list[tuple[int, int, int, int]]) -> Iterator[tuple[str, int]]:
        """Name what there is to each edit, with its number."""
        for number, block in enumerate(blocks):
            for name in self.features(*block):
                yield name, number

    def kept(self, at: Iterable[int]) -> Iterator[str]:
        """Name what there is to source tokens that were kept."""
        return _words("kept", self.source, self.source_kinds, (i + 1 for i in at))

    def features(self, i: int, j: int, k: int, m: int) -> Iterator[str]:
        """Name what there is to an edit of source tokens i to j and copy tokens k to m."""
        lost, new = self.source[i + 1 : j + 1], self.copy[k + 1 : m + 1]
        if len(lost) <= _LONGEST and len(new) <= _LONGEST:
            yield from self._whole(i, j, k, m)
        if len(lost) <= _LONGEST + 1 and len(new) <= _LONGEST + 1:
            for s in lost:
                for c in new:
                    yield from _pair(s, c)
        yield from _words("out", self.source, self.source_kinds, range(i + 1, j + 1))
        yield from _words("in", self.copy, self.copy_kinds, range(k + 1, m + 1))

    def _whole(self, i: int, j: int, k: int, m: int) -> Iterator[str]:
        before, after = slice(i + 1, j + 1), slice(k + 1, m + 1)
        words = f"{' '.join(self.source[before])}>{' '.join(self.copy[after])}"
        kinds = f"{' '.join(self.source_kinds[before])}>{' '.join(self.copy_kinds[after])}"
        left, right = self.source[i], self.source[j + 1]
        yield f"edit {words}"
        yield f"edit {left}|{words}"
        yield f"edit {words}|{right}"
        yield f"kinds {kinds}"
        yield f"kinds {left}|{kinds}"
        yield f"kinds {kinds}|{right}"
        near, far = self.source_kinds[i], self.source_kinds[j + 1]
        yield f"kinds {near}|{kinds}"
        yield f"kinds {kinds}|{far}"
        yield f"kinds {near}|{kinds}|{far}"


def _words(side: str, words: list[str], kinds: list[str], at: Iterable[int]) -> Iterator[str]:
    for p in at:
        yield f"{side} {words[p]}"
        yield f"{side} {words[p - 1]}_{words[p]}"
        yield f"{side} {words[p]}_{words[p + 1]}"
        yield f"{side} {kinds[p - 1]}_{words[p]}_{kinds[p + 1]}"


@lru_cache(maxsize=65536)
def _pair(source: str, copy: str) -> tuple[str, ...]:
    """Name what there is to one word in the place of another."""
    from rapidfuzz.distance import Indel, Levenshtein

    found = [f"pair {source}>{copy}"]
    common = 0
    while common < min(len(source), len(copy)) and source[common] == copy[common]:
        common += 1
    if common >= 3:
        found.append(f"ending {source[common:]}>{copy[common:]}")
    if source[0].isdigit() and copy[0].isdigit():
        found.append(f"figure {_shape(source)}>{_shape(copy)}")
    elif min(len(source), len(copy)) >= 4 and Indel.normalized_similarity(source, copy) >= 0.6:
        for op in Levenshtein.opcodes(source, copy):
            if op.tag != "equal":
                old = source[op.src_start : op.src_end]
                found.append(f"letters {old}>{copy[op.dest_start : op.dest_end]}")
    return tuple(found)


def _moves(
    blocks: list[tuple[int, int, int, int]], a: list[str], b: list[str]
) -> Iterator[tuple[str, int]]:
    """Name the words that left one place and came up in another."""
    lost = {w for i, j, _, _ in blocks for w in a[i:j]}
    stems = {_stem(w) for w in lost if not is_stopword(w)}
    for number, (_, _, k, m) in enumerate(blocks):
        for word in b[k:m]:
            if word in lost:
                yield f"moved {word}", number
                yield f"moved kind {_kind(word)}", number
            elif not is_stopword(word) and _stem(word) in stems:
                yield f"moved stem {_kind(word)}", number


def _shape(figure: str) -> str:
    return re.sub(r"\d", "0", figure)


@lru_cache(maxsize=65536)
def _kind(word: str) -> str:
    """Return a small word or a sign itself, and of others the ending."""
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
"""Numbers that say how long both sides of an edit are."""

_LONG_SIDE = 4  # tokens from which a side counts as long

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a bead: its raw text, and the encoder's tokens, whose places count in it."""

    text: str
    tokens: TokenVectors


@dataclass(frozen=True, slots=True, eq=False)
class Contexts:
    """What stands behind the edits of a sentence or more.

    Attributes
    ----------
    lost, put : ndarray of shape (n, d), float16
        Mean vector of the encoder's tokens that an edit took out of the source, and of those that
        it put into the copy; zeros where there are none.
    lengths : ndarray of shape (n, 2), uint8
        Tokens of `pivoting.edits` on both sides; 255 stands for more.
    """

    lost: NDArray[np.float16]
    put: NDArray[np.float16]
    lengths: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, at: slice | NDArray[np.int64]) -> Contexts:
        return Contexts(self.lost[at], self.put[at], self.lengths[at])

    @classmethod
    def joined(cls, parts: Sequence[Contexts]) -> Contexts:
        """Put the edits of several sentences together; there is one sentence at least."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))

    def numbers(self) -> NDArray[np.float32]:
        """Return what a net reads.

        Returns
        -------
        ndarray of shape (n, 2 d + N_LENGTHS), float32
            Both vectors, how long each side is, and whether it is empty.
        """
        lengths = np.minimum(self.lengths, _LONG_SIDE).astype(np.float32)
        parts = (self.lost, self.put, lengths / 2.0, lengths == 0.0)
        return np.concatenate([one.astype(np.float32) for one in parts], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A sentence and its copy: what was changed, and the vectors behind it.

    Attributes
    ----------
    changes : Changes
    contexts : Contexts
        Of the edits.
    kept : ndarray of shape (n_kept, d), float16
        Mean vector of the encoder's tokens of each source word that was kept.
    """

    changes: Changes
    contexts: Contexts
    kept: NDArray[np.float16]


def compare(source: Side, copy: Side, languages: Sequence[str] = ()) -> Compared:
    """Compare a source sentence with its copy.

    Parameters
    ----------
    source, copy : Side
    languages : sequence of str
        As for `changes`.
    """
    found = changes(source.text, copy.text, languages)
    lost, put = ([place[side] for place in found.places] for side in (0, 1))
    lengths = [(len(one.source), len(one.copy)) for one in found.edits[: len(found.places)]]
    of_source = means(source.tokens, [*lost, *found.kept_places])
    return Compared(
        found,
        Contexts(
            of_source[: len(lost)],
            means(copy.tokens, put),
            np.minimum(np.array(lengths).reshape(-1, 2), 255).astype(np.uint8),
        ),
        of_source[len(lost) :],
    )


def means(tokens: TokenVectors, places: Sequence[Place]) -> NDArray[np.float16]:
    """Return the mean vector of the tokens that reach into each place; zeros where none does."""
    starts, ends = np.array(places, np.int64).reshape(-1, 2).T
    first = np.searchsorted(tokens.ends, starts, side="right")
    end = np.maximum(np.searchsorted(tokens.starts, ends, side="left"), first)
    sums = np.zeros((len(tokens.starts) + 1, tokens.vectors.shape[1]), np.float32)
    np.cumsum(tokens.vectors, axis=0, dtype=np.float32, out=sums[1:])
    count = np.maximum(end - first, 1)[:, None]
    found: NDArray[np.float16] = ((sums[end] - sums[first]) / count).astype(np.float16)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """A net of one hidden layer that says how much an edit or a word speaks for each language.

    Attributes
    ----------
    inward : ndarray of shape (n_numbers, n_hidden), float16
    offset : ndarray of shape (n_hidden,), float16
    outward : ndarray of shape (n_hidden, K), float16
    """

    inward: NDArray[np.float16]
    offset: NDArray[np.float16]
    outward: NDArray[np.float16]

    def __post_init__(self) -> None:
        hidden = self.inward.shape[1:]
        if self.offset.shape != hidden or self.outward.shape[:1] != hidden:
            msg = (
                f"pivot model: inward has shape {self.inward.shape}, offset {self.offset.shape} "
                f"and outward {self.outward.shape}; they do not fit, train it again"
            )
            raise BundleError(msg)

    def scores(self, numbers: NDArray[np.float32]) -> Floats:
        """Return how much each of n edits or words speaks for each language.

        Parameters
        ----------
        numbers : ndarray of shape (n, n_numbers), float32
            `Contexts.numbers` of edits, or vectors of words.

        Returns
        -------
        ndarray of shape (n, K), float64
            In nats of one sentence, over the mean of all languages.

        Notes
        -----
        The hidden units are GELU (Hendrycks and Gimpel, 2016), in the form with a tanh.
        """
        x = numbers @ self.inward.astype(np.float32) + self.offset.astype(np.float32)
        hidden = 0.5 * x * (1.0 + np.tanh(np.float32(0.7978845608) * (x + 0.044715 * x**3)))
        found = (hidden @ self.outward.astype(np.float32)).astype(np.float64)
        return np.asarray(found - found.mean(axis=1, keepdims=True), np.float64)
