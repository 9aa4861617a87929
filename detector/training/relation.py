"""Fit the relation model.

Fit the model of relations: first the score of wording, then what the traits add.

Numbers in, a model out: it draws nothing, encodes nothing and opens no file.

A whole run: stretches to documents, documents to measured rows, rows to a model and its figures.

It reads no file itself and prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from detector.alignment.align import align_documents
from detector.alignment.config import AlignConfig
from detector.encoder import Encoder
from detector.records import RELATIONS, Alignment, Document
from detector.relation.features import N_BUCKETS, TRAITS, compare, looks, measure
from detector.relation.model import RelationModel, hats
from detector.text.sentences import split
from detector.training.relation_data import APART, N_FOLDS, Drawer, Example, Stretch
from detector.training.relation_evaluate import RelatedFigures, figures_of

_PAIRS = {
    "wmt": 60_000,
    "flores": 100_000,
    "apertium": 8_000,
    "mlqe": 30_000,
    "mqm_ted": 7_000,
}
N_PAIRS = sum(_PAIRS.values())
"""Sentence pairs that `wordings` looks at, at most."""

_WEIGHTS = {"wmt": 1.0, "flores": 0.6, "apertium": 0.5, "mlqe": 0.7, "mqm_ted": 1.0}
_QUANTILES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
_RIGHT = 0.95  # share of the named documents of a kind that are of it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wordings:
    """Sentence pairs as rows of `wording.looks`.

    Attributes
    ----------
    rows : csr_matrix of shape (n, `N_BUCKETS`)
    folds : ndarray of shape (n,), int64
    weights : ndarray of shape (n,), float64
    """

    rows: sparse.csr_matrix
    folds: NDArray[np.int64]
    weights: NDArray[np.float64]


def wordings(
    stretches: Sequence[Stretch],
    *,
    seed: int,
    progress: Callable[[int], object] = lambda _: None,
) -> Wordings:
    """Compare the wording of machine renderings with their sources.

    Parameters
    ----------
    stretches : sequence of Stretch
    seed : int
        Of the draw.
    progress : callable
        Told how many pairs are done.

    Returns
    -------
    Wordings
        Of pairs that differ.
    """
    rng = np.random.default_rng(seed)
    starts, places, values = [0], [np.zeros(0, np.int64)], [np.zeros(0)]
    folds: list[int] = []
    weights: list[float] = []
    for corpus, wanted in _PAIRS.items():
        pairs = [
            (s.lines[i], copy, s.fold)
            for s in stretches
            if s.corpus == corpus
            for copies in s.machine.values()
            for i, copy in copies.items()
            if i in s.lines
        ]
        for at in rng.permutation(len(pairs))[:wanted].tolist():
            source, copy, fold = pairs[at]
            where, what = looks(compare(source, copy))
            progress(1)
            if len(where):
                places.append(where)
                values.append(what)
                starts.append(starts[-1] + len(where))
                folds.append(fold)
                weights.append(_WEIGHTS[corpus])
    rows = sparse.csr_matrix(
        (np.concatenate(values), np.concatenate(places), starts), shape=(len(folds), N_BUCKETS)
    )
    return Wordings(rows=rows, folds=np.array(folds, np.int64), weights=np.array(weights))


def fit_machine(given: Wordings, folds: Sequence[int], *, seed: int) -> NDArray[np.float16]:
    """Fit the weights of `wording.machine_odds`.

    A logistic regression tells which of two sides is the machine's; every pair is shown once, at
    random from either side. There is no intercept, so swapping the sides turns the sign.

    Parameters
    ----------
    given : Wordings
    folds : sequence of int
        The folds to fit on.
    seed : int

    Returns
    -------
    ndarray of shape (`N_BUCKETS`,), float16
    """
    mine = np.isin(given.folds, folds)
    signs = np.random.default_rng(seed).integers(0, 2, int(mine.sum())) * 2 - 1
    rows = sparse.diags_array(signs.astype(np.float64)) @ given.rows[mine]
    model = LogisticRegression(C=2.0, fit_intercept=False, max_iter=200)
    model.fit(rows, signs > 0, sample_weight=given.weights[mine])
    weights: NDArray[np.float16] = model.coef_[0].astype(np.float16)
    return weights


def fit_relations(
    X: NDArray[np.float64],
    labels: Sequence[str],
    *,
    machine: NDArray[np.float16],
    training: Mapping[str, Any],
    strength: float = 3.0,
) -> RelationModel:
    """Fit what each trait adds to the odds of each relation.

    Parameters
    ----------
    X : ndarray of shape (n, n_traits), float64
        Measured with weights that the documents' own lines were not among.
    labels : sequence of str
        The relations.
    machine : ndarray of shape (`N_BUCKETS`,), float16
        What the model is to measure with.
    training : mapping
        For the record.
    strength : float
        Of the fit; lower is smoother.

    Returns
    -------
    RelationModel
        An additive multinomial logistic regression, piecewise straight in each trait (Hastie and
        Tibshirani, 1990); every relation weighs the same. It names what is likelier than not
        until `sure_of` says better.
    """
    knots = knots_of(X)
    columns = hats(X, knots)
    model = LogisticRegression(C=strength, max_iter=3000, class_weight="balanced")
    model.fit(columns.reshape(len(X), -1), list(labels))
    order = [list(model.classes_).index(relation) for relation in RELATIONS]
    return RelationModel(
        machine=machine,
        knots=knots,
        coefficients=np.ascontiguousarray(
            model.coef_[order].reshape(len(RELATIONS), *knots.shape), np.float64
        ),
        intercepts=np.ascontiguousarray(model.intercept_[order], np.float64),
        sure=np.full(len(RELATIONS), 0.5),
        training=training,
    )


def sure_of(shares: NDArray[np.float64], labels: Sequence[str]) -> NDArray[np.float64]:
    """Choose from which probability each relation is named, to be right at 95 in 100.

    Parameters
    ----------
    shares : ndarray of shape (n, n_relations), float64
        Probabilities of documents that the model was not fitted on.
    labels : sequence of str
        Their relations.

    Returns
    -------
    ndarray of shape (n_relations,), float64
        At least 0.5; 2, which is never reached, where no probability is right that often.
    """
    found = np.full(len(RELATIONS), 2.0)
    best = shares.argmax(axis=1)
    for at, relation in enumerate(RELATIONS):
        mine = np.flatnonzero(best == at)
        order = mine[np.argsort(-shares[mine, at], kind="stable")]
        right = np.cumsum([labels[i] == relation for i in order]) / np.arange(1, len(order) + 1)
        ends = np.append(np.diff(shares[order, at]) != 0.0, True)[: len(order)]  # of equal shares
        enough = np.flatnonzero((right >= _RIGHT) & ends)
        if len(enough):
            found[at] = max(0.5, shares[order[enough[-1]], at])
    return found


def knots_of(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quantiles of each column, nudged apart where they fall together.

    Returns
    -------
    ndarray of shape (n_traits, n_knots), float64
        Rising along the second axis.
    """
    found: NDArray[np.float64] = np.quantile(X, _QUANTILES, axis=0).T
    spread = np.maximum(X.max(axis=0) - X.min(axis=0), 1e-6)[:, None]
    nudged: NDArray[np.float64] = found + np.arange(len(_QUANTILES)) * 1e-3 * spread
    return nudged


