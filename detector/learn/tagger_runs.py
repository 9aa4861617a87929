"""Runs of the tagger: shared tables to a fitted tagger with its thresholds.

Brings the other rooms together in order; prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector import tagger as kept
from detector.encode import Encoder
from detector.learn.corpus import (
    Dropped,
    Pair,
    digest,
    draw,
    manifest,
    only_evaluates,
    shared_folder,
)
from detector.learn.loaders import load
from detector.learn.tagged import Targets
from detector.learn.tagger_fit import TaggerSettings, examples, fit_tagger
from detector.learn.tagger_sample import TaggerMix, seen_by_tagger, tagger_pairs
from detector.tagger import Tagger, TaggerConfig, TokenTags
from detector.version import __version__

_TUNED = ("mlqe", "mqm_news", "mqm_ted", "biomqm")
_TUNE_ON = 600  # pairs of each corpus that thresholds are chosen on
_PART = 64  # pairs read at a time
_LEAST = 0.5  # targets from which a token counts as damaged
_UNSURE = (0.5, 0.5)  # thresholds where nothing was marked to choose them on


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerMaterial:
    """The pairs of a run.

    Attributes
    ----------
    fitting : tuple of Pair
    tuning : tuple of Pair
        Marked pairs of other source sentences, to choose thresholds on.
    tables : mapping of str to str
        Digests of the tables read.
    """

    fitting: tuple[Pair, ...]
    tuning: tuple[Pair, ...]
    tables: dict[str, str]


def gather(shared: Path | None, mix: TaggerMix) -> TaggerMaterial:
    """Read the shared tables and draw the pairs.

    Raises
    ------
    InputError
        When the folder is not found, or a table cannot be read.
    """
    folder = shared_folder(shared)
    corpora = load(folder, Dropped())
    tuning = [
        pair
        for name in _TUNED
        for pair in draw(
            [
                p
                for p in corpora.get(name, ())
                if p.marks and not only_evaluates(p) and not seen_by_tagger(p)
            ],
            _TUNE_ON,
            seed=mix.seed + 40,
        )
    ]
    return TaggerMaterial(
        fitting=tuple(tagger_pairs(corpora, mix)),
        tuning=tuple(tuning),
        tables={n: digest(folder / n) for n in manifest() if (folder / n).is_file()},
    )


def train_tagger(
    material: TaggerMaterial,
    encoder: Encoder,
    settings: TaggerSettings,
    *,
    checkpoint: Path | None = None,
    progress: Callable[[int], object] | None = None,
) -> Tagger:
    """Fit a tagger and choose its thresholds.

    Parameters
    ----------
    material : TaggerMaterial
    encoder : Encoder
    settings : TaggerSettings
    checkpoint, progress
        As for `fit_tagger`.

    Returns
    -------
    Tagger
        Not saved yet.
    """
    network = fit_tagger(
        material.fitting, encoder, settings, checkpoint=checkpoint, progress=progress
    )
    recipe = asdict(settings)
    config = TaggerConfig(
        schema=kept.SCHEMA,
        version=__version__,
        shape=recipe.pop("shape"),
        weights="",
        encoder=encoder.identity,
        thresholds=_UNSURE,
        training={**recipe, "pairs": len(material.fitting), "tables": material.tables},
    )
    tagger = Tagger(network, config)
    thresholds = choose_thresholds(tagger, material.tuning, encoder)
    return Tagger(network, replace(config, thresholds=thresholds))


def choose_thresholds(
    tagger: Tagger, pairs: Sequence[Pair], encoder: Encoder
) -> tuple[float, float]:
    """Choose the probabilities from which a copy token is damaged, a source token lost.

    Parameters
    ----------
    tagger : Tagger
    pairs : sequence of Pair
        Marked, of source sentences that the tagger has not seen.
    encoder : Encoder

    Returns
    -------
    (float, float)
        Those with the best F1 over tokens, `_UNSURE` where no token is marked.
    """
    found: tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]] = ([], [])
    wanted: tuple[list[NDArray[np.bool_]], list[NDArray[np.bool_]]] = ([], [])
    for tags, copy, source in tagged(tagger, pairs, encoder):
        for side, (given, targets) in enumerate(((tags.damaged, copy), (tags.lost, source))):
            if targets is not None:
                found[side].append(given)
                wanted[side].append(targets.damage >= _LEAST)
    damaged, lost = (
        _best_f1(np.concatenate(scores), np.concatenate(labels)) if scores else _UNSURE[side]
        for side, (scores, labels) in enumerate(zip(found, wanted, strict=True))
    )
    return damaged, lost


def tagged(
    tagger: Tagger, pairs: Sequence[Pair], encoder: Encoder
) -> Iterator[tuple[TokenTags, Targets | None, Targets | None]]:
    """Yield what the tagger says of each pair, and what it should say of copy and source."""
    for start in range(0, len(pairs), _PART):
        read = list(examples(pairs[start : start + _PART], encoder))
        for tags, example in zip(tagger.tag([e.bead for e in read]), read, strict=True):
            yield tags, example.copy, example.source


def _best_f1(score: NDArray[np.float32], label: NDArray[np.bool_]) -> float:
    if not label.any():
        return _UNSURE[0]
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(label[order])
    f1 = 2.0 * hits / (np.arange(1, len(order) + 1) + label.sum())
    return float(np.round(score[order][int(np.argmax(f1))], 4))
