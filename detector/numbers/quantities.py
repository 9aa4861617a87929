"""Find every quantity of a text: numbers, money, measures, percentages, dates, times, ranges.

Whether two quantities agree is for `match`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from detector.errors import InputError
from detector.numbers import parse_dates as dates
from detector.numbers import units
from detector.numbers.parse import DAY_TIMES, Number, Tokens, read_number, tokenize
from detector.records import Span

QuantityKind = Literal[
    "number", "ordinal", "percent", "money", "measure", "date", "time", "fraction"
]

Bound = Literal["above", "below"]
"""Whether a number is a lower or an upper bound: more than 50, up to 50."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One quantity of a text.

    Attributes
    ----------
    span, text
        With unit and currency; the span counts in the text it was found in.
    kind : QuantityKind
    value : float or None
        In its unit: 25e9 for 25bn, 50 for 50 %, 0.5 for a half; minutes after midnight or noon
        for a time; 1..12 for a month, 1 (Monday)..7 for a weekday. None where digits are no
        single number (2:1, 6/12/2024).
    also : float or None
        If read otherwise: 200.000 is 200 or 200,000.
    units : tuple of str
        The units it may be in, by their names in `lexica/units.tsv`: pounds are GBP, EGP or lb.
        For a date, which part it is: day, month, year, decade, weekday, or numeric for
        6/12/2024. For a time, am or pm. Empty where none is stated.
    bound : Bound or None
    vague : bool
        Whether it is an order of magnitude: dozens, several thousand.
    light : bool
        Whether a translation may well do without the number: one, first, twice, half, G20.
    """

    span: Span
    text: str
    kind: QuantityKind
    value: float | None
    also: float | None = None
    units: tuple[str, ...] = ()
    bound: Bound | None = None
    vague: bool = False
    light: bool = False

    def __post_init__(self) -> None:
        if self.span.end - self.span.start != len(self.text):
            span = f"[{self.span.start}, {self.span.end})"
            msg = f"quantity {self.text!r} holds {len(self.text)} characters, its span is {span}"
            raise InputError(msg)

    @property
    def measure_units(self) -> tuple[str, ...]:
        """Its units of measure: none for a date or time, whose `units` name its part."""
        return () if self.kind in ("date", "time") else self.units


_MAX_DIGITS = 40  # that are read
_LINK = re.compile(r"\s?(?:-|–|—|,|to|and|or|,\s?and|,\s?or|-?\s?to)\s?")
_MAX_LINK = 6  # characters between two numbers of one range
_SHARE = re.compile(r"(\d{1,2})/(\d{1,2})")
_RATIOS = frozenset({2, 3, 4, 5, 6, 8, 10})
_OUT_OF = 16  # characters at most between one and five in "one out of every five"
_MINUS = "-−–"
_MINUS_WORDS = frozenset({"minus", "negative"})
_MINUS_AFTER = frozenset(
    (  # noqa: SIM905 - a list of words reads best as words
        "about and around at below between by from is low of or reached temperature to was"
    ).split()
)
_AGES = frozenset({"age", "aged", "ages"})
_LABELS = frozenset({"number", "chapter", "part", "phase", "article", "section", "group"})
_MORE = frozenset({"more", "greater", "higher", "larger", "longer", "bigger"})
_LESS = frozenset({"less", "fewer", "lower", "smaller", "shorter"})
_BOUNDS: dict[str, Bound] = {"at least": "above", "at most": "below", "up to": "below"}
_ABOVE = frozenset({"over", "above", "exceeding", "exceed", "exceeds", "exceeded"})
_BELOW = frozenset({"under", "below"})


def find_quantities(text: str) -> tuple[Quantity, ...]:
    """Find every quantity of a text, in order and without overlap, in linear time.

    "One" is a quantity only where it has a unit, a scale or a label (one hour, one million,
    number one): it is a pronoun too often.

    Examples
    --------
    >>> [(f.text, f.kind, f.value) for f in find_quantities("£25bn by Friday, or half")]
    [('£25bn', 'money', 25000000000.0), ('Friday', 'date', 5.0), ('half', 'fraction', 0.5)]
    """
    tokens, hits = tokenize(text)
    quantities: list[Quantity] = []
    done = 0
    for i in hits:
        if i >= done:
            found, done = _read_quantity(tokens, i, done)
            quantities += found
    return tuple(_share_units(text, quantities)) if len(quantities) > 1 else tuple(quantities)


def _read_quantity(tokens: Tokens, i: int, done: int) -> tuple[list[Quantity], int]:
    """Read the quantities that begin at token `i`; return them and the token after them."""
    if month := dates.month_at(tokens, i):
        return [_date_part(tokens, range(i, i + 1), "month", month)], i + 1
    if day := dates.weekday_at(tokens, i):
        return [_date_part(tokens, range(i, i + 1), "weekday", day)], i + 1
    word = tokens.words[i]
    if word in DAY_TIMES:
        clock = dates.Clock(DAY_TIMES[word] % 720, "pm" if DAY_TIMES[word] else "am", i + 1)
        return [replace(_time(tokens, i, clock), light=True)], i + 1
    if (time := dates.clock_at(tokens, i)) is not None:
        return [replace(_time(tokens, i, time), light=time.minutes == 0)], time.after
    if word[0].isdecimal() and not word.isdecimal():
        marked = _read_marked(tokens, i)
        if marked is not None:
            return marked, i + 1
    elif word[0].isdecimal() and (date := dates.iso_date(tokens, i)) is not None:
        parts = zip(("year", "month", "day"), date, strict=True)
        return [_date_part(tokens, range(k, k + 1), *p) for k, p in enumerate(parts, i)], i + 3
    number = read_number(tokens, i)
    if number is not None:
        return _read_counted(tokens, number, done)
    if word[0].isdecimal():  # a version, a score, a ratio
        return [_quantity(tokens, range(i, i + 1), "number", None)], i + 1
    return [], i + 1


def _read_marked(tokens: Tokens, i: int) -> list[Quantity] | None:
    """Read a date or a fraction of one token: 6/12/2024, 2/3."""
    if dates.is_numeric_date(tokens.words[i]):
        return [_date_part(tokens, range(i, i + 1), "numeric", None)]
    share = _SHARE.fullmatch(tokens.words[i])
    if share is None or tokens.words[i].startswith("0"):
        return None  # 05/06 is a day
    if tokens.glued(i) and tokens.words[i - 1][0].isalpha():
        return []  # MÃ1/4ller: a broken letter
    part, whole = int(share[1]), int(share[2])
    if whole not in _RATIOS or not 0 < part < whole:
        return None
    return [_quantity(tokens, range(i, i + 1), "fraction", part / whole)]


def _quantity(
    tokens: Tokens,
    at: range,
    kind: QuantityKind,
    value: float | None,
    unit_names: tuple[str, ...] = (),
) -> Quantity:
    """Return the quantity of a range of tokens."""
    span = Span(tokens.starts[at.start], tokens.ends[at.stop - 1])
    text = span.of(tokens.raw)
    return Quantity(span=span, text=text, kind=kind, value=value, units=unit_names)


def _date_part(tokens: Tokens, at: range, part: str, value: float | None) -> Quantity:
    return _quantity(tokens, at, "date", None if value is None else float(value), (part,))


def _time(tokens: Tokens, i: int, clock: dates.Clock) -> Quantity:
    half = (clock.half,) if clock.half else ()
    return _quantity(tokens, range(i, clock.after), "time", float(clock.minutes), half)


def _read_counted(tokens: Tokens, number: Number, done: int) -> tuple[list[Quantity], int]:
    """Read a number as a time, a part of a date, an ordinal, a fraction, or an amount."""
    number = _out_of(tokens, _with_suffix(tokens, number))
    first, after = number.first, number.after
    at = range(first, after)
    clock = dates.o_clock(tokens, number)
    if clock is not None:
        return [_time(tokens, first, clock)], clock.after
    if dates.is_decade(tokens, number):
        return [_date_part(tokens, range(first, after + 1), "decade", number.value)], after + 1
    if number.form == "decade":
        return [_date_part(tokens, at, "decade", number.value)], after
    if number.form in ("cardinal", "ordinal") and dates.is_day(tokens, number):
        return [_date_part(tokens, at, "day", number.value)], after
    if number.form == "ordinal":
        light = _is_light(tokens, number, "ordinal")
        return [replace(_quantity(tokens, at, "ordinal", number.value), light=light)], after
    if number.form == "times":
        quantity = _quantity(tokens, at, "number", number.value, ("times",))
        return [replace(quantity, light=number.value <= 3)], after
    if number.form == "fraction" and (behind := _and_a_half(tokens, first)):
        at = range(first - 3, after)
        return [_quantity(tokens, at, _kind_of(behind), 1.5, behind)], after
    return _read_amount(tokens, number, done)


def _with_suffix(tokens: Tokens, number: Number) -> Number:
    """Read the ending of "6th", which a translator may part from its digits ("6 th")."""
    at = number.after
    if tokens.word(at) not in dates.SUFFIXES or number.form != "cardinal":
        return number
    parted = tokens.gap(at) != ""
    if not tokens.words[at - 1][0].isdecimal() or (
        parted and (tokens.words[at] == "st" or tokens.gap(at) != " ")
    ):
        return number
    return replace(number, form="ordinal", after=at + 1)


def _out_of(tokens: Tokens, number: Number) -> Number:
    """Read "one in four" and "two out of three" as a fraction."""
    i = number.after
    at = i + (2 if tokens.words[i : i + 2] == ["out", "of"] else tokens.word(i) == "in")
    if at == i or at >= len(tokens.words) or number.form != "cardinal":
        return number
    at += tokens.word(at) == "every"
    total = read_number(tokens, at) if tokens.starts[at] - tokens.ends[i - 1] < _OUT_OF else None
    if total is None or total.scaled or total.form != "cardinal":
        return number
    if not 0 < number.value < total.value <= 10 or units.unit_behind(tokens, total.after, 0.0)[0]:
        return number
    share = number.value / total.value
    return replace(number, after=total.after, value=share, also=number.value, form="fraction")


def _and_a_half(tokens: Tokens, i: int) -> tuple[str, ...]:
    """Return the unit of "an hour and a half", where token `i` is the half."""
    if tokens.word(i) != "half" or tokens.words[max(0, i - 2) : i] != ["and", "a"]:
        return ()
    return units.unit_of_word(tokens.word(i - 3)) if tokens.word(i - 4) in ("a", "an") else ()


def _read_amount(tokens: Tokens, number: Number, done: int) -> tuple[list[Quantity], int]:
    """Read a number and its unit; return the quantity, if any, and the token after it.

    Tokens before `done` belong to another quantity already.
    """
    start, named = units.currency_before(tokens, number.first)
    if start < done:  # "5 GBP 6": already the unit of 5
        start, named = number.first, ()
    value, also, after = number.value, number.also, number.after
    scale = units.letter_scale(tokens, number, price=bool(named))
    if scale is not None:
        value, also, after = value * scale, None, after + 1
    elif tokens.glued(after) and tokens.words[after] == "m":
        also = value * 1e6  # 25m: metres, or million
    of = after + 1 if number.form == "vague" and tokens.word(after) == "of" else after
    if number.form == "fraction":  # half an hour, a quarter of a century
        of += tokens.word(of) == "of" and tokens.word(of + 1) in ("a", "an")
        of += tokens.word(of) in ("a", "an")
    year = dates.year_of(tokens, number) if number.form == "cardinal" else 0
    behind, end = units.unit_behind(tokens, of, 0.0 if year else value)
    if behind:
        after = end
        if tokens.words[end : end + 3] == ["and", "a", "half"]:
            value, also, after = value + 0.5, None, end + 3
    named = named or behind or _age_unit(tokens, number)
    if year and not named:
        return [_date_part(tokens, range(number.first, after), "year", year)], after
    if _is_pronoun(tokens, number, named):
        return [], after
    kind: QuantityKind = "fraction" if number.form == "fraction" else "number"
    kind = _kind_of(named) if named else kind
    quantity = _quantity(tokens, range(start, after), kind, value, named)
    if _is_negative(tokens, start):
        quantity = _with_minus(tokens, quantity, start)
    light, vague = _is_light(tokens, number, kind), number.form == "vague"
    bound = _bound(tokens, start)
    return [replace(quantity, also=also, bound=bound, vague=vague, light=light)], after


def _age_unit(tokens: Tokens, number: Number) -> tuple[str, ...]:
    """Return years for a bare number behind "aged" or "the age of"."""
    before = number.first - (2 if tokens.word(number.first - 1) == "of" else 1)
    aged = tokens.word(before) in _AGES and number.form == "cardinal" and number.value < 120
    return ("y",) if aged else ()


def _is_pronoun(tokens: Tokens, number: Number, named: tuple[str, ...]) -> bool:
    return (
        tokens.words[number.first] == "one"
        and number.value == 1
        and not (number.scaled or named)
        and tokens.word(number.first - 1) not in _LABELS
    )


def _is_light(tokens: Tokens, number: Number, kind: QuantityKind) -> bool:
    """Return whether a translation may well do without the number."""
    if tokens.words[number.first][0].isdecimal():
        return kind == "number" and (not number.value or _is_labelled(tokens, number))
    if number.form == "ordinal":
        return number.value <= 3
    return not number.scaled and number.value in (0, 0.25, 0.5, 1, 2)


def _is_labelled(tokens: Tokens, number: Number) -> bool:
    """Return whether digits hang on a name: F-16, G20, 3D."""
    i, after = number.first, number.after
    if tokens.glued(after) and tokens.words[after][0].isalpha():
        return True
    if i == 0 or tokens.gap(i) not in ("", "-", "‑", "+"):
        return False
    if tokens.gap(i) and tokens.capital(i - 1) and not dates.month_at(tokens, i - 1):
        return True  # Covid-19
    return tokens.words[i - 1][0].isalpha() and tokens.raw[tokens.ends[i - 1] - 1].isupper()


def _kind_of(named: tuple[str, ...]) -> QuantityKind:
    """Return the kind of a quantity in some units."""
    found = units.dimensions(named)
    if "money" in found:
        return "money"
    return "percent" if "share" in found else "number" if "times" in found else "measure"


def _bound(tokens: Tokens, first: int) -> Bound | None:
    i = first - 2 if tokens.word(first - 1) in ("a", "an") else first - 1
    one, two = tokens.word(i), tokens.word(i - 1)
    if one != "than":
        if one in _ABOVE or one in _BELOW:
            return "above" if one in _ABOVE else "below"
        return _BOUNDS.get(f"{two} {one}")
    if two not in _MORE and two not in _LESS:
        return None
    negated = tokens.word(i - 2) in ("no", "not")  # no less than
    return "above" if (two in _MORE) != negated else "below"


def _is_negative(tokens: Tokens, first: int) -> bool:
    """Return whether a minus precedes a number, no mere hyphen: of -5 degrees, but Covid -19."""
    start, before = tokens.starts[first], tokens.word(first - 1)
    if before in _MINUS_WORDS and tokens.near(first):
        return True
    if start == 0 or tokens.raw[start - 1] not in _MINUS:
        return False
    return (start == 1 or tokens.raw[start - 2] in " (\u00a0") and (
        first == 0 or before in _MINUS_AFTER
    )


def _with_minus(tokens: Tokens, quantity: Quantity, first: int) -> Quantity:
    spelled = tokens.word(first - 1) in _MINUS_WORDS
    start = tokens.starts[first - 1] if spelled else quantity.span.start - 1
    span = Span(start, quantity.span.end)
    return replace(quantity, span=span, text=span.of(tokens.raw), value=-(quantity.value or 0.0))


def _share_units(text: str, quantities: list[Quantity]) -> list[Quantity]:
    """Give the scale and the unit of "5 to 10 million dollars" to both its numbers."""
    shared = list(quantities)
    for i in range(len(shared) - 2, -1, -1):
        if _are_linked(text, shared[i], shared[i + 1]):
            shared[i] = _like_the_last(shared[i], shared[i + 1])
    for i in range(1, len(shared)):  # $5 to 10
        one, other = shared[i - 1], shared[i]
        if one.kind == "money" and other.kind == "number" and _are_linked(text, one, other):
            shared[i] = replace(other, units=one.units, kind="money")
    return shared


def _are_linked(text: str, one: Quantity, other: Quantity) -> bool:
    return (
        one.kind in ("number", "money")
        and other.kind in ("number", "money", "percent", "measure")
        and other.span.start - one.span.end <= _MAX_LINK
        and _LINK.fullmatch(text, one.span.end, other.span.start) is not None
    )


def _like_the_last(one: Quantity, other: Quantity) -> Quantity:
    if one.value is None or other.value is None:
        return one
    digits = re.sub(r"\D", "", other.text)[:_MAX_DIGITS]
    scaled = not digits or float(digits) != other.value  # 11 to 22,500 is no 11,000
    if other.value >= 1e3 > one.value and one.also is None and scaled:
        scale = next(scale for scale in (1e12, 1e9, 1e6, 1e3) if other.value >= scale)
        one = replace(one, also=one.value * scale)
    if not one.units and other.units and not one.vague:
        one = replace(one, units=other.units, kind=other.kind)
    return one
