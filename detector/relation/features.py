"""Compute what two whole texts have in common, in numbers.

Uses no vectors. The pattern of words keys the weights of `translationese`, so it is not
`text.words`, which finds other words in 7 % of pairs.
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
"""Weights of `translationese`; a word or an n-gram has the one of its hash."""

_WORD = re.compile(r"\w+(?: ?'(?:s|t|re|ve|ll|d|m)\b)?", re.IGNORECASE)
_MAX_WORDS = 1024  # of a side; what comes after is not compared
_MAX_NGRAM = 3
_MANY_WORDS, _LONG_WORD = 6, 12  # words of an edit and letters of a word: larger counts are equal
_CAPITALISED = re.compile(r"(?<=[\w,;:] )[A-Z][\w'’-]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_RARE_ZIPF = 7.0  # Zipf value from which a word carries no weight in `matter`


@dataclass(frozen=True, slots=True, kw_only=True)
class WordEdit:
    """Neighbouring source words that the copy replaces; half-open ranges, one may be empty."""

    source: range
    copy: range


@dataclass(frozen=True, slots=True, kw_only=True)
class WordDiff:
    """The words of both sides of a bead, in lower case, and where they differ.

    Elided endings belong to a word ("don't").
    """

    source: tuple[str, ...]
    copy: tuple[str, ...]
    edits: tuple[WordEdit, ...]  # in order; all words outside of them are the same

    @property
    def n_kept(self) -> int:
        """Number of words that are the same on both sides, in the same order."""
        return len(self.source) - sum(len(edit.source) for edit in self.edits)

    @property
    def overlap(self) -> float:
        """Share in [0, 1] of both sides' words that are the same in the same order."""
        total = len(self.source) + len(self.copy)
        return 2.0 * self.n_kept / total if total else 1.0

    @property
    def moved(self) -> float:
        """Share in [0, 1] of the words on both sides that changed their order."""
        both = (Counter(self.source) & Counter(self.copy)).total()
        return 1.0 - self.n_kept / both if both else 0.0


