"""How many changed figures are caught, and how many sound translations are flagged for one.

    python benchmarks/figures.py [FOLDER] [--pairs N] [--seed S]    # by default $DETECTOR_SHARED

Caught: DEMETR's replaced numbers against the human reference, and contrasts: one figure of the copy
of an honest pair is changed, so the harmless rewording of a translation is there too. Contrasts
count where the pair was not flagged before. False alarms: the same sound pairs unchanged. Some of
them truly differ, so these shares are upper bounds. Beside it the plainest rule there is: the runs
of digits of the two sides differ as sets. Nothing was fitted or tuned on DEMETR.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from detector.figures.compare import compare_figures
from detector.reasons import TOLD_FIGURE

Maker = Callable[[str, np.random.Generator], str | None]
Pair = tuple[str, str]

SMALL = "two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()  # noqa: SIM905
MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905
SCALES = ("thousand", "million", "billion", "trillion")
MONEY = "dollars euros pounds yen yuan rubles rupees francs won".split()  # noqa: SIM905
SIGNS = "$€£¥"
UNITS = (
    "seconds minutes hours days weeks months years decades".split(),  # noqa: SIM905
    "millimetres centimetres metres kilometres miles feet inches".split(),  # noqa: SIM905
    "millimeters centimeters meters kilometers miles feet inches".split(),  # noqa: SIM905
    "mm cm km".split(),  # noqa: SIM905
    "mg kg tonnes".split(),  # noqa: SIM905
    "kilograms grams pounds tons tonnes ounces".split(),  # noqa: SIM905
)
SHARES = ("half", "one third", "a quarter", "two thirds", "three quarters", "one fifth")
TIMES = ("double", "triple", "quadruple")
DOUBLED = ("doubled", "tripled", "quadrupled")
TWICE = ("twice", "three times", "four times", "ten times")
DECADES = "twenties thirties forties fifties sixties seventies eighties nineties".split()  # noqa: SIM905
DOZENS = ("dozens", "hundreds", "thousands", "millions")

_NUMBER = r"(?<![\d.,:/A-Za-z-])\d[\d,]*(?:\.\d+)?(?![\d:/]|[.,]\d)"
_COUNT = rf"(?:{_NUMBER}|\b(?:{'|'.join((*SMALL, *TENS))})\b)"


def _other(word: str, words: Sequence[str], rng: np.random.Generator) -> str:
    """Draw another word of a list, with a capital where the given one has it."""
    drawn = str(rng.choice([w for w in words if w.lower() != word.lower()]))
    return drawn.capitalize() if word[:1].isupper() else drawn


def _near(number: int, rng: np.random.Generator, lowest: int, highest: int) -> int:
    """Draw another whole number within 9 of a given one."""
    near = range(max(lowest, number - 9), min(highest, number + 9) + 1)
    return int(rng.choice([n for n in near if n != number] or [number + 1]))


def _digit(text: str, rng: np.random.Generator) -> str:
    """Change one digit; a leading one never becomes 0."""
    places = [i for i, letter in enumerate(text) if letter.isdecimal()]
    i = int(rng.choice(places))
    lowest = "0" if i > places[0] or len(places) == 1 else "1"
    choices = [d for d in "0123456789" if d >= lowest and d != text[i]]
    return text[:i] + str(rng.choice(choices)) + text[i + 1 :]


def _point(text: str) -> str:
    """Move a decimal point by one place: 3.5 becomes 35, 12.25 becomes 122.5."""
    whole, part = text.split(".")
    return f"{whole}{part[0]}{'.' + part[1:] if part[1:] else ''}"


def _words(words: Sequence[str]) -> str:
    return rf"\b(?:{'|'.join(words)})\b"


def _swap(words: Sequence[str], before: str = "", after: str = "", flags: int = re.I) -> Maker:
    """Swap a word of a list for another where the text round it fits."""
    pattern = re.compile(f"(?P<b>{before})(?P<w>{_words(words)})(?={after})", flags)
    return _at(pattern, lambda m, rng: m["b"] + _other(m["w"], words, rng))


def _at(
    pattern: re.Pattern[str], new: Callable[[re.Match[str], np.random.Generator], str]
) -> Maker:
    def make(text: str, rng: np.random.Generator) -> str | None:
        found = list(pattern.finditer(text))
        if not found:
            return None
        match = found[int(rng.integers(len(found)))]
        changed = text[: match.start()] + new(match, rng) + text[match.end() :]
        return changed if changed != text else None

    return make


def _any(*makers: Maker) -> Maker:
    def make(text: str, rng: np.random.Generator) -> str | None:
        for i in rng.permutation(len(makers)):
            changed = makers[i](text, rng)
            if changed is not None:
                return changed
        return None

    return make


def _signs(match: re.Match[str], rng: np.random.Generator) -> str:
    return str(rng.choice([sign for sign in SIGNS if sign != match[0]]))


MONTH_OR_DATE = rf"(?:{'|'.join(MONTHS)})"
MAKERS: Mapping[str, Maker] = {
    "digits": _at(re.compile(_NUMBER), lambda m, rng: _digit(m[0], rng)),
    "written count": _any(_swap(SMALL), _swap(TENS)),
    "ordinal": _any(
        _swap(ORDINALS[2:]),
        _at(
            re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b"),
            lambda m, rng: f"{_near(int(m[1]), rng, 4, 20) if int(m[1]) < 20 else int(m[1]) + 3}th",
        ),
    ),
    "year": _at(
        re.compile(r"(?<![\d.,$€£])\b(?:1[5-9]|20)\d\d\b(?![.,]\d|%| %)"),
        lambda m, rng: str(_near(int(m[0]), rng, 1500, 2099)),
    ),
    "day of a month": _any(
        _at(
            re.compile(rf"\b(\d{{1,2}})(?= (?:of )?{MONTH_OR_DATE}\b)"),
            lambda m, rng: str(_near(int(m[1]), rng, 1, 28)),
        ),
        _at(
            re.compile(rf"(?<=\b)({MONTH_OR_DATE} )(\d{{1,2}})\b(?!:)"),
            lambda m, rng: m[1] + str(_near(int(m[2]), rng, 1, 28)),
        ),
    ),
    "month": _any(
        _swap(MONTHS, before=r"\d ", flags=0),
        _swap(MONTHS, after=r" \d", flags=0),
        _swap(MONTHS, before="[Ii]n ", flags=0),
    ),
    "weekday": _swap(DAYS, flags=0),
    "scale": _swap(SCALES, before=rf"{_COUNT} "),
    "scale lost": _at(re.compile(rf"({_COUNT}) {_words(SCALES)}"), lambda m, rng: m[1]),
    "currency": _any(
        _swap(MONEY, before=r"(?:\d|illion|housand|hundred) "),
        _at(re.compile(r"[$€£¥](?=\s?\d)"), _signs),
    ),
    "currency lost": _any(
        _at(re.compile(r"[$€£¥]\s?(?=\d)"), lambda m, rng: ""),
        _at(
            re.compile(rf"(?P<b>\d|illion|housand|hundred) {_words(MONEY)}"),
            lambda m, rng: m["b"],
        ),
    ),
    "unit": _any(*(_swap(words, before=rf"{_COUNT}[ -]") for words in UNITS)),
    "unit lost": _any(
        *(
            _at(re.compile(rf"({_COUNT}) {_words(words)}"), lambda m, rng: m[1])
            for words in UNITS[1:]
        )
    ),
    "percent to points": _at(
        re.compile(r"(?<=\d)\s?(?:%| per ?cent\b)"), lambda m, rng: " percentage points"
    ),
    "percent lost": _at(re.compile(r"(?<=\d)\s?(?:%| per ?cent\b)"), lambda m, rng: ""),
    "fraction": _any(
        _at(
            re.compile(
                r"\b(?:one|a|two|three)[ -](?:thirds?|quarters?|fifths?)(?= of)"
                r"|\bhalf(?= (?:of|the)\b)"
            ),
            lambda m, rng: _other(m[0].replace("-", " "), SHARES, rng),
        ),
    ),
    "decade": _any(
        _at(
            re.compile(r"\b(1[5-9]|20)(\d)0(?='?s\b)"),
            lambda m, rng: f"{m[1]}{(int(m[2]) + int(rng.integers(1, 10))) % 10}0",
        ),
        _swap(DECADES),
    ),
    "clock": _any(
        _at(
            re.compile(r"\b(\d{1,2})(?=[:.]\d\d\s?(?:[ap]\.?m|h\b|UTC|GMT|EST))|\b(\d{1,2})(?=:\d\d\b)"),
            lambda m, rng: str(_near(int(m[0]), rng, 1, 12 if int(m[0]) <= 12 else 23)),
        ),
        _at(
            re.compile(r"\b(\d{1,2})(?=\s?[ap]\.?m\b)"),
            lambda m, rng: str(_near(int(m[0]), rng, 1, 11)),
        ),
        _at(
            re.compile(r"(?<=\d)(\s?)([ap])(?=\.?m\b)"),
            lambda m, rng: m[1] + ("p" if m[2] == "a" else "a"),
        ),
    ),
    "age": _any(
        _at(
            re.compile(r"\b(\d{1,2})(?=[ -]years?[ -]olds?\b)|(?<=\baged )(\d{1,2})\b|(?<=, )(\d\d)(?=,)"),
            lambda m, rng: str(_near(int(m[0]), rng, 1, 99)),
        ),
        _swap((*SMALL, *TENS), after=r"[ -]years?[ -]old"),
    ),
    "score": _at(
        re.compile(r"(?<![\d.,:/-])\b\d{1,2}[-–:]\d{1,2}\b(?![\d.,:/-]|\s?[ap]\.?m)(?!-)"),
        lambda m, rng: _digit(m[0], rng),
    ),
    "half, double, dozen": _any(
        _swap(TIMES), _swap(DOUBLED), _swap(TWICE), _swap(DOZENS, after=" of"),
        _at(re.compile(r"\b(?:a dozen|half a dozen)\b"), lambda m, rng: "a hundred"),
    ),
    "end of a range": _at(
        re.compile(r"(?<![\d.,:/])(\d[\d.]*(?: ?[-–] ?| to | and ))(\d[\d,]*)(?![\d:/-]|[.,]\d)"),
        lambda m, rng: m[1] + _digit(m[2], rng),
    ),
    "decimal point": _at(
        re.compile(r"(?<![\d.,:])[1-9]\d*\.\d{1,2}(?![\d.:,])"), lambda m, rng: _point(m[0])
    ),
    "separators misread": _at(
        re.compile(r"(?<![\d.,])(\d{1,3}),(\d)00(?![\d.,])|(?<![\d.,])(\d{1,3}),(\d\d\d)(?![\d.,])"),
        lambda m, rng: m[0].split(",")[0] if m[0].endswith("000") else m[0].replace(",", "") + "00",
    ),
    "dropped": _at(re.compile(rf"{_NUMBER} "), lambda m, rng: ""),
}  # fmt: skip
"""One change each; the first group of a list is drawn at random where a text offers several."""


def contrasts(pairs: Sequence[Pair], maker: Maker, rng: np.random.Generator) -> Iterator[Pair]:
    """Yield the pairs with one figure of the copy changed, where a maker finds one."""
    for source, copy in pairs:
        changed = maker(copy, rng)
        if changed is not None:
            yield source, changed


def flagged(source: str, copy: str) -> bool:
    """Tell whether a changed figure would be told to a reader."""
    changes = compare_figures(source, copy)
    return any(c.change != "kept" and c.weight >= TOLD_FIGURE for c in changes)


def digits_differ(source: str, copy: str) -> bool:
    """Tell whether the plain rule flags a pair."""
    return set(re.findall(r"\d+", source)) != set(re.findall(r"\d+", copy))
