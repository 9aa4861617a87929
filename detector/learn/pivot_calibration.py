"""What turns scores of edits into a posterior of a document, and when that is worth a name.

Arrays in, arrays out; it knows no feature and no table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

UNIT = 180.0
"""Edits of a document of about 30 sentences: the unit of the model's calibration."""


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Documents, as a fit of the calibration sees them.

    Attributes
    ----------
    score : ndarray of shape (n, K), float64
        Mean weight of an edit for each language.
    manner : ndarray of shape (n, 3), float64
        `Tally.manner` of each.
    edits : ndarray of shape (n,), float64
    language : ndarray of shape (n,), int64
        What each went through.
    system : ndarray of shape (n,), object
    sentences : ndarray of shape (n,), int64
        How long each is.
    """

    score: Floats
    manner: Floats
    edits: Floats
    language: NDArray[np.int64]
    system: NDArray[Any]
    sentences: NDArray[np.int64]

    def of(self, at: NDArray[Any]) -> Tallies:
        """Return some of the documents."""
        return Tallies(
            self.score[at],
            self.manner[at],
            self.edits[at],
            self.language[at],
            self.system[at],
            self.sentences[at],
        )

    @classmethod
    def joined(cls, parts: list[Tallies]) -> Tallies:
        """Put several lots of documents together."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What turns the mean score of an edit into a posterior; see `PivotModel`."""

    offsets: Floats
    slopes: Floats
    middle: Floats
    spread: Floats
    low: Floats
    high: Floats
    rate: float
    growth: float

    def posterior(self, documents: Tallies) -> Floats:
        """Return the posterior of each document, shape (n, K)."""
        manner = (np.clip(documents.manner, self.low, self.high) - self.middle) / self.spread
        flat = documents.score + self.offsets + manner @ self.slopes
        logits = self.rate * UNIT * (documents.edits[:, None] / UNIT) ** self.growth * flat
        return _softmax(logits)


def _softmax(logits: Floats) -> Floats:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: Floats = odds / odds.sum(axis=1, keepdims=True)
    return out


def calibrate(documents: Tallies, *, ridge: float) -> Calibration:
    """Fit the calibration on documents of systems and sentences that the weights have not seen.

    Parameters
    ----------
    documents : Tallies
    ridge : float
        Times the sum of the squared offsets and slopes, in units of their natural size.

    Returns
    -------
    Calibration
        Each system counts alike.
    """
    from scipy.optimize import minimize

    n, k = documents.score.shape
    middle, spread = documents.manner.mean(axis=0), documents.manner.std(axis=0) + 1e-6
    low, high = np.quantile(documents.manner, [0.01, 0.99], axis=0)
    manner = (np.clip(documents.manner, low, high) - middle) / spread
    _, at, count = np.unique(documents.system.astype(str), return_inverse=True, return_counts=True)
    mass = 1.0 / (count[at] * len(count))
    size = float(documents.score.std()) or 1.0
    growth_of = np.log(documents.edits / UNIT)
    rows = np.arange(n)

    def loss(flat: Floats) -> tuple[float, Floats]:
        terms = flat[: 4 * k].reshape(4, k)
        rate, growth = flat[4 * k :]
        score = documents.score / size + terms[0] + manner @ terms[1:]
        strength = np.exp(rate + growth * growth_of)
        p = _softmax(strength[:, None] * score)
        value = -float(mass @ np.log(p[rows, documents.language] + 1e-12))
        value += ridge * float((terms**2).sum())
        p[rows, documents.language] -= 1.0
        slope = p * mass[:, None]
        by_score = slope * strength[:, None]
        by_strength = (slope * score).sum(axis=1) * strength
        gradient = np.concatenate(
            [
                by_score.sum(axis=0) + 2 * ridge * terms[0],
                (manner.T @ by_score + 2 * ridge * terms[1:]).ravel(),
                [by_strength.sum(), by_strength @ growth_of],
            ]
        )
        return value, gradient

    start = np.concatenate([np.zeros(4 * k), [1.0, 0.5]])
    # More edits are never worth less, and never more than as many documents would be.
    bounds = [(None, None)] * (4 * k + 1) + [(0.1, 1.0)]
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200}
    ).x
    terms = found[: 4 * k].reshape(4, k) * size
    return Calibration(
        offsets=terms[0],
        slopes=terms[1:],
        middle=middle,
        spread=spread,
        low=low,
        high=high,
        rate=float(np.exp(found[4 * k]) / size / UNIT),
        growth=float(found[4 * k + 1]),
    )


def choose_threshold(posterior: Floats, documents: Tallies, *, right: float) -> float:
    """Return the least posterior from which what is named is right often enough.

    Parameters
    ----------
    posterior : ndarray of shape (n, K), float64
    documents : Tallies
        Of systems and sentences that nothing was fitted on.
    right : float
        Share in [0, 1] of what is named that is to be right, each system counting alike.

    Returns
    -------
    float
        In [0, 1].
    """
    top, hit = posterior.max(axis=1), posterior.argmax(axis=1) == documents.language
    _, at, count = np.unique(documents.system.astype(str), return_inverse=True, return_counts=True)
    mass = 1.0 / count[at]
    order = np.argsort(-top, kind="stable")
    share = np.cumsum((mass * hit)[order]) / np.cumsum(mass[order])
    enough = np.flatnonzero(share >= right)
    return float(np.floor(top[order][enough[-1]] * 1e4) / 1e4) if len(enough) else 1.0
