"""Where a figure of one text stands in the other: in its unit, in another, in words, converted.

Pure, over `sides`. What becomes of the figures that stand nowhere is for `compare`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from detector.figures.changes import (
    CHANGED_LIGHT,
    DULL_UNIT_LOST,
    ROUNDED,
    TURNED,
    UNIT_ADDED,
    UNIT_CHANGED,
    UNIT_ELSEWHERE,
    UNIT_LOST,
    FigureChange,
    tell_change,
    tell_kept,
)
from detector.figures.equivalents import (
    Key,
    broad_keys,
    digit_groups,
    keys,
    read_as,
    same_thing,
)
from detector.figures.figure import Figure
from detector.figures.sides import Side

Found = dict[int, FigureChange]
"""What became of figures of the source, by place."""

_TRIED = 4  # figures of one value and unit that are weighed against each other
_DULL = frozenset({"y", "°", "point"})  # units that go without saying: aged 48, 35 W


def find_kept(source: Side, copy: Side) -> Found:
    """Look every source figure up in the copy; return those whose value stands there."""
    found: Found = {}
    for strict in (True, False):
        for i, figure in enumerate(source.figures):
            change = None if i in found else _look_up(figure, source, copy, strict=strict)
            if change is not None:
                found[i] = change
    for i, figure in enumerate(source.figures):
        if i not in found and _stands_in_words(figure, copy):
            found[i] = tell_kept(figure, None)
    return found


def has_order(figure: Figure, side: Side) -> bool:
    """Tell whether a text states a figure's order of magnitude, where one of the two is vague."""
    return any(
        key[0] == "order" and j not in side.used and same_thing(key, figure, side.figures[j])
        for key in keys(figure)
        for places in side.index.get(key, {}).values()
        for j in places[:_TRIED]
    )


def _look_up(figure: Figure, source: Side, copy: Side, *, strict: bool) -> FigureChange | None:
    """Find a figure in the copy: in the same unit when `strict`, else in whatever unit is free."""
    for key in keys(figure):
        if key[0] == "order":
            continue  # only when nothing says it better
        one = read_as(figure, key)
        for j in _candidates(figure, key, copy):
            other = read_as(copy.figures[j], key)
            if same_thing(key, one, other) is not strict:
                continue
            if not strict and j in copy.used and one.units and other.units:
                continue  # that figure is another one of the source
            copy.used.add(j)
            if not strict:
                return _compare_units(one, (j, other), source, copy)
            if _sign_is_lost(one, other, copy):
                return tell_change("changed", TURNED, one, other, "{} became {}: the minus is lost")
            return _compare_found(one, other, source, copy)
    return None


def _candidates(figure: Figure, key: Key, side: Side) -> Iterator[int]:
    """Yield the likeliest figure of each unit that shares a key, those of the same unit first."""
    groups = side.index.get(key, {})

    def unlikeness(j: int) -> tuple[bool, bool, bool]:
        other = side.figures[j]
        turned = (other.value or 0.0) * (figure.value or 0.0) < 0
        return turned, other.bound != figure.bound, j in side.used

    for units in sorted(groups, key=lambda units: units != figure.units):
        yield min(groups[units][:_TRIED], key=unlikeness)


def _sign_is_lost(figure: Figure, other: Figure, copy: Side) -> bool:
    # Only this way round: a minus that the copy gains is most often a hyphen set loose
    negative = figure.value is not None and figure.value < 0
    return negative and (other.value or 0) > 0 and not copy.is_negative


def _compare_found(figure: Figure, other: Figure, source: Side, copy: Side) -> FigureChange:
    """Compare the half of the day and the bound of two figures of one value."""
    if figure.kind == other.kind == "time" and figure.units and other.units:
        if figure.units != other.units:
            return tell_change("changed", CHANGED_LIGHT, figure, other, "{} became {}")
    elif figure.bound and other.bound and figure.bound != other.bound:
        reason = f"{figure.bound} {{}} became {other.bound} {{}}"
        weight = TURNED if not (source.is_negated or copy.is_negated) else ROUNDED
        return tell_change("changed", weight, figure, other, reason)
    return tell_kept(figure, other)


def _compare_units(
    figure: Figure, found: tuple[int, Figure], source: Side, copy: Side
) -> FigureChange:
    """Say what became of the unit of a figure whose value stands in the copy."""
    j, other = found
    dear = not {figure.kind, other.kind}.isdisjoint(("money", "percent")) and not figure.vague
    if "times" in (*figure.units, *other.units):
        return tell_kept(figure, other)  # once
    if figure.light and not dear and (abs(figure.value or 0) < 2 or not other.units):
        return tell_kept(figure, other)  # one day
    if not figure.units:
        if dear and source.units.isdisjoint(other.units):
            reason = "{} became {}: a unit was added"
            return tell_change("unit_added", UNIT_ADDED, figure, other, reason)
        return tell_kept(figure, other)
    if other.units:
        converted = figure.vague and figure.kind == "measure"  # trillions of miles, or of km
        weight = ROUNDED if converted else UNIT_CHANGED
        return tell_change("unit_changed", weight, figure, other, "{} became {}: another unit")
    if not copy.loose_units.isdisjoint(figure.units) or copy.shares_unit(j, figure.units):
        return tell_kept(figure, other)  # named further off, or by a neighbour
    dull = figure.vague or not _DULL.isdisjoint(figure.units)
    if copy.names_alike(j, figure):
        return tell_kept(figure, other)  # misspelt: 5 rupies
    dull = dull or (figure.text[0] + figure.text[-1]).isdecimal()  # a neighbour's unit
    weight = DULL_UNIT_LOST if dull else UNIT_LOST
    if not dull and not copy.figure_units.isdisjoint(figure.units):
        weight = UNIT_ELSEWHERE if dear else DULL_UNIT_LOST
    return tell_change("unit_lost", weight, figure, other, "{} became {}: the unit is lost")


def _stands_in_words(figure: Figure, side: Side) -> bool:
    """Tell whether a text says a figure in other words, or in digits of another form."""
    value = figure.value
    if value is None or figure.kind == "time":
        groups = digit_groups(figure.text)  # 0230 for 02:30, 2010-2011 for 2010/11
        return bool(groups) and (Counter(groups) <= side.digits or "".join(groups) in side.digits)
    if figure.kind == "date" and figure.units[0] in ("month", "weekday"):
        weekend = figure.units[0] == "weekday" and value in side.hints
        return weekend or figure.text[:3] in side.starts
    if figure.kind == "date" and figure.units[0] == "day":
        return False  # "a" says 1, but no day of a month
    if value == 1 and figure.units and "1" in figure.text:
        return not side.loose_units.isdisjoint(figure.units)  # 1 mile is a mile, but no "a"
    labelled = figure.light and figure.text[:1].isdecimal()  # the 19 of COVID-19
    return not (labelled or figure.vague) and abs(value) in side.hints


def stands(figure: Figure, side: Side) -> bool:
    """Tell whether a text states a figure at all, in whatever unit."""
    for key in keys(figure):
        for places in side.index.get(key, {}).values():
            same = same_thing(key, side.figures[places[0]], figure)
            if same or (same is False and not (figure.units and side.figures[places[0]].units)):
                return True
    return _stands_in_words(figure, side)


def is_near(side: Side, i: int, other: Side) -> bool:
    """Tell whether the other text states figure `i` converted, or its order of magnitude."""
    figure = side.figures[i]
    return any(
        key in other.single_units
        or any(
            same_thing(key, figure, other.figures[places[0]])
            for places in other.broad_index.get(key, {}).values()
        )
        for key in broad_keys(figure)
    )
