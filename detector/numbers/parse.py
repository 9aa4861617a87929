"""Parse digits and number words into values: "25bn", "two-thirds", "tens of thousands".

The number alone, by the list `lexica/numerals.tsv`; its unit, currency or date is for `quantities`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from detector.text.lexicon import MONTHS, WEEKDAYS, read_table

HALVES: Mapping[str, float] = {
    "half": 0.5, "½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3, "⅛": 0.125,
}  # fmt: skip
"""Fractions of one token."""

DAY_TIMES: Mapping[str, int] = {"noon": 720, "midday": 720, "midnight": 0}
"""Times with a name of their own, in minutes after midnight."""

TOKEN = re.compile(
    r"[^\W\d_º]+|&#\d+;|(?<=[a-z.] )\d{1,2}(?=,(?:1\d|20)\d\d(?![.,]?\d))"
    r"|(?:1\d|20)\d\d(?=,(?!000)\d{3}(?!\d))|\d{1,2}: [0-5]\d(?![\d.,:])"
    r"|\d+(?:[.,:/]\d+)*|[%‰°º℃℉]|[$£€¥¢₩₽₺₴₪₹₦₱₫฿]"
)
"""One token; a character that a page left as &#39; is one too, so that 39 is no number.

"19: 54" is one token; "7,1981" in "June 7,1981" and "1944,659" in "in 1944,659 men" are two.
"""

_WORDS = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"\d")
_GAP = re.compile(r"\s?[\u2010-\u2015\u00ad-]?\s{0,2}")  # "90 -day", "two-thirds", "5  km"


class Tokens(NamedTuple):
    """The words (in lower case), digits and signs of `raw`, as parallel lists in order."""

    raw: str
    words: list[str]
    starts: list[int]
    ends: list[int]

    def word(self, i: int) -> str:
        """Return token i in lower case, or nothing where there is none."""
        return self.words[i] if 0 <= i < len(self.words) else ""

    def text(self, i: int) -> str:
        """Return token i as it is written."""
        return self.raw[self.starts[i] : self.ends[i]]

    def capital(self, i: int) -> bool:
        """Return whether token i begins with a capital."""
        return self.raw[self.starts[i]].isupper()

    def gap(self, i: int) -> str:
        """Return the text between token i - 1 and token i, or nothing at either end."""
        if not 0 < i < len(self.words):
            return ""
        return self.raw[self.ends[i - 1] : self.starts[i]]

    def glued(self, i: int) -> bool:
        """Return whether token i follows token i - 1 without a gap."""
        return 0 < i < len(self.words) and self.ends[i - 1] == self.starts[i]

    def near(self, i: int) -> bool:
        """Return whether only a space or a hyphen separates tokens i - 1 and i."""
        if not 0 < i < len(self.words):
            return False
        left, right = self.ends[i - 1], self.starts[i]
        return left == right or (
            right - left < 4 and _GAP.fullmatch(self.raw, left, right) is not None
        )


@cache
def numeral_words() -> dict[str, dict[str, float]]:
    """Return the number words by class: cardinal, ordinal, scale, part, vague, times, decade."""
    classes: dict[str, dict[str, float]] = defaultdict(dict)
    for word, kind, value in read_table("numerals"):
        classes[kind][word] = float(value)
    return dict(classes)


@cache
def number_hints() -> Mapping[str, frozenset[float]]:
    """Return every word that implies a number, and the numbers: "both" implies 2."""
    implied_numbers: dict[str, set[float]] = defaultdict(set)
    for word, kind, value in read_table("numerals"):
        if kind != "vague":
            implied_numbers[word].add(float(value))
        if kind == "part":
            implied_numbers[word].add(1 / float(value))  # the first quarter
    return {word: frozenset(values) for word, values in implied_numbers.items()}


@cache
def _triggers() -> frozenset[str]:
    classes = numeral_words()
    numerals = {word for kind, words in classes.items() if kind != "hint" for word in words}
    days = {f"{day}s" for day in WEEKDAYS if len(day) > 5}
    return frozenset(numerals | days | {*MONTHS, *WEEKDAYS, *HALVES, *DAY_TIMES})


def tokenize(text: str) -> tuple[Tokens, list[int]]:
    """Split a text into tokens; return them and where a quantity may begin, ascending.

    No tokens for a text without any quantity, as most are.
    """
    triggers = _triggers()
    if _DIGIT.search(text) is None and triggers.isdisjoint(_WORDS.findall(text.lower())):
        return Tokens(text, [], [], []), []
    spans = [match.span() for match in TOKEN.finditer(text)]
    lower = text.lower()
    if len(lower) != len(text):  # a capital dotted I grows in lower case
        lower = "".join(letter if len(letter.lower()) > 1 else letter.lower() for letter in text)
    words = [lower[start:end] for start, end in spans]
    hits = [i for i, word in enumerate(words) if word in triggers or word[0].isdecimal()]
    return Tokens(text, words, [start for start, _ in spans], [end for _, end in spans]), hits


Form = Literal["cardinal", "ordinal", "fraction", "vague", "times", "decade"]
"""The form of a number: 3, third, two thirds, thousands, thrice, the sixties."""

_THOUSANDS = re.compile(r"\d{1,3}([.,])\d{3}(?:\1\d{3})*")
_LAKHS = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}")
_DECIMAL = re.compile(r"(\d{1,3}(?:([.,])\d{3})*|\d+)[.,]\d+")
_LONGEST = 40  # digits and separators; a longer run is no number that anybody wrote
_TOO_MUCH = 1e18
_SOME = frozenset({"several", "few", "many", "some", "couple", "various"})
_HALF_OF_A_WORD = frozenset(
    {"back", "brother", "final", "finals", "hearted", "master", "sister", "term", "time", "way"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number and its tokens, the half-open range from `first` to `after`."""

    first: int
    after: int
    value: float
    also: float | None = None  # if read otherwise: 200.000 is 200 or 200,000
    form: Form = "cardinal"
    scaled: bool = False  # by a word: 25 million


