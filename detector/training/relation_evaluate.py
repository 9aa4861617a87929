"""Measure the relation model, with intervals and baselines.

How well relations are told apart, with intervals and simple scores beside it.

Numbers in, numbers out.

The part of a bundle's card that tells of its model of relations.

Pure text out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.records import RELATIONS
from detector.relation.features import TRAITS
from detector.relation.model import RelationModel, named
from detector.training.evaluate.metrics import Curve, Estimate, Resamples, calibration_error
from detector.training.relation_data import APART, Example

_LONG = 15  # lines from which a document is long
_RESAMPLES = 1000
_ALTERNATIVE = "human alternative"
_SIMPLE = ("similarity", "likeness", "copy_share", "names_kept", "machine")

Floats = NDArray[np.float64]
Judged = Sequence[tuple[Example, Floats, Floats]]
"""Examples, their probabilities of each relation, and their traits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedFigures:
    """Figures of a model of relations.

    Attributes
    ----------
    n : mapping of str to int
        Long documents held apart, of each relation.
    against : mapping of str to (mapping of str to Estimate)
        AUROC of round trips against each other relation, against all of them, and against human
        alternatives (of every corpus, and of each), long documents alone: of the model and of
        simple scores.
    named : mapping of str to (mapping of str to float)
        Of each kind, documents of any length, the share that is given each label; "" is none.
    mistaken : Estimate
        Share of near-verbatim duplicates, of any length, called round trips.
    calibration : Estimate
        Expected calibration error of the probability of a round trip, any length.
    """

    n: Mapping[str, int]
    against: Mapping[str, Mapping[str, Estimate]]
    named: Mapping[str, Mapping[str, float]]
    mistaken: Estimate
    calibration: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON knows them."""
        return {
            "n": dict(self.n),
            "against": {
                against: {score: found.to_list() for score, found in scores.items()}
                for against, scores in self.against.items()
            },
            "named": {kind: dict(shares) for kind, shares in self.named.items()},
            "mistaken": self.mistaken.to_list(),
            "calibration": self.calibration.to_list(),
        }

    def printed(self) -> str:
        """Return them as plain text."""
        scores = ("model", *_SIMPLE, "copy length")
        lines = ["AUROC of round trips, 15 lines or more; long documents held apart: "]
        lines[0] += ", ".join(f"{n} {relation}" for relation, n in self.n.items())
        for against, found in self.against.items():
            lines.append(f"  against {against:<18} model {found['model']}")
            lines.append("    " + ", ".join(f"{s} {found[s].value:.3f}" for s in scores[1:]))
        lines.append(f"duplicates called round trips: {self.mistaken}")
        lines.append(f"calibration error of a round trip's probability: {self.calibration}")
        lines.append("share given each label, by kind:")
        for kind, shares in self.named.items():
            told = ", ".join(f"{label or 'none'} {share:.2f}" for label, share in shares.items())
            lines.append(f"  {kind:<44} {told}")
        return "\n".join(lines)


def figures_of(judged: Judged, *, sure: Floats, seed: int) -> RelatedFigures:
    """Measure a model of relations.

    Parameters
    ----------
    judged : sequence of (Example, ndarray, ndarray)
        Each judged by a model that was fitted without its fold. What counts is the fold `APART`;
        of human alternatives, of which it holds one talk, all folds count.
    sure : ndarray of shape (n_relations,), float64
        Probability from which each relation is named.
    seed : int
        Of the bootstrap over stretches.

    Returns
    -------
    RelatedFigures
    """
    rng = np.random.default_rng(seed)
    apart = [one for one in judged if one[0].fold == APART]
    long = [one for one in apart if one[0].n_lines >= _LONG]
    trips = [one for one in long if one[0].relation == "round_trip"]
    others: dict[str, list[tuple[Example, Floats, Floats]]] = {
        r: [one for one in long if one[0].relation == r] for r in RELATIONS[1:]
    }
    others["every other"] = [one for one in long if one[0].relation != "round_trip"]
    others[f"{_ALTERNATIVE}s"] = [
        one for one in judged if one[0].kind == _ALTERNATIVE and one[0].n_lines >= _LONG
    ]
    duplicates = [one for one in apart if one[0].relation == "duplicate"]
    called = np.array([named(shares, sure) == "round_trip" for _, shares, _ in duplicates])
    return RelatedFigures(
        n={"round_trip": len(trips), **{r: len(found) for r, found in others.items()}},
        against={
            **{r: _areas(trips, found, rng) for r, found in others.items() if found},
            **{
                f"{_ALTERNATIVE}s, {corpus}": _areas(found, others[f"{_ALTERNATIVE}s"], rng)
                for corpus in ("wmt", "flores", "apertium")
                if (found := [one for one in trips if one[0].corpus == corpus])
                and others[f"{_ALTERNATIVE}s"]
            },
        },
        named=_named(judged, sure),
        mistaken=_mean(duplicates, called.astype(np.float64), rng),
        calibration=_calibration(apart, rng),
    )


def _areas(trips: Judged, others: Judged, rng: np.random.Generator) -> dict[str, Estimate]:
    rows = [*trips, *others]
    label = np.array([one[0].relation == "round_trip" for one in rows])
    weights = _resamples(rows, rng).weights()
    names = [trait.name for trait in TRAITS]
    scores = {
        "model": np.array([shares[0] for _, shares, _ in rows]),
        **{s: np.array([x[names.index(s)] for _, _, x in rows]) for s in _SIMPLE},
        "copy length": np.array([float(len(one[0].copy)) for one in rows]),
    }
    found = {}
    for name, score in scores.items():
        values = Curve.of(label, score, weights).auroc()
        # A simple score may point either way; it is given the better one.
        turned = name != "model" and values[0] < 0.5
        found[name] = Estimate.of(1.0 - values if turned else values)
    return found


def _named(judged: Judged, sure: Floats) -> dict[str, dict[str, float]]:
    kinds: dict[str, list[str]] = {}
    for example, shares, _ in judged:
        if example.fold == APART or example.kind == _ALTERNATIVE:
            kind = f"{example.relation}: {example.kind} ({example.corpus})"
            kinds.setdefault(kind, []).append(named(shares, sure) or "")
    return {
        f"{kind}, n {len(labels)}": {
            label: labels.count(label) / len(labels)
            for label in (*RELATIONS, "")
            if label in labels
        }
        for kind, labels in sorted(kinds.items())
    }


def _mean(rows: Judged, values: Floats, rng: np.random.Generator) -> Estimate:
    weights = _resamples(rows, rng).weights()
    return Estimate.of(weights @ values / np.maximum(weights.sum(axis=1), 1e-9))


def _calibration(rows: Judged, rng: np.random.Generator) -> Estimate:
    label = np.array([one[0].relation == "round_trip" for one in rows])
    score = np.array([shares[0] for _, shares, _ in rows])
    return Estimate.of(calibration_error(label, score, _resamples(rows, rng).weights()))


def _resamples(rows: Judged, rng: np.random.Generator) -> Resamples:
    return Resamples.of([one[0].group for one in rows], n=_RESAMPLES, rng=rng)


_HEADING = "## What a copy is to its source"


def with_relations(card: str, model: RelationModel, figures: RelatedFigures) -> str:
    """Return a bundle's card with a last section on relations, put in the place of an older one.

    Parameters
    ----------
    card : str
        Markdown.
    model : RelationModel
    figures : RelatedFigures
        Of that model.

    Returns
    -------
    str
    """
    return f"{card.partition(_HEADING)[0].rstrip()}\n\n{_HEADING}\n\n{_section(model, figures)}"


def _section(model: RelationModel, figures: RelatedFigures) -> str:
    sure = ", ".join(
        f"`{relation}` from {least:.2f}" if least <= 1.0 else f"`{relation}` never"
        for relation, least in zip(RELATIONS, model.sure, strict=True)
    )
    documents = "\n".join(
        f"| {kind} | {n} |" for kind, n in dict(model.training.get("documents", {})).items()
    )
    return f"""\
`Report.relation` gives a probability to each of five relations: {", ".join(RELATIONS)}.
They come out of an additive multinomial logistic regression over {len(model.knots)} numbers
about two aligned texts (`relating.traits`), one of them a linear score of how much a copy's changed
words look made by a machine (`relating.wording`). It reads words and the beads' cosines, not the
tagger, not drift.

A relation is named where documents of other folds of which it was the likeliest at that
probability were of it 95 times in 100: {sure}. Below that the label is None.

It says what a text looks like, not how it came about: a person may write like a machine. The
documents are made of consecutive lines of test sets, whose way out of English was mostly a human
translation; duplicates and sibling edits are made by rule; human alternatives are five talks.
`independent` means neighbouring lines of news, or edits that share sentences; there was no corpus
of independent reports on one event.

Figures on the fifth of the stretches of lines held apart (human alternatives: all five talks, each
judged by a model fitted without it), with 95 % intervals over stretches:

```
{figures.printed()}
```

Fitted on, besides {model.training.get("sentence pairs", 0)} sentence pairs for the wording:

| documents | number |
|---|---|
{documents}
"""
