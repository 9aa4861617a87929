"""Through which language a copy went: the record of it.

Nothing here reads a text or a model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from detector.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivot:
    """Through which language a copy went, as far as its words can tell.

    Attributes
    ----------
    language : str or None
        ISO 639-1 code of the pivot; None when the evidence does not suffice to name one.
    posterior : mapping of str to float
        Probability in [0, 1] of each language by its ISO 639-1 code; together 1.
    families : mapping of str to float
        Probability in [0, 1] of each family of languages by its English name; together 1.
    evidence : tuple of str
        What speaks for the likeliest language, in words with their weight; strongest first.
    """

    language: str | None
    posterior: Mapping[str, float] = field(hash=False)
    families: Mapping[str, float] = field(hash=False)
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what in ("posterior", "families"):
            values = getattr(self, what).values()
            if any(not 0.0 <= v <= 1.0 for v in values) or abs(math.fsum(values) - 1.0) > 1e-6:
                msg = f"pivot has {what} {dict(getattr(self, what))}; give some that sum to 1"
                raise InputError(msg)
        if self.language is not None and self.language not in self.posterior:
            msg = f"pivot is {self.language!r}; use one of {', '.join(self.posterior)}, or None"
            raise InputError(msg)
