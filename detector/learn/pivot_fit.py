"""The weights of the pivot model's features: fitted on short documents, packed to a byte each.

Arrays in, arrays out; it reads no table, calibrates nothing and measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.learn.pivot_rows import named_groups
from detector.pivoting.contexts import Net
from detector.pivoting.weights import FeatureWeights

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]

_FIRST = 1e-3  # squared gradient that a feature starts with


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """How the weights are fitted.

    Attributes
    ----------
    ridge : float
        Half of it times the sum of the squared weights is added to the summed loss.
    epochs : int
        Passes over the rows.
    rate : float
        Of Adagrad.
    batch : int
        Documents of a step.
    tied : float
        How much languages of one family have in common: a weight is the sum of one of the language
        and of `tied` times one of its family, both under the ridge.
    together : int
        Sentences of a document: what a translator does again and again counts for more than what
        it does once, the more of them are put together.
    draws : int
        How often the sentences are put together anew.
    seed : int
        Of the draws, and of the order of the documents.
    """

    ridge: float = 15.0
    epochs: int = 3
    rate: float = 0.1
    batch: int = 256
    tied: float = 0.5
    together: int = 4
    draws: int = 2
    seed: int = 0


def alike(language: NDArray[Any], system: NDArray[Any]) -> Floats:
    """Weigh documents so that each language counts alike, and each system within a language.

    Returns
    -------
    ndarray of shape (n,), float64
        Their mean is 1.
    """
    groups, at, count = np.unique(
        named_groups(language, system),
        return_inverse=True,
        return_counts=True,
    )
    of_language = np.array([name.partition("\t")[0] for name in groups])
    systems = np.array([(of_language == one).sum() for one in of_language])
    weight = 1.0 / (count * systems)[at]
    out: Floats = weight * len(weight) / weight.sum()
    return out


def put_together(groups: NDArray[Any], descent: Descent) -> csr_matrix:
    """Put sentences together to short documents, each of one group.

    Parameters
    ----------
    groups : ndarray of shape (n,)
        What each sentence belongs to, such as a language and a translator.
    descent : Descent

    Returns
    -------
    csr_matrix of shape (n_documents, n), float32
        1 where a document holds a sentence. What is left over of a group stands in no document of
        that draw, but where the whole group is smaller than a document.
    """
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(descent.seed)
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(groups[order][1:] != groups[order][:-1]) + 1)
    drawn: list[NDArray[Any]] = []
    for _ in range(descent.draws):
        for mine in members:
            mixed = rng.permutation(mine)
            n = max(len(mixed) // descent.together, 1)
            drawn += np.split(mixed[: n * descent.together], n)
    ends = np.cumsum([0, *map(len, drawn)])
    ones = np.ones(ends[-1], np.float32)
    return csr_matrix((ones, np.concatenate(drawn), ends), shape=(len(drawn), len(groups)))


def fit_weights(  # noqa: PLR0913 - options, each by its name
    features: csr_matrix,
    language: NDArray[np.int64],
    weight: Floats,
    *,
    families: NDArray[Any],
    descent: Descent,
    progress: Callable[[int], object] | None = None,
) -> NDArray[np.float32]:
    """Fit a multinomial logistic regression of the language of a document on its features.

    Parameters
    ----------
    features : csr_matrix of shape (n, n_features), float32
        How often each document has each feature.
    language : ndarray of shape (n,), int64
        From 0 to K less 1.
    weight : ndarray of shape (n,), float64
    families : ndarray of shape (K,)
        Name of the family of each language.
    descent : Descent
    progress : callable, optional
        Told how many documents were seen since it was last told.

    Returns
    -------
    ndarray of shape (n_features, K), float32
        Without the flat part: how often a language was seen says nothing of a document.

    Notes
    -----
    Adagrad (Duchi, Hazan and Singer, 2011) with one rate for each feature. A feature is touched
    only by the batches that hold it, and shrunk then for those that did not.
    """
    from scipy.sparse import csr_matrix

    n, p = features.shape
    rng = np.random.default_rng(descent.seed)
    ties = _ties(families, descent.tied)
    weights, flat = np.zeros((p, len(ties)), np.float32), np.zeros(len(families), np.float32)
    seen, flat_seen = np.full(p, _FIRST, np.float32), _FIRST
    share = min(1.0, descent.batch / n)
    touched = 1.0 - (1.0 - share) ** np.maximum(np.bincount(features.indices, minlength=p), 1)
    shrink = (descent.ridge * share / touched).astype(np.float32)
    place = np.zeros(p, np.int32)
    mass = weight.astype(np.float32)
    for _ in range(descent.epochs):
        order = rng.permutation(n)
        for start in range(0, n, descent.batch):
            at = order[start : start + descent.batch]
            some = features[at]
            columns = np.unique(some.indices)
            place[columns] = np.arange(len(columns), dtype=np.int32)
            some = csr_matrix(
                (some.data, place[some.indices], some.indptr), shape=(len(at), len(columns))
            )
            now = weights[columns]
            error = some @ now @ ties + flat
            error -= error.max(axis=1, keepdims=True)
            np.exp(error, out=error)
            error /= error.sum(axis=1, keepdims=True)
            error[np.arange(len(at)), language[at]] -= 1.0
            error *= mass[at, None]
            gradient = some.T @ (error @ ties.T) + shrink[columns, None] * now
            seen[columns] += (gradient**2).mean(axis=1)
            weights[columns] = now - descent.rate * gradient / np.sqrt(seen[columns])[:, None]
            down = error.sum(axis=0)
            flat_seen += float((down**2).mean())
            flat -= descent.rate * down / np.float32(np.sqrt(flat_seen))
            if progress is not None:
                progress(len(at))
    tied: NDArray[np.float32] = weights @ ties
    return tied


def _ties(families: NDArray[Any], tied: float) -> NDArray[np.float32]:
    """Return how weights of languages and of families add up: shape (K + n_families, K)."""
    names = np.unique(families)
    own = np.eye(len(families), dtype=np.float32)
    return np.vstack([own, tied * (families == names[:, None])]).astype(np.float32)


def pack(weights: NDArray[np.float32], keys: NDArray[np.uint32], *, most: int) -> FeatureWeights:
    """Keep the features that say most, in one byte a weight.

    Parameters
    ----------
    weights : ndarray of shape (n_features, K), float32
    keys : ndarray of shape (n_features,), uint32
    most : int
        How many features at most.

    Returns
    -------
    FeatureWeights
    """
    centred = weights - weights.mean(axis=1, keepdims=True)
    reach = np.abs(centred).max(axis=1)
    kept = np.sort(np.argsort(-reach, kind="stable")[:most])
    kept = kept[reach[kept] > 0]
    scales = np.maximum(reach[kept] / 127.0, 1e-6).astype(np.float16)
    packed = np.clip(np.rint(centred[kept] / scales[:, None].astype(np.float32)), -127, 127)
    return FeatureWeights(keys[kept], packed.astype(np.int8), scales)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What is fitted.

    Attributes
    ----------
    edits, kept : ndarray of shape (n_features, K), float32
        Weights of the features of edits, and of those of kept words.
    edit_net, kept_net : Net
    """

    edits: NDArray[np.float32]
    kept: NDArray[np.float32]
    edit_net: Net
    kept_net: Net
