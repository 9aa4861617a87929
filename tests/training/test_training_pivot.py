"""Fit the pivot model on invented round trips."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from support.fakes import DIMENSION, FakeEncoder
from support.made_pivot import HABITS, LINEAR, WITH_NETS, pivot_rows, random_net

from detector.errors import InputError
from detector.pivot.edits import N_LENGTHS, encode_edits
from detector.training.pivot import train_pivot
from detector.training.pivot_data import RoundTrip, encode_pairs, encode_sides, featurise
from detector.training.pivot_weights import (
    EditView,
    KeptView,
    LinearSettings,
    NetSettings,
    View,
    average_nets,
    fit_net,
    fit_weights,
    group_sentences,
)


@pytest.mark.slow
def test_training_pivot_the_same_training_gives_the_same_bytes() -> None:
    first, second = (
        train_pivot(pivot_rows(), WITH_NETS, encoder=FakeEncoder().identity) for _ in range(2)
    )
    assert first.to_bytes() == second.to_bytes()
    assert first.edit_net.outward.any()
    assert first.kept_net.outward.any()


def test_training_pivot_one_system_is_refused() -> None:
    rows = pivot_rows()
    alone = rows.of(np.flatnonzero(rows.system == "one"))
    with pytest.raises(InputError, match="two or more"):
        train_pivot(alone, LINEAR, encoder=FakeEncoder().identity)


def test_training_pivot_documents_hold_sentences_of_one_translator() -> None:
    groups = np.array(["a", "b", "a", "a", "c", "b", "a", "a", "b", "b"])
    made = group_sentences(groups, LinearSettings(together=2, draws=3))
    held = [set(groups[made.indices[a:b]]) for a, b in pairwise(made.indptr)]
    assert all(len(names) == 1 for names in held)
    lengths = np.diff(made.indptr).tolist()
    sizes = Counter((min(names), length) for names, length in zip(held, lengths, strict=True))
    # Five of a, four of b, and one of c, which makes a document by itself.
    assert sizes == {("a", 2): 6, ("b", 2): 6, ("c", 1): 3}
    per_draw = made[:5].sum(axis=0)
    assert per_draw.max() == 1  # no sentence twice in one draw


def test_training_pivot_a_family_learns_from_its_languages() -> None:
    features = csr_matrix(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]] * 40, np.float32))
    language = np.array([0, 1, 2] * 40)
    families = np.array(["Slavic", "Slavic", "Turkic"])

    def fitted(tied: float) -> NDArray[np.float32]:
        options = LinearSettings(ridge=1.0, epochs=20, batch=16, tied=tied)
        return fit_weights(features, language, np.ones(120), families=families, settings=options)

    apart, tied = fitted(0.0), fitted(2.0)
    assert apart.argmax(axis=1).tolist() == tied.argmax(axis=1).tolist() == [0, 1, 2]
    # What speaks for one Slavic language speaks less against the other than against a Turkic one.
    assert apart[0, 1] == pytest.approx(apart[0, 2], abs=0.2)
    assert tied[0, 1] > tied[0, 2] + 0.3


@pytest.mark.slow
def test_training_pivot_the_net_learns_what_no_single_word_tells() -> None:
    # Each word is put in once only, so no word can be learned; its vector says the language.
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.standard_normal((DIMENSION, 3)))[0].T
    pairs, put = [], []
    for number in range(240):
        language = tuple(HABITS)[number % 3]
        pairs.append(RoundTrip("a b", f"a w{number}", language, "one", "made", f"{number}", "0"))
        put.append(directions[number % 3] + 0.2 * rng.standard_normal(DIMENSION))
    pool = encode_pairs(pairs, FakeEncoder())
    pool = replace(pool, vectors=replace(pool.vectors, added=np.array(put, np.float16)))
    rows = featurise(pairs, tuple(HABITS), pool, least=2)
    truth = np.arange(240) % 3
    learned = np.flatnonzero(np.arange(240) < 180)
    options = NetSettings(hidden=16, steps=60, documents=32, together=2)
    net = fit_net(
        rows.of(learned), truth[learned], np.ones(180), k=3, view=EditView(), settings=options
    )
    scores = net.scores(pool.vectors.inputs())
    assert (scores[180:].argmax(axis=1) == truth[180:]).mean() > 0.9
    assert scores.sum(axis=1) == pytest.approx(np.zeros(240), abs=1e-3)


def test_training_pivot_averaged_nets_score_their_mean() -> None:
    rng = np.random.default_rng(0)
    first, second = (random_net(2 * DIMENSION + N_LENGTHS, 3, rng) for _ in range(2))
    sides = encode_sides(["They saw the boat.", "They left a ship."], FakeEncoder())
    vectors = encode_edits(*sides.values()).vectors
    inputs = vectors.inputs()
    mean = (first.scores(inputs) + second.scores(inputs)) / 2
    assert average_nets([first, second]).scores(inputs) == pytest.approx(mean, abs=0.02)


@pytest.mark.parametrize("view", [EditView(), KeptView()])
def test_training_pivot_a_net_of_no_steps_scores_nothing(view: View) -> None:
    rows = pivot_rows()
    n = len(rows.pair)
    no_steps = NetSettings(steps=0)
    net = fit_net(rows, np.zeros(n, np.int64), np.ones(n), k=3, view=view, settings=no_steps)
    inputs, owner = view.inputs(rows.pool, rows.pair)
    scores = average_nets([net, net]).scores(inputs)
    assert scores.shape == (len(owner), 3)
    assert not scores.any()


@pytest.mark.slow
def test_training_pivot_the_net_learns_which_words_are_kept() -> None:
    # The same sentences through both languages; one loses the first word of each, one the last.
    pairs = []
    for number in range(80):
        name = "".join(chr(ord("a") + int(digit)) for digit in str(number))
        first, last = f"first{name}", f"last{name}"
        for language, copy in (("fr", last), ("ru", first)):
            sentence = str(number)
            pairs.append(
                RoundTrip(f"{first} {last}", copy, language, "one", "made", sentence, sentence)
            )
    pool = encode_pairs(pairs, FakeEncoder())
    rng = np.random.default_rng(0)
    words = rng.standard_normal((160, DIMENSION)) * 0.1
    words[::2, 0] += 2.0  # what first words have in common
    pool = replace(pool, words=words.astype(np.float16))
    rows = featurise(pairs, ("fr", "ru"), pool, least=2)
    truth = np.arange(160) % 2
    learned = np.flatnonzero(np.arange(160) < 120)
    options = NetSettings(hidden=8, steps=120, documents=32, together=2)
    net = fit_net(
        rows.of(learned), truth[learned], np.ones(120), k=2, view=KeptView(), settings=options
    )
    kept, owner = pool.kept_of(np.arange(120, 160))
    assert (net.scores(kept.astype(np.float32)).argmax(axis=1) == owner % 2).mean() > 0.9
