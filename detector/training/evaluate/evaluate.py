"""Evaluate a bundle and baselines on groups held apart, minimal pairs included.

Nothing is fitted or tuned here, and nothing may be chosen by these metrics.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.training.data.corpus import Pair
from detector.training.data.sampling import Mix, weights
from detector.training.evaluate.baselines import BERTSCORE, CHRF, COSINE, FEWEST, judged, sliced
from detector.training.evaluate.metrics import (
    Curve,
    Estimate,
    Floats,
    Measure,
    Resamples,
    brier,
    brier_skill,
    calibration_error,
    flagged_at,
    mean,
    reliability,
)

STEADY = 0.02
"""Largest change of the probability that counts as steady under a change of form."""

_SOUND_KINDS = ("base", "sound")  # of the sound twin
_TIERS = ("critical", "major")  # prefixes of DEMETR's kinds
_FORMS = ("_full_lower", "_first_lower", "_tokenized", "_final_punc_removed")
_FINDERS = {"names": re.compile(r"_ne_|names? "), "figures": re.compile("number")}

Twins = dict[tuple[str, str], tuple[NDArray[np.intp], NDArray[np.intp]]]
"""By corpus and kind: rows of the changed copies and of their sound twins."""


def twins(pairs: Sequence[Pair]) -> Twins:
    """Find the minimal pairs whose two sides are both there."""
    sound = {p.twin: i for i, p in enumerate(pairs) if p.twin and p.kind in _SOUND_KINDS}
    rows: dict[tuple[str, str], list[int]] = {}
    for i, pair in enumerate(pairs):
        if pair.twin in sound and pair.kind not in _SOUND_KINDS:
            rows.setdefault((pair.corpus, pair.kind), []).append(i)
    return {
        key: (np.array(changed), np.array([sound[pairs[i].twin] for i in changed]))
        for key, changed in sorted(rows.items())
    }


def by_kind(
    pairs: Sequence[Pair],
    scores: Mapping[str, Floats],
    flagged: NDArray[np.bool_],
    resample: Resamples,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Compare each changed copy with its sound twin, by corpus and kind.

    `n`, `drift` (the label), shares `flagged` and `twin_flagged`; under `worse` by score the share
    of copies that score worse than their twin, a tie counting half.
    """
    metrics: dict[str, dict[str, dict[str, Any]]] = {}
    for (corpus, kind), (changed, sound) in twins(pairs).items():
        weights = resample.of_rows(changed).weights()
        metrics.setdefault(corpus, {})[kind] = {
            "n": len(changed),
            "drift": pairs[changed[0]].label,
            "flagged": float(flagged[changed].mean()),
            "twin_flagged": float(flagged[sound].mean()),
            "worse": {
                name: Estimate.of(mean(_worse(score[changed] - score[sound]), weights))
                for name, score in scores.items()
            },
        }
    return metrics


def by_tier(
    pairs: Sequence[Pair], scores: Mapping[str, Floats], resample: Resamples
) -> dict[str, dict[str, dict[str, Any]]]:
    """Average over DEMETR's critical and major kinds, and over damages elsewhere.

    By corpus and tier: `kinds` (how many), and under `worse` by score the `mean` over kinds of the
    share ordered correctly, the `worst` kind and its share (`least`).
    """
    tiers: dict[tuple[str, str], list[tuple[str, NDArray[np.intp], NDArray[np.intp]]]] = {}
    for (corpus, kind), (changed, sound) in twins(pairs).items():
        tier = _tier(kind, pairs[changed[0]].label)
        if tier is not None:
            tiers.setdefault((corpus, tier), []).append((kind, changed, sound))
    metrics: dict[str, dict[str, dict[str, Any]]] = {}
    for (corpus, tier), members in sorted(tiers.items()):
        metrics.setdefault(corpus, {})[tier] = {
            "kinds": len(members),
            "worse": {
                name: _over_kinds(members, score, resample) for name, score in scores.items()
            },
        }
    return metrics


def _over_kinds(
    members: Sequence[tuple[str, NDArray[np.intp], NDArray[np.intp]]],
    score: Floats,
    resample: Resamples,
) -> dict[str, Any]:
    shares = np.array(
        [
            mean(_worse(score[changed] - score[sound]), resample.of_rows(changed).weights())
            for _, changed, sound in members
        ]
    )
    worst = int(np.argmin(shares[:, 0]))
    # A kind that a resample lacks counts as in the rows as they are.
    filled = np.where(np.isnan(shares), shares[:, :1], shares)
    return {
        "mean": Estimate.of(filled.mean(axis=0)),
        "worst": members[worst][0],
        "least": float(shares[worst, 0]),
    }


