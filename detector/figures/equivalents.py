"""Which figures say one thing: 25bn and 25 billion, half and 50 %, 160 km/h and 100 mph.

Pure. Every figure yields keys for what it says; figures that share a key may agree, and
`same_thing` tells whether they do. Nothing here looks at the texts round them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from detector.figures.figure import Figure
from detector.figures.units import unit_facts

Key = tuple[str, float]
"""What a figure says, as far as one reading goes: ("n", 25e9), ("month", 12.0)."""

_DIGITS = re.compile(r"\d+")
_POINTED = re.compile(r"(\d{1,2})\.(\d{1,2})")
_TOLERANCE = 0.06  # natural logarithm: conversions within 3 % always share a step
_DEGREE = 1.5  # degrees Celsius: 90 °F and 32 °C share a step
_LONGEST = 40  # digits of one group that are read ...
_READ = 60  # ... and characters of one figure: a text may be one endless number
_COUNTED = frozenset({"money", "percent", "measure"})
_MOMENTS = frozenset({"clock", "day", "month", "year", "short year"})


def digit_groups(text: str) -> tuple[str, ...]:
    """Return the runs of digits of a text: 11 and 20 of "11:20"."""
    return tuple(_DIGITS.findall(text))


def keys(figure: Figure) -> Iterator[Key]:
    """Yield what a figure says, the plainest reading first."""
    value = figure.value
    if value is None:
        yield from _group_keys(figure)
    elif figure.kind == "time":
        hours = value / 60
        yield from (("clock", value), ("n", hours), ("n", hours + 12))
        digits = "".join(digit_groups(figure.text[:_READ]))[:_LONGEST]
        if digits:
            yield ("n", float(digits))  # 0230 hours
    elif figure.kind == "date":
        part = figure.units[0]
        yield (part, value % 100 if part == "decade" else value)
        if part in ("day", "year", "decade"):
            yield ("n", value)
        if part == "year":
            yield ("short year", value % 100)
        if part == "decade" and value % 100 == 0:
            yield ("century", value // 100 + 1)  # the 1800s are the 19th century
    else:
        yield from _amount_keys(figure, abs(value))


def _group_keys(figure: Figure) -> Iterator[Key]:
    """Yield every number of 6/12/2024, 2:1 or 1995/96 as each part of a date."""
    century = 2000.0
    for group in digit_groups(figure.text[:_READ]):
        number = float(group[:_LONGEST])
        yield from (("n", number), ("day", number), ("month", number))
        yield ("year", number + century if number < 100 else number)
        century = number // 100 * 100 if number >= 1000 else 2000.0


def _amount_keys(figure: Figure, value: float) -> Iterator[Key]:
    yield ("n", value)
    if figure.also is not None:
        yield ("n", abs(figure.also))
    if figure.kind == "percent":
        yield ("n", value / 100)
    elif figure.kind == "fraction" and 0 < value <= 0.5:
        yield ("part", round(1 / value, 3))  # a fifth is spelled like the fifth
    elif figure.kind == "ordinal":
        yield from (("part", value), ("century", value))
    if figure.kind in ("number", "ordinal"):
        yield from _moment_keys(figure, value)
    if value > 0:
        yield ("order", float(math.floor(math.log10(value) + 1e-9)))


def _moment_keys(figure: Figure, value: float) -> Iterator[Key]:
    """Yield the parts of a date and the time that a bare number may stand for."""
    if value.is_integer():
        yield from (("day", value), ("year", value))
        if value < 100 and figure.text.isdecimal():
            yield ("short year", value)  # the 95-96 season
    elif (pointed := _POINTED.fullmatch(figure.text)) is not None:
        one, other = int(pointed[1]), int(pointed[2])
        if one <= 24 and other < 60:
            yield ("clock", one % 12 * 60.0 + other)  # 11.20 for 11:20
        if one <= 31 and other <= 12:
            yield from (("day", float(one)), ("month", float(other)))  # 17.7. for 17 July


def broad_keys(figure: Figure) -> Iterator[Key]:
    """Yield what an amount says roughly: its size in whatever unit."""
    value = abs(figure.value or 0.0)
    if value == 0:
        return
    for name in figure.measured_in:
        unit = unit_facts()[name]
        if unit.size is not None:  # two overlapping scales of steps
            yield from size_keys(unit.dimension, value * unit.size)
        elif unit.dimension == "temperature":
            degrees = (figure.value or 0.0) / _DEGREE
            if name == "°F":
                degrees = ((figure.value or 0.0) - 32) / 1.8 / _DEGREE
            yield ("size of temperature", float(math.floor(degrees)))
            yield ("shifted size of temperature", float(math.floor(degrees + 0.5)))


def size_keys(dimension: str, size: float) -> Iterator[Key]:
    """Yield the keys of a size in its dimension's base unit."""
    steps = math.log(size) / _TOLERANCE
    yield (f"size of {dimension}", float(math.floor(steps)))
    yield (f"shifted size of {dimension}", float(math.floor(steps + 0.5)))


def same_thing(key: Key, one: Figure, other: Figure) -> bool | None:
    """Tell whether two figures that share a key say one thing.

    Returns
    -------
    bool or None
        True where they do, False where they say one value in different units, None where the
        key proves nothing about these two.
    """
    apart = set(one.units).isdisjoint(other.units)
    if key[0] == "order":  # dozens, several thousand
        return True if one.vague or other.vague else None
    if "size" in key[0]:  # a rounded conversion, so never between figures of one unit
        return True if apart else None
    if key[0] in ("part", "century"):
        return True if one.kind != other.kind else None
    if one.value is None or other.value is None:
        together = digit_groups(one.text[:_READ]) == digit_groups(other.text[:_READ])
        return True if one.value != other.value or together else None
    moment = {one.kind, other.kind} & {"date", "time"}
    if "date" in moment and _COUNTED.intersection((one.kind, other.kind)):
        is_year = ("year",) in (one.units, other.units)
        return False if is_year else None  # 1600 km may be 1600; 17 lb is no 17 May
    if key[0] in _MOMENTS and not moment:
        return None
    if key[0] == "short year" and one.kind == other.kind:
        return None
    if key[0] == "decade":  # the 1860s are not the 1960s, but may be the sixties
        return True if one.value == other.value or min(one.value, other.value) < 100 else None
    if moment or {one.kind, other.kind} == {"fraction", "percent"}:
        return True
    return one.units == other.units or not apart


def read_as(figure: Figure, key: Key) -> Figure:
    """Return a figure as a key reads it: 25m may be 25 million, and then it is in no unit."""
    if figure.units == ("year",) and key[0] == "n":
        return replace(figure, kind="number", units=())  # 1600 km is not said by a bare 1600
    if figure.also != key[1] or figure.kind != "measure":
        return figure
    return replace(figure, kind="number", units=())


def distance(one: Figure, other: Figure) -> float:
    """Return how many times larger one value is than the other, as a logarithm; 99 if unknown."""
    if not one.value or not other.value:
        return 99.0
    return abs(math.log(abs(one.value / other.value)))
