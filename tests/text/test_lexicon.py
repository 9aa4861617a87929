"""What is known about single words and names, and the lists behind it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.text import lexicon
from detector.text.lexicon import (
    MONTHS,
    WEEKDAYS,
    antonyms,
    are_opposites,
    bare_acronym,
    base_forms,
    closed_class,
    fold,
    is_calendar,
    is_known_name,
    is_negation,
    is_quantifier,
    is_stopword,
    is_word,
    name_kinds,
    place_key,
    read_table,
    same_acronym,
    spells_acronym,
    title_key,
    zipf,
)

WIDTHS = {
    "words": 2, "irregular": 2, "antonyms": 2, "opposites": 2, "names": 2, "modern": 1,
    "function_words": 1, "places": 2, "acronyms": 2, "titles": 2, "numerals": 3, "units": 4,
    "boilerplate": 3, "classes": 2, "suffixes": 3,
}  # fmt: skip
GENERATED = ("words", "irregular", "antonyms", "names")


@pytest.mark.parametrize(("name", "width"), WIDTHS.items())
def test_lexicon_lists_are_whole(name: str, width: int) -> None:
    rows = read_table(name)
    assert {len(row) for row in rows} == {width}
    assert len(set(rows)) == len(rows)
    assert all(cell for row in rows for cell in row[:2])


@pytest.mark.parametrize("name", GENERATED)
def test_lexicon_generated_lists_are_sorted(name: str) -> None:
    lines = (files("detector.lexica") / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    assert lines == sorted(lines)


def test_lexicon_lists_are_read_once_by_many_threads() -> None:
    lexicon._places.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(place_key, ["Kyiv", "Kiev"] * 100))
    assert answers == {"kyiv"}


# Rarity -------------------------------------------------------------------------------------------


def test_lexicon_zipf_orders_words_by_rarity() -> None:
    words = ["the", "House", "sanction", "Xinhua", "Magove"]
    rarity = [zipf(word) for word in words]
    assert rarity == sorted(rarity, reverse=True)
    assert rarity[0] > 7
    assert rarity[-1] == 0.0


def test_lexicon_zipf_ignores_case_and_possessive() -> None:
    assert zipf("Beijing’s") == zipf("BEIJING's") == zipf("beijing") > 3


def test_lexicon_zipf_of_a_compound_is_its_rarest_part() -> None:
    assert zipf("house-magove") == 0.0
    assert zipf("mercurial-house") == zipf("mercurial") < zipf("house")


@given(st.text(max_size=30))
def test_lexicon_zipf_lies_on_its_scale(word: str) -> None:
    assert zipf(word) == 0.0 or 1.5 <= zipf(word) <= 8.0


def test_lexicon_of_a_hostile_word_is_not_kept() -> None:
    word = "x" * 1_000_000
    functions: tuple[Any, ...] = (zipf, is_word, base_forms)
    caches = [function.__wrapped__ for function in functions]
    before = [cache.cache_info().currsize for cache in caches]
    assert zipf(word) == 0.0
    assert not is_word(word)
    assert base_forms(word) == frozenset()
    assert [cache.cache_info().currsize for cache in caches] == before


# Ordinary words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        *("sun", "Sun", "flights", "people", "daily", "us", "who", "may", "the", "fishes", "went"),
        *("children", "running", "happily", "larger", "state-run", "smartphone", "lawmakers"),
        *("ceasefire", "unvaccinated", "relaunched", "isn't", "isn’t", "company’s", "trump"),
    ],
)
def test_lexicon_ordinary_words(word: str) -> None:
    assert is_word(word)


@pytest.mark.parametrize(
    "word",
    ["magove", "xinhua", "tiktok", "bytedance", "Xi", "Putin", "Obama", "Beijing", "flightNow", ""],
)
def test_lexicon_names_alone_are_no_words(word: str) -> None:
    assert not is_word(word)


@pytest.mark.parametrize(
    ("form", "base"),
    [
        ("went", "go"),
        ("men", "man"),
        ("studies", "study"),
        ("boxes", "box"),
        ("sobbed", "sob"),
        ("making", "make"),
        ("happiest", "happy"),
        ("Closely", "close"),
    ],
)
def test_lexicon_base_forms(form: str, base: str) -> None:
    assert base in base_forms(form)


def test_lexicon_known_names() -> None:
    assert "given" in name_kinds("Melissa")
    assert "surname" in name_kinds("Wong's")
    assert "place" in name_kinds("Beijing")
    assert is_known_name("Thoreau")
    assert is_known_name("Emirati")
    assert not is_known_name("Magove")


def test_lexicon_closed_classes() -> None:
    assert is_negation("cannot")
    assert is_quantifier("several")
    assert is_stopword("himself")
    assert is_calendar("sept")
    assert not is_stopword("sanction")
    assert not any(map(is_calendar, ("sanction", "")))
    closed = {*closed_class("negation"), *closed_class("quantifier"), *MONTHS, *WEEKDAYS}
    assert closed == {word.lower() for word in closed}
    assert set(MONTHS.values()) == set(range(1, 13))
    assert set(WEEKDAYS.values()) == set(range(1, 8))


# Opposites ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("increase", "decrease"),
        ("rose", "fell"),
        ("allowed", "banned"),
        ("Likely", "unlikely"),
        ("legal", "illegal"),
        ("agree", "disagreed"),
        ("with", "without"),
        ("unvaccinated", "vaccinated"),
        ("state", "non-state"),
    ],
)
def test_lexicon_opposites(one: str, other: str) -> None:
    assert are_opposites(one, other)
    assert are_opposites(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("port", "import"), ("pact", "impact"), ("less", "unless"), ("it", "unit"), ("buy", "buy")],
)
def test_lexicon_words_that_only_look_opposite(one: str, other: str) -> None:
    assert not are_opposites(one, other)


def test_lexicon_antonyms_are_mutual() -> None:
    for one, other in read_table("antonyms")[::50]:
        assert other in antonyms(one)
        assert one in antonyms(other)


# Places, acronyms, titles -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("china", ["China", "Chinese", "China's", "Chinas", "People's Republic of China"]),
        ("france", ["France", "French", "Frenchman", "frenchmen"]),
        (
            "united states",
            ["US", "U.S.", "USA", "U.S.A.", "the United States", "America", "Americans"],
        ),
        ("united kingdom", ["UK", "U.K.", "Britain", "British", "Great Britain", "Britons"]),
        ("england", ["England", "English"]),
        ("european union", ["EU", "E.U.", "the European Union"]),
        ("united nations", ["UN", "U.N.", "United Nations"]),
        ("south korea", ["South Korea", "South Korean", "South Koreans"]),
        ("united arab emirates", ["UAE", "Emirati", "the United Arab Emirates"]),
        ("turkey", ["Turkey", "Türkiye", "Turkiye", "Turkish", "Turks"]),
        ("czech republic", ["Czechia", "Czech Republic", "the Czech Republic", "Czech"]),
        ("myanmar", ["Burma", "Myanmar", "Burmese"]),
        ("kyiv", ["Kiev", "Kyiv"]),
        ("ivory coast", ["Ivory Coast", "Côte d’Ivoire", "Cote d'Ivoire", "Ivorian"]),
        ("los angeles", ["LA", "L.A.", "Los Angeles"]),
    ],
)
def test_lexicon_one_place_by_many_names(key: str, names: list[str]) -> None:
    assert {place_key(name) for name in names} == {key}


@pytest.mark.parametrize(
    "word",
    ["us", "un", "eu", "turkey", "polish", "pole", "ill", "mass", "miss", "la", "", "Magove"],
)
def test_lexicon_ordinary_words_are_no_places(word: str) -> None:
    assert place_key(word) is None


def test_lexicon_capitals_are_not_merged_with_governments() -> None:
    assert len({place_key(name) for name in ("Beijing", "China")}) == 2
    assert place_key("Washington DC") != place_key("US")


def test_lexicon_every_form_of_a_place_leads_to_it() -> None:
    for key, forms in read_table("places"):
        for form in forms.split("|"):
            assert place_key(form.removeprefix("=")) == key, form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("WHO", "World Health Organization"),
        ("WHO", "World Health Organisation"),
        ("the UN", "U.N."),
        ("NATO", "the North Atlantic Treaty Organization"),
        ("AI", "artificial intelligence"),
        ("IP", "intellectual property"),
        ("PM", "Prime Minister"),
        ("MPs", "members of parliament"),
        ("NGOs", "non-governmental organisations"),
        ("FBI's", "Federal Bureau of Investigation"),
    ],
)
def test_lexicon_same_acronym(one: str, other: str) -> None:
    assert same_acronym(one, other)
    assert same_acronym(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("WHO", "FBI"),
        ("who", "World Health Organization"),
        ("American Broadcasting Company", "Australian Broadcasting Corporation"),
        ("IP", "internal property"),
        ("", ""),
    ],
)
def test_lexicon_other_acronyms(one: str, other: str) -> None:
    assert not same_acronym(one, other)


def test_lexicon_acronyms_spelled_by_initials() -> None:
    assert spells_acronym("DoJ", "Department of Justice")
    assert spells_acronym("IMF", "the International Monetary Fund".removeprefix("the "))
    assert spells_acronym("U.N.", "United Nations")
    assert not spells_acronym("UN", "Nations")
    assert not spells_acronym("UN", "United Arab Emirates")
    assert bare_acronym("MPs") == "MP"
    assert bare_acronym("Mps") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PM", "Prime Minister"),
        ("Sen.", "Senator"),
        ("leader", "Head"),
        ("Dr", "Doctor"),
        ("Foreign Secretary", "Minister of Foreign Affairs"),
        ("spokeswoman", "spokesman"),
    ],
)
def test_lexicon_titles(one: str, other: str) -> None:
    assert title_key(one) == title_key(other) is not None


def test_lexicon_titles_that_differ() -> None:
    assert title_key("King") != title_key("President")
    assert title_key("sanction") is None


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("The Côte d’Ivoire’s", "cote d'ivoire"),
        ("U.S.-led", "us led"),
        ("  South‑East   Asia ", "south east asia"),
        ("São Paulo's", "sao paulo"),
        ("", ""),
    ],
)
def test_lexicon_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=30), st.text(max_size=30))
def test_lexicon_any_text_gets_an_answer(one: str, other: str) -> None:
    assert same_acronym(one, other) == same_acronym(other, one)
    assert are_opposites(one, other) == are_opposites(other, one)
    assert isinstance(spells_acronym(one, other), bool)
    assert place_key(one) is None or place_key(one)
    assert title_key(one) is None or title_key(one)
    assert isinstance(is_word(one), bool)
