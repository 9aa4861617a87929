"""Figures of a classifier on groups held apart, beside what simpler scores reach on the same rows.

Pure: takes pairs, features and probabilities, gives a record and its text. Nothing is fitted or
tuned here, and nothing here may be used to choose anything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.learn.corpus import Pair
from detector.learn.metrics import (
    Estimate,
    Floats,
    Measure,
    Resamples,
    auroc,
    average_precision,
    brier,
    calibration_error,
    flagged_at,
    recall_at,
    reliability,
)
from detector.learn.sample import Mix, weights
from detector.learn.train import macro_auroc

OURS = "detector"
FALSE_ALARMS = 0.05

_MEASURES: Mapping[str, Measure] = {
    "auroc": auroc,
    "average_precision": average_precision,
    "recall_at_5": recall_at(FALSE_ALARMS),
}
_SOUND_KINDS = ("base", "sound")  # of the twin that the damaged ones are compared with
_FEWEST = 30  # rows of each label below which a corpus has no line of its own
_LONGEST_GRAM = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured.

    Attributes
    ----------
    corpora : mapping
        By corpus: counts, and by score the `Estimate` of each measure, with the lead in AUROC
        over the best simple score, and the shares flagged at the threshold.
    macro : mapping of str to Estimate
        Mean AUROC over the corpora, by score; `lead` is ours less the best simple one's.
    kinds : mapping
        By corpus and kind of damage: twins, share of twins ordered rightly by us and by cosine,
        share of the damaged flagged.
    watch : mapping
        By kind of unlabelled round trip: rows and share flagged.
    probability : mapping
        Brier score, that of a constant, calibration error, and ten bins, in the training mix.
    threshold : float
    n_pairs, n_groups : int
    """

    corpora: Mapping[str, Mapping[str, Any]]
    macro: Mapping[str, Estimate]
    kinds: Mapping[str, Mapping[str, Mapping[str, float]]]
    watch: Mapping[str, Mapping[str, Any]]
    probability: Mapping[str, Any]
    threshold: float
    n_pairs: int
    n_groups: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; an estimate is [value, low, high]."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        plain: dict[str, Any] = _plain(fields)
        return plain


def evaluate(
    pairs: Sequence[Pair],
    scores: Mapping[str, Floats],
    *,
    threshold: float,
    mix: Mix,
    resamples: int = 300,
) -> Figures:
    """Measure our probabilities and the simple scores on the same rows.

    Parameters
    ----------
    pairs : sequence of Pair
        Held apart; unlabelled ones are only watched.
    scores : mapping of str to ndarray of shape (n_pairs,), float64
        Higher is worse; `OURS` holds probabilities.
    threshold : float
        Probability from which a pair is flagged.
    mix : Mix
        The training mix, whose weights the probabilities are judged in.
    resamples : int
        Bootstrap resamples of the groups.

    Returns
    -------
    Figures
        Intervals are 95 %, by bootstrap over the groups.
    """
    known = np.array([p.label is not None and p.corpus != "watch" for p in pairs], dtype=bool)
    rng = np.random.default_rng(mix.seed)
    rows = np.flatnonzero(known).tolist()
    labelled = [pairs[i] for i in rows]
    label = np.array([bool(p.label) for p in labelled], dtype=bool)
    mine = {name: score[rows] for name, score in scores.items()}
    resample = Resamples.of([p.group for p in labelled], n=resamples, rng=rng)
    corpus = np.array([p.corpus for p in labelled], dtype=str)
    return Figures(
        corpora=_by_corpus(corpus, label, mine, resample, threshold),
        macro=_macro(corpus, label, mine, resample),
        kinds=_by_kind(labelled, mine, threshold),
        watch=_watched(pairs, scores[OURS], threshold),
        probability=_probability(label, mine[OURS], weights(labelled, mix), resample),
        threshold=threshold,
        n_pairs=len(labelled),
        n_groups=len({p.group for p in labelled}),
    )


def baselines(
    pairs: Sequence[Pair], X: NDArray[np.float64], names: Sequence[str]
) -> dict[str, Floats]:
    """Compute the simple scores that ours is to beat; higher is worse.

    Returns
    -------
    dict of str to ndarray of shape (n_pairs,), float64
        Cosine distance, one less chrF, length of the copy and of the source in characters, and
        the absolute log ratio of the lengths.
    """
    copy_length = np.array([len(p.copy) for p in pairs], dtype=np.float64)
    source_length = np.array([len(p.source) for p in pairs], dtype=np.float64)
    return {
        "cosine": 1.0 - X[:, list(names).index("similarity")],
        "chrF": np.array([1.0 - chrf(p.source, p.copy) for p in pairs]),
        "copy length": copy_length,
        "source length": source_length,
        "length ratio": np.abs(np.log(copy_length / source_length)),
    }


