"""Measure the pivot model on held-apart translators and sentences.

How well the pivot is named, on whole systems and sentences held apart; figures with intervals.

Rows and settings in, numbers out. It prints nothing and fits only what is then measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.pivot.languages import FAMILY
from detector.pivot.model import N_MANNER
from detector.pivot.posterior import Calibration, named, posteriors
from detector.training.evaluate.metrics import Estimate, Resamples
from detector.training.pivot import PivotSettings, Tallies, crossed, settle, systems_of, tallies
from detector.training.pivot_data import FOLDS, Rows

Floats = NDArray[np.float64]

TEST_FOLDS = (0, 1)
"""Sentences that documents are tested on; all that is fitted sees the others only."""

_FITTED = tuple(fold for fold in range(FOLDS) if fold not in TEST_FOLDS)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Documents with the posteriors they got.

    Attributes
    ----------
    posterior : ndarray of shape (n, K), float64
    documents : Tallies
    named : ndarray of shape (n,), bool
        Whether each gets a name.
    """

    posterior: Floats
    documents: Tallies
    named: NDArray[np.bool_]

    @classmethod
    def by(cls, calibration: Calibration, threshold: float, documents: Tallies) -> Judged:
        """Judge documents by a calibration, and by the posterior from which it names a language."""
        posterior = posteriors(calibration, documents.place, documents.edits)
        place, edits = documents.place, documents.edits
        return cls(posterior, documents, named(calibration, threshold, place, edits, posterior))

    @classmethod
    def joined(cls, parts: Sequence[Judged]) -> Judged:
        """Put the documents of several rotations together."""
        return cls(
            np.concatenate([p.posterior for p in parts]),
            Tallies.joined([p.documents for p in parts]),
            np.concatenate([p.named for p in parts]),
        )

    def of(self, at: NDArray[Any]) -> Judged:
        """Return some of them."""
        return Judged(self.posterior[at], self.documents.of(at), self.named[at])


@dataclass(frozen=True, slots=True)
class Held:
    """Weights fitted without one system, and the documents they have not seen."""

    system: str
    calibration: Tallies
    test: Tallies


def hold_apart(  # noqa: PLR0913 - options, each by its name
    rows: Rows,
    settings: PivotSettings,
    tested: Mapping[str, Rows],
    *,
    sizes: Sequence[int] = (30, 100),
    documents: int = 20,
    progress: Callable[[int], object] | None = None,
) -> dict[str, list[Held]]:
    """Fit for each system in turns, without it and without the test documents' sentences.

    Parameters
    ----------
    rows : Rows
        To fit on.
    settings : PivotSettings
    tested : mapping of str to Rows
        Where test documents are drawn, by name. Languages that the settings do not name count as
        none of them.
    sizes, documents
        Sentences of the test documents, and how many of each language, translator and size.
    progress : callable, optional
        As for `train_pivot`.

    Returns
    -------
    dict of str to list of Held
        Of each name, one for each system that it holds.
    """
    held: dict[str, list[Held]] = {name: [] for name in tested}
    for system in systems_of(rows):
        others, own = rows.system != system, rows.system == system
        weights, calibration = crossed(rows, settings, _FITTED, on=(others, own), progress=progress)
        for name, source in tested.items():
            asked = (source.system == system) & np.isin(source.fold, TEST_FOLDS)
            if asked.any():
                unseen = source.of(np.flatnonzero(asked))
                test = tallies(unseen, weights, settings, sizes=sizes, documents=documents)
                held[name].append(Held(system, calibration, test))
    return held


def seen_systems(
    rows: Rows, settings: PivotSettings, *, sizes: Sequence[int] = (30, 100), documents: int = 20
) -> Judged:
    """Hold only sentences apart: what is reached for translators that were fitted on."""
    every = np.ones(len(rows.language), np.bool_)
    weights, seen = crossed(rows, settings, _FITTED, on=(every, every))
    asked = np.flatnonzero(np.isin(rows.fold, TEST_FOLDS))
    calibration, threshold = settle(seen, right=settings.right, sizes=settings.named_at)
    test = tallies(rows.of(asked), weights, settings, sizes=sizes, documents=documents)
    return Judged.by(calibration, threshold, test)


