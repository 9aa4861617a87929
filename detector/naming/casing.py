"""How a document writes its words: where a capital says something, and what it says.

Pure. It finds no names; `mentions` does, by what is learnt here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from detector.lexicon import is_stopword, is_word
from detector.words import Word

# What may stand between an opening mark and the first word: the next word's capital says nothing.
_OPENING = re.compile(r"(?:[.!?:;…•*#|>\n“‘«\"()\[\]–—]|(?<!\w)['’]|\s-)\s*[“‘«\"'(\[]*\s*$")
# The end of a quotation inside a sentence: the speaker follows.
_CLOSING = re.compile(r"\s?,\s?(?:[”\"’']|'')\s+")


@dataclass(frozen=True, slots=True)
class Casing:
    """How one document writes its words.

    Attributes
    ----------
    raw : str
        The document.
    capital, lower : mapping of str to int
        Per `Word.norm`, how often it stands with and without a capital where that says something:
        inside a sentence that is neither a headline nor all in capitals.
    opening : frozenset of int
        Start places of the words that open a sentence, a quotation or the like.
    flat : frozenset of int
        Start places of the words of headlines and of sentences in capitals.
    first : mapping of str to int
        Per norm, the first sentence that holds it.
    """

    raw: str
    capital: Counter[str]
    lower: Counter[str]
    opening: frozenset[int]
    flat: frozenset[int]
    first: dict[str, int]


def casing_of(raw: str, sentences: Sequence[Sequence[Word]]) -> Casing:
    """Learn how a document writes its words.

    Parameters
    ----------
    raw : str
        The document that the words' places count in.
    sentences : sequence of sequence of Word

    Returns
    -------
    Casing
    """
    capital: Counter[str] = Counter()
    lower: Counter[str] = Counter()
    opening: set[int] = set()
    flat: set[int] = set()
    first: dict[str, int] = {}
    for index, words in enumerate(sentences):
        is_flat = _is_flat(raw, words)
        for position, word in enumerate(words):
            first.setdefault(word.norm, index)
            at_opening = position == 0 or _opens(raw, words[position - 1], word)
            if at_opening:
                opening.add(word.start)
            if is_flat:
                flat.add(word.start)
            elif not at_opening:
                (capital if has_capital(word.text) else lower)[word.norm] += 1
            elif word.text[0].islower():
                lower[word.norm] += 1
    return Casing(raw, capital, lower, frozenset(opening), frozenset(flat), first)


def camel_parts(text: str) -> tuple[str, str] | None:
    """Split a word at a capital inside it when both parts are ordinary words (`flightNow`)."""
    for cut in range(2, len(text) - 1):
        if text[cut].isupper() and text[cut - 1].islower():
            head, tail = text[:cut], text[cut:]
            if is_word(head.lower()) and (is_word(tail.lower()) or is_stopword(tail.lower())):
                return head, tail
    return None


def _is_flat(raw: str, words: Sequence[Word]) -> bool:
    """Tell whether capitals say nothing here: a headline in title case, or all capitals."""
    letters = [w.text for w in words if w.text[0].isalpha()]
    if len(letters) > 3 and sum(t.isupper() for t in letters) > 0.7 * len(letters):
        return True
    if not words or raw[words[-1].end : words[-1].end + 1] in (".", "!", "…"):
        return False
    ordinary = [t for t in letters if not is_stopword(t.lower()) and is_word(t.lower())]
    return len(ordinary) >= 3 and sum(t[0].isupper() for t in ordinary) > 0.7 * len(ordinary)


def _opens(raw: str, before: Word, word: Word) -> bool:
    if _CLOSING.fullmatch(raw[before.end : word.start]):
        return False
    return _OPENING.search(raw[before.end : word.start]) is not None and not (
        raw[before.end : word.start] in (". ", ".") and len(before.text) <= 3
    )


def base_form(text: str) -> str:
    """Return a word or phrase without its possessive ending."""
    for ending in ("'s", "’s", "'S", "’S"):
        text = text.removesuffix(ending)
    return text


def has_capital(text: str) -> bool:
    """Tell whether any letter is a capital."""
    return text != text.lower()


def has_inner_capital(text: str) -> bool:
    """Tell whether a letter inside the word is a capital, and not one that parts two words."""
    base = base_form(text)
    return any(c.isupper() for c in base[1:]) and camel_parts(base) is None
