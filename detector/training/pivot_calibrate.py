"""Calibrate the pivot model on scored documents of held-out systems.

Arrays in, a `Calibration` and thresholds out. It knows no feature and no table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from detector.errors import InputError
from detector.pivot.model import N_RATES, N_VIEWS
from detector.pivot.posterior import Calibration, open_set_scores, posteriors
from detector.training.pivot_data import group_names

Floats = NDArray[np.float64]

_ISOTROPIC = 0.3  # share of the covariance of translators that is shrunk to the identity
_DIAGONAL = 0.1  # share of the covariance of edits that is shrunk to its diagonal
_DIRECT = 0.375  # see `Calibration.direct`
_MAX_THRESHOLD = 0.9999
_FAR = 0.05  # share of documents of known languages that are too far off to be named


@dataclass(frozen=True, slots=True, eq=False)
class DocumentSet:
    """Scored documents, n of them."""

    vectors: Floats  # (n, D): `DocumentScores.vector` of each
    n_edits: Floats
    language: NDArray[np.int64]  # index of the pivot; -1 for an unknown one
    system: NDArray[Any]  # family of translators
    variant: NDArray[Any]  # translator and corpus
    n_sentences: NDArray[np.int64]

    def of(self, at: NDArray[Any]) -> DocumentSet:
        """Return some of the documents."""
        return DocumentSet(*(getattr(self, name)[at] for name in self.__slots__))

    @classmethod
    def empty(cls, k: int) -> DocumentSet:
        """Return no document of `k` languages."""
        names, numbers = np.zeros(0, object), np.zeros(0, np.int64)
        vectors = np.zeros((0, N_VIEWS * k + N_RATES))
        return cls(vectors, np.zeros(0), numbers, names, names, numbers)

    @classmethod
    def concatenate(cls, parts: Sequence[DocumentSet]) -> DocumentSet:
        """Concatenate sets of documents."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))


def calibrate(documents: DocumentSet) -> Calibration:
    """Fit the calibration on documents of systems and sentences that the weights have not seen.

    Each system counts alike; the open-set threshold is 0.

    Notes
    -----
    Linear discriminant analysis with two covariances, as in speaker recognition (Prince and Elder,
    2007): languages differ in their means; translators of one language differ by `between`,
    whatever the length of a document, and documents of one translator by `within`, which shrinks
    with the number of edits. So what tells good translators from bad ones counts less.
    """
    n, size = documents.vectors.shape
    k = (size - N_RATES) // N_VIEWS
    missing = sorted(set(range(k)) - set(documents.language.tolist()))
    if missing:
        msg = f"no document of {len(missing)} of the languages to calibrate on; leave those out"
        raise InputError(msg)
    centre, scale = documents.vectors.mean(axis=0), documents.vectors.std(axis=0) + 1e-9
    scale[:k] = np.sqrt((scale[:k] ** 2).mean())  # scores of all languages have one unit
    scaled = (documents.vectors - centre) / scale
    names = group_names(documents.language, documents.variant)
    _, first, group = np.unique(names, return_index=True, return_inverse=True)
    language = documents.language[first]
    mass = np.bincount(group, weights=documents.n_edits)
    group_means = np.stack(
        [np.bincount(group, weights=documents.n_edits * one) / mass for one in scaled.T], axis=1
    )
    means = np.stack([group_means[language == code].mean(axis=0) for code in range(k)])
    deviations = group_means - means[language]
    between = deviations.T @ deviations / max(1, len(group_means) - k)
    isotropic = np.eye(size) * np.trace(between) / size
    within = (scaled - group_means[group]) * np.sqrt(documents.n_edits)[:, None]
    within = within.T @ within / n
    of_language = np.stack([scaled[documents.language == code].mean(axis=0) for code in range(k)])
    calibration = Calibration(
        centre=centre,
        scale=scale,
        means=means,
        between=(1 - _ISOTROPIC) * between + _ISOTROPIC * isotropic,
        within=(1 - _DIAGONAL) * within + _DIAGONAL * np.diag(np.diag(within)),
        even=of_language[:, :k].mean(axis=0),
        direct=_DIRECT,
        free=float(max(1, len(group_means) - k - size + 1)),
        inverse_temperature=1.0,
        open_set_threshold=0.0,
    )
    return replace(calibration, inverse_temperature=_inverse_temperature(calibration, documents))


