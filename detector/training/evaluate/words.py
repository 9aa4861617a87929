"""Evaluate a tagger word by word against human marks, beside the lexical difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.encoder import Encoder
from detector.features.evidence import BeadEvidence, gather_pairs
from detector.features.token_tags import word_probabilities
from detector.models.tagger import Tagger
from detector.text.words import Word, find_words
from detector.training.data.corpus import Mark, Pair
from detector.training.data.loaders import POINTS
from detector.training.data.sampling import MARKED
from detector.training.evaluate.metrics import Estimate, Floats, Resamples

_PART = 64  # pairs read at a time


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Arrays over the words of one side of a pair."""

    probability: Floats  # of the tagger, that the word is damaged or lost
    weight: Floats  # error points of the worst mark on it, 0 without a mark
    size: Floats  # characters


@dataclass(frozen=True, slots=True, eq=False)
class TaggedWords:
    """Both sides of a pair, and the lexical difference."""

    pair: Pair
    copy: Words
    source: Words
    new: NDArray[np.bool_]  # copy words that the source lacks
    gone: NDArray[np.bool_]  # source words that the copy lacks


def tagged_words(tagger: Tagger, pairs: Sequence[Pair], encoder: Encoder) -> list[TaggedWords]:
    """Tag pairs, in their order; the encoder must offer token vectors."""
    return [
        words
        for start in range(0, len(pairs), _PART)
        for words in _read(tagger, pairs[start : start + _PART], encoder)
    ]


