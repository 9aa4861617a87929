"""Measure the relation model, with intervals and baselines; write its section of a card.

Numbers in, numbers and text out. It fits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.records import RELATIONS
from detector.relation.features import FEATURES
from detector.relation.model import RelationModel, label_of
from detector.training.evaluate.metrics import Curve, Estimate, Resamples, calibration_error
from detector.training.relation_data import TEST_FOLD, Example

_LONG = 15  # lines from which a document is long
_RESAMPLES = 1000
_ALTERNATIVE = "human alternative"
_BASELINES = ("similarity", "likeness", "copy_share", "names_kept", "machine")
_COPY_LENGTH = "copy length"

Floats = NDArray[np.float64]
Predicted = Sequence[tuple[Example, Floats, Floats]]
"""Examples, their probabilities of each relation, and their feature values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationResults:
    """Results of a relation model on held-out documents, long ones where not said otherwise."""

    n: Mapping[str, int]  # documents of each relation
    against: Mapping[str, Mapping[str, Estimate]]  # AUROC of round trips, of model and baselines
    named: Mapping[
        str, Mapping[str, float]
    ]  # share of each label ("" is none), by kind, any length
    mistaken: Estimate  # share of near-verbatim duplicates, any length, called round trips
    calibration: Estimate  # expected error of the probability of a round trip, any length

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON."""
        return {
            "n": dict(self.n),
            "against": {
                against: {score: estimate.to_list() for score, estimate in scores.items()}
                for against, scores in self.against.items()
            },
            "named": {kind: dict(shares) for kind, shares in self.named.items()},
            "mistaken": self.mistaken.to_list(),
            "calibration": self.calibration.to_list(),
        }

    def to_text(self) -> str:
        """Return them as plain text."""
        counts = ", ".join(f"{n} {relation}" for relation, n in self.n.items())
        lines = [f"AUROC of round trips, 15 lines or more; long documents held apart: {counts}"]
        for against, scores in self.against.items():
            lines.append(f"  against {against:<18} model {scores['model']}")
            baselines = (f"{s} {scores[s].value:.3f}" for s in (*_BASELINES, _COPY_LENGTH))
            lines.append(f"    {', '.join(baselines)}")
        lines.append(f"duplicates called round trips: {self.mistaken}")
        lines.append(f"calibration error of a round trip's probability: {self.calibration}")
        lines.append("share given each label, by kind:")
        for kind, shares in self.named.items():
            labels = ", ".join(f"{label or 'none'} {share:.2f}" for label, share in shares.items())
            lines.append(f"  {kind:<44} {labels}")
        return "\n".join(lines)


def evaluate_relations(predicted: Predicted, *, thresholds: Floats, seed: int) -> RelationResults:
    """Measure a relation model, with intervals by a bootstrap over blocks.

    Each example was predicted by a model that was fitted without its fold. Only `TEST_FOLD` counts,
    but all folds of human alternatives, of which it holds one talk.
    """
    rng = np.random.default_rng(seed)
    tested = [row for row in predicted if row[0].fold == TEST_FOLD]
    long = [row for row in tested if row[0].n_lines >= _LONG]
    trips = [row for row in long if row[0].relation == "round_trip"]
    alternatives = [
        row for row in predicted if row[0].kind == _ALTERNATIVE and row[0].n_lines >= _LONG
    ]
    others: dict[str, list[tuple[Example, Floats, Floats]]] = {
        relation: [row for row in long if row[0].relation == relation] for relation in RELATIONS[1:]
    }
    others["every other"] = [row for row in long if row[0].relation != "round_trip"]
    others[f"{_ALTERNATIVE}s"] = alternatives
    against = {name: _areas(trips, rows, rng) for name, rows in others.items() if rows}
    for corpus in ("wmt", "flores", "apertium"):
        of_corpus = [row for row in trips if row[0].corpus == corpus]
        if of_corpus and alternatives:
            against[f"{_ALTERNATIVE}s, {corpus}"] = _areas(of_corpus, alternatives, rng)
    duplicates = [row for row in tested if row[0].relation == "duplicate"]
    mistaken = np.array([label_of(p, thresholds) == "round_trip" for _, p, _ in duplicates], float)
    weights = _resample_weights(duplicates, rng)
    return RelationResults(
        n={"round_trip": len(trips), **{name: len(rows) for name, rows in others.items()}},
        against=against,
        named=_label_shares(predicted, thresholds),
        mistaken=Estimate.of(weights @ mistaken / np.maximum(weights.sum(axis=1), 1e-9)),
        calibration=Estimate.of(
            calibration_error(*_round_trip_scores(tested), _resample_weights(tested, rng))
        ),
    )


def _areas(trips: Predicted, others: Predicted, rng: np.random.Generator) -> dict[str, Estimate]:
    """Return the AUROC of the model and of each baseline."""
    rows = [*trips, *others]
    label, model = _round_trip_scores(rows)
    weights = _resample_weights(rows, rng)
    names = [feature.name for feature in FEATURES]
    scores = {
        "model": model,
        **{s: np.array([values[names.index(s)] for _, _, values in rows]) for s in _BASELINES},
        _COPY_LENGTH: np.array([float(len(row[0].copy)) for row in rows]),
    }
    areas = {}
    for name, score in scores.items():
        values = Curve.of(label, score, weights).auroc()
        # A baseline may point either way; it is given the better one.
        reverse = name != "model" and values[0] < 0.5
        areas[name] = Estimate.of(1.0 - values if reverse else values)
    return areas


def _round_trip_scores(rows: Predicted) -> tuple[NDArray[np.bool_], Floats]:
    label = np.array([example.relation == "round_trip" for example, _, _ in rows])
    return label, np.array([probabilities[0] for _, probabilities, _ in rows])


def _resample_weights(rows: Predicted, rng: np.random.Generator) -> Floats:
    return Resamples.of([row[0].group for row in rows], n=_RESAMPLES, rng=rng).weights()


def _label_shares(predicted: Predicted, thresholds: Floats) -> dict[str, dict[str, float]]:
    kinds: dict[str, list[str]] = {}
    for example, probabilities, _ in predicted:
        if example.fold == TEST_FOLD or example.kind == _ALTERNATIVE:
            kind = f"{example.relation}: {example.kind} ({example.corpus})"
            kinds.setdefault(kind, []).append(label_of(probabilities, thresholds) or "")
    return {
        f"{kind}, n {len(labels)}": {
            label: labels.count(label) / len(labels)
            for label in (*RELATIONS, "")
            if label in labels
        }
        for kind, labels in sorted(kinds.items())
    }


_HEADING = "## What a copy is to its source"


def with_relations(card: str, model: RelationModel, results: RelationResults) -> str:
    """Return a bundle's card, Markdown, with a last section on relations that replaces an old one.

    `results` are those of `model`.
    """
    return f"{card.partition(_HEADING)[0].rstrip()}\n\n{_HEADING}\n\n{_section(model, results)}"


def _section(model: RelationModel, results: RelationResults) -> str:
    thresholds = ", ".join(
        f"`{relation}` from {least:.2f}" if least <= 1.0 else f"`{relation}` never"
        for relation, least in zip(RELATIONS, model.thresholds, strict=True)
    )
    documents = "\n".join(
        f"| {kind} | {n} |" for kind, n in dict(model.training.get("documents", {})).items()
    )
    return f"""\
`Report.relation` gives a probability to each of five relations: {", ".join(RELATIONS)}.
They come from an additive multinomial logistic regression over {len(model.knots)} features
of two aligned texts (`relation.features`), one of them a linear score of how much a copy's changed
words look made by a machine. It uses words and the beads' cosines, not the tagger, not drift.

A relation is the label where documents of other folds of which it was the likeliest at that
probability were of it 95 times in 100: {thresholds}. Below that the label is None.

It says what a text looks like, not how it came about: a person may write like a machine. The
documents are made of consecutive lines of test sets, whose way out of English was mostly a human
translation; duplicates and sibling edits are made by rule; human alternatives are five talks.
`independent` means neighbouring lines of news, or edits that share sentences; there was no corpus
of independent reports on one event.

Results on the fifth of the blocks of lines held apart (human alternatives: all five talks, each
predicted by a model fitted without it), with 95 % intervals over blocks:

```
{results.to_text()}
```

Fitted on, besides {model.training.get("sentence pairs", 0)} sentence pairs for the wording:

| documents | number |
|---|---|
{documents}
"""
