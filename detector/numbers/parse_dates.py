"""Parse dates and clock times.

A date is read as its parts, since a translator moves them about. "Yesterday" and "last week" are
not read.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from detector.numbers.parse import Number, Tokens, read_number
from detector.text.lexicon import MONTHS, WEEKDAYS

SUFFIXES = frozenset({"st", "nd", "rd", "th"})
"""Endings of ordinals in digits."""

_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?![\w-])")
_CLOCK = re.compile(r"([01]?\d|2[0-4])(?:\.|: ?)([0-5]\d)(?::[0-5]\d)?")
_NUMERIC_DATE = re.compile(r"(\d{1,4})([./])(\d{1,2})\2(\d{1,4})")
_YEAR = re.compile(r"(?:19|20)\d\d")
_PAST = {"half": 30, "quarter": 15}
_PARTS_OF_DAY = {"morning": "am", "afternoon": "pm", "evening": "pm"}
_ON_THE_DAY = frozenset({"in", "on", "of", "the", "this", "that", "yesterday", "tomorrow"})
_ABOUT = frozenset({"at", "around", "about", "approximately"})
_FIRST_YEAR, _LAST_YEAR = 1100, 2099
_DOUBTFUL_MONTHS = frozenset({"may", "march", "august"})
_BEFORE_MONTH = frozenset(
    (  # noqa: SIM905 - a list of words reads best as words
        "after and before beginning between by during early end from in last late mid next of "
        "since this through till to until"
    ).split()
)


class Clock(NamedTuple):
    """A time: minutes after midnight or noon, which of them ("am", "pm", "") and its end."""

    minutes: int
    half: str
    after: int


def month_at(tokens: Tokens, i: int) -> int:
    """Return the month that token `i` names, 1 to 12; 0 where it is another word."""
    word = tokens.word(i)
    if word not in MONTHS:
        return 0
    numbered = _is_number(tokens, i + 1) or _is_number(tokens, i - 1)
    numbered = numbered or (tokens.word(i - 1) == "of" and _is_number(tokens, i - 2))
    capital = tokens.capital(i)
    if word in _DOUBTFUL_MONTHS:
        sure = capital and (numbered or tokens.word(i - 1) in _BEFORE_MONTH)
        sure = sure or _YEAR.fullmatch(tokens.word(i + 1)) is not None  # may 2009
    elif len(word) > 4 or word in ("june", "july"):
        sure = capital or numbered or len(word) > 5
    else:
        sure = capital and (numbered or tokens.raw.startswith(".", tokens.ends[i]))
    return MONTHS[word] if sure else 0


def _is_number(tokens: Tokens, i: int) -> bool:
    word = tokens.word(i)
    return word[:1].isdecimal() or word in SUFFIXES


def weekday_at(tokens: Tokens, i: int) -> int:
    """Return the weekday that token `i` names, 1 (Monday) to 7; 0 where it is another word."""
    word = tokens.words[i]
    if word.endswith(("day", "days")):
        return WEEKDAYS.get(word.removesuffix("s"), 0)
    short = tokens.capital(i) and tokens.raw.startswith(".", tokens.ends[i])
    return WEEKDAYS.get(word, 0) if short and word not in ("sun", "sat") else 0


def is_day(tokens: Tokens, number: Number) -> bool:
    """Return whether a number is the day of a month: 6 December, May the 4th."""
    if not (1 <= number.value <= 31 and number.value.is_integer()):
        return False
    if number.form == "cardinal" and not tokens.words[number.first][0].isdecimal():
        # May five, but not "in May, five men" nor "one of May's best"
        return tokens.gap(number.first) == " " and month_at(tokens, number.first - 1) > 0
    before = number.first - (2 if tokens.word(number.first - 1) == "the" else 1)
    if month_at(tokens, before) and tokens.starts[number.first] - tokens.ends[before] <= 6:
        return True
    at = number.after + (tokens.word(number.after) == "of")
    return month_at(tokens, at) > 0 and tokens.starts[at] - tokens.ends[number.after - 1] <= 4


def year_of(tokens: Tokens, number: Number) -> int:
    """Return the year that a bare number may be, 15 in 2014-15 too; 0 where it is none."""
    word = tokens.words[number.first]
    plain = number.after == number.first + 1 and word.isdecimal()
    if plain and len(word) == 2:
        return _second_year(tokens, number.first)
    if number.scaled or not _FIRST_YEAR <= number.value <= _LAST_YEAR:
        return 0
    digits = word[0].isdecimal()
    return int(number.value) if not digits or (plain and len(word) == 4) else 0


def _second_year(tokens: Tokens, i: int) -> int:
    before = tokens.word(i - 1)
    if len(before) != 4 or not before.isdecimal() or tokens.gap(i) not in ("-", "–", "‑"):
        return 0
    year, last = int(before), int(before) // 100 * 100 + int(tokens.words[i])
    if last % 100 == 0 and year % 100 == 99:
        last += 100  # 1999-00
    return last if _FIRST_YEAR <= year < last else 0


def is_decade(tokens: Tokens, number: Number) -> bool:
    """Return whether a number in digits is a decade: 1990s, 90's."""
    return (
        tokens.words[number.first][0].isdecimal()
        and number.form == "cardinal"
        and number.value > 0
        and number.value % 10 == 0
        and tokens.word(number.after) == "s"
        and tokens.gap(number.after) in ("", "'", "’", "-")
    )


