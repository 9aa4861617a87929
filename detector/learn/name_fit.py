"""Labelled names to probabilities: how often rules were right, alone and with a tagger.

What the rules believe is not a probability; it is counted here, on grouped folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.learn.metrics import (
    Floats,
    Measure,
    auroc,
    brier,
    calibration_error,
    reliability,
)
from detector.learn.named import LabelledNames
from detector.naming.odds import TAGGED_CHANGES, NameOdds, log_odds, probability_of

_KEPT = 0.95  # share of the damage flagged by rules that a threshold with tags must keep
_ORDER = 0.02  # share of the belief itself, so that two beliefs never stand for one probability


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFit:
    """What the rules' beliefs about names stand for.

    Attributes
    ----------
    beliefs : tuple of (float, float)
        Belief and probability, both rising, from (0, 0) on.
    n_names, n_damaged : int
    brier, brier_of_beliefs, brier_of_prior : float
        Out of fold, in the weights of the fit: of the probabilities, of the beliefs taken for
        probabilities, and of always the share damaged.
    calibration_error, error_of_beliefs : float
        The same of the expected calibration error.
    bins : tuple of (float, float)
        Mean probability and share damaged, in at most ten bins.
    """

    beliefs: tuple[tuple[float, float], ...]
    n_names: int
    n_damaged: int
    brier: float
    brier_of_beliefs: float
    brier_of_prior: float
    calibration_error: float
    error_of_beliefs: float
    bins: tuple[tuple[float, float], ...]


def fit_beliefs(names: LabelledNames, *, folds: int) -> NameFit | None:
    """Say which probability each belief of the rules stands for.

    Parameters
    ----------
    names : LabelledNames
    folds : int
        Of the source sentences, for the figures.

    Returns
    -------
    NameFit or None
        None where there are too few names of either label to fold.

    Notes
    -----
    Isotonic regression (Zadrozny and Elkan, 2002): the order of the beliefs, and so what a
    threshold flags, stays as the rules have it.
    """
    from sklearn.model_selection import GroupKFold

    groups = [
        {g for g, hit in zip(names.group, names.damaged.tolist(), strict=True) if hit is label}
        for label in (True, False)
    ]
    if min(map(len, groups)) < folds:
        return None
    out = np.empty(len(names.belief))
    for train, test in GroupKFold(folds).split(out, groups=names.group):
        table = _beliefs(names, train)
        out[test] = [probability_of(table, belief) for belief in names.belief[test].tolist()]
    prior = float(names.weight @ names.damaged / names.weight.sum())
    bins = reliability(names.damaged, out, names.weight)
    return NameFit(
        beliefs=_beliefs(names, np.arange(len(out))),
        n_names=len(out),
        n_damaged=int(names.damaged.sum()),
        brier=_of(brier, names.damaged, out, names.weight),
        brier_of_beliefs=_of(brier, names.damaged, names.belief, names.weight),
        brier_of_prior=prior * (1.0 - prior),
        calibration_error=_of(calibration_error, names.damaged, out, names.weight),
        error_of_beliefs=_of(calibration_error, names.damaged, names.belief, names.weight),
        bins=tuple((round(p, 4), round(d, 4)) for p, d, _ in bins),
    )


def _beliefs(names: LabelledNames, rows: NDArray[np.intp]) -> tuple[tuple[float, float], ...]:
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(
        names.belief[rows], names.damaged[rows], sample_weight=names.weight[rows]
    )
    known = np.unique(names.belief[rows])
    probability = (1.0 - _ORDER) * fitted.predict(known) + _ORDER * known
    pairs = [(0.0, 0.0), *zip(known.tolist(), probability.tolist(), strict=True)]
    rounded = [(round(belief, 4), round(p, 6)) for belief, p in pairs]
    return tuple(b for a, b in pairwise([(-1.0, 0.0), *rounded]) if b[0] > a[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedNameFit:
    """What beliefs and a tagger's probabilities stand for together.

    Attributes
    ----------
    odds : NameOdds
    threshold : float
        In [0, 1]: lowest that keeps `_KEPT` of the damage that the rules flag, out of fold.
    n_names, n_damaged : int
    brier, brier_of_prior, calibration_error : float
        As in `NameFit`.
    area, area_of_beliefs : float
        Under the ROC curve, out of fold, in the weights of the fit; and of the rules' beliefs.
    alarms : float
        Share of the sound names flagged by the rules that stay flagged, out of fold, in weights.
    """

    odds: NameOdds
    threshold: float
    n_names: int
    n_damaged: int
    brier: float
    brier_of_prior: float
    calibration_error: float
    area: float
    area_of_beliefs: float
    alarms: float


def fit_tagged(names: LabelledNames, *, folds: int, flagged: float = 0.5) -> TaggedNameFit | None:
    """Fit the log-odds of damage where a tagger read the name.

    Parameters
    ----------
    names : LabelledNames
        Those that no tagger read are passed over.
    folds : int
    flagged : float
        Belief from which the rules flag a name.

    Returns
    -------
    TaggedNameFit or None
        None where there are too few names of either label to fold.
    """
    from sklearn.model_selection import GroupKFold

    read = np.array([change in TAGGED_CHANGES for change in names.change]) & ~np.isnan(names.tagged)
    rows = np.flatnonzero(read)
    label, weight = names.damaged[rows], names.weight[rows]
    groups = np.array(names.group)[rows]
    if min(len(set(groups[label == one].tolist())) for one in (True, False)) < folds:
        return None
    columns = np.array(
        [
            [log_odds(names.belief[i]), log_odds(names.tagged[i])]
            + [float(names.change[i] == change) for change in TAGGED_CHANGES]
            for i in rows.tolist()
        ]
    )
    out = np.empty(len(rows))
    for train, test in GroupKFold(folds).split(columns, groups=groups):
        model = _logistic(columns[train], label[train], weight[train])
        out[test] = model.predict_proba(columns[test])[:, 1]
    ruled = names.belief[rows] >= flagged
    found = np.sort(out[label & ruled])
    threshold = float(np.floor(1000 * found[int((1.0 - _KEPT) * len(found))]) / 1000)
    model = _logistic(columns, label, weight)
    belief, tags, *changes = model.coef_[0].tolist()
    prior = float(weight @ label / weight.sum())
    sound = ~label & ruled
    return TaggedNameFit(
        odds=NameOdds(
            intercept=float(model.intercept_[0]),
            belief=max(0.0, belief),
            tags=max(0.0, tags),
            changes=dict(zip(TAGGED_CHANGES, changes, strict=True)),
        ),
        threshold=threshold,
        n_names=len(rows),
        n_damaged=int(label.sum()),
        brier=_of(brier, label, out, weight),
        brier_of_prior=prior * (1.0 - prior),
        calibration_error=_of(calibration_error, label, out, weight),
        area=auroc(label, out, weight),
        area_of_beliefs=auroc(label, names.belief[rows], weight),
        alarms=float(weight[sound] @ (out[sound] >= threshold) / weight[sound].sum()),
    )


def _logistic(
    columns: NDArray[np.float64], label: NDArray[np.bool_], weight: NDArray[np.float64]
) -> Any:  # noqa: ANN401 - sklearn ships no types
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000).fit(columns, label, sample_weight=weight)


def _of(measure: Measure, label: NDArray[np.bool_], score: Floats, weight: Floats) -> float:
    """Return a measure for one row of weights."""
    return float(measure(label, score, weight[np.newaxis])[0])
