"""Look up single words and names: frequency, classes, opposites, base forms.

The lists in `detector/lexica` are read when first used, and kept. Nothing here reads a sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, wraps
from importlib.resources import files
from types import MappingProxyType
from typing import TypeVar

T = TypeVar("T")


def _numbered(names: str) -> Mapping[str, int]:
    return MappingProxyType(
        {form: i for i, forms in enumerate(names.split(","), 1) for form in forms.split()}
    )


MONTHS = _numbered(
    "january jan, february feb, march mar, april apr, may, june jun, july jul, august aug, "
    "september sep sept, october oct, november nov, december dec"
)
"""Months in lower case, full and short, to 1..12."""

WEEKDAYS = _numbered(
    "monday mon, tuesday tue tues, wednesday wed weds, thursday thu thur thurs, friday fri, "
    "saturday sat, sunday sun"
)
"""Weekdays in lower case, full and short, to 1 (Monday) .. 7."""

_RAREST = 1.5  # Zipf. Down to 1.0 there are twice the words (321,000)
_CACHED = 1 << 16  # answers kept per function; hostile text must not fill the memory,
_LONGEST = 60  # ... nor may words of any length

_PREFIXES = ("un", "non", "re", "pre", "anti", "over", "under", "out", "mis", "dis", "co", "super")
_SPELLINGS = (  # British to American, on letters run together
    ("isation", "ization"),
    ("programme", "program"),
    ("centre", "center"),
    ("labour", "labor"),
    ("defence", "defense"),
    ("adviser", "advisor"),
)
_NOTHING: frozenset[str] = frozenset()
_SMALL_WORDS = frozenset({"a", "an", "and", "at", "by", "de", "for", "in", "of", "on", "the", "to"})
_POSSESSIVE = re.compile(r"['’](?:s|S)?$")
_ACRONYM = re.compile(r"(?:[A-Z][.\s]?){2,8}|[A-Z][A-Z0-9&-]{1,7}")
_DIGITS = re.compile(r"\d{2,}")
_GAPS = re.compile(r"[\s‐-―-]+")


def read_table(name: str) -> list[tuple[str, ...]]:
    """Return the rows of a list in `detector/lexica`, each split at its tabs."""
    text = (files("detector") / "lexica" / f"{name}.tsv").read_text(encoding="utf-8")
    return [tuple(line.split("\t")) for line in text.splitlines()]


def _cached(default: T) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Cache a function of a word; a word longer than `_LONGEST` gets the default."""

    def decorate(function: Callable[[str], T]) -> Callable[[str], T]:
        remembered = lru_cache(maxsize=_CACHED)(function)

        @wraps(remembered)
        def look_up(word: str) -> T:
            return remembered(word) if len(word) <= _LONGEST else default

        return look_up

    return decorate


@cache
def _zipfs() -> dict[str, float]:
    # wordfreq's own lookup tokenises each word (10 us); its large list holds names such as Xinhua
    # that the small one lacks. Buckets share one float, and the lists are freed after.
    import wordfreq

    known: dict[str, float] = {}
    for bucket, words in enumerate(wordfreq.get_frequency_list("en", wordlist="large")):
        if (zipf := 9.0 - bucket / 100.0) < _RAREST:
            break
        known.update(dict.fromkeys(words, zipf))
    wordfreq.get_frequency_list.cache_clear()
    return known


@_cached(0.0)
def zipf(word: str) -> float:
    """Return how common a word is in English, in any case, without a possessive ending.

    On the Zipf scale: log10 of its occurrences in a billion words, 1.5 to 8; 0.0 for a rarer or
    unseen word. A compound is as common as its rarest part.

    References
    ----------
    Speer (2022), wordfreq 3, list "large".

    Examples
    --------
    >>> zipf("House") > 5.5 > zipf("Xinhua") > zipf("Torvane")
    True
    """
    known = _zipfs()
    word = _POSSESSIVE.sub("", word.casefold().replace("’", "'"))
    word = _DIGITS.sub(lambda digits: "0" * len(digits[0]), word)  # wordfreq stores 2024 as 0000
    if (frequency := known.get(word)) is not None:
        return frequency
    parts = [part for part in _GAPS.split(word) if part]
    return min((known.get(part, 0.0) for part in parts), default=0.0)


@cache
def _words() -> dict[str, str]:
    words = {word: "" for name in ("function_words", "modern") for (word,) in read_table(name)}
    words.update(read_table("words"))  # type: ignore[arg-type] # rows of two
    return words


@cache
def _irregular() -> dict[str, tuple[str, ...]]:
    forms: dict[str, tuple[str, ...]] = {}
    for form, base in read_table("irregular"):
        forms[form] = (*forms.get(form, ()), base)
    return forms


@cache
def _suffixes() -> list[tuple[str, ...]]:
    return read_table("suffixes")  # Morphy's detachment rules, and adverbs in -ly


