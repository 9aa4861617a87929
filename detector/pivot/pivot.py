"""Predict the pivot language of a pair of texts: the way in.

It aligns nothing and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detector.pivot.edits import Side, encode_edits
from detector.pivot.explain import Dictionary, explain
from detector.pivot.languages import FAMILY
from detector.pivot.model import PivotModel
from detector.records import Pivot


def predict_pivot(
    model: PivotModel, beads: Iterable[tuple[Side, Side]], *, dictionary: Dictionary | None = None
) -> Pivot:
    """Predict through which language a copy went.

    Parameters
    ----------
    model : PivotModel
    beads : iterable of (Side, Side)
        Source and copy of each bead that has both, encoded by the model's encoder.
    dictionary : Dictionary, optional
        From English into a pivot language: for explanations only.

    Returns
    -------
    Pivot
        Without a language where no posterior reaches the model's threshold, or where the copy is
        about as near to the mean of all languages as to any of them.
    """
    sentences = [encode_edits(source, copy, model.languages) for source, copy in beads]
    scores = model.score_edits(sentences)
    posterior = model.posterior(scores.document)
    families: dict[str, float] = {}
    for code, probability in zip(model.languages, posterior.tolist(), strict=True):
        families[FAMILY[code]] = families.get(FAMILY[code], 0.0) + probability
    best = model.languages[int(np.argmax(posterior))]
    evidence = explain(sentences, model.evidence_weights(scores, best), best, dictionary=dictionary)
    return Pivot(
        language=best if model.accepts(scores.document, posterior) else None,
        posterior=_falling(dict(zip(model.languages, posterior.tolist(), strict=True))),
        families=_falling({name: min(1.0, value) for name, value in families.items()}),
        evidence=tuple(text for text, _ in evidence),
        evidence_weights=tuple(weight for _, weight in evidence),
    )


def _falling(values: dict[str, float]) -> dict[str, float]:
    return dict(sorted(values.items(), key=lambda item: -item[1]))
