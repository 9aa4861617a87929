"""Measure the pivot model on held-out translators and sentences.

Rows and settings in, results with intervals out. It prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.pivot.languages import FAMILY
from detector.pivot.model import N_RATES
from detector.pivot.posterior import Calibration, accepted, posteriors
from detector.training.evaluate.metrics import Estimate, Resamples
from detector.training.pivot import (
    DocumentSet,
    PivotSettings,
    cross_fit,
    draw_documents,
    fit_calibration,
    systems_of,
)
from detector.training.pivot_data import FOLDS, Rows

Floats = NDArray[np.float64]

TEST_FOLDS = (0, 1)
"""Sentences of the test documents; everything is fitted on the others."""

_FITTED = tuple(fold for fold in range(FOLDS) if fold not in TEST_FOLDS)


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """Documents with their posteriors, (n, K), and whether each is named, (n,)."""

    posterior: Floats
    documents: DocumentSet
    named: NDArray[np.bool_]

    @classmethod
    def by(cls, calibration: Calibration, threshold: float, documents: DocumentSet) -> Predicted:
        """Predict by a calibration and the least posterior of a language that is named."""
        vectors, n_edits = documents.vectors, documents.n_edits
        posterior = posteriors(calibration, vectors, n_edits)
        named = accepted(calibration, threshold, vectors, n_edits, posterior)
        return cls(posterior, documents, named)

    @classmethod
    def concatenate(cls, parts: Sequence[Predicted]) -> Predicted:
        """Concatenate the documents of several rotations."""
        return cls(
            np.concatenate([p.posterior for p in parts]),
            DocumentSet.concatenate([p.documents for p in parts]),
            np.concatenate([p.named for p in parts]),
        )

    def of(self, at: NDArray[Any]) -> Predicted:
        """Return some of them."""
        return Predicted(self.posterior[at], self.documents.of(at), self.named[at])


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A system that the weights were fitted without, and documents scored by them."""

    system: str
    calibration: DocumentSet
    test: DocumentSet


def hold_out(  # noqa: PLR0913 - options, each by its name
    rows: Rows,
    settings: PivotSettings,
    tested: Mapping[str, Rows],
    *,
    sizes: Sequence[int] = (30, 100),
    documents: int = 20,
    progress: Callable[[int], object] | None = None,
) -> dict[str, list[HeldOut]]:
    """Fit without each system in turn, and without the test documents' sentences.

    `tested` names the rows that test documents are drawn from; languages outside the settings count
    as unknown. Returns for each name one result for each of its systems.
    """
    held: dict[str, list[HeldOut]] = {name: [] for name in tested}
    for system in systems_of(rows):
        others, own = rows.system != system, rows.system == system
        weights, calibration = cross_fit(
            rows, settings, _FITTED, on=(others, own), progress=progress
        )
        for name, source in tested.items():
            chosen = (source.system == system) & np.isin(source.fold, TEST_FOLDS)
            if chosen.any():
                unseen = source.of(np.flatnonzero(chosen))
                test = draw_documents(unseen, weights, settings, sizes=sizes, documents=documents)
                held[name].append(HeldOut(system, calibration, test))
    return held


def seen_systems(
    rows: Rows, settings: PivotSettings, *, sizes: Sequence[int] = (30, 100), documents: int = 20
) -> Predicted:
    """Hold out sentences alone: the results for translators that were fitted on."""
    every = np.ones(len(rows.language), np.bool_)
    weights, seen = cross_fit(rows, settings, _FITTED, on=(every, every))
    chosen = np.flatnonzero(np.isin(rows.fold, TEST_FOLDS))
    calibration, threshold = fit_calibration(
        seen, precision=settings.precision, sizes=settings.threshold_sizes
    )
    test = draw_documents(rows.of(chosen), weights, settings, sizes=sizes, documents=documents)
    return Predicted.by(calibration, threshold, test)


