"""A whole run: stretches to documents, documents to measured rows, rows to a model and its figures.

It reads no file itself and prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.aligning.documents import align_documents
from detector.aligning.weights import AlignConfig
from detector.encode import Encoder
from detector.learn.related_documents import Drawer, Example
from detector.learn.related_figures import RelatedFigures, figures_of
from detector.learn.related_fit import (
    N_PAIRS,
    Wordings,
    fit_machine,
    fit_relations,
    sure_of,
    wordings,
)
from detector.learn.related_lines import APART, N_FOLDS, Stretch
from detector.reading.text import split
from detector.reading.view import matching_view
from detector.records import Alignment, Document
from detector.relating.model import RelationModel
from detector.relating.traits import TRAITS, measure
from detector.relating.wording import N_BUCKETS

_CHUNK = 2048  # sentences encoded between two words of progress
_LINES_APART = ("mlqe",)  # corpora whose part held apart is never fitted on in any rotation

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedSettings:
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


def train_relations(
    stretches: Sequence[Stretch],
    encoder: Encoder,
    settings: RelatedSettings,
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
    views = dict.fromkeys(
        matching_view(text) for both in texts for side in both for text in side.texts
    )
    place = {view: i for i, view in enumerate(views)}
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
        sides = [
            (side, vectors[[place[matching_view(text)] for text in side.texts]])
            for side in (source, copy)
        ]
        alignment = align_documents(sides[0], sides[1], encoder, AlignConfig())
        found.append(Aligned(example=example, source=source, copy=copy, alignment=alignment))
    return found


def _chunks(texts: list[str]) -> Iterator[tuple[int, list[str]]]:
    for start in range(0, len(texts), _CHUNK):
        yield start, texts[start : start + _CHUNK]


def _shares(model: RelationModel, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return model.shares(model.parts(values))


def _record(
    settings: RelatedSettings, given: Wordings, examples: Sequence[Example]
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
