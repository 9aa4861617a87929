"""Detect names in a text by how its words are written.

No trained recogniser: a capital inside a sentence, checked against how the whole document and
ordinary English write the same word. Names are not compared here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from detector.text.lexicon import (
    closed_class,
    is_calendar,
    is_known_name,
    is_stopword,
    is_word,
    name_kinds,
    place_key,
    same_acronym,
    title_key,
)
from detector.text.words import Word

# Marks after which the capital of a word says nothing.
_OPENING = re.compile(r"(?:[.!?:;…•*#|>\n“‘«\"()\[\]–—]|(?<!\w)['’]|\s-)\s*[“‘«\"'(\[]*\s*$")
# The end of a quotation inside a sentence: the speaker follows.
_CLOSING = re.compile(r"\s?,\s?(?:[”\"’']|'')\s+")


@dataclass(frozen=True, slots=True)
class Casing:
    """How one document writes its words.

    Counts are by `Word.norm`, inside sentences that are neither headlines nor all in capitals.
    """

    raw: str
    capital: Counter[str]  # of each word with a capital
    lower: Counter[str]  # of each without
    opening: frozenset[int]  # starts of the words that open a sentence, a quotation or the like
    flat: frozenset[int]  # starts of the words of headlines and of sentences in capitals
    first: dict[str, int]  # per norm, the first sentence that holds it


def casing_of(raw: str, sentences: Sequence[Sequence[Word]]) -> Casing:
    """Collect how a document, given as sentences of words, writes its words."""
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
    """Split a word at a capital inside it when both parts are ordinary words (`harbourNow`)."""
    for cut in range(2, len(text) - 1):
        if text[cut].isupper() and text[cut - 1].islower():
            head, tail = text[:cut], text[cut:]
            if is_word(head.lower()) and (is_word(tail.lower()) or is_stopword(tail.lower())):
                return head, tail
    return None


def _is_flat(raw: str, words: Sequence[Word]) -> bool:
    """Return whether capitals say nothing here: a headline in title case, or all capitals."""
    letters = [w.text for w in words if w.text[0].isalpha()]
    if len(letters) > 3 and sum(t.isupper() for t in letters) > 0.7 * len(letters):
        return True
    if not words or raw[words[-1].end : words[-1].end + 1] in (".", "!", "…"):
        return False
    ordinary = [t for t in letters if not is_stopword(t.lower()) and is_word(t.lower())]
    return len(ordinary) >= 3 and sum(t[0].isupper() for t in ordinary) > 0.7 * len(ordinary)


def _opens(raw: str, before: Word, word: Word) -> bool:
    between = raw[before.end : word.start]
    if _CLOSING.fullmatch(between) or (between in (". ", ".") and len(before.text) <= 3):
        return False
    return _OPENING.search(between) is not None


def base_form(text: str) -> str:
    """Return a word or phrase without its possessive ending."""
    for ending in ("'s", "’s", "'S", "’S"):
        text = text.removesuffix(ending)
    return text


def place_of(text: str) -> str | None:
    """Return the key of the place that a word or phrase names, possessive or not."""
    return place_key(base_form(text))


def is_personal(norm: str) -> bool:
    """Return whether a word is a given name or a surname."""
    return not name_kinds(norm).isdisjoint(("given", "surname"))


def has_capital(text: str) -> bool:
    """Return whether any letter is a capital."""
    return text != text.lower()


def has_inner_capital(text: str) -> bool:
    """Return whether a letter inside the word is a capital, and not one that parts two words."""
    base = base_form(text)
    return any(c.isupper() for c in base[1:]) and camel_parts(base) is None


_JOINERS = closed_class("joiner")
_PARTICLES = closed_class("particle")
_SPEECH = closed_class("speech")
# Verbs in the singular: "Rivers has stopped" names a person, "Rivers have risen" does not.
_SINGULAR = closed_class("singular_verb")
_AUXILIARY = _SINGULAR | closed_class("auxiliary")
# Months and days that are names or words of their own, and what makes them dates.
_TWOFOLD = closed_class("twofold_date")
_DATING = closed_class("dating")
_CURRENCIES = closed_class("currency")
_INTERJECTIONS = closed_class("interjection")
_MEASURES = closed_class("scale") | closed_class("era")
_ADDRESS = re.compile(r"\.[a-z]{2,}\b")
_MAX_PARTS = 24  # words of one name; longer runs of capitals are split, so that time stays bounded
_PREFIXES = frozenset(("co", "re", "pre", "anti", "non", "ex", "pro", "post", "multi", "semi"))


@dataclass(frozen=True, slots=True)
class Mention:
    """One name in a list of words: the positions of its words there, in order."""

    at: tuple[int, ...]


def find_mentions(
    words: Sequence[Word], casing: Casing, other: Casing | None = None
) -> tuple[Mention, ...]:
    """Find the names among neighbouring words of a document, in order and without overlap.

    Titles before a name ("President", "Mr.") are not part of it. `other` is the casing of the
    document it is compared with.
    """
    named = [is_name_word(words, position, casing, other) for position in range(len(words))]
    mentions: list[tuple[int, ...]] = []
    position = 0
    while position < len(words):
        if not named[position]:
            position += 1
            continue
        at = [position]
        while (
            len(at) < _MAX_PARTS
            and (following := _next_part(words, named, at[-1], casing.raw)) is not None
        ):
            at.append(following)
        mentions.append(tuple(at))
        position = at[-1] + 1
    return tuple(Mention(at) for at in mentions)


def is_name_word(
    words: Sequence[Word], position: int, casing: Casing, other: Casing | None = None
) -> bool:
    """Return whether the word at `position` is (part of) a name, by both documents' casings."""
    word = words[position]
    text, norm = word.text, word.norm
    if not has_capital(text) or norm[0].isdigit() or text in ("I", "A"):
        return False
    if _is_date(words, position) or is_title(words, position, casing):
        return False
    if _is_currency(words, position, casing.raw) or _is_no_name(word, casing.raw):
        return False
    written = _is_written_as_name(word, casing)
    if written is not None:
        return written
    # The capital says nothing here: use both documents, then ordinary English.
    if casing.capital[norm] and casing.capital[norm] >= casing.lower[norm]:
        return True
    if casing.lower[norm] and not casing.capital[norm]:
        return False
    if other is not None and other.capital[norm] > other.lower[norm]:
        return True
    if place_of(text) is not None or not is_word(norm):
        return True
    if word.start in casing.flat or position + 1 >= len(words):
        return False
    return _opens_as_person(word, words[position + 1], casing)


