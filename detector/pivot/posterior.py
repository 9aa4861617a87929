"""Turn a document's scores (`model.DocumentScores.vector`, D numbers) into a posterior.

Linear algebra only; the calibration is fitted in `training.pivot`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MAX_EDITS = 600.0  # edits beyond which `direct` grows no more: about 100 sentences


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """A discriminant model of document vectors with two scatters."""

    centre: Floats  # (D,): subtracted from a vector
    scale: Floats  # (D,): divides it
    means: Floats  # (K, D): mean scaled vector of each language
    between: Floats  # (D, D): covariance of translators of a language, whatever the length
    within: Floats  # (D, D): that of a translator's documents at one edit; divided by their number
    even: Floats  # (K,): scaled score of each language in documents of all languages alike
    direct: float  # log-odds per scaled score above `even`, for the square root of an edit
    free: float  # degrees of freedom of the covariances: translators less fitted parameters
    inverse_temperature: float  # factor of the log-odds
    open_set_threshold: float  # least `open_set_score` of a document of a known language

    def open_set_score(self, vector: Floats, n_edits: float) -> float:
        """Return how much nearer a document is to one language than to the mean of all.

        The squared Mahalanobis distance from the mean of all languages over that from the nearest
        language; above 0, larger is nearer.

        Notes
        -----
        An unseen language counts as one more draw from all languages, as in open-set speaker
        recognition (Prince and Elder, 2007).
        """
        scaled, covariance = self._scale(vector, n_edits)
        distance = self._discriminants(scaled, covariance)[2]
        middle = self.means.mean(axis=0)
        scatter = (self.means - middle).T @ (self.means - middle) / max(1, len(self.means) - 1)
        off = scaled - middle
        return float(off @ np.linalg.solve(covariance + scatter, off) / max(distance, 1e-9))

    def log_odds_line(self, vector: Floats, n_edits: float) -> tuple[Floats, Floats]:
        """Return slopes (D, K) and intercepts (K,) of the log-odds in the scaled vector.

        Notes
        -----
        The covariances come from few translators, so languages are not Gaussian but have the heavy
        tails of Student's t (Geisser, 1964): the further a document is from all of them, the less
        a difference between two of them counts.
        """
        scaled, covariance = self._scale(vector, n_edits)
        slopes, intercepts, distance = self._discriminants(scaled, covariance)
        k = len(self.means)
        direct = self.direct * min(n_edits, _MAX_EDITS) ** 0.5
        slopes[np.arange(k), np.arange(k)] += direct
        factor = self.inverse_temperature * (self.free + len(scaled)) / (self.free + distance)
        return factor * slopes, np.asarray(factor * (intercepts - direct * self.even), np.float64)

    def _scale(self, vector: Floats, n_edits: float) -> tuple[Floats, Floats]:
        """Return the scaled vector, and the covariance of documents of this length."""
        scaled: Floats = (vector - self.centre) / self.scale
        return scaled, self.between + self.within / max(n_edits, 1.0)

    def _discriminants(self, scaled: Floats, covariance: Floats) -> tuple[Floats, Floats, float]:
        """Return slopes and intercepts, and the squared distance to the nearest language."""
        columns = np.column_stack([self.means.T, scaled])
        solved = np.linalg.solve(covariance, columns).astype(np.float64)
        slopes, own = solved[:, :-1], solved[:, -1]
        intercepts = -0.5 * np.einsum("kd,dk->k", self.means, slopes)
        distance = float(scaled @ own - 2.0 * (scaled @ slopes + intercepts).max())
        return slopes, intercepts, max(0.0, distance)


def posteriors(calibration: Calibration, vectors: Floats, n_edits: Floats) -> Floats:
    """Return the probability of each language, (n, K), for documents with vectors (n, D).

    A document without edits gets even probabilities.
    """
    logits = np.zeros((len(vectors), len(calibration.means)))
    for row, (vector, count) in enumerate(zip(vectors, n_edits, strict=True)):
        if count:
            slopes, intercepts = calibration.log_odds_line(vector, float(count))
            logits[row] = (vector - calibration.centre) / calibration.scale @ slopes + intercepts
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: Floats = odds / odds.sum(axis=1, keepdims=True)
    return out


def open_set_scores(calibration: Calibration, vectors: Floats, n_edits: Floats) -> Floats:
    """Return `Calibration.open_set_score` of documents, given as for `posteriors`: shape (n,)."""
    pairs = zip(vectors, n_edits.tolist(), strict=True)
    return np.array([calibration.open_set_score(vector, count) for vector, count in pairs])


def accepted(
    calibration: Calibration, threshold: float, vectors: Floats, n_edits: Floats, posterior: Floats
) -> NDArray[np.bool_]:
    """Return which documents, of posteriors (n, K), get a label: both scores are high enough."""
    known = open_set_scores(calibration, vectors, n_edits) >= calibration.open_set_threshold
    return np.asarray(known & (n_edits > 0) & (posterior.max(axis=1) >= threshold), np.bool_)
