"""Damage numbers, magnitudes, currencies, units, dates and times."""

from __future__ import annotations

import re
from functools import cache

from detector.text.lexicon import MONTHS, WEEKDAYS
from detector.training.contrasts.edits import Edit, Edits, Maker, Pools, Rng, choose, like, pick
from detector.training.contrasts.grammar import Sentence, listed

_MONTHS = tuple(m.capitalize() for m in MONTHS if len(m) > 4 or m in ("may", "june", "july"))
_DAYS = tuple(d.capitalize() for d in WEEKDAYS if d.endswith("day"))
_NUMBERS = (
    *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
)
_ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_SIZES = ("hundred", "thousand", "million", "billion", "trillion")
_SIGNS = "$£€¥₹"
_MONEY = listed("dollar euro pound yen won rupee peso franc krona rouble lira")
_UNITS = (
    ("mile", "kilometre", "kilometer", "metre", "meter", "foot", "yard", "inch", "centimetre"),
    ("kilogram", "ton", "tonne", "gram", "pound", "ounce"),
    ("second", "minute", "hour", "day", "week", "month", "year", "decade", "century"),
    ("litre", "liter", "gallon", "barrel"),
    ("acre", "hectare"),
    ("km", "mi", "ft", "cm", "mm"),
    ("watt", "volt", "kilowatt", "megawatt"),
)
_OF_UNIT = {unit: group for group in _UNITS for unit in group}
_PLURAL = {"foot": "feet", "inch": "inches", "century": "centuries"}
_NUMBER = rf"(?:\d|\b(?:{'|'.join((*_NUMBERS, *_SIZES, 'a few', 'several', 'many'))})\b)"

_DIGITS = re.compile(r"(?<![\w.,:/-])\d[\d,.]*\d(?![\w:/-])|(?<![\w.,:/-])\d(?![\w:/-])")
_AMOUNT = re.compile(r" ?[\d.,]*\d(?: ?(?:million|billion|thousand|trillion|bn|m)\b)?")
_TIMES = (
    ("yesterday", "today", "tomorrow"),
    ("morning", "afternoon", "evening", "night"),
    ("last week", "next week", "this week"),
    ("last month", "next month", "this month"),
    ("last year", "next year", "this year"),
    ("winter", "spring", "summer", "autumn"),
    ("a.m.", "p.m."),
    ("first", "second", "third", "fourth"),
    ("earlier", "later"),
    ("weekly", "monthly", "daily", "yearly"),
)
_OF_TIME = {word: group for group in _TIMES for word in group}
_TIME = re.compile(
    rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(_OF_TIME, key=len, reverse=True)))})(?![\w-])",
    re.IGNORECASE,
)


def _other(rng: Rng, options: tuple[str, ...], old: str) -> str:
    return choose(rng, [option for option in options if option.lower() != old.lower()])


