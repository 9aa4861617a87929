"""Fit the drift classifier and severity on grouped folds; choose the threshold.

The model, its calibration and the threshold are chosen on out-of-fold predictions; groups held
apart are not used. This module opens no file.

The models over a tagger's features are fitted on out-of-fold predictions of the lower models and on
source sentences that the tagger did not see. This module opens no file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError
from detector.features.features import FEATURES
from detector.models.bundle import blended
from detector.models.estimators import BeadClassifier, SeverityRegressor
from detector.training.data.corpus import Pair
from detector.training.data.sampling import Mix, weights
from detector.training.evaluate.metrics import Estimate, Floats, Resamples, auroc

_EITHER_WAY = frozenset(
    {
        *("source_coverage", "copy_coverage", "lost_mass", "added_mass"),
        *("source_shared", "copy_shared", "crossings", "content_crossings", "spelling"),
        *("unrepeated_words", "new_words", "unrepeated_small_words", "new_small_words"),
        *("lost_small_words", "added_small_words", "doubled_words"),
        *("length_change", "breaks", "break_share", "context_moved", "inflections"),
    }
)
"""Features without a monotonic constraint: one lost word weighs more where all else was kept.

Constraining overlap and coverage costs .025 of the AUROC on minimal pairs.
"""

DIRECTIONS: Mapping[str, int] = {
    feature.name: feature.worse for feature in FEATURES if feature.name not in _EITHER_WAY
}
"""Monotonic constraints by feature: 1, -1 or 0."""

# Weights of log(1 + severity) beside log-odds. A larger one gains .0018 AUROC (6.4, out of fold),
# but a worse Brier score, and fewer single damages are flagged (.56 for .60).
_SHARES = (0.2, 0.4, 0.8, 1.6)

ROUND_TRIPS = ("flores", "wmt", "contrast")
"""Corpora whose sound pairs the false alarms are counted on, as they resemble real input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How the classifier is fitted.

    Attributes
    ----------
    mix : Mix
        Pairs and weights.
    folds : int
        Of the training groups.
    false_alarms : float
        Share in (0, 1) of sound round trips that the threshold may flag.
    candidates : mapping of str to dict
        Parameters of `BeadClassifier` by name, the simplest first.
    resamples : int
        Bootstrap resamples behind an interval.
    """

    mix: Mix = field(default_factory=Mix)
    folds: int = 5
    false_alarms: float = 0.05
    candidates: Mapping[str, dict[str, Any]] = field(
        default_factory=lambda: {
            "logistic": {"model": "logistic"},
            "additive": {"model": "boosting", "n_leaves": 2, "n_trees": 300},
            "boosting": {"model": "boosting", "n_leaves": 8, "n_trees": 200},
            "large boosting": {"model": "boosting", "n_leaves": 16, "n_trees": 300},
        }
    )
    resamples: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted drift model; predictions are out of fold, (n_pairs,)."""

    classifier: BeadClassifier  # fitted on all training pairs, calibrated
    blend: tuple[float, float, float]  # as in `BundleConfig`
    threshold: float
    chosen: str  # name of the candidate
    compared: Mapping[str, Estimate]  # mean AUROC over the corpora, by candidate
    odds: NDArray[np.float64]  # calibrated log-odds of the classifier alone
    probability: NDArray[np.float64]  # calibrated and blended


