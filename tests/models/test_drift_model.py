"""The drift model: scikit-learn's own checks, missing values, direction, calibration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from detector.models.estimators import BeadClassifier


@parametrize_with_checks(
    [BeadClassifier(model="logistic"), BeadClassifier(model="boosting", n_trees=10)],
)
def test_drift_model_passes_the_estimator_checks(
    estimator: BeadClassifier, check: Callable[..., object]
) -> None:
    check(estimator)


def _made(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    y = X[:, 0] + 0.5 * X[:, 1] + 0.3 * rng.normal(size=n) > 0
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


@pytest.mark.parametrize("model", ["logistic", "boosting"])
def test_drift_model_learns_through_missing_values(model: str) -> None:
    X, y = _made()
    classifier = BeadClassifier(model=model, n_trees=60).fit(X[:400], y[:400])
    probability = classifier.predict_proba(X[400:])
    assert (classifier.predict(X[400:]) == y[400:]).mean() > 0.85
    assert np.isfinite(probability).all()
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)


@pytest.mark.parametrize("model", ["logistic", "boosting"])
def test_drift_model_is_the_same_twice(model: str) -> None:
    X, y = _made()
    one = BeadClassifier(model=model, n_trees=30).fit(X, y).predict_proba(X)
    two = BeadClassifier(model=model, n_trees=30).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("model", ["logistic", "boosting"])
def test_drift_model_takes_a_column_that_is_always_missing(model: str) -> None:
    X, y = _made()
    X[:, 3] = np.nan
    classifier = BeadClassifier(model=model, n_trees=30).fit(X, y)
    assert np.isfinite(classifier.decision_function(X[:5])).all()


def test_drift_model_monotonic_column_never_turns() -> None:
    X, y = _made()
    classifier = BeadClassifier(monotonic=(1, 0, 0, 0), n_trees=60).fit(X, y)
    line = np.zeros((200, 4))
    line[:, 0] = np.linspace(-3, 3, 200)
    assert (np.diff(classifier.decision_function(line)) >= 0).all()


@pytest.mark.slow
@given(slope=st.floats(0.1, 5.0), intercept=st.floats(-3.0, 3.0))
@settings(max_examples=20, deadline=None)
def test_drift_model_calibration_keeps_the_order(slope: float, intercept: float) -> None:
    X, y = _made(200)
    plain = BeadClassifier(model="logistic").fit(X, y).decision_function(X)
    moved = BeadClassifier(model="logistic", calibration=(slope, intercept)).fit(X, y)
    np.testing.assert_allclose(moved.decision_function(X), slope * plain + intercept, atol=1e-9)


def test_drift_model_rows_of_no_weight_are_not_there() -> None:
    X, y = _made(300)
    weight = np.ones(300)
    weight[100:] = 0.0
    part = BeadClassifier(n_trees=20).fit(X[:100], y[:100]).predict_proba(X)
    weighted = BeadClassifier(n_trees=20).fit(X, y, sample_weight=weight).predict_proba(X)
    np.testing.assert_allclose(part, weighted)


def test_drift_model_takes_a_column_that_never_changes() -> None:
    X, y = _made(200)
    X[:, 1] = 1e6 + 0.1  # its weighted variance comes out below 0; a warning would fail the test
    weight = np.random.default_rng(0).random(200)
    classifier = BeadClassifier(model="logistic").fit(X, y, sample_weight=weight)
    assert np.isfinite(classifier.decision_function(X)).all()


def test_drift_model_far_rows_stay_probabilities() -> None:
    classifier = BeadClassifier(model="logistic", calibration=(1e6, 0.0)).fit(*_made(200))
    probability = classifier.predict_proba([[1e9, 1e9, 0, 0], [-1e9, -1e9, 0, 0]])
    assert ((probability >= 0) & (probability <= 1)).all()


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"model": "forest"}, "logistic, boosting"),
        ({"strength": 0.0}, "above 0"),
        ({"n_trees": 0}, "n_trees is 0"),
        ({"n_leaves": 1}, "above 1"),
        ({"calibration": (-1.0, 0.0)}, "slope above 0"),
        ({"model": "logistic", "monotonic": (1, 0, 0, 0)}, "monotonic"),
    ],
)
def test_drift_model_refuses_parameters_out_of_range(
    parameters: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        BeadClassifier(**parameters).fit(*_made(50))


def test_drift_model_refuses_three_labels() -> None:
    with pytest.raises(ValueError, match="Only binary"):
        BeadClassifier().fit(np.zeros((6, 1)), [0, 1, 2, 0, 1, 2])
