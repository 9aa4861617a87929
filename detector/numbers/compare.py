"""Compare the numbers of a source and a copy: the way in.

Two texts in, one `NumberChange` per quantity out. In doubt a quantity counts as kept: where the
other text states it in any form, as a word or in another unit of the same size. It does not say
whether the sentence drifted.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from detector.numbers.match import (
    CHANGED_LIGHT,
    DATE_PART_LOST,
    IMPLIED_UNIT_LOST,
    REVERSED,
    ROUNDED,
    UNIT_ADDED,
    UNIT_CHANGED,
    UNIT_ELSEWHERE,
    UNIT_LOST,
    IndexedText,
    NormalForm,
    added,
    agree,
    changed,
    digit_groups,
    distance,
    dropped,
    in_form,
    kept,
    loss_probability,
    make_change,
    normal_forms,
    size_forms,
)
from detector.numbers.quantities import Quantity
from detector.numbers.units import dimensions
from detector.records import NumberChange, Span

Changes = dict[int, NumberChange]
"""Changes by position of the source's quantity."""

Open = tuple[IndexedText, list[int]]
"""A text and the positions of its quantities without a match."""

_MAX_TRIED = 4  # quantities of one value and unit that are compared with each other
_IMPLIED_UNITS = frozenset({"y", "°", "point"})  # aged 48, 35 W
_DATE_GAP = 5  # characters between "6th", "of" and "May"
_DATE_PARTS = 3  # of a date at most, on either side of one: Friday, 6 May 2024


def compare_numbers(source_text: str, copy_text: str) -> tuple[NumberChange, ...]:
    """Compare the quantities of two texts that should mean the same, such as both sides of a bead.

    Changes come in source order, then what the copy added; spans count in the given texts.
    Quantities are matched by value and unit, then by value alone; those left over on both sides
    pair up in order as a change where they are of one kind. A value that the source repeats may
    occur once in the copy. Time is linear in both texts.

    Examples
    --------
    >>> [c.reason for c in compare_numbers("He paid £25bn.", "He paid 25 billion won.")]
    ['“£25bn” became “25 billion won”: another unit']
    >>> [c.change for c in compare_numbers("A two-hour call on 6 May.", "On May 6, 2 hours.")]
    ['kept', 'kept', 'kept']
    """
    source, copy = IndexedText(source_text), IndexedText(copy_text)
    if not source.quantities and not copy.quantities:
        return ()
    changes = _match_kept(source, copy)
    changes |= _pair_vague(source, copy, changes)
    changes |= {
        i: kept(quantity, None)
        for i, quantity in enumerate(source.quantities)
        if i not in changes and _has_same_order(quantity, copy)
    }
    missing = [i for i in range(len(source.quantities)) if i not in changes]
    extra = [j for j in range(len(copy.quantities)) if j not in copy.used]
    if missing or extra:
        missing, extra = _resolve_split_digits((source, missing), (copy, extra), changes)
        extra = [j for j in extra if not _is_stated(copy.quantities[j], source)]
        missing, extra = _pair_changed((source, missing), (copy, extra), _unit_class, changes)
        rough = [i for i in missing if _is_stated_roughly(source, i, copy)]
        changes |= {i: kept(source.quantities[i], None) for i in rough}
        missing = [i for i in missing if i not in changes]
        extra = [j for j in extra if not _is_stated_roughly(copy, j, source)]
        missing, extra = _pair_changed((source, missing), (copy, extra), _kind_classes, changes)
    lost = _whole_dates(source, missing, ("weekday", "month", "year"))
    of_source = [*changes.values(), *(dropped(*quantity) for quantity in lost)]
    of_source.sort(key=lambda change: 0 if change.source is None else change.source.start)
    # A month or a year more is implied, but not where the source states another
    stated = {quantity.units for quantity in source.quantities}
    implied = tuple(part for part in ("month", "year") if (part,) not in stated)
    return (*of_source, *(added(*quantity) for quantity in _whole_dates(copy, extra, implied)))


