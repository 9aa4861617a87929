"""Simple scores: worse copies score higher, published ways are theirs, what is missing is said."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from detector.errors import MissingExtra
from detector.training.data.corpus import Pair, group_of
from detector.training.evaluate.baselines import BERTSCORE, CHRF, COPY_LENGTH, COSINE, baselines, f1

SOURCE = "The council opened the new bridge on Friday."


def _pairs(*copies: str) -> list[Pair]:
    return [
        Pair(source=SOURCE, copy=copy, label=None, corpus="made", kind="", group=group_of(SOURCE))
        for copy in copies
    ]


def test_baselines_score_nothing_for_an_identical_copy() -> None:
    pairs = _pairs(SOURCE, "The council opened a new bridge on Friday.", "Fish swim in the sea.")
    names = ("similarity", "token_recall", "token_precision")
    X = np.array([[1.0, 1.0, 1.0], [0.9, 0.95, 0.9], [0.1, 0.2, 0.3]])
    scores, notes = baselines(pairs, X, names)
    assert notes == ()
    for name in (COSINE, BERTSCORE, CHRF, "sentence BLEU", "rapidfuzz"):
        same, near, far = scores[name]
        assert same == pytest.approx(0.0, abs=1e-9)
        assert same < near < far <= 1.0, name
    assert scores["length ratio"][0] == 0.0
    assert scores[COPY_LENGTH].tolist() == [len(pair.copy) for pair in pairs]


def test_baselines_are_sacrebleu_own_sentence_scores() -> None:
    from sacrebleu import sentence_bleu, sentence_chrf

    copy = "The council has opened the bridge Friday."
    scores, _ = baselines(_pairs(copy), np.array([[0.5]]), ("similarity",))
    chrf = sentence_chrf(copy, [SOURCE], word_order=2).score
    bleu = sentence_bleu(copy, [SOURCE], use_effective_order=True).score
    assert scores[CHRF][0] == pytest.approx(1 - chrf / 100)
    assert scores["sentence BLEU"][0] == pytest.approx(1 - bleu / 100)


def test_baselines_say_that_token_vectors_are_not_there() -> None:
    scores, notes = baselines(_pairs("A bridge."), np.array([[0.5]]), ("similarity",))
    assert BERTSCORE not in scores
    assert "token_recall" in notes[0]


def test_baselines_without_sacrebleu_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(MissingExtra, match=r"roundtrip-detector\[evaluate\]"):
        baselines(_pairs("A bridge."), np.array([[0.5]]), ("similarity",))


def test_baselines_take_no_pairs() -> None:
    scores, _ = baselines([], np.zeros((0, 1)), ("similarity",))
    assert {len(score) for score in scores.values()} == {0}


def test_baselines_f1_is_nothing_where_one_side_is_nothing() -> None:
    assert f1(np.array([0.5, -0.1, 0.0]), np.array([0.5, 0.9, 0.0])).tolist() == [0.5, 0.0, 0.0]