def fit(
    pairs: Sequence[Pair],
    X: NDArray[np.float64],
    names: Sequence[str],
    config: TrainConfig,
    *,
    severity: NDArray[np.float64] | None = None,
) -> Fit:
    """Fit, calibrate, blend with the severity and set the threshold.

    Parameters
    ----------
    pairs : sequence of Pair
        Training pairs, all labelled.
    X : ndarray of shape (n_pairs, n_features), float64
    names : sequence of str
        Names of the columns.
    config : TrainConfig
    severity : ndarray of shape (n_pairs,), float64, optional
        Expected error points of models that did not see the pair's group.

    Raises
    ------
    InputError
        When there are fewer groups than folds, or a label is missing.

    Notes
    -----
    The simplest candidate whose 95 % interval of the shortfall against the best reaches 0 is taken,
    in the spirit of the one-standard-error rule (Breiman et al. 1984). Calibration is Platt
    scaling (1999) of out-of-fold log-odds, so the probability is that of the mix's prior.
    """
    label = np.array([bool(pair.label) for pair in pairs])
    groups = [pair.group for pair in pairs]
    if len(set(groups)) < config.folds or label.all() or not label.any():
        msg = (
            f"{len(pairs)} training pairs hold {len(set(groups))} groups, {int(label.sum())} of "
            f"them drift; give at least {config.folds} groups and both labels"
        )
        raise InputError(msg)
    weight = weights(pairs, config.mix)
    margins: dict[str, NDArray[np.float64]] = {}
    for name, parameters in config.candidates.items():
        model = _model(parameters, names, seed=config.mix.seed)
        margins[name] = grouped_margins(model, X, (label, weight), groups, folds=config.folds)
    compared, shortfall = _compare(margins, pairs, label, config)
    chosen = next(name for name in config.candidates if shortfall[name].low <= 0.0)
    calibration = platt(margins[chosen], label, weight)
    odds = calibration[0] * margins[chosen] + calibration[1]
    severity = np.full(len(pairs), np.nan) if severity is None else severity
    blend = _blend(odds, severity, pairs, weight)
    probability = blended(blend, odds, severity)
    classifier = _model(config.candidates[chosen], names, seed=config.mix.seed)
    classifier.set_params(calibration=calibration).fit(X, label, sample_weight=weight)
    sound = counted(pairs, label)
    return Fit(
        classifier=classifier,
        blend=blend,
        threshold=threshold_for(probability[sound], weight[sound], config.false_alarms),
        chosen=chosen,
        compared=compared,
        odds=odds,
        probability=probability,
    )


