"""Bundles of small models fitted on random rows; one has every file that a bundle may have."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
from support.fakes import FakeEncoder
from support.made_pivot import pivot_model, with_random_nets
from support.made_relations import relation_model
from support.small_tagger import small_tagger

from detector.encoder import EncoderIdentity
from detector.features.adjacency import width
from detector.features.features import FEATURES
from detector.models import store, tagger
from detector.models.adjacency import AdjacencyClassifier
from detector.models.bundle import STACKED, Bundle, Models
from detector.models.bundle_config import BundleConfig, TaggedConfig, library_versions
from detector.models.estimators import BeadClassifier, SeverityRegressor

ENCODER = EncoderIdentity(
    name="fake", weights_sha256="a" * 64, precision="fp32", dimension=4, max_tokens=16
)
COLUMNS = tuple((feature.name, feature.unit) for feature in FEATURES)


def rows(
    n: int = 200, *, columns: int = len(COLUMNS), missing: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, columns))
    X[rng.random(X.shape) < missing] = np.nan
    return X, np.nan_to_num(X[:, 0]) + 0.1 * rng.normal(size=n) > 0


@cache
def bundle(model: str = "boosting", encoder: EncoderIdentity = ENCODER) -> Bundle:
    config = BundleConfig(
        schema=store.SCHEMA,
        version="0.0",
        threshold=0.4,
        name_threshold=0.3,
        name_beliefs=((0.0, 0.0), (0.5, 0.2), (0.9, 0.6)),
        blend=(-0.1, 0.9, 0.2),
        columns=COLUMNS,
        encoder=encoder,
        libraries=library_versions(),
        files={},
        training={"seed": 0},
    )
    drift = BeadClassifier(model=model, n_trees=10).fit(*rows())
    models = Models(
        drift=drift,
        severity=SeverityRegressor().fit(*rows()),
        adjacency=AdjacencyClassifier(hidden=(4, 3), epochs=1).fit(
            *rows(columns=width(encoder.dimension), missing=0.0)
        ),
    )
    return Bundle(models=models, config=config, card="# A card\n", metrics={"held_apart": [0.5]})


@cache
def whole_bundle() -> Bundle:
    """Return a bundle with a tagger and models of relation and pivot, for `FakeEncoder`."""
    plain = bundle(encoder=FakeEncoder().identity)
    record = json.loads(tagger.to_files(small_tagger())["config.json"])
    own = tagger.Tagger(small_tagger().network, tagger.TaggerConfig.from_record(record))
    tagged = TaggedConfig(
        tagger=own.digest, threshold=0.5, blend=(0.0, 1.0, 0.0, 1.0), name_threshold=0.4, names=None
    )
    stacked = SeverityRegressor().fit(*rows(columns=len(STACKED)))
    return replace(
        plain,
        models=replace(plain.models, tagged_severity=stacked),
        config=replace(plain.config, tagged=tagged),
        tagger=own,
        relation=relation_model(),
        pivot=with_random_nets(pivot_model()),
    )
