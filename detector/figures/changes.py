"""What became of a figure: the record, how likely it is that meaning changed, and why in words.

Pure. Which figures are kept and which become which is for `compare`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

from detector.errors import InputError
from detector.figures.equivalents import distance
from detector.figures.figure import Figure, FigureKind
from detector.figures.units import comparable_sizes
from detector.records import Span

Fate = Literal["kept", "changed", "unit_changed", "unit_lost", "unit_added", "dropped", "added"]
"""What became of a figure on its way from the source to the copy."""

FATES: tuple[Fate, ...] = get_args(Fate)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureChange:
    """One figure and what became of it.

    Attributes
    ----------
    change : Fate
    weight : float
        How likely it is in [0, 1] that meaning changed with it; 0 for a kept figure. From 0.5
        on it deserves to be told to a reader.
    copy, copy_text, source, source_text
        Where it stands on each side; None where it does not, or stands there in other words.
    reason : str
        In words.
    """

    change: Fate
    weight: float
    copy: Span | None
    copy_text: str | None
    source: Span | None
    source_text: str | None
    reason: str

    def __post_init__(self) -> None:
        if self.change not in FATES or not 0.0 <= self.weight <= 1.0:
            msg = (
                f"figure change {self.change!r} of weight {self.weight}: "
                f"use one of {', '.join(FATES)} and a number in [0, 1]"
            )
            raise InputError(msg)


_ROUGH = 0.12  # logarithm: conversions that somebody rounded
_CLOSE = 0.23  # logarithm: four dozen and fifty, two dozen and twenty
_DECIMALS = re.compile(r"(?<!\d)\d{1,9}\.(\d{1,9})(?!\d)")
_NOUNS: dict[FigureKind, str] = {
    "number": "number",
    "ordinal": "number",
    "percent": "percentage",
    "money": "amount",
    "measure": "measure",
    "date": "date",
    "time": "time",
    "fraction": "share",
}
# Weights: the share that truly changed among those of a kind, as one reader judged up to 40 of
# each (some 230, one a source sentence) out of 40,000 translations by good and poor systems (WMT,
# FLORES, MLQE, MQM, biomedical): changed 36 of 40, small words 4 of 8, a bound turned 2 of 2,
# another unit 21 of 22, a unit added 3 of 4, dropped 24 of 32, added 16 of 24, an ordinal 13 of 17,
# a part of a date 1 of 8, a small word 3 of 28, rounded or negated 0 of 3. A unit lost: 15 of 29;
# rules made after that reading spare 7 harmless ones and weigh 6 less, so 0.8 was not checked anew.
# Two weights are choices. Where another figure of the copy carries the lost unit, 0 of 6 had
# changed, yet money and percentages are told. Of orders of magnitude some 12 of 18 had changed, but
# good systems drop them harmlessly (1 of 4 changed), so they are not told.
CHANGED, CHANGED_LIGHT, TURNED, ROUNDED = 0.9, 0.6, 0.7, 0.2
UNIT_CHANGED, UNIT_LOST, UNIT_ELSEWHERE, UNIT_ADDED = 0.9, 0.8, 0.5, 0.6
DULL_UNIT_LOST, LOST_PART, LOST_LIGHT = 0.2, 0.2, 0.1
LOST, LOST_ORDINAL, LOST_VAGUE = 0.7, 0.6, 0.4


def tell_change(
    fate: Fate, weight: float, figure: Figure | None, other: Figure | None, reason: str
) -> FigureChange:
    """Put what became of a figure into a record; `reason` takes both texts."""
    said = [f"“{f.text}”" for f in (figure, other) if f is not None]
    return FigureChange(
        change=fate,
        weight=weight,
        copy=None if other is None else other.span,
        copy_text=None if other is None else other.text,
        source=None if figure is None else figure.span,
        source_text=None if figure is None else figure.text,
        reason=reason.format(*said),
    )


def tell_kept(figure: Figure, other: Figure | None) -> FigureChange:
    """Say that a figure stands in the copy."""
    return tell_change("kept", 0.0, figure, other, "{} kept")


def tell_changed(figure: Figure, other: Figure) -> FigureChange:
    """Say that a figure became another one, unless it was only rounded."""
    weight = CHANGED_LIGHT if figure.light or other.light else CHANGED
    if "dozen" in figure.text + other.text and distance(figure, other) < _CLOSE:
        weight = ROUNDED  # four dozen became fifty
    if _is_rounded(figure, other) or _is_rounded(other, figure) or _is_rough(figure, other):
        weight = ROUNDED
    return tell_change("changed", weight, figure, other, "{} became {}")


def _is_rounded(figure: Figure, other: Figure) -> bool:
    """Tell whether the second is the first with fewer decimals, one at least: 51.11 and 51.1."""
    long, short = (_DECIMALS.search(f.text) for f in (figure, other))
    if long is None or short is None or len(long[1]) <= len(short[1]):
        return False
    return round(float(long[0]), len(short[1])) == float(short[0])


def _is_rough(figure: Figure, other: Figure) -> bool:
    """Tell whether the second is the first in another unit, rounded: 130 mph and 200 km/h."""
    if not figure.value or not other.value:
        return False
    ratio = abs(figure.value / other.value)
    return any(
        one != two
        and (sizes := comparable_sizes(one, two)) is not None
        and abs(math.log(ratio * sizes[0] / sizes[1])) < _ROUGH
        for one in figure.measured_in
        for two in other.measured_in
    )


def tell_dropped(figure: Figure, weight: float) -> FigureChange:
    """Say that a figure is missing from the copy."""
    reason = f"the {_NOUNS[figure.kind]} {{}} is missing from the copy"
    return tell_change("dropped", weight, figure, None, reason)


def tell_added(figure: Figure, weight: float) -> FigureChange:
    """Say that the copy adds a figure."""
    reason = f"the copy adds the {_NOUNS[figure.kind]} {{}}"
    return tell_change("added", weight, None, figure, reason)


def loss(figure: Figure) -> float:
    """Return how likely it is that meaning changed when a figure is dropped or added."""
    if figure.light:
        return LOST_LIGHT
    if figure.kind == "ordinal":
        return LOST_ORDINAL
    return LOST_VAGUE if figure.vague else LOST