def read_digits(text: str) -> tuple[float | None, float | None]:
    """Return the value of a run of digits, points and commas, and its other value if any.

    Examples
    --------
    >>> read_digits("200,000"), read_digits("1.5"), read_digits("2.500,75")
    ((200000.0, None), (1.5, None), (2500.75, None))
    >>> read_digits("200.000"), read_digits("10.0.0.1")
    ((200.0, 200000.0), (None, None))
    """
    if len(text) > _LONGEST:
        return None, None
    if text.isdecimal():
        return float(int(text)), None
    if _LAKHS.fullmatch(text):
        return float(text.replace(",", "")), None
    bare = re.sub(r"[.,]", "", text)
    if not bare.isdecimal():
        return None, None
    if (grouped := _THOUSANDS.fullmatch(text)) is not None:
        whole = float(bare)
        point = float(text.replace(",", ".")) if text.count(grouped[1]) == 1 else None
        if point is None or text[0] == "0":
            return (whole, None) if point is None else (point, None)
        return (whole, None) if grouped[1] == "," else (point, whole)
    if (match := _DECIMAL.fullmatch(text)) is not None:
        whole_text, fraction = match[1], text[match.end(1) + 1 :]
        if match[2] != text[match.end(1)]:
            also = float(bare) if len(fraction) == 3 and whole_text.isdecimal() else None
            return float(f"{re.sub('[.,]', '', whole_text)}.{fraction}"), also  # 4213,000
    return None, None


def read_number(tokens: Tokens, i: int) -> Number | None:
    """Read the number that begins at token `i`; None for other words, versions and scores."""
    word = tokens.words[i]
    classes = numeral_words()
    if word in classes["vague"]:
        return _read_vague(tokens, i)
    for form in ("times", "decade"):
        if word in classes[form]:
            return Number(first=i, after=i + 1, value=classes[form][word], form=form)
    if word in HALVES or word in ("quarter", "quarters"):
        return _read_part(tokens, i)
    if word in classes["ordinal"]:
        return _read_ordinal(tokens, i)
    return _read_cardinal(tokens, i)


