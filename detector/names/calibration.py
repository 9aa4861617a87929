"""Calibrate the confidence of the name rules into a probability of damage.

The tables and weights are those of a bundle; nothing is fitted here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.records import Change, NameChange, Span

TAGGED_CHANGES: tuple[Change, ...] = ("translated", "swapped", "dropped", "added")
"""Changes that a tagger helps to judge: whether other words mean the same. A misspelt name is
damaged whatever they mean, and a tagger does not see capitals ("Sun" -> "the sun")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFinding:
    """A change of a name, as `NameChange`, with the confidence of the rule that found it.

    The confidence, in [0, 1], that the name is damaged is no probability before it is calibrated.
    The spans hold whole words, their possessive included; the texts do not hold the possessive.
    """

    change: Change
    confidence: float
    copy: Span | None
    copy_text: str | None
    source: Span | None
    source_text: str | None
    reason: str

    def calibrated(self, probability: float) -> NameChange:
        """Return the change with its probability of damage in [0, 1]; spans as long as texts."""
        return NameChange(
            change=self.change,
            probability=probability,
            copy=_span_of(self.copy, self.copy_text),
            copy_text=self.copy_text,
            source=_span_of(self.source, self.source_text),
            source_text=self.source_text,
            reason=self.reason,
        )


def _span_of(words: Span | None, text: str | None) -> Span | None:
    return None if words is None or text is None else Span(words.start, words.start + len(text))


def calibrate(table: Sequence[tuple[float, float]], confidence: float) -> float:
    """Interpolate the probability of damage for a confidence; see `BundleConfig.name_beliefs`.

    Examples
    --------
    >>> calibrate([(0.0, 0.0), (0.5, 0.2), (0.9, 0.6)], 0.7)
    0.4
    """
    if not table:
        return confidence
    confidences, probabilities = zip(*table, strict=True)
    return round(float(np.interp(confidence, confidences, probabilities)), 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameOdds:
    """Log-odds that a changed name is damaged, where a tagger predicted its words."""

    intercept: float
    belief: float  # weight of the log-odds of the rule's confidence, 0 or above
    tags: float  # of those of the tagger's greatest probability for a word of the name, 0 or above
    changes: Mapping[str, float]  # added for each of `TAGGED_CHANGES`

    def probability(self, finding: NameFinding, tagged: float) -> float:
        """Return the probability of damage in [0, 1], given the tagger's probability."""
        odds = (
            self.intercept
            + self.belief * log_odds(finding.confidence)
            + self.tags * log_odds(tagged)
            + self.changes[finding.change]
        )
        return round(0.5 * (1.0 + math.tanh(0.5 * odds)), 6)


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability in [0, 1], held between those of .0001 and .9999."""
    held = min(0.9999, max(0.0001, probability))
    return math.log(held / (1.0 - held))
