"""The simple scores that ours are to beat, on the same pairs; higher is worse.

None is fitted. chrF++ and sentence BLEU come from sacrebleu, an optional package; what needs the
encoder is read off the feature matrix, so that the vectors are the ones that ours had.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.errors import MissingExtra
from detector.learn.corpus import Pair
from detector.learn.metrics import Floats

COSINE = "cosine"
CHRF = "chrF++"
BERTSCORE = "BERTScore-style F1"
COPY_LENGTH = "copy length"

_TOKENS = ("token_recall", "token_precision")  # columns of the feature matrix


def baselines(
    pairs: Sequence[Pair], X: NDArray[np.float64], names: Sequence[str]
) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Compute the simple scores.

    Parameters
    ----------
    pairs : sequence of Pair
    X : ndarray of shape (n_pairs, n_features), float64
    names : sequence of str
        Names of the columns.

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
    chrF++ after Popović (2017) and BLEU after Papineni et al. (2002) with effective order, the
    source standing in for the reference. F1 of token vectors after BERTScore (Zhang et al. 2020):
    greedy matching, no weights by rarity, no rescaling.
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
    """Return the harmonic mean; 0 where either is 0 or below.

    Examples
    --------
    >>> f1(np.array([1.0, 0.0]), np.array([0.5, 0.5])).round(3).tolist()
    [0.667, 0.0]
    """
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
    found = {}
    # Without effective order a sentence of three words would have no BLEU at all.
    for name, metric in (
        (CHRF, chrf.CHRF(word_order=2)),
        ("sentence BLEU", bleu.BLEU(effective_order=True)),
    ):
        overlap = [metric.sentence_score(pair.copy, [pair.source]).score for pair in pairs]
        found[name] = 1.0 - np.array(overlap, dtype=np.float64) / 100.0  # theirs is out of 100
    return found