def iso_date(tokens: Tokens, i: int) -> tuple[int, int, int] | None:
    """Return the year, month and day of 2024-12-06, which is three tokens."""
    match = _ISO_DATE.match(tokens.raw, tokens.starts[i])
    if match is None or not (1 <= int(match[2]) <= 12 and 1 <= int(match[3]) <= 31):
        return None
    return int(match[1]), int(match[2]), int(match[3])


def is_numeric_date(word: str) -> bool:
    """Return whether a token is a date in digits whose order is open: 6/12/2024, 6.12.24."""
    match = _NUMERIC_DATE.fullmatch(word)
    return match is not None and min(int(match[1]), int(match[4])) <= 31


def clock_at(tokens: Tokens, i: int) -> Clock | None:
    """Read a time that begins at token `i`: 15:00, 3 p.m., 10.30am, 15h30, half past six."""
    word = tokens.words[i]
    if word in _PAST:
        return _read_past(tokens, i)
    if not word[0].isdecimal():
        return None
    half, after = _half_day(tokens, i + 1)
    half = half or _part_of_day(tokens, i, i + 1)
    match = _CLOCK.fullmatch(word)
    if match is not None and (":" in word or half):
        return _clock(int(match[1]) * 60 + int(match[2]), half, after)
    if not (word.isdecimal() and len(word) <= 2):
        return None
    if half and int(word) <= 12:
        return _clock(int(word) * 60, half, after)
    if tokens.word(i + 1) == "h" and tokens.glued(i + 1) and tokens.glued(i + 2):
        minutes = tokens.words[i + 2]
        if minutes.isdecimal() and len(minutes) == 2:
            return _clock(int(word) * 60 + int(minutes), "", i + 3)
    return None


def o_clock(tokens: Tokens, number: Number) -> Clock | None:
    """Read the rest of "ten o'clock"."""
    if tokens.word(number.after) != "o" or not 0 <= number.value <= 24:
        return None
    # an apostrophe that a translator left as &#39; is a token of its own
    at = number.after + (2 if tokens.word(number.after + 1).startswith("&") else 1)
    if tokens.word(at) != "clock":
        return None
    half = _part_of_day(tokens, number.first, at + 1)
    return _clock(int(number.value * 60), half, at + 1)


def _clock(minutes: int, half: str, after: int) -> Clock:
    # The half of the day is kept apart, so that 3:00 agrees with 3 p.m. and 15:00
    if not half and not 60 <= minutes < 780:
        half = "pm" if 780 <= minutes < 1440 else "am"
    return Clock(minutes % 720, half, after)


def _read_past(tokens: Tokens, i: int) -> Clock | None:
    if tokens.word(i + 1) not in ("past", "to") or i + 2 >= len(tokens.words):
        return None
    hour = read_number(tokens, i + 2)
    if hour is None or hour.form != "cardinal" or not 1 <= hour.value <= 12:
        return None
    minutes = _PAST[tokens.words[i]] * (1 if tokens.words[i + 1] == "past" else -1)
    return _clock(int(hour.value) * 60 + minutes, "", hour.after)


def _part_of_day(tokens: Tokens, first: int, after: int) -> str:
    """Return the half of the day that the words around a time name: at 10 this morning."""
    for _ in range(2):
        after += tokens.word(after) in _ON_THE_DAY or tokens.word(after) in WEEKDAYS
    before = first - 2 if tokens.word(first - 1) in _ABOUT else first - 1
    return _PARTS_OF_DAY.get(tokens.word(after)) or _PARTS_OF_DAY.get(tokens.word(before), "")


def _half_day(tokens: Tokens, i: int) -> tuple[str, int]:
    word = tokens.word(i)
    if not tokens.near(i):
        return "", i
    if word in ("am", "pm") and tokens.word(i + 1) != "i":  # "at 5 am I right"
        return word, i + 1
    if word in ("a", "p") and tokens.word(i + 1) == "m" and tokens.gap(i + 1) in ("", ".", ". "):
        return f"{word}m", i + 2
    return "", i
