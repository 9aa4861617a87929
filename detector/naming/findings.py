"""What became of the names of a bead, ready for a classifier: changes, and a row of traits each.

Pure. The changes come from `verdicts`, the numbers from `traits`; which model turns numbers into
probabilities is the matter of the bundle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detector.naming.cases import JUDGED
from detector.records import NameChange


@dataclass(frozen=True, slots=True, eq=False)
class NameFindings:
    """What became of each name of a bead, and what a classifier may know about it.

    Attributes
    ----------
    changes : tuple of NameChange
        In the order of `verdicts.name_cases`, with the rule's belief as their probability.
    traits : ndarray of shape (n_changes, n_traits), float64
        A row for each change; columns as in `traits.TRAITS`, NaN where not computable.
    """

    changes: tuple[NameChange, ...]
    traits: NDArray[np.float64]

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Which changes a classifier may judge; kept names and slips stay with the rule."""
        return np.array([change.change in JUDGED for change in self.changes], dtype=np.bool_)


def judge_names(findings: NameFindings, probabilities: Sequence[float]) -> tuple[NameChange, ...]:
    """Put a classifier's probabilities in the place of the rule's beliefs.

    Parameters
    ----------
    findings : NameFindings
    probabilities : sequence of float
        Of damage, in [0, 1], one for each row of `findings.traits`.

    Returns
    -------
    tuple of NameChange
        Kept names and slips (`NameFindings.judged` is false) keep the rule's belief.
    """
    return tuple(
        replace(change, probability=float(p)) if change.change in JUDGED else change
        for change, p in zip(findings.changes, probabilities, strict=True)
    )
