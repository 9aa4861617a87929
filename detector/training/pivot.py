"""Fit and calibrate the pivot model on documents of held-out systems.

Prints nothing and reads no table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from detector import __version__
from detector.encoder import EncoderIdentity
from detector.errors import InputError
from detector.pivot.edits import Net
from detector.pivot.languages import FAMILY
from detector.pivot.model import N_RATES, N_VIEWS, DocumentScores, PivotModel
from detector.pivot.posterior import Calibration, open_set_scores, posteriors
from detector.training.pivot_data import FOLDS, FeatureCounts, Rows, group_names
from detector.training.pivot_weights import (
    EditView,
    KeptView,
    LinearSettings,
    NetSettings,
    View,
    Weights,
    average_nets,
    balance,
    fit_net,
    fit_weights,
    group_sentences,
    pack,
)

Floats = NDArray[np.float64]

_ISOTROPIC = 0.3  # share of the covariance of translators that is shrunk to the identity
_DIAGONAL = 0.1  # share of the covariance of edits that is shrunk to its diagonal
_DIRECT = 0.375  # see `Calibration.direct`
_MAX_THRESHOLD = 0.9999
_FAR = 0.05  # share of documents of known languages that are too far off to be named


@dataclass(frozen=True, slots=True, eq=False)
class DocumentSet:
    """Scored documents, n of them."""

    vectors: Floats  # (n, D): `DocumentScores.vector` of each
    n_edits: Floats
    language: NDArray[np.int64]  # index of the pivot; -1 for an unknown one
    system: NDArray[Any]  # family of translators
    variant: NDArray[Any]  # translator and corpus
    n_sentences: NDArray[np.int64]

    def of(self, at: NDArray[Any]) -> DocumentSet:
        """Return some of the documents."""
        return DocumentSet(*(getattr(self, name)[at] for name in self.__slots__))

    @classmethod
    def empty(cls, k: int) -> DocumentSet:
        """Return no document of `k` languages."""
        names, numbers = np.zeros(0, object), np.zeros(0, np.int64)
        vectors = np.zeros((0, N_VIEWS * k + N_RATES))
        return cls(vectors, np.zeros(0), numbers, names, names, numbers)

    @classmethod
    def concatenate(cls, parts: Sequence[DocumentSet]) -> DocumentSet:
        """Concatenate sets of documents."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))


def calibrate(documents: DocumentSet) -> Calibration:
    """Fit the calibration on documents of systems and sentences that the weights have not seen.

    Each system counts alike; the open-set threshold is 0. Linear discriminant analysis with two
    covariances (Prince and Elder, 2007): translators of one language differ by `between`, whatever
    the length of a document, and documents of one translator by `within`, which shrinks with the
    number of edits. So what separates good translators from bad ones counts less.
    """
    n, size = documents.vectors.shape
    k = (size - N_RATES) // N_VIEWS
    missing = sorted(set(range(k)) - set(documents.language.tolist()))
    if missing:
        msg = f"no document of {len(missing)} of the languages to calibrate on; leave those out"
        raise InputError(msg)
    centre, scale = documents.vectors.mean(axis=0), documents.vectors.std(axis=0) + 1e-9
    scale[:k] = np.sqrt((scale[:k] ** 2).mean())  # scores of all languages have one unit
    scaled = (documents.vectors - centre) / scale
    names = group_names(documents.language, documents.variant)
    _, first, group = np.unique(names, return_index=True, return_inverse=True)
    language = documents.language[first]
    mass = np.bincount(group, weights=documents.n_edits)
    group_means = np.stack(
        [np.bincount(group, weights=documents.n_edits * column) / mass for column in scaled.T],
        axis=1,
    )
    means = np.stack([group_means[language == code].mean(axis=0) for code in range(k)])
    deviations = group_means - means[language]
    between = deviations.T @ deviations / max(1, len(group_means) - k)
    isotropic = np.eye(size) * np.trace(between) / size
    within = (scaled - group_means[group]) * np.sqrt(documents.n_edits)[:, None]
    within = within.T @ within / n
    of_language = np.stack([scaled[documents.language == code].mean(axis=0) for code in range(k)])
    calibration = Calibration(
        centre=centre,
        scale=scale,
        means=means,
        between=(1 - _ISOTROPIC) * between + _ISOTROPIC * isotropic,
        within=(1 - _DIAGONAL) * within + _DIAGONAL * np.diag(np.diag(within)),
        even=of_language[:, :k].mean(axis=0),
        direct=_DIRECT,
        free=float(max(1, len(group_means) - k - size + 1)),
        inverse_temperature=1.0,
        open_set_threshold=0.0,
    )
    return replace(calibration, inverse_temperature=_inverse_temperature(calibration, documents))


