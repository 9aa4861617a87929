"""What turns scores of edits into a posterior of a document, and when that is worth a name.

Arrays in, arrays out; it knows no feature and no table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError
from detector.learn.pivot_rows import named_groups
from detector.pivoting.model import N_MANNER, N_VIEWS
from detector.pivoting.posterior import Calibration, nearnesses, posteriors

Floats = NDArray[np.float64]

_SHARED = 0.3  # share of the scatter of translators that is taken to be alike in all directions
_DIRECT = 0.375  # see `Calibration.direct`
_SURE = 0.9999  # a posterior that every document is named from
_FAR = 0.05  # share of documents of known languages that are too far off to be named
_DIAGONAL = 0.1  # share of the scatter of edits that is taken to be of no direction


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Documents, as a fit of the calibration sees them.

    Attributes
    ----------
    place : ndarray of shape (n, D), float64
        `Tally.place` of each.
    edits : ndarray of shape (n,), float64
    language : ndarray of shape (n,), int64
        What each went through; -1 for none of those known.
    system, variant : ndarray of shape (n,), object
        Family of translators, and the translator with the corpus.
    sentences : ndarray of shape (n,), int64
        How long each is.
    """

    place: Floats
    edits: Floats
    language: NDArray[np.int64]
    system: NDArray[Any]
    variant: NDArray[Any]
    sentences: NDArray[np.int64]

    def of(self, at: NDArray[Any]) -> Tallies:
        """Return some of the documents."""
        return Tallies(*(getattr(self, name)[at] for name in self.__slots__))

    @classmethod
    def none(cls, k: int) -> Tallies:
        """Return no document of `k` languages."""
        names = np.zeros(0, object)
        numbers = np.zeros(0, np.int64)
        return cls(
            np.zeros((0, N_VIEWS * k + N_MANNER)), np.zeros(0), numbers, names, names, numbers
        )

    @classmethod
    def joined(cls, parts: list[Tallies]) -> Tallies:
        """Put several lots of documents together."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))


def calibrate(documents: Tallies) -> Calibration:
    """Fit the calibration on documents of systems and sentences that the weights have not seen.

    Parameters
    ----------
    documents : Tallies

    Returns
    -------
    Calibration
        Each system counts alike.

    Notes
    -----
    Linear discriminant analysis with two scatters, as in speaker recognition (Prince and Elder,
    2007): languages differ in their means; translators of one language differ by `between`,
    however long a document is, and draws of edits of one translator by `within`, which shrinks
    with their number. What merely tells good translators from bad ones is thus discounted. Of so
    few translators the scatters are not known well, so tails are heavy; see `Calibration.line`.
    """
    n, size = documents.place.shape
    k = (size - N_MANNER) // N_VIEWS
    missing = sorted(set(range(k)) - set(documents.language.tolist()))
    if missing:
        msg = f"no document of {len(missing)} of the languages to calibrate on; leave those out"
        raise InputError(msg)
    centre, scale = documents.place.mean(axis=0), documents.place.std(axis=0) + 1e-9
    scale[:k] = np.sqrt((scale[:k] ** 2).mean())  # scores of all languages have one unit
    place = (documents.place - centre) / scale
    names = named_groups(documents.language, documents.variant)
    _, first, group = np.unique(names, return_index=True, return_inverse=True)
    language = documents.language[first]
    mass = np.bincount(group, weights=documents.edits)
    middle = np.stack(
        [np.bincount(group, weights=documents.edits * one) / mass for one in place.T], axis=1
    )
    means = np.stack([middle[language == code].mean(axis=0) for code in range(k)])
    apart = middle - means[language]
    between = apart.T @ apart / max(1, len(middle) - k)
    between = (1 - _SHARED) * between + _SHARED * np.eye(size) * np.trace(between) / size
    drawn = (place - middle[group]) * np.sqrt(documents.edits)[:, None]
    within = drawn.T @ drawn / n
    within = (1 - _DIAGONAL) * within + _DIAGONAL * np.diag(np.diag(within))
    of_language = np.stack([place[documents.language == code].mean(axis=0) for code in range(k)])
    cold = Calibration(
        centre=centre,
        scale=scale,
        means=means,
        between=between,
        within=within,
        even=of_language[:, :k].mean(axis=0),
        direct=_DIRECT,
        free=float(max(1, len(middle) - k - size + 1)),
        heat=1.0,
        near=0.0,
    )
    return replace(cold, heat=_heat(cold, documents))


def _heat(cold: Calibration, documents: Tallies) -> float:
    """Find the factor of the log-odds that makes the posteriors likeliest, systems alike."""
    from scipy.optimize import minimize_scalar

    odds = np.log(np.maximum(posteriors(cold, documents.place, documents.edits), 1e-300))
    mass = _alike(documents.system)
    own = (np.arange(len(odds)), documents.language)

    def loss(log_heat: float) -> float:
        z = odds * np.exp(log_heat)
        z -= z.max(axis=1, keepdims=True)
        return -float(mass @ (z[own] - np.log(np.exp(z).sum(axis=1))))

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 1.0), method="bounded").x))


def settle(
    documents: Tallies, *, right: float, sizes: tuple[int, ...]
) -> tuple[Calibration, float]:
    """Fit the calibration; choose heat, nearness and threshold on systems a fit has not seen.

    Parameters
    ----------
    documents : Tallies
    right : float
        Share in [0, 1] of what is named that is to be right, whichever of `sizes` a document has.
    sizes : tuple of int
        Sentences of the documents that the threshold is chosen on; all where none has that many.

    Returns
    -------
    (Calibration, float)
        The calibration, and the posterior from which a language is named.
    """
    heats, parts = [], []
    systems = np.unique(documents.system.astype(str)).tolist()
    for system in systems if len(systems) > 1 else ():
        mine = documents.system == system
        others = documents.of(np.flatnonzero(~mine))
        unseen = documents.of(np.flatnonzero(mine & np.isin(documents.language, others.language)))
        if set(others.language) != set(documents.language):
            continue  # a language that this system alone translates
        calibration = replace(calibrate(others), heat=1.0)
        heats.append(_heat(calibration, unseen))
        parts.append((calibration, unseen))
    whole = calibrate(documents)
    if not parts:
        parts, heats = [(whole, documents)], [whole.heat]
    heat = float(np.exp(np.mean(np.log(heats))))
    seen = Tallies.joined([unseen for _, unseen in parts])
    asked = np.flatnonzero(np.isin(seen.sentences, sizes))
    asked = asked if len(asked) else np.arange(len(seen.language))
    nearness = np.concatenate([nearnesses(c, one.place, one.edits) for c, one in parts])[asked]
    near = float(np.quantile(nearness, _FAR))
    posterior = np.concatenate(
        [posteriors(replace(c, heat=heat), one.place, one.edits) for c, one in parts]
    )[asked]
    close = nearness >= near
    of_size = [close & (seen.sentences[asked] == size) for size in sizes]
    threshold = max(
        choose_threshold(posterior[one], seen.of(asked[one]), right=right)
        for one in ([one for one in of_size if one.any()] or [close])
    )
    return replace(whole, heat=heat, near=near), threshold


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
        In [0, 1]; 1 where no threshold gives that.
    """
    top, hit = posterior.max(axis=1), posterior.argmax(axis=1) == documents.language
    mass = _alike(documents.system)
    order = np.argsort(-top, kind="stable")
    share = np.cumsum((mass * hit)[order]) / np.cumsum(mass[order])
    enough = np.flatnonzero(share >= right)
    return min(float(np.floor(top[order][enough[-1]] * 1e4) / 1e4), _SURE) if len(enough) else 1.0


def _alike(system: NDArray[Any]) -> Floats:
    _, at, count = np.unique(system.astype(str), return_inverse=True, return_counts=True)
    mass: Floats = 1.0 / (count[at] * len(count))
    return mass
