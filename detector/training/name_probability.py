"""Label changed names, and fit the probability that one is damaged.

Probabilities of the rules alone and with a tagger are calibrated on grouped folds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.encoder import Encoder
from detector.features.evidence import gather_pairs
from detector.features.token_tags import name_probability
from detector.models.tagger import Tagger
from detector.names.calibration import (
    TAGGED_CHANGES,
    NameFinding,
    NameOdds,
    calibrate,
    log_odds,
)
from detector.records import Change, Span
from detector.training.data.corpus import Pair
from detector.training.data.sampling import MARKED
from detector.training.evaluate.metrics import (
    Floats,
    Measure,
    auroc,
    brier,
    calibration_error,
    reliability,
)
from detector.training.feature_cache import tag_unseen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledNames:
    """Arrays with a row for each changed name."""

    belief: NDArray[np.float64]  # of the rule, in [0, 1], that the name is damaged
    damaged: NDArray[np.bool_]
    weight: NDArray[np.float64]  # mean 1; see `labelled_names`
    tagged: NDArray[np.float64]  # a tagger's greatest probability for a word of it, or NaN
    change: tuple[Change, ...]  # kind of change, by rule
    group: tuple[str, ...]  # key of the source sentence


def labelled_names(
    pairs: Sequence[Pair],
    encoder: Encoder,
    *,
    tagger: Tagger | None = None,
    prior: float = 0.4,
    batch: int = 512,
) -> LabelledNames:
    """Find the changed names of pairs, and label them.

    A name is damaged where the minimal pair was changed, or where it overlaps a mark. Skipped are
    pairs without a label, drifted ones with neither a sound twin nor a mark, and dropped names of
    `MARKED`, whose marks are of the copy. `prior` is the share of damage in the weights of minimal
    pairs, which weigh as much as the others: about one published sentence in ten holds a damaged
    name besides case errors, and rules find a change in one sound sentence in seven. A harmless
    change that occurs in several minimal pairs of one base shares one weight.
    """
    bases = {p.twin: p for p in pairs if p.twin and p.label is False and not p.marks}
    for pair in pairs:  # harmless changes are sound too: prefer the base
        if pair.twin and pair.label is False and pair.kind in ("base", "sound"):
            bases[pair.twin] = pair
    usable = [
        p for p in pairs if p.label is False or (p.label is True and (p.twin in bases or p.marks))
    ]
    touched = _Touched(bases, encoder, batch)
    rows = [
        (pair, change, tagged)
        for pair, names in zip(usable, _names(usable, encoder, batch, tagger), strict=True)
        for change, tagged in names
        if change.change != "kept" and not (pair.corpus in MARKED and change.change == "dropped")
    ]
    damaged = np.array([p.label is True and touched(p, change) for p, change, _ in rows], np.bool_)
    return LabelledNames(
        belief=np.array([change.confidence for _, change, _ in rows], dtype=np.float64),
        tagged=np.array([tagged for _, _, tagged in rows], dtype=np.float64),
        damaged=damaged,
        weight=_weights([(pair, change) for pair, change, _ in rows], damaged, prior),
        change=tuple(change.change for _, change, _ in rows),
        group=tuple(pair.group for pair, _, _ in rows),
    )


class _Touched:
    """Whether the damage of a pair touched a name."""

    def __init__(self, bases: dict[str, Pair], encoder: Encoder, batch: int) -> None:
        self.bases = bases
        changed = _names(list(bases.values()), encoder, batch)
        self.names = {
            twin: [c for c, _ in names if c.copy is not None and c.source is not None]
            for twin, names in zip(bases, changed, strict=True)
        }

    def __call__(self, pair: Pair, change: NameFinding) -> bool:
        base = self.bases.get(pair.twin)
        if base is None:
            return any(
                _overlap(change.source if m.side == "source" else change.copy, m.start, m.end)
                for m in pair.marks
                if m.weight > 0
            )
        before, after = changed_regions(base.copy, pair.copy)
        if change.source is None:
            return _overlap(change.copy, *after)
        return any(
            _overlap(name.copy, *before)
            for name in self.names[pair.twin]
            if name.source == change.source
        )


def changed_regions(base: str, changed: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the changed ranges of two texts, half-open and widened to whole words.

    Examples
    --------
    >>> changed_regions("They met in Lima today.", "They met in Linz today.")
    ((12, 16), (12, 16))
    >>> changed_regions("They met in Lima today.", "They met today.")
    ((9, 17), (9, 9))
    """
    shortest = min(len(base), len(changed))
    start = next((k for k in range(shortest) if base[k] != changed[k]), shortest)
    left = shortest - start
    end = next((k for k in range(left) if base[-1 - k] != changed[-1 - k]), left)
    texts = (base, changed)
    while any(_inside_word(text, start) for text in texts):
        start -= 1
    while any(_inside_word(text, len(text) - end) for text in texts):
        end -= 1
    return (start, len(base) - end), (start, len(changed) - end)


