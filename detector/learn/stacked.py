"""What a tagger says of pairs it has not seen, put on top of the models that do without it.

The lower models are read out of fold and the tagger on source sentences kept from it, so nothing
here learns from a prediction of what was learnt. Opens no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from detector.bundle import blended
from detector.learn.corpus import Pair
from detector.learn.graded import fit_points, points_out_of_fold
from detector.learn.metrics import Floats
from detector.learn.sample import weights
from detector.learn.train import TrainConfig, counted, macro_auroc, platt, threshold_for
from detector.severity import SeverityRegressor

_SEVERITY = (0.2, 0.4, 0.8, 1.6)  # what log(1 + severity) may count beside log-odds: as below
_TAGS = (0.0, 0.2, 0.4, 0.8, 1.6)  # and the tagger's log(1 + odds)


def _model() -> SeverityRegressor:
    """Return a severity for which the order of minimal pairs, known already, counts less."""
    return SeverityRegressor(ranking=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What is laid on top.

    Attributes
    ----------
    severity : SeverityRegressor
        Over `bundle.STACKED`.
    blend : (float, float, float, float)
        As in `bundle.TaggedConfig`.
    threshold : float
        In [0, 1].
    """

    severity: SeverityRegressor
    blend: tuple[float, float, float, float]
    threshold: float


def fit_stack(
    pairs: Sequence[Pair],
    odds: Floats,
    severity: Floats,
    tags: NDArray[np.float64],
    config: TrainConfig,
) -> Stack | None:
    """Fit the upper models.

    Parameters
    ----------
    pairs : sequence of Pair
        That the tagger has not seen; the unlabelled teach the severity alone.
    odds, severity : ndarray of shape (n_pairs,), float64
        Of the lower models, out of fold: log-odds of drift (NaN for the unlabelled) and expected
        error points.
    tags : ndarray of shape (n_pairs, n_tag_features), float64
        As `tags.tag_matrix` gives them.
    config : TrainConfig

    Returns
    -------
    Stack or None
        None where there are too few pairs, or of one label only.
    """
    labelled = np.flatnonzero(~np.isnan(odds))
    label = np.array([bool(pairs[i].label) for i in labelled.tolist()], dtype=np.bool_)
    groups = {pairs[i].group for i in labelled.tolist()}
    if len(groups) < config.folds or label.all() or not label.any() or np.isnan(severity).any():
        return None
    columns = np.column_stack([severity, tags])
    model = fit_points(pairs, columns, _model())
    if model is None:
        return None
    points = np.log1p(points_out_of_fold(pairs, columns, folds=config.folds, model=_model))[
        labelled
    ]
    mine = [pairs[i] for i in labelled.tolist()]
    weight, corpus = weights(mine, config.mix), np.array([pair.corpus for pair in mine])
    even, excess, own = np.ones(len(mine)), tags[labelled, 0], odds[labelled]

    def area(shares: tuple[float, float]) -> float:
        return macro_auroc(own + shares[0] * points + shares[1] * excess, label, corpus, even)

    by_points, by_tags = max(product(_SEVERITY, _TAGS), key=area)
    slope, intercept = platt(own + by_points * points + by_tags * excess, label, weight)
    blend = (intercept, slope, slope * by_points, slope * by_tags)
    probability = blended(blend, own, np.expm1(points), excess)
    sound = counted(mine, label)
    return Stack(
        severity=model,
        blend=blend,
        threshold=threshold_for(probability[sound], weight[sound], config.false_alarms),
    )
