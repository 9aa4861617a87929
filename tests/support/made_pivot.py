"""Invented round trips of three languages and systems, and a pivot model fitted on them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from support.fakes import FakeEncoder

from detector.pivot.edits import Net
from detector.pivot.model import PivotModel
from detector.training.pivot import PivotSettings, train_pivot
from detector.training.pivot_data import RoundTrip, Rows, encode_pairs, featurise
from detector.training.pivot_weights import LinearSettings, NetSettings

# Invented sentences, and the habits of three invented translators by language.
_SUBJECTS = ("The mayor", "A nurse", "The old baker", "Her teacher", "The committee", "My uncle")
_VERBS = ("opened", "praised", "visited", "described", "closed", "sold")
_OBJECTS = ("the new bridge", "a small shop", "the long report", "an open market", "the harbour")
HABITS = {
    "fr": (("the ", "the said "), ("new", "novel"), ("small", "little")),
    "ru": (("the ", ""), ("a ", ""), ("an ", "")),
    "de": (("opened", "has opened"), ("praised", "has praised"), ("visited", "has visited")),
}
_SYSTEMS = {"one": "shop", "two": "report", "three": "harbour"}


@cache
def round_trips() -> list[RoundTrip]:
    found = []
    number = 0
    for subject in _SUBJECTS:
        for verb in _VERBS:
            for thing in _OBJECTS:
                source = f"{subject} {verb} {thing} on Monday."
                for language, habits in HABITS.items():
                    for system, word in _SYSTEMS.items():
                        copy = source.replace(word, f"{word}s")
                        for old, new in habits:
                            copy = copy.replace(old, new)
                        found.append(
                            RoundTrip(
                                source, copy, language, system, "made", f"{number}", f"{number}"
                            )
                        )
                number += 1
    return found


LINEAR = PivotSettings(
    languages=tuple(HABITS),
    n_splits=2,
    sizes=(5, 10),
    threshold_sizes=(10,),
    precision=0.9,
    documents=4,
    edits=LinearSettings(ridge=1.0, epochs=12, batch=64),
    kept=LinearSettings(ridge=1.0, epochs=5, batch=64),
    edit_net=NetSettings(steps=0),
    kept_net=NetSettings(steps=0),
)
WITH_NETS = replace(
    LINEAR,
    edit_net=NetSettings(hidden=8, steps=20, documents=16),
    kept_net=NetSettings(hidden=4, steps=5, documents=16),
)


@cache
def pivot_rows() -> Rows:
    pairs = round_trips()
    return featurise(pairs, LINEAR.languages, encode_pairs(pairs, FakeEncoder()), least=2)


@cache
def pivot_model() -> PivotModel:
    """Fit a model without nets, which takes no torch."""
    return train_pivot(pivot_rows(), LINEAR, encoder=FakeEncoder().identity)


def random_net(n_inputs: int, k: int, rng: np.random.Generator) -> Net:
    shapes = ((n_inputs, 4), (4,), (4, k))
    return Net(*(rng.standard_normal(shape).astype(np.float16) for shape in shapes))


def with_random_nets(model: PivotModel) -> PivotModel:
    rng, k = np.random.default_rng(0), len(model.languages)
    edit_net, kept_net = (
        random_net(net.inward.shape[0], k, rng) for net in (model.edit_net, model.kept_net)
    )
    return replace(model, edit_net=edit_net, kept_net=kept_net)