def number(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Change a number written in digits."""
    at = pick(rng, list(_DIGITS.finditer(sentence.text)))
    if at is None:
        return None
    old = at.group()
    digits = [i for i, c in enumerate(old) if c.isdigit()]
    way = rng.random()
    if way < 0.2 and len(digits) > 1 and (new := _turned(old, digits)) != old:
        return (Edit(*at.span(), new),)
    if way < 0.3 and "." not in old and "," not in old and len(old) < 4:
        return (Edit(*at.span(), old + "0" if rng.random() < 0.5 else f"{old[0]}.{old[1:] or 5}"),)
    if re.fullmatch(r"(?:1[5-9]|20)\d\d", old):
        digits = digits[2:]
    place = choose(rng, digits)
    options = tuple("123456789" if place == digits[0] else "0123456789")
    return (Edit(*at.span(), old[:place] + _other(rng, options, old[place]) + old[place + 1 :]),)


def _turned(old: str, digits: list[int]) -> str:
    a, b = digits[:2]
    return old[:a] + old[b] + old[a + 1 : b] + old[a] + old[b + 1 :] if old[b] != "0" else old


def _words(options: tuple[str, ...], pattern: str) -> Maker:
    """Make a maker that replaces a word of a list by another."""
    compiled = re.compile(pattern)

    def swap(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
        at = pick(rng, list(compiled.finditer(sentence.text)))
        if at is None:
            return None
        old = at.group()
        return (Edit(*at.span(), like(old, _other(rng, options, old))),)

    return swap


def magnitude(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Change a magnitude such as million, or drop it."""
    candidates = re.finditer(
        rf"(?<=\w )(?:{'|'.join(_SIZES)})\b|(?<=\d)(?:bn|m|k)\b", sentence.text
    )
    at = pick(rng, list(candidates))
    if at is None:
        return None
    if at.group() in _SIZES and rng.random() < 0.3 and sentence.text[at.start() - 2].isdigit():
        return (Edit(at.start() - 1, at.end(), ""),)
    options = _SIZES[1:] if at.group() in _SIZES else ("bn", "m", "k")
    return (Edit(*at.span(), _other(rng, options, at.group())),)


def currency(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop a currency sign, or change a currency."""
    text = sentence.text
    signs = re.finditer(rf"(?:US|A|C|HK)?[{_SIGNS}](?= ?\d)", text)
    named = re.finditer(
        rf"(?:(?<=\d )|(?<=[ml]ion )|(?<=the )(?!won|pound))(?:{'|'.join(_MONEY)})(?=s?\b)",
        text,
    )
    at = pick(rng, [*signs, *named])
    if at is None:
        return None
    old = at.group()
    if old[-1] in _SIGNS:
        if rng.random() < 0.5:  # as where characters outside ASCII were dropped
            return (Edit(*at.span(), ""),)
        amount = _AMOUNT.match(text, at.end())
        if amount is not None and rng.random() < 0.4:
            new = f"{amount.group().strip()} {_MONEY[int(rng.integers(3, 6))]}"
            return (Edit(at.start(), amount.end(), new),)
        return (Edit(*at.span(), _other(rng, tuple(_SIGNS), old[-1])),)
    plural = text[at.end() : at.end() + 1] == "s"
    new = _other(rng, _MONEY, old)
    new += "s" if plural and new not in ("yen", "won") else ""
    return (Edit(at.start(), at.end() + plural, new),)


def unit(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Change the unit that a number counts."""
    text = sentence.text
    forms, pattern = _units()
    at = pick(rng, list(pattern.finditer(text)))
    if at is None:
        return None
    old = at.group(1)
    base = forms[old]
    new = _other(rng, _OF_UNIT[base], base)
    return (Edit(*at.span(1), _plural(new) if old != base and len(new) > 2 else new),)


@cache
def _units() -> tuple[dict[str, str], re.Pattern[str]]:
    forms = {**{u: u for u in _OF_UNIT}, **{_plural(u): u for u in _OF_UNIT if len(u) > 2}}
    longest = "|".join(sorted(forms, key=len, reverse=True))
    sized = rf"{_NUMBER}[- ](?:million |billion |thousand )?\b({longest})\b"
    return forms, re.compile(sized)


def _plural(unit: str) -> str:
    return _PLURAL.get(unit, f"{unit}s")


def date(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Change a month, a weekday, a day or a year."""
    text = sentence.text
    months = "|".join(_MONTHS)
    candidates = list(re.finditer(rf"\b(?:{months})\b(?<!May)|\bMay(?= \d)|(?<=\d )May\b", text))
    candidates += re.finditer(rf"\b(?:{'|'.join(_DAYS)})(?=s?\b)", text)
    candidates += re.finditer(
        rf"(?<=[a-z] )\d{{1,2}}(?= (?:{months})\b)|(?<=[a-z] )\d{{1,2}}(?=(?:,| \d{{4}}))", text
    )
    candidates += re.finditer(r"\b(?:1[5-9]|20)\d\d\b(?![,.]?\d)", text)
    at = pick(rng, candidates)
    if at is None:
        return None
    old = at.group()
    if old.isdigit():
        step = int(rng.integers(1, 9)) * (1 if rng.random() < 0.5 else -1)
        new = str(int(old) + step) if len(old) == 4 else str((int(old) + step - 1) % 28 + 1)
    else:
        new = _other(rng, _MONTHS if old in _MONTHS else _DAYS, old)
    return None if new == old else (Edit(*at.span(), new),)


def moment(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Change a time of day, or a relative time such as yesterday."""
    at = pick(rng, list(_TIME.finditer(sentence.text)))
    if at is None:
        return None
    old = at.group()
    return (Edit(*at.span(), like(old, _other(rng, _OF_TIME[old.lower()], old))),)


number_word = _words(_NUMBERS, rf"\b(?:{'|'.join(_NUMBERS)})\b(?!-)(?= [a-z])")
ordinal = _words(_ORDINALS, rf"\b(?:{'|'.join(_ORDINALS)})\b(?! of\b)(?= [a-z])")
