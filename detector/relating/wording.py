"""Where two texts are worded differently, and how much the copy's wording looks made by machine.

Pure: words in, runs and log-odds out. It knows no document and no bead; `traits` puts its numbers
together.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from detector.reading.view import matching_view

N_BUCKETS = 1 << 18
"""Weights of `machine_odds`; a word or a run of words has the one of its hash."""

_WORD = re.compile(r"\w+(?: ?'(?:s|t|re|ve|ll|d|m)\b)?", re.IGNORECASE)
_LONGEST = 1024  # words of a side; what comes after is not compared
_SPAN = 3  # neighbouring words looked at together
_MANY, _LONG = 6, 12  # words of a run and letters of a word, from which more is the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Neighbouring words of the source that stand as other words in the copy; half-open ranges.

    One side may be empty.
    """

    source: range
    copy: range


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words of both sides of a bead, and where they differ.

    Attributes
    ----------
    source, copy : tuple of str
        In lower case, elided endings included ("don't" is one word).
    changed : tuple of Run
        In order; every word outside of them is the same on both sides.
    """

    source: tuple[str, ...]
    copy: tuple[str, ...]
    changed: tuple[Run, ...]

    @property
    def kept(self) -> int:
        """How many words stand on both sides in the same order."""
        return len(self.source) - sum(len(run.source) for run in self.changed)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case.

    Examples
    --------
    >>> words_of("They don’t pay. U.S. banks’ costs")
    ('they', "don't", 'pay', 'u', 's', 'banks', 'costs')
    """
    return tuple(w.group().replace(" ", "").lower() for w in _WORD.finditer(matching_view(text)))


def compare(source: str, copy: str) -> Wording:
    """Compare the words of two texts.

    Parameters
    ----------
    source, copy : str
        Of each, at most the first 1,024 words are compared.

    Returns
    -------
    Wording
        With the fewest changes (Levenshtein distance over words).
    """
    here, there = words_of(source)[:_LONGEST], words_of(copy)[:_LONGEST]
    changed = tuple(
        Run(source=range(op.src_start, op.src_end), copy=range(op.dest_start, op.dest_end))
        for op in Levenshtein.opcodes(here, there)
        if op.tag != "equal"
    )
    return Wording(source=here, copy=there, changed=changed)


def looks(wording: Wording) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how a bead's changed words and their neighbours are spelled, as a sparse row.

    Parameters
    ----------
    wording : Wording

    Returns
    -------
    places : ndarray of shape (n,), int64
        Distinct, rising, in [0, `N_BUCKETS`).
    values : ndarray of shape (n,), float64
        How often the copy holds what hashes there, less how often the source does, over the root
        of n; none is 0. Swapping the sides turns every sign.
    """
    found: dict[int, int] = {}
    for run in wording.changed:
        for place, sign in _signed(wording, run):
            found[place] = found.get(place, 0) + sign
    places = sorted(place for place, value in found.items() if value)
    values = np.array([found[place] for place in places], np.float64)
    return np.array(places, np.int64), values / np.sqrt(max(len(places), 1))


def machine_odds(wording: Wording, weights: NDArray[np.floating]) -> float:
    """Return the log-odds that the copy's side of a bead is the machine's, and not the source's.

    Parameters
    ----------
    wording : Wording
    weights : ndarray of shape (`N_BUCKETS`,)

    Returns
    -------
    float
        0 where the words are the same; swapping the sides turns the sign.
    """
    places, values = looks(wording)
    return float(weights[places].astype(np.float64) @ values)


def run_odds(wording: Wording, run: Run, weights: NDArray[np.floating]) -> float:
    """Return how much one run adds to `machine_odds`, before it is divided by the root of n."""
    return sum(sign * float(weights[place]) for place, sign in _signed(wording, run))


def _signed(wording: Wording, run: Run) -> Iterator[tuple[int, int]]:
    """Yield where each part of a run hashes to: 1 for the copy's, -1 for the source's."""
    for words, at, sign in ((wording.source, run.source, -1), (wording.copy, run.copy, 1)):
        for gram in _grams(words, at):
            yield zlib.crc32(gram.encode()) % N_BUCKETS, sign


def _grams(words: Sequence[str], at: range) -> list[str]:
    """Return what a run is made of: its words, how they begin and end, and their neighbours.

    Neighbours are runs of two and three words that reach one word beyond the run on either side.
    """
    inner = words[at.start : at.stop]
    grams = [f"{min(len(inner), _MANY)} words", *inner]
    for word in inner:
        size = len(word)
        grams.append(f"{min(size, _LONG)} letters")
        if size > 4:
            grams.append(f"-{word[-3:]}")
        if size > 5:
            grams.append(f"{word[:4]}-")
    before = words[at.start - 1] if at.start else "<"
    after = words[at.stop] if at.stop < len(words) else ">"
    run = (before, *inner, after)
    for size in range(2, _SPAN + 1):
        grams += [" ".join(run[i : i + size]) for i in range(len(run) - size + 1)]
    return grams