def _is_written_as_name(word: Word, casing: Casing) -> bool | None:
    """Decide by the capitals alone; None where they say nothing."""
    upper = len(word.text) > 1 and base_form(word.text).isupper()
    says = word.start not in casing.flat
    if word.norm in ("may", "will"):  # people too, inside a sentence or where the document says so
        inside = says and word.start not in casing.opening
        return inside or casing.capital[word.norm] > casing.lower[word.norm]
    if is_stopword(word.norm):  # "US" and "WHO" are no pronouns
        return upper and (word.norm == "us" or (says and same_acronym(word.text, word.text)))
    if says and (upper or has_inner_capital(word.text)):
        return True
    return True if says and word.start not in casing.opening else None


def _opens_as_person(word: Word, following: Word, casing: Casing) -> bool:
    """Return whether an ordinary word at the start of a sentence is somebody's name there."""
    norm = word.norm
    if has_capital(following.text):
        return (
            is_known_name(norm)
            and following.start not in casing.opening
            and not is_stopword(following.norm)
        )
    if is_calendar(norm) and norm != "may":
        return False
    if word.possessive and is_known_name(norm):
        return True
    if not is_personal(norm):
        return False
    if norm.endswith("s") and not norm.endswith("ss"):  # a plural noun, or a surname
        return following.norm in _SINGULAR
    return following.norm in _SPEECH | _AUXILIARY or following.norm.endswith("ed")


