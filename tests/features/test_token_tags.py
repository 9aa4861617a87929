"""Tags: numbers for models, and spans of whole words in the raw texts."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeEncoder

from detector.errors import InputError
from detector.features.evidence import gather_pairs
from detector.features.token_tags import (
    KINDS,
    TAG_FEATURES,
    Tokens,
    TokenTags,
    error_spans,
    split_by_sentence,
    tag_matrix,
    word_probabilities,
)
from detector.records import ErrorSpan, NameChange, Sentence, Span
from detector.text.words import find_words


def tokens(text: str, size: int = 3) -> Tokens:
    """Cut a text into pieces of words, as a word-piece tokeniser does."""
    places = [
        (start, min(start + size, word.end))
        for word in find_words(text)
        for start in range(word.start, word.end, size)
    ]
    return Tokens(
        np.zeros((len(places), 4), np.float16),
        tuple(text[a:b].lower() for a, b in places),
        np.array([a for a, _ in places], np.int64),
        np.array([b for _, b in places], np.int64),
    )


def tags(source: Tokens, copy: Tokens, **worst: dict[int, float]) -> TokenTags:
    damaged, lost = np.zeros(len(copy)), np.zeros(len(source))
    for at, probability in worst.get("damaged", {}).items():
        damaged[at] = probability
    for at, probability in worst.get("lost", {}).items():
        lost[at] = probability
    kinds = np.zeros((len(copy), len(KINDS)))
    kinds[:, 0] = 1.0
    return TokenTags(damaged=damaged, lost=lost, kinds=kinds, drift=2.0, points=3.0)


def test_token_tags_a_word_is_as_suspect_as_its_worst_token() -> None:
    text = "daylight robbery"
    pieces = tokens(text)
    found = word_probabilities(find_words(text), pieces, np.array([0.1, 0.6, 0.2, 0.0, 0.3, 0.1]))
    assert found.tolist() == [0.6, 0.3]


def test_token_tags_spans_are_whole_words_that_stand_together() -> None:
    source, copy = "it was daylight robbery here", "it was daylight flight near here"
    pieces = tokens(source), tokens(copy)
    starts = pieces[1].starts.tolist()
    given_tags = tags(
        *pieces,
        damaged={starts.index(7): 0.4, starts.index(16): 0.9, starts.index(28): 0.5},
        lost={pieces[0].starts.tolist().index(16): 0.8},
    )
    spans = error_spans((find_words(source), find_words(copy)), pieces, given_tags, (0.4, 0.5))
    found = [
        (
            None if e.copy is None else e.copy.of(copy),
            None if e.source is None else e.source.of(source),
        )
        for e in spans
    ]
    assert found == [("daylight flight", None), ("here", None), (None, "robbery")]
    assert [e.probability for e in spans] == [0.9, 0.5, 0.8]
    assert [e.kind for e in spans] == ["mistranslation", "mistranslation", "omission"]


def test_token_tags_a_word_in_small_letters_is_no_name() -> None:
    text = "near Lima"
    pieces = tokens(text, size=9)
    kinds = np.tile(np.eye(len(KINDS))[KINDS.index("name")] * 0.6 + 0.08, (2, 1))
    both = TokenTags(np.array([0.9, 0.8]), np.zeros(2), kinds, 0.0, 1.0)
    spans = error_spans((find_words(text), find_words(text)), (pieces, pieces), both, (0.5, 0.5))
    assert [(e.kind == "name", e.copy.of(text)) for e in spans if e.copy] == [
        (False, "near"),
        (True, "Lima"),
    ]


def test_token_tags_words_of_two_kinds_make_two_spans() -> None:
    text = "One Two"
    pieces = tokens(text)
    kinds = np.zeros((2, len(KINDS)))
    kinds[0, KINDS.index("number")] = kinds[1, KINDS.index("name")] = 1.0
    both = TokenTags(np.array([0.9, 0.8]), np.zeros(2), kinds, 0.0, 1.0)
    spans = error_spans((find_words(text), find_words(text)), (pieces, pieces), both, (0.5, 0.5))
    assert [(e.kind, e.copy.of(text)) for e in spans if e.copy] == [
        ("number", "One"),
        ("name", "Two"),
    ]


def test_token_tags_numbers_are_zero_for_a_sound_bead_and_rise() -> None:
    pieces = tokens("one two"), tokens("one three")
    sound = tags(*pieces)
    sound = TokenTags(sound.damaged, sound.lost, sound.kinds, -20.0, 0.0)
    rows = tag_matrix([sound, tags(*pieces, damaged={1: 0.7}, lost={1: 0.4})])
    np.testing.assert_allclose(rows[0], 0.0, atol=1e-8)
    assert (rows[1] > 0).all()
    assert rows.shape == (2, len(TAG_FEATURES))
    assert tag_matrix([]).shape == (0, len(TAG_FEATURES))


def test_token_tags_spans_go_to_their_sentence_and_those_of_the_source_to_the_first() -> None:
    sentences = [Sentence(0, 4, "One.", 0), Sentence(5, 9, "Two.", 0)]
    one, two = (ErrorSpan(copy=Span(a, a + 3), source=None, probability=0.5, kind="name")
                for a in (0, 5))  # fmt: skip
    lost = ErrorSpan(copy=None, source=Span(0, 3), probability=0.5, kind="omission")
    assert split_by_sentence([one, two, lost], sentences) == [(one, lost), (two,)]


def test_token_tags_spans_and_changes_end_with_their_sentence() -> None:
    raw = "Stone\n$\n5 million left."
    sentences = [Sentence(0, 5, "Stone", 0), Sentence(8, 23, "5 million left.", 1)]
    assert [raw[s.start : s.end] for s in sentences] == [s.text for s in sentences]
    error = ErrorSpan(copy=Span(0, 17), source=None, probability=0.5, kind="name")
    first, second = split_by_sentence([error], sentences)
    assert [e.copy for e in (*first, *second)] == [Span(0, 5), Span(8, 17)]
    name = NameChange(
        change="added",
        probability=0.9,
        copy=Span(0, 9),
        copy_text=raw[:9],
        source=None,
        source_text=None,
        reason="",
    )
    money = replace(name, copy=Span(6, 17), copy_text=raw[6:17])
    placed = split_by_sentence([name, money], sentences)
    assert [(c.copy, c.copy_text) for part in placed for c in part] == [
        (Span(0, 5), "Stone"),
        (Span(8, 17), "5 million"),
    ]


@given(st.text(max_size=60), st.text(max_size=60), st.integers(0, 2**31))
def test_token_tags_spans_lie_on_word_ends_and_never_overlap(
    source: str, copy: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sides, pieces = (find_words(source), find_words(copy)), (tokens(source), tokens(copy))
    any_tags = TokenTags(
        rng.random(len(pieces[1])),
        rng.random(len(pieces[0])),
        rng.random((len(pieces[1]), len(KINDS))),
        0.0,
        0.0,
    )
    spans = error_spans(sides, pieces, any_tags, (0.5, 0.5))
    for words, mine in (
        (sides[1], [e.copy for e in spans if e.copy]),
        (sides[0], [e.source for e in spans if e.source]),
    ):
        assert {s.start for s in mine} <= {w.start for w in words}
        assert {s.end for s in mine} <= {w.end for w in words}
        assert all(a.end <= b.start for a, b in pairwise(mine))
    assert all(e.probability >= 0.5 for e in spans)


def test_token_tags_tokens_of_a_bead_count_in_the_raw_texts() -> None:
    (bead,) = gather_pairs([("He said “No”.", "He said no.")], FakeEncoder())
    assert bead.tokens is not None
    for side, text in zip(bead.tokens, ("He said “No”.", "He said no."), strict=True):
        cut = [text[a:b].lower() for a, b in zip(side.starts, side.ends, strict=True)]
        assert [c.replace("“", '"').replace("”", '"') for c in cut] == list(side.texts)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "sense"}, "kind 'sense'"),
        ({"probability": 1.5}, "probability 1.5"),
        ({"source": Span(0, 1)}, "exactly one side"),
        ({"copy": None}, "exactly one side"),
    ],
)
def test_token_tags_an_error_span_says_what_is_wrong_with_it(
    changes: dict[str, object], said: str
) -> None:
    known = {"copy": Span(0, 1), "source": None, "probability": 0.5, "kind": "name", **changes}
    with pytest.raises(InputError, match=said):
        ErrorSpan(**known)  # type: ignore[arg-type]
