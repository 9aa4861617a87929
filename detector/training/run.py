"""Fit a bundle on labelled pairs, and measure a bundle.

Runs: labelled pairs to a fitted bundle, and a bundle to its figures.

Brings the other rooms together in order; which pairs is the matter of `material`, what is printed
that of `commands`. Opens no file beyond the cache of features.
"""

from __future__ import annotations

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
from detector.models.config import library_versions
from detector.models.tagger import Tagger
from detector.names.compare import probability_of
from detector.records import DAMAGES
from detector.training.config import Settings
from detector.training.data.corpus import Pair
from detector.training.data.sampling import MARKED, name_pairs
from detector.training.data.splits import Material
from detector.training.drift import TrainConfig, fit
from detector.training.drift_features import Readers, fit_joins, lends_joins, measure
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
    Figures,
    asked,
    caught,
    evaluate,
)
from detector.training.evaluate.metrics import Floats, Resamples
from detector.training.evaluate.words import categories, tagged_words, word_figures
from detector.training.name_probability import (
    NameFit,
    TaggedNameFit,
    fit_beliefs,
    fit_tagged,
    labelled_names,
)
from detector.training.severity import Stack, fit_severity, fit_stack, out_of_fold

_NAME_BELIEF = 0.5  # the rules' belief from which a name counts as damaged

Progress = Callable[[int], object]


def train(
    material: Material,
    encoder: Encoder,
    settings: Settings,
    *,
    tagger: Tagger | None = None,
    progress: Progress | None = None,
) -> tuple[store.Bundle, Figures]:
    """Fit a bundle and measure it on the pairs held apart.

    Parameters
    ----------
    material : Material
    encoder : Encoder
    settings : Settings
    tagger : Tagger, optional
        Whose readings the bundle is to use as well; it is kept in the bundle.
    progress : callable, optional
        Told how many distinct pairs were measured since it was last told.

    Returns
    -------
    (Bundle, Figures)
        The bundle is not saved yet; its `config.models` is empty until it is.

    Raises
    ------
    InputError
        When the pairs are too few to fit on.
    """
    folds, seed = settings.train.folds, settings.mix.seed
    joins = fit_joins(material.fitting, encoder, seed=seed)
    fitting = [pair for pair in material.fitting if not lends_joins(pair)]
    pairs = [*fitting, *material.apart]
    read = measure(
        pairs, encoder, readers=Readers(joins, tagger), cache=settings.cache, progress=progress
    )
    n, X = len(fitting), read[:, : len(NAMES)]
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
    stack = None if tagger is None else _stack(fitting, odds, severity, read[:n], settings.train)
    names = labelled_names(name_pairs(material.fitting, settings.mix), encoder, tagger=tagger)
    named = fit_beliefs(names, folds=folds)
    read_names = None if stack is None else fit_tagged(names, folds=folds)
    by_belief = _NAME_BELIEF if named is None else probability_of(named.beliefs, _NAME_BELIEF)
    columns = tuple((feature.name, feature.unit) for feature in FEATURES)
    config = store.BundleConfig(
        schema=store.SCHEMA,
        version=__version__,
        threshold=fitted.threshold,
        name_threshold=by_belief,
        name_beliefs=() if named is None else named.beliefs,
        blend=fitted.blend,
        columns=columns,
        encoder=encoder.identity,
        libraries=library_versions(),
        models="",
        tagged=None
        if tagger is None or stack is None
        else store.TaggedConfig(
            tagger=tagger.digest,
            threshold=stack.threshold,
            blend=stack.blend,
            name_threshold=by_belief if read_names is None else read_names.threshold,
            names=None if read_names is None else read_names.odds,
        ),
        training={},
    )
    models = store.Models(
        drift=fitted.classifier,
        severity=fit_severity(fitting, X[:n]),
        joins=joins,
        tagged=None if stack is None else stack.severity,
    )
    bundle = store.Bundle(models=models, config=config, tagger=None if stack is None else tagger)
    figures = figures_of(bundle, material, read[n:], encoder, settings.train)
    folded = _folded(fitting, X[:n], severity, settings.train)
    counts = _counts(material.fitting)
    text = card(
        fitted,
        figures,
        settings.train,
        facts={
            "tables": material.tables,
            "dropped": material.dropped.to_dict(),
            "counts": counts,
            "encoder": encoder.identity,
            "features": columns,
            "libraries": library_versions(),
            "own": bool(settings.tables),
            "folded": folded,
            "names": None if named is None else _record(named),
            "tagger": (
                config.tagged,
                None if read_names is None else _tagged_record(read_names),
                None if tagger is None else tagger.config,
            ),
        },
    )
    training = {
        "settings": settings.record(),
        "chosen": fitted.chosen,
        "calibration": list(fitted.classifier.calibration),
        "blend": list(fitted.blend),
        "pairs": {name: list(both) for name, both in counts.items()},
        "tables": {name: known["sha256"] for name, known in material.tables.items()},
    }
    metrics = {
        "compared": {name: e.to_list() for name, e in fitted.compared.items()},
        "names": None if named is None else _record(named),
        "tagged_names": None if read_names is None else _tagged_record(read_names),
        "out_of_fold": folded,
        "held_apart": figures.to_dict(),
    }
    config = replace(config, training=training)
    return replace(bundle, config=config, metrics=metrics, card=text), figures


def measure_bundle(
    bundle: store.Bundle,
    material: Material,
    encoder: Encoder,
    settings: Settings,
    *,
    progress: Progress | None = None,
) -> Figures:
    """Measure a bundle, and simpler scores, on the pairs held apart; as `train` does."""
    X = measure(
        material.apart,
        encoder,
        readers=Readers(bundle.models.joins, bundle.tagger),
        cache=settings.cache,
        progress=progress,
    )
    return figures_of(bundle, material, X, encoder, settings.train)


