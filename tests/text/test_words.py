from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeEncoder

from detector.text.words import align_words, find_words, normalise, rarity, word_vectors


@given(st.text())
def test_words_stand_where_they_say(text: str) -> None:
    end = 0
    for word in find_words(text):
        assert text[word.start : word.end] == word.text
        assert word.norm
        assert word.start >= end
        end = word.end


@given(st.text(), st.integers(min_value=0, max_value=10_000))
def test_words_offset_shifts_every_place(text: str, offset: int) -> None:
    here, there = find_words(text), find_words(text, offset=offset)
    assert [(w.start + offset, w.norm) for w in here] == [(w.start, w.norm) for w in there]


@pytest.mark.parametrize(
    ("text", "norms"),
    [
        ("Xi-Trump call", ["xi", "trump", "call"]),
        ("the U.S. and the US", ["the", "us", "and", "the", "us"]),
        ("1.5 billion, 200,000 more", ["1.5", "billion", "200,000", "more"]),
        ("Türkiye’s Kjær", ["turkiye", "kjaer"]),
        ("don't don’t", ["don't", "don't"]),
        ("so\u00adlar pa\u200bnel", ["solar", "panel"]),
        ("", []),
        ("— … “ ”", []),
    ],
)
def test_words_golden(text: str, norms: list[str]) -> None:
    assert [w.norm for w in find_words(text)] == norms


@pytest.mark.parametrize(
    ("text", "possessive"),
    [("Khan's car", True), ("Khan’s car", True), ("Trumps' plan", True), ("Khans car", False)],
)
def test_words_possessive_is_seen_in_any_spelling(text: str, possessive: bool) -> None:
    assert find_words(text)[0].possessive is possessive


@given(st.text(min_size=1))
def test_words_normalise_is_stable(text: str) -> None:
    for word in find_words(text):
        assert normalise(word.norm).casefold() == normalise(word.norm)


def test_words_alignment_is_one_to_one_and_both_sides_agree() -> None:
    source = find_words("The Portuguese minister met the German chancellor in Porto on Friday.")
    copy = find_words("On Friday the German chancellor met in Porto with the minister of Portugal.")
    links = align_words(source, copy)
    for i, j in enumerate(links.to_copy):
        if j >= 0:
            assert links.to_source[j] == i
    linked = [j for j in links.to_copy if j >= 0]
    assert len(linked) == len(set(linked))
    assert links.to_copy[[w.norm for w in source].index("porto")] == [w.norm for w in copy].index(
        "porto"
    )


def test_words_alignment_of_itself_is_the_identity() -> None:
    words = find_words("The bank that lent the money to the bank wants the money back.")
    links = align_words(words, words)
    assert links.to_copy.tolist() == list(range(len(words)))
    assert np.allclose(links.source_strength, 1.0)


def test_words_alignment_with_an_empty_side_links_nothing() -> None:
    links = align_words(find_words("one word"), ())
    assert links.to_copy.tolist() == [-1, -1]
    assert links.copy_strength.shape == (0,)


def test_words_vectors_pool_the_tokens_inside_each_word() -> None:
    text = "alpha beta gamma"
    tokens = FakeEncoder().encode([text]).tokens
    assert tokens is not None
    vectors = word_vectors(find_words(text, offset=100), tokens[0], offset=100)
    assert vectors.shape == (3, tokens[0].vectors.shape[1])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert np.allclose(vectors, tokens[0].vectors, atol=2e-3)


def test_words_rarity_orders_the_common_before_the_rare() -> None:
    weights = rarity(find_words("the minister of Borealopelta"))
    assert weights[0] == 0.0
    assert weights[0] < weights[1] < weights[3] <= 1.0
