"""Fit the model of relations: first the score of wording, then what the traits add.

Numbers in, a model out: it draws nothing, encodes nothing and opens no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from detector.learn.related_lines import Stretch
from detector.relating.model import RelationModel, hats
from detector.relating.wording import N_BUCKETS, compare, looks
from detector.relation import RELATIONS

_PAIRS = {
    "wmt": 60_000,
    "flores": 100_000,
    "apertium": 8_000,
    "mlqe": 30_000,
    "mqm_ted": 7_000,
}
N_PAIRS = sum(_PAIRS.values())
"""Sentence pairs that `wordings` looks at, at most."""

_WEIGHTS = {"wmt": 1.0, "flores": 0.6, "apertium": 0.5, "mlqe": 0.7, "mqm_ted": 1.0}
_QUANTILES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
_RIGHT = 0.95  # share of the named documents of a kind that are of it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wordings:
    """Sentence pairs as rows of `wording.looks`.

    Attributes
    ----------
    rows : csr_matrix of shape (n, `N_BUCKETS`)
    folds : ndarray of shape (n,), int64
    weights : ndarray of shape (n,), float64
    """

    rows: sparse.csr_matrix
    folds: NDArray[np.int64]
    weights: NDArray[np.float64]


def wordings(
    stretches: Sequence[Stretch],
    *,
    seed: int,
    progress: Callable[[int], object] = lambda _: None,
) -> Wordings:
    """Compare the wording of machine renderings with their sources.

    Parameters
    ----------
    stretches : sequence of Stretch
    seed : int
        Of the draw.
    progress : callable
        Told how many pairs are done.

    Returns
    -------
    Wordings
        Of pairs that differ.
    """
    rng = np.random.default_rng(seed)
    starts, places, values = [0], [np.zeros(0, np.int64)], [np.zeros(0)]
    folds: list[int] = []
    weights: list[float] = []
    for corpus, wanted in _PAIRS.items():
        pairs = [
            (s.lines[i], copy, s.fold)
            for s in stretches
            if s.corpus == corpus
            for copies in s.machine.values()
            for i, copy in copies.items()
            if i in s.lines
        ]
        for at in rng.permutation(len(pairs))[:wanted].tolist():
            source, copy, fold = pairs[at]
            where, what = looks(compare(source, copy))
            progress(1)
            if len(where):
                places.append(where)
                values.append(what)
                starts.append(starts[-1] + len(where))
                folds.append(fold)
                weights.append(_WEIGHTS[corpus])
    rows = sparse.csr_matrix(
        (np.concatenate(values), np.concatenate(places), starts), shape=(len(folds), N_BUCKETS)
    )
    return Wordings(rows=rows, folds=np.array(folds, np.int64), weights=np.array(weights))


def fit_machine(given: Wordings, folds: Sequence[int], *, seed: int) -> NDArray[np.float16]:
    """Fit the weights of `wording.machine_odds`.

    A logistic regression tells which of two sides is the machine's; every pair is shown once, at
    random from either side. There is no intercept, so swapping the sides turns the sign.

    Parameters
    ----------
    given : Wordings
    folds : sequence of int
        The folds to fit on.
    seed : int

    Returns
    -------
    ndarray of shape (`N_BUCKETS`,), float16
    """
    mine = np.isin(given.folds, folds)
    signs = np.random.default_rng(seed).integers(0, 2, int(mine.sum())) * 2 - 1
    rows = sparse.diags_array(signs.astype(np.float64)) @ given.rows[mine]
    model = LogisticRegression(C=2.0, fit_intercept=False, max_iter=200)
    model.fit(rows, signs > 0, sample_weight=given.weights[mine])
    weights: NDArray[np.float16] = model.coef_[0].astype(np.float16)
    return weights


def fit_relations(
    X: NDArray[np.float64],
    labels: Sequence[str],
    *,
    machine: NDArray[np.float16],
    training: Mapping[str, Any],
    strength: float = 3.0,
) -> RelationModel:
    """Fit what each trait adds to the odds of each relation.

    Parameters
    ----------
    X : ndarray of shape (n, n_traits), float64
        Measured with weights that the documents' own lines were not among.
    labels : sequence of str
        The relations.
    machine : ndarray of shape (`N_BUCKETS`,), float16
        What the model is to measure with.
    training : mapping
        For the record.
    strength : float
        Of the fit; lower is smoother.

    Returns
    -------
    RelationModel
        An additive multinomial logistic regression, piecewise straight in each trait (Hastie and
        Tibshirani, 1990); every relation weighs the same. It names what is likelier than not
        until `sure_of` says better.
    """
    knots = knots_of(X)
    columns = hats(X, knots)
    model = LogisticRegression(C=strength, max_iter=3000, class_weight="balanced")
    model.fit(columns.reshape(len(X), -1), list(labels))
    order = [list(model.classes_).index(relation) for relation in RELATIONS]
    return RelationModel(
        machine=machine,
        knots=knots,
        coefficients=np.ascontiguousarray(
            model.coef_[order].reshape(len(RELATIONS), *knots.shape), np.float64
        ),
        intercepts=np.ascontiguousarray(model.intercept_[order], np.float64),
        sure=np.full(len(RELATIONS), 0.5),
        training=training,
    )


def sure_of(shares: NDArray[np.float64], labels: Sequence[str]) -> NDArray[np.float64]:
    """Choose from which probability each relation is named, to be right at 95 in 100.

    Parameters
    ----------
    shares : ndarray of shape (n, n_relations), float64
        Probabilities of documents that the model was not fitted on.
    labels : sequence of str
        Their relations.

    Returns
    -------
    ndarray of shape (n_relations,), float64
        At least 0.5; 2, which is never reached, where no probability is right that often.
    """
    found = np.full(len(RELATIONS), 2.0)
    best = shares.argmax(axis=1)
    for at, relation in enumerate(RELATIONS):
        mine = np.flatnonzero(best == at)
        order = mine[np.argsort(-shares[mine, at], kind="stable")]
        right = np.cumsum([labels[i] == relation for i in order]) / np.arange(1, len(order) + 1)
        ends = np.append(np.diff(shares[order, at]) != 0.0, True)[: len(order)]  # of equal shares
        enough = np.flatnonzero((right >= _RIGHT) & ends)
        if len(enough):
            found[at] = max(0.5, shares[order[enough[-1]], at])
    return found


def knots_of(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quantiles of each column, nudged apart where they fall together.

    Returns
    -------
    ndarray of shape (n_traits, n_knots), float64
        Rising along the second axis.
    """
    found: NDArray[np.float64] = np.quantile(X, _QUANTILES, axis=0).T
    spread = np.maximum(X.max(axis=0) - X.min(axis=0), 1e-6)[:, None]
    nudged: NDArray[np.float64] = found + np.arange(len(_QUANTILES)) * 1e-3 * spread
    return nudged