@_cached(_NOTHING)
def base_forms(word: str) -> frozenset[str]:
    """Return the dictionary words that a word is, or is an inflection of; may be empty.

    Examples
    --------
    >>> sorted(base_forms("Leaves"))
    ['leaf', 'leave']
    >>> base_forms("Torvane")
    frozenset()
    """
    word = word.casefold()
    known = _words()
    bases = set(_irregular().get(word, ()))
    if word in known:
        bases.add(word)
    for ending, instead, parts in _suffixes():
        base = word.removesuffix(ending) + instead.strip("-")
        fits = len(base) > 2 and word.endswith(ending)
        if fits and not set(parts).isdisjoint(known.get(base, "")):
            bases.add(base)
    return frozenset(bases)


@_cached(False)
def is_word(word: str) -> bool:
    """Return whether a word is an ordinary English word, inflected or not: no name or garble.

    Case is ignored: `Sun` and `us` are words.

    Examples
    --------
    >>> [is_word(word) for word in ("Sun", "flights", "People", "Xinhua", "TikTok", "Torvane")]
    [True, True, True, False, False, False]
    """
    word = _POSSESSIVE.sub("", word.casefold().replace("’", "'"))
    if word in _words() or base_forms(word):
        return True
    if "-" in word:
        return all(is_word(part) for part in word.split("-"))
    return any(
        word.startswith(prefix)
        and len(word) - len(prefix) > 3
        and bool(base_forms(word[len(prefix) :]))
        for prefix in _PREFIXES
    )


@cache
def _names() -> dict[str, str]:
    return dict(read_table("names"))  # type: ignore[arg-type] # rows of two


def name_kinds(word: str) -> frozenset[str]:
    """Return the kinds of name that a word is: given, surname, place, famous, other; may be empty.

    Examples
    --------
    >>> sorted(name_kinds("Lisbon")), sorted(name_kinds("Torvane"))
    (['place'], [])
    """
    letters = _names().get(_POSSESSIVE.sub("", word).casefold(), "")
    long = {"g": "given", "s": "surname", "p": "place", "f": "famous", "o": "other"}
    return frozenset(long[letter] for letter in letters)


def is_known_name(word: str) -> bool:
    """Return whether a word is a given name, a common surname, or a name that WordNet lists."""
    return bool(name_kinds(word)) or place_key(word) is not None


def is_negation(word: str) -> bool:
    """Return whether a word in lower case negates; "cant" that lost its apostrophe does too."""
    negations = closed_class("negation")
    return word in negations or (word.endswith("nt") and f"{word[:-1]}'t" in negations)


def is_quantifier(word: str) -> bool:
    """Return whether a word is a quantifier other than a number."""
    return word in closed_class("quantifier")


def is_calendar(word: str) -> bool:
    """Return whether a word is a month or a weekday, full or short."""
    return word in MONTHS or word in WEEKDAYS


@cache
def _stopwords() -> frozenset[str]:
    return frozenset(word for (word,) in read_table("function_words"))


def is_stopword(word: str) -> bool:
    """Return whether a word is a function word: the, of, would, himself, isn't."""
    return word in _stopwords()


@cache
def _antonyms() -> dict[str, frozenset[str]]:
    pairs: dict[str, set[str]] = defaultdict(set)
    for name in ("antonyms", "opposites"):
        for one, other in read_table(name):
            pairs[one].add(other)
            pairs[other].add(one)
    return {word: frozenset(others) for word, others in pairs.items()}


def antonyms(word: str) -> frozenset[str]:
    """Return the direct antonyms of a word, or of its base forms.

    Examples
    --------
    >>> sorted(antonyms("Increased"))
    ['decrease', 'decreased', 'reduce']
    """
    known = _antonyms()
    bases = base_forms(word) | {word.casefold()}
    return frozenset().union(*(known.get(base, frozenset()) for base in bases))


@lru_cache(maxsize=_CACHED)
def opposites(word: str) -> frozenset[str]:
    """Return the words that mean the opposite, by list or by the prefixes un- and non-.

    Other negative prefixes are left to the list: an impact is not the lack of a pact.

    Examples
    --------
    >>> "vaccinated" in opposites("unvaccinated"), "unvaccinated" in opposites("vaccinated")
    (True, True)
    """
    word = word.casefold()
    bare = word.replace("-", "")
    found = set(antonyms(word))
    if len(word) > 3 and word != "less" and is_word(word):  # unit, union; unless
        found |= {f"un{word}", f"non{word}", f"non-{word}"}
    for prefix in ("un", "non"):
        base = bare.removeprefix(prefix)
        if base != bare and len(base) > 3 and base != "less" and is_word(base):
            found.add(base)
    return frozenset(found)


def are_opposites(one: str, other: str) -> bool:
    """Return whether two words mean opposite things, in any of their inflections.

    Examples
    --------
    >>> are_opposites("rises", "falling"), are_opposites("unvaccinated", "vaccinated")
    (True, True)
    """
    return not opposites(one).isdisjoint(base_forms(other) | {other.casefold()})


