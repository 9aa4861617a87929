"""How the text of a corpus is cleaned, and where a place in it stands afterwards.

What says nothing about a translation is undone: entities, odd spaces, tokenisation, an engine's
marks. Nothing is made up: every letter of the cleaned text stood there before.
"""

from __future__ import annotations

import html
import re
import unicodedata
from difflib import SequenceMatcher

from detector.lexicon import base_forms, is_stopword

_LONGEST = 900  # characters; about what the encoder reads (256 tokens)
_SPACES = re.compile(r"\s+")
_BEFORE = re.compile(r"\s+([,.;:!?%)\]}’]|'(?:s|re|ve|ll|d|m|t)\b|n't\b)")
_AFTER = re.compile(r"([(\[{$£€])\s+")
_INSIDE = re.compile(r"(?<=\w) (-|/) (?=\w)|(?<=\d) ?([.,]) ?(?=\d)")
_QUOTED = re.compile(r"\"\s*([^\"]*?)\s*\"")
_SINGLE = re.compile(r"(?<!\S)' ([^']{1,80}?) '(?!\w)")
_ELIDED = re.compile(r"\b([DdLlO]) '(?=[A-ZÀ-Ý])")
_NOT = re.compile(r"\b(\w+?)n 't\b")
_SPLIT = re.compile(r"\b([^\W_]+) - (?=([^\W_]+))")
_UNKNOWN_WORD = re.compile(r"[*@#](?=[^\W\d_])")


def tidy(text: str) -> str:
    r"""Undo entities and odd spaces, which say nothing about a translation.

    Examples
    --------
    >>> tidy("&quot;It&#39;s  on.&quot;")
    '"It\'s on."'
    """
    plain = unicodedata.normalize("NFC", html.unescape(html.unescape(text)))
    return _SPACES.sub(" ", plain).strip()


def detokenise(text: str) -> str:
    r"""Put tokenised text back to how it is written.

    Examples
    --------
    >>> detokenise('He can \'t , said " the non - aligned " man ( 30 ) .')
    'He can\'t, said "the non-aligned" man (30).'
    """
    joined = _QUOTED.sub(r'"\1"', tidy(text).replace("``", '"').replace("''", '"'))
    joined = _ELIDED.sub(r"\1'", _SINGLE.sub(r"'\1'", joined))
    joined = _AFTER.sub(r"\1", _BEFORE.sub(r"\1", _NOT.sub(r"\1n't", joined)))
    return _INSIDE.sub(lambda m: m.group(1) or m.group(2), joined)


def unmark(text: str, source: str) -> str:
    """Take off apertium's marks of unknown words, and give back the final stop it drops.

    Examples
    --------
    >>> unmark("The *Fujian #house", "Fujian's house.")
    'The Fujian house.'
    """
    plain = _UNKNOWN_WORD.sub("", tidy(text))
    stop = source.rstrip()[-1:]
    return plain + stop if stop in ".!?" and plain and plain[-1:].isalnum() else plain


def unusable(source: str, copy: str) -> str | None:
    """Say why a cleaned pair cannot be used, or None.

    Examples
    --------
    >>> unusable("A house.", "Дом.")
    'copy not English'
    """
    if not source or not copy or not any(c.isalnum() for c in source + copy):
        return "blank"
    if max(len(source), len(copy)) > _LONGEST:
        return f"longer than {_LONGEST} characters"
    letters = [c for c in copy if c.isalpha()]
    foreign = sum(not unicodedata.name(c, "").startswith("LATIN") for c in letters)
    if letters and foreign > 0.3 * len(letters):
        return "copy not English"
    return None


def rejoin(text: str, source: str) -> str:
    """Close up compounds that a system split at the hyphen, but no dash between clauses.

    Examples
    --------
    >>> rejoin("a multi - story house, on - site - which fell", "A house fell.")
    'a multi-story house, on-site - which fell'
    """
    known = source.casefold()

    def close(at: re.Match[str]) -> str:
        one, other = at.groups()
        compound = f"{one}-{other}".casefold()
        plain = not (is_stopword(one.lower()) or is_stopword(other.lower()) or one[-1].isdigit())
        return f"{one}-" if plain or compound in known or base_forms(compound) else at.group()

    return _SPLIT.sub(close, text)


def moved(raw: str, cleaned: str, start: int, end: int) -> tuple[int, int] | None:
    """Say where a stretch of the raw text stands in the cleaned one.

    Returns
    -------
    (int, int) or None
        Half-open, without outer spaces; None where nothing of it is left.

    Examples
    --------
    >>> moved("It  is - as said - so .", "It is - as said - so.", 12, 16)
    (11, 15)
    """
    low, high = _places(raw, cleaned, start), _places(raw, cleaned, end)
    while low < high and cleaned[low].isspace():
        low += 1
    while low < high and cleaned[high - 1].isspace():
        high -= 1
    return (low, high) if low < high else None


def _places(raw: str, cleaned: str, at: int) -> int:
    """Return how much of the cleaned text the first characters of the raw one became."""
    if raw == cleaned:
        return at
    if raw.split() and "".join(raw.split()) == "".join(cleaned.split()):
        letters = sum(not c.isspace() for c in raw[:at])
        for place, c in enumerate(cleaned):
            if not c.isspace():
                if not letters:
                    return place
                letters -= 1
        return len(cleaned)
    for _, i1, i2, j1, j2 in SequenceMatcher(None, raw, cleaned, autojunk=False).get_opcodes():
        if at < i2:
            return min(j2, j1 + at - i1)
    return len(cleaned)
