"""Minimal pairs: each maker changes what it says it changes, and its marks say where."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.training.contrasts.contrasts import DAMAGES, HARMLESS, Kind, contrasts
from detector.training.contrasts.edits import (
    Edit,
    Pools,
    carry_out,
    kind_of,
    lose,
    pools,
    words_like,
)
from detector.training.contrasts.grammar import Sentence, choices, inflect, rows
from detector.training.data.corpus import Mark, Pair, group_of

POOL = Pools(
    {"place": ("Oslo", "Bergen"), "person": ("Karin Holm", "Lund"), "other": ("Statkraft",)},
    ("in the harbour", "after the storm"),
    (", and the harbour was closed for two days",),
)
KINDS: dict[str, Kind] = {**DAMAGES, **HARMLESS}

# Invented, and between them rich enough that every maker finds its place.
SENTENCES = (
    "On Monday the first minister of Norway, Anna Berg, did not tell Peter Lund that the 12 large "
    "houses near Stavanger were sold for £2 million, and he wasn't sure.",
    "The judge said that Maria Ortega defeated the Bank of Finland because all workers had to pay "
    "12,400 euros in taxes by 5 June 2019.",
    'He was attacked by Ivan Petrov during the long trial, but the US police arrested "the man".',
    "The quick dog chased a postman.",
    "The spokesman must rule out three ships, which is about 20 percent of the third fleet.",
    "The Council of Bergen – a small town – was criticised in a well-known book’s colour pages.",
    "Norway's king is well known and the FAO quickly moved to the harbour on Tuesday.",
    "Turkey and the Prime Minister do not agree, although José’s lawyer lived there for two years.",
    "Anna Berg works for the World Bank.",
)


def _rng(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def _made(name: str, text: str, seed: int) -> tuple[str, tuple[Mark, ...]] | None:
    sentence = Sentence.of(text)
    edits = KINDS[name].make(sentence, _rng(seed), POOL)
    if not edits:
        return None
    return carry_out(sentence, edits, source=text, kind=name, weight=KINDS[name].points)


def _words(text: str) -> list[str]:
    return [w for w in re.findall(r"[^\W_]+", text.lower()) if w not in ("a", "an")]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KINDS))
def test_contrasts_every_maker_marks_what_it_changed(name: str) -> None:
    made = [
        (text, *one)
        for text in SENTENCES
        for seed in range(8)
        if (one := _made(name, text, seed)) is not None and one[0] != text
    ]
    assert made
    for text, copy, marks in made:
        assert marks
        assert all(mark.kind == name and mark.weight == KINDS[name].points for mark in marks)
        outside, end = "", 0
        for mark in sorted((m for m in marks if m.side == "copy"), key=lambda m: m.start):
            assert 0 <= mark.start < mark.end <= len(copy)
            assert copy[mark.start : mark.end].strip()
            outside += copy[end : mark.start] + " "
            end = max(end, mark.end)
        before = iter(_words(text))  # what is not marked stood there before, in that order
        assert all(word in before for word in _words(outside + copy[end:]))
        for mark in marks:
            if mark.side == "source":
                assert 0 <= mark.start < mark.end <= len(text)
                lost = Counter(_words(text)) - Counter(_words(copy))
                assert set(_words(text[mark.start : mark.end])) & set(lost)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_contrasts_copy_reads_as_written(name: str) -> None:
    for text in SENTENCES:
        one = _made(name, text, 1)
        if one is None or name in ("tokenised", "first letter lower", "lower case", "mark added"):
            continue
        copy = one[0]
        assert "  " not in copy
        assert not re.search(r"\s[,.;]", copy)
        if name != "case" and "shuffled" not in name and "neighbours" not in name:
            assert not re.search(r"\ba [aio][a-z]|\ban [bcdfgjklmnpqrstvwxz]", copy)
            assert copy[:1].isupper() == text[:1].isupper()


@pytest.mark.parametrize(
    ("name", "text", "expected", "marked"),
    [
        ("negation lost", "It did not rain.", "It did rain.", "source:not"),
        ("negation lost", "It didn't rain.", "It did rain.", "copy:did"),
        ("negation added", "It will rain.", "It will not rain.", "copy:not"),
        ("gender", "She went.", "He went.", "copy:He"),
        ("names turned", "Then Oslo defeated Bergen.", "Then Bergen defeated Oslo.", "copy:Bergen"),
        ("names turned", "Then Oslo and Bergen.", None, ""),
        ("roles turned", "Then Oslo was beaten by Bergen.", "Then Oslo beat Bergen.", "copy:beat"),
        ("number", "No figure here.", None, ""),
        ("name swapped", "no name here", None, ""),
        ("name dropped", "They all lived near Oslo for years.", None, "source:near Oslo"),
        ("antonym", "He sold it.", "He bought it.", "copy:bought"),
        ("wrong sense", "They paid his bail.", None, "copy:"),
        ("pivot small word left in", "He came with us.", None, "copy:"),
        ("wider word", "He saw the wolves.", "He saw the animals.", "copy:animals"),
        ("idiom", "They carried out it.", "They brought outside it.", "copy:brought outside"),
        ("subject dropped", "The old king has left the town.", None, "source:king"),
        ("abbreviation", "The US left.", "The U.S. left.", "copy:U.S"),
        ("percent", "A rise of 5%.", "A rise of 5 percent.", "copy:percent"),
        ("contraction", "It did not rain.", "It didn't rain.", "copy:didn't"),
        ("quotes dropped", 'He said "no".', "He said no.", "copy:no"),
        ("beyond ASCII dropped", "José’s “house”", "Joss house", "copy:Joss"),
        ("beyond ASCII dropped", 'Khan\'s "house"', "Khans house", "copy:Khans"),
        ("beyond ASCII dropped", "It cost £5.", None, ""),
        ("count written", "He saw 3 men.", "He saw three men.", "copy:three"),
        ("count written", "It is 3.5 men or 3%.", None, ""),
        ("possessive glued", "Khan's house", "Khans house", "copy:Khans"),
        ("possessive turned", "Then Khan's house fell.", None, "copy:the house of Khan"),
        ("stop dropped", "It rains.", "It rains", "copy:rains"),
        ("spelling", "The Labour party", "The Labor party", "copy:Labor"),
        ("synonym", "He saw the big town.", "He saw the large town.", "copy:large"),
        ("voice", "Anna saw Peter.", "Peter was seen by Anna.", "copy:Peter was seen by Anna"),
        (
            "voice",
            "He said that the wall was built by a farmer in May.",
            "He said that a farmer built the wall in May.",
            "copy:a farmer built the wall",
        ),
        ("given name dropped", "Then Anna Lindqvist left.", "Then Lindqvist left.", "source:Anna"),
        ("acronym turned", "The king left.", None, ""),
        ("date moved", "It fell on Monday.", "On Monday, it fell.", "copy:On Monday, it"),
        ("demonym", "The US army left.", "The American army left.", "copy:American"),
    ],
)
def test_contrasts_maker_does_what_its_name_says(
    name: str, text: str, expected: str | None, marked: str
) -> None:
    made = _made(name, text, 3)
    if not marked:
        assert made is None
        return
    assert made is not None
    copy, marks = made
    if expected is not None:
        assert copy == expected
    side, _, there = marked.partition(":")
    one = marks[0]
    assert one.side == side
    assert (copy if side == "copy" else text)[one.start : one.end].startswith(there)


def test_contrasts_lost_words_are_marked_where_the_source_has_them() -> None:
    sentence = Sentence.of("The wolves slept behind the old barn.")
    source = "Behind that old barn, a wolf was sleeping."
    at = sentence.text.index("behind")
    edits = (lose(sentence.text, at, at + len("behind the old barn")),)
    copy, (mark,) = carry_out(sentence, edits, source=source, kind="x", weight=5)
    assert copy == "The wolves slept."
    assert (mark.side, source[mark.start : mark.end]) == ("source", "old barn")
    copy, (mark,) = carry_out(sentence, edits, source="Nothing alike.", kind="x", weight=5)
    assert (mark.side, copy[mark.start : mark.end]) == ("copy", "slept")


def test_contrasts_articles_and_capitals_agree() -> None:
    sentence = Sentence.of("A house is an hour away.")
    edits = (Edit(2, 7, "old house"), Edit(14, 18, "day"))
    copy, marks = carry_out(sentence, edits, source="x", kind="x", weight=1)
    assert copy == "An old house is a day away."
    assert [copy[m.start : m.end] for m in marks] == ["old house", "day"]
    (edit,) = (lose("Anna Berg left.", 0, 4),)
    assert (
        carry_out(Sentence.of("the end"), [lose("the end", 0, 3)], source="", kind="", weight=1)[0]
        == "end"
    )
    assert edit == Edit(0, 5, "")


BASES = [
    Pair(
        source=f"A source sentence of another wording, number {at}.",
        copy=text,
        label=False,
        corpus="wmt",
        kind="consensus",
        group=group_of(str(at)),
        points=0.0,
    )
    for at, text in enumerate(SENTENCES)
]


def test_contrasts_are_the_same_every_time_and_share_a_twin() -> None:
    made = list(contrasts(BASES, POOL))
    assert made == list(contrasts(BASES, POOL))
    assert [p.kind for p in made].count("base") == len(BASES)
    assert list(contrasts(BASES, POOL, seed=1)) != made
    twins: dict[str, list[Pair]] = {}
    for pair in made:
        twins.setdefault(pair.twin, []).append(pair)
    assert len(twins) == len(BASES)
    for base, pairs in zip(BASES, twins.values(), strict=True):
        assert [p.kind for p in pairs].count("base") == 1
        assert len(pairs) <= 4
        assert {(p.source, p.group) for p in pairs} == {(base.source, base.group)}
        assert len({p.copy for p in pairs}) == len(pairs)


def test_contrasts_labels_and_points_go_with_the_kind() -> None:
    for pair in contrasts(BASES, POOL, damages=9, harmless=9):
        if pair.kind == "base":
            assert (pair.label, pair.marks) == (False, ())
        elif pair.kind in HARMLESS:
            assert pair.label is False
            assert pair.points in (0.0, 1.0)
        else:
            assert pair.points == (1.0 if pair.label is None else 5.0)
        assert all(mark.weight == pair.points for mark in pair.marks)


def test_contrasts_rare_kinds_get_their_turn() -> None:
    rare = "Turkey and the sea are old."
    texts = ["The dog slept in the sun.", rare] * 30
    bases = [
        Pair(source=f"Text {i}.", copy=t, label=False, corpus="x", kind="x", group=str(i))
        for i, t in enumerate(texts)
    ]
    counts = Counter(p.kind for p in contrasts(bases, POOL))
    assert counts["place variant"] >= 2
    assert counts["lower case"] < 15


@given(st.text(max_size=60).filter(lambda t: bool(t.strip())))
def test_contrasts_any_text_gives_marks_within_it(text: str) -> None:
    known: dict[str, Any] = {"label": False, "corpus": "wmt", "kind": "x", "group": "g"}
    base = Pair(source="A house.", copy=text, **known)
    made = list(contrasts([base], POOL, damages=99, harmless=99))
    assert made[0].copy == text
    for pair in made[1:]:
        assert pair.copy.strip()
        assert pair.copy != text
        for mark in pair.marks:
            side = pair.copy if mark.side == "copy" else pair.source
            assert 0 <= mark.start < mark.end <= len(side)


def test_contrasts_pools_hold_names_by_kind_and_phrases() -> None:
    pool = pools(
        [
            "Yesterday Anna Berg walked slowly to Oslo.",
            "They sat in the garden.",
            "It rained, and the river left its bed again.",
        ]
    )
    assert pool.names["person"] == ("Anna Berg",)
    assert pool.names["place"] == ("Oslo",)
    assert pool.phrases == ("in the garden",)
    assert pool.clauses == (", and the river left its bed again",)
    assert kind_of("Lisbon") == "place"


def test_contrasts_words_like_a_word_keep_its_form() -> None:
    assert all(word.endswith("s") or word in ("people",) for word in words_like("houses", "n", "s"))
    assert all(word.endswith("ing") for word in words_like("walking", "v", "ing"))
    assert len(words_like("houses", "n", "s")) >= 20


@pytest.mark.parametrize(
    ("word", "part", "form", "expected"),
    [
        ("try", "v", "ed", "tried"),
        ("make", "v", "ing", "making"),
        ("agree", "v", "ing", "agreeing"),
        ("die", "v", "ing", "dying"),
        ("plan", "v", "ed", "planned"),
        ("take", "v", "en", "taken"),
        ("wolf", "n", "s", "wolves"),
        ("part of the body", "n", "s", "parts of the body"),
        ("police officer", "n", "s", "police officers"),
        ("ask for", "v", "ed", "asked for"),
    ],
)
def test_contrasts_inflect_as_english_does(word: str, part: str, form: str, expected: str) -> None:
    assert inflect(word, part, form) == expected


def test_contrasts_parts_of_speech_follow_the_neighbours() -> None:
    parts = {t.text: t.part for t in Sentence.of("The old report says they report a sale.").tokens}
    assert parts == {
        "The": "f",
        "old": "a",
        "report": "v",
        "says": "v",
        "they": "f",
        "a": "f",
        "sale": "n",
    }
    assert [t.part for t in Sentence.of("The report by Anna Berg").tokens] == list("fnfpp")


@pytest.mark.parametrize(
    ("name", "columns", "least"),
    [
        ("senses", 4, 150),
        ("leftovers", 8, 100),
        ("wider", 3, 200),
        ("alike", 4, 200),
        ("opposites", 3, 150),
        ("verbs", 3, 100),
        ("idioms", 2, 60),
        ("slips", 2, 100),
    ],
)
def test_contrasts_tables_are_well_formed(name: str, columns: int, least: int) -> None:
    table = rows(name)
    assert len(table) >= least
    assert {len(row) for row in table} == {columns}
    assert len(set(table)) == len(table)
    assert all(cell.strip() == cell and cell for row in table for cell in row)
    if name in ("senses", "alike", "opposites"):
        assert all(key[1] not in others for key, others in choices(name).items())
