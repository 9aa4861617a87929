"""Draw the tagger's pairs from the shared tables, fit it and choose its thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector import __version__
from detector.encoder import Encoder
from detector.models import tagger as kept
from detector.models.tagger import Tagger, TaggerConfig
from detector.training.data.corpus import (
    Dropped,
    Pair,
    digest,
    draw,
    manifest,
    only_evaluates,
    seen_by_tagger,
    shared_folder,
)
from detector.training.data.loaders import POINTS, load
from detector.training.data.sampling import MARKED
from detector.training.drift import platt
from detector.training.evaluate.metrics import Floats
from detector.training.evaluate.words import TaggedWords, Words, tagged_words
from detector.training.tagger import TaggerSettings, fit_tagger
from detector.training.tagger_data import TaggerMix, minimal_pairs, tagger_pairs

_TUNED = ("mlqe", *MARKED)
_TUNE_ON = 600  # pairs of each corpus, and bases of minimal pairs, to choose thresholds on
_DEFAULT_THRESHOLD = 0.5  # where nothing is marked


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerMaterial:
    """Pairs to fit on, pairs of other sources to calibrate on, and digests of the tables."""

    fitting: tuple[Pair, ...]
    tuning: tuple[Pair, ...]
    tables: dict[str, str]


def gather(shared: Path | None, mix: TaggerMix) -> TaggerMaterial:
    """Load the shared tables and draw the pairs."""
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
    """Fit a tagger and choose its thresholds; `checkpoint` and `progress` as for `fit_tagger`."""
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
        thresholds=(_DEFAULT_THRESHOLD, _DEFAULT_THRESHOLD),
        edited=_DEFAULT_THRESHOLD,
        training={**recipe, "pairs": len(material.fitting), "tables": material.tables},
    )
    return calibrated(Tagger(network, config), material.tuning, encoder)


def calibrated(tagger: Tagger, pairs: Sequence[Pair], encoder: Encoder) -> Tagger:
    """Calibrate a tagger and choose its thresholds on pairs that it has not seen.

    A copy word's probability is that an expert marked it (`MARKED`) or that a minimal pair was
    damaged there, half the weight each; a source word's, that a minimal pair lost it. The
    thresholds give the best F1 over words: of the copy against experts' major errors, of the
    source against minimal pairs.
    """
    words = tagged_words(tagger, pairs, encoder)
    minimal = [tagged for tagged in words if tagged.pair.corpus == "contrast"]
    expert = _concatenated([w for w in words if w.pair.corpus in MARKED], "copy")
    edited = _concatenated([w for w in words if w.pair.corpus == "mlqe"], "copy")
    lost = _concatenated([w for w in minimal if _source_is_marked(w.pair)], "source")
    copy = _calibration(expert, _concatenated(minimal, "copy"))
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
    """Fit slope and intercept on the words of parts of equal weight."""
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


def _concatenated(words: Sequence[TaggedWords], side: Literal["copy", "source"]) -> Words:
    parts = [getattr(tagged, side) for tagged in words]
    empty = np.zeros(0)
    return Words(
        np.concatenate([empty, *(part.probability for part in parts)]),
        np.concatenate([empty, *(part.weight for part in parts)]),
        np.concatenate([empty, *(part.size for part in parts)]),
    )


def _log_odds(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-9, 1.0 - 1e-9)
    odds: Floats = np.log(clipped / (1.0 - clipped))
    return odds


def _best_f1(score: Floats, label: NDArray[np.bool_]) -> float:
    if not label.any():
        return _DEFAULT_THRESHOLD
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(label[order])
    f1 = 2.0 * hits / (np.arange(1, len(order) + 1) + label.sum())
    return float(np.round(score[order][int(np.argmax(f1))], 4))