def form_changes(pairs: Sequence[Pair], probability: Floats) -> dict[str, dict[str, float]]:
    """Measure how far a change of form alone (case, spaces, final stop) moves the probability.

    By kind, and `all`: `n`, the `largest` move, the 95th percentile (`p95`), and the share that
    keeps `within` `STEADY`.
    """
    moved = {
        kind: np.abs(probability[changed] - probability[sound])
        for (_, kind), (changed, sound) in twins(pairs).items()
        if kind.endswith(_FORMS)
    }
    if len(moved) > 1:
        moved["all"] = np.concatenate(list(moved.values()))
    return {
        kind: {
            "n": len(by),
            "largest": float(by.max()),
            "p95": float(np.percentile(by, 95)),
            "within": float((by <= STEADY).mean()),
        }
        for kind, by in moved.items()
    }


def finder_rows(pairs: Sequence[Pair], finder: str) -> NDArray[np.intp]:
    """Return the rows that a finder is measured on: its kinds and their sound twins."""
    rows = [
        row
        for (_, kind), (changed, sound) in twins(pairs).items()
        if _FINDERS[finder].search(kind)
        for row in (*changed.tolist(), *sound.tolist())
    ]
    return np.array(sorted(set(rows)), dtype=np.intp)


def caught(
    pairs: Sequence[Pair], finders: Mapping[str, NDArray[np.bool_]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Measure how many damaged names and numbers their detectors find, by corpus and kind.

    `finder`, `n`, and the shares `caught` and, on the sound twins, `false_alarms`.
    """
    metrics: dict[str, dict[str, dict[str, Any]]] = {}
    for (corpus, kind), (changed, sound) in twins(pairs).items():
        for finder, alarm in finders.items():
            if _FINDERS[finder].search(kind) and pairs[changed[0]].label:
                metrics.setdefault(corpus, {})[kind] = {
                    "finder": finder,
                    "n": len(changed),
                    "caught": float(alarm[changed].mean()),
                    "false_alarms": float(alarm[sound].mean()),
                }
    return metrics


def _worse(gap: Floats) -> Floats:
    worse: Floats = (gap > 0) + 0.5 * (gap == 0)
    return worse


def _tier(kind: str, label: bool | None) -> str | None:
    head = kind.partition("_")[0]
    if head in _TIERS:
        return head
    return "damage" if label and head not in ("base", "minor") else None


OURS = "detector"
SEVERITY = "severity"
TAGGER, UNTAGGED, UNTAGGED_SEVERITY = "tagger alone", "without tagger", "severity without"
SHORT = (OURS, SEVERITY, UNTAGGED, UNTAGGED_SEVERITY, TAGGER, BERTSCORE, CHRF, COSINE)
"""Scores of the long tables (kinds, languages, systems)."""

_TRAINED = (OURS, SEVERITY, UNTAGGED, UNTAGGED_SEVERITY, TAGGER)
FALSE_ALARMS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Metrics of an evaluation.

    Attributes
    ----------
    corpora : mapping
        By corpus: counts, under `scores` by score the `Estimate` of each measure, the lead in
        AUROC over the best simple score, and the shares flagged at the threshold.
    macro : mapping of str to Estimate
        Mean AUROC over the corpora, by score; `lead` is ours less the best simple one's.
    judged, kinds, tiers, looks, languages, systems, caught, words, categories : mapping
        As of `judged`, `by_kind`, `by_tier`, `form_changes`, `sliced`, `caught`, `word_metrics` and
        `categories`.
    watch : mapping
        By kind of unlabelled round trip: rows and share flagged.
    probability : mapping
        Brier score and skill, that of a constant, calibration error, and ten bins, in the
        weights of the training mix; empty where a label is missing.
    threshold : float
    n_pairs, n_groups : int
        Labelled pairs, and their groups.
    notes : tuple of str
        Remarks, such as what was left out.
    """

    corpora: Mapping[str, Mapping[str, Any]]
    macro: Mapping[str, Estimate]
    judged: Mapping[str, Mapping[str, Any]]
    kinds: Mapping[str, Mapping[str, Mapping[str, Any]]]
    tiers: Mapping[str, Mapping[str, Mapping[str, Any]]]
    looks: Mapping[str, Mapping[str, float]]
    languages: Mapping[str, Mapping[str, Any]]
    systems: Mapping[str, Mapping[str, Any]]
    watch: Mapping[str, Mapping[str, Any]]
    probability: Mapping[str, Any]
    threshold: float
    n_pairs: int
    n_groups: int
    caught: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    categories: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

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
) -> Evaluation:
    """Measure our scores and simple ones on the same rows.

    Parameters
    ----------
    pairs : sequence of Pair
        Held apart. Unlabelled ones count in minimal pairs and judgements only; those of the corpus
        `watch` only in the share flagged.
    scores : mapping of str to ndarray of shape (n_pairs,), float64
        Higher is worse; `OURS` holds probabilities, `SEVERITY`, if there, expected error points;
        others are simple scores.
    threshold : float
        Probability from which a pair is flagged.
    mix : Mix
        Its weights are those of the probability metrics.
    resamples : int
        Bootstrap resamples of the groups.

    Returns
    -------
    Evaluation
        Intervals are 95 %, by bootstrap over the groups.
    """
    rng = np.random.default_rng(mix.seed)
    whole = Resamples.of([p.group for p in pairs], n=resamples, rng=rng)
    rows = np.array(
        [i for i, p in enumerate(pairs) if p.label is not None and p.corpus != "watch"],
        dtype=np.intp,
    )
    labelled = [pairs[i] for i in rows.tolist()]
    label = np.array([bool(p.label) for p in labelled], dtype=bool)
    kept_scores = {name: score[rows] for name, score in scores.items()}
    resample = whole.of_rows(rows)
    corpus = np.array([p.corpus for p in labelled], dtype=str)
    short = {name: scores[name] for name in SHORT if name in scores}
    corpora, macro = _corpora(corpus, label, kept_scores, resample, threshold)
    return Evaluation(
        corpora=corpora,
        macro=macro,
        judged=judged(pairs, scores, whole),
        kinds=by_kind(pairs, short, scores[OURS] >= threshold, whole),
        tiers=by_tier(pairs, scores, whole),
        looks=form_changes(pairs, scores[OURS]),
        languages=sliced(pairs, short, whole, by="lang"),
        systems=sliced(pairs, short, whole, by="system"),
        watch=_watched(pairs, scores[OURS], threshold),
        probability=_probability(labelled, label, kept_scores[OURS], mix, resample),
        threshold=threshold,
        n_pairs=len(labelled),
        n_groups=len({p.group for p in labelled}),
    )


def _corpora(
    corpus: NDArray[np.str_],
    label: NDArray[np.bool_],
    scores: Mapping[str, Floats],
    resample: Resamples,
    threshold: float,
) -> tuple[dict[str, dict[str, Any]], dict[str, Estimate]]:
    """Measure every corpus, and the mean AUROC over those with both labels."""
    metrics = {}
    areas: dict[str, list[Floats]] = {name: [] for name in scores}
    for name in sorted(set(corpus.tolist())):
        rows = corpus == name
        own_scores = {method: score[rows] for method, score in scores.items()}
        weights = resample.of_rows(rows).weights()
        metrics[name] = _flags(label[rows], own_scores[OURS], weights, threshold)
        drifted = int(label[rows].sum())
        if min(drifted, int(rows.sum()) - drifted) < FEWEST:
            continue
        curves = {
            method: Curve.of(label[rows], score, weights) for method, score in own_scores.items()
        }
        area = {method: curve.auroc() for method, curve in curves.items()}
        metrics[name]["scores"] = {
            method: {
                "auroc": Estimate.of(area[method]),
                "average_precision": Estimate.of(curve.average_precision()),
                "recall_at_5": Estimate.of(curve.recall_at(FALSE_ALARMS)),
            }
            for method, curve in curves.items()
        }
        metrics[name] |= _lead(area)
        for method, values in area.items():
            areas[method].append(values)
    if not areas[OURS]:
        return metrics, {}
    mean = {method: np.mean(values, axis=0) for method, values in areas.items()}
    macro = {method: Estimate.of(values) for method, values in mean.items()}
    lead = _lead(mean)
    return metrics, {**macro, "lead": lead["lead"]} if lead else macro


def _flags(
    label: NDArray[np.bool_], score: Floats, weights: Floats, threshold: float
) -> dict[str, Any]:
    return {
        "n": len(label),
        "drift": int(label.sum()),
        "flagged_drift": Estimate.of(flagged_at(threshold, of=True)(label, score, weights)),
        "flagged_sound": Estimate.of(flagged_at(threshold, of=False)(label, score, weights)),
    }


def _lead(area: Mapping[str, Floats]) -> dict[str, Any]:
    """Compare ours with the best simple score, if there is one."""
    simple = [name for name in area if name not in _TRAINED]
    if not simple:
        return {}
    best = max(simple, key=lambda name: float(area[name][0]))
    return {"best_simple": best, "lead": Estimate.of(area[OURS] - area[best])}


def _watched(pairs: Sequence[Pair], score: Floats, threshold: float) -> dict[str, dict[str, Any]]:
    kinds: dict[str, list[float]] = {}
    for pair, value in zip(pairs, score.tolist(), strict=True):
        if pair.corpus == "watch":
            kinds.setdefault(pair.kind, []).append(value)
    return {
        kind: {"n": len(values), "flagged": float(np.mean(np.array(values) >= threshold))}
        for kind, values in sorted(kinds.items())
    }


def _probability(
    pairs: Sequence[Pair],
    label: NDArray[np.bool_],
    score: Floats,
    mix: Mix,
    resample: Resamples,
) -> dict[str, Any]:
    if label.all() or not label.any():
        return {}
    weight = weights(pairs, mix)
    prior = float(weight @ label / weight.sum())

    resampled = resample.weights(weight)

    def of(measure: Measure) -> Estimate:
        return Estimate.of(measure(label, score, resampled))

    return {
        "prior": prior,
        "brier": of(brier),
        "brier_of_prior": prior * (1.0 - prior),
        "brier_skill": of(brier_skill),
        "calibration_error": of(calibration_error),
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
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value
