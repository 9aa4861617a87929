"""The network of the tagger: both sides' token vectors read together by a few layers.

The lower layers of the encoder read each sentence alone, once; only these layers see a source and
a copy side by side (late joint reading, as in DeFormer: Cao et al., 2020). It holds no text, opens
no file and knows no threshold; `tagger` feeds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from detector.tagger_feed import N_CUES, N_ROLES, Feed, Readings

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
    ) -> Readings[Tensor]:
        """Read a batch.

        Parameters
        ----------
        vectors, roles, cues, padding : Tensor
            As in `Feed`.

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
        return Readings(damaged, lost, self.kinds(states), drift[:, 0], self.grades(whole))

    def read(self, fed: Feed, /) -> Readings[NDArray[np.float32]]:
        """Read a batch in numpy, with nothing kept to learn from."""
        with torch.inference_mode():
            return Readings(*(one.numpy() for one in self(*map(torch.from_numpy, fed))))


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
