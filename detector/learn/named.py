"""Labelled pairs to labelled names: rows of traits, and whether each name was damaged.

What a minimal pair changed is found by laying it beside its sound twin; where the twin is absent
its marks say it. The classifier of names is fitted on these rows, all on grouped folds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.bundle import LEFT_TO_RULE
from detector.classify import BeadClassifier
from detector.encode import Encoder
from detector.evidence import gather_pairs
from detector.learn.corpus import Pair
from detector.learn.metrics import reliability
from detector.learn.train import grouped_margins, platt, threshold_for
from detector.naming.findings import NameFindings
from detector.naming.traits import DIRECTIONS, TRAIT_NAMES, TRAITS
from detector.records import NameChange, Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledNames:
    """One row for each name that a classifier may judge.

    Attributes
    ----------
    traits : ndarray of shape (n_names, n_traits), float64
        As `naming.traits.trait_matrix` gives them.
    damaged : ndarray of shape (n_names,), bool
    pair : ndarray of shape (n_names,), intp
        Position of the name's pair in the sequence that was given.
    weight : ndarray of shape (n_names,), float64
        Mean 1; see `labelled_names`.
    change : tuple of str
        What became of the name, by rule.
    group : tuple of str
        Key of the source sentence, to fold by.
    """

    traits: NDArray[np.float64]
    damaged: NDArray[np.bool_]
    pair: NDArray[np.intp]
    weight: NDArray[np.float64]
    change: tuple[str, ...]
    group: tuple[str, ...]


def labelled_names(
    pairs: Sequence[Pair], encoder: Encoder, *, prior: float = 0.4, batch: int = 512
) -> LabelledNames:
    """Find the names of pairs that did not come back as they were, and label them.

    Parameters
    ----------
    pairs : sequence of Pair
        Sound ones, and minimal pairs made of them. A pair labelled as drift that has neither a
        sound twin among `pairs` nor a mark says nothing about its names and is passed over, as is
        one without a label.
    encoder : Encoder
    prior : float
        Share of damage in (0, 1) that the weights bring about. In published round-trip copies
        about one sentence in ten holds a damaged name besides slips of case, and rules find a
        change in about one sound sentence in seven.
    batch : int
        Pairs encoded at a time.

    Returns
    -------
    LabelledNames
        A name is damaged when it stood where the minimal pair was changed, or overlaps a mark.
        Names of sound pairs, and names that the change did not touch, are not. A harmless change
        that stands in several twins shares one weight.
    """
    bases = {p.twin: p for p in pairs if p.twin and p.label is False and not p.marks}
    for pair in pairs:  # harmless changes are sound too; the base is named so
        if pair.twin and pair.label is False and pair.kind in ("base", "sound"):
            bases[pair.twin] = pair
    known = [
        p.label is False or (p.label is True and (p.twin in bases or bool(p.marks))) for p in pairs
    ]
    at = [n for n, usable in enumerate(known) if usable]
    hit = _Hits(bases, encoder, batch)
    rows: list[NDArray[np.float64]] = []
    labels: list[bool] = []
    places: list[int] = []
    changes: list[str] = []
    keys: list[tuple[str, object, bool]] = []
    for n, findings in zip(at, _findings([pairs[n] for n in at], encoder, batch), strict=True):
        pair = pairs[n]
        for change, row, judged in zip(
            findings.changes, findings.traits, findings.judged, strict=True
        ):
            if not judged or change.change in LEFT_TO_RULE:
                continue
            label = pair.label is True and hit(pair, change)
            rows.append(row)
            labels.append(label)
            places.append(n)
            changes.append(change.change)
            keys.append((pair.twin or str(n), change.source or change.copy_text, label))
    damaged = np.array(labels, dtype=np.bool_)
    return LabelledNames(
        traits=np.array(rows).reshape(len(rows), len(TRAITS)),
        damaged=damaged,
        pair=np.array(places, dtype=np.intp),
        weight=_weights(keys, damaged, prior),
        change=tuple(changes),
        group=tuple(pairs[n].group for n in places),
    )


def flagged(
    probability: NDArray[np.float64], pair: NDArray[np.intp], n_pairs: int
) -> NDArray[np.float64]:
    """Return the greatest probability among the names of each pair.

    Parameters
    ----------
    probability : ndarray of shape (n_names,), float64
        Of damage, in [0, 1].
    pair : ndarray of shape (n_names,), intp
        As in `LabelledNames`.
    n_pairs : int

    Returns
    -------
    ndarray of shape (n_pairs,), float64
        0 for a pair without a changed name: what a threshold on names is to be chosen on.
    """
    out = np.zeros(n_pairs)
    np.maximum.at(out, pair, probability)
    return out


class _Hits:
    """Whether the change that made a pair damaged touched a name."""

    def __init__(self, bases: dict[str, Pair], encoder: Encoder, batch: int) -> None:
        self.bases = bases
        found = _findings(list(bases.values()), encoder, batch)
        self.names = {
            twin: [c for c in findings.changes if c.copy is not None and c.source is not None]
            for twin, findings in zip(bases, found, strict=True)
        }

    def __call__(self, pair: Pair, change: NameChange) -> bool:
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
    """Return what was replaced in a text and what by, as half-open ranges of whole words.

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


