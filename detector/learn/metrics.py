"""How well scores tell drift from sound, with intervals; plain arrays in, numbers out.

Every measure takes weights, so that a bootstrap is a matter of weighing groups anew. Higher
scores mean drift throughout. Nothing here knows a corpus or a model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Measure = Callable[[NDArray[np.bool_], Floats, Floats], float]
"""From labels, scores and weights to a number."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and the interval that resampled groups put round it; NaN where undefined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "-"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_list(self) -> list[float | None]:
        """Return value, low, high, with None for NaN."""
        return [None if math.isnan(v) else round(v, 4) for v in (self.value, self.low, self.high)]


def auroc(label: NDArray[np.bool_], score: Floats, weight: Floats) -> float:
    """Return the chance that a drifted row scores above a sound one, ties counting half.

    Parameters
    ----------
    label : ndarray of shape (n,), bool
    score, weight : ndarray of shape (n,), float64

    Returns
    -------
    float
        In [0, 1]; 0.5 tells nothing. NaN when one label is missing.

    Examples
    --------
    >>> auroc(np.array([False, True, True]), np.array([0.1, 0.1, 0.9]), np.ones(3))
    0.75
    """
    hits, alarms = _steps(label, score, weight)
    if hits[-1] == 0 or alarms[-1] == 0:
        return math.nan
    heights = 0.5 * (hits[1:] + hits[:-1])
    return float(heights @ np.diff(alarms) / (hits[-1] * alarms[-1]))


def average_precision(label: NDArray[np.bool_], score: Floats, weight: Floats) -> float:
    """Return the mean precision over the drifted rows, best scores first; in [0, 1]."""
    hits, alarms = _steps(label, score, weight)
    if hits[-1] == 0:
        return math.nan
    flagged = hits[1:] + alarms[1:]
    # Rows of no weight at the head would divide by zero; they hold no hit either.
    precision = np.divide(hits[1:], flagged, out=np.zeros_like(flagged), where=flagged > 0)
    return float(np.diff(hits) @ precision / hits[-1])


def recall_at(share: float) -> Measure:
    """Make a measure: the share of drift found when at most `share` of the sound is flagged."""

    def recall(label: NDArray[np.bool_], score: Floats, weight: Floats) -> float:
        hits, alarms = _steps(label, score, weight)
        if hits[-1] == 0 or alarms[-1] == 0:
            return math.nan
        allowed = int(np.searchsorted(alarms / alarms[-1], share, side="right")) - 1
        return float(hits[allowed] / hits[-1])

    return recall


def flagged_at(threshold: float, *, of: bool) -> Measure:
    """Make a measure: the share of the rows with label `of` that reach a threshold."""

    def flagged(label: NDArray[np.bool_], score: Floats, weight: Floats) -> float:
        mine = np.where(label == of, weight, 0.0)
        return float(mine @ (score >= threshold) / mine.sum()) if mine.sum() > 0 else math.nan

    return flagged


def brier(label: NDArray[np.bool_], score: Floats, weight: Floats) -> float:
    """Return the mean squared error of probabilities; 0 is best, a constant 0.5 gives 0.25."""
    return float(weight @ (score - label) ** 2 / weight.sum()) if weight.sum() > 0 else math.nan


def calibration_error(label: NDArray[np.bool_], score: Floats, weight: Floats) -> float:
    """Return the expected calibration error over ten bins of equal weight; 0 is best."""
    bins = reliability(label, score, weight)
    total = sum(mass for _, _, mass in bins)
    return sum(abs(p - d) * mass for p, d, mass in bins) / total if total > 0 else math.nan


def reliability(
    label: NDArray[np.bool_], score: Floats, weight: Floats, *, n_bins: int = 10
) -> list[tuple[float, float, float]]:
    """Compare probabilities with what happened.

    Returns
    -------
    list of (float, float, float)
        For each of `n_bins` bins of about equal weight: mean probability, share of drift, weight.
    """
    order = np.argsort(score, kind="stable")
    mass = np.cumsum(weight[order])
    if len(mass) == 0 or mass[-1] <= 0:
        return []
    edges = np.searchsorted(mass, np.linspace(0, mass[-1], n_bins + 1)[1:-1])
    bins = []
    for rows in np.split(order, edges):
        total = float(weight[rows].sum())
        if total > 0:
            mean = float(weight[rows] @ score[rows]) / total
            bins.append((mean, float(weight[rows] @ label[rows]) / total, total))
    return bins


@dataclass(frozen=True, slots=True)
class Resamples:
    """Bootstrap weights over groups: the same resamples for every score compared.

    Attributes
    ----------
    counts : ndarray of shape (n_resamples, n_groups), float64
        How often each group was drawn.
    at : ndarray of shape (n_rows,), intp
        Group of each row.
    """

    counts: Floats
    at: NDArray[np.intp]

    @classmethod
    def of(cls, groups: Sequence[str], *, n: int, rng: np.random.Generator) -> Resamples:
        """Draw `n` resamples of the groups, with replacement."""
        names, at = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n)
        return cls(counts.astype(np.float64), at)

    def estimate(self, measure: Callable[[Floats], float], weight: Floats) -> Estimate:
        """Give a measure of weights its 95 % interval.

        Parameters
        ----------
        measure : callable
            From row weights to a number.
        weight : ndarray of shape (n_rows,), float64
            Weights of the rows as they are.

        Returns
        -------
        Estimate
            Percentile interval; resamples in which the measure is undefined are left out.
        """
        drawn = np.array([measure(weight * counts[self.at]) for counts in self.counts])
        drawn = drawn[~np.isnan(drawn)]
        low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (math.nan, math.nan)
        return Estimate(measure(weight), float(low), float(high))


def _steps(label: NDArray[np.bool_], score: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return weight of drift and of sound flagged as the threshold falls, from (0, 0) on."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    drifted = np.where(label, weight, 0.0)[order]
    hits = np.cumsum(drifted)[ends] if len(score) else np.zeros(1)
    alarms = np.cumsum(weight[order] - drifted)[ends] if len(score) else np.zeros(1)
    return np.concatenate([[0.0], hits]), np.concatenate([[0.0], alarms])
