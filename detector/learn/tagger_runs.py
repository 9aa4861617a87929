"""Runs of the tagger: shared tables to a fitted tagger with its thresholds.

Brings the other rooms together in order; prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

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
    seen_by_tagger,
    shared_folder,
)
from detector.learn.loaders import load
from detector.learn.marks import POINTS
from detector.learn.metrics import Floats
from detector.learn.sample import MARKED
from detector.learn.tagger_fit import TaggerSettings, fit_tagger
from detector.learn.tagger_sample import TaggerMix, tagger_pairs
from detector.learn.train import platt
from detector.learn.worded import TaggedWords, Words, tagged_words
from detector.tagger import Tagger, TaggerConfig
from detector.version import __version__

_TUNED = ("mlqe", *MARKED)
_TUNE_ON = 600  # pairs of each corpus that thresholds are chosen on
_UNSURE = (0.5, 0.5)  # thresholds where nothing was marked to choose them on


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerMaterial:
    """The pairs of a run.

    Attributes
    ----------
    fitting : tuple of Pair
    tuning : tuple of Pair
        Pairs of corpora that people marked, of other source sentences, to choose thresholds on.
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
            [p for p in corpora.get(name, ()) if not only_evaluates(p) and not seen_by_tagger(p)],
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
        calibration=((1.0, 0.0), (1.0, 0.0)),
        thresholds=_UNSURE,
        edited=_UNSURE[0],
        training={**recipe, "pairs": len(material.fitting), "tables": material.tables},
    )
    return calibrated(Tagger(network, config), material.tuning, encoder)


def calibrated(tagger: Tagger, pairs: Sequence[Pair], encoder: Encoder) -> Tagger:
    """Make probabilities of a tagger's log-odds, and choose the thresholds.

    Parameters
    ----------
    tagger : Tagger
        Not calibrated.
    pairs : sequence of Pair
        Marked, of source sentences that the tagger has not seen.
    encoder : Encoder

    Returns
    -------
    Tagger
        A copy word's probability is that an expert marks it (`MARKED`), a source word's that a
        post-editor put it back in. Spans are shown from where they overlap major errors best
        (F1 over words), and those of the source from where they fit the post-editors' best.
    """
    words = tagged_words(tagger, pairs, encoder)
    marked = [one for one in words if one.pair.corpus in MARKED]
    edited = [one for one in words if one.pair.corpus not in MARKED]
    expert, copy_edited = _joined(marked, "copy"), _joined(edited, "copy")
    source_edited = _joined(edited, "source")
    calibration = tuple(
        platt(_log_odds(side.probability), side.weight > 0, np.ones(len(side.weight)))
        if (side.weight > 0).any()
        else (1.0, 0.0)
        for side in (expert, source_edited)
    )

    def threshold(side: Words, least: float, scale: tuple[float, float]) -> float:
        odds = scale[0] * _log_odds(side.probability) + scale[1]
        return _best_f1(1.0 / (1.0 + np.exp(-odds)), side.weight >= least)

    copy, source = calibration
    config = replace(
        tagger.config,
        calibration=(copy, source),
        thresholds=(
            threshold(expert, POINTS["Major"], copy),
            threshold(source_edited, POINTS["Minor"], source),
        ),
        edited=threshold(copy_edited, POINTS["Minor"], copy),
    )
    return Tagger(tagger.network, config)


def _joined(words: Sequence[TaggedWords], side: Literal["copy", "source"]) -> Words:
    mine = [getattr(one, side) for one in words]
    empty = np.zeros(0)
    return Words(
        np.concatenate([empty, *(one.probability for one in mine)]),
        np.concatenate([empty, *(one.weight for one in mine)]),
        np.concatenate([empty, *(one.size for one in mine)]),
    )


def _log_odds(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-9, 1.0 - 1e-9)
    odds: Floats = np.log(clipped / (1.0 - clipped))
    return odds


def _best_f1(score: Floats, label: NDArray[np.bool_]) -> float:
    if not label.any():
        return _UNSURE[0]
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(label[order])
    f1 = 2.0 * hits / (np.arange(1, len(order) + 1) + label.sum())
    return float(np.round(score[order][int(np.argmax(f1))], 4))
