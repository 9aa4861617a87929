"""Pairs with error points, and minimal pairs, to a fitted severity.

Which columns speak for what is the features' own matter; this room says whose points are whose
and which copy of a minimal pair is the worse one. It opens no file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.features import FEATURES
from detector.learn.corpus import Pair
from detector.severity import SeverityRegressor

_PER_POINT = 10.0  # of a direct assessment of 0 to 100, where a perfect copy has 100


def fit_severity(pairs: Sequence[Pair], X: NDArray[np.float64]) -> SeverityRegressor | None:
    """Fit the severity on what people gave and on minimal pairs.

    Parameters
    ----------
    pairs : sequence of Pair
    X : ndarray of shape (n_pairs, n_features), float64
        As `features.matrix` gives them.

    Returns
    -------
    SeverityRegressor or None
        None where no pair has points and none has a twin.
    """
    return fit_points(pairs, X, _model())


def fit_points(
    pairs: Sequence[Pair], X: NDArray[np.float64], model: SeverityRegressor | None = None
) -> SeverityRegressor | None:
    """Fit a severity over any columns; by default of each more is worse, and 0 is sound."""
    points = np.array([_points(pair) for pair in pairs])
    twins = _twins(pairs)
    if np.isnan(points).all() and not len(twins):
        return None
    names = {name: number for number, name in enumerate(sorted({p.corpus for p in pairs}))}
    model = SeverityRegressor() if model is None else model
    return model.fit(X, points, raters=[names[pair.corpus] for pair in pairs], twins=twins)


def out_of_fold(
    pairs: Sequence[Pair], X: NDArray[np.float64], *, folds: int
) -> NDArray[np.float64]:
    """Return severities of pairs whose source sentences the model was not fitted on.

    Returns
    -------
    ndarray of shape (n_pairs,), float64
        Expected error points; NaN where nothing could be fitted.
    """
    return points_out_of_fold(pairs, X, folds=folds, model=_model)


def points_out_of_fold(
    pairs: Sequence[Pair],
    X: NDArray[np.float64],
    *,
    folds: int,
    model: Callable[[], SeverityRegressor] = SeverityRegressor,
) -> NDArray[np.float64]:
    """Do as `out_of_fold`, over any columns; see `fit_points`."""
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
    """List base, changed copy, and 1 where the change is damage, 0 where it is harmless."""
    bases = {p.twin: row for row, p in enumerate(pairs) if p.twin and p.kind == "base"}
    found = [
        (bases[pair.twin], row, int(pair.label is not False))
        for row, pair in enumerate(pairs)
        if pair.twin in bases and pair.kind != "base"
    ]
    return np.array(found, dtype=np.intp).reshape(-1, 3)
