"""Fit the pivot model's feature weights and its networks on short documents.

Arrays in, arrays out: reads no table, calibrates nothing, measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.pivot.edits import N_LENGTHS, Net
from detector.pivot.model import FeatureWeights
from detector.training.pivot_data import Pool, Rows, group_names

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]

Progress = Callable[[int], object]

_INITIAL_SQUARE = 1e-3  # squared gradient that Adagrad starts with


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearSettings:
    """How feature weights are fitted, by Adagrad."""

    ridge: float = 15.0  # half of it times the sum of the squared weights is added to the loss
    epochs: int = 3
    rate: float = 0.1
    batch: int = 256  # documents of a step
    tied: float = 0.5  # factor of the weights that the languages of a family share
    together: int = 4  # sentences of a document
    draws: int = 2  # times the sentences are grouped anew
    seed: int = 0


def balance(language: NDArray[Any], system: NDArray[Any]) -> Floats:
    """Return weights, of mean 1, with which languages count alike, and systems within each."""
    names = group_names(language, system)
    groups, at, count = np.unique(names, return_inverse=True, return_counts=True)
    of_language = np.array([name.partition("\t")[0] for name in groups])
    systems = np.array([(of_language == code).sum() for code in of_language])
    weight = 1.0 / (count * systems)[at]
    out: Floats = weight * len(weight) / weight.sum()
    return out


def group_sentences(groups: NDArray[Any], settings: LinearSettings) -> csr_matrix:
    """Group sentences to short documents of one of `groups`: a csr_matrix (n_documents, n) of 1s.

    Each draw leaves out the remainder of a group; a group smaller than a document makes one.
    """
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(settings.seed)
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(groups[order][1:] != groups[order][:-1]) + 1)
    drawn: list[NDArray[Any]] = []
    for _ in range(settings.draws):
        for group in members:
            mixed = rng.permutation(group)
            n = max(len(mixed) // settings.together, 1)
            drawn += np.split(mixed[: n * settings.together], n)
    ends = np.cumsum([0, *map(len, drawn)])
    ones = np.ones(ends[-1], np.float32)
    return csr_matrix((ones, np.concatenate(drawn), ends), shape=(len(drawn), len(groups)))


def fit_weights(  # noqa: PLR0913 - options, each by its name
    features: csr_matrix,
    language: NDArray[np.int64],
    weight: Floats,
    *,
    families: NDArray[Any],
    settings: LinearSettings,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Fit a multinomial logistic regression of the language of a document on its features.

    Counts (n, n_features) to weights (n_features, K), without intercepts: the frequency of a
    language in training is not evidence. Adagrad (Duchi, Hazan and Singer, 2011) with one rate for
    each feature. A batch updates only its own features, and shrinks them for the batches without
    them as well.
    """
    from scipy.sparse import csr_matrix

    n, p = features.shape
    rng = np.random.default_rng(settings.seed)
    ties = _ties(families, settings.tied)
    weights, intercepts = np.zeros((p, len(ties)), np.float32), np.zeros(len(families), np.float32)
    squares, intercept_squares = np.full(p, _INITIAL_SQUARE, np.float32), _INITIAL_SQUARE
    share = min(1.0, settings.batch / n)
    n_updates = 1.0 - (1.0 - share) ** np.maximum(np.bincount(features.indices, minlength=p), 1)
    shrink = (settings.ridge * share / n_updates).astype(np.float32)
    place = np.zeros(p, np.int32)
    mass = weight.astype(np.float32)
    for _ in range(settings.epochs):
        order = rng.permutation(n)
        for start in range(0, n, settings.batch):
            at = order[start : start + settings.batch]
            some = features[at]
            columns = np.unique(some.indices)
            place[columns] = np.arange(len(columns), dtype=np.int32)
            some = csr_matrix(
                (some.data, place[some.indices], some.indptr), shape=(len(at), len(columns))
            )
            now = weights[columns]
            error = some @ now @ ties + intercepts
            error -= error.max(axis=1, keepdims=True)
            np.exp(error, out=error)
            error /= error.sum(axis=1, keepdims=True)
            error[np.arange(len(at)), language[at]] -= 1.0
            error *= mass[at, None]
            gradient = some.T @ (error @ ties.T) + shrink[columns, None] * now
            squares[columns] += (gradient**2).mean(axis=1)
            weights[columns] = now - settings.rate * gradient / np.sqrt(squares[columns])[:, None]
            down = error.sum(axis=0)
            intercept_squares += float((down**2).mean())
            intercepts -= settings.rate * down / np.float32(np.sqrt(intercept_squares))
            if progress is not None:
                progress(len(at))
    tied: NDArray[np.float32] = weights @ ties
    return tied


