"""Look up units of measure and currencies, and find the one beside a number.

The list `lexica/units.tsv` gives the size of each; comparing sizes is for `match` and `change`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from detector.numbers.parse import TOKEN, Number, Tokens
from detector.text.lexicon import place_key, read_table

_LARGE = 1000.0  # from here on "won" is money rather than a verb
_SPACED = frozenset({"C", "d", "g", "h", "l", "m"})  # units that may stand apart: 200 m
_LETTERS = {"m": 1e6, "k": 1e3, "b": 1e9, "t": 1e12}
_NAMING = re.compile(r"[^\W\d_]+|[%‰°º$£€¥¢₩₽₺₴₪₹₦₱₫฿]")
_PREFIX_GAPS = frozenset(("", " ", ".", ". ", "\u00a0"))
_FILLERS = frozenset(
    (  # noqa: SIM905 - a list of words reads best as words
        "additional business calendar consecutive extra fiscal full further good long metric "
        "more solid straight successive whole working"
    ).split()
)


class Unit(NamedTuple):
    """A unit: its dimension, and its size in that dimension's base unit."""

    dimension: str
    size: float | None


class _Forms(NamedTuple):
    written: dict[str, tuple[str, ...]]  # "square metres": lower case, a space between tokens
    glued: dict[str, tuple[str, ...]]  # "m": a unit only right behind digits ("~" in the list)
    large: dict[str, tuple[str, ...]]  # "won": a unit only behind a large number ("=")


@cache
def unit_facts() -> dict[str, Unit]:
    """Return the dimension and the size of every unit in the list."""
    return {
        name: Unit(dimension, float(size) if size else None)
        for name, dimension, size, _ in read_table("units")
    }


@cache
def _forms() -> _Forms:
    forms: tuple[dict[str, list[str]], ...] = tuple(defaultdict(list) for _ in range(3))
    for name, _, _, written in read_table("units"):
        for form in written.split("|"):
            which = {"~": 1, "=": 2}.get(form[0], 0)
            forms[which][" ".join(TOKEN.findall(form.lstrip("~=")))].append(name)
    return _Forms(*({form: tuple(names) for form, names in part.items()} for part in forms))


def dimensions(units: tuple[str, ...]) -> frozenset[str]:
    """Return the dimensions of units: pounds are mass or money."""
    facts = unit_facts()
    return frozenset(facts[unit].dimension for unit in units if unit in facts)


def comparable_sizes(one: str, other: str) -> tuple[float, float] | None:
    """Return the sizes of two units of one dimension; None where neither converts to the other."""
    first, second = unit_facts().get(one), unit_facts().get(other)  # the "pm" of a clock is none
    if first is None or second is None or first.dimension != second.dimension:
        return None
    return None if first.size is None or second.size is None else (first.size, second.size)


def units_named(text: str) -> frozenset[str]:
    """Return every unit that a text names, next to a number or not."""
    written, _, large = _forms()
    words = _NAMING.findall(text.lower())
    named = {unit for word in words for unit in (*written.get(word, ()), *large.get(word, ()))}
    for two in pairwise(words):
        named.update(written.get(" ".join(two), ()))
    return frozenset(named)


def unit_of_word(word: str) -> tuple[str, ...]:
    """Return the units that a word may name by itself."""
    return _forms().written.get(word, ())


def currency_before(tokens: Tokens, i: int) -> tuple[int, tuple[str, ...]]:
    """Return where the currency before token `i` begins, and which it may be.

    "GBP 5" and "Rs 5" are prices; "the pounds 5" is none.
    """
    before = tokens.word(i - 1)
    units = unit_of_word(before)
    if not units or "money" not in dimensions(units) or tokens.gap(i) not in _PREFIX_GAPS:
        return i, ()
    if before[0].isalpha() and (len(before) > 3 or not tokens.capital(i - 1)):
        return i, ()
    exact = unit_of_word(f"{tokens.word(i - 2)} {before}") if tokens.glued(i - 1) else ()
    return (i - 2, exact) if exact else (i - 1, units)  # US$ says more than $


def letter_scale(tokens: Tokens, number: Number, *, price: bool) -> float | None:
    """Return the scale of a letter glued to digits: £25m; 25k, the only one sure without £."""
    at = number.after
    if not tokens.glued(at) or not tokens.words[at - 1][0].isdecimal():
        return None
    letter = tokens.words[at]
    return _LETTERS.get(letter) if price or letter == "k" else None


def unit_behind(tokens: Tokens, at: int, value: float) -> tuple[tuple[str, ...], int]:
    """Return the unit at or a few adjectives behind token `at`, and the token after it.

    Token `at` follows a number of that value.
    """
    written, glued, large = _forms()
    after = at
    for _ in range(3):
        if not tokens.near(at) and not (at > after and tokens.gap(at) == ". "):
            break  # "U.S. dollars" has a full stop inside
        for size in (3, 2, 1):
            form = " ".join(tokens.words[at : at + size])
            units = written.get(form) or (large.get(form) if value >= _LARGE else None)
            if not units and at == after and size == 1 and _may_be_letter(tokens, at):
                units = glued.get(form)
            if units and all(tokens.near(k) for k in range(at + 1, at + size)):
                return units, at + size
        at = _step_over(tokens, at)
    return (), after


def _may_be_letter(tokens: Tokens, at: int) -> bool:
    """Return whether a letter behind digits may be a unit: 5m and 200 m, but not M918T."""
    if tokens.glued(at):
        labelled = tokens.glued(at - 1) and tokens.words[at - 2][0].isalpha()
        labelled = labelled or tokens.text(at) in ("C", "D", "d")  # 39C, 3D
        return not (labelled and tokens.words[at] != "m") and not tokens.glued(at + 1)  # 4x4
    digits = tokens.words[at - 1][0].isdecimal()
    return digits and tokens.gap(at) in (" ", "\u00a0") and tokens.text(at) in _SPACED


def _step_over(tokens: Tokens, at: int) -> int:
    """Step over "consecutive", or over the country of a currency: 5 million U.S. dollars."""
    word = tokens.word(at)
    if word in _FILLERS:
        return at + 1
    if tokens.words[at : at + 2] == ["or", "so"]:
        return at + 2
    if tokens.words[at : at + 2] == ["u", "s"] and _is_money(tokens.word(at + 2)):
        return at + 2
    if _is_money(tokens.word(at + 2)) and place_key(f"{tokens.text(at)} {tokens.text(at + 1)}"):
        return at + 2
    if _is_money(tokens.word(at + 1)) and place_key(tokens.text(at)):
        return at + 1
    return 0  # no token is near the first


def _is_money(word: str) -> bool:
    return "money" in dimensions(unit_of_word(word))
