"""Fit the pivot model's feature weights and its networks.

The weights of the pivot model's features: fitted on short documents, packed to a byte each.

Arrays in, arrays out; it reads no table, calibrates nothing and measures nothing.

Nets over the vectors of edits and of kept words, fitted on short documents; nets joined to one.

Arrays in, arrays out, torch between them; it reads no table and measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.pivot.edits import N_LENGTHS, Net
from detector.pivot.model import FeatureWeights
from detector.training.pivot_data import Pool, Rows, named_groups

if TYPE_CHECKING:
    import torch
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NetDescent:
    """How a net is fitted.

    Attributes
    ----------
    hidden : int
        Units of the hidden layer.
    steps : int
        Of AdamW; 0 gives a net that says nothing.
    documents : int
        Of a step.
    together : int
        Sentences of a document, as in `pivot_fit.Descent`.
    rate : float
        Highest rate of the one cycle that the rate goes through.
    decay : float
        Of the weights.
    dropout : float
        Share of the hidden units that is left out of a step.
    seed : int
        Of the first weights and of the draw of documents.
    """

    hidden: int = 256
    steps: int = 800
    documents: int = 128
    together: int = 4
    rate: float = 4e-3
    decay: float = 0.01
    dropout: float = 0.3
    seed: int = 0


class View(Protocol):
    """What a net reads of pairs, and how its first layer is held while it is fitted."""

    def parameters(self, d: int) -> int:
        """Return how many weights a hidden unit has in fitting."""
        ...

    def inward(self, weight: torch.Tensor) -> torch.Tensor:
        """Turn weights in fitting, shape (n_hidden, parameters), to those on what is read."""
        ...

    def read(
        self, pool: Pool, pairs: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return what the net reads of pairs, shape (n, n_numbers), and whose each row is."""
        ...


class EditView:
    """The vectors of edits. In fitting a unit has weights for their difference too.

    Those are a sum of what it has for each; so it learns quicker.
    """

    def parameters(self, d: int) -> int:
        """As in `View`."""
        return 3 * d + N_LENGTHS

    def inward(self, weight: torch.Tensor) -> torch.Tensor:
        """As in `View`."""
        import torch

        d = (weight.shape[1] - N_LENGTHS) // 3
        lost, put, apart = (weight[:, i * d : (i + 1) * d] for i in range(3))
        return torch.cat([lost - apart, put + apart, weight[:, 3 * d :]], dim=1)

    def read(
        self, pool: Pool, pairs: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """As in `View`."""
        contexts, owner = pool.edits_of(pairs)
        return contexts.numbers(), owner


class KeptView:
    """The vectors of kept words."""

    def parameters(self, d: int) -> int:
        """As in `View`."""
        return d

    def inward(self, weight: torch.Tensor) -> torch.Tensor:
        """As in `View`."""
        return weight

    def read(
        self, pool: Pool, pairs: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """As in `View`."""
        words, owner = pool.kept_of(pairs)
        return words.astype(np.float32), owner


def fit_net(  # noqa: PLR0913 - options, each by its name
    rows: Rows,
    language: NDArray[np.int64],
    weight: Floats,
    *,
    k: int,
    view: View,
    descent: NetDescent,
    progress: Callable[[int], object] | None = None,
) -> Net:
    """Fit a net whose sums over the edits or kept words of a document are its log-odds.

    Parameters
    ----------
    rows : Rows
    language : ndarray of shape (n,), int64
        From 0 to k less 1.
    weight : ndarray of shape (n,), float64
        How often a row is drawn, beside the others.
    k : int
        Languages.
    view : View
        What it reads.
    descent : NetDescent
    progress : callable, optional
        Told how many documents were seen since it was last told.

    Returns
    -------
    Net

    Notes
    -----
    AdamW (Loshchilov and Hutter, 2019), its rate in one cycle (Smith and Topin, 2018). A document
    holds sentences of one language and translator, drawn anew for each step.
    """
    import torch
    from torch.nn import functional

    rng = np.random.default_rng(descent.seed)
    documents = _Documents(rows, weight, rng)
    d = rows.pool.words.shape[1]
    if not descent.steps:
        shapes = ((view.read(rows.pool, rows.pair[:0])[0].shape[1], 0), (0,), (0, k))
        return Net(*(np.zeros(shape, np.float16) for shape in shapes))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(descent.seed)
        inner = torch.nn.Linear(view.parameters(d), descent.hidden)
        outer = torch.nn.Linear(descent.hidden, k, bias=False)
        parameters = [*inner.parameters(), *outer.parameters()]
        fit = torch.optim.AdamW(parameters, lr=descent.rate, weight_decay=descent.decay)
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            fit, descent.rate, total_steps=descent.steps + 1, pct_start=0.15
        )

        for _ in range(descent.steps):
            members, which = documents.draw(descent.documents, descent.together)
            numbers, owner = view.read(rows.pool, rows.pair[members])
            hidden = functional.gelu(
                functional.linear(torch.from_numpy(numbers), view.inward(inner.weight), inner.bias),
                approximate="tanh",
            )
            said = outer(functional.dropout(hidden, descent.dropout))
            sums = torch.zeros(descent.documents, k)
            sums = sums.index_add(0, torch.from_numpy(owner // descent.together), said)
            loss = functional.cross_entropy(sums, torch.from_numpy(language[which]))
            fit.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            fit.step()
            cycle.step()
            if progress is not None:
                progress(descent.documents)
        with torch.no_grad():
            outward = (outer.weight - outer.weight.mean(dim=0)).T
            arrays = (view.inward(inner.weight).T, inner.bias, outward)
            return Net(*(one.numpy().astype(np.float16) for one in arrays))


class _Documents:
    """Draws documents of one language and translator."""

    def __init__(self, rows: Rows, weight: Floats, rng: np.random.Generator) -> None:
        _, group = np.unique(named_groups(rows.language, rows.variant), return_inverse=True)
        self._members = np.argsort(group, kind="stable")
        self._count = np.bincount(group)
        self._first = np.cumsum(self._count) - self._count
        self._shares = np.cumsum(np.bincount(group, weights=weight))
        self._rng = rng

    def draw(self, n: int, together: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of n documents one after the other, and the first row of each."""
        asked = self._rng.random(n) * self._shares[-1]
        group = np.minimum(np.searchsorted(self._shares, asked, "right"), len(self._count) - 1)
        place = (self._rng.random((n, together)) * self._count[group, None]).astype(np.int64)
        members = self._members[self._first[group, None] + place]
        return members.ravel(), members[:, 0]


def joined(nets: Sequence[Net]) -> Net:
    """Return one net that says the mean of what several say."""
    return Net(
        np.concatenate([net.inward for net in nets], axis=1),
        np.concatenate([net.offset for net in nets]),
        np.concatenate([net.outward.astype(np.float32) / len(nets) for net in nets]).astype(
            np.float16
        ),
    )
