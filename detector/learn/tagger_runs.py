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
from detector.learn.tagger_sample import TaggerMix, minimal_pairs, tagger_pairs
from detector.learn.train import platt
from detector.learn.worded import TaggedWords, Words, tagged_words
from detector.tagger import Tagger, TaggerConfig
from detector.version import __version__

_TUNED = ("mlqe", *MARKED)
_TUNE_ON = 600  # pairs of each corpus, and bases of minimal pairs, that thresholds are chosen on
_UNSURE = (0.5, 0.5)  # thresholds where nothing was marked to choose them on


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerMaterial:
    """The pairs of a run.

    Attributes
    ----------
    fitting : tuple of Pair
    tuning : tuple of Pair
        Pairs of corpora that people marked, and minimal pairs, of other source sentences: to
        calibrate and to choose thresholds on.
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
    unseen = {
        name: [p for p in pairs if not only_evaluates(p) and not seen_by_tagger(p)]
        for name, pairs in corpora.items()
    }
    seed = mix.seed + 40
    tuning = [p for name in _TUNED for p in draw(unseen.get(name, ()), _TUNE_ON, seed=seed)]
    tuning += minimal_pairs(unseen, _TUNE_ON, damages=2, seed=seed)
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
        A copy word's probability is that an expert marked it (`MARKED`) or that a minimal pair
        was damaged there, half the weight each; a source word's, that a minimal pair lost it.
        Spans of the copy are shown from where they overlap experts' major errors best (F1 over
        words), those of the source from where they fit the minimal pairs best.
    """
    words = tagged_words(tagger, pairs, encoder)
    made = [one for one in words if one.pair.corpus == "contrast"]
    expert = _joined([one for one in words if one.pair.corpus in MARKED], "copy")
    edited = _joined([one for one in words if one.pair.corpus == "mlqe"], "copy")
    lost = _joined([one for one in made if _source_is_marked(one.pair)], "source")
    copy = _calibration(expert, _joined(made, "copy"))
    source = _calibration(lost)
    config = replace(
        tagger.config,
        calibration=(copy, source),
        thresholds=(
            _threshold(expert, POINTS["Major"], copy),
            _threshold(lost, POINTS["Minor"], source),
        ),
        edited=_threshold(edited, POINTS["Minor"], copy),
    )
    return Tagger(tagger.network, config)


def _source_is_marked(pair: Pair) -> bool:
    return pair.label is False or any(mark.side == "source" for mark in pair.marks)


def _calibration(*parts: Words) -> tuple[float, float]:
    """Fit slope and intercept on the words of parts that weigh the same."""
    known = [part for part in parts if (part.weight > 0).any()]
    if not known:
        return 1.0, 0.0
    return platt(
        np.concatenate([_log_odds(part.probability) for part in known]),
        np.concatenate([part.weight > 0 for part in known]),
        np.concatenate([np.full(len(part.weight), 1e4 / len(part.weight)) for part in known]),
    )


def _threshold(words: Words, least: float, calibration: tuple[float, float]) -> float:
    odds = calibration[0] * _log_odds(words.probability) + calibration[1]
    return _best_f1(1.0 / (1.0 + np.exp(-odds)), words.weight >= least)


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