def predict_held_out(held: Sequence[HeldOut], settings: PivotSettings) -> Predicted:
    """Predict each system's test documents by a calibration fitted on the others' documents.

    Neither weights nor calibration were fitted on the sentences or the system of a test document.
    """
    parts = []
    for fit in held:
        others = DocumentSet.concatenate([h.calibration for h in held if h.system != fit.system])
        calibration, threshold = fit_calibration(
            others, precision=settings.precision, sizes=settings.threshold_sizes
        )
        parts.append(Predicted.by(calibration, threshold, fit.test))
    return Predicted.concatenate(parts)


def evaluate(
    predicted: Predicted, languages: Sequence[str], *, n: int = 500, seed: int = 0
) -> dict[str, Estimate]:
    """Measure predictions, with intervals by `n` resamples of groups of one language and system.

    `top1`, `top3`, `family` and `named` are shares of documents, `right` of the named;
    `calibration` is the expected calibration error of the likeliest language, in ten bins.
    """
    truth = predicted.documents.language  # -1 where it is unknown: nothing hits
    order = np.argsort(-predicted.posterior, axis=1)
    top = predicted.posterior.max(axis=1)
    hit = order[:, 0] == truth
    families = np.array([FAMILY[code] for code in languages])
    names = np.unique(families)
    by_family = np.stack([predicted.posterior[:, families == f].sum(axis=1) for f in names], axis=1)
    given = predicted.named
    shares: Mapping[str, NDArray[np.bool_]] = {
        "top1": hit,
        "top3": (order[:, :3] == truth[:, None]).any(axis=1),
        "family": (names[by_family.argmax(axis=1)] == families[truth]) & (truth >= 0),
        "named": given,
    }
    groups = [f"{a}/{b}" for a, b in zip(truth, predicted.documents.system, strict=True)]
    resamples = Resamples.of(groups, n=n, rng=np.random.default_rng(seed))
    even = np.ones(len(truth))
    metrics = {
        name: resamples.estimate(partial(_share, share), even) for name, share in shares.items()
    }
    metrics["right"] = resamples.estimate(
        lambda w: float((w * given) @ hit / (w @ given)) if w @ given else float("nan"), even
    )
    bins = np.minimum((top * 10).astype(int), 9)

    def error(w: Floats) -> float:
        gap = np.bincount(bins, weights=w * (hit - top), minlength=10)
        return float(np.abs(gap).sum() / w.sum())

    metrics["calibration"] = resamples.estimate(error, even)
    return metrics


def _share(of: NDArray[Any], weights: Floats) -> float:
    return float(weights @ of / weights.sum())


def by_length(rows: Rows, settings: PivotSettings, held: Sequence[HeldOut]) -> dict[int, float]:
    """Return the top-1 accuracy by size of document of a baseline: the copy's relative length.

    It picks the language of the nearest mean length ratio on the other systems and sentences.
    """
    hits: dict[int, list[bool]] = {}
    for fit in held:
        fitting = (rows.system != fit.system) & np.isin(rows.fold, _FITTED)
        means = np.array(
            [
                rows.counts[fitting & (rows.language == code)].sum(axis=0)
                for code in settings.languages
            ]
        )
        ratio = means[:, 1] / np.maximum(means[:, 0], 1.0) - 1.0
        nearest = np.abs(fit.test.vectors[:, -N_RATES + 1, None] - ratio).argmin(axis=1)
        for size, hit in zip(fit.test.n_sentences, nearest == fit.test.language, strict=True):
            hits.setdefault(int(size), []).append(bool(hit))
    return {size: float(np.mean(values)) for size, values in sorted(hits.items())}


def confusion(predicted: Predicted, languages: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the share of each likeliest family among the documents of each family."""
    families = np.array([FAMILY[code] for code in languages])
    names = list(dict.fromkeys(families))
    sums = np.stack([predicted.posterior[:, families == f].sum(axis=1) for f in names], axis=1)
    likeliest, true = sums.argmax(axis=1), families[predicted.documents.language]
    return {
        f: {g: float((likeliest[true == f] == i).mean()) for i, g in enumerate(names)}
        for f in names
        if (true == f).any()
    }