def _match_kept(source: IndexedText, copy: IndexedText) -> Changes:
    """Match the source quantities whose value the copy states."""
    changes: Changes = {}
    for strict in (True, False):
        for i, quantity in enumerate(source.quantities):
            if i not in changes:
                change = _match_one(quantity, source, copy, strict=strict)
                if change is not None:
                    changes[i] = change
    for i, quantity in enumerate(source.quantities):
        if i not in changes and _is_stated_in_words(quantity, copy):
            changes[i] = kept(quantity, None)
    return changes


def _match_one(
    quantity: Quantity, source: IndexedText, copy: IndexedText, *, strict: bool
) -> NumberChange | None:
    """Match a quantity in the same unit when `strict`, else in whatever unit is free."""
    for form in normal_forms(quantity):
        if form[0] == "order":
            continue  # only when nothing states it better
        one = in_form(quantity, form)
        for j in _candidates(quantity, form, copy):
            other = in_form(copy.quantities[j], form)
            if agree(form, one, other) is not strict:
                continue
            if not strict and j in copy.used and one.units and other.units:
                continue  # it matches another quantity of the source
            copy.used.add(j)
            return (_compare_values if strict else _compare_units)(one, (j, other), source, copy)
    return None


def _candidates(quantity: Quantity, form: NormalForm, text: IndexedText) -> Iterator[int]:
    """Yield the likeliest match of each unit that shares a form, those of the same unit first."""
    groups = text.index.get(form, {})

    def unlikeness(j: int) -> tuple[bool, bool, bool]:
        other = text.quantities[j]
        opposite = (other.value or 0.0) * (quantity.value or 0.0) < 0
        return opposite, other.bound != quantity.bound, j in text.used

    for units in sorted(groups, key=lambda units: units != quantity.units):
        yield min(groups[units][:_MAX_TRIED], key=unlikeness)


def _compare_values(
    quantity: Quantity, match: tuple[int, Quantity], source: IndexedText, copy: IndexedText
) -> NumberChange:
    """Compare the sign, the half of the day and the bound of two quantities of one value."""
    other = match[1]
    value, other_value = quantity.value or 0, other.value or 0
    # Only this way round: a minus that the copy gains is most often a hyphen set loose
    if value < 0 < other_value and not copy.is_negative:
        reason = "{} became {}: the minus is lost"
        return make_change("changed", REVERSED, quantity, other, reason)
    if quantity.kind == other.kind == "time" and quantity.units and other.units:
        if quantity.units != other.units:
            return make_change("changed", CHANGED_LIGHT, quantity, other, "{} became {}")
    elif quantity.bound and other.bound and quantity.bound != other.bound:
        reason = f"{quantity.bound} {{}} became {other.bound} {{}}"
        probability = ROUNDED if source.is_negated or copy.is_negated else REVERSED
        return make_change("changed", probability, quantity, other, reason)
    return kept(quantity, other)


def _compare_units(
    quantity: Quantity, match: tuple[int, Quantity], source: IndexedText, copy: IndexedText
) -> NumberChange:
    """Compare the units of two quantities of one value."""
    j, other = match
    strict = not {quantity.kind, other.kind}.isdisjoint(("money", "percent")) and not quantity.vague
    if "times" in (*quantity.units, *other.units):
        return kept(quantity, other)  # once
    if quantity.light and not strict and (abs(quantity.value or 0) < 2 or not other.units):
        return kept(quantity, other)  # one day
    if not quantity.units:
        if strict and source.units.isdisjoint(other.units):
            reason = "{} became {}: a unit was added"
            return make_change("unit_added", UNIT_ADDED, quantity, other, reason)
        return kept(quantity, other)
    if other.units:
        converted = quantity.vague and quantity.kind == "measure"  # trillions of miles, or of km
        probability = ROUNDED if converted else UNIT_CHANGED
        reason = "{} became {}: another unit"
        return make_change("unit_changed", probability, quantity, other, reason)
    if (
        not copy.loose_units.isdisjoint(quantity.units)  # named further off
        or copy.shares_unit(j, quantity.units)
        or copy.has_similar_unit(j, quantity)
    ):
        return kept(quantity, other)
    if (
        quantity.vague
        or not _IMPLIED_UNITS.isdisjoint(quantity.units)
        or (quantity.text[0] + quantity.text[-1]).isdecimal()  # a neighbour's unit
    ):
        probability = IMPLIED_UNIT_LOST
    elif copy.quantity_units.isdisjoint(quantity.units):
        probability = UNIT_LOST
    else:
        probability = UNIT_ELSEWHERE if strict else IMPLIED_UNIT_LOST
    return make_change("unit_lost", probability, quantity, other, "{} became {}: the unit is lost")


