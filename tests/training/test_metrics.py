"""Measures against scikit-learn's, and intervals that behave."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from detector.training.evaluate.metrics import (
    Curve,
    Estimate,
    Resamples,
    auroc,
    brier,
    brier_skill,
    calibration_error,
    flagged_at,
    mean,
    reliability,
    spearman,
    tau_b,
)


def once(weight: np.ndarray) -> np.ndarray:
    """Weights of the rows as they are alone."""
    return np.asarray(weight, dtype=float)[np.newaxis]


rows = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8), st.integers(1, 4)), min_size=2, max_size=40
).filter(lambda r: len({label for label, _, _ in r}) == 2)


@given(rows)
@pytest.mark.slow
def test_metrics_agree_with_scikit_learn_on_ties_and_weights(
    made: list[tuple[bool, int, int]],
) -> None:
    label = np.array([r[0] for r in made])
    score = np.array([r[1] for r in made], dtype=float) / 8
    weight = np.array([r[2] for r in made], dtype=float)
    curve = Curve.of(label, score, once(weight))
    area = roc_auc_score(label, score, sample_weight=weight)
    assert auroc(label, score, weight) == pytest.approx(area)
    assert curve.auroc()[0] == pytest.approx(area)
    assert curve.average_precision()[0] == pytest.approx(
        average_precision_score(label, score, sample_weight=weight)
    )
    assert brier(label, score, once(weight))[0] == pytest.approx(
        brier_score_loss(label, score, sample_weight=weight)
    )


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8), st.integers(1, 3)), min_size=3))
def test_metrics_correlations_agree_with_scipy_on_repeated_rows(
    made: list[tuple[int, int, int]],
) -> None:
    truth, score, weight = (np.array(column, dtype=float) for column in zip(*made, strict=True))
    at = np.repeat(np.arange(len(truth)), weight.astype(int))
    if len(set(truth[at])) < 2 or len(set(score[at])) < 2:
        assert math.isnan(tau_b(truth, score, once(weight))[0])
        assert math.isnan(spearman(truth, score, once(weight))[0])
        return
    assert tau_b(truth, score, once(weight))[0] == pytest.approx(
        kendalltau(truth[at], score[at]).statistic
    )
    assert spearman(truth, score, once(weight))[0] == pytest.approx(
        spearmanr(truth[at], score[at]).statistic
    )


@given(rows)
@pytest.mark.slow
def test_metrics_every_row_of_weights_is_measured_by_itself(
    made: list[tuple[bool, int, int]],
) -> None:
    label = np.array([r[0] for r in made])
    score = np.array([r[1] for r in made], dtype=float) / 8
    weights = np.random.default_rng(0).integers(0, 3, size=(4, len(made))).astype(float)
    many = Curve.of(label, score, weights)
    for row, weight in enumerate(weights):
        one = Curve.of(label, score, once(weight))
        for both in (
            (many.auroc()[row], one.auroc()[0]),
            (many.average_precision()[row], one.average_precision()[0]),
            (many.recall_at(0.2)[row], one.recall_at(0.2)[0]),
            (spearman(score, score, weights)[row], spearman(score, score, once(weight))[0]),
            (brier_skill(label, score, weights)[row], brier_skill(label, score, once(weight))[0]),
        ):
            assert both[0] == pytest.approx(both[1], nan_ok=True)


def test_metrics_brier_skill_is_what_is_saved_over_the_prior() -> None:
    label = np.array([True, False, False, False])
    even = np.ones((1, 4))
    assert brier_skill(label, np.full(4, 0.25), even)[0] == pytest.approx(0.0)
    assert brier_skill(label, label.astype(float), even)[0] == 1.0
    assert brier_skill(label, 1.0 - label, even)[0] < 0
    assert math.isnan(brier_skill(np.zeros(4, dtype=bool), np.zeros(4), even)[0])


def test_metrics_recall_keeps_to_the_allowed_false_alarms() -> None:
    label = np.array([True] * 4 + [False] * 20)
    score = np.array([0.9, 0.8, 0.3, 0.1, 0.5, *[0.2] * 19])
    curve = Curve.of(label, score, np.ones((1, 24)))
    assert curve.recall_at(0.05)[0] == 0.75  # one sound row of twenty may be flagged
    assert curve.recall_at(0.04)[0] == 0.5
    assert curve.recall_at(1.0)[0] == 1.0


def test_metrics_flagged_shares() -> None:
    label = np.array([True, True, False, False])
    score = np.array([0.6, 0.4, 0.5, 0.1])
    assert flagged_at(0.5, of=True)(label, score, np.ones((1, 4)))[0] == 0.5
    assert flagged_at(0.5, of=False)(label, score, once([1, 1, 3, 1]))[0] == 0.75


def test_metrics_one_label_alone_is_not_computable() -> None:
    label, score, even = np.ones(3, dtype=bool), np.arange(3.0), np.ones((1, 3))
    assert math.isnan(auroc(label, score, even[0]))
    assert math.isnan(Curve.of(label, score, even).recall_at(0.05)[0])
    assert math.isnan(flagged_at(0.5, of=False)(label, score, even)[0])
    assert math.isnan(auroc(np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0)))


def test_metrics_calibration_error_is_nothing_for_true_probabilities() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(20000)
    label = rng.random(20000) < score
    even = np.ones((1, 20000))
    assert calibration_error(label, score, even)[0] < 0.02
    assert calibration_error(label, score**3, even)[0] > 0.1
    bins = reliability(label, score, even[0])
    assert len(bins) == 10
    assert sum(mass for _, _, mass in bins) == pytest.approx(20000)


def test_metrics_interval_is_over_groups_and_not_rows() -> None:
    rng = np.random.default_rng(0)
    score = np.repeat(rng.normal(size=40), 50)
    groups = [str(i // 50) for i in range(2000)]
    rows_alone = [str(i) for i in range(2000)]

    def interval(keys: list[str]) -> Estimate:
        resamples = Resamples.of(keys, n=300, rng=np.random.default_rng(1))
        return Estimate.of(mean(score, resamples.weights()))

    wide, tight = interval(groups), interval(rows_alone)
    assert wide.value == tight.value == pytest.approx(score.mean())
    assert wide.low < wide.value < wide.high
    assert (wide.high - wide.low) > 4 * (tight.high - tight.low)


def test_metrics_no_rows_give_no_number() -> None:
    resamples = Resamples.of([], n=3, rng=np.random.default_rng(0))
    assert resamples.weights().shape == (4, 0)
    assert str(Estimate.of(mean(np.zeros(0), resamples.weights()))) == "-"


def test_metrics_estimate_prints_a_dash_where_nothing_was_measured() -> None:
    resamples = Resamples.of(["a", "b"], n=5, rng=np.random.default_rng(0))
    estimate = resamples.estimate(lambda _: math.nan, np.ones(2))
    assert str(estimate) == "-"
    assert estimate.to_list() == [None, None, None]