_CHUNK = 2048  # sentences encoded between two words of progress
_LINES_APART = ("mlqe",)  # corpora whose part held apart is never fitted on in any rotation

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationSettings:
    """How a model of relations is fitted.

    Attributes
    ----------
    n_documents : int
        Pairs of documents, about.
    seed : int
        Of every draw.
    """

    n_documents: int = 6000
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """An example whose two texts are split and aligned."""

    example: Example
    source: Document
    copy: Document
    alignment: Alignment


def train_relation(
    stretches: Sequence[Stretch],
    encoder: Encoder,
    settings: RelationSettings,
    *,
    progress: Callable[[str, int], Progress] = lambda _doing, _total: lambda _: None,
) -> tuple[RelationModel, RelatedFigures]:
    """Fit a model of relations and measure it on what it was not fitted on.

    Parameters
    ----------
    stretches : sequence of Stretch
        Of `related_lines.stretches`.
    encoder : Encoder
    settings : RelatedSettings
    progress : callable
        Told what begins and how much of it there is; gives what is told of each step.

    Returns
    -------
    RelationModel
        Fitted on all folds but `APART`.
    RelatedFigures
        Of the documents of that fold; and, since one talk is too little, of all talks' human
        alternatives, each judged by a model fitted without its fold.
    """
    examples = Drawer(stretches, seed=settings.seed).draw(settings.n_documents)
    aligned = align_examples(examples, encoder, progress=progress)
    given = wordings(stretches, seed=settings.seed, progress=progress("wording", N_PAIRS))

    @cache
    def machine(without: frozenset[int]) -> NDArray[np.float16]:
        folds = [fold for fold in range(N_FOLDS) if fold not in without]
        return fit_machine(given, folds, seed=settings.seed)

    def rotated(apart: int, step: Progress) -> tuple[RelationModel, NDArray[np.float64]]:
        X = np.empty((len(aligned), len(TRAITS)))
        for i, (one, found) in enumerate(zip(aligned, measured, strict=True)):
            X[i] = found.weighed(machine(frozenset({apart, one.example.fold}))).values()
            step(1)
        fitted = [
            i
            for i, one in enumerate(aligned)
            if one.example.fold != apart
            and not (one.example.corpus in _LINES_APART and one.example.fold == APART)
        ]
        model = fit_relations(
            X[fitted],
            [aligned[i].example.relation for i in fitted],
            machine=machine(frozenset({apart})),
            training=_record(settings, given, [aligned[i].example for i in fitted]),
        )
        return model, X

    unweighed = np.zeros(N_BUCKETS, np.float16)
    measured = [measure(a.source, a.copy, a.alignment, unweighed) for a in aligned]
    step = progress("documents", N_FOLDS * len(aligned))
    judged = []
    for apart in range(N_FOLDS):
        model, X = rotated(apart, step)
        if apart == APART:
            shipped = model
        judged += [
            (one.example, _shares(model, X[i]), X[i])
            for i, one in enumerate(aligned)
            if one.example.fold == apart
        ]
    others = [one for one in judged if one[0].fold != APART]
    sure = sure_of(np.array([one[1] for one in others]), [one[0].relation for one in others])
    shipped = replace(shipped, sure=sure)
    return shipped, figures_of(judged, sure=shipped.sure, seed=settings.seed)


