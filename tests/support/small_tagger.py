"""A tagger with one small layer and random weights."""

from __future__ import annotations

import torch
from support.fakes import DIMENSION, FakeEncoder

from detector.features.token_tags import KINDS
from detector.models import tagger as store
from detector.models.tagger import Tagger, TaggerConfig
from detector.models.tagger_network import PairNetwork, Shape

SHAPE = Shape(dimension=DIMENSION, n_layers=1, n_heads=4, width=32, n_kinds=len(KINDS))


def small_tagger() -> Tagger:
    torch.manual_seed(0)
    config = TaggerConfig(
        schema=store.SCHEMA,
        version="0.0",
        shape={"dimension": DIMENSION, "n_layers": 1, "n_heads": 4, "width": 32, "n_kinds": 6},
        weights="",
        encoder=FakeEncoder().identity,
        calibration=((1.0, 0.0), (1.0, 0.0)),
        thresholds=(0.5, 0.4),
        edited=0.3,
        training={"seed": 0},
    )
    return Tagger(PairNetwork(SHAPE), config)