def _inverse_temperature(calibration: Calibration, documents: DocumentSet) -> float:
    """Fit the factor of the log-odds by maximum likelihood, systems alike; its own must be 1."""
    p = posteriors(calibration, documents.vectors, documents.n_edits)
    logits = np.log(np.maximum(p, 1e-300))
    mass = _system_weights(documents.system)
    own = (np.arange(len(logits)), documents.language)

    def loss(log_factor: float) -> float:
        z = logits * np.exp(log_factor)
        z -= z.max(axis=1, keepdims=True)
        return -float(mass @ (z[own] - np.log(np.exp(z).sum(axis=1))))

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 1.0), method="bounded").x))


def fit_calibration(
    documents: DocumentSet, *, precision: float, sizes: tuple[int, ...]
) -> tuple[Calibration, float]:
    """Fit the calibration; choose temperature and both thresholds on held-out systems.

    The second result is the least posterior at which the named documents reach the `precision` at
    each of `sizes`, in sentences.
    """
    factors, parts = [], []
    systems = np.unique(documents.system.astype(str)).tolist()
    for system in systems if len(systems) > 1 else ():
        own = documents.system == system
        others = documents.of(np.flatnonzero(~own))
        held_out = documents.of(np.flatnonzero(own & np.isin(documents.language, others.language)))
        if set(others.language) != set(documents.language):
            continue  # a language that this system alone translates
        calibration = replace(calibrate(others), inverse_temperature=1.0)
        factors.append(_inverse_temperature(calibration, held_out))
        parts.append((calibration, held_out))
    whole = calibrate(documents)
    if not parts:
        parts, factors = [(whole, documents)], [whole.inverse_temperature]
    factor = float(np.exp(np.mean(np.log(factors))))
    tested = DocumentSet.concatenate([held_out for _, held_out in parts])
    chosen = np.flatnonzero(np.isin(tested.n_sentences, sizes))
    chosen = chosen if len(chosen) else np.arange(len(tested.language))
    scores = np.concatenate([open_set_scores(c, d.vectors, d.n_edits) for c, d in parts])[chosen]
    open_set_threshold = float(np.quantile(scores, _FAR))
    posterior = np.concatenate(
        [posteriors(replace(c, inverse_temperature=factor), d.vectors, d.n_edits) for c, d in parts]
    )[chosen]
    known = scores >= open_set_threshold
    of_size = [known & (tested.n_sentences[chosen] == size) for size in sizes]
    threshold = max(
        choose_threshold(posterior[rows], tested.of(chosen[rows]), precision=precision)
        for rows in ([rows for rows in of_size if rows.any()] or [known])
    )
    calibration = replace(whole, inverse_temperature=factor, open_set_threshold=open_set_threshold)
    return calibration, threshold


def choose_threshold(posterior: Floats, documents: DocumentSet, *, precision: float) -> float:
    """Return the least maximum of the posterior at which the named documents reach a precision.

    Each system counts alike. The result is in [0, 1]; 1 where no threshold reaches the precision.
    """
    top, hit = posterior.max(axis=1), posterior.argmax(axis=1) == documents.language
    mass = _system_weights(documents.system)
    order = np.argsort(-top, kind="stable")
    share = np.cumsum((mass * hit)[order]) / np.cumsum(mass[order])
    precise = np.flatnonzero(share >= precision)
    if not len(precise):
        return 1.0
    return min(float(np.floor(top[order][precise[-1]] * 1e4) / 1e4), _MAX_THRESHOLD)


def _system_weights(system: NDArray[Any]) -> Floats:
    _, at, count = np.unique(system.astype(str), return_inverse=True, return_counts=True)
    mass: Floats = 1.0 / (count[at] * len(count))
    return mass


Progress = Callable[[int], object]

_BATCH = 2048  # pairs that a net scores at a time
_MIN_SYSTEMS = 2  # a system is held out only where others are left


