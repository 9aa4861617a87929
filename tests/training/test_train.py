"""The fit: weights as stated, threshold as promised, the simplest model, the same twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.fakes import FakeEncoder

from detector.errors import InputError
from detector.training.data.corpus import Pair, group_of
from detector.training.data.sampling import Mix, select, weights
from detector.training.drift import DIRECTIONS, TrainConfig, fit, platt, threshold_for
from detector.training.feature_cache import measure

NAMES = ("similarity", "length_change", "copy_words")
CANDIDATES: dict[str, dict[str, Any]] = {
    "logistic": {"model": "logistic"},
    "boosting": {"model": "boosting", "n_trees": 10, "n_leaves": 4},
}


def _made(n: int = 600, *, bent: bool = False) -> tuple[list[Pair], np.ndarray]:
    """Pairs whose first feature tells drift, linearly or (bent) only far from its middle."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, len(NAMES)))
    signal = np.abs(X[:, 2]) - 0.7 if bent else -X[:, 0]
    label = signal + 0.4 * rng.normal(size=n) > 0.3
    pairs = []
    for i, drifted in enumerate(label.tolist()):
        source = f"Sentence number {i // 2}"
        corpus = ("wmt", "flores", "demetr")[i % 3]
        pairs.append(
            Pair(
                source=source,
                copy=f"Copy {i}",
                label=drifted,
                corpus=corpus,
                kind="made",
                group=group_of(source),
            )
        )
    return pairs, X


def _config(**known: Any) -> TrainConfig:
    return TrainConfig(candidates=CANDIDATES, resamples=50, **known)


def _logistic(**known: Any) -> TrainConfig:
    """One candidate, for what does not depend on which is chosen."""
    return TrainConfig(
        candidates={"logistic": CANDIDATES["logistic"]}, folds=2, resamples=5, **known
    )


@pytest.mark.slow
def test_train_is_the_same_twice() -> None:
    pairs, X = _made()
    one, two = fit(pairs, X, NAMES, _config()), fit(pairs, X, NAMES, _config())
    assert one.threshold == two.threshold
    np.testing.assert_array_equal(one.probability, two.probability)
    np.testing.assert_array_equal(one.classifier.predict_proba(X), two.classifier.predict_proba(X))


@pytest.mark.slow
def test_train_takes_the_simple_model_where_it_does_as_well() -> None:
    assert fit(*_made(), NAMES, _config()).chosen == "logistic"


@pytest.mark.slow
def test_train_takes_the_other_model_where_it_does_better() -> None:
    fitted = fit(*_made(bent=True), NAMES, _config())
    assert fitted.chosen == "boosting"
    assert fitted.compared["boosting"].value > fitted.compared["logistic"].value + 0.1


def test_train_threshold_keeps_to_the_false_alarms_out_of_fold() -> None:
    pairs, X = _made()
    fitted = fit(pairs, X, NAMES, _logistic(false_alarms=0.1))
    weight = weights(pairs, Mix())
    sound = np.array([not p.label and p.corpus in ("wmt", "flores") for p in pairs])
    flagged = fitted.probability[sound] >= fitted.threshold
    assert weight[sound] @ flagged / weight[sound].sum() <= 0.1
    assert flagged.any()
    looser = fit(pairs, X, NAMES, _logistic(false_alarms=0.3))
    assert looser.threshold < fitted.threshold


def test_train_probability_means_the_prior_of_the_mix() -> None:
    pairs, X = _made()
    for prior in (0.2, 0.6):
        fitted = fit(pairs, X, NAMES, _logistic(mix=Mix(prior=prior)))
        weight = weights(pairs, Mix(prior=prior))
        assert weight @ fitted.probability / weight.sum() == pytest.approx(prior, abs=0.01)


def test_train_blends_in_more_of_a_severity_that_knows_more() -> None:
    pairs, X = _made()
    rng = np.random.default_rng(1)
    label = np.array([bool(pair.label) for pair in pairs])
    telling = np.where(label, 3.0, 1.0) + 0.3 * rng.random(len(pairs))
    shares = []
    for severity in (telling, 5.0 - telling):
        intercept, by_odds, by_severity = fit(pairs, X, NAMES, _logistic(), severity=severity).blend
        assert by_odds > 0.0
        assert intercept != 0.0
        shares.append(by_severity / by_odds)
    assert shares == pytest.approx([1.6, 0.2])
    for nothing in (None, np.full(len(pairs), np.nan)):
        assert fit(pairs, X, NAMES, _logistic(), severity=nothing).blend == (0.0, 1.0, 0.0)


def test_train_keeps_known_directions() -> None:
    pairs, X = _made()
    config = TrainConfig(candidates={"b": CANDIDATES["boosting"]}, folds=2, resamples=5)
    fitted = fit(pairs, X, NAMES, config)
    assert fitted.classifier.monotonic == (-1, 0, 0)