def _inverse_temperature(calibration: Calibration, documents: DocumentSet) -> float:
    """Fit the factor of the log-odds by maximum likelihood, systems alike; its own must be 1."""
    p = posteriors(calibration, documents.vectors, documents.n_edits)
    logits = np.log(np.maximum(p, 1e-300))
    mass = _system_weights(documents.system)
    own = (np.arange(len(logits)), documents.language)

    def loss(log_factor: float) -> float:
        z = logits * np.exp(log_factor)
        z -= z.max(axis=1, keepdims=True)
        return -float(mass @ (z[own] - np.log(np.exp(z).sum(axis=1))))

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 1.0), method="bounded").x))


def fit_calibration(
    documents: DocumentSet, *, precision: float, sizes: tuple[int, ...]
) -> tuple[Calibration, float]:
    """Fit the calibration; choose temperature and both thresholds on held-out systems.

    Returns the calibration and the least posterior of a language that is named, with which the
    `precision` of the named documents is reached at each of `sizes`, in sentences.
    """
    factors, parts = [], []
    systems = np.unique(documents.system.astype(str)).tolist()
    for system in systems if len(systems) > 1 else ():
        own = documents.system == system
        others = documents.of(np.flatnonzero(~own))
        held_out = documents.of(np.flatnonzero(own & np.isin(documents.language, others.language)))
        if set(others.language) != set(documents.language):
            continue  # a language that this system alone translates
        calibration = replace(calibrate(others), inverse_temperature=1.0)
        factors.append(_inverse_temperature(calibration, held_out))
        parts.append((calibration, held_out))
    whole = calibrate(documents)
    if not parts:
        parts, factors = [(whole, documents)], [whole.inverse_temperature]
    factor = float(np.exp(np.mean(np.log(factors))))
    tested = DocumentSet.concatenate([held_out for _, held_out in parts])
    chosen = np.flatnonzero(np.isin(tested.n_sentences, sizes))
    chosen = chosen if len(chosen) else np.arange(len(tested.language))
    scores = np.concatenate([open_set_scores(c, d.vectors, d.n_edits) for c, d in parts])[chosen]
    open_set_threshold = float(np.quantile(scores, _FAR))
    posterior = np.concatenate(
        [posteriors(replace(c, inverse_temperature=factor), d.vectors, d.n_edits) for c, d in parts]
    )[chosen]
    known = scores >= open_set_threshold
    of_size = [known & (tested.n_sentences[chosen] == size) for size in sizes]
    threshold = max(
        choose_threshold(posterior[rows], tested.of(chosen[rows]), precision=precision)
        for rows in ([rows for rows in of_size if rows.any()] or [known])
    )
    calibration = replace(whole, inverse_temperature=factor, open_set_threshold=open_set_threshold)
    return calibration, threshold


def choose_threshold(posterior: Floats, documents: DocumentSet, *, precision: float) -> float:
    """Return the least maximum of the posterior at which the named documents reach a precision.

    Each system counts alike. The result is in [0, 1]; 1 where no threshold reaches the precision.
    """
    top, hit = posterior.max(axis=1), posterior.argmax(axis=1) == documents.language
    mass = _system_weights(documents.system)
    order = np.argsort(-top, kind="stable")
    share = np.cumsum((mass * hit)[order]) / np.cumsum(mass[order])
    precise = np.flatnonzero(share >= precision)
    if not len(precise):
        return 1.0
    return min(float(np.floor(top[order][precise[-1]] * 1e4) / 1e4), _MAX_THRESHOLD)


def _system_weights(system: NDArray[Any]) -> Floats:
    _, at, count = np.unique(system.astype(str), return_inverse=True, return_counts=True)
    mass: Floats = 1.0 / (count[at] * len(count))
    return mass
