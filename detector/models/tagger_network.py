"""The tagger's network, and how beads are collated for it.

How beads are laid out for a tagger's network, and what comes out of it.

Pure, and without torch: whatever runs the network reads and gives these arrays.

The network of the tagger: both sides' token vectors read together by a few layers.

The lower layers of the encoder read each sentence alone, once; only these layers see a source and
a copy side by side (late joint reading, as in DeFormer: Cao et al., 2020). It holds no text, opens
no file and knows no threshold; `tagger` feeds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from detector.features.token_tags import Tokens

Array = TypeVar("Array")

OPENING, CLOSING = 4, 5
"""Roles of the two tokens of its own: one that gathers the whole, one that ends a side."""

N_ROLES = 6
N_CUES = 3


class TaggerBatch(NamedTuple):
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


class TaggerOutputs(NamedTuple, Generic[Array]):
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

    def read(self, fed: TaggerBatch, /) -> TaggerOutputs[NDArray[np.float32]]:
        """Read a batch."""
        ...


def collate(beads: Sequence[tuple[Tokens, Tokens]]) -> TaggerBatch:
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
    return TaggerBatch(vectors, roles, cues, padding)


def _cues(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe where the tokens of the rows stand to those of the columns."""
    if not cosines.size:
        return np.zeros((len(cosines), 3), np.float32)
    nearest = cosines.argmax(axis=1)
    far = 1.0 - cosines.max(axis=1)
    taken = cosines.argmax(axis=0)[nearest] != np.arange(len(cosines))
    return np.stack([far, 2.0 * far**2, taken], axis=1).astype(np.float32)


def places(source: Tokens, copy: Tokens) -> tuple[slice, slice]:
    """Say where the tokens of both sides stand in a row of `collate`."""
    middle = 1 + len(source.texts)
    return slice(1, middle), slice(middle + 1, middle + 1 + len(copy.texts))


_APART = -1e4  # log-odds of a place that is no token of the side asked about


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a network is made of.

    Attributes
    ----------
    dimension : int
        Length of a token vector.
    n_layers, n_heads : int
    width : int
        Length of the hidden vector inside a layer.
    n_kinds : int
        Kinds of damage told apart.
    """

    dimension: int = 384
    n_layers: int = 4
    n_heads: int = 12
    width: int = 1536
    n_kinds: int = 6


class PairNetwork(nn.Module):
    """Transformer layers over the token vectors of a source and a copy.

    Parameters
    ----------
    shape : Shape

    Notes
    -----
    Positions are in the vectors already. A token's role is its side, and whether the same token
    stands on the other side. Role and cues are added to the vector: without the cues, how far a
    token lies from its nearest on the other side had to be learnt from many more pairs.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        d = shape.dimension
        self.roles = nn.Embedding(N_ROLES, d)
        self.cues = nn.Linear(N_CUES, d, bias=False)
        self.norm = nn.LayerNorm(d)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                d,
                shape.n_heads,
                shape.width,
                dropout=0.0,
                activation="gelu",
                layer_norm_eps=1e-12,
                batch_first=True,
            )
            for _ in range(shape.n_layers)
        )
        self.sides = nn.Linear(d, 2)
        self.kinds = nn.Linear(d, shape.n_kinds)
        self.drift = nn.Linear(2 * d, 1)
        self.gathered = nn.Linear(4, 1, bias=False)
        self.grades = nn.Linear(2 * d, 3)

    def forward(
        self, vectors: Tensor, roles: Tensor, cues: Tensor, padding: Tensor
    ) -> TaggerOutputs[Tensor]:
        """Read a batch.

        Parameters
        ----------
        vectors, roles, cues, padding : Tensor
            As in `TaggerBatch`.

        Returns
        -------
        Readings
        """
        states = self.norm(vectors * _SCALE + self.roles(roles) + self.cues(cues))
        for layer in self.layers:
            states = layer(states, src_key_padding_mask=padding)
        states = states.float()  # what is summed and compared is so under autocast too
        side = roles // 2
        odds = self.sides(states).float()
        damaged = odds[..., 0].masked_fill((side != 1) | padding, _APART)
        lost = odds[..., 1].masked_fill((side != 0) | padding, _APART)
        tokens = ((side < 2) & ~padding)[..., None]
        mean = (states * tokens).sum(1) / tokens.sum(1).clamp(min=1)
        whole = torch.cat([states[:, 0], mean], dim=1)
        sums = [torch.log1p(torch.sigmoid(one).sum(1)) for one in (damaged, lost)]
        worst = [torch.logsumexp(one, 1) for one in (damaged, lost)]
        drift = self.drift(whole) + self.gathered(torch.stack([*worst, *sums], dim=1))
        return TaggerOutputs(damaged, lost, self.kinds(states), drift[:, 0], self.grades(whole))

    def read(self, fed: TaggerBatch, /) -> TaggerOutputs[NDArray[np.float32]]:
        """Read a batch in numpy, with nothing kept to learn from."""
        with torch.inference_mode():
            return TaggerOutputs(*(one.numpy() for one in self(*map(torch.from_numpy, fed))))


_SCALE = 10.0  # unit vectors to about the length of the roles' start


def start_from(network: PairNetwork, layers: Any) -> None:  # noqa: ANN401 - BERT layers
    """Give the network the weights of an encoder's last layers, and heads that say little.

    Parameters
    ----------
    network : PairNetwork
    layers : sequence of BertLayer
        At least as many as the network has.
    """
    for mine, theirs in zip(network.layers, list(layers)[-len(network.layers) :], strict=True):
        known = theirs.state_dict()
        named: dict[str, Tensor] = {}
        for part in ("weight", "bias"):
            named[f"self_attn.in_proj_{part}"] = torch.cat(
                [known[f"attention.self.{one}.{part}"] for one in ("query", "key", "value")]
            )
            named[f"self_attn.out_proj.{part}"] = known[f"attention.output.dense.{part}"]
            named[f"norm1.{part}"] = known[f"attention.output.LayerNorm.{part}"]
            named[f"linear1.{part}"] = known[f"intermediate.dense.{part}"]
            named[f"linear2.{part}"] = known[f"output.dense.{part}"]
            named[f"norm2.{part}"] = known[f"output.LayerNorm.{part}"]
        mine.load_state_dict(named)
    with torch.no_grad():
        network.roles.weight.mul_(0.1)
        network.cues.weight.mul_(0.3)
        for head in (network.sides, network.kinds, network.drift, network.grades):
            head.weight.mul_(0.3)
            head.bias.zero_()
        network.sides.bias.fill_(-2.5)  # most tokens are sound
        network.gathered.weight.copy_(torch.tensor([[0.3, 0.3, 0.0, 0.0]]))
