"""Fit severity on error points and minimal pairs, with and without a tagger.

The models over a tagger's features are fitted on out-of-fold predictions of the lower models and on
source sentences that the tagger did not see. This module opens no file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from detector.features.features import FEATURES
from detector.models.bundle import blended
from detector.models.severity import SeverityRegressor
from detector.training.data.corpus import Pair
from detector.training.data.sampling import weights
from detector.training.drift import TrainConfig, counted, macro_auroc, platt, threshold_for
from detector.training.evaluate.metrics import Floats

_PER_POINT = 10.0  # of a direct assessment of 0 to 100, where a perfect copy has 100


def fit_severity(pairs: Sequence[Pair], X: NDArray[np.float64]) -> SeverityRegressor | None:
    """Fit the severity on human judgements and minimal pairs; None without either."""
    return fit_points(pairs, X, _model())


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
    return points_out_of_fold(pairs, X, folds=folds, model=_model)


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


def _model() -> SeverityRegressor:
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
