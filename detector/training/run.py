"""Fit a bundle on labelled pairs, and evaluate a bundle.

Opens no file but the cache of features; which pairs are used is the matter of `splits`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector import __version__
from detector.encoder import Encoder
from detector.features.evidence import gather_pairs
from detector.features.features import FEATURES, NAMES
from detector.models import store
from detector.models.bundle_config import library_versions
from detector.models.tagger import Tagger
from detector.names.calibration import calibrate
from detector.records import DAMAGES
from detector.training.config import Settings
from detector.training.data.corpus import Pair
from detector.training.data.sampling import MARKED, name_pairs
from detector.training.data.splits import Material
from detector.training.drift import Stack, TrainConfig, fit, fit_severity, fit_stack, out_of_fold
from detector.training.evaluate.baselines import (
    BERTSCORE,
    COPY_LENGTH,
    COSINE,
    baselines,
    f1,
    judged,
)
from detector.training.evaluate.card import card
from detector.training.evaluate.evaluate import (
    OURS,
    SEVERITY,
    TAGGER,
    UNTAGGED,
    UNTAGGED_SEVERITY,
    Evaluation,
    caught,
    evaluate,
    finder_rows,
)
from detector.training.evaluate.metrics import Floats, Resamples
from detector.training.evaluate.words import categories, tagged_words, word_metrics
from detector.training.feature_cache import Readers, fit_joins, lends_joins, measure
from detector.training.name_probability import (
    NameFit,
    TaggedNameFit,
    fit_beliefs,
    fit_tagged,
    labelled_names,
)

_NAME_BELIEF = 0.5  # the rules' belief from which a name counts as damaged

Progress = Callable[[int], object]


def train(
    material: Material,
    encoder: Encoder,
    settings: Settings,
    *,
    tagger: Tagger | None = None,
    progress: Progress | None = None,
) -> tuple[store.Bundle, Evaluation]:
    """Fit a bundle and evaluate it on the pairs held apart.

    Parameters
    ----------
    material : Material
    encoder : Encoder
    settings : Settings
    tagger : Tagger, optional
        Stacked on by the bundle and kept in it.
    progress : callable, optional
        Called with the number of distinct pairs measured since its last call.

    Returns
    -------
    (Bundle, Evaluation)
        The bundle is not saved yet; its `config.files` is empty until it is.

    Raises
    ------
    InputError
        When the pairs are too few to fit on.
    """
    folds, seed = settings.train.folds, settings.mix.seed
    joins = fit_joins(material.fitting, encoder, seed=seed)
    fitting = [pair for pair in material.fitting if not lends_joins(pair)]
    pairs = [*fitting, *material.apart]
    columns = measure(
        pairs, encoder, readers=Readers(joins, tagger), cache=settings.cache, progress=progress
    )
    n, X = len(fitting), columns[:, : len(NAMES)]
    labelled = [row for row, pair in enumerate(fitting) if pair.label is not None]
    severity = out_of_fold(fitting, X[:n], folds=folds)
    fitted = fit(
        [fitting[row] for row in labelled],
        X[labelled],
        NAMES,
        settings.train,
        severity=severity[labelled],
    )
    odds = np.full(n, np.nan)
    odds[labelled] = fitted.odds
    stack = None if tagger is None else _stack(fitting, odds, severity, columns[:n], settings.train)
    names = labelled_names(name_pairs(material.fitting, settings.mix), encoder, tagger=tagger)
    named = fit_beliefs(names, folds=folds)
    tagged_names = None if stack is None else fit_tagged(names, folds=folds)
    name_threshold = _NAME_BELIEF if named is None else calibrate(named.beliefs, _NAME_BELIEF)
    config = store.BundleConfig(
        schema=store.SCHEMA,
        version=__version__,
        threshold=fitted.threshold,
        name_threshold=name_threshold,
        name_beliefs=() if named is None else named.beliefs,
        blend=fitted.blend,
        columns=tuple((feature.name, feature.unit) for feature in FEATURES),
        encoder=encoder.identity,
        libraries=library_versions(),
        files={},
        tagged=None
        if tagger is None or stack is None
        else store.TaggedConfig(
            tagger=tagger.digest,
            threshold=stack.threshold,
            blend=stack.blend,
            name_threshold=name_threshold if tagged_names is None else tagged_names.threshold,
            names=None if tagged_names is None else tagged_names.odds,
        ),
        training={},
    )
    models = store.Models(
        drift=fitted.classifier,
        severity=fit_severity(fitting, X[:n]),
        adjacency=joins,
        tagged_severity=None if stack is None else stack.severity,
    )
    bundle = store.Bundle(models=models, config=config, tagger=None if stack is None else tagger)
    evaluation = evaluate_bundle(bundle, material, columns[n:], encoder, settings.train)
    training = {
        "settings": settings.record(),
        "chosen": fitted.chosen,
        "calibration": list(fitted.classifier.calibration),
        "blend": list(fitted.blend),
        "pairs": _counts(material.fitting),
        "tables": {name: known["sha256"] for name, known in material.tables.items()},
    }
    metrics = {
        "compared": {name: e.to_list() for name, e in fitted.compared.items()},
        "names": None if named is None else _plain(named, without="beliefs"),
        "tagged_names": None if tagged_names is None else _plain(tagged_names, without="odds"),
        "out_of_fold": _out_of_fold(fitting, X[:n], severity, settings.train),
        "held_apart": evaluation.to_dict(),
    }
    bundle = replace(bundle, config=replace(config, training=training), metrics=metrics)
    return replace(bundle, card=card(bundle)), evaluation


def measure_bundle(
    bundle: store.Bundle,
    material: Material,
    encoder: Encoder,
    settings: Settings,
    *,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate a bundle and simple scores on the pairs held apart, as `train` does."""
    X = measure(
        material.apart,
        encoder,
        readers=Readers(bundle.models.adjacency, bundle.tagger),
        cache=settings.cache,
        progress=progress,
    )
    return evaluate_bundle(bundle, material, X, encoder, settings.train)


