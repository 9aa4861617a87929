"""Describe how a quantity changed: its record, its probability and the reason in words."""

from __future__ import annotations

import math
import re

from detector.numbers.match import distance
from detector.numbers.quantities import Quantity
from detector.numbers.units import comparable_sizes
from detector.records import NumberChange, NumberFate

# Probabilities: the share that truly changed among those of a kind, as one reader judged up to 40
# of each (some 230, one a source sentence) out of 40,000 translations by good and poor systems
# (WMT, FLORES, MLQE, MQM, biomedical): changed 36 of 40, small words 4 of 8, another bound 2 of 2,
# another unit 21 of 22, a unit added 3 of 4, dropped 24 of 32, added 16 of 24, an ordinal 13 of 17,
# a part of a date 1 of 8, a small word 3 of 28, rounded or negated 0 of 3. A unit lost: 15 of 29;
# rules made after that reading spare 7 harmless ones and weigh 6 less, so 0.8 was not checked anew.
# Two are choices. Where another quantity of the copy carries the lost unit, 0 of 6 had changed, yet
# money and percentages are reported. Of orders of magnitude some 12 of 18 had changed, but good
# systems drop them harmlessly (1 of 4 changed), so they are not reported.
CHANGED, CHANGED_LIGHT, REVERSED, ROUNDED = 0.9, 0.6, 0.7, 0.2
UNIT_CHANGED, UNIT_LOST, UNIT_ELSEWHERE, UNIT_ADDED = 0.9, 0.8, 0.5, 0.6
IMPLIED_UNIT_LOST, DATE_PART_LOST, LOST_LIGHT = 0.2, 0.2, 0.1
LOST, LOST_ORDINAL, LOST_VAGUE = 0.7, 0.6, 0.4

_ROUGH = 0.12  # natural logarithm: a conversion that somebody rounded
_CLOSE = 0.23  # natural logarithm: four dozen and fifty, two dozen and twenty
_DECIMALS = re.compile(r"(?<!\d)\d{1,9}\.(\d{1,9})(?!\d)")
_NOUNS = {"ordinal": "number", "percent": "percentage", "money": "amount", "fraction": "share"}


def make_change(
    change: NumberFate,
    probability: float,
    quantity: Quantity | None,
    other: Quantity | None,
    reason: str,
) -> NumberChange:
    """Return the record of a change; `reason` has a {} for each text that is given."""
    quoted = [f"“{q.text}”" for q in (quantity, other) if q is not None]
    return NumberChange(
        change=change,
        probability=probability,
        copy=None if other is None else other.span,
        copy_text=None if other is None else other.text,
        source=None if quantity is None else quantity.span,
        source_text=None if quantity is None else quantity.text,
        reason=reason.format(*quoted),
    )


def kept(quantity: Quantity, other: Quantity | None) -> NumberChange:
    """Return the record of a quantity that the copy states."""
    return make_change("kept", 0.0, quantity, other, "{} kept")


def changed(quantity: Quantity, other: Quantity) -> NumberChange:
    """Return the record of a quantity that became another one, or was only rounded."""
    probability = CHANGED_LIGHT if quantity.light or other.light else CHANGED
    dozens = "dozen" in quantity.text + other.text and distance(quantity, other) < _CLOSE
    if (
        dozens
        or _is_rounded(quantity, other)
        or _is_rounded(other, quantity)
        or _is_roughly_converted(quantity, other)
    ):
        probability = ROUNDED
    return make_change("changed", probability, quantity, other, "{} became {}")


def _is_rounded(quantity: Quantity, other: Quantity) -> bool:
    """Tell whether the second is the first with fewer decimals, one at least: 51.11 and 51.1."""
    long, short = (_DECIMALS.search(q.text) for q in (quantity, other))
    if long is None or short is None or len(long[1]) <= len(short[1]):
        return False
    return round(float(long[0]), len(short[1])) == float(short[0])


def _is_roughly_converted(quantity: Quantity, other: Quantity) -> bool:
    """Tell whether the second is the first in another unit, rounded: 130 mph and 200 km/h."""
    if not quantity.value or not other.value:
        return False
    ratio = abs(quantity.value / other.value)
    return any(
        one != two
        and (sizes := comparable_sizes(one, two)) is not None
        and abs(math.log(ratio * sizes[0] / sizes[1])) < _ROUGH
        for one in quantity.measure_units
        for two in other.measure_units
    )


def _noun(quantity: Quantity) -> str:
    return _NOUNS.get(quantity.kind, quantity.kind)


def dropped(quantity: Quantity, probability: float) -> NumberChange:
    """Return the record of a quantity that is missing from the copy."""
    reason = f"the {_noun(quantity)} {{}} is missing from the copy"
    return make_change("dropped", probability, quantity, None, reason)


def added(quantity: Quantity, probability: float) -> NumberChange:
    """Return the record of a quantity that only the copy states."""
    reason = f"the copy adds the {_noun(quantity)} {{}}"
    return make_change("added", probability, None, quantity, reason)


def loss_probability(quantity: Quantity) -> float:
    """Return the probability that meaning changed when a quantity was dropped or added."""
    if quantity.light:
        return LOST_LIGHT
    if quantity.kind == "ordinal":
        return LOST_ORDINAL
    return LOST_VAGUE if quantity.vague else LOST