def _findings(pairs: Sequence[Pair], encoder: Encoder, batch: int) -> Iterator[NameFindings]:
    for bead in gather_pairs(((p.source, p.copy) for p in pairs), encoder, batch=batch):
        yield NameFindings(bead.names, bead.name_traits)


def _weights(
    keys: Sequence[tuple[str, object, bool]], damaged: NDArray[np.bool_], prior: float
) -> NDArray[np.float64]:
    counts = Counter(keys)
    weight = np.array([1.0 / counts[key] if not key[2] else 1.0 for key in keys])
    for label, mass in ((True, prior), (False, 1.0 - prior)):
        mine = damaged == label
        if mine.any():
            weight[mine] *= mass * len(keys) / weight[mine].sum()
    return weight


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFit:
    """A fitted classifier of names.

    Attributes
    ----------
    classifier : BeadClassifier
        Calibrated, fitted on all names given.
    threshold : float
        In [0, 1]: flags a name in at most the share asked for of the sound pairs, out of fold.
    n_names, n_damaged : int
    brier, brier_of_prior, calibration_error : float
        Of the calibrated probabilities, out of fold, in the weights of the fit.
    bins : tuple of (float, float)
        Mean probability and share damaged, in ten bins.
    """

    classifier: BeadClassifier
    threshold: float
    n_names: int
    n_damaged: int
    brier: float
    brier_of_prior: float
    calibration_error: float
    bins: tuple[tuple[float, float], ...]


def fit_names(
    pairs: Sequence[Pair], encoder: Encoder, *, false_alarms: float, folds: int, seed: int = 0
) -> NameFit | None:
    """Fit the classifier of names, calibrate it and set its threshold on grouped folds.

    Parameters
    ----------
    pairs : sequence of Pair
        Sound ones and minimal pairs; see `labelled_names`.
    encoder : Encoder
    false_alarms : float
        Share in (0, 1) of sound pairs in which a name may be flagged.
    folds : int
    seed : int

    Returns
    -------
    NameFit or None
        None where there are too few names of either label to fold.
    """
    names = labelled_names(pairs, encoder)
    groups = {label: {g for g, d in zip(names.group, names.damaged, strict=True) if d == label}
              for label in (True, False)}  # fmt: skip
    if min(map(len, groups.values())) < folds:
        return None
    model = BeadClassifier(
        model="boosting",
        n_trees=120,
        n_leaves=8,
        strength=5.0,
        monotonic=[DIRECTIONS.get(trait, 0) for trait in TRAIT_NAMES],
        random_state=seed,
    )
    target = names.damaged, names.weight
    margin = grouped_margins(model, names.traits, target, names.group, folds=folds)
    calibration = platt(margin, *target)
    probability = 0.5 * (1.0 + np.tanh(0.5 * (calibration[0] * margin + calibration[1])))
    sound = [n for n, pair in enumerate(pairs) if pair.label is False]
    worst = flagged(probability, names.pair, len(pairs))[sound]
    prior = float(names.weight @ names.damaged / names.weight.sum())
    bins = reliability(names.damaged, probability, names.weight)
    return NameFit(
        classifier=model.set_params(calibration=calibration).fit(
            names.traits, names.damaged, sample_weight=names.weight
        ),
        threshold=threshold_for(worst, np.ones(len(worst)), false_alarms),
        n_names=len(names.damaged),
        n_damaged=int(names.damaged.sum()),
        brier=float(names.weight @ (probability - names.damaged) ** 2 / names.weight.sum()),
        brier_of_prior=prior * (1.0 - prior),
        calibration_error=sum(abs(p - d) * m for p, d, m in bins) / sum(m for _, _, m in bins),
        bins=tuple((round(p, 4), round(d, 4)) for p, d, _ in bins),
    )
