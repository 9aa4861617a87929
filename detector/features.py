"""The named numbers that the models read.

One registry: each feature has a name, a unit, a function of `measures`, and says which way is
worse and what it holds for a copy that equals its source. Pure: no fitting, no thresholds, no
probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from detector.clues import doubled_words, negation_change, opposite_pairs, pronoun_change
from detector.evidence import BeadEvidence
from detector.lexicon import base_forms, is_quantifier, zipf
from detector.measures import Floats, Measures
from detector.records import SLIPS

TOLD_FIGURE = 0.5
"""Weight from which a changed figure is told to a reader."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One column: its name, its unit and how it is read off the measures.

    Attributes
    ----------
    name, unit : str
    compute : callable
        Gives a finite number, or NaN where the evidence does not allow one.
    worse : int
        1 where more is worse, -1 where less is worse, 0 where neither holds by itself.
    sound : float
        What it gives for a copy that equals its source.
    """

    name: str
    unit: str
    compute: Callable[[Measures], float]
    worse: int = 1
    sound: float = 0.0


def matrix(evidence: Sequence[BeadEvidence]) -> Floats:
    """Read every feature off every bead.

    Parameters
    ----------
    evidence : sequence of BeadEvidence

    Returns
    -------
    ndarray of shape (n, n_features), float64
        Columns in the order of `FEATURES`; NaN where a feature cannot be computed.
    """
    out = np.empty((len(evidence), len(FEATURES)), dtype=np.float64)
    for row, bead in enumerate(evidence):
        measures = Measures(bead)
        out[row] = [feature.compute(measures) for feature in FEATURES]
    return out


def _joins(m: Measures, read: Callable[[Floats], float]) -> float:
    return math.nan if m.bead.joins is None else float(read(m.bead.joins))


def _surprise(broken: Floats) -> float:
    return float(-np.log1p(-np.minimum(broken, 0.9999)).sum())


def _spelling(m: Measures) -> float:
    from rapidfuzz.distance import Indel

    source, copy = (" ".join(w.norm for w in side.words) for side in (m.source, m.copy))
    return float(Indel.normalized_similarity(source, copy))


def _inflections(m: Measures) -> float:
    # Links between two forms of one word: another tense, another number.
    pairs = ((m.source.words[i].norm, m.copy.words[j].norm) for i, j in m.linked)
    return float(sum(a != b and not base_forms(a).isdisjoint(base_forms(b)) for a, b in pairs))


def _question(m: Measures) -> float:
    # A mark lost says nothing, one put in makes a question of a statement.
    return float("?" in m.bead.copy_text and "?" not in m.bead.source_text)


def _figure_changes(m: Measures) -> float:
    return float(sum(c.weight for c in m.bead.figures if c.change != "kept"))


def _heaviest_figure(m: Measures) -> float:
    # Figures too light to be told to a reader count nothing here.
    weights = [change.weight for change in m.bead.figures if change.change != "kept"]
    worst = max(weights, default=0.0)
    return worst if worst >= TOLD_FIGURE else 0.0


def _name_damage(m: Measures) -> float:
    changes = (c for c in m.bead.names if c.change != "kept" and c.change not in SLIPS)
    return sum(change.probability for change in changes)


def _unknown(m: Measures) -> float:
    # Rare words that no name answers for and the source does not hold: often left untranslated.
    named = [change.copy for change in m.bead.names if change.copy is not None]
    return float(
        sum(
            word.norm not in m.source.counts
            and zipf(word.norm) < 1.5
            and not any(span.start <= word.start < span.end for span in named)
            for word in m.copy.words
        )
    )


def _negation_difference(m: Measures) -> float:
    lost, added = negation_change(m.bead)
    return float(len(lost) + len(added))


def _quantifier_difference(m: Measures) -> float:
    return float(sum(is_quantifier(norm) for norm in m.source.counts.keys() ^ m.copy.counts.keys()))


FEATURES: tuple[Feature, ...] = (
    Feature("similarity", "cosine", lambda m: m.bead.similarity, -1, 1.0),
    Feature(
        "source_coverage", "share of the source's rarity", lambda m: m.source.coverage, -1, 1.0
    ),
    Feature("copy_coverage", "share of the copy's rarity", lambda m: m.copy.coverage, -1, 1.0),
    Feature("lost_mass", "sum of rarity", lambda m: m.source.mass),
    Feature("added_mass", "sum of rarity", lambda m: m.copy.mass),
    Feature("worst_lost", "rarity", lambda m: m.source.worst),
    Feature("worst_added", "rarity", lambda m: m.copy.worst),
    Feature(
        "source_shared",
        "share of the source's rarity",
        lambda m: m.source.shared(m.copy),
        *(-1, 1.0),
    ),
    Feature(
        "copy_shared", "share of the copy's rarity", lambda m: m.copy.shared(m.source), -1, 1.0
    ),
    Feature("lost_words", "words", lambda m: m.source.alone(small=False)),
    Feature("added_words", "words", lambda m: m.copy.alone(small=False)),
    Feature("lost_small_words", "words", lambda m: m.source.alone(small=True)),
    Feature("added_small_words", "words", lambda m: m.copy.alone(small=True)),
    Feature("unrepeated_words", "words", lambda m: m.source.unrepeated(m.copy, small=False)),
    Feature("new_words", "words", lambda m: m.copy.unrepeated(m.source, small=False)),
    Feature("unrepeated_small_words", "words", lambda m: m.source.unrepeated(m.copy, small=True)),
    Feature("new_small_words", "words", lambda m: m.copy.unrepeated(m.source, small=True)),
    Feature("token_recall", "cosine", lambda m: 1.0 - m.source.token_mean, -1, 1.0),
    Feature("token_precision", "cosine", lambda m: 1.0 - m.copy.token_mean, -1, 1.0),
    Feature("tokens_lost", "sum of distance", lambda m: m.source.token_sum),
    Feature("tokens_added", "sum of distance", lambda m: m.copy.token_sum),
    Feature("worst_token_lost", "distance", lambda m: m.source.token_worst),
    Feature("worst_token_added", "distance", lambda m: m.copy.token_worst),
    Feature("words_far_lost", "sum of rarity", lambda m: m.source.far_mass),
    Feature("words_far_added", "sum of rarity", lambda m: m.copy.far_mass),
    Feature("context_moved", "sum of distance", lambda m: m.context_moved),
    Feature("worst_join", "probability", lambda m: _joins(m, np.max)),
    Feature("broken_joins", "sum of probability", lambda m: _joins(m, np.sum)),
    Feature("join_surprise", "nats", lambda m: _joins(m, _surprise)),
    Feature("spelling", "share of characters", _spelling, -1, 1.0),
    Feature("length_ratio", "log ratio", lambda m: m.length_ratio, 0),
    Feature("length_change", "absolute log ratio", lambda m: abs(m.length_ratio)),
    Feature("copy_words", "log count", lambda m: math.log1p(len(m.copy.words)), 0),
    Feature("crossings", "share of pairs of words", lambda m: m.crossings),
    Feature("content_crossings", "pairs of words", lambda m: m.content_crossings),
    Feature("breaks", "joins", lambda m: m.breaks),
    Feature(
        "break_share", "share of the copy's words", lambda m: m.breaks / max(1, len(m.copy.words))
    ),
    Feature("inflections", "words", _inflections),
    Feature("question_added", "0 or 1", _question),
    Feature("figure_changes", "weighted count", _figure_changes),
    Feature("heaviest_figure", "probability", _heaviest_figure),
    Feature("negation_difference", "words", _negation_difference),
    Feature("quantifier_difference", "words", _quantifier_difference),
    Feature("opposites", "pairs of words", lambda m: float(len(opposite_pairs(m.bead)))),
    Feature("name_damage", "sum of probability", _name_damage),
    Feature("unknown_words", "words", _unknown),
    Feature("doubled_words", "words", lambda m: float(len(doubled_words(m.bead)))),
    Feature("pronoun_change", "0 or 1", lambda m: float(pronoun_change(m.bead) is not None)),
)
"""The registry; its order is the order of the columns, and a bundle remembers it."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
