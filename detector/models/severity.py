"""`SeverityRegressor`: expected error points from a row of features.

A scikit-learn estimator over a numeric matrix. `drift` predicts how likely an error is, this
module how large; a prediction never falls when a feature gets worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = NDArray[np.float64]
_QUANTILES = (0.0, 0.3, 0.6, 0.8, 0.9, 0.96, 0.99)
_HUBER = 3.0  # error points from which the loss is linear
_MOST = 15.0  # error points are capped here: raters do not agree above


class SeverityRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # sklearn: no types
    """Sum of one rising curve per column; 0 for a row that equals `sound`.

    Parameters
    ----------
    directions : sequence of int or None, default=None
        Per column 1 where more is worse, -1 where less is worse, 0 where the column is ignored;
        None takes every column as 1.
    sound : sequence of float or None, default=None
        Value of each column when the copy equals its source; 0 by default.
    ranking : float, default=4.0
        Weight of the ranking loss on minimal pairs against the loss on points.
    smoothing : float, default=0.001
        Weight of the penalty on the sum of the slopes.

    Attributes
    ----------
    knots_ : list of ndarray, float64
        Per column, where its curve bends, as a distance from `sound`.
    weights_ : ndarray of shape (n_basis,), float64
        Points that each piece of a curve adds, 0 or above.
    n_features_in_ : int

    Notes
    -----
    An additive model (Hastie and Tibshirani, 1986) of monotone piecewise linear curves. The loss
    is Huber's (1964) on human error points, with one offset per rater group that is fitted and
    then left out (so a copy equal to its source gets 0), and the logistic ranking loss (as in
    RankNet: Burges et al., 2005) on minimal pairs. L-BFGS-B keeps all weights positive, so a worse
    value never gives a better severity, and two copies that differ in a column never tie.
    """

    def __init__(
        self,
        *,
        directions: Sequence[int] | None = None,
        sound: Sequence[float] | None = None,
        ranking: float = 4.0,
        smoothing: float = 1e-3,
    ) -> None:
        self.directions = directions
        self.sound = sound
        self.ranking = ranking
        self.smoothing = smoothing

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        raters: ArrayLike | None = None,
        minimal_pairs: ArrayLike | None = None,
    ) -> Self:
        """Fit the curves to rows (NaN is taken as `sound`), points and minimal pairs.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
        y : array-like of shape (n_rows,)
            Error points; NaN where there are none.
        raters : array-like of shape (n_rows,), int, or None
            Rater group of each row; each has an offset of its own.
        minimal_pairs : array-like of shape (n_minimal_pairs, 3), or None
            Rows of a sound copy and of a changed one, and 1 where the change is damage, 0 where it
            is harmless.
        """
        from scipy.optimize import minimize

        rows = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        points = np.minimum(np.asarray(y, dtype=np.float64), _MOST)
        if points.shape != (len(rows),):
            msg = f"y has shape {points.shape}; give a number, or NaN, for each of {len(rows)} rows"
            raise ValueError(msg)
        worse = self._worse(rows)
        self.knots_ = [_knots(column) for column in worse.T]
        basis = self._basis(worse)
        group = np.zeros(len(rows), np.intp) if raters is None else np.asarray(raters, np.intp)
        pairs = np.asarray(np.zeros((0, 3)) if minimal_pairs is None else minimal_pairs, np.intp)
        loss = _Loss(basis, points, group, pairs, self)
        start = np.concatenate([np.full(basis.shape[1], 0.05), np.zeros(loss.n_groups)])
        bounds = [(1e-4, None)] * basis.shape[1] + [(None, None)] * loss.n_groups
        found = minimize(
            loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300}
        )
        self.weights_ = found.x[: basis.shape[1]]
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Return the expected error points, 0 or above, of shape (n_rows,), float64."""
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        severity: Floats = self._basis(self._worse(rows)) @ self.weights_
        return severity

    def _worse(self, rows: Floats) -> Floats:
        """Return the distance of each value from `sound` in the direction that is worse."""
        n = rows.shape[1]
        signs = np.ones(n) if self.directions is None else np.asarray(self.directions, np.float64)
        sound = np.zeros(n) if self.sound is None else np.asarray(self.sound, np.float64)
        if signs.shape != (n,) or sound.shape != (n,):
            msg = f"directions and sound have {signs.shape} and {sound.shape}; give {n} each"
            raise ValueError(msg)
        away: Floats = np.maximum(np.nan_to_num((rows - sound) * signs), 0.0)
        return away

    def _basis(self, worse: Floats) -> Floats:
        columns = [np.zeros((len(worse), 0))]
        for value, knots in zip(worse.T, self.knots_, strict=True):
            if len(knots):
                pieces = (value[:, None] - knots[:-1]) / np.diff(knots)
                columns += [np.clip(pieces, 0.0, 1.0), value[:, None] / knots[-1]]
        return np.hstack(columns)


def _knots(column: Floats) -> Floats:
    """Return where a curve bends: 0 and quantiles of the values above it; none if all are 0."""
    above = column[column > 1e-9]
    if not len(above):
        return np.zeros(0)
    found: Floats = np.unique(np.concatenate([[0.0], np.quantile(above, _QUANTILES)]))
    kept = [0.0]
    for knot in found[1:]:
        if knot - kept[-1] > 1e-6 * found[-1]:
            kept.append(float(knot))
    return np.array(kept)


class _Loss:
    """The loss of `SeverityRegressor` and its gradient, for L-BFGS-B."""

    def __init__(
        self,
        basis: Floats,
        points: Floats,
        group: NDArray[np.intp],
        pairs: NDArray[np.intp],
        model: SeverityRegressor,
    ) -> None:
        given = ~np.isnan(points)
        self.graded, self.points, self.group = basis[given], points[given], group[given]
        self.n_groups = int(group.max(initial=0)) + 1
        apart = basis[pairs[:, 1]] - basis[pairs[:, 0]]
        self.damaged, self.harmless = apart[pairs[:, 2] > 0], apart[pairs[:, 2] == 0]
        self.ranking, self.smoothing = model.ranking, model.smoothing

    def __call__(self, at: Floats) -> tuple[float, Floats]:
        weights, offsets = at[: self.graded.shape[1]], at[self.graded.shape[1] :]
        gradient = np.zeros_like(at)
        total = self.smoothing * float(weights.sum())
        gradient[: len(weights)] += self.smoothing
        if len(self.points):
            miss = self.graded @ weights + offsets[self.group] - self.points
            slope = np.clip(miss, -_HUBER, _HUBER) / _HUBER / len(miss)
            size = np.abs(miss)
            cost = np.where(size < _HUBER, 0.5 * miss**2 / _HUBER, size - 0.5 * _HUBER)
            total += float(cost.mean())
            gradient[: len(weights)] += self.graded.T @ slope
            np.add.at(gradient[len(weights) :], self.group, slope)
        if len(self.damaged):
            lead = self.damaged @ weights
            total += self.ranking * float(np.logaddexp(0.0, -2.0 * lead).mean())
            slope = -2.0 / (1.0 + np.exp(np.clip(2.0 * lead, -60, 60))) / len(lead)
            gradient[: len(weights)] += self.ranking * (self.damaged.T @ slope)
        if len(self.harmless):
            lead = self.harmless @ weights
            total += 0.1 * self.ranking * float(np.abs(lead).mean())
            slope = np.sign(lead) / len(lead)
            gradient[: len(weights)] += 0.1 * self.ranking * (self.harmless.T @ slope)
        return total, gradient
