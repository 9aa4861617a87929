"""Compute what two whole texts have in common, in numbers.

Where two texts are worded differently, and how much the copy's wording looks made by machine.

Pure: words in, runs and log-odds out. It knows no document and no bead; `traits` puts its numbers
together.

What two whole texts have in common, in numbers: the columns of the model of relations.

Pure: two documents and their alignment in, one row of named numbers out. It needs no vectors, so a
candidate out of an archive is measured like any other source.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from detector.encoder import matching_view
from detector.records import CLOSE_COSINE, Alignment, Bead, Document
from detector.text.lexicon import is_stopword, zipf

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


_CAPITAL = re.compile(r"(?<=[\w,;:] )[A-Z][\w'’-]+")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_RAREST = 7.0  # Zipf value from which a word says nothing of a text's matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A bead whose two sides say much the same.

    Attributes
    ----------
    bead : Bead
    wording : Wording
    odds : float
        `machine_odds` of it.
    kept_names, n_names : int
        Words with a capital inside a sentence of the source: found in the copy, and all.
    kept_figures, n_figures : int
        Numbers in digits likewise.
    """

    bead: Bead
    wording: Wording
    odds: float
    kept_names: int
    n_names: int
    kept_figures: int
    n_figures: int

    @property
    def likeness(self) -> float:
        """Share in [0, 1] of both sides' words that are the same in the same order."""
        total = len(self.wording.source) + len(self.wording.copy)
        return 2.0 * self.wording.kept / total if total else 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Two documents, measured.

    Attributes
    ----------
    covered : tuple of Covered
    copy_share, source_share : float
        Share in [0, 1] of each text's characters in covered beads, page furniture left aside.
    matter : float
        Share in [0, 1] of the copy's rare words that the source holds, weighted by rarity.
    """

    covered: tuple[Covered, ...]
    copy_share: float
    source_share: float
    matter: float

    def weighed(self, weights: NDArray[np.floating]) -> Measured:
        """Return the same with the odds that other weights of wording give."""
        covered = (replace(b, odds=machine_odds(b.wording, weights)) for b in self.covered)
        return replace(self, covered=tuple(covered))

    def values(self) -> NDArray[np.float64]:
        """Return the columns of `TRAITS`, of shape (n_traits,); all are finite."""
        return np.array([trait.measure(self) for trait in TRAITS], np.float64)


def measure(
    source: Document, copy: Document, alignment: Alignment, weights: NDArray[np.floating]
) -> Measured:
    """Measure what two aligned documents have in common.

    Parameters
    ----------
    source, copy : Document
    alignment : Alignment
        Of the two.
    weights : ndarray of shape (`wording.N_BUCKETS`,)
        Of `wording.machine_odds`.

    Returns
    -------
    Measured
    """
    covered = tuple(
        _covered(bead, _text(source, bead.source), _text(copy, bead.copy), weights)
        for bead in alignment.close
    )
    return Measured(
        covered=covered,
        copy_share=_share(copy, [bead.bead.copy for bead in covered]),
        source_share=_share(source, [bead.bead.source for bead in covered]),
        matter=_matter(source, copy),
    )


def _covered(bead: Bead, source: str, copy: str, weights: NDArray[np.floating]) -> Covered:
    wording = compare(source, copy)
    there = Counter(re.findall(r"[\w'’-]+", copy))
    names = Counter(_CAPITAL.findall(source))
    figures, copied = Counter(_FIGURE.findall(source)), Counter(_FIGURE.findall(copy))
    return Covered(
        bead=bead,
        wording=wording,
        odds=machine_odds(wording, weights),
        kept_names=(names & there).total(),
        n_names=names.total(),
        kept_figures=(figures & copied).total(),
        n_figures=figures.total(),
    )


def _text(document: Document, indices: range) -> str:
    start = document.sentences[indices.start].start
    return document.raw[start : document.sentences[indices.stop - 1].end]


def _share(document: Document, parts: Sequence[range]) -> float:
    inside = {i for part in parts for i in part}
    body = [
        i
        for i, sentence in enumerate(document.sentences)
        if i in inside or sentence.boilerplate is None
    ]
    total = sum(len(document.sentences[i].text) for i in body)
    return sum(len(document.sentences[i].text) for i in body if i in inside) / max(total, 1)


def _matter(source: Document, copy: Document) -> float:
    there = set(words_of(source.raw))
    weights = {w: _RAREST - zipf(w) for w in set(words_of(copy.raw)) if not is_stopword(w)}
    weights = {w: weight for w, weight in weights.items() if weight > 0.0}
    total = math.fsum(weights.values())
    return math.fsum(w for word, w in weights.items() if word in there) / total if total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One column: its name, its unit, and how it is measured."""

    name: str
    unit: str
    measure: Callable[[Measured], float]


