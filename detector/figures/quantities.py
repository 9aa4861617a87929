"""Every number, date, time, percentage, amount of money and measure that a text states.

Pure: text in, typed figures with spans out. Whether two figures agree is for `compare`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from detector.figures import moments, units
from detector.figures.amounts import is_light, kind_of, read_amount
from detector.figures.figure import Figure, figure_at, part_at
from detector.figures.numerals import Number, read_number
from detector.figures.ranges import share_units
from detector.figures.tokens import DAY_TIMES, Tokens, tokenize

_SHARE = re.compile(r"(\d{1,2})/(\d{1,2})")
_RATIOS = frozenset({2, 3, 4, 5, 6, 8, 10})
_OUT_OF = 16  # characters at most between one and five in "one out of every five"


def find_figures(text: str) -> tuple[Figure, ...]:
    """Find every figure of a text.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of Figure
        In order, without overlap; spans count in `text`.

    Notes
    -----
    "One" is a figure only where it has a unit, a scale or a label (one hour, one million,
    number one): it is a pronoun too often. Time is linear in the text.

    Examples
    --------
    >>> [(f.text, f.kind, f.value) for f in find_figures("£25bn by Friday, or half")]
    [('£25bn', 'money', 25000000000.0), ('Friday', 'date', 5.0), ('half', 'fraction', 0.5)]
    """
    tokens, hits = tokenize(text)
    figures: list[Figure] = []
    done = 0
    for i in hits:
        if i >= done:
            found, done = _read_figure(tokens, i, done)
            figures += found
    return tuple(share_units(text, figures)) if len(figures) > 1 else tuple(figures)


def _read_figure(tokens: Tokens, i: int, done: int) -> tuple[list[Figure], int]:
    """Read what begins at token `i`; return it and the token after it.

    Tokens before `done` belong to another figure already.
    """
    if month := moments.month_at(tokens, i):
        return [part_at(tokens, range(i, i + 1), "month", month)], i + 1
    if day := moments.weekday_at(tokens, i):
        return [part_at(tokens, range(i, i + 1), "weekday", day)], i + 1
    word = tokens.words[i]
    if word in DAY_TIMES:
        clock = moments.Clock(DAY_TIMES[word] % 720, "pm" if DAY_TIMES[word] else "am", i + 1)
        return [replace(_time(tokens, i, clock), light=True)], i + 1
    if (time := moments.clock_at(tokens, i)) is not None:
        return [replace(_time(tokens, i, time), light=time.minutes == 0)], time.after
    if word[0].isdecimal() and not word.isdecimal():
        marked = _read_marked(tokens, i)
        if marked is not None:
            return marked, i + 1
    elif word[0].isdecimal() and (date := moments.iso_date(tokens, i)) is not None:
        parts = zip(("year", "month", "day"), date, strict=True)
        found = [part_at(tokens, range(k, k + 1), *part) for k, part in enumerate(parts, start=i)]
        return found, i + 3
    number = read_number(tokens, i)
    if number is not None:
        return _read_counted(tokens, number, done)
    if word[0].isdecimal():  # a version, a score, a ratio: digits that say no one number
        return [figure_at(tokens, range(i, i + 1), "number", None)], i + 1
    return [], i + 1


def _read_marked(tokens: Tokens, i: int) -> list[Figure] | None:
    """Read a date or a share that is one token: 6/12/2024, 2/3."""
    if moments.is_numeric_date(tokens.words[i]):
        return [part_at(tokens, range(i, i + 1), "numeric", None)]
    share = _SHARE.fullmatch(tokens.words[i])
    if share is None or tokens.words[i].startswith("0"):
        return None  # 05/06 is a day
    if tokens.glued(i) and tokens.words[i - 1][0].isalpha():
        return []  # MÃ1/4ller: a broken letter
    part, whole = int(share[1]), int(share[2])
    if whole not in _RATIOS or not 0 < part < whole:
        return None
    return [figure_at(tokens, range(i, i + 1), "fraction", part / whole)]


def _time(tokens: Tokens, i: int, clock: moments.Clock) -> Figure:
    figure = figure_at(tokens, range(i, clock.after), "time", float(clock.minutes))
    return replace(figure, units=(clock.half,)) if clock.half else figure


def _read_counted(tokens: Tokens, number: Number, done: int) -> tuple[list[Figure], int]:
    """Tell what a number is: a time, a part of a date, an ordinal, a share, or an amount."""
    number = _out_of(tokens, _with_suffix(tokens, number))
    first, after = number.first, number.after
    at = range(first, after)
    clock = moments.o_clock(tokens, number)
    if clock is not None:
        return [_time(tokens, first, clock)], clock.after
    if moments.is_decade(tokens, number):
        return [part_at(tokens, range(first, after + 1), "decade", number.value)], after + 1
    if number.form == "decade":
        return [part_at(tokens, at, "decade", number.value)], after
    if number.form in ("cardinal", "ordinal") and moments.is_day(tokens, number):
        return [part_at(tokens, at, "day", number.value)], after
    if number.form == "ordinal":
        figure = figure_at(tokens, at, "ordinal", number.value)
        return [replace(figure, light=is_light(tokens, number, figure))], after
    if number.form == "times":
        figure = figure_at(tokens, at, "number", number.value)
        return [replace(figure, units=("times",), light=number.value <= 3)], after
    if number.form == "fraction" and (behind := _and_a_half(tokens, first)):
        figure = figure_at(tokens, range(first - 3, after), kind_of(behind), 1.5)
        return [replace(figure, units=behind)], after
    return read_amount(tokens, number, done)


def _with_suffix(tokens: Tokens, number: Number) -> Number:
    """Read the ending of "6th", which a translator may part from its digits ("6 th")."""
    at = number.after
    if tokens.word(at) not in moments.SUFFIXES or number.form != "cardinal":
        return number
    parted = tokens.gap(at) != ""
    if not tokens.words[at - 1][0].isdecimal() or (
        parted and (tokens.words[at] == "st" or tokens.gap(at) != " ")
    ):
        return number
    return replace(number, form="ordinal", after=at + 1)


def _out_of(tokens: Tokens, number: Number) -> Number:
    """Read "one in four" and "two out of three" as a share; any other number is left alone."""
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
