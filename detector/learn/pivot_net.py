"""Nets over the vectors of edits and of kept words, fitted on short documents; nets joined to one.

Arrays in, arrays out, torch between them; it reads no table and measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.learn.pivot_contexts import Pool
from detector.learn.pivot_rows import Rows, named_groups
from detector.pivoting.contexts import N_LENGTHS, Net

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float64]


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
