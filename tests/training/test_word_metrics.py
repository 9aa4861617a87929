"""What a tagger says of each word against what people marked: counts, figures, thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from support.fakes import FakeEncoder
from support.small_tagger import small_tagger as _tagger

from detector.training.data.corpus import Mark, Pair, group_of
from detector.training.evaluate.words import (
    LEXICAL,
    RATER,
    TAGGED,
    TaggedWords,
    Words,
    categories,
    tagged_words,
    word_metrics,
)
from detector.training.tagger_run import calibrated

SOURCE = "It was robbery near the harbour."
COPY = "It was flight near the harbour."


def mark(text: str, word: str, weight: float = 5.0, side: str = "copy") -> Mark:
    at = text.index(word)
    return Mark(side=side, start=at, end=at + len(word), kind="Accuracy/x", weight=weight)  # type: ignore[arg-type]


def pair(corpus: str, *marks: Mark, copy: str = COPY, n: int = 0) -> Pair:
    source = f"{SOURCE[:-1]} {n}." if n else SOURCE
    return Pair(
        source=source,
        copy=copy,
        label=None,
        corpus=corpus,
        kind="human",
        group=group_of(source),
        points=5.0,
        marks=marks,
    )


def words(one: Pair, copy: Sequence[float], weight: Sequence[float]) -> TaggedWords:
    side = Words(np.array(copy), np.array(weight), np.array([2.0, 3.0, 6.0, 4.0, 3.0, 7.0]))
    new = np.array([word not in SOURCE for word in one.copy.rstrip(".").split()])
    return TaggedWords(pair=one, copy=side, source=side, new=new, gone=new)


def test_word_figures_count_characters_of_major_errors() -> None:
    told = words(pair("mqm_ted"), [0, 0, 0.9, 0.8, 0, 0], [0, 0, 5, 0, 0, 1])
    found = word_metrics([told], thresholds=(0.5, 0.5), edited=0.5, resamples=5)
    entry = found["mqm_ted: major errors"]
    assert entry["unit"] == "characters"
    assert entry["finders"][TAGGED]["f1"].value == pytest.approx(12 / (12 + 4))
    assert entry["finders"][LEXICAL]["f1"].value == 1.0


def test_word_figures_count_words_that_editors_changed_and_put_back() -> None:
    told = words(pair("mlqe_dev"), [0, 0, 0.3, 0.8, 0, 0], [0, 0, 1, 0, 0, 1])
    found = word_metrics([told], thresholds=(0.9, 0.7), edited=0.25, resamples=5)
    edited = found["mlqe_dev: words edited"]["finders"][TAGGED]
    assert edited["f1"].value == pytest.approx(2 / (2 + 1 + 1))
    hits, alarms, misses, rest = 1, 1, 1, 3
    below = (hits + alarms) * (hits + misses) * (rest + alarms) * (rest + misses)
    assert edited["mcc"].value == pytest.approx((hits * rest - alarms * misses) / below**0.5)
    assert found["mlqe_dev: words put back"]["finders"][TAGGED]["f1"].value == 0.0


def test_word_figures_lay_two_raters_beside_each_other() -> None:
    one = replace(
        pair("mqm_news", mark(COPY, "flight")),
        judged_again=((mark(COPY, "flight near"),), (mark(COPY, "harbour", weight=1.0),)),
    )
    found = word_metrics(
        [words(one, [0] * 6, [0] * 6)], thresholds=(0.5, 0.5), edited=0.5, resamples=5
    )
    entry = found["mqm_news: major errors, two judgements"]
    assert entry["n"] == 3
    hits, alarms, misses = 6, 4, 6 + 6 + 4  # against the second, and both against the third
    assert entry["finders"][RATER]["f1"].value == pytest.approx(
        2 * hits / (2 * hits + alarms + misses)
    )


def test_word_figures_say_which_categories_are_touched() -> None:
    one = pair("biomqm", mark(COPY, "flight"), mark(COPY, "harbour"))
    told = words(one, [0, 0, 0.9, 0, 0, 0], [0, 0, 5, 0, 0, 5])
    assert categories([told], threshold=0.5) == {"biomqm": {"Accuracy": {"n": 2, "touched": 0.5}}}


@pytest.mark.slow
def test_word_figures_read_pairs_with_a_real_tagger() -> None:
    pairs = [
        pair("mqm_ted", mark(COPY, "flight")),
        pair("mlqe_dev", mark(SOURCE, "robbery", 1.0, "source")),
    ]
    first, second = tagged_words(_tagger(), pairs, FakeEncoder())
    assert first.copy.weight.tolist() == [0, 0, 5, 0, 0, 0]
    assert second.source.weight.tolist() == [0, 0, 1, 0, 0, 0]
    assert first.new.tolist() == [False, False, True, False, False, False]
    assert first.gone.tolist() == [False, False, True, False, False, False]
    assert ((first.copy.probability > 0) & (first.copy.probability < 1)).all()


def test_tagger_is_calibrated_on_marked_pairs() -> None:
    gone = mark(SOURCE, "robbery", side="source")
    pairs = [
        *(pair("mqm_ted", mark(COPY, "flight"), n=n) for n in range(1, 9)),
        *(replace(pair("contrast", mark(COPY, "flight"), gone, n=n), label=True)
          for n in range(1, 9)),
    ]  # fmt: skip
    tagger = calibrated(_tagger(), pairs, FakeEncoder())
    words = tagged_words(tagger, pairs, FakeEncoder())
    said = np.concatenate([one.copy.probability for one in words])
    lost = np.concatenate([one.source.probability for one in words[8:]])
    assert said.mean() == pytest.approx(1 / 6, abs=0.03)  # one word in six is marked
    assert lost.mean() == pytest.approx(1 / 7, abs=0.03)
    assert tagger.config.thresholds != (0.5, 0.5)
    assert calibrated(_tagger(), [], FakeEncoder()).config.thresholds == (0.5, 0.5)


def test_tagger_words_of_a_harmless_change_are_not_marked() -> None:
    harmless = replace(pair("contrast", mark(COPY, "flight")), label=False)
    (words,) = tagged_words(_tagger(), [harmless], FakeEncoder())
    assert not words.copy.weight.any()
