"""A model of relations with random numbers in it, for the tests of what holds one."""

from __future__ import annotations

from functools import cache

import numpy as np

from detector.records import RELATIONS
from detector.relation.features import FEATURES, N_BUCKETS
from detector.relation.model import RelationModel


@cache
def random_weights(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=N_BUCKETS).astype(np.float16)


def relation_model(**changes: object) -> RelationModel:
    rng = np.random.default_rng(1)
    fields: dict[str, object] = {
        "translationese_weights": random_weights(),
        "knots": np.sort(rng.normal(size=(len(FEATURES), 4)), axis=1),
        "coefficients": rng.normal(size=(len(RELATIONS), len(FEATURES), 4)),
        "intercepts": rng.normal(size=len(RELATIONS)),
        "thresholds": np.full(len(RELATIONS), 0.6),
        "training": {"seed": 1},
    }
    return RelationModel(**{**fields, **changes})
