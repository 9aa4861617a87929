"""Compute metrics with bootstrap intervals, from arrays; higher scores mean drift.

A measure takes rows of weights, the first for the rows as they are and one for each resample of the
groups, and returns one number for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Measure = Callable[[NDArray[Any], Floats, Floats], Floats]
"""From labels (or judgements) and scores, (n,), and weights, (k, n), to numbers, (k,)."""

_BLOCK = 512  # rows compared with all others at once


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its bootstrap interval; NaN where undefined."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Floats) -> Estimate:
        """Take the first value, and the 95 % percentile interval of the others without NaN."""
        drawn = values[1:][~np.isnan(values[1:])]
        low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (math.nan, math.nan)
        return cls(float(values[0]), float(low), float(high))

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "-"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_list(self) -> list[float | None]:
        """Return value, low, high, with None for NaN."""
        return [None if math.isnan(v) else round(v, 4) for v in (self.value, self.low, self.high)]


@dataclass(frozen=True, slots=True)
class Resamples:
    """Bootstrap resamples of groups, the same for every score compared."""

    counts: Floats  # draws of each group, (n_resamples, n_groups)
    at: NDArray[np.intp]  # group of each row

    @classmethod
    def of(cls, groups: Sequence[str], *, n: int, rng: np.random.Generator) -> Resamples:
        """Draw `n` resamples of the groups, with replacement."""
        names, at = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        if not len(names):
            return cls(np.zeros((n, 0)), at)
        counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n)
        return cls(counts.astype(np.float64), at)

    def of_rows(self, rows: NDArray[Any]) -> Resamples:
        """Return the same resamples for a subset of the rows."""
        return Resamples(self.counts, self.at[rows])

    def weights(self, weight: Floats | None = None) -> Floats:
        """Return the weights of a `Measure`, (1 + n_resamples, n_rows): as they are, then drawn."""
        even = np.ones(len(self.at)) if weight is None else weight
        drawn: Floats = np.vstack([even, even * self.counts[:, self.at]])
        return drawn

    def estimate(self, measure: Callable[[Floats], float], weight: Floats) -> Estimate:
        """Return the interval of a function of row weights, shape (n_rows,)."""
        return Estimate.of(np.array([measure(row) for row in self.weights(weight)]))


@dataclass(frozen=True, slots=True)
class Curve:
    """Weight of drift and of sound flagged from the highest threshold down, (k, n_steps + 1)."""

    hits: Floats
    alarms: Floats

    @classmethod
    def of(cls, label: NDArray[np.bool_], score: Floats, weights: Floats) -> Curve:
        """Accumulate from the highest score down; ties are flagged together."""
        order = np.argsort(-score, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
        start = np.zeros((len(weights), 1))
        if not len(score):
            return cls(start, start)
        sorted_weights = weights[:, order]
        drifted = np.where(label[order], sorted_weights, 0.0)
        hits = np.cumsum(drifted, axis=1)[:, ends]
        alarms = np.cumsum(sorted_weights - drifted, axis=1)[:, ends]
        return cls(np.hstack([start, hits]), np.hstack([start, alarms]))

    def auroc(self) -> Floats:
        """Return the area under the ROC curve, in [0, 1]; NaN where one label is missing."""
        heights = 0.5 * (self.hits[:, 1:] + self.hits[:, :-1])
        area = (heights * np.diff(self.alarms, axis=1)).sum(axis=1)
        return _ratio(area, self.hits[:, -1] * self.alarms[:, -1])

    def average_precision(self) -> Floats:
        """Return the mean precision over the drifted rows, best scores first; in [0, 1]."""
        precision = np.nan_to_num(_ratio(self.hits[:, 1:], self.hits[:, 1:] + self.alarms[:, 1:]))
        return _ratio((np.diff(self.hits, axis=1) * precision).sum(axis=1), self.hits[:, -1])

    def recall_at(self, share: float) -> Floats:
        """Return the recall when at most `share` of the sound is flagged."""
        within = self.alarms <= share * self.alarms[:, -1:]
        last = within.sum(axis=1) - 1  # alarms never fall, so those within come first
        hits = np.take_along_axis(self.hits, last[:, np.newaxis], axis=1)[:, 0]
        both = np.where(self.alarms[:, -1] > 0, self.hits[:, -1], 0.0)
        return _ratio(hits, both)


def auroc(label: NDArray[np.bool_], score: Floats, weight: Floats) -> float:
    """Return the area under the ROC curve for one row of weights; see `Curve.auroc`."""
    return float(Curve.of(label, score, weight[np.newaxis]).auroc()[0])


def mean(values: Floats, weights: Floats) -> Floats:
    """Return weighted means."""
    return _ratio(weights @ values, weights.sum(axis=1))


def flagged_at(threshold: float, *, of: bool) -> Measure:
    """Make a measure: the share of rows with label `of` at or above a threshold."""

    def flagged(label: NDArray[np.bool_], score: Floats, weights: Floats) -> Floats:
        rows = label == of
        return mean((score[rows] >= threshold).astype(np.float64), weights[:, rows])

    return flagged


def brier(label: NDArray[np.bool_], score: Floats, weights: Floats) -> Floats:
    """Return the mean squared error of probabilities; 0 is best, a constant 0.5 gives 0.25."""
    return mean((score - label) ** 2, weights)


def brier_skill(label: NDArray[np.bool_], score: Floats, weights: Floats) -> Floats:
    """Return the Brier skill score against a constant prior: at most 1, and 0 for the prior."""
    prior = mean(label.astype(np.float64), weights)
    return 1.0 - _ratio(brier(label, score, weights), prior * (1.0 - prior))


def calibration_error(label: NDArray[np.bool_], score: Floats, weights: Floats) -> Floats:
    """Return the expected calibration error over ten bins of equal weight; 0 is best."""
    errors = np.full(len(weights), math.nan)
    for row, weight in enumerate(weights):
        bins = reliability(label, score, weight)
        total = sum(mass for _, _, mass in bins)
        if total > 0:
            errors[row] = sum(abs(p - d) * mass for p, d, mass in bins) / total
    return errors


def reliability(
    label: NDArray[np.bool_], score: Floats, weight: Floats, *, n_bins: int = 10
) -> list[tuple[float, float, float]]:
    """Return mean probability, share of drift and weight of each of `n_bins` equal bins."""
    order = np.argsort(score, kind="stable")
    mass = np.cumsum(weight[order])
    if len(mass) == 0 or mass[-1] <= 0:
        return []
    edges = np.searchsorted(mass, np.linspace(0, mass[-1], n_bins + 1)[1:-1])
    bins = []
    for rows in np.split(order, edges):
        total = float(weight[rows].sum())
        if total > 0:
            middle = float(weight[rows] @ score[rows]) / total
            bins.append((middle, float(weight[rows] @ label[rows]) / total, total))
    return bins


def tau_b(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return Kendall's tau-b (1945), in [-1, 1]; NaN where one side is constant."""
    agreement = np.zeros(len(weights))
    for start in range(0, len(truth), _BLOCK):
        rows = slice(start, start + _BLOCK)
        # Signs are exact in float32, and a matrix product weighs all resamples at once.
        signs = np.sign(truth[rows, np.newaxis] - truth).astype(np.float32)
        signs *= np.sign(score[rows, np.newaxis] - score)
        agreement += ((weights.astype(np.float32) @ signs.T) * weights[:, rows]).sum(axis=1)
    return _ratio(agreement, np.sqrt(_untied(truth, weights) * _untied(score, weights)))