def chrf(source: str, copy: str) -> float:
    """Return character n-gram overlap after Popović (2015), beta 2, n up to 6; in [0, 1].

    Examples
    --------
    >>> chrf("a house", "a house"), chrf("abc", "xyz")
    (1.0, 0.0)
    """
    texts = ["".join(text.split()) for text in (source, copy)]
    found = []
    for n in range(1, _LONGEST_GRAM + 1):
        ours, theirs = (Counter(t[i : i + n] for i in range(len(t) - n + 1)) for t in texts)
        if ours and theirs:
            shared = (ours & theirs).total()
            found.append((shared / theirs.total(), shared / ours.total()))
    if not found:
        return 0.0
    precision, recall = (sum(values) / len(found) for values in zip(*found, strict=True))
    return 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0


def _macro(
    corpus: NDArray[np.str_],
    label: NDArray[np.bool_],
    scores: Mapping[str, Floats],
    resample: Resamples,
) -> dict[str, Estimate]:
    even = np.ones(len(label))

    def mean(name: str, weight: Floats) -> float:
        return macro_auroc(scores[name], label, corpus, weight)

    found = {name: resample.estimate(partial(mean, name), even) for name in scores}
    best = max((name for name in found if name != OURS), key=lambda name: found[name].value)
    lead = resample.estimate(lambda w: mean(OURS, w) - mean(best, w), even)
    return {**found, "lead": lead}


def _by_corpus(
    corpus: NDArray[np.str_],
    label: NDArray[np.bool_],
    scores: Mapping[str, Floats],
    resample: Resamples,
    threshold: float,
) -> dict[str, dict[str, Any]]:
    found = {}
    for name in sorted(set(corpus.tolist())):
        rows = corpus == name
        found[name] = _corpus_entry(
            label[rows],
            {method: score[rows] for method, score in scores.items()},
            Resamples(resample.counts, resample.at[rows]),
            threshold,
        )
    return found


def _corpus_entry(
    label: NDArray[np.bool_], scores: Mapping[str, Floats], resample: Resamples, threshold: float
) -> dict[str, Any]:
    even = np.ones(len(label))

    def of(measure: Measure, method: str) -> Estimate:
        return resample.estimate(lambda w: measure(label, scores[method], w), even)

    n_drift = int(label.sum())
    entry: dict[str, Any] = {
        "n": len(label),
        "drift": n_drift,
        "flagged_drift": of(flagged_at(threshold, of=True), OURS),
        "flagged_sound": of(flagged_at(threshold, of=False), OURS),
    }
    if min(n_drift, len(label) - n_drift) < _FEWEST:
        return entry
    measured = {
        method: {key: of(measure, method) for key, measure in _MEASURES.items()}
        for method in scores
    }
    best = max((m for m in scores if m != OURS), key=lambda m: measured[m]["auroc"].value)
    lead = resample.estimate(
        lambda w: auroc(label, scores[OURS], w) - auroc(label, scores[best], w), even
    )
    return {**entry, "scores": measured, "best_simple": best, "lead": lead}


def _by_kind(
    pairs: Sequence[Pair], scores: Mapping[str, Floats], threshold: float
) -> dict[str, dict[str, dict[str, float]]]:
    """Compare each damaged copy with its sound twin."""
    sound = {p.twin: i for i, p in enumerate(pairs) if p.twin and p.kind in _SOUND_KINDS}
    rows: dict[tuple[str, str], list[int]] = {}
    for i, pair in enumerate(pairs):
        if pair.twin in sound and pair.kind not in _SOUND_KINDS:
            rows.setdefault((pair.corpus, pair.kind), []).append(i)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (corpus, kind), mine in sorted(rows.items()):
        twins = np.array([sound[pairs[i].twin] for i in mine])
        at = np.array(mine)
        entry: dict[str, float] = {
            "n": len(mine),
            "drift": float(bool(pairs[mine[0]].label)),
            "flagged": float((scores[OURS][at] >= threshold).mean()),
            "twin_flagged": float((scores[OURS][twins] >= threshold).mean()),
        }
        for method in (OURS, "cosine"):
            if method in scores:
                gap = scores[method][at] - scores[method][twins]
                entry[f"worse by {method}"] = float((gap > 0).mean() + 0.5 * (gap == 0).mean())
        found.setdefault(corpus, {})[kind] = entry
    return found


def _watched(pairs: Sequence[Pair], score: Floats, threshold: float) -> dict[str, dict[str, Any]]:
    kinds: dict[str, list[float]] = {}
    for pair, one in zip(pairs, score.tolist(), strict=True):
        if pair.corpus == "watch":
            kinds.setdefault(pair.kind, []).append(one)
    return {
        kind: {"n": len(mine), "flagged": float(np.mean(np.array(mine) >= threshold))}
        for kind, mine in sorted(kinds.items())
    }


def _probability(
    label: NDArray[np.bool_], score: Floats, weight: Floats, resample: Resamples
) -> dict[str, Any]:
    prior = float(weight @ label / weight.sum())
    return {
        "prior": prior,
        "brier": resample.estimate(lambda w: brier(label, score, w), weight),
        "brier_of_prior": prior * (1.0 - prior),
        "calibration_error": resample.estimate(
            lambda w: calibration_error(label, score, w), weight
        ),
        "bins": [
            [round(mean, 4), round(share, 4)]
            for mean, share, _ in reliability(label, score, weight)
        ],
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON of any depth
    if isinstance(value, Estimate):
        return value.to_list()
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value