def _read(tagger: Tagger, pairs: Sequence[Pair], encoder: Encoder) -> Iterator[TaggedWords]:
    beads = list(gather_pairs(((p.source, p.copy) for p in pairs), encoder, batch=_PART))
    tokens = [both for bead in beads if (both := bead.tokens) is not None]
    for pair, bead, (source, copy), tags in zip(
        pairs, beads, tokens, tagger.predict(tokens), strict=True
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
    (own, other) = (sides.pop(of), *sides.values())
    held = {word.norm for word in other}
    return np.array([word.norm not in held for word in own], dtype=np.bool_)


TAGGED, LEXICAL, RATER = "tagger", "lexical difference", "judged again"

Counts = Floats
"""True and false positives, false and true negatives, (n_pairs, 4), in words or characters."""


def word_metrics(
    words: Sequence[TaggedWords],
    *,
    thresholds: tuple[float, float],
    edited: float,
    resamples: int,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Measure F1 and Matthews' correlation on marked pairs held apart.

    `thresholds` are the probabilities from which a copy word is damaged and a source word lost,
    `edited` the one from which a copy word counts as changed by a post-editor. By kind of mark: `n`
    pairs, `unit`, under `finders` an `Estimate` of `f1` and `mcc`, under `by` the F1 by language.
    """
    rng = np.random.default_rng(seed)
    metrics: dict[str, dict[str, Any]] = {}
    for title, subset, counts in _questions(words, thresholds, edited):
        resample = Resamples.of([tagged.pair.group for tagged in subset], n=resamples, rng=rng)
        weights = resample.weights()
        finders = {
            name: {
                "f1": Estimate.of(_f1(weights @ table)),
                "mcc": Estimate.of(_mcc(weights @ table)),
            }
            for name, table in counts.items()
        }
        metrics[title] = {
            "n": len(subset),
            "unit": "words" if "edited" in title or "put back" in title else "characters",
            "finders": finders,
            "by": _by(subset, counts),
        }
    metrics |= _raters(words, resamples, rng)
    return metrics


def _questions(
    words: Sequence[TaggedWords], thresholds: tuple[float, float], edited: float
) -> Iterator[tuple[str, list[TaggedWords], dict[str, Counts]]]:
    """Yield title, pairs, and counts by finder of each corpus and kind of mark."""
    for corpus in sorted({tagged.pair.corpus for tagged in words}):
        subset = [tagged for tagged in words if tagged.pair.corpus == corpus]
        sizes = corpus in MARKED  # counted in characters
        questions = (
            [("major errors", "copy", "new", thresholds[0], POINTS["Major"])]
            if sizes
            else [
                ("words edited", "copy", "new", edited, POINTS["Minor"]),
                ("words put back", "source", "gone", thresholds[1], POINTS["Minor"]),
            ]
        )
        for what, side, lexical, threshold, least in questions:
            sides = [getattr(tagged, side) for tagged in subset]
            flags = {
                TAGGED: [words.probability >= threshold for words in sides],
                LEXICAL: [getattr(tagged, lexical) for tagged in subset],
            }
            counts = {
                finder: np.array(
                    [_count(w, f, least, sizes=sizes) for w, f in zip(sides, flagged, strict=True)]
                )
                for finder, flagged in flags.items()
            }
            if counts[TAGGED][:, [0, 2]].any():
                yield f"{corpus}: {what}", subset, counts


def _count(words: Words, flagged: Any, least: float, *, sizes: bool) -> list[float]:  # noqa: ANN401
    size = words.size if sizes else np.ones(len(words.size))
    marked = words.weight >= least
    return [
        float(size[flagged & marked].sum()),
        float(size[flagged & ~marked].sum()),
        float(size[~flagged & marked].sum()),
        float(size[~flagged & ~marked].sum()),
    ]


def _f1(sums: Counts) -> Floats:
    hits, alarms, misses, _ = sums.T
    with np.errstate(invalid="ignore"):
        f1: Floats = 2.0 * hits / (2.0 * hits + alarms + misses)
    return f1


def _mcc(sums: Counts) -> Floats:
    hits, alarms, misses, rest = sums.T
    below = (hits + alarms) * (hits + misses) * (rest + alarms) * (rest + misses)
    with np.errstate(invalid="ignore", divide="ignore"):
        mcc: Floats = (hits * rest - alarms * misses) / np.sqrt(below)
    return mcc


def _by(words: Sequence[TaggedWords], counts: Mapping[str, Counts]) -> dict[str, dict[str, float]]:
    """Return F1 by language, if there are several."""
    langs = np.array([tagged.pair.lang for tagged in words])
    names = sorted(set(langs.tolist()))
    if len(names) < 2:
        return {}
    return {
        lang: {
            name: round(float(_f1(table[langs == lang].sum(axis=0)[None])[0]), 4)
            for name, table in counts.items()
        }
        for lang in names
    }


def categories(
    words: Sequence[TaggedWords], *, threshold: float
) -> dict[str, dict[str, dict[str, float]]]:
    """Return, by corpus and category, how many major marks there are and what share is touched."""
    outcomes: dict[str, dict[str, list[bool]]] = {}
    for tagged in words:
        spans = find_words(tagged.pair.copy)
        flagged = tagged.copy.probability >= threshold
        for mark in tagged.pair.marks:
            if (
                tagged.pair.corpus in MARKED
                and mark.side == "copy"
                and mark.weight >= POINTS["Major"]
            ):
                hit = bool((marked_words(spans, [mark]) > 0)[flagged].any())
                kind = mark.kind.partition("/")[0] or "no category"
                outcomes.setdefault(tagged.pair.corpus, {}).setdefault(kind, []).append(hit)
    return {
        corpus: {
            kind: {"n": len(hits), "touched": round(float(np.mean(hits)), 4)}
            for kind, hits in sorted(kinds.items(), key=lambda item: -len(item[1]))
        }
        for corpus, kinds in sorted(outcomes.items())
    }


def _raters(
    words: Sequence[TaggedWords], resamples: int, rng: np.random.Generator
) -> dict[str, dict[str, Any]]:
    """Compare two judgements of one pair, mostly by two people."""
    metrics: dict[str, dict[str, Any]] = {}
    for corpus in MARKED:
        repeated = [
            tagged for tagged in words if tagged.pair.corpus == corpus and tagged.pair.judged_again
        ]
        rows, groups = [], []
        for tagged in repeated:
            spans = find_words(tagged.pair.copy)
            sizes = np.array([float(word.end - word.start) for word in spans])
            judged = [_major(marks) for marks in (tagged.pair.marks, *tagged.pair.judged_again)]
            for first, second in combinations(judged, 2):
                one_says, other_says = (marked_words(spans, m) > 0 for m in (first, second))
                side = Words(np.zeros(len(spans)), np.where(one_says, POINTS["Major"], 0.0), sizes)
                rows.append(_count(side, other_says, POINTS["Major"], sizes=True))
                groups.append(tagged.pair.group)
        if rows:
            weights = Resamples.of(groups, n=resamples, rng=rng).weights()
            sums = weights @ np.array(rows)
            metrics[f"{corpus}: major errors, two judgements"] = {
                "n": len(rows),
                "unit": "characters",
                "finders": {RATER: {"f1": Estimate.of(_f1(sums)), "mcc": Estimate.of(_mcc(sums))}},
                "by": {},
            }
    return metrics


def _major(marks: Sequence[Mark]) -> list[Mark]:
    return [mark for mark in marks if mark.side == "copy" and mark.weight >= POINTS["Major"]]
