"""From what is believed of a changed name to the probability that it is damaged.

Pure: plain numbers that a bundle remembers. The beliefs come from `verdicts`; nothing is fitted
here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.records import Change, NameChange

TAGGED_CHANGES: tuple[Change, ...] = ("translated", "swapped", "dropped", "added")
"""What a tagger is asked about: whether other words say the same. A name that is spelt wrong is
damaged whatever they say, and capitals ("Sun" -> "the sun") it does not see."""


def probability_of(beliefs: Sequence[tuple[float, float]], belief: float) -> float:
    """Return the probability that a belief about a name stands for; see `name_beliefs`.

    Examples
    --------
    >>> probability_of([(0.0, 0.0), (0.5, 0.2), (0.9, 0.6)], 0.7)
    0.4
    """
    if not beliefs:
        return belief
    known, probabilities = zip(*beliefs, strict=True)
    return round(float(np.interp(belief, known, probabilities)), 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameOdds:
    """Log-odds that a changed name is damaged, where a tagger read it.

    Attributes
    ----------
    intercept : float
    belief, tags : float
        Weights of the log-odds of the rules' belief and of the tagger's greatest probability for
        a word of the name; 0 or above.
    changes : mapping of Change to float
        What is added for each of `TAGGED_CHANGES`; others are left to
        `BundleConfig.name_beliefs`.
    """

    intercept: float
    belief: float
    tags: float
    changes: Mapping[str, float]

    def probability(self, change: NameChange, tagged: float) -> float:
        """Return the probability in [0, 1] that a changed name is damaged.

        Parameters
        ----------
        change : NameChange
            With the rules' belief.
        tagged : float
            The tagger's probability in [0, 1].
        """
        odds = (
            self.intercept
            + self.belief * log_odds(change.probability)
            + self.tags * log_odds(tagged)
            + self.changes[change.change]
        )
        return round(0.5 * (1.0 + math.tanh(0.5 * odds)), 6)


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability in [0, 1], held between those of .0001 and .9999."""
    held = min(0.9999, max(0.0001, probability))
    return math.log(held / (1.0 - held))