def _ties(families: NDArray[Any], tied: float) -> NDArray[np.float32]:
    """Return the matrix, (K + n_families, K), that adds family weights to language weights."""
    names = np.unique(families)
    own = np.eye(len(families), dtype=np.float32)
    return np.vstack([own, tied * (families == names[:, None])]).astype(np.float32)


def pack(weights: NDArray[np.float32], keys: NDArray[np.uint32], *, most: int) -> FeatureWeights:
    """Quantise weights, (n_features, K), of the `most` features with the largest to a byte each."""
    centred = weights - weights.mean(axis=1, keepdims=True)
    reach = np.abs(centred).max(axis=1)
    kept = np.sort(np.argsort(-reach, kind="stable")[:most])
    kept = kept[reach[kept] > 0]
    scales = np.maximum(reach[kept] / 127.0, 1e-6).astype(np.float16)
    packed = np.clip(np.rint(centred[kept] / scales[:, None].astype(np.float32)), -127, 127)
    return FeatureWeights(keys[kept], packed.astype(np.int8), scales)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Fitted feature weights, of shape (n_features, K), and nets."""

    edits: NDArray[np.float32]
    kept: NDArray[np.float32]
    edit_net: Net
    kept_net: Net


@dataclass(frozen=True, slots=True, kw_only=True)
class NetSettings:
    """How a net is fitted, by AdamW."""

    hidden: int = 256
    steps: int = 800  # 0 gives a net whose scores are 0
    documents: int = 128  # of a step
    together: int = 4  # sentences of a document
    rate: float = 4e-3  # maximum of its one cycle
    decay: float = 0.01
    dropout: float = 0.3
    seed: int = 0


class View(Protocol):
    """The inputs of a net, and the parameters of its first layer while it is fitted."""

    def n_parameters(self, d: int) -> int:
        """Return the number of weights of a hidden unit in fitting."""
        ...

    def inward(self, weight: torch.Tensor) -> torch.Tensor:
        """Turn weights in fitting, (n_hidden, n_parameters), to weights of the inputs."""
        ...

    def inputs(
        self, pool: Pool, pairs: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the inputs of pairs, (n, n_inputs), and the index in `pairs` of each row."""
        ...