def _inside_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def _overlap(span: Span | None, start: int, end: int) -> bool:
    return span is not None and span.start < end and start < span.end


def _names(
    pairs: Sequence[Pair], encoder: Encoder, batch: int, tagger: Tagger | None = None
) -> Iterator[list[tuple[NameFinding, float]]]:
    """Yield the names of each pair, each with the tagger's probability or NaN."""
    for start in range(0, len(pairs), batch):
        part = pairs[start : start + batch]
        beads = list(gather_pairs(((p.source, p.copy) for p in part), encoder, batch=batch))
        tagged = tag_unseen(tagger, part, beads)
        for row, bead in enumerate(beads):
            yield [
                (change, name_probability(change, *tagged[row]) if row in tagged else math.nan)
                for change in bead.names
            ]


def _weights(
    rows: Sequence[tuple[Pair, NameFinding]], damaged: NDArray[np.bool_], prior: float
) -> NDArray[np.float64]:
    keys = [(p.twin or str(n), c.source or c.copy_text) for n, (p, c) in enumerate(rows)]
    harmless = Counter(key for key, hit in zip(keys, damaged.tolist(), strict=True) if not hit)
    weight = np.array([1.0 / (1 if hit else harmless[key])
                       for key, hit in zip(keys, damaged.tolist(), strict=True)])  # fmt: skip
    marked = np.array([pair.corpus in MARKED for pair, _ in rows], dtype=np.bool_)
    parts = [(marked, 1.0), (~marked & damaged, prior), (~marked & ~damaged, 1.0 - prior)]
    for rows_of_part, mass in parts:
        if rows_of_part.any():
            weight[rows_of_part] *= mass / weight[rows_of_part].sum()
    return weight * (len(rows) / weight.sum()) if len(rows) else weight


_KEPT = 0.95  # share of the damage flagged by rules that the threshold with tags must keep
_ORDER = 0.02  # weight of the belief itself, so that calibration never ties two beliefs


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFit:
    """Calibration of the rules' beliefs about names; metrics are out of fold and weighted."""

    beliefs: tuple[tuple[float, float], ...]  # belief and probability, both rising from (0, 0)
    n_names: int
    n_damaged: int
    brier: float
    brier_of_beliefs: float  # of the beliefs taken for probabilities
    brier_of_prior: float  # of a constant
    calibration_error: float
    error_of_beliefs: float
    bins: tuple[tuple[float, float], ...]  # mean probability and share damaged, at most ten


def fit_beliefs(names: LabelledNames, *, folds: int) -> NameFit | None:
    """Calibrate the rules' beliefs by isotonic regression (Zadrozny and Elkan, 2002).

    The order of the beliefs stays. None where there are too few names of either label to fold.
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
        out[test] = [calibrate(table, belief) for belief in names.belief[test].tolist()]
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
    """Log-odds of damage given a rule's belief and a tagger's probability; metrics as above."""

    odds: NameOdds
    threshold: float  # lowest that keeps `_KEPT` of the damage that the rules flag
    n_names: int
    n_damaged: int
    brier: float
    brier_of_prior: float
    calibration_error: float
    area: float  # under the ROC curve
    area_of_beliefs: float
    alarms: float  # share of the sound names flagged by the rules that stay flagged


def fit_tagged(names: LabelledNames, *, folds: int, flagged: float = 0.5) -> TaggedNameFit | None:
    """Fit the log-odds of damage of tagged names; the rules flag a belief from `flagged` up.

    None where there are too few names of either label to fold.
    """
    from sklearn.model_selection import GroupKFold

    known = np.array([change in TAGGED_CHANGES for change in names.change]) & ~np.isnan(
        names.tagged
    )
    rows = np.flatnonzero(known)
    label, weight = names.damaged[rows], names.weight[rows]
    groups = np.array(names.group)[rows]
    if min(len(set(groups[label == value].tolist())) for value in (True, False)) < folds:
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
    probabilities = np.sort(out[label & ruled])
    threshold = float(
        np.floor(1000 * probabilities[int((1.0 - _KEPT) * len(probabilities))]) / 1000
    )
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