def judge_held(held: Sequence[Held], settings: PivotSettings) -> Judged:
    """Judge each system's test documents by a calibration fitted on the others' documents.

    Returns
    -------
    Judged
        The sentences of the test documents were seen neither by weights nor by calibration; the
        system itself was not seen by the weights that judge it, and none of its documents by the
        calibration.
    """
    parts = []
    for one in held:
        others = Tallies.joined([h.calibration for h in held if h.system != one.system])
        calibration, threshold = settle(others, right=settings.right, sizes=settings.named_at)
        parts.append(Judged.by(calibration, threshold, one.test))
    return Judged.joined(parts)


def figures(
    judged: Judged, languages: Sequence[str], *, n: int = 500, seed: int = 0
) -> dict[str, Estimate]:
    """Measure what documents got.

    Parameters
    ----------
    judged : Judged
    languages : sequence of str
        Names of the columns of the posterior.
    n, seed : int
        Resamples over groups of one language and system, and their seed.

    Returns
    -------
    dict of str to Estimate
        `top1`, `top3`, `family` (shares of documents), `named` (share that gets a name), `right`
        (share of the named that is right), `calibration` (expected calibration error of the
        likeliest language, ten bins).
    """
    truth = judged.documents.language  # -1 where it is none of them: nothing hits
    order = np.argsort(-judged.posterior, axis=1)
    top = judged.posterior.max(axis=1)
    hit = order[:, 0] == truth
    families = np.array([FAMILY[code] for code in languages])
    names = np.unique(families)
    by_family = np.stack([judged.posterior[:, families == f].sum(axis=1) for f in names], axis=1)
    given = judged.named
    shares: Mapping[str, NDArray[np.bool_]] = {
        "top1": hit,
        "top3": (order[:, :3] == truth[:, None]).any(axis=1),
        "family": (names[by_family.argmax(axis=1)] == families[truth]) & (truth >= 0),
        "named": given,
    }
    groups = [f"{a}/{b}" for a, b in zip(truth, judged.documents.system, strict=True)]
    resamples = Resamples.of(groups, n=n, rng=np.random.default_rng(seed))
    even = np.ones(len(truth))
    found = {
        name: resamples.estimate(partial(_share, share), even) for name, share in shares.items()
    }
    found["right"] = resamples.estimate(
        lambda w: float((w * given) @ hit / (w @ given)) if w @ given else float("nan"), even
    )
    bins = np.minimum((top * 10).astype(int), 9)

    def error(w: Floats) -> float:
        gap = np.bincount(bins, weights=w * (hit - top), minlength=10)
        return float(np.abs(gap).sum() / w.sum())

    found["calibration"] = resamples.estimate(error, even)
    return found


def _share(of: NDArray[Any], weights: Floats) -> float:
    return float(weights @ of / weights.sum())


def by_length(rows: Rows, settings: PivotSettings, held: Sequence[Held]) -> dict[int, float]:
    """Name the language by how long copies are alone: top-1 by size of document, a baseline.

    The mean length ratio of each language is that of the other systems and sentences; the
    nearest mean wins.
    """
    hits: dict[int, list[bool]] = {}
    for one in held:
        fitting = (rows.system != one.system) & np.isin(rows.fold, _FITTED)
        means = np.array(
            [
                rows.counts[fitting & (rows.language == code)].sum(axis=0)
                for code in settings.languages
            ]
        )
        ratio = means[:, 1] / np.maximum(means[:, 0], 1.0) - 1.0
        found = np.abs(one.test.place[:, -N_MANNER + 1, None] - ratio).argmin(axis=1)
        for size, hit in zip(one.test.sentences, found == one.test.language, strict=True):
            hits.setdefault(int(size), []).append(bool(hit))
    return {size: float(np.mean(values)) for size, values in sorted(hits.items())}


def confusion(judged: Judged, languages: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return how the documents of each family were spread over families, by likeliest family."""
    families = np.array([FAMILY[code] for code in languages])
    names = list(dict.fromkeys(families))
    sums = np.stack([judged.posterior[:, families == f].sum(axis=1) for f in names], axis=1)
    found, true = sums.argmax(axis=1), families[judged.documents.language]
    return {
        f: {g: float((found[true == f] == i).mean()) for i, g in enumerate(names)}
        for f in names
        if (true == f).any()
    }
