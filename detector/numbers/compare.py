"""Compare the numbers of a source and a copy: the way in.

Where a figure of one text stands in the other: in its unit, in another, in words, converted.

Pure, over `sides`. What becomes of the figures that stand nowhere is for `compare`.

How the figures of two sides of a bead compare: numbers, dates, times, money, measures.

Pure: two texts in, one record per figure out, with a reason in words. What a figure is, is for
`quantities`; which figures say one thing, for `equivalents`. It is built to stay silent when in
doubt: a figure that stands in the other text in any form, as a word or in another unit of the
same size, counts as kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from detector.numbers.match import (
    CHANGED_LIGHT,
    DULL_UNIT_LOST,
    LOST_PART,
    ROUNDED,
    TURNED,
    UNIT_ADDED,
    UNIT_CHANGED,
    UNIT_ELSEWHERE,
    UNIT_LOST,
    Key,
    Side,
    broad_keys,
    digit_groups,
    distance,
    keys,
    loss,
    read_as,
    same_thing,
    tell_added,
    tell_change,
    tell_changed,
    tell_dropped,
    tell_kept,
)
from detector.numbers.quantities import Quantity, find_figures
from detector.numbers.units import dimensions
from detector.records import NumberChange, Span

Found = dict[int, NumberChange]
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


def has_order(figure: Quantity, side: Side) -> bool:
    """Tell whether a text states a figure's order of magnitude, where one of the two is vague."""
    return any(
        key[0] == "order" and j not in side.used and same_thing(key, figure, side.figures[j])
        for key in keys(figure)
        for places in side.index.get(key, {}).values()
        for j in places[:_TRIED]
    )


def _look_up(figure: Quantity, source: Side, copy: Side, *, strict: bool) -> NumberChange | None:
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


def _candidates(figure: Quantity, key: Key, side: Side) -> Iterator[int]:
    """Yield the likeliest figure of each unit that shares a key, those of the same unit first."""
    groups = side.index.get(key, {})

    def unlikeness(j: int) -> tuple[bool, bool, bool]:
        other = side.figures[j]
        turned = (other.value or 0.0) * (figure.value or 0.0) < 0
        return turned, other.bound != figure.bound, j in side.used

    for units in sorted(groups, key=lambda units: units != figure.units):
        yield min(groups[units][:_TRIED], key=unlikeness)


def _sign_is_lost(figure: Quantity, other: Quantity, copy: Side) -> bool:
    # Only this way round: a minus that the copy gains is most often a hyphen set loose
    negative = figure.value is not None and figure.value < 0
    return negative and (other.value or 0) > 0 and not copy.is_negative


def _compare_found(figure: Quantity, other: Quantity, source: Side, copy: Side) -> NumberChange:
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
    figure: Quantity, found: tuple[int, Quantity], source: Side, copy: Side
) -> NumberChange:
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


def _stands_in_words(figure: Quantity, side: Side) -> bool:
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


def stands(figure: Quantity, side: Side) -> bool:
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


__all__ = [
    "compare_numbers",
    "find_figures",
]

_DATE_GAP = 5  # characters between "6th", "of" and "May"
_PARTS = 3  # of a date at most, on either side of one: Friday, 6 May 2024
_SPARE = ("weekday", "month", "year")


def compare_numbers(source_text: str, copy_text: str) -> tuple[NumberChange, ...]:
    """Say of every figure of two texts that should mean the same what became of it.

    Parameters
    ----------
    source_text, copy_text : str
        Both sides of a bead.

    Returns
    -------
    tuple of FigureChange
        In source order, then what the copy added; spans count in the given texts.

    Notes
    -----
    Figures are looked up by value and unit, then by value alone; what is left over on both
    sides pairs up in order as a change where it is of one kind. A value that the source repeats
    may stand once in the copy. Time is linear in both texts.

    Examples
    --------
    >>> [c.reason for c in compare_figures("He paid £25bn.", "He paid 25 billion won.")]
    ['“£25bn” became “25 billion won”: another unit']
    >>> [c.change for c in compare_figures("A two-hour call on 6 May.", "On May 6, 2 hours.")]
    ['kept', 'kept', 'kept']
    """
    source, copy = Side(source_text), Side(copy_text)
    if not source.figures and not copy.figures:
        return ()
    found = find_kept(source, copy)
    found |= _pair_vague(source, copy, found)
    found |= {
        i: tell_kept(figure, None)
        for i, figure in enumerate(source.figures)
        if i not in found and has_order(figure, copy)
    }
    missing = [i for i in range(len(source.figures)) if i not in found]
    extra = [j for j in range(len(copy.figures)) if j not in copy.used]
    if missing or extra:
        missing, extra = _without_parted((source, missing), (copy, extra), found)
        extra = [j for j in extra if not stands(copy.figures[j], source)]
        for stage in (_same_units, None, _one_kind):
            if stage is None:
                found |= {
                    i: tell_kept(source.figures[i], None)
                    for i in missing
                    if is_near(source, i, copy)
                }
                extra = [j for j in extra if not is_near(copy, j, source)]
            else:
                pairs = _pair_up((source, missing), (copy, extra), stage)
                found |= {
                    i: tell_changed(source.figures[i], copy.figures[j]) for i, j in pairs.items()
                }
                paired = set(pairs.values())
                extra = [j for j in extra if j not in paired]
            missing = [i for i in missing if i not in found]
    told = [
        *found.values(),
        *(tell_dropped(*lost) for lost in _whole_dates(source, missing, _SPARE)),
    ]
    told.sort(key=lambda change: 0 if change.source is None else change.source.start)
    # A month or a year more goes without saying, but not where the source says another
    stated = {figure.units for figure in source.figures}
    spare = tuple(part for part in ("month", "year") if (part,) not in stated)
    return (*told, *(tell_added(*new) for new in _whole_dates(copy, extra, spare)))


