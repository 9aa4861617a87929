"""One text of a pair: its figures, where to find each, and what the words round them say.

Pure, over `equivalents`. What became of a figure is for `compare`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import cached_property

from detector.figures.equivalents import Key, broad_keys, digit_groups, keys, size_keys
from detector.figures.figure import Figure
from detector.figures.quantities import find_figures
from detector.figures.tokens import number_hints
from detector.figures.units import unit_facts, units_named
from detector.lexicon import MONTHS
from detector.records import Span

Index = dict[Key, dict[tuple[str, ...], list[int]]]
"""Figures by what they say, then by unit, so that a value a million times over costs nothing."""

_READ = 60  # characters of one figure, or behind it, that are read
_LONG = 5000  # characters; a bead is never so long, and every figure would search it
_ROMAN = re.compile(r"\b(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})\b")
_NEGATIVE = re.compile(
    r"[-−–]\s?\d|\b(?:minus|negative|below|under|sub|zero|freezing|down|loss|los[et]|fell|fall\w*"
    r"|drop\w*|declin\w*|decreas\w*|shr[aiu]nk\w*|contract\w*|deficit)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\b(?:no|not|never|nobody|none|cannot|without)\b|n['’]t\b", re.I)
_LIST = re.compile(r"[^\w;]{0,4}(?:\w{1,10}[^\w;]{1,4})?")
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10}
_WORDS = re.compile(r"[^\W\d_]+")


class Side:
    """One text of a pair, its figures, and where to find each of them by what it says.

    Everything but the figures is worked out when first asked for: most pairs never ask.

    Attributes
    ----------
    text : str
    figures : tuple of Figure
    used : set of int
        Places of figures that a figure of the other text has been found to be.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.figures = find_figures(text)
        self.used: set[int] = set()

    def _index_by(self, keys_of: Callable[[Figure], Iterator[Key]]) -> Index:
        index: Index = defaultdict(dict)
        for i, figure in enumerate(self.figures):
            for key in keys_of(figure):
                index[key].setdefault(figure.units, []).append(i)
        return index

    @cached_property
    def index(self) -> Index:
        """Figures by what they say, then by unit, so that a repeated value costs nothing."""
        return self._index_by(keys)

    @cached_property
    def broad_index(self) -> Index:
        """The same by size in whatever unit."""
        return self._index_by(broad_keys)

    @cached_property
    def hints(self) -> frozenset[float]:
        """Numbers that words outside every figure say: "both", "World War II"."""
        known = number_hints()
        said: set[float] = set()
        for between in self.between:
            for word in _WORDS.findall(between.lower()):
                said.update(known.get(word, ()))
            said.update(float(_roman(roman[0])) for roman in _ROMAN.finditer(between) if roman[0])
        for figure in self.figures:  # three out of four says four, too
            if figure.kind == "fraction" and figure.also and figure.value:
                said.add(round(figure.also / figure.value, 9))
        return frozenset(said)

    @cached_property
    def is_negative(self) -> bool:
        """Whether a word or a mark says that something is below zero, or went down."""
        return _NEGATIVE.search(self.text) is not None

    @cached_property
    def digits(self) -> Counter[str]:
        """Runs of digits, and the last two digits of longer ones, and how often each stands."""
        groups = digit_groups(self.text)
        return Counter((*groups, *(group[-2:] for group in groups if len(group) > 2)))

    @cached_property
    def is_negated(self) -> bool:
        """Whether a word says no, so that "more" may mean "not more"."""
        return _NEGATION.search(self.text) is not None

    @cached_property
    def starts(self) -> frozenset[str]:
        """First three letters of each word: a month may be misspelt, a weekday cut short."""
        words = _WORDS.findall(self.text)
        small = {word[:3].title() for word in words if len(word) > 3 and word in MONTHS}
        return frozenset(small.union(word[:3] for word in words))

    @cached_property
    def figure_units(self) -> frozenset[str]:
        """Units that its figures are in."""
        return frozenset(unit for figure in self.figures for unit in figure.units)

    @cached_property
    def units(self) -> frozenset[str]:
        """Every unit that the text names."""
        return units_named(self.text)

    @cached_property
    def loose_units(self) -> frozenset[str]:
        """Units that the text names away from every figure: "in euros, it was 5"."""
        return units_named(" ; ".join(self.between))

    @cached_property
    def single_units(self) -> frozenset[Key]:
        """Sizes of the units that the text names without a figure: an inch, of a century."""
        facts = [unit_facts()[name] for name in self.loose_units]
        return frozenset(
            key for unit in facts if unit.size for key in size_keys(unit.dimension, unit.size)
        )

    @cached_property
    def between(self) -> tuple[str, ...]:
        """What stands before, between and after the figures."""
        ends = [0, *(figure.span.end for figure in self.figures)]
        starts = [*(figure.span.start for figure in self.figures), len(self.text)]
        return tuple(self.text[end:start] for end, start in zip(ends, starts, strict=True))

    def shares_unit(self, i: int, units: tuple[str, ...]) -> bool:
        """Tell whether figure `i` takes its unit from a neighbour: 5, perhaps 6, per cent."""
        return any(
            0 <= k < len(self.figures)
            and not set(units).isdisjoint(self.figures[k].units)
            and _LIST.fullmatch(self.between[max(i, k)]) is not None
            for k in (i - 1, i + 1)
        )

    def names_alike(self, i: int, figure: Figure) -> bool:
        """Tell whether one of two words behind figure `i` begins as another figure's unit does."""
        unit = _WORDS.findall(figure.text.lower())[-1:]
        end = self.figures[i].span.end
        behind = _WORDS.findall(self.text[end : end + _READ].lower())[:2]
        return bool(unit) and len(unit[0]) > 3 and any(w[:3] == unit[0][:3] for w in behind)

    def stands_parted(self, figure: Figure) -> Span | None:
        """Return where the digits of a figure stand with other marks between: 45, 233."""
        groups = digit_groups(figure.text[:_READ])
        if len(groups) < 2 or len(self.text) > _LONG:
            return None
        parted = r"\W{1,3}".join(groups)
        match = re.search(rf"(?<![\d.,]){parted}(?![.,]?\d)", self.text)
        if match is None or not any(map(str.isspace, match[0])):
            return None
        return Span(*match.span())


def _roman(text: str) -> int:
    values = [_ROMAN_DIGITS[letter] for letter in text]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))