def test_train_directions_name_features_that_are_there() -> None:
    from detector.features.features import FEATURES

    assert set(DIRECTIONS) <= {feature.name for feature in FEATURES}


def test_train_refuses_pairs_of_one_label() -> None:
    pairs, X = _made(40)
    sound = [i for i, pair in enumerate(pairs) if not pair.label]
    with pytest.raises(InputError, match="both labels"):
        fit([pairs[i] for i in sound], X[sound], NAMES, _config())


def test_train_refuses_fewer_groups_than_folds() -> None:
    pairs, X = _made(6)
    with pytest.raises(InputError, match="at least 5 groups"):
        fit(pairs, X, NAMES, _config())


def test_train_platt_finds_the_slope_that_was_put_in() -> None:
    rng = np.random.default_rng(0)
    margin = rng.normal(size=50000)
    label = rng.random(50000) < 1 / (1 + np.exp(-(2.0 * margin - 0.5)))
    slope, intercept = platt(margin, label, np.ones(50000))
    assert slope == pytest.approx(2.0, abs=0.1)
    assert intercept == pytest.approx(-0.5, abs=0.05)
    assert platt(-margin, label, np.ones(50000))[0] > 0


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 1.0])
def test_train_threshold_is_the_lowest_that_keeps_to_the_share(share: float) -> None:
    rng = np.random.default_rng(1)
    probability, weight = rng.random(500), rng.random(500)
    threshold = threshold_for(probability, weight, share)

    def flagged(at: float) -> float:
        return float(weight @ (probability >= at) / weight.sum())

    assert flagged(threshold) <= share + 1e-12
    assert threshold == 0.0 or flagged(threshold - 0.001) >= min(share, flagged(0.0)) - 0.02


def test_train_weights_give_labels_and_corpora_their_shares() -> None:
    pairs, _ = _made()
    mix = Mix(prior=0.25, shares={"wmt": 2.0, "flores": 1.0, "demetr": 1.0})
    weight = weights(pairs, mix)
    label = np.array([bool(p.label) for p in pairs])
    wmt = np.array([p.corpus == "wmt" for p in pairs])
    assert weight.mean() == pytest.approx(1.0)
    assert weight[label].sum() / weight.sum() == pytest.approx(0.25)
    assert weight[label & wmt].sum() / weight[label].sum() == pytest.approx(0.5)


def _trips(n: int) -> dict[str, list[Pair]]:
    made = [
        Pair(
            source=f"On Monday {i} people saw the minister of Norway leave the old house.",
            copy=f"{i} people saw how the minister of Norway left the old house on Monday.",
            label=bool(i % 2),
            corpus="wmt",
            kind="consensus",
            group=group_of(f"source {i}"),
        )
        for i in range(n)
    ]
    return {"wmt": made}


def test_train_select_scales_to_the_limit_and_keeps_twins_together() -> None:
    pairs = select(_trips(400), Mix(limit=2000))
    assert {p.corpus for p in pairs} == {"wmt", "contrast", "identical"}
    assert len(pairs) <= 2000
    by_twin: dict[str, set[str]] = {}
    for pair in pairs:
        if pair.twin:
            by_twin.setdefault(pair.twin, set()).add(pair.group)
    assert all(len(groups) == 1 for groups in by_twin.values())


def test_train_measure_goes_on_where_it_stopped(tmp_path: Path) -> None:
    pairs = _trips(30)["wmt"]
    plain = measure(pairs, FakeEncoder())
    measure(pairs[:20], FakeEncoder(), cache=tmp_path)
    encoder = FakeEncoder()
    told: list[int] = []
    kept = measure(pairs, encoder, cache=tmp_path, progress=told.append)
    np.testing.assert_allclose(kept, plain)
    assert len(encoder.encoded) == 20  # both sides of the ten new pairs
    assert told == [20, 10]


def test_train_measure_does_not_trust_a_damaged_part(tmp_path: Path) -> None:
    pairs = _trips(5)["wmt"]
    kept = measure(pairs, FakeEncoder(), cache=tmp_path)
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(path.read_bytes()[:50])
    np.testing.assert_array_equal(measure(pairs, FakeEncoder(), cache=tmp_path), kept)


def test_train_measure_keeps_the_order_and_repeats_of_pairs() -> None:
    pairs = _trips(6)["wmt"]
    rows = measure([pairs[2], pairs[0], pairs[2]], FakeEncoder())
    np.testing.assert_array_equal(rows[0], rows[2])
    np.testing.assert_array_equal(rows[1], measure([pairs[0]], FakeEncoder())[0])
    assert measure([], FakeEncoder()).shape[0] == 0
