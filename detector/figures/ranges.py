"""Two figures that make a range: each takes the scale or the unit that only the other says.

Figures in, figures out: they were found by `quantities`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from detector.figures.figure import Figure

_LINK = re.compile(r"\s?(?:-|–|—|,|to|and|or|,\s?and|,\s?or|-?\s?to)\s?")
_LONGEST = 40  # digits that are read
_LINKED = 6  # characters at most between two numbers of one range


def share_units(text: str, figures: list[Figure]) -> list[Figure]:
    """Give the scale and the unit of "5 to 10 million dollars" to both its numbers."""
    shared = list(figures)
    for i in range(len(shared) - 2, -1, -1):
        if _are_linked(text, shared[i], shared[i + 1]):
            shared[i] = _like_the_last(shared[i], shared[i + 1])
    for i in range(1, len(shared)):  # $5 to 10
        one, other = shared[i - 1], shared[i]
        if one.kind == "money" and other.kind == "number" and _are_linked(text, one, other):
            shared[i] = replace(other, units=one.units, kind="money")
    return shared


def _are_linked(text: str, one: Figure, other: Figure) -> bool:
    return (
        one.kind in ("number", "money")
        and other.kind in ("number", "money", "percent", "measure")
        and other.span.start - one.span.end <= _LINKED
        and _LINK.fullmatch(text, one.span.end, other.span.start) is not None
    )


def _like_the_last(one: Figure, other: Figure) -> Figure:
    if one.value is None or other.value is None:
        return one
    digits = re.sub(r"\D", "", other.text)[:_LONGEST]
    scaled = not digits or float(digits) != other.value  # 11 to 22,500 is no 11,000
    if other.value >= 1e3 > one.value and one.also is None and scaled:
        scale = next(scale for scale in (1e12, 1e9, 1e6, 1e3) if other.value >= scale)
        one = replace(one, also=one.value * scale)
    if not one.units and other.units and not one.vague:
        one = replace(one, units=other.units, kind=other.kind)
    return one
