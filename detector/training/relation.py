"""Fit the relation model.

Aligned documents in, a fitted model and its results out. It reads no file and prints nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
from detector.relation.features import (
    FEATURES,
    N_BUCKETS,
    compare_documents,
    diff_words,
    hashed_changes,
)
from detector.relation.model import RelationModel, linear_basis
from detector.text.sentences import split
from detector.training.relation_data import N_FOLDS, TEST_FOLD, Block, Example, ExampleSampler
from detector.training.relation_evaluate import RelationResults, evaluate_relations

Floats = NDArray[np.float64]
Progress = Callable[[int], object]

_MAX_PAIRS = {"wmt": 60000, "flores": 100000, "apertium": 8000, "mlqe": 30000, "mqm_ted": 7000}
N_PAIRS = sum(_MAX_PAIRS.values())
"""Sentence pairs that `translationese` is fitted on, at most."""

_CORPUS_WEIGHTS = {"wmt": 1.0, "flores": 0.6, "apertium": 0.5, "mlqe": 0.7, "mqm_ted": 1.0}
_QUANTILES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
_PRECISION = 0.95  # share of the documents given a label that have it
_NEVER = 2.0  # a threshold that no probability reaches
_CHUNK = 2048  # sentences encoded between two reports of progress
_TEST_ONLY = ("mlqe",)  # corpora whose test fold is never fitted on in any rotation


def _silent(_name: str, _total: int) -> Progress:
    return lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChangeRows:
    """Sentence pairs as rows, of shape (n, `N_BUCKETS`), of `hashed_changes`."""

    rows: sparse.csr_matrix
    folds: NDArray[np.int64]
    weights: Floats


def sample_changes(
    blocks: Sequence[Block], *, seed: int, progress: Progress = lambda _: None
) -> ChangeRows:
    """Compare a sample of machine renderings with their sources; keep the pairs that differ."""
    rng = np.random.default_rng(seed)
    ends, buckets, values = [0], [np.zeros(0, np.int64)], [np.zeros(0)]
    folds: list[int] = []
    weights: list[float] = []
    for corpus, most in _MAX_PAIRS.items():
        pairs = [
            (block.lines[i], copy, block.fold)
            for block in blocks
            if block.corpus == corpus
            for copies in block.machine.values()
            for i, copy in copies.items()
            if i in block.lines
        ]
        for at in rng.permutation(len(pairs))[:most].tolist():
            source, copy, fold = pairs[at]
            columns, changes = hashed_changes(diff_words(source, copy))
            progress(1)
            if len(columns):
                buckets.append(columns)
                values.append(changes)
                ends.append(ends[-1] + len(columns))
                folds.append(fold)
                weights.append(_CORPUS_WEIGHTS[corpus])
    rows = sparse.csr_matrix(
        (np.concatenate(values), np.concatenate(buckets), ends), shape=(len(folds), N_BUCKETS)
    )
    return ChangeRows(rows=rows, folds=np.array(folds, np.int64), weights=np.array(weights))


def fit_translationese(
    sample: ChangeRows, folds: Sequence[int], *, seed: int
) -> NDArray[np.float16]:
    """Fit a logistic regression of which side is the machine's, (`N_BUCKETS`,), on some folds.

    Every pair is shown once, in a random order of its sides. There is no intercept, so swapping the
    sides turns the sign.
    """
    chosen = np.isin(sample.folds, folds)
    signs = np.random.default_rng(seed).integers(0, 2, int(chosen.sum())) * 2 - 1
    rows = sparse.diags_array(signs.astype(np.float64)) @ sample.rows[chosen]
    model = LogisticRegression(C=2.0, fit_intercept=False, max_iter=200)
    model.fit(rows, signs > 0, sample_weight=sample.weights[chosen])
    weights: NDArray[np.float16] = model.coef_[0].astype(np.float16)
    return weights


def fit_relations(
    X: Floats,
    labels: Sequence[str],
    *,
    translationese_weights: NDArray[np.float16],
    training: Mapping[str, Any],
    C: float = 3.0,
) -> RelationModel:
    """Fit what each feature adds to each log-odds (Hastie and Tibshirani, 1990), relations alike.

    `X`, (n, n_features), comes from weights that were not fitted on the documents' own lines. Every
    threshold is 0.5 until `fit_thresholds`.
    """
    knots = choose_knots(X)
    model = LogisticRegression(C=C, max_iter=3000, class_weight="balanced")
    model.fit(linear_basis(X, knots).reshape(len(X), -1), list(labels))
    order = [list(model.classes_).index(relation) for relation in RELATIONS]
    coefficients = model.coef_[order].reshape(len(RELATIONS), *knots.shape)
    return RelationModel(
        translationese_weights=translationese_weights,
        knots=knots,
        coefficients=np.ascontiguousarray(coefficients, np.float64),
        intercepts=np.ascontiguousarray(model.intercept_[order], np.float64),
        thresholds=np.full(len(RELATIONS), 0.5),
        training=training,
    )


def fit_thresholds(probabilities: Floats, labels: Sequence[str]) -> Floats:
    """Choose the probability from which each relation is the label, for a precision of 95 %.

    `probabilities`, (n, n_relations), are those of documents that the model was not fitted on. A
    threshold is at least 0.5; it is 2, which is never reached, where none has that precision.
    """
    thresholds = np.full(len(RELATIONS), _NEVER)
    best = probabilities.argmax(axis=1)
    for column, relation in enumerate(RELATIONS):
        rows = np.flatnonzero(best == column)
        order = rows[np.argsort(-probabilities[rows, column], kind="stable")]
        ranked = probabilities[order, column]
        hits = np.cumsum([labels[i] == relation for i in order])
        last_of_ties = np.append(np.diff(ranked) != 0.0, True)[: len(order)]
        precise = np.flatnonzero((hits / np.arange(1, len(order) + 1) >= _PRECISION) & last_of_ties)
        if len(precise):
            thresholds[column] = max(0.5, ranked[precise[-1]])
    return thresholds


def choose_knots(X: Floats) -> Floats:
    """Return quantiles of each column, (n_features, n_knots), nudged apart to rise strictly."""
    quantiles: Floats = np.quantile(X, _QUANTILES, axis=0).T
    spread = np.maximum(X.max(axis=0) - X.min(axis=0), 1e-6)[:, None]
    return np.asarray(quantiles + np.arange(len(_QUANTILES)) * 1e-3 * spread, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationSettings:
    """About how many pairs of documents to draw, and the seed of every draw."""

    n_documents: int = 6000
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedExample:
    """An example whose two texts are split and aligned."""

    example: Example
    source: Document
    copy: Document
    alignment: Alignment


def train_relation(
    blocks: Sequence[Block],
    encoder: Encoder,
    settings: RelationSettings,
    *,
    progress: Callable[[str, int], Progress] = _silent,
) -> tuple[RelationModel, RelationResults]:
    """Fit a relation model on all folds but `TEST_FOLD`, and evaluate it on that one.

    Human alternatives of all talks are evaluated as well, each by a model fitted without its fold.
    `progress` is called with the name and the size of each step, and returns what is called as it
    advances.
    """
    examples = ExampleSampler(blocks, seed=settings.seed).draw(settings.n_documents)
    aligned = align_examples(examples, encoder, progress=progress)
    sample = sample_changes(blocks, seed=settings.seed, progress=progress("wording", N_PAIRS))
    unweighted = np.zeros(N_BUCKETS, np.float16)
    compared = [compare_documents(a.source, a.copy, a.alignment, unweighted) for a in aligned]
    step = progress("documents", N_FOLDS * len(aligned))

    @cache
    def weights_without(held_out: frozenset[int]) -> NDArray[np.float16]:
        folds = [fold for fold in range(N_FOLDS) if fold not in held_out]
        return fit_translationese(sample, folds, seed=settings.seed)

    def fit_without(fold: int) -> tuple[RelationModel, Floats]:
        X = np.empty((len(aligned), len(FEATURES)))
        for i, (pair, documents) in enumerate(zip(aligned, compared, strict=True)):
            weights = weights_without(frozenset({fold, pair.example.fold}))
            X[i] = documents.with_weights(weights).values()
            step(1)
        rows = [
            i
            for i, pair in enumerate(aligned)
            if pair.example.fold != fold
            and not (pair.example.corpus in _TEST_ONLY and pair.example.fold == TEST_FOLD)
        ]
        fitted_on = [aligned[i].example for i in rows]
        model = fit_relations(
            X[rows],
            [example.relation for example in fitted_on],
            translationese_weights=weights_without(frozenset({fold})),
            training=_training_record(settings, sample, fitted_on),
        )
        return model, X

    models: dict[int, RelationModel] = {}
    predicted = []
    for fold in range(N_FOLDS):
        model, X = fit_without(fold)
        models[fold] = model
        predicted += [
            (pair.example, model.probabilities(model.contributions(X[i])), X[i])
            for i, pair in enumerate(aligned)
            if pair.example.fold == fold
        ]
    others = [pair for pair in predicted if pair[0].fold != TEST_FOLD]
    thresholds = fit_thresholds(
        np.array([probabilities for _, probabilities, _ in others]),
        [example.relation for example, _, _ in others],
    )
    results = evaluate_relations(predicted, thresholds=thresholds, seed=settings.seed)
    return replace(models[TEST_FOLD], thresholds=thresholds), results


def align_examples(
    examples: Sequence[Example],
    encoder: Encoder,
    *,
    progress: Callable[[str, int], Progress] = _silent,
) -> list[AlignedExample]:
    """Split, encode and align examples, without those that hold no sentence.

    Each distinct sentence is encoded once.
    """
    documents = [(split(example.source), split(example.copy)) for example in examples]
    texts = list(dict.fromkeys(t for pair in documents for side in pair for t in side.texts))
    index = {text: i for i, text in enumerate(texts)}
    vectors = np.empty((len(texts), encoder.identity.dimension), np.float32)
    step = progress("sentences", len(texts))
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        vectors[start : start + len(chunk)] = encoder.encode(chunk, tokens=False).vectors
        step(len(chunk))

    aligned = []
    step = progress("alignments", len(examples))
    for example, (source, copy) in zip(examples, documents, strict=True):
        step(1)
        if not source.sentences or not copy.sentences:
            continue
        encoded = [(side, vectors[[index[text] for text in side.texts]]) for side in (source, copy)]
        alignment = align_documents(encoded[0], encoded[1], encoder, AlignConfig())
        aligned.append(
            AlignedExample(example=example, source=source, copy=copy, alignment=alignment)
        )
    return aligned


def _training_record(
    settings: RelationSettings, sample: ChangeRows, examples: Sequence[Example]
) -> dict[str, object]:
    kinds = Counter(f"{example.relation}: {example.kind}" for example in examples)
    return {
        "seed": settings.seed,
        "documents": dict(sorted(kinds.items())),
        "sentence pairs": len(sample.folds),
    }