def lower_words(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case.

    >>> lower_words("They don’t pay. U.S. banks’ costs")
    ('they', "don't", 'pay', 'u', 's', 'banks', 'costs')
    """
    return tuple(w.group().replace(" ", "").lower() for w in _WORD.finditer(matching_view(text)))


def diff_words(source: str, copy: str) -> WordDiff:
    """Compare the first 1,024 words of two texts, with the fewest changes (Levenshtein)."""
    before, after = lower_words(source)[:_MAX_WORDS], lower_words(copy)[:_MAX_WORDS]
    edits = tuple(
        WordEdit(source=range(op.src_start, op.src_end), copy=range(op.dest_start, op.dest_end))
        for op in Levenshtein.opcodes(before, after)
        if op.tag != "equal"
    )
    return WordDiff(source=before, copy=after, edits=edits)


def hashed_changes(diff: WordDiff) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the changed words, their spelling and their neighbours as a sparse row.

    Buckets rise in [0, `N_BUCKETS`). A value is the count in the copy less that in the source, over
    the root of their number; none is 0. Swapping the sides turns every sign.
    """
    counts: Counter[int] = Counter()
    for edit in diff.edits:
        for bucket, sign in _signed_buckets(diff, edit):
            counts[bucket] += sign
    buckets = sorted(bucket for bucket, count in counts.items() if count)
    values = np.array([counts[bucket] for bucket in buckets], np.float64)
    return np.array(buckets, np.int64), values / np.sqrt(max(len(buckets), 1))


def translationese(diff: WordDiff, weights: NDArray[np.floating]) -> float:
    """Return the log-odds that a machine wrote the copy's side of a bead and not the source's.

    `weights` has shape (`N_BUCKETS`,). The result is 0 for the same words; swapping the sides turns
    its sign.
    """
    buckets, values = hashed_changes(diff)
    return float(weights[buckets].astype(np.float64) @ values)


def edit_translationese(diff: WordDiff, edit: WordEdit, weights: NDArray[np.floating]) -> float:
    """Return what one edit adds to `translationese`, before the division by the root of n."""
    return sum(sign * float(weights[bucket]) for bucket, sign in _signed_buckets(diff, edit))


def _signed_buckets(diff: WordDiff, edit: WordEdit) -> Iterator[tuple[int, int]]:
    """Yield the bucket of each n-gram of an edit: 1 for the copy's, -1 for the source's."""
    for words, at, sign in ((diff.source, edit.source, -1), (diff.copy, edit.copy, 1)):
        for gram in _grams(words, at):
            yield zlib.crc32(gram.encode()) % N_BUCKETS, sign


def _grams(words: Sequence[str], at: range) -> list[str]:
    """Return an edit's words, affixes and lengths, and n-grams with one neighbour on each side."""
    inner = words[at.start : at.stop]
    grams = [f"{min(len(inner), _MANY_WORDS)} words", *inner]
    for word in inner:
        grams.append(f"{min(len(word), _LONG_WORD)} letters")
        if len(word) > 4:
            grams.append(f"-{word[-3:]}")
        if len(word) > 5:
            grams.append(f"{word[:4]}-")
    before = words[at.start - 1] if at.start else "<"
    after = words[at.stop] if at.stop < len(words) else ">"
    framed = (before, *inner, after)
    for n in range(2, _MAX_NGRAM + 1):
        grams += [" ".join(framed[i : i + n]) for i in range(len(framed) - n + 1)]
    return grams


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedBead:
    """The word differences of a bead of high cosine."""

    bead: Bead
    diff: WordDiff
    translationese: float  # log-odds; see the function
    kept_names: int  # capitalised words inside a sentence of the source that the copy holds
    n_names: int
    kept_numbers: int  # numbers in digits that the copy holds
    n_numbers: int

    @property
    def one_to_one(self) -> bool:
        """Whether each side is one sentence."""
        return len(self.bead.source) == len(self.bead.copy) == 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedDocuments:
    """What two aligned documents have in common."""

    beads: tuple[ComparedBead, ...]  # those of high cosine
    copy_share: float  # share in [0, 1] of the text's characters in these beads
    source_share: float  # likewise; boilerplate is masked
    matter: float  # share of the copy's rare words that the source holds, weighted by rarity

    @property
    def reworded(self) -> list[ComparedBead]:
        """Beads whose words differ."""
        return [bead for bead in self.beads if bead.diff.edits]

    @property
    def edit_lengths(self) -> list[int]:
        """Words of the longer side of each edit."""
        return [max(len(e.source), len(e.copy)) for bead in self.beads for e in bead.diff.edits]

    def with_weights(self, weights: NDArray[np.floating]) -> ComparedDocuments:
        """Return the same with the `translationese` that other weights give."""
        beads = (replace(b, translationese=translationese(b.diff, weights)) for b in self.beads)
        return replace(self, beads=tuple(beads))

    def values(self) -> NDArray[np.float64]:
        """Return the values of `FEATURES`, of shape (n_features,); all are finite."""
        return np.array([feature.value(self) for feature in FEATURES], np.float64)


def compare_documents(
    source: Document, copy: Document, alignment: Alignment, weights: NDArray[np.floating]
) -> ComparedDocuments:
    """Compare two aligned documents; `weights` are those of `translationese`."""
    beads = tuple(
        _compare_bead(bead, _text(source, bead.source), _text(copy, bead.copy), weights)
        for bead in alignment.close
    )
    return ComparedDocuments(
        beads=beads,
        copy_share=_covered_share(copy, [bead.bead.copy for bead in beads]),
        source_share=_covered_share(source, [bead.bead.source for bead in beads]),
        matter=_rare_word_share(source, copy),
    )


def _compare_bead(
    bead: Bead, source: str, copy: str, weights: NDArray[np.floating]
) -> ComparedBead:
    diff = diff_words(source, copy)
    names, numbers = Counter(_CAPITALISED.findall(source)), Counter(_NUMBER.findall(source))
    return ComparedBead(
        bead=bead,
        diff=diff,
        translationese=translationese(diff, weights),
        kept_names=(names & Counter(re.findall(r"[\w'’-]+", copy))).total(),
        n_names=names.total(),
        kept_numbers=(numbers & Counter(_NUMBER.findall(copy))).total(),
        n_numbers=numbers.total(),
    )


def _text(document: Document, indices: range) -> str:
    start = document.sentences[indices.start].start
    return document.raw[start : document.sentences[indices.stop - 1].end]


def _covered_share(document: Document, parts: Sequence[range]) -> float:
    covered = {i for part in parts for i in part}
    sizes = {
        i: len(sentence.text)
        for i, sentence in enumerate(document.sentences)
        if i in covered or sentence.boilerplate is None
    }
    return sum(sizes[i] for i in covered) / max(sum(sizes.values()), 1)


def _rare_word_share(source: Document, copy: Document) -> float:
    known = set(lower_words(source.raw))
    rarity = {w: _RARE_ZIPF - zipf(w) for w in set(lower_words(copy.raw)) if not is_stopword(w)}
    rarity = {word: value for word, value in rarity.items() if value > 0.0}
    total = math.fsum(rarity.values())
    return math.fsum(v for word, v in rarity.items() if word in known) / total if total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One column of the relation model."""

    name: str
    unit: str
    value: Callable[[ComparedDocuments], float]


def _mean(
    value: Callable[[ComparedBead], float], absent: float = 0.0, *, reworded: bool = False
) -> Callable[[ComparedDocuments], float]:
    """Return the function that takes the mean of a value over beads; `absent` without any."""

    def mean(documents: ComparedDocuments) -> float:
        beads = documents.reworded if reworded else documents.beads
        return float(np.mean([value(bead) for bead in beads])) if beads else absent

    return mean


def _spread(value: Callable[[ComparedBead], float]) -> Callable[[ComparedDocuments], float]:
    """Return the function that takes the standard deviation of a value over beads."""
    return lambda m: float(np.std([value(bead) for bead in m.beads])) if m.beads else 0.0


def _ratio(part: str, whole: str, absent: float) -> Callable[[ComparedDocuments], float]:
    """Return the function that divides the sums of two attributes of beads."""

    def ratio(documents: ComparedDocuments) -> float:
        total = sum(getattr(bead, whole) for bead in documents.beads)
        return sum(getattr(bead, part) for bead in documents.beads) / total if total else absent

    return ratio


def _similarity(bead: ComparedBead) -> float:
    return bead.bead.similarity or 0.0


def _overlap(bead: ComparedBead) -> float:
    return bead.diff.overlap


def _length_ratio(bead: ComparedBead) -> float:
    return math.log((len(bead.diff.copy) + 1) / (len(bead.diff.source) + 1))


def _edit_length(documents: ComparedDocuments) -> float:
    lengths = documents.edit_lengths
    return float(np.mean([math.log1p(n) for n in lengths])) if lengths else 0.0


def _translationese_sum(documents: ComparedDocuments) -> float:
    values = [bead.translationese for bead in documents.reworded]
    return float(sum(values) / max(len(values), 1) ** 0.5)


FEATURES: tuple[Feature, ...] = tuple(
    Feature(name=name, unit=unit, value=value)
    for name, unit, value in (
        ("copy_share", "share of characters", lambda m: m.copy_share),
        ("source_share", "share of characters", lambda m: m.source_share),
        ("matter", "share of rare words", lambda m: m.matter),
        ("similarity", "cosine", _mean(_similarity, CLOSE_COSINE)),
        ("similarity_spread", "cosine", _spread(_similarity)),
        ("likeness", "share of words", _mean(_overlap)),
        ("likeness_spread", "share of words", _spread(_overlap)),
        ("same", "share of beads", _mean(lambda bead: float(bead.diff.overlap > 0.98))),
        ("moved", "share of words", _mean(lambda bead: bead.diff.moved)),
        ("run_length", "log words", _edit_length),
        ("length", "log ratio", _mean(_length_ratio)),
        ("length_spread", "log ratio", _spread(_length_ratio)),
        ("names_kept", "share of names", _ratio("kept_names", "n_names", 0.9)),
        ("figures_kept", "share of figures", _ratio("kept_numbers", "n_numbers", 0.95)),
        ("one_to_one", "share of beads", _mean(lambda bead: float(bead.one_to_one), 1.0)),
        ("machine", "mean log-odds", _mean(lambda b: b.translationese, reworded=True)),
        (
            "machine_share",
            "share of reworded beads",
            _mean(lambda b: float(b.translationese > 0.0), 0.5, reworded=True),
        ),
        ("machine_sum", "log-odds over root n", _translationese_sum),
        ("size", "log beads", lambda m: math.log1p(len(m.beads))),
    )
)
"""The columns of the relation model, in order; a bundle stores the names and units."""
