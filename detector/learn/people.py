"""Scores beside what people judged, and the figures language by language and system by system.

People gave error points, edits and marks out of 100; none of these is a label. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from detector.learn.corpus import Pair
from detector.learn.metrics import Curve, Estimate, Floats, Measure, Resamples, spearman, tau_b

FEWEST = 30
"""Rows of each label (or with and without error points) below which no figure is given."""

_MAJOR = 5.0  # error points of a major error
_BY_PROGRAM = {"watch", "contrast", "demetr"}  # corpora whose points no person gave


def judged(
    pairs: Sequence[Pair], scores: Mapping[str, Floats], resample: Resamples
) -> dict[str, dict[str, Any]]:
    """Measure how scores go with what people judged, on every pair that they judged.

    Parameters
    ----------
    pairs : sequence of Pair
    scores : mapping of str to ndarray of shape (n_pairs,), float64
        Higher is worse.
    resample : Resamples
        Of the pairs' groups.

    Returns
    -------
    dict of str to dict
        By corpus: under `n` the pairs behind each measure, under `scores` by score an `Estimate`
        of `major_auroc` (a major error, or error points worth one, against none), `points_tau_b`,
        `hter_spearman` and `quality_spearman`; above 0 (0.5 for the first) is right.
    """
    corpus = np.array([pair.corpus for pair in pairs], dtype=str)
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(set(corpus.tolist()) - _BY_PROGRAM):
        for key, (truth_of, measure) in _JUDGEMENTS.items():
            known = {i: truth_of(pairs[i]) for i in np.flatnonzero(corpus == name).tolist()}
            rows = np.array([i for i, value in known.items() if value is not None], dtype=np.intp)
            truth = np.array([known[i] for i in rows.tolist()], dtype=np.float64)
            if len(rows) < FEWEST or len(set(truth.tolist())) < 2:
                continue
            weights = resample.of_rows(rows).weights()
            entry = found.setdefault(name, {"n": {}, "scores": {}})
            entry["n"][key] = len(rows)
            for method, score in scores.items():
                values = measure(truth, score[rows], weights)
                entry["scores"].setdefault(method, {})[key] = Estimate.of(values)
    return found


def _major(pair: Pair) -> float | None:
    if pair.points is None:
        return None
    if pair.marks:
        return float(any(mark.weight >= _MAJOR for mark in pair.marks))
    return float(pair.points >= _MAJOR)


def _auroc(truth: Floats, score: Floats, weights: Floats) -> Floats:
    return Curve.of(truth > 0, score, weights).auroc()


_JUDGEMENTS: Mapping[str, tuple[Callable[[Pair], float | None], Measure]] = {
    "major_auroc": (_major, _auroc),
    "points_tau_b": (lambda pair: pair.points, tau_b),
    "hter_spearman": (lambda pair: pair.hter, spearman),
    # Turned round, so that more is worse as everywhere else.
    "quality_spearman": (
        lambda pair: None if pair.quality is None else 100.0 - pair.quality,
        spearman,
    ),
}


def sliced(
    pairs: Sequence[Pair],
    scores: Mapping[str, Floats],
    resample: Resamples,
    *,
    by: Literal["lang", "system"],
) -> dict[str, dict[str, Any]]:
    """Measure each language, or each system, of a corpus by itself.

    Returns
    -------
    dict of str to dict
        By corpus: `skipped` (how many had fewer than `FEWEST` rows of either side), and under
        `parts` by language or system its `n`, `n_worse`, the `measure` ("auroc" where both labels
        are there often enough, else "points_tau_b") and an `Estimate` by score.
    """
    rows: dict[tuple[str, str], list[int]] = {}
    for i, pair in enumerate(pairs):
        if getattr(pair, by) and pair.corpus != "watch":
            rows.setdefault((pair.corpus, getattr(pair, by)), []).append(i)
    found: dict[str, dict[str, Any]] = {}
    for (corpus, part), mine in sorted(rows.items()):
        entry = found.setdefault(corpus, {"skipped": 0, "parts": {}})
        measured = _part([pairs[i] for i in mine], np.array(mine, dtype=np.intp), scores, resample)
        if measured is None:
            entry["skipped"] += 1
        else:
            entry["parts"][part] = measured
    return found


def _part(
    pairs: Sequence[Pair], rows: NDArray[np.intp], scores: Mapping[str, Floats], resample: Resamples
) -> dict[str, Any] | None:
    sides: tuple[tuple[str, Measure, list[float | None]], ...] = (
        ("auroc", _auroc, [None if p.label is None else float(p.label) for p in pairs]),
        ("points_tau_b", tau_b, [p.points for p in pairs]),
    )
    for name, measure, given in sides:
        known = np.array([value is not None for value in given], dtype=bool)
        truth = np.array([value for value in given if value is not None], dtype=np.float64)
        worse = int((truth > 0).sum())
        if min(worse, len(truth) - worse) < FEWEST:
            continue
        at = rows[known]
        weights = resample.of_rows(at).weights()
        estimates = {
            method: Estimate.of(measure(truth, score[at], weights))
            for method, score in scores.items()
        }
        return {"n": len(at), "n_worse": worse, "measure": name, "scores": estimates}
    return None