class EditView:
    """The vectors of edits; a `View`.

    In fitting, a unit has weights for the difference of both vectors too, so it learns faster.
    """

    def n_parameters(self, d: int) -> int:  # noqa: D102 - see `View`
        return 3 * d + N_LENGTHS

    def inward(self, weight: torch.Tensor) -> torch.Tensor:  # noqa: D102
        import torch

        d = (weight.shape[1] - N_LENGTHS) // 3
        lost, added, difference = (weight[:, i * d : (i + 1) * d] for i in range(3))
        return torch.cat([lost - difference, added + difference, weight[:, 3 * d :]], dim=1)

    def inputs(  # noqa: D102
        self, pool: Pool, pairs: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        vectors, owner = pool.edits_of(pairs)
        return vectors.inputs(), owner


class KeptView:
    """The vectors of kept words; a `View`."""

    def n_parameters(self, d: int) -> int:  # noqa: D102
        return d

    def inward(self, weight: torch.Tensor) -> torch.Tensor:  # noqa: D102
        return weight

    def inputs(  # noqa: D102
        self, pool: Pool, pairs: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        words, owner = pool.kept_of(pairs)
        return words.astype(np.float32), owner


def fit_net(  # noqa: PLR0913 - options, each by its name
    rows: Rows,
    language: NDArray[np.int64],
    weight: Floats,
    *,
    k: int,
    view: View,
    settings: NetSettings,
    progress: Progress | None = None,
) -> Net:
    """Fit a net whose sums over the edits or kept words of a document are its log-odds.

    `weight` is the relative frequency of a row in the draws; a document holds sentences of one
    language and translator, drawn anew for each step. AdamW (Loshchilov and Hutter, 2019), its rate
    in one cycle (Smith and Topin, 2018).
    """
    if not settings.steps:
        shapes = ((view.inputs(rows.pool, rows.pair[:0])[0].shape[1], 0), (0,), (0, k))
        return Net(*(np.zeros(shape, np.float16) for shape in shapes))

    import torch
    from torch.nn import functional

    rng = np.random.default_rng(settings.seed)
    documents = _Documents(rows, weight, rng)
    d = rows.pool.words.shape[1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        inner = torch.nn.Linear(view.n_parameters(d), settings.hidden)
        outer = torch.nn.Linear(settings.hidden, k, bias=False)
        parameters = [*inner.parameters(), *outer.parameters()]
        fit = torch.optim.AdamW(parameters, lr=settings.rate, weight_decay=settings.decay)
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            fit, settings.rate, total_steps=settings.steps + 1, pct_start=0.15
        )

        for _ in range(settings.steps):
            members, first = documents.draw(settings.documents, settings.together)
            inputs, owner = view.inputs(rows.pool, rows.pair[members])
            hidden = functional.gelu(
                functional.linear(torch.from_numpy(inputs), view.inward(inner.weight), inner.bias),
                approximate="tanh",
            )
            scores = outer(functional.dropout(hidden, settings.dropout))
            sums = torch.zeros(settings.documents, k)
            sums = sums.index_add(0, torch.from_numpy(owner // settings.together), scores)
            loss = functional.cross_entropy(sums, torch.from_numpy(language[first]))
            fit.zero_grad()
            loss.backward()
            fit.step()
            cycle.step()
            if progress is not None:
                progress(settings.documents)
        with torch.no_grad():
            outward = (outer.weight - outer.weight.mean(dim=0)).T
            arrays = (view.inward(inner.weight).T, inner.bias, outward)
            return Net(*(array.numpy().astype(np.float16) for array in arrays))


class _Documents:
    """Draw documents of one language and translator."""

    def __init__(self, rows: Rows, weight: Floats, rng: np.random.Generator) -> None:
        _, group = np.unique(group_names(rows.language, rows.variant), return_inverse=True)
        self._members = np.argsort(group, kind="stable")
        self._count = np.bincount(group)
        self._first = np.cumsum(self._count) - self._count
        self._shares = np.cumsum(np.bincount(group, weights=weight))
        self._rng = rng

    def draw(self, n: int, together: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of n documents one after the other, and the first row of each."""
        points = self._rng.random(n) * self._shares[-1]
        group = np.minimum(np.searchsorted(self._shares, points, "right"), len(self._count) - 1)
        index = (self._rng.random((n, together)) * self._count[group, None]).astype(np.int64)
        members = self._members[self._first[group, None] + index]
        return members.ravel(), members[:, 0]


def average_nets(nets: Sequence[Net]) -> Net:
    """Return one net whose scores are the mean of several nets' scores."""
    return Net(
        np.concatenate([net.inward for net in nets], axis=1),
        np.concatenate([net.offset for net in nets]),
        np.concatenate([net.outward.astype(np.float32) / len(nets) for net in nets]).astype(
            np.float16
        ),
    )
