"""Minimal pairs: each maker changes what it says it changes, and nothing else."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

import numpy as np
import pytest

from detector.learn.contrasts import DAMAGES, HARMLESS, Pools, contrasts, pools
from detector.learn.corpus import Pair, group_of

POOL = Pools(
    names=("Oslo", "Karin Holm", "Bergen"),
    words={"": ("candle", "river"), "ed": ("painted",), "s": ("stones",), "ing": ("singing",)},
)
COPY = (
    "On Monday the first minister of Norway, Anna Berg, did not tell Peter Lund that the 12 large "
    "houses near Stavanger were sold for two million pounds, and he wasn't sure."
)
BASE = Pair(
    source="A source sentence of another wording.",
    copy=COPY,
    label=False,
    corpus="wmt",
    kind="consensus",
    group=group_of("A source sentence of another wording."),
)


def _rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_contrasts_every_damage_changes_one_place_of_a_rich_sentence(name: str) -> None:
    made = DAMAGES[name](COPY, _rng(), POOL)
    assert made is not None
    assert made != COPY
    edits = [
        o for o in SequenceMatcher(a=COPY.split(), b=made.split()).get_opcodes() if o[0] != "equal"
    ]
    assert 1 <= len(edits) <= (2 if name == "names turned" else 1)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("negation", "It did not rain.", "It did rain."),
        ("negation", "It will rain.", "It will not rain."),
        ("negation", "It didn't rain.", "It did rain."),
        ("antonym", "First came the rain.", "Last came the rain."),
        ("unit", "It cost ten million.", "It cost ten billion."),
        ("gender", "She went.", "He went."),
        ("names turned", "Then Oslo defeated Bergen.", "Then Bergen defeated Oslo."),
        ("names turned", "Then Oslo and Bergen.", None),
        ("number", "No figure here.", None),
        ("name swapped", "no name here", None),
        ("antonym", "Nothing here.", None),
    ],
)
def test_contrasts_damage_is_what_its_name_says(name: str, text: str, expected: str | None) -> None:
    assert DAMAGES[name](text, _rng(), POOL) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("abbreviation", "The US left.", "The U.S. left."),
        ("abbreviation", "A rise of 5%.", "A rise of 5 percent."),
        ("contraction", "It did not rain.", "It didn't rain."),
        ("contraction", "It didn't rain.", "It did not rain."),
        ("quotes dropped", 'He said "no".', "He said no."),
        ("beyond ASCII dropped", "José’s “house”", "Joss house"),
        ("beyond ASCII dropped", 'Khan\'s "house"', "Khans house"),
        ("count written", "He saw 3 men.", "He saw three men."),
        ("count written", "He saw three men.", "He saw 3 men."),
        ("count written", "It is 3.5 men or 3%.", None),
        ("thousands", "It cost 12,500.", "It cost 12500."),
        ("possessive glued", "Khan's house", "Khans house"),
        ("stop dropped", "It rains.", "It rains"),
        ("spelling", "The Labour party", "The Labor party"),
        ("same meaning", "He said so.", "He stated so."),
    ],
)
def test_contrasts_harmless_change_is_what_its_name_says(
    name: str, text: str, expected: str | None
) -> None:
    assert HARMLESS[name](text, _rng(), POOL) == expected


def test_contrasts_are_the_same_every_time_and_share_a_twin() -> None:
    made = list(contrasts(BASE, POOL))
    assert made == list(contrasts(BASE, POOL))
    assert made[0].kind == "base"
    assert [p.label for p in made] == [False, True, True, False]
    assert len({p.twin for p in made}) == 1
    assert {p.group for p in made} == {BASE.group}
    assert all(p.source == BASE.source for p in made)
    assert list(contrasts(BASE, POOL, seed=1)) != made


@pytest.mark.parametrize("text", ["x", "...", "Ω 中文", "'" * 50, "A" * 500])
def test_contrasts_poor_text_gives_few_pairs_and_no_error(text: str) -> None:
    known: dict[str, Any] = {"label": False, "corpus": "wmt", "kind": "x", "group": "g"}
    made = list(contrasts(Pair(source="A house.", copy=text, **known), POOL))
    assert made[0].copy == text
    assert all(p.copy.strip() and p.copy != text for p in made[1:])


def test_contrasts_pools_hold_names_and_words_of_the_sentences() -> None:
    pool = pools(["Yesterday Anna Berg walked slowly to Oslo.", "The river was rising."])
    assert pool.names == ("Anna Berg", "Oslo")
    assert pool.words["ed"] == ("walked",)
    assert pool.words["ing"] == ("rising",)
