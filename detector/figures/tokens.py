"""The words, digits and signs of a text, where figures may begin, and what number words mean.

Pure, over the list `lexica/numerals.tsv`. Putting several tokens together into a number is for
`numerals`. Texts without any figure, the most, are let go after one look.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from detector.lexicon import MONTHS, WEEKDAYS, read_table

HALVES: Mapping[str, float] = {
    "half": 0.5, "½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3, "⅛": 0.125,
}  # fmt: skip
"""Parts of a whole that are one token."""

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
    """The words, digits and signs of a text, in order, as parallel lists.

    `words` are in lower case; `starts` and `ends` count in `raw`.
    """

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
        """Tell whether token i begins with a capital."""
        return self.raw[self.starts[i]].isupper()

    def gap(self, i: int) -> str:
        """Return what stands between token i - 1 and token i, or nothing at either end."""
        if not 0 < i < len(self.words):
            return ""
        return self.raw[self.ends[i - 1] : self.starts[i]]

    def glued(self, i: int) -> bool:
        """Tell whether token i follows token i - 1 without a gap."""
        return 0 < i < len(self.words) and self.ends[i - 1] == self.starts[i]

    def near(self, i: int) -> bool:
        """Tell whether only a space or a hyphen stands between token i - 1 and token i."""
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
    """Return every word that says a number in passing, and the numbers: "both" says 2."""
    hints: dict[str, set[float]] = defaultdict(set)
    for word, kind, value in read_table("numerals"):
        if kind != "vague":
            hints[word].add(float(value))
        if kind == "part":
            hints[word].add(1 / float(value))  # the first quarter
    return {word: frozenset(values) for word, values in hints.items()}


@cache
def _triggers() -> frozenset[str]:
    classes = numeral_words()
    said = {word for kind, words in classes.items() if kind != "hint" for word in words}
    days = {f"{day}s" for day in WEEKDAYS if len(day) > 5}
    return frozenset(said | days | {*MONTHS, *WEEKDAYS, *HALVES, *DAY_TIMES})


def tokenize(text: str) -> tuple[Tokens, list[int]]:
    """Split a text, and point at the tokens where a figure may begin or lie.

    Parameters
    ----------
    text : str

    Returns
    -------
    tokens : Tokens
        Empty when the text holds no figure at all, which is found out fast.
    hits : list of int
        Ascending indices into the tokens.
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
