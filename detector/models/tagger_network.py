"""The tagger's network, and its start from an encoder's weights.

The lower layers of the encoder read each sentence alone, once; only these layers see a source and
a copy side by side (late joint reading, as in DeFormer: Cao et al., 2020). It opens no file and
knows no threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from detector.features.token_tags import N_CUES, N_ROLES, TaggerBatch, TaggerOutputs

_ABSENT = -1e4  # log-odds where there is no token of that side
_SCALE = 10.0  # unit vectors to about the length of the initial role vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of a network; `dimension` is that of a token vector, `width` that inside a layer."""

    dimension: int = 384
    n_layers: int = 4
    n_heads: int = 12
    width: int = 1536
    n_kinds: int = 6


class PairNetwork(nn.Module):  # type: ignore[misc] # mypy skips torch
    """Transformer layers over the token vectors of a source and a copy.

    The vectors hold positions already. A token's role (its side, and whether the other side has the
    same token) and cues are added to its vector: without the cues, the distance to the nearest
    token of the other side takes many more pairs to learn.
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
        """Predict for a batch; parameters as in `TaggerBatch`."""
        states = self.norm(vectors * _SCALE + self.roles(roles) + self.cues(cues))
        for layer in self.layers:
            states = layer(states, src_key_padding_mask=padding)
        states = states.float()  # sums and comparisons in float32 under autocast too
        side = roles // 2
        odds = self.sides(states).float()
        damaged = odds[..., 0].masked_fill((side != 1) | padding, _ABSENT)
        lost = odds[..., 1].masked_fill((side != 0) | padding, _ABSENT)
        tokens = ((side < 2) & ~padding)[..., None]
        mean = (states * tokens).sum(1) / tokens.sum(1).clamp(min=1)
        whole = torch.cat([states[:, 0], mean], dim=1)
        sums = [torch.log1p(torch.sigmoid(x).sum(1)) for x in (damaged, lost)]
        worst = [torch.logsumexp(x, 1) for x in (damaged, lost)]
        drift = self.drift(whole) + self.gathered(torch.stack([*worst, *sums], dim=1))
        return TaggerOutputs(damaged, lost, self.kinds(states), drift[:, 0], self.grades(whole))

    def predict(self, batch: TaggerBatch, /) -> TaggerOutputs[NDArray[np.float32]]:
        """Predict for a batch of arrays, without gradients."""
        with torch.inference_mode():
            return TaggerOutputs(*(t.numpy() for t in self(*map(torch.from_numpy, batch))))


def start_from(network: PairNetwork, layers: Any) -> None:  # noqa: ANN401 - BERT layers
    """Copy the weights of an encoder's last layers (of BERT) into the network; shrink its heads."""
    for own, bert in zip(network.layers, list(layers)[-len(network.layers) :], strict=True):
        weights = bert.state_dict()
        renamed: dict[str, Tensor] = {}
        for part in ("weight", "bias"):
            renamed[f"self_attn.in_proj_{part}"] = torch.cat(
                [weights[f"attention.self.{name}.{part}"] for name in ("query", "key", "value")]
            )
            renamed[f"self_attn.out_proj.{part}"] = weights[f"attention.output.dense.{part}"]
            renamed[f"norm1.{part}"] = weights[f"attention.output.LayerNorm.{part}"]
            renamed[f"linear1.{part}"] = weights[f"intermediate.dense.{part}"]
            renamed[f"linear2.{part}"] = weights[f"output.dense.{part}"]
            renamed[f"norm2.{part}"] = weights[f"output.LayerNorm.{part}"]
        own.load_state_dict(renamed)
    with torch.no_grad():
        network.roles.weight.mul_(0.1)
        network.cues.weight.mul_(0.3)
        for head in (network.sides, network.kinds, network.drift, network.grades):
            head.weight.mul_(0.3)
            head.bias.zero_()
        network.sides.bias.fill_(-2.5)  # most tokens are sound
        network.gathered.weight.copy_(torch.tensor([[0.3, 0.3, 0.0, 0.0]]))
