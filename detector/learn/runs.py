"""Runs: labelled pairs to a fitted bundle, and a bundle to its figures.

Brings the other rooms together in order; which pairs is the matter of `material`, what is printed
that of `commands`. Opens no file beyond the cache of features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector import store
from detector.bundle import library_versions
from detector.encode import Encoder
from detector.features import FEATURES, NAMES
from detector.learn.baselines import baselines
from detector.learn.card import card
from detector.learn.config import Settings
from detector.learn.corpus import Pair
from detector.learn.evaluate import OURS, Figures, evaluate
from detector.learn.material import Material
from detector.learn.measure import measure
from detector.learn.metrics import Floats
from detector.learn.train import TrainConfig, fit
from detector.learn.twins import caught
from detector.version import __version__

_NAME_DAMAGE = 0.5  # summed probability from which a name counts as damaged, as in a report

Progress = Callable[[int], object]


def train(
    material: Material, encoder: Encoder, settings: Settings, *, progress: Progress | None = None
) -> tuple[store.Bundle, Figures]:
    """Fit a bundle and measure it on the pairs held apart.

    Parameters
    ----------
    material : Material
    encoder : Encoder
    settings : Settings
    progress : callable, optional
        Told how many distinct pairs were measured since it was last told.

    Returns
    -------
    (Bundle, Figures)
        The bundle is not saved yet; its `config.classifier` is empty until it is.

    Raises
    ------
    InputError
        When the pairs are too few to fit on.
    """
    pairs = [*material.fitting, *material.apart]
    X = measure(pairs, encoder, cache=settings.cache, progress=progress)
    n = len(material.fitting)
    fitted = fit(material.fitting, X[:n], NAMES, settings.train)
    columns = tuple((feature.name, feature.unit) for feature in FEATURES)
    config = store.BundleConfig(
        schema=store.SCHEMA,
        version=__version__,
        threshold=fitted.threshold,
        columns=columns,
        encoder=encoder.identity,
        libraries=library_versions(),
        classifier="",
        training={},
    )
    bundle = store.Bundle(drift=fitted.classifier, config=config)
    figures = figures_of(bundle, material, X[n:], settings.train)
    counts = _counts(material.fitting)
    text = card(
        fitted,
        figures,
        settings.train,
        facts={
            "tables": material.tables,
            "dropped": material.dropped.to_dict(),
            "counts": counts,
            "encoder": encoder.identity,
            "features": columns,
            "libraries": library_versions(),
            "own": bool(settings.tables),
        },
    )
    training = {
        "settings": settings.record(),
        "chosen": fitted.chosen,
        "compared": {name: e.to_list() for name, e in fitted.compared.items()},
        "calibration": list(fitted.classifier.calibration),
        "pairs": {name: list(both) for name, both in counts.items()},
        "tables": {name: known["sha256"] for name, known in material.tables.items()},
        "held_apart": figures.to_dict(),
    }
    return replace(bundle, config=replace(config, training=training), card=text), figures


def measure_bundle(
    bundle: store.Bundle,
    material: Material,
    encoder: Encoder,
    settings: Settings,
    *,
    progress: Progress | None = None,
) -> Figures:
    """Measure a bundle, and simpler scores, on the pairs held apart; as `train` does."""
    X = measure(material.apart, encoder, cache=settings.cache, progress=progress)
    return figures_of(bundle, material, X, settings.train)


def figures_of(
    bundle: store.Bundle, material: Material, X: NDArray[np.float64], config: TrainConfig
) -> Figures:
    """Judge the pairs held apart and measure the judgements.

    Parameters
    ----------
    bundle : Bundle
    material : Material
    X : ndarray of shape (n_apart, n_features), float64
    config : TrainConfig
        Its mix weighs the probabilities, its resamples make the intervals.

    Returns
    -------
    Figures
    """
    pairs = material.apart
    simple, notes = baselines(pairs, X, NAMES)
    scores = {**scores_of(bundle, X), **simple}
    figures = evaluate(
        pairs, scores, threshold=bundle.threshold, mix=config.mix, resamples=config.resamples
    )
    finders = {
        "names": X[:, NAMES.index("name_damage")] >= _NAME_DAMAGE,
        "figures": X[:, NAMES.index("figure_changes")] > 0,
    }
    return replace(figures, caught=caught(pairs, finders), notes=(*material.notes, *notes))


def scores_of(bundle: store.Bundle, X: NDArray[np.float64]) -> dict[str, Floats]:
    """Return what the bundle itself says of every row, by the names that `evaluate` knows."""
    if not len(X):
        return {OURS: np.zeros(0)}
    return {OURS: bundle.drift.predict_proba(X)[:, 1]}


def _counts(pairs: Sequence[Pair]) -> dict[str, tuple[int, int]]:
    names = sorted({pair.corpus for pair in pairs})
    return {
        name: (
            sum(pair.corpus == name and pair.label is False for pair in pairs),
            sum(pair.corpus == name and pair.label is True for pair in pairs),
        )
        for name in names
    }