def _read_vague(tokens: Tokens, i: int) -> Number | None:
    vague = numeral_words()["vague"]
    value, after = vague[tokens.words[i]], i + 1
    while tokens.word(after) == "of" and tokens.word(after + 1) in vague and value < 1e15:
        value, after = value * vague[tokens.words[after + 1]], after + 2  # tens of thousands
    return Number(first=i, after=after, value=value, form="vague")


def _read_part(tokens: Tokens, i: int) -> Number | None:
    word, before = tokens.words[i], tokens.word(i - 1)
    if word in ("quarter", "quarters"):
        if before not in ("a", "one") and tokens.word(i + 1) != "of":
            return None  # the first quarter, headquarters, quarter-finals
        value = 0.25
    else:
        value = HALVES[word]
    if word == "half" and before in ("first", "second", "last", "other", "better"):
        return None
    if tokens.word(i + 1) in _HALF_OF_A_WORD and tokens.near(i + 1):
        return None
    return _times_scale(tokens, Number(first=i, after=i + 1, value=value, form="fraction"))


def _times_scale(tokens: Tokens, part: Number) -> Number:
    # half a million, a quarter of a million, half a dozen
    at = part.after
    at += tokens.word(at) == "of"
    at += tokens.word(at) in ("a", "one")
    scale = numeral_words()["scale"].get(tokens.word(at))
    if scale is None:
        return part
    return Number(first=part.first, after=at + 1, value=part.value * scale, scaled=True)


def _read_ordinal(tokens: Tokens, i: int) -> Number:
    value = numeral_words()["ordinal"][tokens.words[i]]
    if value > 2 and tokens.word(i - 1) == "a" and tokens.word(i + 1) == "of":
        part = Number(first=i, after=i + 1, value=1 / value, also=value, form="fraction")
        return _times_scale(tokens, part)
    return Number(first=i, after=i + 1, value=value, form="ordinal")


def _read_cardinal(tokens: Tokens, i: int) -> Number | None:
    classes = numeral_words()
    word, before = tokens.words[i], tokens.word(i - 1)
    if word in classes["scale"]:  # a hundred; several thousand
        if before in _SOME or (before == "of" and tokens.word(i - 2) == "couple"):
            value = 10.0 if word == "dozen" else classes["scale"][word]
            return Number(first=i, after=i + 1, value=value, form="vague")
        return _read_scales(tokens, i, i, (1.0, None))
    if word[0].isdecimal():
        digits, also, after = _read_digit_groups(tokens, i)
        if digits is None:
            return None
        value = digits
    elif word in classes["cardinal"]:
        value, after, form = _read_small(tokens, i)
        if form != "cardinal":
            return Number(first=i, after=after, value=value, form=form)
        also = None
    else:
        return None
    value, also, after = _add_half(tokens, after, value, also)
    return _read_scales(tokens, i, after, (value, also))


def _read_digit_groups(tokens: Tokens, i: int) -> tuple[float | None, float | None, int]:
    words, after = tokens.words, i + 1
    value, also = read_digits(words[i])
    # 200 000, and 200, 000 where the translator parted the groups
    while (
        value is not None
        and len(words[i]) < 4
        and value > 0
        and len(tokens.word(after)) == 3
        and tokens.words[after].isdecimal()
        and (
            (tokens.starts[after] - tokens.ends[after - 1] == 1 and tokens.near(after))
            or (words[after] == "000" and tokens.raw.startswith(", ", tokens.ends[after - 1]))
        )
        and tokens.raw[tokens.ends[after - 1]] not in "-‐‑–—"
        and after - i < 4
    ):
        value, also, after = value * 1000 + int(words[after]), None, after + 1
    return value, also, after


def _read_small(tokens: Tokens, i: int) -> tuple[float, int, Form]:
    """Read number words up to the first scale above a hundred: "two hundred and five"."""
    classes = numeral_words()
    cardinal, ordinal = classes["cardinal"], classes["ordinal"]
    value, after = cardinal[tokens.words[i]], i + 1
    while tokens.near(after):
        linked = tokens.words[after] == "and" and value >= 100 and tokens.near(after + 1)
        at = after + linked
        word = tokens.words[at]
        if word in cardinal and _fits(value, cardinal[word]):
            value += cardinal[word]
        elif word in ordinal and _fits(value, ordinal[word]):
            return value + ordinal[word], at + 1, "ordinal"
        elif linked:
            break
        elif word == "hundred" and 0 < value < 100:
            value *= 100
        else:
            return _read_tail(tokens, at, value) or (value, after, "cardinal")
        after = at + 1
    return value, after, "cardinal"


