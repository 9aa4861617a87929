"""Severity: nothing for a sound row, more where a number gets worse, points as people gave them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.features.features import FEATURES
from detector.models.estimators import SeverityRegressor
from detector.training.data.corpus import Pair
from detector.training.drift import fit_severity, out_of_fold


def _fitted() -> SeverityRegressor:
    rng = np.random.default_rng(0)
    X = np.abs(rng.normal(size=(400, 3)))
    X[:, 1] = 1.0 - X[:, 1]
    y = 2.0 * X[:, 0] + (1.0 - X[:, 1]) + 0.5  # a rater who finds half a point everywhere
    model = SeverityRegressor(directions=(1, -1, 0), sound=(0.0, 1.0, 0.0), ranking=0.0)
    return model.fit(X, y)


MODEL = _fitted()


def test_severity_of_a_sound_row_is_nothing() -> None:
    assert MODEL.predict([[0.0, 1.0, 7.0]]).tolist() == [0.0]
    assert MODEL.predict([[np.nan, np.nan, np.nan]]).tolist() == [0.0]


def test_severity_finds_the_points_less_what_a_rater_gives_everywhere() -> None:
    found = MODEL.predict([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    assert found == pytest.approx([2.0, 3.0, 5.0], abs=0.4)


@settings(max_examples=60)
@given(st.floats(0, 9), st.floats(0, 9), st.floats(1e-3, 9))
def test_severity_never_falls_when_a_number_gets_worse(a: float, b: float, step: float) -> None:
    here, worse, other = MODEL.predict([[a, 1 - b, 0], [a + step, 1 - b, 0], [a, 1 - b - step, 0]])
    assert here < worse
    assert here < other


def test_severity_learns_the_order_of_minimal_pairs() -> None:
    rng = np.random.default_rng(2)
    sound = np.abs(rng.normal(size=(100, 2)))
    damaged, reworded = sound + np.array([0.2, 0.0]), sound + np.array([0.0, 0.2])
    X = np.vstack([sound, damaged, reworded])
    rows = np.arange(100)
    minimal_pairs = np.vstack([
        np.stack([rows, rows + 100, np.ones(100, int)], axis=1),
        np.stack([rows, rows + 200, np.zeros(100, int)], axis=1),
    ])  # fmt: skip
    model = SeverityRegressor().fit(X, np.full(300, np.nan), minimal_pairs=minimal_pairs)
    found = model.predict(X)
    damage, rewording = found[100:200] - found[:100], found[200:] - found[:100]
    assert (damage > 0).all()
    assert damage.mean() > 5 * rewording.mean()


def test_severity_refuses_points_of_another_length() -> None:
    with pytest.raises(ValueError, match="each of 4 rows"):
        SeverityRegressor().fit(np.ones((4, 2)), [1.0, 2.0])


def test_severity_refuses_directions_of_another_length() -> None:
    with pytest.raises(ValueError, match="give 2 each"):
        SeverityRegressor(directions=(1,)).fit(np.ones((4, 2)), np.ones(4))


def _judged(n: int) -> list[Pair]:
    return [
        Pair(
            source=f"Source {k}",
            copy=f"Copy {k}",
            label=None,
            corpus="mqm_ted",
            kind="human",
            group=f"{k:020x}",
            points=float(k % 6),
        )
        for k in range(n)
    ]


def test_severity_is_fitted_on_points_and_folds_keep_groups_apart() -> None:
    pairs = _judged(60)
    column = [feature.name for feature in FEATURES].index("lost_mass")
    X = np.tile([feature.sound for feature in FEATURES], (60, 1))
    X[:, column] = [pair.points for pair in pairs]
    assert fit_severity(pairs, X) is not None
    folded = out_of_fold(pairs, X, folds=3)
    assert np.corrcoef(folded, X[:, column])[0, 1] > 0.95


def test_severity_without_points_or_minimal_pairs_is_not_fitted() -> None:
    pairs = [
        Pair(source="a", copy="b", label=True, corpus="own", kind="", group="0" * 20) for _ in "ab"
    ]
    assert fit_severity(pairs, np.zeros((2, len(FEATURES)))) is None