def _is_stated_in_words(quantity: Quantity, text: IndexedText) -> bool:
    """Return whether a text states a quantity in other words, or in digits of another form."""
    value = quantity.value
    if value is None or quantity.kind == "time":
        groups = digit_groups(quantity.text)  # 0230 for 02:30, 2010-2011 for 2010/11
        return bool(groups) and (Counter(groups) <= text.digits or "".join(groups) in text.digits)
    if quantity.kind == "date" and quantity.units[0] in ("month", "weekday"):
        weekend = quantity.units[0] == "weekday" and value in text.implied_numbers
        return weekend or quantity.text[:3] in text.starts
    if quantity.kind == "date" and quantity.units[0] == "day":
        return False  # "a" implies 1, but no day of a month
    if value == 1 and quantity.units and "1" in quantity.text:
        return not text.loose_units.isdisjoint(quantity.units)  # 1 mile is a mile, but no "a"
    labelled = quantity.light and quantity.text[:1].isdecimal()  # the 19 of COVID-19
    return not (labelled or quantity.vague) and abs(value) in text.implied_numbers


def _has_same_order(quantity: Quantity, text: IndexedText) -> bool:
    """Return whether a text states a number's order of magnitude, where one of the two is vague."""
    return any(
        form[0] == "order" and j not in text.used and agree(form, quantity, text.quantities[j])
        for form in normal_forms(quantity)
        for positions in text.index.get(form, {}).values()
        for j in positions[:_MAX_TRIED]
    )


def _is_stated(quantity: Quantity, text: IndexedText) -> bool:
    """Return whether a text states a quantity at all, in whatever unit."""
    for form in normal_forms(quantity):
        for positions in text.index.get(form, {}).values():
            other = text.quantities[positions[0]]
            same = agree(form, other, quantity)
            if same or (same is False and not (quantity.units and other.units)):
                return True
    return _is_stated_in_words(quantity, text)


def _is_stated_roughly(text: IndexedText, i: int, other: IndexedText) -> bool:
    """Return whether the other text states quantity `i` converted, to within a rounding."""
    quantity = text.quantities[i]
    return any(
        form in other.single_units
        or any(
            agree(form, quantity, other.quantities[positions[0]])
            for positions in other.size_index.get(form, {}).values()
        )
        for form in size_forms(quantity)
    )


def _pair_vague(source: IndexedText, copy: IndexedText, changes: Changes) -> Changes:
    """Pair the orders of magnitude that only one text states: hundreds became dozens."""
    missing = [i for i, q in enumerate(source.quantities) if q.vague and i not in changes]
    extra = [j for j, q in enumerate(copy.quantities) if q.vague and j not in copy.used]
    pairs = _pair_up((source, missing), (copy, extra), lambda _: ("vague",))
    copy.used.update(pairs.values())
    return {i: changed(source.quantities[i], copy.quantities[j]) for i, j in pairs.items()}


def _resolve_split_digits(
    missing: Open, extra: Open, changes: Changes
) -> tuple[list[int], list[int]]:
    """Keep the quantities whose digits the other text splits or merges: 45,233 and 45, 233."""
    (source, lost), (copy, new) = missing, extra
    for text, own, other, others in ((source, lost, copy, new), (copy, new, source, lost)):
        for i in tuple(own):
            span = other.find_split_digits(text.quantities[i])
            if span is None:
                continue
            own.remove(i)
            inside = [
                k
                for k in others
                if span.start <= other.quantities[k].span.start
                and other.quantities[k].span.end <= span.end
            ]
            others[:] = [k for k in others if k not in inside]
            for k in [i] if text is source else inside:
                changes[k] = kept(source.quantities[k], None)
    return lost, new