def align_examples(
    examples: Sequence[Example],
    encoder: Encoder,
    *,
    progress: Callable[[str, int], Progress] = lambda _doing, _total: lambda _: None,
) -> list[Aligned]:
    """Split, encode and align examples; each distinct sentence is encoded once.

    Returns
    -------
    list of Aligned
        In order, without those that hold no sentence.
    """
    texts = [(split(one.source), split(one.copy)) for one in examples]
    distinct = dict.fromkeys(text for both in texts for side in both for text in side.texts)
    place = {text: i for i, text in enumerate(distinct)}
    vectors = np.empty((len(place), encoder.identity.dimension), np.float32)
    step = progress("sentences", len(place))
    for start, chunk in _chunks(list(place)):
        vectors[start : start + len(chunk)] = encoder.encode(chunk, tokens=False).vectors
        step(len(chunk))

    found = []
    step = progress("alignments", len(examples))
    for example, (source, copy) in zip(examples, texts, strict=True):
        step(1)
        if not source.sentences or not copy.sentences:
            continue
        sides = [(side, vectors[[place[text] for text in side.texts]]) for side in (source, copy)]
        alignment = align_documents(sides[0], sides[1], encoder, AlignConfig())
        found.append(Aligned(example=example, source=source, copy=copy, alignment=alignment))
    return found


def _chunks(texts: list[str]) -> Iterator[tuple[int, list[str]]]:
    for start in range(0, len(texts), _CHUNK):
        yield start, texts[start : start + _CHUNK]


def _shares(model: RelationModel, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return model.shares(model.parts(values))


def _record(
    settings: RelationSettings, given: Wordings, examples: Sequence[Example]
) -> dict[str, object]:
    kinds: dict[str, int] = {}
    for example in examples:
        name = f"{example.relation}: {example.kind}"
        kinds[name] = kinds.get(name, 0) + 1
    return {
        "seed": settings.seed,
        "documents": dict(sorted(kinds.items())),
        "sentence pairs": len(given.folds),
    }
