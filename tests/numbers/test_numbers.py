"""Quantities: found in a text, parsed, and compared over the two sides of a bead."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.numbers.compare import compare_numbers
from detector.numbers.match import agree, normal_forms
from detector.numbers.parse import read_digits
from detector.numbers.quantities import Quantity, find_quantities
from detector.numbers.units import comparable_sizes, dimensions, unit_facts, units_named
from detector.records import NUMBER_FATES, NumberChange, Span

# Words out of which hypothesis builds texts that get deep into the grammar
PIECES = (  # noqa: SIM905 - a list of words reads best as words
    "one two ten twenty twenty-five nineteen eighty hundred thousand million billion bn dozen half "
    "quarter third thirds first second fifth tens dozens thousands of and a an in out to past the "
    "several few 1 2 05 12 30 99 1990s 2024 2024-12-06 1,500 1.5 2,5 200.000 000 3:30 24:00 2/3 "
    "9/11 6/12/2024 10.0.0.1 $ £ € US$ % percent per cent km miles hours day years pounds dollars "
    "won times m k p.m. am o'clock May March June Dec. Friday Fri. noon twice double more less "
    "than at least up minus -5 - – ( ) , . ; it Covid-19 G20 X II both weekend İ ½ 2½ ٣ ²"
).split()
# Every form that a quantity takes: any two of them may meet in a pair of sentences
FORMS = (
    *("7", "12,500", "200.000", "-5", "seven", "two hundred and fifty thousand", "25bn"),
    *("5%", "50 per cent", "5 percentage points", "half", "2/3", "2½", "one in four"),
    *("$5", "£25bn", "€3.50", "Rs 5 crore", "25,000 won", "20 pounds", "hundreds of euros"),
    *("40 km", "5 ft", "3 kg", "25m", "160 km/h", "90 °F", "-5 degrees", "trillions of miles"),
    *("30 seconds", "90 minutes", "18 hours", "an hour and a half", "5 days", "aged 48"),
    *("three decades", "two centuries", "15:30", "9:15", "15h30", "6:30 pm", "4 p.m.", "10am"),
    *("10 this morning", "ten o'clock", "half past three", "noon", "midnight"),
    *("6 December 2024", "2024-12-06", "6/12/2024", "in March", "Friday", "2010", "2010/11"),
    *("the 1990s", "the nineties", "the 19th century", "44 BC", "AD 70", "5-10"),
    *("between 5 and 10 days", "3 to 5 p.m.", "about 50", "at least 5 hours", "four dozen"),
    *("third", "the 21st", "3-2", "2:1", "10.0.0.1", "COVID-19", "XIV", "twice", "tripled"),
)
texts = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
)


def read(text: str) -> list[tuple[str, str, float | None]]:
    return [(f.text, f.kind, f.value) for f in find_quantities(text)]


def reported(source: str, copy: str) -> list[tuple[str, str | None, str | None]]:
    """Return the changes reported to a reader, as (change, source text, copy text)."""
    return [
        (c.change, c.source_text, c.copy_text)
        for c in compare_numbers(source, copy)
        if c.probability >= 0.5
    ]


# Found --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She paid £25bn.", [("£25bn", "money", 25e9)]),
        ("She paid 25,000 million pounds.", [("25,000 million pounds", "money", 25e9)]),
        ("It cost US$1.5 million", [("US$1.5 million", "money", 1.5e6)]),
        ("5 million U.S. dollars", [("5 million U.S. dollars", "money", 5e6)]),
        ("Rs 5 crore or GBP 20", [("Rs 5 crore", "money", 5e7), ("GBP 20", "money", 20)]),
        ("25 billion won, but he won", [("25 billion won", "money", 25e9)]),
        ("In 2010 won the left", [("2010", "date", 2010)]),
        ("up 50 per cent", [("50 per cent", "percent", 50)]),
        ("a 180-degree turn", [("180-degree", "measure", 180)]),
        ("a 90 -day truce", [("90 -day", "measure", 90)]),
        ("five square kilometres", [("five square kilometres", "measure", 5)]),
        ("an hour and a half", [("hour and a half", "measure", 1.5)]),
        ("half an hour", [("half an hour", "measure", 0.5)]),
        ("10 consecutive days", [("10 consecutive days", "measure", 10)]),
        ("at -5 degrees", [("-5 degrees", "measure", -5)]),
        ("minus 5 degrees", [("minus 5 degrees", "measure", -5)]),
        ("Covid -19", [("19", "number", 19)]),
        ("two hundred and fifty thousand", [("two hundred and fifty thousand", "number", 250e3)]),
        ("3 million 500 thousand", [("3 million 500 thousand", "number", 3.5e6)]),
        (
            "half a million, half a dozen",
            [("half a million", "number", 5e5), ("half a dozen", "number", 6)],
        ),
        ("tens of thousands", [("tens of thousands", "number", 1e4)]),
        ("200 000 people", [("200 000", "number", 2e5)]),
        ("2½ cups", [("2½", "number", 2.5)]),
        ("two -thirds", [("two -thirds", "fraction", 2 / 3)]),
        ("one in four", [("one in four", "fraction", 0.25)]),
        ("the twenty-first, the 3 rd", [("twenty-first", "ordinal", 21), ("3 rd", "ordinal", 3)]),
        ("December 6, 2024", [("December", "date", 12), ("6", "date", 6), ("2024", "date", 2024)]),
        ("the 6th of May", [("6th", "date", 6), ("May", "date", 5)]),
        ("2024-12-06", [("2024", "date", 2024), ("12", "date", 12), ("06", "date", 6)]),
        ("nineteen eighty-four", [("nineteen eighty-four", "date", 1984)]),
        ("the 2014-15 season", [("2014", "date", 2014), ("15", "date", 2015)]),
        ("the nineties, the 1980's", [("nineties", "date", 90), ("1980's", "date", 1980)]),
        ("on Fri. at 3pm", [("Fri", "date", 5), ("3pm", "time", 180)]),
        ("15:30, half past three", [("15:30", "time", 210), ("half past three", "time", 210)]),
        ("ten o'clock", [("ten o'clock", "time", 600)]),
        ("10.30am", [("10.30am", "time", 630)]),
        ("won 2:1", [("2:1", "number", None)]),
    ],
)
def test_numbers_found(text: str, expected: list[tuple[str, str, float | None]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "One of them knew no one who could, and one cannot blame him.",
        "He may march, and may win; an august person sat in the sun.",
        "It&#39;s a pity.",
        "The headquarters won half-time praise in a quarter-final.",
        "MÃ1/4ller",
        "",
    ],
)
def test_numbers_words_that_count_nothing(text: str) -> None:
    assert read(text) == []


@given(texts)
@example("İ 5 km")
@example("twenty " * 2000)
@example("5 km and a half")
def test_numbers_lie_in_order_in_the_text(text: str) -> None:
    end = 0
    for quantity in find_quantities(text):
        assert quantity.span.of(text) == quantity.text
        assert end <= quantity.span.start
        end = quantity.span.end


@pytest.mark.parametrize(
    ("digits", "value", "also"),
    [
        ("7", 7, None),
        ("200,000", 200e3, None),
        ("200.000", 200, 200e3),
        ("1.234.567", 1234567, None),
        ("2.500,75", 2500.75, None),
        ("1,00,000", 1e5, None),
        ("3,5", 3.5, None),
        ("0.125", 0.125, None),
        ("1,2,3", None, None),
        ("9" * 5000, None, None),
    ],
)
def test_numbers_digits(digits: str, value: float | None, also: float | None) -> None:
    assert read_digits(digits) == (value, also)


def test_numbers_units_are_consistent() -> None:
    facts = unit_facts()
    assert len(facts) > 80
    assert dimensions(("GBP", "lb")) == {"money", "mass"}
    assert all(unit.size is None or unit.size > 0 for unit in facts.values())
    assert {"GBP", "lb"} <= units_named("a few pounds more")


# Compared: what must stay silent ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "copy"),
    [
        ("Two men left.", "2 men left."),
        ("The twenty-five boats", "The 25 boats"),
        ("A £25bn plan", "A plan of 25 billion pounds"),
        ("1.5 billion users", "1,500 million users"),
        ("200,000 people", "200.000 people"),
        ("200,000 people", "200 000 people"),
        ("a 180-degree turn", "a turn of 180 degrees"),
        ("a nearly two-hour call", "a call of almost 2 hours"),
        ("up 50%", "up 50 percent"),
        ("50 per cent of them", "half of them"),
        ("its first bid", "its 1st bid"),
        ("a first-term promise", "a promise of the initial mandate"),
        ("two-thirds of the town", "2/3 of the town"),
        ("a dozen eggs", "12 eggs"),
        ("He fell once.", "He fell one time."),
        ("He fell twice.", "He fell two times."),
        ("on December 6, 2024", "on 6 December 2024"),
        ("on December 6, 2024", "on 2024-12-06"),
        ("on December 6, 2024", "on 6/12/2024"),
        ("on Dec. 6", "on the 6th of December"),
        ("on Friday", "on Fri. morning"),
        ("at 3 p.m.", "at 15:00"),
        ("at 3pm", "at three in the afternoon"),
        ("at 7:15", "at a quarter past seven"),
        ("for $5", "for 5 dollars"),
        ("for US$5", "for USD 5"),
        ("$350m", "350 million US dollars"),
        ("40 kilometres away", "40 km away"),
        ("a 90-day truce", "a truce of 90 -day"),
        ("in the 1990s", "in the nineties"),
        ("in the 1800s", "in the 19th century"),
        ("last year's vote", "the vote of the last year"),
        ("At first glance it is one of the best.", "At a glance it is among the best."),
        ("First of all, no one had second thoughts.", "Above all nobody hesitated."),
        ("both of the two sides", "both sides"),
        ("three decades", "thirty years"),
        ("three thousand years", "three millennia"),
        ("in the 1995-96 season", "in the 95-96 season"),
        ("50 million or more", "50 or more million"),
        ("two weeks", "14 days"),
        ("90 minutes", "an hour and a half"),
        ("160 km/h", "100 mph"),
        ("1,600 km (1,000 miles) long", "1,600 kilometres long"),
        ("World War II", "the Second World War"),
        ("one in four", "a quarter"),
        ("three out of four games", "three of the four games"),
        ("a third of it", "one-third of it"),
        ("between 5 and 10 million dollars", "from 5 million to 10 million dollars"),
        ("the 2014-15 season", "the season 2014/2015"),
        ("tens of thousands of people", "some 30,000 people"),
        ("25m people", "25 million people"),
        ("won 3-2", "won 3:2"),
        ("more than double the price", "more of double the price"),
        ("the June-5 hearing", "the June to June 5 hearing"),
        ("more than 50 and less than 90", "under 90 but over 50"),
        ("from 3 a.m. to 3 p.m.", "until 3 pm from 3 am"),
        ("of -5 degrees", "of minus 5 degrees"),
        ("five days in 2020", "in 2020, 5 days"),
        ("It&#39;s 4 pm", "It's 4 p.m."),
        ("hundreds of euros", "several hundred euros"),
        ("four dozen jars", "about fifty jars"),
        ("four thousand two hundred and thirty-six", "4,236"),
        ("some 45,233 jars", "some 45, 233 jars"),
        ("on June 7, 1981", "on June 7,1981"),
        ("in 2010, 245 men", "in 2010,245 men"),
        ("at 19:54", "at 19: 54"),
        ("at 10 o'clock this morning", "at 10 a.m."),
        ("just 37 degrees Celsius", "just 37 ℃"),
        ("a race of 200 metres", "a race of 200 m"),
        ("at 48 years of age", "at the age of 48"),
        ("a boy aged 11", "an 11-year-old boy"),
        ("one out of every five", "one in five"),
        ("250 years", "a quarter of a millennium"),
        ("an inch wider", "2.5 cm wider"),
        ("in 90 °F heat", "in 32 °C heat"),
        ("at 130 mph", "at 200 km/h"),
        ("5 to 10 per cent", "5 per cent to 10 per cent"),
        ("between $10 and $25", "between 10 and $25"),
        ("on July 26, 2020", "on July 26"),
        ("on July 26", "on the 26th"),
        ("no more than three", "never more than three"),
        ("51.11% of them", "51.1% of them"),
        ("in June, five men", "five men in June"),
        ("the Covid-19 wave", "the coronavirus wave"),
        ("4213 thousand tons", "4213,000 tons"),
    ],
)
def test_numbers_said_in_another_way_are_kept(source: str, copy: str) -> None:
    assert reported(source, copy) == []
    assert reported(copy, source) == []


@given(texts)
@example("3 am or 3 pm, at least 5, up to 5, -5")
def test_numbers_of_a_text_against_itself_are_kept(text: str) -> None:
    assert {c.change for c in compare_numbers(text, text)} <= {"kept"}


# Compared: what must be reported ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "copy", "expected"),
    [
        ("170 million users", "160 million users", ("changed", "170 million", "160 million")),
        ("25 million users", "25 billion users", ("changed", "25 million", "25 billion")),
        ("thirteen boats", "thirty boats", ("changed", "thirteen", "thirty")),
        ("rose 0.25%", "rose 0.025%", ("changed", "0.25%", "0.025%")),
        ("a £200,000 fine", "a 200,000 fine", ("unit_lost", "£200,000", "200,000")),
        ("a £25bn offer", "a 25 billion won offer", ("unit_changed", "£25bn", "25 billion won")),
        ("40 km away", "40 miles away", ("unit_changed", "40 km", "40 miles")),
        ("a £5m fine", "a 5m fine", ("unit_lost", "£5m", "5m")),
        ("up 5%", "up 5", ("unit_lost", "5%", "5")),
        ("He paid 200 for it", "He paid $200 for it", ("unit_added", "200", "$200")),
        ("for five months", "for five years", ("unit_changed", "five months", "five years")),
        ("on 6 May 2024", "on 6 March 2024", ("changed", "May", "March")),
        ("on Tuesday", "on Thursday", ("changed", "Tuesday", "Thursday")),
        ("in 1992", "in 1922", ("changed", "1992", "1922")),
        ("in the 1860s", "in the 1960s", ("changed", "1860s", "1960s")),
        ("at 3 p.m. sharp", "at 3 a.m. sharp", ("changed", "3 p.m", "3 a.m")),
        ("on 6 May 2024 he left", "he left", ("dropped", "6 May 2024", None)),
        ("170 million of them left", "many of them left", ("dropped", "170 million", None)),
        ("many left", "9,000 left", ("added", None, "9,000")),
        ("the third try", "the fifth try", ("changed", "third", "fifth")),
        ("the first try", "the third try", ("changed", "first", "third")),
        ("more than 50 men", "fewer than 50 men", ("changed", "50", "50")),
        ("a frost of -5 degrees", "a heat of 5 degrees", ("changed", "-5 degrees", "5 degrees")),
        ("105 mph (165 km/h)", "150 mph (165 km/h)", ("changed", "105 mph", "150 mph")),
        ("thousands of men", "millions of men", ("changed", "thousands", "millions")),
        ("COVID-19 cases", "COVID-99 cases", ("changed", "19", "99")),
        ("a third of it", "two-thirds of it", ("changed", "third", "two-thirds")),
        ("half of it", "a quarter of it", ("changed", "half", "quarter")),
        ("it doubled", "it tripled", ("changed", "doubled", "tripled")),
        ("hundreds of men", "dozens of men", ("changed", "hundreds", "dozens")),
        ("100,000 men", "100 men", ("changed", "100,000", "100")),
        ("1.973 billion", "1.973 trillion", ("changed", "1.973 billion", "1.973 trillion")),
        ("$11,000 to $22,500", "$11 to $22,500", ("changed", "$11,000", "$11")),
        ("two weeks", "two minutes", ("unit_changed", "two weeks", "two minutes")),
        ("up 5%", "up 5 percentage points", ("unit_changed", "5%", "5 percentage points")),
        ("1600 km long", "1600 long", ("unit_lost", "1600 km", "1600")),
        ("17 lb in May", "17 yuan in May", ("unit_changed", "17 lb", "17 yuan")),
        ("won 2:2", "won 2:5", ("changed", "2:2", "2:5")),
        ("on 1 August a man", "on 2 August a man", ("changed", "1", "2")),
        ("at 10 this morning", "at 10 p.m.", ("changed", "10", "10 p.m")),
        ("aged 48", "48 minutes", ("unit_changed", "48", "48 minutes")),
        ("in March 2001", "in March", ("dropped", "2001", None)),
    ],
)
def test_numbers_changed_are_reported(
    source: str, copy: str, expected: tuple[str, str | None, str | None]
) -> None:
    assert reported(source, copy) == [expected]


def test_numbers_a_misspelt_unit_is_kept() -> None:
    assert reported("a fine of 20 million shillings", "a fine of 20 million shilings") == []


def test_numbers_pair_by_their_digits_then_by_size() -> None:
    assert reported("£15 billion of £115 billion", "£115 million, £15 million of it") == [
        ("changed", "£15 billion", "£15 million"),
        ("changed", "£115 billion", "£115 million"),
    ]
    assert reported("64 km, not far", "65 km, not far, and 4,800 km in all")[0][1:] == (
        "64 km",
        "65 km",
    )


@pytest.mark.parametrize(
    ("source", "copy", "reason"),
    [
        ("25 pounds", "25 won more", "“25 pounds” became “25”: the unit is lost"),
        ("25,000 pounds", "25,000 won", "“25,000 pounds” became “25,000 won”: another unit"),
        ("170 million men", "men", "the number “170 million” is missing from the copy"),
        ("men", "40% of men", "the copy adds the percentage “40%”"),
        ("over 50 men", "under 50 men", "above “50” became below “50”"),
        ("at -5 °C", "at 5 °C", "“-5 °C” became “5 °C”: the minus is lost"),
    ],
)
def test_numbers_reasons_are_true(source: str, copy: str, reason: str) -> None:
    (change,) = (c for c in compare_numbers(source, copy) if c.change != "kept")
    assert change.reason == reason


def test_numbers_small_words_weigh_little() -> None:
    changes = compare_numbers("The two left at first light, half asleep.", "They left, asleep.")
    assert [c.change for c in changes] == ["dropped", "dropped", "dropped"]
    assert all(c.probability < 0.2 for c in changes)


@given(texts, texts)
@example("$5", "£5 $5 5")
def test_numbers_changes_point_into_both_texts(source: str, copy: str) -> None:
    changes = compare_numbers(source, copy)
    for change in changes:
        assert change.change in NUMBER_FATES
        assert change.reason
        assert (change.source is None) == (change.source_text is None)
        if change.source is not None:
            assert change.source.of(source) == change.source_text
        if change.copy is not None:
            assert change.copy.of(copy) == change.copy_text
    starts = [change.source.start for change in changes if change.source is not None]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("lasting", "clock", "there", "back"),
    [
        (
            "It lasted 18 hours.",
            "It opened at 6:30 pm.",
            [("changed", "18 hours", "6:30 pm")],
            [("changed", "6:30 pm", "18 hours")],
        ),
        (
            "More than 6 hours later.",
            "at 4 p.m. on Monday",
            [("changed", "6 hours", "4 p.m"), ("added", None, "Monday")],
            [("changed", "4 p.m", "6 hours"), ("dropped", "Monday", None)],
        ),
        (
            "90 minutes",
            "9 p.m.",
            [("changed", "90 minutes", "9 p.m")],
            [("changed", "9 p.m", "90 minutes")],
        ),
    ],
)
def test_numbers_a_duration_is_no_time_of_day(
    lasting: str,
    clock: str,
    there: list[tuple[str, str | None, str | None]],
    back: list[tuple[str, str | None, str | None]],
) -> None:
    assert reported(lasting, clock) == there
    assert reported(clock, lasting) == back


@pytest.mark.parametrize(
    ("one", "other", "sizes"),
    [
        ("h", "min", (3600.0, 60.0)),
        ("mi", "km", (1609.344, 1000.0)),
        ("h", "km", None),
        ("h", "pm", None),
        ("am", "h", None),
        ("year", "y", None),
        ("GBP", "EUR", None),
        ("°C", "°F", None),
    ],
)
def test_numbers_units_convert_within_one_dimension(
    one: str, other: str, sizes: tuple[float, float] | None
) -> None:
    assert comparable_sizes(one, other) == sizes


@pytest.mark.parametrize("form", FORMS)
def test_numbers_of_any_two_forms_compare(form: str) -> None:
    source = f"They say {form} now."
    assert {c.change for c in compare_numbers(source, source)} <= {"kept"}
    quantities = find_quantities(source)
    for other in FORMS:
        copy = f"More than {other} later."
        changes = compare_numbers(source, copy)
        for c in changes:
            assert 0 <= c.probability <= 1, copy
            assert (c.probability == 0) is (c.change == "kept"), copy
            assert c.source is not None or c.copy is not None, copy
            for span, said, text in (
                (c.source, c.source_text, source),
                (c.copy, c.copy_text, copy),
            ):
                if span is not None:
                    assert 0 <= span.start < span.end <= len(text), copy
                    assert span.of(text) == said, copy
        spans = [c.source for c in changes if c.source is not None]
        for quantity in quantities:  # once, by itself or as a part of its date
            covering = [
                s.start <= quantity.span.start and quantity.span.end <= s.end for s in spans
            ]
            assert covering.count(True) == 1, (quantity.text, copy)


@given(texts, texts)
def test_numbers_that_agree_share_a_key_either_way(one: str, other: str) -> None:
    for quantity in find_quantities(one):
        for second in find_quantities(other):
            for form in set(normal_forms(quantity)) & set(normal_forms(second)):
                assert agree(form, quantity, second) is agree(form, second, quantity)


@pytest.mark.parametrize(
    "unit",
    [
        "1 ",
        "1,",
        "1",
        "$1 ",
        "1-",
        "1 in 5 ",
        "twenty ",
        "thousands of ",
        "half past ",
        "&#1",
        "1/",
    ],
)
def test_numbers_work_is_linear_in_a_hostile_text(unit: str) -> None:
    def calls(n: int) -> int:
        text = (unit * (n // len(unit) + 1))[:n]
        counts: Counter[str] = Counter()
        sys.setprofile(lambda _frame, event, _argument: counts.update((event,)))
        try:
            compare_numbers(text, text + " 7 8")
        finally:
            sys.setprofile(None)
        return counts.total()

    # Calls are counted, not seconds, so a busy machine changes nothing; tables are read before
    assert calls(100) > 0
    assert calls(4_000) < 10 * calls(500)


def test_numbers_one_endless_number_is_read() -> None:
    (change,) = compare_numbers("9" * 1_000_000, "8" * 1_000_000)
    assert change.change == "changed"


def test_numbers_records_refuse_what_is_not_so() -> None:
    with pytest.raises(InputError, match="holds 2 characters"):
        Quantity(span=Span(0, 3), text="50", kind="number", value=50.0)
    with pytest.raises(InputError, match="probability 2"):
        NumberChange(
            change="kept",
            probability=2.0,
            copy=None,
            copy_text=None,
            source=Span(0, 1),
            source_text="5",
            reason="5 kept",
        )