def _untied(values: Floats, weights: Floats) -> Floats:
    """Return twice the weight of the pairs of rows that differ in a value."""
    distinct, at = np.unique(values, return_inverse=True)
    masses = np.array([np.bincount(at, weight, minlength=len(distinct)) for weight in weights])
    untied: Floats = weights.sum(axis=1) ** 2 - (masses**2).sum(axis=1)
    return untied


def spearman(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return Spearman's rank correlation (1904), ties at their mean rank; in [-1, 1]."""
    one, two = _ranks(truth, weights), _ranks(score, weights)
    shared = (weights * one * two).sum(axis=1)
    spread = (weights * one**2).sum(axis=1) * (weights * two**2).sum(axis=1)
    return _ratio(shared, np.sqrt(spread))


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Rank under each row of weights, centred."""
    distinct, at = np.unique(values, return_inverse=True)
    ranks = np.empty_like(weights)
    for row, weight in enumerate(weights):
        mass = np.bincount(at, weight, minlength=len(distinct))
        ranks[row] = (np.cumsum(mass) - 0.5 * mass)[at]
    middle = _ratio((weights * ranks).sum(axis=1), weights.sum(axis=1))
    return ranks - middle[:, np.newaxis]


def _ratio(over: Floats, under: Floats) -> Floats:
    """Divide; NaN where the denominator is 0."""
    nothing: Floats = np.full(under.shape, math.nan)
    return np.divide(over, under, out=nothing, where=under > 0)