def word_metrics_of(
    bundle: store.Bundle, pairs: Sequence[Pair], encoder: Encoder, config: TrainConfig
) -> dict[str, Any]:
    """Evaluate the bundle's tagger, if any, on the pairs with human marks."""
    if bundle.tagger is None:
        return {}
    marked = [p for p in pairs if p.corpus in MARKED or p.corpus == "mlqe_dev"]
    words = tagged_words(bundle.tagger, marked, encoder)
    known = bundle.tagger.config
    return {
        "words": word_metrics(
            words,
            thresholds=known.thresholds,
            edited=known.edited,
            resamples=config.resamples,
            seed=config.mix.seed,
        ),
        "categories": categories(words, threshold=known.thresholds[0]),
    }


def damaged_names(
    bundle: store.Bundle, pairs: Sequence[Pair], encoder: Encoder
) -> NDArray[np.bool_]:
    """Tell whether the bundle finds a damaged name in each pair of `finder_rows`, else False."""
    found = np.zeros(len(pairs), dtype=np.bool_)
    rows = finder_rows(pairs, "names").tolist()
    texts = ((pairs[row].source, pairs[row].copy) for row in rows)
    beads = list(gather_pairs(texts, encoder, adjacency=bundle.adjacency))
    for row, names in zip(rows, bundle.predict(beads).names, strict=True):
        found[row] = any(
            c.change in DAMAGES and c.probability >= bundle.name_threshold for c in names
        )
    return found


def evaluate_bundle(
    bundle: store.Bundle,
    material: Material,
    X: NDArray[np.float64],
    encoder: Encoder,
    config: TrainConfig,
) -> Evaluation:
    """Predict the pairs held apart and evaluate the predictions.

    `X` holds their rows as of `measure`; the mix of the config weighs the probabilities.
    """
    pairs = material.apart
    simple, notes = baselines(pairs, X[:, : len(NAMES)], NAMES)
    scores = {**scores_of(bundle, X), **simple}
    evaluation = evaluate(
        pairs, scores, threshold=bundle.threshold, mix=config.mix, resamples=config.resamples
    )
    finders = {
        "names": damaged_names(bundle, pairs, encoder),
        "figures": X[:, NAMES.index("heaviest_figure")] > 0,
    }
    return replace(
        evaluation,
        caught=caught(pairs, finders),
        notes=(*material.notes, *notes),
        **word_metrics_of(bundle, pairs, encoder, config),
    )


def scores_of(bundle: store.Bundle, X: NDArray[np.float64]) -> dict[str, Floats]:
    """Return the predictions of the bundle by the names that `evaluate` knows."""
    scores = {OURS: bundle.predict_drift(X)}
    if bundle.models.severity is not None:
        scores[SEVERITY] = bundle.predict_severity(X)
    if bundle.tagger is not None:
        scores[TAGGER] = X[:, len(NAMES)]
        untagged = X[:, : len(NAMES)]
        scores[UNTAGGED] = bundle.predict_drift(untagged)
        scores[UNTAGGED_SEVERITY] = bundle.predict_severity(untagged)
    return scores


def _stack(
    pairs: Sequence[Pair],
    odds: Floats,
    severity: Floats,
    columns: NDArray[np.float64],
    config: TrainConfig,
) -> Stack | None:
    """Stack on the pairs that the tagger has not seen."""
    tags = columns[:, len(NAMES) :]
    unseen = np.flatnonzero(~np.isnan(tags).any(axis=1))
    subset = [pairs[i] for i in unseen.tolist()]
    return fit_stack(subset, odds[unseen], severity[unseen], tags[unseen], config)


def _out_of_fold(
    pairs: Sequence[Pair], X: NDArray[np.float64], severity: Floats, config: TrainConfig
) -> dict[str, Any]:
    """Measure severity and simple scores on all judged pairs, out of fold."""
    rows = [i for i, p in enumerate(pairs) if p.points is not None and p.corpus != "contrast"]
    if not rows or np.isnan(severity).all():
        return {}
    scores = {
        SEVERITY: severity[rows],
        COSINE: 1.0 - X[rows, NAMES.index("similarity")],
        BERTSCORE: 1.0 - f1(*(X[rows, NAMES.index(f"token_{k}")] for k in ("recall", "precision"))),
        COPY_LENGTH: np.array([float(len(pairs[i].copy)) for i in rows]),
    }
    subset = [pairs[i] for i in rows]
    rng = np.random.default_rng(config.mix.seed)
    resample = Resamples.of([p.group for p in subset], n=config.resamples, rng=rng)
    return {
        corpus: {
            "n": entry["n"],
            "scores": {
                method: {key: estimate.to_list() for key, estimate in measures.items()}
                for method, measures in entry["scores"].items()
            },
        }
        for corpus, entry in judged(subset, scores, resample).items()
    }


def _plain(fitted: NameFit | TaggedNameFit, *, without: str) -> dict[str, Any]:
    """Return the metrics of a fit as JSON, without what the config holds."""
    record = {name: value for name, value in asdict(fitted).items() if name != without}
    if "bins" in record:
        record["bins"] = [list(pair) for pair in record["bins"]]
    return record


def _counts(pairs: Sequence[Pair]) -> dict[str, list[int]]:
    """Count sound and drifted pairs by corpus."""
    counts = Counter((pair.corpus, pair.label) for pair in pairs)
    return {
        name: [counts[name, False], counts[name, True]]
        for name in sorted({pair.corpus for pair in pairs})
    }