def fold(text: str) -> str:
    """Return a name without case, accents, dots, possessive, article and kinds of hyphen.

    Examples
    --------
    >>> fold("The Côte d’Ivoire’s"), fold("U.S.-led")
    ("cote d'ivoire", 'us led')
    """
    text = unicodedata.normalize("NFKD", text.strip().replace("’", "'"))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = _GAPS.sub(" ", _POSSESSIVE.sub("", text).replace(".", "").casefold())
    return text.strip().removeprefix("the ")


@cache
def _places() -> tuple[dict[str, str], dict[str, str]]:
    exact: dict[str, str] = {}  # "=US" in the list: only in this case, since "us" is a word
    folded: dict[str, str] = {}
    for key, forms in read_table("places"):
        for form in forms.split("|"):
            if form.startswith("="):
                exact[form[1:]] = key
            else:
                folded[fold(form)] = key
    return exact, folded


@lru_cache(maxsize=_CACHED)
def place_key(text: str) -> str | None:
    """Return the key of a place, given its name, adjective, people or abbreviation.

    The text is cased: "US" is a place and "us" is not. The key is lower case; None for what is not
    in the list of countries, regions and great cities. A capital is not merged with its government.

    Examples
    --------
    >>> place_key("Americans"), place_key("U.S."), place_key("us"), place_key("South Korean")
    ('united states', 'united states', None, 'south korea')
    """
    exact, folded = _places()
    bare = _POSSESSIVE.sub("", text.strip())
    form = fold(text)
    return (
        exact.get(bare)
        or exact.get(bare.removesuffix("s"))
        or folded.get(form)
        or folded.get(form.removesuffix("s"))
    )


@cache
def _titles() -> dict[str, str]:
    return {fold(form): key for key, forms in read_table("titles") for form in forms.split("|")}


def title_key(text: str) -> str | None:
    """Return the key of a title or an office, however it is written; None if it is none.

    Examples
    --------
    >>> title_key("PM"), title_key("Sen."), title_key("Chief") == title_key("leader")
    ('prime minister', 'senator', True)
    """
    form = fold(text)
    return _titles().get(form) or _titles().get(form.removesuffix("s"))


def _run_together(text: str) -> str:
    # "member of parliament", "members of parliaments": one key, whatever the plural or spelling
    words = fold(text).replace(",", " ").split()
    return american("".join(word.removesuffix("s") if len(word) > 3 else word for word in words))


def american(word: str) -> str:
    """Return a word in American spelling, as far as names of institutions need it.

    Examples
    --------
    >>> american("centre"), american("organisation")
    ('center', 'organization')
    """
    for old, new in _SPELLINGS:
        word = word.replace(old, new)
    return word


@cache
def _acronyms() -> dict[str, frozenset[int]]:
    entries: dict[str, set[int]] = defaultdict(set)
    for row, (acronym, names) in enumerate(read_table("acronyms")):
        for form in (f"={acronym}", *map(_run_together, names.split("|"))):
            entries[form].add(row)
    return {form: frozenset(rows) for form, rows in entries.items()}


def bare_acronym(text: str) -> str | None:
    """Return the letters of an acronym without dots, plural and possessive; None if it is none.

    Examples
    --------
    >>> bare_acronym("U.N."), bare_acronym("MPs"), bare_acronym("Who")
    ('UN', 'MP', None)
    """
    text = _POSSESSIVE.sub("", text.strip())
    if len(text) > 2 and text.endswith("s"):
        text = text[:-1]
    return re.sub(r"[.\s]", "", text) if _ACRONYM.fullmatch(text) else None


def same_acronym(one: str, other: str) -> bool:
    """Return whether two names are the acronym and the full name of one well-known thing.

    Examples
    --------
    >>> same_acronym("WHO", "World Health Organisation"), same_acronym("who", "the WHO")
    (True, False)
    """
    rows = []
    for text in (one, other):
        acronym = bare_acronym(text.removeprefix("the ").removeprefix("The "))
        form = f"={acronym}" if acronym else _run_together(text)
        rows.append(_acronyms().get(form, frozenset()))
    return not rows[0].isdisjoint(rows[1])


def spells_acronym(acronym: str, phrase: str) -> bool:
    """Return whether the initials of a phrase spell an acronym; small words may be left out.

    Examples
    --------
    >>> spells_acronym("IP", "intellectual property"), spells_acronym("IP", "the property")
    (True, False)
    >>> spells_acronym("DoJ", "Department of Justice")
    True
    """
    words = re.findall(r"[^\W_]+", phrase.replace("'s", "").replace("’s", ""))
    if len(words) < 2 or words[0] in _SMALL_WORDS:
        return False
    letters = (bare_acronym(acronym.upper()) or "").casefold()
    every = "".join(word[0] for word in words).casefold()
    great = "".join(word[0] for word in words if word not in _SMALL_WORDS).casefold()
    return bool(letters) and letters in (every, great)


@cache
def closed_class(name: str) -> frozenset[str]:
    """Return the words, in lower case, of a class of `lexica/classes.tsv` ("pronoun", ...).

    Raises `KeyError` if the table holds no such class.
    """
    words = frozenset(word for word, kind in read_table("classes") if kind == name)
    if not words:
        raise KeyError(name)
    return words
