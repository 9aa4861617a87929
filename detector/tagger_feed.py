"""How beads are laid out for a tagger's network, and what comes out of it.

Pure, and without torch: whatever runs the network reads and gives these arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.tags import Tokens

Array = TypeVar("Array")

OPENING, CLOSING = 4, 5
"""Roles of the two tokens of its own: one that gathers the whole, one that ends a side."""

N_ROLES = 6
N_CUES = 3


class Feed(NamedTuple):
    """A batch of b beads, padded to t tokens.

    `vectors` of shape (b, t, d), float32: unit rows, zeros at the tokens of the network's own and
    at padding. `roles` of shape (b, t), int64: 0 and 1 source token without and with a
    counterpart, 2 and 3 copy token likewise, then `OPENING` (first) and `CLOSING`. `cues` of
    shape (b, t, n_cues), float32: of each token 1 less its best cosine on the other side, twice
    the square of that, and whether that nearest token has a nearer one itself. `padding` of shape
    (b, t), bool.
    """

    vectors: NDArray[np.float32]
    roles: NDArray[np.int64]
    cues: NDArray[np.float32]
    padding: NDArray[np.bool_]


class Readings(NamedTuple, Generic[Array]):
    """What a network says of a batch of b pairs padded to t tokens; log-odds throughout.

    `damaged` and `lost` are of shape (b, t) and hold -10,000 where the place is no copy token
    (source token); `kinds` is of shape (b, t, n_kinds), before a softmax; `drift` of shape (b,);
    `grades` of shape (b, 3): log(1 + error points), share of edited words and of quality lost.
    """

    damaged: Array
    lost: Array
    kinds: Array
    drift: Array
    grades: Array


class Network(Protocol):
    """Runs a tagger's network over a batch."""

    def read(self, fed: Feed, /) -> Readings[NDArray[np.float32]]:
        """Read a batch."""
        ...


def feed(beads: Sequence[tuple[Tokens, Tokens]]) -> Feed:
    """Lay out a batch of beads.

    A bead is: opening, source tokens, closing, copy tokens, closing.
    """
    size = max(len(s) + len(c) + 3 for s, c in beads)
    dimension = beads[0][0].vectors.shape[1]
    vectors = np.zeros((len(beads), size, dimension), np.float32)
    roles = np.full((len(beads), size), CLOSING, np.int64)
    cues = np.zeros((len(beads), size, N_CUES), np.float32)
    padding = np.ones((len(beads), size), np.bool_)
    roles[:, 0] = OPENING
    for row, (source, copy) in enumerate(beads):
        at_source, at_copy = places(source, copy)
        vectors[row, at_source], vectors[row, at_copy] = source.vectors, copy.vectors
        shared = set(source.texts) & set(copy.texts)
        roles[row, at_source] = [text in shared for text in source.texts]
        roles[row, at_copy] = [2 + (text in shared) for text in copy.texts]
        cosines = vectors[row, at_source] @ vectors[row, at_copy].T
        cues[row, at_source], cues[row, at_copy] = _cues(cosines), _cues(cosines.T)
        padding[row, : at_copy.stop + 1] = False
    return Feed(vectors, roles, cues, padding)


def _cues(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe where the tokens of the rows stand to those of the columns."""
    if not cosines.size:
        return np.zeros((len(cosines), 3), np.float32)
    nearest = cosines.argmax(axis=1)
    far = 1.0 - cosines.max(axis=1)
    taken = cosines.argmax(axis=0)[nearest] != np.arange(len(cosines))
    return np.stack([far, 2.0 * far**2, taken], axis=1).astype(np.float32)


def places(source: Tokens, copy: Tokens) -> tuple[slice, slice]:
    """Say where the tokens of both sides stand in a row of `feed`."""
    middle = 1 + len(source.texts)
    return slice(1, middle), slice(middle + 1, middle + 1 + len(copy.texts))