def _is_date(words: Sequence[Word], position: int) -> bool:
    norm = words[position].norm
    if not is_calendar(norm):
        return False
    if norm not in _TWOFOLD or (position > 0 and words[position - 1].norm in _DATING):
        return True
    beside = [words[k] for k in (position - 1, position + 1) if 0 <= k < len(words)]
    return any(w.norm[0].isdigit() or is_calendar(w.norm) for w in beside)


def _is_no_name(word: Word, raw: str) -> bool:
    """Return whether the word is the C of "C-suite", the Co of "Co-op", the W of 35°W, an "Ah".

    Nor are the host of a web address, the scale of a temperature and "BC" names.
    """
    if word.norm in _MEASURES | _INTERJECTIONS or _ADDRESS.match(raw, word.end):
        return True
    after = raw[word.end : word.end + 2]
    tied = after[:1] == "-" and after[1:].islower()
    if tied and (len(word.norm) == 1 or word.norm in _PREFIXES):
        return True
    before = raw[max(0, word.start - 1) : word.start]
    return len(word.norm) == 1 and (before in ("°", "º") or before.isdigit())


def _is_currency(words: Sequence[Word], position: int, raw: str) -> bool:
    """Return whether the word names a currency ("US$5", "USD 40", "the RMB")."""
    end = words[position].end
    if raw[end : end + 1] in ("$", "€", "£"):
        return True
    return words[position].norm in _CURRENCIES and words[position].text.isupper()


def is_title(words: Sequence[Word], position: int, casing: Casing) -> bool:
    """Return whether the word is a title or office ("President", "Mr.") and no name itself."""
    word = words[position]
    if title_key(word.norm) is None:
        return False
    following = words[position + 1] if position + 1 < len(words) else None
    if word.start in casing.opening and is_personal(word.norm):
        # "Bishop Ruiz said", but "Bishop said".
        return following is not None and has_capital(following.text)
    # "Bishop" is an office in front of a name and a name after one.
    before = words[position - 1] if position and word.start not in casing.opening else None
    if before is None or not casing.raw[before.end : word.start].isspace():
        return True
    in_name = has_capital(before.text) and not is_stopword(before.norm)
    return not in_name or title_key(before.norm) is not None


def _next_part(words: Sequence[Word], named: Sequence[bool], at: int, raw: str) -> int | None:
    """Return the next word of the same name, if there is one."""
    word = words[at]
    if at + 1 >= len(words):
        return None
    # "China's Cyberspace Administration" holds two names, "People's Daily" one.
    if word.possessive and (place_of(word.text) or not is_word(word.norm)):
        return None
    between = raw[word.end : words[at + 1].start]
    if named[at + 1]:
        initial = len(word.text) <= 3 and between.strip() == "."
        tied = between in ("-", "‑", " & ", "’s ", "'s ")
        return at + 1 if tied or initial or between.isspace() else None
    return _past_joiners(words, named, at, raw)


def _past_joiners(words: Sequence[Word], named: Sequence[bool], at: int, raw: str) -> int | None:
    """Return the part after "of the", "for", "de" and the like, if the name goes on there."""
    joiner = words[at + 1].norm
    if joiner not in _JOINERS or (joiner not in _PARTICLES and not is_word(words[at].norm)):
        return None
    for ahead in range(at + 1, min(at + 4, len(words))):
        if not raw[words[ahead - 1].end : words[ahead].start].isspace():
            return None
        if named[ahead]:
            return ahead if joiner in _PARTICLES or joiner in ("of", "for") else None
        if words[ahead].norm not in _JOINERS:
            return None
    return None
