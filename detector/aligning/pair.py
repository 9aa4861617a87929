"""Two documents and what is usual between them.

Records only: `manner` learns what is usual.
"""

from __future__ import annotations

from dataclasses import dataclass

from detector.aligning.joining import Joins
from detector.aligning.weights import AlignConfig

# What is usual at large.
SIMILARITY = 0.85
SPREAD = 0.15

LITTLE = 15.0  # added to every length before its log is taken: a short sentence's varies more


@dataclass(frozen=True, slots=True)
class Manner:
    """What is usual in this pair; the defaults are what is usual at large."""

    alone: float = 0.0  # nats by which sentences stand alone more often
    joins: float = 0.0  # nats by which beads hold joins more often
    similarity: float = SIMILARITY  # cosine of a 1-1 bead
    stretch: float = 0.0  # log of copy length over source length
    spread: float = SPREAD  # standard deviation of that

    @property
    def shift(self) -> float:
        """What a cosine of this pair lacks of one at large."""
        return SIMILARITY - self.similarity


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two documents and all that is known of them."""

    source: Joins
    copy: Joins
    manner: Manner
    config: AlignConfig
