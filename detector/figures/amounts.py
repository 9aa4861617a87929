"""A number with what it counts: its currency or unit, its scale, its sign and its bound.

Of dates it reads the year alone, which a bare number may be; the others, times, ordinals and
shares are for `quantities`.
"""

from __future__ import annotations

from dataclasses import replace

from detector.figures import moments, units
from detector.figures.figure import Bound, Figure, FigureKind, figure_at, part_at
from detector.figures.numerals import Number
from detector.figures.tokens import Tokens
from detector.records import Span

_MINUS = "-−–"
_MINUS_WORDS = frozenset({"minus", "negative"})
_MINUS_AFTER = frozenset(
    (  # noqa: SIM905 - a list of words reads best as words
        "about and around at below between by from is low of or reached temperature to was"
    ).split()
)
_AGES = frozenset({"age", "aged", "ages"})
_LABELS = frozenset({"number", "chapter", "part", "phase", "article", "section", "group"})
_MORE = frozenset({"more", "greater", "higher", "larger", "longer", "bigger"})
_LESS = frozenset({"less", "fewer", "lower", "smaller", "shorter"})
_BOUNDS: dict[tuple[str, str], Bound] = {
    ("at", "least"): "above",
    ("at", "most"): "below",
    ("up", "to"): "below",
}
_ABOVE = frozenset({"over", "above", "exceeding", "exceed", "exceeds", "exceeded"})
_BELOW = frozenset({"under", "below"})


def read_amount(tokens: Tokens, number: Number, done: int) -> tuple[list[Figure], int]:
    """Return the figure that a number and its unit say, if any, and the token after it.

    Tokens before `done` belong to another figure already.
    """
    start, named = units.currency_before(tokens, number.first)
    if start < done:  # "5 GBP 6": already the unit of 5
        start, named = number.first, ()
    value, also, after = number.value, number.also, number.after
    scale = units.letter_scale(tokens, number, price=bool(named))
    if scale is not None:
        value, also, after = value * scale, None, after + 1
    elif tokens.glued(after) and tokens.words[after] == "m":
        also = value * 1e6  # 25m: metres, or million
    of = after + 1 if number.form == "vague" and tokens.word(after) == "of" else after
    if number.form == "fraction":  # half an hour, a quarter of a century
        of += tokens.word(of) == "of" and tokens.word(of + 1) in ("a", "an")
        of += tokens.word(of) in ("a", "an")
    year = moments.year_of(tokens, number) if number.form == "cardinal" else 0
    behind, end = units.unit_behind(tokens, of, 0.0 if year else value)
    if behind:
        after = end
        if tokens.words[end : end + 3] == ["and", "a", "half"]:
            value, also, after = value + 0.5, None, end + 3
    named = named or behind or _age_unit(tokens, number)
    if year and not named:
        return [part_at(tokens, range(number.first, after), "year", year)], after
    if _is_pronoun(tokens, number, named):
        return [], after
    kind: FigureKind = "fraction" if number.form == "fraction" else "number"
    figure = figure_at(tokens, range(start, after), kind_of(named) if named else kind, value)
    light = is_light(tokens, number, figure)
    if _is_negative(tokens, start):
        figure = _with_minus(tokens, figure, start)
    figure = replace(
        figure,
        also=also,
        units=named,
        bound=_bound(tokens, start),
        vague=number.form == "vague",
        light=light,
    )
    return [figure], after


def _age_unit(tokens: Tokens, number: Number) -> tuple[str, ...]:
    """Return years for a bare number behind "aged" or "the age of"."""
    before = number.first - (2 if tokens.word(number.first - 1) == "of" else 1)
    aged = tokens.word(before) in _AGES and number.form == "cardinal" and number.value < 120
    return ("y",) if aged else ()


def _is_pronoun(tokens: Tokens, number: Number, named: tuple[str, ...]) -> bool:
    return (
        tokens.words[number.first] == "one"
        and number.value == 1
        and not (number.scaled or named)
        and tokens.word(number.first - 1) not in _LABELS
    )


def is_light(tokens: Tokens, number: Number, figure: Figure) -> bool:
    """Tell whether a translator may well say a figure without its number."""
    if tokens.words[number.first][0].isdecimal():
        return figure.kind == "number" and (not number.value or _is_labelled(tokens, number))
    if number.form == "ordinal":
        return number.value <= 3
    return not number.scaled and number.value in (0, 0.25, 0.5, 1, 2)


def _is_labelled(tokens: Tokens, number: Number) -> bool:
    """Tell whether digits hang on a name: F-16, G20, 3D."""
    i, after = number.first, number.after
    if tokens.glued(after) and tokens.words[after][0].isalpha():
        return True
    if i == 0 or tokens.gap(i) not in ("", "-", "‑", "+"):
        return False
    if tokens.gap(i) and tokens.capital(i - 1) and not moments.month_at(tokens, i - 1):
        return True  # Covid-19
    return tokens.words[i - 1][0].isalpha() and tokens.raw[tokens.ends[i - 1] - 1].isupper()


def kind_of(named: tuple[str, ...]) -> FigureKind:
    """Return what a figure in these units states."""
    found = units.dimensions(named)
    if "money" in found:
        return "money"
    return "percent" if "share" in found else "number" if "times" in found else "measure"


def _bound(tokens: Tokens, first: int) -> Bound | None:
    i = first - 2 if tokens.word(first - 1) in ("a", "an") else first - 1
    one, two = tokens.word(i), tokens.word(i - 1)
    if one != "than":
        if one in _ABOVE or one in _BELOW:
            return "above" if one in _ABOVE else "below"
        return _BOUNDS.get((two, one))
    if two not in _MORE and two not in _LESS:
        return None
    turned = tokens.word(i - 2) in ("no", "not")  # no less than
    return "above" if (two in _MORE) != turned else "below"


def _is_negative(tokens: Tokens, first: int) -> bool:
    """Tell a minus before a number from a mere hyphen: of -5 degrees, but Covid -19."""
    start, before = tokens.starts[first], tokens.word(first - 1)
    if before in _MINUS_WORDS and tokens.near(first):
        return True
    if start == 0 or tokens.raw[start - 1] not in _MINUS:
        return False
    return (start == 1 or tokens.raw[start - 2] in " (\u00a0") and (
        first == 0 or before in _MINUS_AFTER
    )


def _with_minus(tokens: Tokens, figure: Figure, first: int) -> Figure:
    spelled = tokens.word(first - 1) in _MINUS_WORDS
    start = tokens.starts[first - 1] if spelled else figure.span.start - 1
    span = Span(start, figure.span.end)
    return replace(figure, span=span, text=span.of(tokens.raw), value=-(figure.value or 0.0))