def _mean(values: Sequence[float], absent: float) -> float:
    return float(np.mean(values)) if values else absent


def _spread(values: Sequence[float]) -> float:
    return float(np.std(values)) if values else 0.0


def _changed(measured: Measured) -> list[Covered]:
    return [bead for bead in measured.covered if bead.wording.changed]


def _ratio(part: int, whole: int, absent: float) -> float:
    return part / whole if whole else absent


def _likeness(measured: Measured) -> list[float]:
    return [bead.likeness for bead in measured.covered]


def _lengths(measured: Measured) -> list[float]:
    return [
        math.log((len(b.wording.copy) + 1) / (len(b.wording.source) + 1)) for b in measured.covered
    ]


def _moved(bead: Covered) -> float:
    """Share of the words that both sides hold which do not stand in the same order."""
    both = (Counter(bead.wording.source) & Counter(bead.wording.copy)).total()
    return 1.0 - bead.wording.kept / both if both else 0.0


def _run_length(measured: Measured) -> float:
    runs = [run for bead in measured.covered for run in bead.wording.changed]
    return _mean([math.log1p(max(len(run.source), len(run.copy))) for run in runs], 0.0)


def _odds(measured: Measured) -> list[float]:
    return [bead.odds for bead in _changed(measured)]


TRAITS: tuple[Trait, ...] = tuple(
    Trait(name=name, unit=unit, measure=function)
    for name, unit, function in (
        ("copy_share", "share of characters", lambda m: m.copy_share),
        ("source_share", "share of characters", lambda m: m.source_share),
        ("matter", "share of rare words", lambda m: m.matter),
        (
            "similarity",
            "cosine",
            lambda m: _mean([b.bead.similarity or 0.0 for b in m.covered], CLOSE_COSINE),
        ),
        (
            "similarity_spread",
            "cosine",
            lambda m: _spread([b.bead.similarity or 0.0 for b in m.covered]),
        ),
        ("likeness", "share of words", lambda m: _mean(_likeness(m), 0.0)),
        ("likeness_spread", "share of words", lambda m: _spread(_likeness(m))),
        (
            "same",
            "share of beads",
            lambda m: _mean([float(b.likeness > 0.98) for b in m.covered], 0.0),
        ),
        ("moved", "share of words", lambda m: _mean([_moved(b) for b in m.covered], 0.0)),
        ("run_length", "log words", _run_length),
        ("length", "log ratio", lambda m: _mean(_lengths(m), 0.0)),
        ("length_spread", "log ratio", lambda m: _spread(_lengths(m))),
        (
            "names_kept",
            "share of names",
            lambda m: _ratio(
                sum(b.kept_names for b in m.covered), sum(b.n_names for b in m.covered), 0.9
            ),
        ),
        (
            "figures_kept",
            "share of figures",
            lambda m: _ratio(
                sum(b.kept_figures for b in m.covered), sum(b.n_figures for b in m.covered), 0.95
            ),
        ),
        (
            "one_to_one",
            "share of beads",
            lambda m: _mean(
                [float(len(b.bead.source) == len(b.bead.copy) == 1) for b in m.covered], 1.0
            ),
        ),
        ("machine", "mean log-odds", lambda m: _mean(_odds(m), 0.0)),
        (
            "machine_share",
            "share of reworded beads",
            lambda m: _mean([float(odds > 0.0) for odds in _odds(m)], 0.5),
        ),
        (
            "machine_sum",
            "log-odds over root n",
            lambda m: sum(_odds(m)) / max(len(_odds(m)), 1) ** 0.5,
        ),
        ("size", "log beads", lambda m: math.log1p(len(m.covered))),
    )
)
"""The columns of the model of relations, in order."""