def counted(pairs: Sequence[Pair], label: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Select the sound pairs that false alarms are counted on: round trips, if there are any."""
    sound = ~label & np.isin([pair.corpus for pair in pairs], ROUND_TRIPS)
    return sound if sound.any() else ~label


def platt(
    margin: NDArray[np.float64], label: NDArray[np.bool_], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Fit the slope and intercept from margins, out of fold, to log-odds.

    Returns
    -------
    (float, float)
        Slope, above 0, and intercept.
    """
    from sklearn.linear_model import LogisticRegression

    scale = LogisticRegression(C=1e6).fit(margin[:, np.newaxis], label, sample_weight=weight)
    # A slope below 0 means uninformative margins; a small one gives about the prior.
    return max(1e-3, float(scale.coef_[0, 0])), float(scale.intercept_[0])


def _blend(
    odds: NDArray[np.float64],
    severity: NDArray[np.float64],
    pairs: Sequence[Pair],
    weight: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Choose the weight of the severity beside the log-odds, and calibrate their sum.

    It is never 0: two copies that fall on the same leaves of all trees would tie.
    """
    if np.isnan(severity).any():
        return (0.0, 1.0, 0.0)
    label = np.array([bool(pair.label) for pair in pairs])
    corpus = np.array([pair.corpus for pair in pairs])
    points, even = np.log1p(severity), np.ones(len(pairs))
    share = max(_SHARES, key=lambda r: macro_auroc(odds + r * points, label, corpus, even))
    slope, intercept = platt(odds + share * points, label, weight)
    return (intercept, slope, slope * share)


def threshold_for(
    probability: NDArray[np.float64], weight: NDArray[np.float64], share: float
) -> float:
    """Return the lowest threshold that flags at most a share of sound rows.

    Returns
    -------
    float
        In [0, 1], rounded up to a thousandth.

    Examples
    --------
    >>> threshold_for(np.array([0.1, 0.2, 0.3, 0.4]), np.ones(4), 0.25)
    0.301
    """
    order = np.argsort(-probability, kind="stable")
    above = np.cumsum(weight[order]) / weight.sum()
    first_too_many = int(np.searchsorted(above, share, side="right"))
    if first_too_many == len(order):
        return 0.0
    limit = float(probability[order][first_too_many])
    return min(1.0, math.floor(limit * 1000 + 1) / 1000)


def macro_auroc(
    score: NDArray[np.float64],
    label: NDArray[np.bool_],
    corpus: NDArray[np.str_],
    weight: NDArray[np.float64],
) -> float:
    """Return the mean, over corpora that hold both labels, of the area under the ROC curve."""
    values = [
        auroc(label[rows], score[rows], weight[rows])
        for name in sorted(set(corpus.tolist()))
        for rows in [corpus == name]
    ]
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def _model(parameters: Mapping[str, Any], names: Sequence[str], *, seed: int) -> BeadClassifier:
    known = {**parameters, "random_state": seed}
    if parameters.get("model") == "boosting":
        known["monotonic"] = tuple(DIRECTIONS.get(name, 0) for name in names)
    return BeadClassifier(**known)


def grouped_margins(
    model: BeadClassifier,
    X: NDArray[np.float64],
    target: tuple[NDArray[np.bool_], NDArray[np.float64]],
    groups: Sequence[str],
    *,
    folds: int,
) -> NDArray[np.float64]:
    """Return out-of-fold margins; `target` holds labels and weights."""
    from sklearn.base import clone
    from sklearn.model_selection import GroupKFold

    label, weight = target
    margin = np.empty(len(X))
    for train, test in GroupKFold(folds).split(X, label, groups):
        fitted = clone(model).fit(X[train], label[train], sample_weight=weight[train])
        margin[test] = fitted.decision_function(X[test])
    return margin


def _compare(
    margins: Mapping[str, NDArray[np.float64]],
    pairs: Sequence[Pair],
    label: NDArray[np.bool_],
    config: TrainConfig,
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    corpus = np.array([pair.corpus for pair in pairs])
    even = np.ones(len(pairs))
    rng = np.random.default_rng(config.mix.seed)
    resamples = Resamples.of([pair.group for pair in pairs], n=config.resamples, rng=rng)

    def mean(name: str, weight: NDArray[np.float64]) -> float:
        return macro_auroc(margins[name], label, corpus, weight)

    compared = {n: resamples.estimate(partial(mean, n), even) for n in margins}
    best = max(compared, key=lambda name: compared[name].value)

    def shortfall(name: str, weight: NDArray[np.float64]) -> float:
        return mean(best, weight) - mean(name, weight)

    return compared, {n: resamples.estimate(partial(shortfall, n), even) for n in margins}


_PER_POINT = 10.0  # of a direct assessment of 0 to 100, where a perfect copy has 100


def fit_severity(pairs: Sequence[Pair], X: NDArray[np.float64]) -> SeverityRegressor | None:
    """Fit the severity on human judgements and minimal pairs; None without either."""
    return fit_points(pairs, X, _severity_model())


def fit_points(
    pairs: Sequence[Pair], X: NDArray[np.float64], model: SeverityRegressor | None = None
) -> SeverityRegressor | None:
    """Fit a severity over any columns; by default more is worse and 0 is sound."""
    points = np.array([_points(pair) for pair in pairs])
    twins = _twins(pairs)
    if np.isnan(points).all() and not len(twins):
        return None
    names = {name: number for number, name in enumerate(sorted({p.corpus for p in pairs}))}
    model = SeverityRegressor() if model is None else model
    return model.fit(X, points, raters=[names[pair.corpus] for pair in pairs], minimal_pairs=twins)


def out_of_fold(
    pairs: Sequence[Pair], X: NDArray[np.float64], *, folds: int
) -> NDArray[np.float64]:
    """Return out-of-fold expected error points, (n_pairs,); NaN where nothing could be fitted."""
    return points_out_of_fold(pairs, X, folds=folds, model=_severity_model)


def points_out_of_fold(
    pairs: Sequence[Pair],
    X: NDArray[np.float64],
    *,
    folds: int,
    model: Callable[[], SeverityRegressor] = SeverityRegressor,
) -> NDArray[np.float64]:
    """Return what `out_of_fold` does, over any columns; see `fit_points`."""
    from sklearn.model_selection import GroupKFold

    out = np.full(len(pairs), np.nan)
    for train, test in GroupKFold(folds).split(X, groups=[pair.group for pair in pairs]):
        fitted = fit_points([pairs[i] for i in train], X[train], model())
        if fitted is not None:
            out[test] = fitted.predict(X[test])
    return out


def _severity_model() -> SeverityRegressor:
    return SeverityRegressor(
        directions=tuple(feature.worse for feature in FEATURES),
        sound=tuple(feature.sound for feature in FEATURES),
    )


def _points(pair: Pair) -> float:
    if pair.corpus == "contrast":
        return math.nan  # the maker's own guess, not a person's
    if pair.points is not None:
        return pair.points
    return math.nan if pair.quality is None else (100.0 - pair.quality) / _PER_POINT


def _twins(pairs: Sequence[Pair]) -> NDArray[np.intp]:
    """List rows of base and changed copy, and 1 for damage, 0 for a harmless change."""
    bases = {p.twin: row for row, p in enumerate(pairs) if p.twin and p.kind == "base"}
    found = [
        (bases[pair.twin], row, int(pair.label is not False))
        for row, pair in enumerate(pairs)
        if pair.twin in bases and pair.kind != "base"
    ]
    return np.array(found, dtype=np.intp).reshape(-1, 3)


_SEVERITY = (0.2, 0.4, 0.8, 1.6)  # weights of log(1 + severity) beside log-odds
_TAGS = (0.0, 0.2, 0.4, 0.8, 1.6)  # and of the tagger's log(1 + odds)


def _stacked_model() -> SeverityRegressor:
    """Return a severity that weighs the order of minimal pairs, known already, less."""
    return SeverityRegressor(ranking=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Models over the lower models and a tagger (stacking)."""

    severity: SeverityRegressor  # over `STACKED`
    blend: tuple[float, float, float, float]  # as in `TaggedConfig`
    threshold: float


def fit_stack(
    pairs: Sequence[Pair],
    odds: Floats,
    severity: Floats,
    tags: NDArray[np.float64],
    config: TrainConfig,
) -> Stack | None:
    """Fit the stacked models on pairs that the tagger has not seen.

    `odds` (n_pairs,) are out-of-fold log-odds of drift, NaN for unlabelled pairs, which teach the
    severity alone; `severity` (n_pairs,) out-of-fold error points; `tags` as of `tag_matrix`.

    Returns
    -------
    Stack or None
        None where there are too few pairs, or of one label only.
    """
    labelled = np.flatnonzero(~np.isnan(odds))
    label = np.array([bool(pairs[i].label) for i in labelled.tolist()], dtype=np.bool_)
    groups = {pairs[i].group for i in labelled.tolist()}
    if len(groups) < config.folds or label.all() or not label.any() or np.isnan(severity).any():
        return None
    columns = np.column_stack([severity, tags])
    model = fit_points(pairs, columns, _stacked_model())
    if model is None:
        return None
    points = np.log1p(points_out_of_fold(pairs, columns, folds=config.folds, model=_stacked_model))[
        labelled
    ]
    subset = [pairs[i] for i in labelled.tolist()]
    weight, corpus = weights(subset, config.mix), np.array([pair.corpus for pair in subset])
    even, excess, own = np.ones(len(subset)), tags[labelled, 0], odds[labelled]

    def area(shares: tuple[float, float]) -> float:
        return macro_auroc(own + shares[0] * points + shares[1] * excess, label, corpus, even)

    by_points, by_tags = max(product(_SEVERITY, _TAGS), key=area)
    slope, intercept = platt(own + by_points * points + by_tags * excess, label, weight)
    blend = (intercept, slope, slope * by_points, slope * by_tags)
    probability = blended(blend, own, np.expm1(points), excess)
    sound = counted(subset, label)
    return Stack(
        severity=model,
        blend=blend,
        threshold=threshold_for(probability[sound], weight[sound], config.false_alarms),
    )