def words_of(
    bundle: store.Bundle, pairs: Sequence[Pair], encoder: Encoder, config: TrainConfig
) -> dict[str, Any]:
    """Measure the bundle's tagger, if it has one, on the pairs that people marked."""
    if bundle.tagger is None:
        return {}
    asked_of = [p for p in pairs if p.corpus in MARKED or p.corpus == "mlqe_dev"]
    words = tagged_words(bundle.tagger, asked_of, encoder)
    known = bundle.tagger.config
    return {
        "words": word_figures(
            words,
            thresholds=known.thresholds,
            edited=known.edited,
            resamples=config.resamples,
            seed=config.mix.seed,
        ),
        "categories": categories(words, threshold=known.thresholds[0]),
    }


def names_found(bundle: store.Bundle, pairs: Sequence[Pair], encoder: Encoder) -> NDArray[np.bool_]:
    """Tell in which pairs the bundle finds a damaged name, where `twins.caught` asks for it.

    Returns
    -------
    ndarray of shape (n_pairs,), bool
        False too for the pairs that nobody asks about.
    """
    found = np.zeros(len(pairs), dtype=np.bool_)
    rows = asked(pairs, "names").tolist()
    texts = ((pairs[row].source, pairs[row].copy) for row in rows)
    beads = list(gather_pairs(texts, encoder, joins=bundle.joins))
    for row, names in zip(rows, bundle.judge(beads).names, strict=True):
        found[row] = any(
            c.change in DAMAGES and c.probability >= bundle.name_threshold for c in names
        )
    return found


def figures_of(
    bundle: store.Bundle,
    material: Material,
    X: NDArray[np.float64],
    encoder: Encoder,
    config: TrainConfig,
) -> Figures:
    """Judge the pairs held apart and measure the judgements."""
    pairs = material.apart
    simple, notes = baselines(pairs, X[:, : len(NAMES)], NAMES)
    scores = {**scores_of(bundle, X), **simple}
    figures = evaluate(
        pairs, scores, threshold=bundle.threshold, mix=config.mix, resamples=config.resamples
    )
    finders = {
        "names": names_found(bundle, pairs, encoder),
        "figures": X[:, NAMES.index("heaviest_figure")] > 0,
    }
    return replace(
        figures,
        caught=caught(pairs, finders),
        notes=(*material.notes, *notes),
        **words_of(bundle, pairs, encoder, config),
    )


def scores_of(bundle: store.Bundle, X: NDArray[np.float64]) -> dict[str, Floats]:
    """Return what the bundle itself says of every row, by the names that `evaluate` knows."""
    scores = {OURS: bundle.drift_of(X)}
    if bundle.models.severity is not None:
        scores[SEVERITY] = bundle.severity_of(X)
    if bundle.tagger is not None:
        scores[TAGGER] = X[:, len(NAMES)]
        untagged = X[:, : len(NAMES)]
        scores[UNTAGGED] = bundle.drift_of(untagged)
        scores[UNTAGGED_SEVERITY] = bundle.severity_of(untagged)
    return scores


def _stack(
    pairs: Sequence[Pair],
    odds: Floats,
    severity: Floats,
    columns: NDArray[np.float64],
    config: TrainConfig,
) -> Stack | None:
    """Fit on the pairs that the tagger has not seen."""
    tags = columns[:, len(NAMES) :]
    unseen = np.flatnonzero(~np.isnan(tags).any(axis=1))
    mine = [pairs[i] for i in unseen.tolist()]
    return fit_stack(mine, odds[unseen], severity[unseen], tags[unseen], config)


def _folded(
    pairs: Sequence[Pair], X: NDArray[np.float64], severity: Floats, config: TrainConfig
) -> dict[str, Any]:
    """Measure the severity, and simple scores, on judged pairs of folds it was not fitted on.

    Corpora of few sentences have too few held apart; here every judged pair counts.
    """
    rows = [i for i, p in enumerate(pairs) if p.points is not None and p.corpus != "contrast"]
    if not rows or np.isnan(severity).all():
        return {}
    scores = {
        SEVERITY: severity[rows],
        COSINE: 1.0 - X[rows, NAMES.index("similarity")],
        BERTSCORE: 1.0 - f1(*(X[rows, NAMES.index(f"token_{k}")] for k in ("recall", "precision"))),
        COPY_LENGTH: np.array([float(len(pairs[i].copy)) for i in rows]),
    }
    mine = [pairs[i] for i in rows]
    rng = np.random.default_rng(config.mix.seed)
    resample = Resamples.of([p.group for p in mine], n=config.resamples, rng=rng)
    return {
        corpus: {
            "n": entry["n"],
            "scores": {
                method: {key: estimate.to_list() for key, estimate in measures.items()}
                for method, measures in entry["scores"].items()
            },
        }
        for corpus, entry in judged(mine, scores, resample).items()
    }


def _record(named: NameFit) -> dict[str, Any]:
    facts = asdict(named)
    del facts["beliefs"]  # the config holds them where they are read
    return {**facts, "bins": [list(one) for one in named.bins]}


def _tagged_record(named: TaggedNameFit) -> dict[str, Any]:
    facts = asdict(named)
    del facts["odds"]  # as above
    return facts


def _counts(pairs: Sequence[Pair]) -> dict[str, tuple[int, int]]:
    names = sorted({pair.corpus for pair in pairs})
    return {
        name: (
            sum(pair.corpus == name and pair.label is False for pair in pairs),
            sum(pair.corpus == name and pair.label is True for pair in pairs),
        )
        for name in names
    }
