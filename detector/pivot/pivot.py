"""Predict the pivot language of a pair of texts: the way in.

From a pair's beads to the pivot it went through, or to not being able to tell.

Brings the other rooms of this wing together. It aligns nothing and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detector.pivot.edits import Side, compare
from detector.pivot.explain import Dictionary, evidence
from detector.pivot.languages import FAMILY
from detector.pivot.model import PivotModel
from detector.records import Pivot


def judge_pivot(
    model: PivotModel, beads: Iterable[tuple[Side, Side]], *, dictionary: Dictionary | None = None
) -> Pivot:
    """Say through which language a copy went.

    Parameters
    ----------
    model : PivotModel
    beads : iterable of (Side, Side)
        Source and copy of each bead that holds both, read by the model's encoder.
    dictionary : Dictionary, optional
        From English into a pivot language: it explains evidence and weighs nothing.

    Returns
    -------
    Pivot
        Without a language where no posterior reaches the model's threshold, or where the copy
        stands about as near to the middle of all languages as to any of them.
    """
    sentences = [compare(source, copy, model.languages) for source, copy in beads]
    said = model.read(sentences)
    tally = said.tally
    posterior = model.posterior(tally)
    families: dict[str, float] = {}
    for code, probability in zip(model.languages, posterior.tolist(), strict=True):
        families[FAMILY[code]] = families.get(FAMILY[code], 0.0) + probability
    best = model.languages[int(np.argmax(posterior))]
    return Pivot(
        language=best if model.names(tally, posterior) else None,
        posterior=_falling(dict(zip(model.languages, posterior.tolist(), strict=True))),
        families=_falling({name: min(1.0, value) for name, value in families.items()}),
        evidence=evidence(sentences, model.nats(said, best), best, dictionary=dictionary),
    )


def _falling(values: dict[str, float]) -> dict[str, float]:
    return dict(sorted(values.items(), key=lambda item: -item[1]))
