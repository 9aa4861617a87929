"""Turn scores of a document into a posterior over languages.

Where a document stands to a probability of each language.

Linear algebra alone: languages differ in where their documents stand; see
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
    free : float
        Degrees of freedom of the two scatters: on how many translators they were seen, less what
        that is used up for.
    heat : float
        Factor of the log-odds.
    near : float
        `nearness` from which a document is taken to be of a language that is known.
    """

    centre: Floats
    scale: Floats
    means: Floats
    between: Floats
    within: Floats
    even: Floats
    direct: float
    free: float
    heat: float
    near: float

    def nearness(self, place: Floats, edits: float) -> float:
        """Say how much nearer a document stands to one language than to the middle of all.

        Parameters
        ----------
        place : ndarray of shape (D,), float64
            Where the document stands.
        edits : float
            How many it has.

        Returns
        -------
        float
            Squared distance from the middle, as languages scatter, over that from the nearest
            language, as its documents do: above 0, and the larger the nearer.

        Notes
        -----
        A language that was never seen counts as one more draw from all languages, as in open-set
        speaker recognition (Prince and Elder, 2007). Distances to the nearest language alone do not
        tell those seen from others.
        """
        here, spread = self._stands(place, edits)
        distance = self._nearest(here, spread)[2]
        middle = self.means.mean(axis=0)
        scatter = (self.means - middle).T @ (self.means - middle) / max(1, len(self.means) - 1)
        off = here - middle
        return float(off @ np.linalg.solve(spread + scatter, off) / max(distance, 1e-9))

    def line(self, place: Floats, edits: float) -> tuple[Floats, Floats]:
        """Return what the scaled numbers of a document add to each language's log-odds.

        Parameters
        ----------
        place : ndarray of shape (D,), float64
            Where the document stands.
        edits : float
            How many it has.

        Returns
        -------
        (ndarray of shape (D, K), ndarray of shape (K,)), float64
            In nats: slope of each number, and what to start from.

        Notes
        -----
        How translators scatter is known from few of them, so languages are not Gaussians but have
        the heavy tails of Student's t (Geisser, 1964): the further a document stands from all of
        them, the less a difference between two of them says.
        """
        here, spread = self._stands(place, edits)
        slopes, start, distance = self._nearest(here, spread)
        k = len(self.means)
        direct = self.direct * min(edits, _MOST) ** 0.5
        slopes[np.arange(k), np.arange(k)] += direct
        factor = self.heat * (self.free + len(here)) / (self.free + distance)
        heated: Floats = factor * (start - direct * self.even)
        return factor * slopes, heated

    def _stands(self, place: Floats, edits: float) -> tuple[Floats, Floats]:
        """Return the scaled numbers of a document, and how documents so long scatter."""
        here: Floats = (place - self.centre) / self.scale
        return here, self.between + self.within / max(edits, 1.0)

    def _nearest(self, here: Floats, spread: Floats) -> tuple[Floats, Floats, float]:
        """Return slope and start of each language, and the squared distance to the nearest."""
        solved = np.linalg.solve(spread, np.column_stack([self.means.T, here])).astype(np.float64)
        slopes, own = solved[:, :-1], solved[:, -1]
        start = -0.5 * np.einsum("kd,dk->k", self.means, slopes)
        return slopes, start, max(0.0, float(here @ own - 2.0 * (here @ slopes + start).max()))


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
            slopes, start = calibration.line(one, float(count))
            logits[number] = (one - calibration.centre) / calibration.scale @ slopes + start
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: Floats = odds / odds.sum(axis=1, keepdims=True)
    return out


def nearnesses(calibration: Calibration, place: Floats, edits: Floats) -> Floats:
    """Return `Calibration.nearness` of documents, given as for `posteriors`: shape (n,)."""
    both = zip(place, edits.tolist(), strict=True)
    return np.array([calibration.nearness(one, count) for one, count in both])


def named(
    calibration: Calibration, threshold: float, place: Floats, edits: Floats, posterior: Floats
) -> NDArray[np.bool_]:
    """Say which documents get a name: those with edits, sure enough and near enough.

    Parameters
    ----------
    calibration : Calibration
    threshold : float
        Least posterior of the likeliest language.
    place, edits
        As for `posteriors`.
    posterior : ndarray of shape (n, K), float64
        What it returned for them.
    """
    near = nearnesses(calibration, place, edits) >= calibration.near
    found: NDArray[np.bool_] = near & (edits > 0) & (posterior.max(axis=1) >= threshold)
    return found