# What is left over --------------------------------------------------------------------------------


def _pair_vague(source: Side, copy: Side, found: Found) -> Found:
    """Pair the orders of magnitude that only one side names: hundreds became dozens."""
    missing = [i for i, f in enumerate(source.figures) if f.vague and i not in found]
    extra = [j for j, f in enumerate(copy.figures) if f.vague and j not in copy.used]
    pairs = _pair_up((source, missing), (copy, extra), lambda _: ("vague",))
    copy.used.update(pairs.values())
    return {i: tell_changed(source.figures[i], copy.figures[j]) for i, j in pairs.items()}


def _without_parted(
    missing: tuple[Side, list[int]], extra: tuple[Side, list[int]], found: Found
) -> tuple[list[int], list[int]]:
    """Let go of figures whose digits the other text parts or joins: 45,233 and 45, 233."""
    (source, lost), (copy, new) = missing, extra
    for one, ours, other, theirs in ((source, lost, copy, new), (copy, new, source, lost)):
        for i in tuple(ours):
            span = other.stands_parted(one.figures[i])
            if span is None:
                continue
            ours.remove(i)
            inside = [
                k
                for k in theirs
                if span.start <= other.figures[k].span.start < other.figures[k].span.end <= span.end
            ]
            for k in inside:
                theirs.remove(k)
            for k in [i] if one is source else inside:
                found[k] = tell_kept(source.figures[k], None)
    return lost, new


def _pair_up(
    missing: tuple[Side, Sequence[int]],
    extra: tuple[Side, Sequence[int]],
    classes_of: Callable[[Quantity], tuple[str, ...]],
) -> dict[int, int]:
    """Pair figures that only one side holds where they are of one class: the likest of the next."""
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for j in extra[1]:
        waiting[classes_of(extra[0].figures[j])[0]].append(j)
    pairs: dict[int, int] = {}
    for i in missing[1]:
        figure = missing[0].figures[i]
        for name in classes_of(figure):
            ahead = [
                j for j in islice(waiting[name], _TRIED) if _may_become(figure, extra[0].figures[j])
            ]
            if ahead:
                pairs[i] = min(ahead, key=lambda j: _unlikeness(figure, extra[0].figures[j]))
                waiting[name].remove(pairs[i])
                break
    return pairs


def _unlikeness(one: Quantity, other: Quantity) -> tuple[bool, float]:
    return digit_groups(one.text) != digit_groups(other.text), distance(one, other)


def _may_become(figure: Quantity, other: Quantity) -> bool:
    """Tell a changed figure from two that have nothing to do with each other."""
    if not (figure.light and other.light):
        return True
    digits = figure.text[0].isdecimal() and other.text[0].isdecimal()
    times = figure.units == other.units == ("times",) and 1.0 not in (figure.value, other.value)
    return digits or times or figure.kind == other.kind != "number"


def _same_units(figure: Quantity) -> tuple[str, ...]:
    """Name the part of a date, the unit, or the want of one."""
    return (" ".join(figure.units) if figure.units else figure.kind,)


def _one_kind(figure: Quantity) -> tuple[str, ...]:
    """Name what a figure may be mistaken for: the same dimension, or a bare number."""
    if figure.kind == "date":
        return (figure.units[0],)
    if figure.vague:
        return ("vague",)
    kinds = dimensions(figure.units) - {"times", "money"}
    if figure.kind != "measure":
        return (figure.kind, *sorted(kinds), "number")  # pounds: an amount, else a mass
    return (*sorted(kinds), "number")


def _whole_dates(
    side: Side, places: Sequence[int], parts: tuple[str, ...]
) -> Iterator[tuple[Quantity, float]]:
    """Yield figures by place, and what their loss weighs; neighbouring parts of a date as one.

    What goes without saying while the rest of its date stands is named by `parts`.
    """
    lost = set(places)
    for i in places:
        if i - 1 in lost and _are_one_date(side, i - 1, i):
            continue
        last = i
        while last + 1 in lost and _are_one_date(side, last, last + 1):
            last += 1
        figure = side.figures[i]
        if last > i:
            span = Span(figure.span.start, side.figures[last].span.end)
            figure = replace(figure, span=span, text=span.of(side.text))
        part = last == i and figure.kind == "date" and figure.units[0] in parts
        spare = part and _has_day(side, i, lost)
        yield figure, LOST_PART if spare else loss(figure)


def _has_day(side: Side, i: int, lost: set[int]) -> bool:
    """Tell whether the date that figure `i` is a part of keeps its day of the month."""
    first, last = i, i
    while i - first < _PARTS and _are_one_date(side, first - 1, first):
        first -= 1
    while last - i < _PARTS and _are_one_date(side, last, last + 1):
        last += 1
    return any(side.figures[k].units == ("day",) for k in range(first, last + 1) if k not in lost)


def _are_one_date(side: Side, i: int, j: int) -> bool:
    """Tell whether neighbouring figures are parts of one date."""
    if i < 0 or j >= len(side.figures):
        return False
    one, other = side.figures[i], side.figures[j]
    return (
        one.kind == other.kind == "date"
        and one.units != other.units
        and other.span.start - one.span.end <= _DATE_GAP
    )
