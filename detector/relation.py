"""What a copy is to a source: the record of it, and the names of the relations.

Nothing here reads a text or a model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from detector.errors import InputError

RelationKind = Literal["round_trip", "duplicate", "paraphrase", "independent", "unrelated"]
"""What a copy can be to a source.

`round_trip`: translated out and back by machine. `duplicate`: the same words, lightly edited or
not at all. `paraphrase`: told again by a person, a retranslation included. `independent`: another
text on the same event. `unrelated`: neither of these.
"""

RELATIONS: tuple[RelationKind, ...] = get_args(RelationKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What a copy is to a source, as far as the two texts can tell.

    Attributes
    ----------
    probabilities : mapping of str to float
        One for each of `RELATIONS`, in [0, 1]; together 1.
    label : str or None
        The likeliest relation; None when no relation is sure enough to name.
    evidence : tuple of str
        What speaks for it, in words; strongest first.
    """

    probabilities: Mapping[RelationKind, float] = field(hash=False)
    label: RelationKind | None
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if set(self.probabilities) != set(RELATIONS):
            msg = (
                f"relation has probabilities of {', '.join(map(str, self.probabilities))}; "
                f"give one for each of {', '.join(RELATIONS)}"
            )
            raise InputError(msg)
        values = self.probabilities.values()
        if any(not 0.0 <= value <= 1.0 for value in values) or abs(math.fsum(values) - 1.0) > 1e-6:
            msg = f"relation has probabilities {dict(self.probabilities)}; give some that sum to 1"
            raise InputError(msg)
        if self.label is not None and self.label not in RELATIONS:
            msg = f"relation is {self.label!r}; use one of {', '.join(RELATIONS)}, or None"
            raise InputError(msg)