def _read_tail(tokens: Tokens, i: int, value: float) -> tuple[float, int, Form] | None:
    """Read the rest of "two thirds", or of a year in two halves: "nineteen eighty-four"."""
    classes = numeral_words()
    word = tokens.words[i]
    tens = classes["cardinal"].get(word, 0.0)
    if 10 <= value <= 20 <= tens:
        ones = classes["cardinal"].get(tokens.word(i + 1), 0.0) if tokens.near(i + 1) else 0.0
        fits = _fits(tens, ones)
        return value * 100 + tens + (ones if fits else 0.0), i + 1 + fits, "cardinal"
    share = classes["part"].get(word) or classes["ordinal"].get(word, 0.0)
    if share > 2 and value < share:
        return value / share, i + 1, "fraction"
    return None


def _fits(value: float, more: float) -> bool:
    """Return whether a smaller number word may follow: "twenty" "five", "hundred" "nineteen"."""
    if value >= 100:
        if value % 100 >= 20 and value % 10 == 0:
            return 0 < more < 10  # hundred and thirty-six
        return value % 100 == 0 and 0 < more < 100
    return value >= 20 and value % 10 == 0 and 0 < more < 10


def _add_half(
    tokens: Tokens, after: int, value: float, also: float | None
) -> tuple[float, float | None, int]:
    words = tokens.words[after : after + 3]
    if words == ["and", "a", "half"]:
        return value + 0.5, None, after + 3
    if words[:1] and words[0] in HALVES and words[0] != "half" and tokens.near(after):
        return value + HALVES[words[0]], None, after + 1  # 2½
    return value, also, after


def _read_scales(
    tokens: Tokens, first: int, after: int, values: tuple[float, float | None]
) -> Number:
    """Read the scales behind a number, and smaller numbers behind those: 3 million 500 thousand."""
    value, also = values
    total, least = 0.0, _TOO_MUCH
    if tokens.words[after : after + 2] == ["or", "more"] and tokens.near(after + 2):
        after += 2 if _scale(tokens.word(after + 2), behind=True) else 0  # 50 or more million
    while True:
        before = after
        while (
            (after == first or tokens.near(after))
            and (scale := _scale(tokens.word(after), behind=after > first)) is not None
            and value < _TOO_MUCH
        ):
            # 1.500 million may be 1,500 million; 1.973 million is no 1,973 million
            also = also * scale if also is not None and also % 10 == 0 else None
            value *= scale
            after, least = after + 1, min(least, scale)
        smaller = None if after == before else _read_smaller(tokens, after, least)
        if smaller is None:
            scaled = least < _TOO_MUCH
            return Number(first=first, after=after, value=total + value, also=also, scaled=scaled)
        total, also = total + value, None
        value, after = smaller


def _scale(word: str, *, behind: bool) -> float | None:
    """Return the factor of "million", or behind a number of "millions"."""
    scales = numeral_words()["scale"]
    found = scales.get(word)
    return scales.get(word.removesuffix("s")) if found is None and behind else found


def _read_smaller(tokens: Tokens, i: int, least: float) -> tuple[float, int] | None:
    """Read a number that only adds to a greater one before it; None where there is none."""
    classes = numeral_words()
    linked = tokens.word(i) == "and" and tokens.near(i)
    at = i + linked
    word = tokens.word(at)
    if not tokens.near(at):
        return None
    if word in classes["cardinal"]:
        value, after, form = _read_small(tokens, at)
        if form != "cardinal":
            return None
    elif word[:1].isdecimal():
        digits, _, after = _read_digit_groups(tokens, at)
        if digits is None or classes["scale"].get(tokens.word(after)) is None:
            return None  # "2 million 500" is two numbers
        value = digits
    else:
        return None
    scale = classes["scale"].get(tokens.word(after), 1.0) if tokens.near(after) else 1.0
    if value * scale >= least or (linked and value * scale >= 100):
        return None
    return value, after
