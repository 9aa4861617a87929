"""Where a document stands to a probability of each language.

Linear algebra alone: languages are Gaussians that differ in their means; see
`learn.pivot_calibration` for how they are fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOST = 600.0  # edits from which scores by themselves grow no surer: about 100 sentences


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """What turns where a document stands into a posterior; D numbers say where it stands.

    Attributes
    ----------
    centre, scale : ndarray of shape (D,), float64
        Taken off, and divided by.
    means : ndarray of shape (K, D), float64
        Where documents of each language stand.
    between : ndarray of shape (D, D), float64
        How translators of one language scatter, however long a document is.
    within : ndarray of shape (D, D), float64
        How documents of one translator scatter, at one edit; it shrinks with their number.
    even : ndarray of shape (K,), float64
        Scaled score of each language in documents of all languages alike.
    direct : float
        Nats of a scaled score above `even`, for the square root of an edit: what the scores say
        by themselves, beside where documents of a language stand.
    heat : float
        Factor of the log-odds.
    """

    centre: Floats
    scale: Floats
    means: Floats
    between: Floats
    within: Floats
    even: Floats
    direct: float
    heat: float

    def line(self, edits: float) -> tuple[Floats, Floats]:
        """Return what the scaled numbers add to each language's log-odds.

        Returns
        -------
        (ndarray of shape (D, K), ndarray of shape (K,)), float64
            In nats, for a document of so many edits: slope of each number, and what to start from.
        """
        spread = self.between + self.within / max(edits, 1.0)
        slopes = np.linalg.solve(spread, self.means.T).astype(np.float64)
        start = -0.5 * np.einsum("kd,dk->k", self.means, slopes)
        k = len(self.means)
        direct = self.direct * min(edits, _MOST) ** 0.5
        slopes[np.arange(k), np.arange(k)] += direct
        heated: Floats = self.heat * (start - direct * self.even)
        return self.heat * slopes, heated


def posteriors(calibration: Calibration, place: Floats, edits: Floats) -> Floats:
    """Return the probability of each language for documents.

    Parameters
    ----------
    calibration : Calibration
    place : ndarray of shape (n, D), float64
    edits : ndarray of shape (n,), float64
        How many each document has; one without any says nothing.

    Returns
    -------
    ndarray of shape (n, K), float64
        Rows sum to 1.
    """
    logits = np.zeros((len(place), len(calibration.means)))
    for number, (one, count) in enumerate(zip(place, edits, strict=True)):
        if count:
            slopes, start = calibration.line(float(count))
            logits[number] = (one - calibration.centre) / calibration.scale @ slopes + start
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: Floats = odds / odds.sum(axis=1, keepdims=True)
    return out
