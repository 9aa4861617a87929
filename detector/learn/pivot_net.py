"""The net over the vectors of edits, fitted on short documents; nets joined to one.

Arrays in, arrays out, torch between them; it reads no table and measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.learn.pivot_rows import Rows, named_groups
from detector.pivoting.contexts import N_LENGTHS, ContextNet

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetDescent:
    """How the net is fitted.

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


def fit_net(  # noqa: PLR0913 - options, each by its name
    rows: Rows,
    language: NDArray[np.int64],
    weight: Floats,
    *,
    k: int,
    descent: NetDescent,
    progress: Callable[[int], object] | None = None,
) -> ContextNet:
    """Fit a net whose sums over the edits of a document are the log-odds of its language.

    Parameters
    ----------
    rows : Rows
    language : ndarray of shape (n,), int64
        From 0 to k less 1.
    weight : ndarray of shape (n,), float64
        How often a row is drawn, beside the others.
    k : int
        Languages.
    descent : NetDescent
    progress : callable, optional
        Told how many documents were seen since it was last told.

    Returns
    -------
    ContextNet

    Notes
    -----
    AdamW (Loshchilov and Hutter, 2019), its rate in one cycle (Smith and Topin, 2018). A document
    holds sentences of one language and translator, drawn anew for each step. The layer reads the
    difference of both vectors too, as a sum of what it reads of each: so it learns quicker.
    """
    import torch
    from torch.nn import functional

    rng = np.random.default_rng(descent.seed)
    documents = _Documents(rows, weight, rng)
    d = rows.pool.contexts.lost.shape[1]
    if not descent.steps:
        shapes = ((2 * d + N_LENGTHS, 0), (0,), (0, k))
        return ContextNet(*(np.zeros(shape, np.float16) for shape in shapes))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(descent.seed)
        inner = torch.nn.Linear(3 * d + N_LENGTHS, descent.hidden)
        outer = torch.nn.Linear(descent.hidden, k, bias=False)
        parameters = [*inner.parameters(), *outer.parameters()]
        fit = torch.optim.AdamW(parameters, lr=descent.rate, weight_decay=descent.decay)
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            fit, descent.rate, total_steps=descent.steps + 1, pct_start=0.15
        )

        def inward() -> torch.Tensor:
            lost, put, apart = (inner.weight[:, i * d : (i + 1) * d] for i in range(3))
            return torch.cat([lost - apart, put + apart, inner.weight[:, 3 * d :]], dim=1)

        for _ in range(descent.steps):
            members, which = documents.draw(descent.documents, descent.together)
            edits, owner = rows.pool.of(rows.pair[members])
            numbers = torch.from_numpy(rows.pool.contexts[edits].numbers())
            hidden = functional.gelu(
                functional.linear(numbers, inward(), inner.bias), approximate="tanh"
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
            arrays = (inward().T, inner.bias, (outer.weight - outer.weight.mean(dim=0)).T)
            return ContextNet(*(one.numpy().astype(np.float16) for one in arrays))


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


def joined(nets: Sequence[ContextNet]) -> ContextNet:
    """Return one net that says the mean of what several say."""
    return ContextNet(
        np.concatenate([net.inward for net in nets], axis=1),
        np.concatenate([net.offset for net in nets]),
        np.concatenate([net.outward.astype(np.float32) / len(nets) for net in nets]).astype(
            np.float16
        ),
    )
