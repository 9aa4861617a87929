"""Estimators over features: `BeadClassifier` for drift, `SeverityRegressor` for error points.

They take a numeric matrix and know no feature's name and no threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from detector.threads import one_thread

MODELS = ("logistic", "boosting")


class BeadClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Calibrated probability of the second class, for rows that may hold NaN.

    Parameters
    ----------
    model : {"logistic", "boosting"}, default="boosting"
        `logistic` is a median imputer with missing-value indicators, a scaler and an L2
        logistic regression; `boosting` is histogram gradient boosting, which takes NaN as it is.
    strength : float, default=1.0
        Weight of the L2 penalty, above 0; larger is smoother.
    n_trees : int, default=150
        Trees of `boosting`.
    n_leaves : int, default=15
        Most leaves of a tree of `boosting`; 2 allows no interaction between columns.
    monotonic : sequence of int or None, default=None
        One of -1, 0, 1 per column, `boosting` only: the probability may only fall, do as it
        likes, or only rise along that column.
    calibration : (float, float), default=(1.0, 0.0)
        Slope (above 0) and intercept put on the margin before it becomes a probability.
        They are to be fitted on rows that the model did not see (`training.drift` does so).
    random_state : int, default=0
        Seed of `boosting`'s binning sample.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two labels, sorted; probabilities are of the second.
    model_ : estimator
        The fitted scikit-learn model.
    empty_ : ndarray of shape (n_features,), bool
        Columns that held nothing but NaN in `fit`; they are taken as 0 from then on.
    n_features_in_ : int
        Columns seen in `fit`.

    Notes
    -----
    Calibration is Platt scaling (J. Platt, 1999, Probabilistic outputs for support vector machines
    and comparisons to regularized likelihood methods), but its two numbers come from outside: to
    fit them here would need the groups of the rows (copies of one source sentence), which a plain
    estimator does not get, and a calibration on leaking folds is overconfident.

    Examples
    --------
    >>> X = [[0.9, 0.0], [0.8, float("nan")], [0.2, 1.0], [0.1, 1.0]]
    >>> model = BeadClassifier(model="logistic").fit(X, [False, False, True, True])
    >>> model.predict([[0.95, 0.0], [0.05, float("nan")]])
    array([False,  True])
    """

    def __init__(  # noqa: PLR0913 - a hyperparameter each, as scikit-learn wants them
        self,
        *,
        model: str = "boosting",
        strength: float = 1.0,
        n_trees: int = 150,
        n_leaves: int = 15,
        monotonic: Sequence[int] | None = None,
        calibration: tuple[float, float] = (1.0, 0.0),
        random_state: int = 0,
    ) -> None:
        self.model = model
        self.strength = strength
        self.n_trees = n_trees
        self.n_leaves = n_leaves
        self.monotonic = monotonic
        self.calibration = calibration
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - sklearn ships no types
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model to rows, which may hold NaN, and two labels; the last sorted is detected.

        Raises
        ------
        ValueError
            When a parameter is out of its range or `y` does not hold exactly two labels.
        """
        rows, labels = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        self._check_parameters()
        check_classification_targets(labels)
        kind = type_of_target(labels, input_name="y", raise_unknown=True)
        if kind != "binary":
            msg = f"Only binary classification is supported. The type of the target is {kind}."
            raise ValueError(msg)
        weight = _weights(sample_weight, len(rows))
        # A row of weight 0 counts as absent, so the labels are counted without it.
        seen = weight > 0.0
        if not seen.any():
            msg = "sample_weight is zero everywhere; give at least one row of each label a weight"
            raise ValueError(msg)
        rows, labels, weight = rows[seen], labels[seen], weight[seen]
        self.classes_, target = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            msg = (
                f"y holds {len(self.classes_)} class; BeadClassifier needs two labels to tell apart"
            )
            raise ValueError(msg)
        self.empty_ = np.isnan(rows).all(axis=0)
        rows = np.where(self.empty_, 0.0, rows)
        self.model_ = self._build()
        step = {"logistic": ("standardscaler__", "logisticregression__")}.get(self.model, ("",))
        # The weighted variance of a constant column may come out a hair below 0; the scaler takes
        # its root before it sets the scale of such columns to 1.
        with one_thread("openmp"), np.errstate(invalid="ignore"):
            self.model_.fit(rows, target, **{f"{name}sample_weight": weight for name in step})
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the calibrated log-odds of the second class, of shape (n_rows,), float64."""
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        slope, intercept = self.calibration
        with one_thread("openmp"):
            margin = self.model_.decision_function(np.where(self.empty_, 0.0, rows))
        odds: NDArray[np.float64] = slope * margin + intercept
        return odds

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each of `classes_`, of shape (n_rows, 2), float64."""
        positive = 0.5 * (1.0 + np.tanh(0.5 * self.decision_function(X)))  # never overflows
        return np.column_stack([1.0 - positive, positive])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likelier label of every row."""
        labels = (self.decision_function(X) > 0.0).astype(np.intp)
        chosen: NDArray[Any] = self.classes_[labels]
        return chosen

    def _build(self) -> Any:  # noqa: ANN401 - sklearn ships no types
        if self.model == "logistic":
            return make_pipeline(
                SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
                StandardScaler(),
                LogisticRegression(C=1.0 / self.strength, max_iter=1000),
            )
        return HistGradientBoostingClassifier(
            max_iter=self.n_trees,
            learning_rate=0.08,
            max_leaf_nodes=self.n_leaves,
            l2_regularization=self.strength,
            monotonic_cst=None if self.monotonic is None else list(self.monotonic),
            early_stopping=False,  # it would split copies of one source sentence
            random_state=self.random_state,
        )

    def _check_parameters(self) -> None:
        slope, _ = self.calibration
        facts = (
            (self.model in MODELS, "model", self.model, f"one of {', '.join(MODELS)}"),
            (isinstance(self.strength, Real) and self.strength > 0, "strength", self.strength,
             "a number above 0"),
            (isinstance(self.n_trees, Integral) and self.n_trees > 0, "n_trees", self.n_trees,
             "a whole number above 0"),
            (isinstance(self.n_leaves, Integral) and self.n_leaves > 1, "n_leaves", self.n_leaves,
             "a whole number above 1"),
            (self.monotonic is None or self.model == "boosting", "monotonic", self.monotonic,
             "None with the logistic model, which cannot keep to it"),
            (slope > 0, "calibration", self.calibration, "a slope above 0 and an intercept"),
        )  # fmt: skip
        for holds, name, value, accepted in facts:
            if not holds:
                msg = f"BeadClassifier: {name} is {value!r}; give {accepted}"
                raise ValueError(msg)


def _weights(sample_weight: ArrayLike | None, n_rows: int) -> NDArray[np.float64]:
    """Return one weight a row, checked; 1 where none is given."""
    if sample_weight is None:
        return np.ones(n_rows)
    weight: NDArray[np.float64] = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weight.shape != (n_rows,) or (weight < 0.0).any():
        msg = f"sample_weight has shape {weight.shape} and least value {weight.min()}; "
        msg += f"give {n_rows} numbers of 0 or above"
        raise ValueError(msg)
    return weight


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
