"""Measures against scikit-learn's, and intervals that behave."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from detector.learn.metrics import (
    Resamples,
    auroc,
    average_precision,
    brier,
    calibration_error,
    flagged_at,
    recall_at,
    reliability,
)

rows = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8), st.integers(1, 4)), min_size=2, max_size=40
).filter(lambda r: len({label for label, _, _ in r}) == 2)


@given(rows)
def test_metrics_agree_with_scikit_learn_on_ties_and_weights(
    made: list[tuple[bool, int, int]],
) -> None:
    label = np.array([r[0] for r in made])
    score = np.array([r[1] for r in made], dtype=float) / 8
    weight = np.array([r[2] for r in made], dtype=float)
    assert auroc(label, score, weight) == pytest.approx(
        roc_auc_score(label, score, sample_weight=weight)
    )
    assert average_precision(label, score, weight) == pytest.approx(
        average_precision_score(label, score, sample_weight=weight)
    )
    assert brier(label, score, weight) == pytest.approx(
        brier_score_loss(label, score, sample_weight=weight)
    )


def test_metrics_recall_keeps_to_the_allowed_false_alarms() -> None:
    label = np.array([True] * 4 + [False] * 20)
    score = np.array([0.9, 0.8, 0.3, 0.1, 0.5, *[0.2] * 19])
    even = np.ones(24)
    assert recall_at(0.05)(label, score, even) == 0.75  # one sound row of twenty may be flagged
    assert recall_at(0.04)(label, score, even) == 0.5
    assert recall_at(1.0)(label, score, even) == 1.0


def test_metrics_flagged_shares() -> None:
    label = np.array([True, True, False, False])
    score = np.array([0.6, 0.4, 0.5, 0.1])
    assert flagged_at(0.5, of=True)(label, score, np.ones(4)) == 0.5
    assert flagged_at(0.5, of=False)(label, score, np.array([1.0, 1.0, 3.0, 1.0])) == 0.75


def test_metrics_one_label_alone_is_not_computable() -> None:
    label, score, even = np.ones(3, dtype=bool), np.arange(3.0), np.ones(3)
    assert math.isnan(auroc(label, score, even))
    assert math.isnan(recall_at(0.05)(label, score, even))
    assert math.isnan(flagged_at(0.5, of=False)(label, score, even))
    assert math.isnan(auroc(np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0)))


def test_metrics_calibration_error_is_nothing_for_true_probabilities() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(20000)
    label = rng.random(20000) < score
    even = np.ones(20000)
    assert calibration_error(label, score, even) < 0.02
    assert calibration_error(label, score**3, even) > 0.1
    bins = reliability(label, score, even)
    assert len(bins) == 10
    assert sum(mass for _, _, mass in bins) == pytest.approx(20000)


def test_metrics_interval_is_over_groups_and_not_rows() -> None:
    rng = np.random.default_rng(0)
    score = np.repeat(rng.normal(size=40), 50)
    groups = [str(i // 50) for i in range(2000)]
    rows_alone = [str(i) for i in range(2000)]

    def mean(weight: np.ndarray) -> float:
        return float(weight @ score / weight.sum())

    wide = Resamples.of(groups, n=300, rng=np.random.default_rng(1)).estimate(mean, np.ones(2000))
    tight = Resamples.of(rows_alone, n=300, rng=np.random.default_rng(1)).estimate(
        mean, np.ones(2000)
    )
    assert wide.value == tight.value == pytest.approx(score.mean())
    assert wide.low < wide.value < wide.high
    assert (wide.high - wide.low) > 4 * (tight.high - tight.low)


def test_metrics_estimate_prints_a_dash_where_nothing_was_measured() -> None:
    resamples = Resamples.of(["a", "b"], n=5, rng=np.random.default_rng(0))
    estimate = resamples.estimate(lambda _: math.nan, np.ones(2))
    assert str(estimate) == "-"
    assert estimate.to_list() == [None, None, None]
