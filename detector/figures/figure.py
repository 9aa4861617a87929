"""One figure as a text states it, and how tokens become one.

A record: what a run of tokens says is for `quantities`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from detector.errors import InputError
from detector.figures.tokens import Tokens
from detector.records import Span

FigureKind = Literal["number", "ordinal", "percent", "money", "measure", "date", "time", "fraction"]
"""What a figure states."""

Bound = Literal["above", "below"]
"""On which side of the figure the truth lies: more than 50, up to 50."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure as a text states it.

    Attributes
    ----------
    span, text
        Place in the text it was found in, with unit and currency, and that text.
    kind : FigureKind
    value : float or None
        In its unit: 25e9 for 25bn, 50 for 50 %, 0.5 for a half; minutes after midnight or noon
        for a time; 1..12 for a month, 1 (Monday)..7 for a weekday. None where digits say no
        single number (2:1, 6/12/2024).
    also : float or None
        What else it may say: 200.000 is 200 or 200,000.
    units : tuple of str
        The units it may be in, by their names in `lexica/units.tsv`: pounds are GBP, EGP or lb.
        For a date, which part it is: day, month, year, decade, weekday, or numeric for
        6/12/2024. For a time, am or pm. Empty where none is said.
    bound : Bound or None
    vague : bool
        Whether it is an order of magnitude: dozens, several thousand.
    light : bool
        Whether a translator may well say it without a number: one, first, twice, half, G20.
    """

    span: Span
    text: str
    kind: FigureKind
    value: float | None
    also: float | None = None
    units: tuple[str, ...] = ()
    bound: Bound | None = None
    vague: bool = False
    light: bool = False

    def __post_init__(self) -> None:
        if self.span.end - self.span.start != len(self.text):
            span = f"[{self.span.start}, {self.span.end})"
            msg = f"figure {self.text!r} holds {len(self.text)} characters, its span is {span}"
            raise InputError(msg)

    @property
    def measured_in(self) -> tuple[str, ...]:
        """The units of measure it may be in: none for a moment, whose `units` name its part."""
        return () if self.kind in ("date", "time") else self.units


def figure_at(tokens: Tokens, at: range, kind: FigureKind, value: float | None) -> Figure:
    """Return the figure that some tokens say."""
    start, end = tokens.starts[at.start], tokens.ends[at.stop - 1]
    return Figure(span=Span(start, end), text=tokens.raw[start:end], kind=kind, value=value)


def part_at(tokens: Tokens, at: range, part: str, value: float | None) -> Figure:
    """Return the part of a date that some tokens say."""
    number = None if value is None else float(value)
    return replace(figure_at(tokens, at, "date", number), units=(part,))
