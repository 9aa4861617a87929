"""The stack: what a tagger adds to models that do without it."""

from __future__ import annotations

import numpy as np
import pytest

from detector.features.token_tags import TAG_FEATURES
from detector.models.bundle import blended
from detector.training.data.corpus import Pair, group_of
from detector.training.drift import TrainConfig, fit_stack
from detector.training.evaluate.metrics import auroc


def _pairs(n: int) -> list[Pair]:
    return [
        Pair(
            source=f"sentence {i}",
            copy="x",
            label=i % 2 == 0 if i % 5 else None,
            corpus="wmt" if i % 3 else "mqm_ted",
            kind="human",
            group=group_of(f"sentence {i}"),
            points=5.0 * (i % 2 == 0),
        )
        for i in range(n)
    ]


def _material(n: int = 400) -> tuple[list[Pair], np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    pairs = _pairs(n)
    bad = np.array([i % 2 == 0 for i in range(n)])
    odds = rng.normal(size=n) + bad
    odds[[i for i, pair in enumerate(pairs) if pair.label is None]] = np.nan
    severity = np.abs(rng.normal(size=n)) + bad
    tags = np.abs(rng.normal(size=(n, len(TAG_FEATURES)))) + 2.0 * bad[:, None]
    return pairs, odds, severity, tags


@pytest.mark.slow
def test_stack_ranks_better_with_tags_that_know_and_keeps_its_false_alarms() -> None:
    pairs, odds, severity, tags = _material()
    stack = fit_stack(pairs, odds, severity, tags, TrainConfig())
    assert stack is not None
    points = stack.severity.predict(np.column_stack([severity, tags]))
    known = ~np.isnan(odds)
    label = np.array([bool(pair.label) for pair in pairs])[known]
    probability = blended(stack.blend, odds[known], points[known], tags[known, 0])
    even = np.ones(len(label))
    assert auroc(label, probability, even) > auroc(label, odds[known], even) + 0.1
    sound = ~label & np.array([pair.corpus == "wmt" for pair in pairs])[known]
    assert (probability[sound] >= stack.threshold).mean() <= 0.06
    assert min(stack.blend[1:]) >= 0.0


def test_stack_needs_both_labels_and_enough_sentences() -> None:
    pairs, odds, severity, tags = _material()
    assert fit_stack(pairs[:6], odds[:6], severity[:6], tags[:6], TrainConfig()) is None
    alike = [i for i, pair in enumerate(pairs) if pair.label is not True]
    mine = [pairs[i] for i in alike]
    assert fit_stack(mine, odds[alike], severity[alike], tags[alike], TrainConfig()) is None