LANGUAGES = (
    "ar", "bg", "bn", "cs", "da", "de", "el", "es", "et", "fa", "fi", "fr", "he", "hi",
    "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "nb", "nl", "pl", "pt", "ro", "ru", "sk",
    "sl", "sv", "ta", "th", "tr", "uk", "vi", "zh",
)  # fmt: skip
"""Pivots of the shipped model: those of the tables that three systems or more translate, without
small ones and close relatives (Bosnian and Serbian beside Croatian, Malay beside Indonesian,
Galician and Catalan beside Portuguese and Spanish)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PivotSettings:
    """How the model is fitted."""

    languages: tuple[str, ...] = LANGUAGES
    edits: LinearSettings = field(default_factory=LinearSettings)
    kept: LinearSettings = field(default_factory=partial(LinearSettings, together=2))
    edit_net: NetSettings = field(default_factory=NetSettings)
    kept_net: NetSettings = field(
        default_factory=partial(NetSettings, hidden=64, steps=600, together=2)
    )
    n_splits: int = 3  # shares of the sentences that are held out in turn
    sizes: tuple[int, ...] = (10, 20, 30, 50, 100)  # sentences of the calibration's documents
    documents: int = 3  # of each language, system, size and split
    precision: float = 0.94  # share of the named documents that is to be right
    threshold_sizes: tuple[int, ...] = (20, 30, 50, 100)  # of the threshold's documents
    max_features: int = 120_000  # of edits, and of kept words
    seed: int = 0  # of the draw of documents


def train_pivot(
    rows: Rows,
    settings: PivotSettings,
    *,
    encoder: EncoderIdentity,
    tables: dict[str, str] | None = None,
    progress: Progress | None = None,
) -> PivotModel:
    """Fit the weights on all rows, and the calibration on held-out systems and sentences.

    `tables` are digests, for the record. `progress` is called with the number of documents
    processed since its last call; `documents_seen` gives their total.
    """
    folds = tuple(range(FOLDS))
    every = np.ones(len(rows.language), np.bool_)
    documents = DocumentSet.concatenate(
        [
            cross_fit(rows, settings, folds, on=(~own, own), progress=progress)[1]
            for own in (rows.system == system for system in systems_of(rows))
        ]
    )
    calibration, threshold = fit_calibration(
        documents, precision=settings.precision, sizes=settings.threshold_sizes
    )
    weights, _ = cross_fit(rows, settings, folds, on=(every, ~every), progress=progress)
    training = {
        **asdict(settings),
        "version": __version__,
        "pairs": len(rows.language),
        "tables": tables or {},
    }
    return PivotModel(
        languages=settings.languages,
        edits=pack(weights.edits, rows.edits.keys, most=settings.max_features),
        kept=pack(weights.kept, rows.kept.keys, most=settings.max_features),
        edit_net=weights.edit_net,
        kept_net=weights.kept_net,
        encoder=encoder,
        calibration=calibration,
        threshold=threshold,
        training=training,
    )


def cross_fit(
    rows: Rows,
    settings: PivotSettings,
    folds: Sequence[int],
    *,
    on: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    progress: Progress | None = None,
) -> tuple[Weights, DocumentSet]:
    """Fit without each share of the `folds` in turn, and score documents of that share.

    `on` are masks of the rows to fit on and of those to draw documents from, which may be none.
    Returns the mean weights of all splits, and documents that their split has not seen.
    """
    fitted, scored = on
    splits: list[Weights] = []
    parts = []
    inside = np.isin(rows.fold, folds)
    for share in np.array_split(np.array(folds), settings.n_splits):
        held_out = np.isin(rows.fold, share)
        kept = rows.of(np.flatnonzero(fitted & inside & ~held_out))
        weights = fit_all_weights(kept, settings, progress)
        splits.append(weights)
        if (scored & held_out).any():
            tested = rows.of(np.flatnonzero(scored & held_out))
            parts.append(draw_documents(tested, weights, settings))
    total = Weights(
        np.stack([split.edits for split in splits]).mean(axis=0),
        np.stack([split.kept for split in splits]).mean(axis=0),
        average_nets([split.edit_net for split in splits]),
        average_nets([split.kept_net for split in splits]),
    )
    if not parts:
        return total, DocumentSet.empty(len(settings.languages))
    return total, DocumentSet.concatenate(parts)


def documents_seen(rows: Rows, settings: PivotSettings) -> int:
    """Return about how many short documents the fits of `train_pivot` process in all."""
    n_fits = len(systems_of(rows)) + 1
    short = sum(
        options.epochs * options.draws * len(rows.language) // options.together
        for options in (settings.edits, settings.kept)
    )
    drawn = sum(
        options.steps * options.documents for options in (settings.edit_net, settings.kept_net)
    )
    return n_fits * ((settings.n_splits - 1) * short + settings.n_splits * drawn)


def systems_of(rows: Rows) -> tuple[str, ...]:
    """Return the systems with enough languages to be held out; fewer than two: `InputError`."""
    systems = []
    for name in np.unique(rows.system.astype(str)).tolist():
        own = rows.system == name
        shared = set(rows.language[own]) & set(rows.language[~own])
        if name != "apertium" and len(shared) >= _MIN_SYSTEMS:
            systems.append(name)
    if len(systems) < _MIN_SYSTEMS:
        msg = f"round trips of the systems {', '.join(systems) or 'none'}; two or more are needed"
        raise InputError(msg)
    return tuple(systems)


def fit_all_weights(
    rows: Rows, settings: PivotSettings, progress: Progress | None = None
) -> Weights:
    """Fit weights and nets on rows, each language and system of it counting alike."""
    families = np.array([FAMILY[code] for code in settings.languages])
    groups = group_names(rows.language, rows.variant)
    language = language_indices(rows.language, settings.languages)
    weight = balance(rows.language, rows.system)

    def linear(features: FeatureCounts, options: LinearSettings) -> NDArray[np.float32]:
        documents = group_sentences(groups, options)
        first = documents.indices[documents.indptr[:-1]]  # a document has one group
        return fit_weights(
            documents @ features.matrix,
            language[first],
            balance(rows.language[first], rows.system[first]),
            families=families,
            settings=options,
            progress=progress,
        )

    def net(view: View, options: NetSettings) -> Net:
        k = len(families)
        return fit_net(rows, language, weight, k=k, view=view, settings=options, progress=progress)

    return Weights(
        linear(rows.edits, settings.edits),
        linear(rows.kept, settings.kept),
        net(EditView(), settings.edit_net),
        net(KeptView(), settings.kept_net),
    )


def language_indices(languages: Iterable[str], known: Sequence[str]) -> NDArray[np.int64]:
    """Return the index of each language among those known; -1 for others."""
    index = {code: number for number, code in enumerate(known)}
    return np.array([index.get(code, -1) for code in languages], np.int64)


def draw_documents(
    rows: Rows,
    weights: Weights,
    settings: PivotSettings,
    *,
    sizes: Sequence[int] | None = None,
    documents: int | None = None,
) -> DocumentSet:
    """Draw documents out of rows and add up the scores of their sentences.

    `sizes` and `documents` default to those of the settings. A document has sentences of one
    language, translator and corpus; a group with fewer sentences than a size gives none of it.
    """
    rng = np.random.default_rng(settings.seed)
    scores = _score_rows(rows, weights)
    groups: dict[tuple[str, str, str], list[int]] = {}
    for row, name in enumerate(zip(rows.language, rows.variant, rows.corpus, strict=True)):
        groups.setdefault(name, []).append(row)
    drawn: list[tuple[Any, ...]] = []
    for (language, translator, corpus), members in sorted(groups.items()):
        variant = f"{translator} {corpus}"
        for size in settings.sizes if sizes is None else sizes:
            if len(members) < size:
                continue
            for _ in range(settings.documents if documents is None else documents):
                taken = rng.choice(members, size, replace=False)
                summed = DocumentScores(
                    scores[:, taken].sum(axis=1), rows.counts[taken].sum(axis=0)
                )
                if summed.n_edits:
                    system = rows.system[taken[0]]
                    drawn.append((summed.vector, summed.n_edits, language, system, variant, size))
    if not drawn:
        msg = f"{len(rows.language)} round trips make no document of {sizes or settings.sizes}"
        raise InputError(msg)
    vectors, n_edits, languages, systems, variants, lengths = zip(*drawn, strict=True)
    return DocumentSet(
        np.array(vectors),
        np.array(n_edits, np.float64),
        language_indices(languages, settings.languages),
        np.array(systems, object),
        np.array(variants, object),
        np.array(lengths, np.int64),
    )


def _score_rows(rows: Rows, weights: Weights) -> NDArray[np.float64]:
    """Return the log-odds of each language for each row in each view: shape (N_VIEWS, n, K)."""
    edits = np.asarray(rows.edits.matrix @ weights.edits, np.float64)
    kept = np.asarray(rows.kept.matrix @ weights.kept, np.float64)
    edit_net, kept_net = np.zeros((2, *edits.shape))
    for start in range(0, len(rows.pair), _BATCH):
        pairs = rows.pair[start : start + _BATCH]
        for out, view, net in (
            (edit_net, EditView(), weights.edit_net),
            (kept_net, KeptView(), weights.kept_net),
        ):
            inputs, owner = view.inputs(rows.pool, pairs)
            np.add.at(out, start + owner, net.scores(inputs))
    return np.stack([edits, edit_net, kept, kept_net])