def _pair_changed(
    missing: Open,
    extra: Open,
    classes_of: Callable[[Quantity], tuple[str, ...]],
    changes: Changes,
) -> tuple[list[int], list[int]]:
    """Note the quantities that pair up as changed; return those still without a match."""
    pairs = _pair_up(missing, extra, classes_of)
    for i, j in pairs.items():
        changes[i] = changed(missing[0].quantities[i], extra[0].quantities[j])
    paired = set(pairs.values())
    return [i for i in missing[1] if i not in pairs], [j for j in extra[1] if j not in paired]


def _pair_up(
    missing: Open, extra: Open, classes_of: Callable[[Quantity], tuple[str, ...]]
) -> dict[int, int]:
    """Pair quantities of one class: each with the most alike of the next few."""
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for j in extra[1]:
        waiting[classes_of(extra[0].quantities[j])[0]].append(j)
    pairs: dict[int, int] = {}
    for i in missing[1]:
        quantity = missing[0].quantities[i]

        def unlikeness(j: int, quantity: Quantity = quantity) -> tuple[bool, float]:
            other = extra[0].quantities[j]
            same_digits = digit_groups(quantity.text) == digit_groups(other.text)
            return not same_digits, distance(quantity, other)

        for name in classes_of(quantity):
            ahead = [
                j
                for j in islice(waiting[name], _MAX_TRIED)
                if _may_become(quantity, extra[0].quantities[j])
            ]
            if ahead:
                pairs[i] = min(ahead, key=unlikeness)
                waiting[name].remove(pairs[i])
                break
    return pairs


def _may_become(quantity: Quantity, other: Quantity) -> bool:
    """Return whether two quantities may be one that changed, not unrelated ones."""
    if not (quantity.light and other.light):
        return True
    digits = quantity.text[0].isdecimal() and other.text[0].isdecimal()
    times = quantity.units == other.units == ("times",) and 1.0 not in (quantity.value, other.value)
    return digits or times or quantity.kind == other.kind != "number"


def _unit_class(quantity: Quantity) -> tuple[str, ...]:
    """Return the unit, or the part of a date, or else the kind."""
    return (" ".join(quantity.units) if quantity.units else quantity.kind,)


def _kind_classes(quantity: Quantity) -> tuple[str, ...]:
    """Return what a quantity may be mistaken for: the same dimension, or a bare number."""
    if quantity.kind == "date":
        return (quantity.units[0],)
    if quantity.vague:
        return ("vague",)
    kinds = dimensions(quantity.units) - {"times", "money"}
    if quantity.kind != "measure":
        return (quantity.kind, *sorted(kinds), "number")  # pounds: an amount, else a mass
    return (*sorted(kinds), "number")


def _whole_dates(
    text: IndexedText, positions: Sequence[int], implied: tuple[str, ...]
) -> Iterator[tuple[Quantity, float]]:
    """Yield lost quantities with their probabilities; neighbouring parts of a date as one.

    `implied` names the parts that may be left out while the rest of their date is stated.
    """
    lost = set(positions)
    for i in positions:
        if i - 1 in lost and _are_one_date(text, i - 1, i):
            continue
        last = i
        while last + 1 in lost and _are_one_date(text, last, last + 1):
            last += 1
        quantity = text.quantities[i]
        if last > i:
            span = Span(quantity.span.start, text.quantities[last].span.end)
            quantity = replace(quantity, span=span, text=span.of(text.text))
        part = last == i and quantity.kind == "date" and quantity.units[0] in implied
        spare = part and _has_day(text, i, lost)
        yield quantity, DATE_PART_LOST if spare else loss_probability(quantity)


def _has_day(text: IndexedText, i: int, lost: set[int]) -> bool:
    """Return whether the date that quantity `i` is a part of keeps its day of the month."""
    first, last = i, i
    while i - first < _DATE_PARTS and _are_one_date(text, first - 1, first):
        first -= 1
    while last - i < _DATE_PARTS and _are_one_date(text, last, last + 1):
        last += 1
    return any(
        text.quantities[k].units == ("day",) for k in range(first, last + 1) if k not in lost
    )


def _are_one_date(text: IndexedText, i: int, j: int) -> bool:
    """Return whether neighbouring quantities are parts of one date."""
    if i < 0 or j >= len(text.quantities):
        return False
    one, other = text.quantities[i], text.quantities[j]
    return (
        one.kind == other.kind == "date"
        and one.units != other.units
        and other.span.start - one.span.end <= _DATE_GAP
    )
