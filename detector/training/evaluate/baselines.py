"""Compute baseline scores, and correlations of scores with human judgements.

No baseline is fitted. chrF++ and sentence BLEU come from sacrebleu, an optional package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from detector.errors import MissingExtra
from detector.training.data.corpus import Pair
from detector.training.evaluate.metrics import (
    Curve,
    Estimate,
    Floats,
    Measure,
    Resamples,
    spearman,
    tau_b,
)

COSINE = "cosine"
CHRF = "chrF++"
BERTSCORE = "BERTScore-style F1"
COPY_LENGTH = "copy length"

_TOKENS = ("token_recall", "token_precision")  # columns of the feature matrix


def baselines(
    pairs: Sequence[Pair], X: NDArray[np.float64], names: Sequence[str]
) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Compute the baseline scores from pairs and their feature matrix; higher is worse.

    Returns
    -------
    scores : dict of str to ndarray of shape (n_pairs,), float64
        One less cosine, F1 of token vectors, chrF++, sentence BLEU and rapidfuzz's ratio (each in
        [0, 1] before, the token vectors' in [-1, 1]); lengths in characters; the absolute log
        ratio of the lengths.
    notes : tuple of str
        What was left out, and why.

    Raises
    ------
    MissingExtra
        When sacrebleu is not installed.

    Notes
    -----
    chrF++ after Popović (2017), and BLEU after Papineni et al. (2002) with effective order, with
    the source as the reference. F1 of token vectors after BERTScore (Zhang et al. 2020): greedy
    matching without weights or rescaling.
    """
    from rapidfuzz.distance import Indel

    copy_length = np.array([len(pair.copy) for pair in pairs], dtype=np.float64)
    source_length = np.array([len(pair.source) for pair in pairs], dtype=np.float64)
    scores = {COSINE: 1.0 - X[:, list(names).index("similarity")]}
    notes: tuple[str, ...] = ()
    if set(_TOKENS) <= set(names):
        recall, precision = (X[:, list(names).index(name)] for name in _TOKENS)
        scores[BERTSCORE] = 1.0 - f1(recall, precision)
    else:
        notes = (f"{BERTSCORE}: left out, the features hold no {' and no '.join(_TOKENS)}",)
    scores |= _overlaps(pairs)
    scores["rapidfuzz"] = np.array(
        [Indel.normalized_distance(pair.source, pair.copy) for pair in pairs], dtype=np.float64
    )
    scores[COPY_LENGTH] = copy_length
    scores["source length"] = source_length
    scores["length ratio"] = np.abs(np.log(copy_length / source_length))
    return scores, notes


def f1(recall: Floats, precision: Floats) -> Floats:
    """Return the harmonic mean; 0 where either is 0 or below."""
    both = (recall > 0) & (precision > 0)
    total = np.where(both, recall + precision, 1.0)
    mean: Floats = np.where(both, 2.0 * recall * precision / total, 0.0)
    return mean


def _overlaps(pairs: Sequence[Pair]) -> dict[str, Floats]:
    try:
        from sacrebleu.metrics import bleu, chrf
    except ImportError as err:
        msg = (
            "chrF++ and sentence BLEU, which the figures stand beside, come from sacrebleu, which "
            'is not installed; pip install "roundtrip-detector[evaluate]"'
        )
        raise MissingExtra(msg) from err
    scores = {}
    # Without effective order a sentence of three words has no BLEU.
    for name, metric in (
        (CHRF, chrf.CHRF(word_order=2)),
        ("sentence BLEU", bleu.BLEU(effective_order=True)),
    ):
        overlap = [metric.sentence_score(pair.copy, [pair.source]).score for pair in pairs]
        scores[name] = 1.0 - np.array(overlap, dtype=np.float64) / 100.0  # theirs is out of 100
    return scores


FEWEST = 30
"""Fewest rows of each label (or with and without error points) to measure on."""

_MAJOR = 5.0  # error points of a major error
_BY_PROGRAM = {"watch", "contrast", "demetr"}  # corpora without human judgements


def judged(
    pairs: Sequence[Pair], scores: Mapping[str, Floats], resample: Resamples
) -> dict[str, dict[str, Any]]:
    """Measure how scores agree with human judgements, by corpus.

    `n` has the pairs behind each measure, `scores` by score an `Estimate` of `major_auroc` (a major
    error, or error points worth one, against none; chance is 0.5), `points_tau_b`, `hter_spearman`
    and `quality_spearman`.
    """
    corpus = np.array([pair.corpus for pair in pairs], dtype=str)
    metrics: dict[str, dict[str, Any]] = {}
    for name in sorted(set(corpus.tolist()) - _BY_PROGRAM):
        for key, (truth_of, measure) in _JUDGEMENTS.items():
            known = {i: truth_of(pairs[i]) for i in np.flatnonzero(corpus == name).tolist()}
            rows = np.array([i for i, value in known.items() if value is not None], dtype=np.intp)
            truth = np.array([known[i] for i in rows.tolist()], dtype=np.float64)
            if len(rows) < FEWEST or len(set(truth.tolist())) < 2:
                continue
            weights = resample.of_rows(rows).weights()
            entry = metrics.setdefault(name, {"n": {}, "scores": {}})
            entry["n"][key] = len(rows)
            for method, score in scores.items():
                values = measure(truth, score[rows], weights)
                entry["scores"].setdefault(method, {})[key] = Estimate.of(values)
    return metrics


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
    # 100 - quality, so that higher is worse as everywhere else.
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
    """Measure each language, or each system, of a corpus.

    `skipped` counts parts with fewer than `FEWEST` rows of either side; `parts` have `n`,
    `n_worse`, the `measure` ("auroc" with enough rows of both labels, else "points_tau_b") and an
    `Estimate` by score.
    """
    rows: dict[tuple[str, str], list[int]] = {}
    for i, pair in enumerate(pairs):
        if getattr(pair, by) and pair.corpus != "watch":
            rows.setdefault((pair.corpus, getattr(pair, by)), []).append(i)
    metrics: dict[str, dict[str, Any]] = {}
    for (corpus, part), members in sorted(rows.items()):
        entry = metrics.setdefault(corpus, {"skipped": 0, "parts": {}})
        measured = _part(
            [pairs[i] for i in members], np.array(members, dtype=np.intp), scores, resample
        )
        if measured is None:
            entry["skipped"] += 1
        else:
            entry["parts"][part] = measured
    return metrics


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
