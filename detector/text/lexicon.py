"""Look up single words and names: frequency, classes, opposites, base forms.

What is known about single words and names: how rare, ordinary or opposite they are.

The lists lie in `detector/lexica`; each is read when first asked for, and kept. Reading is
pure, so two threads that ask at once get equal answers. Nothing here looks at a sentence,
and nothing decides what a difference means: that is for `words`, `figures` and `names`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

MONTHS: Mapping[str, int] = MappingProxyType(
    {
        name: number
        for number, names in enumerate(
            (
                ("january", "jan"),
                ("february", "feb"),
                ("march", "mar"),
                ("april", "apr"),
                ("may",),
                ("june", "jun"),
                ("july", "jul"),
                ("august", "aug"),
                ("september", "sep", "sept"),
                ("october", "oct"),
                ("november", "nov"),
                ("december", "dec"),
            ),
            start=1,
        )
        for name in names
    }
)
"""Months in lower case, full and short, to 1..12."""

WEEKDAYS: Mapping[str, int] = MappingProxyType(
    {
        name: number
        for number, names in enumerate(
            (
                ("monday", "mon"),
                ("tuesday", "tue", "tues"),
                ("wednesday", "wed", "weds"),
                ("thursday", "thu", "thur", "thurs"),
                ("friday", "fri"),
                ("saturday", "sat"),
                ("sunday", "sun"),
            ),
            start=1,
        )
        for name in names
    }
)
"""Weekdays in lower case, full and short, to 1 (Monday) .. 7."""

NEGATIONS: frozenset[str] = frozenset(
    (  # noqa: SIM905 - a list of words reads best as words
        "ain't aren't barely can't cannot couldn't didn't doesn't don't hadn't hardly hasn't "
        "haven't isn't mightn't mustn't n't needn't neither never nil no nobody none nor not "
        "nothing nowhere scarcely shan't shouldn't unable wasn't weren't without won't wouldn't"
    ).split()
)
"""Words that turn a statement round, in lower case with straight apostrophes."""

QUANTIFIERS: frozenset[str] = frozenset(
    (  # noqa: SIM905 - as above
        "all any both each entire every few fewer half majority many minority most none only "
        "several some whole"
    ).split()
)
"""Words that say how much of something is meant, without a number; in lower case."""

_RAREST = 1.5  # Zipf. Reading on down to 1.0 doubles the words (321,000) and the time
_REMEMBERED = 1 << 16  # answers kept per question; hostile text must not fill the memory,
_LONGEST = 60  # ... nor may words of any length

_PREFIXES = ("un", "non", "re", "pre", "anti", "over", "under", "out", "mis", "dis", "co", "super")
_SUFFIXES: tuple[tuple[str, str, str], ...] = (  # Morphy's detachment rules, and adverbs in -ly
    ("s", "", "nv"),
    ("ses", "s", "n"),
    ("xes", "x", "n"),
    ("zes", "z", "n"),
    ("ches", "ch", "n"),
    ("shes", "sh", "n"),
    ("men", "man", "n"),
    ("ies", "y", "nv"),
    ("es", "e", "v"),
    ("es", "", "v"),
    ("ed", "e", "v"),
    ("ed", "", "v"),
    ("ing", "e", "v"),
    ("ing", "", "v"),
    ("er", "", "a"),
    ("er", "e", "a"),
    ("ier", "y", "a"),
    ("est", "", "a"),
    ("est", "e", "a"),
    ("iest", "y", "a"),
    ("ly", "", "a"),
    ("ily", "y", "a"),
)
_SPELLINGS = (  # British to American, on letters run together
    ("isation", "ization"),
    ("programme", "program"),
    ("centre", "center"),
    ("labour", "labor"),
    ("defence", "defense"),
    ("adviser", "advisor"),
)
_SMALL_WORDS = frozenset({"a", "an", "and", "at", "by", "de", "for", "in", "of", "on", "the", "to"})
_POSSESSIVE = re.compile(r"['’](?:s|S)?$")
_ACRONYM = re.compile(r"(?:[A-Z][.\s]?){2,8}|[A-Z][A-Z0-9&-]{1,7}")
_DIGITS = re.compile(r"\d{2,}")
_GAPS = re.compile(r"[\s‐-―-]+")


def read_table(name: str) -> list[tuple[str, ...]]:
    """Return the rows of a list in `detector/lexica`, each split at its tabs."""
    text = (files("detector") / "lexica" / f"{name}.tsv").read_text(encoding="utf-8")
    return [tuple(line.split("\t")) for line in text.splitlines()]


# How rare -----------------------------------------------------------------------------------------


@cache
def _zipfs() -> dict[str, float]:
    # wordfreq's own lookup tokenises each word anew (10 us); its large list holds names such as
    # Xinhua that the small one lacks. Buckets share one float, and the lists are let go after.
    import wordfreq

    known: dict[str, float] = {}
    for bucket, words in enumerate(wordfreq.get_frequency_list("en", wordlist="large")):
        if (zipf := 9.0 - bucket / 100.0) < _RAREST:
            break
        known.update(dict.fromkeys(words, zipf))
    wordfreq.get_frequency_list.cache_clear()
    return known


def zipf(word: str) -> float:
    """Return how common a word is in English, on the Zipf scale.

    Parameters
    ----------
    word : str
        One word, any case; a possessive ending is not counted.

    Returns
    -------
    float
        log10 of its occurrences in a billion words, 1.5 to 8; 0.0 for a word never seen, or
        rarer than that. A compound is as common as its rarest part.

    References
    ----------
    Speer (2022), wordfreq 3, list "large".

    Examples
    --------
    >>> zipf("House") > 5.5 > zipf("Xinhua") > zipf("Magove")
    True
    """
    return _zipf(word) if len(word) <= _LONGEST else 0.0


@lru_cache(maxsize=_REMEMBERED)
def _zipf(word: str) -> float:
    known = _zipfs()
    word = _POSSESSIVE.sub("", word.casefold().replace("’", "'"))
    word = _DIGITS.sub(lambda digits: "0" * len(digits[0]), word)  # wordfreq stores 2024 as 0000
    if (found := known.get(word)) is not None:
        return found
    parts = [part for part in _GAPS.split(word) if part]
    return min((known.get(part, 0.0) for part in parts), default=0.0)


def zipfs(words: Iterable[str]) -> NDArray[np.float64]:
    """Return `zipf` of each word.

    Returns
    -------
    ndarray of shape (n_words,), float64
        Zipf scale, 0 (unseen) to 8.
    """
    return np.fromiter(map(zipf, words), dtype=np.float64)


# How ordinary -------------------------------------------------------------------------------------


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


def base_forms(word: str) -> frozenset[str]:
    """Return the dictionary words that a word is, or is an inflection of; may be empty.

    Examples
    --------
    >>> sorted(base_forms("Leaves"))
    ['leaf', 'leave']
    >>> base_forms("Magove")
    frozenset()
    """
    return _base_forms(word) if len(word) <= _LONGEST else frozenset()


@lru_cache(maxsize=_REMEMBERED)
def _base_forms(word: str) -> frozenset[str]:
    word = word.casefold()
    known = _words()
    bases = set(_irregular().get(word, ()))
    if word in known:
        bases.add(word)
    for ending, instead, parts in _SUFFIXES:
        base = word.removesuffix(ending) + instead
        if (
            len(base) > 2
            and word.endswith(ending)
            and not set(parts).isdisjoint(known.get(base, ""))
        ):
            bases.add(base)
    return frozenset(bases)


def is_word(word: str) -> bool:
    """Tell an ordinary English word, inflected or not, from what is only a name or a garble.

    Case is not looked at: `Sun` and `us` are words, whatever else they are.

    Examples
    --------
    >>> [is_word(word) for word in ("Sun", "flights", "People", "Xinhua", "TikTok", "Magove")]
    [True, True, True, False, False, False]
    """
    return len(word) <= _LONGEST and _is_word(word)


@lru_cache(maxsize=_REMEMBERED)
def _is_word(word: str) -> bool:
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
    """Return what a word is known to name: given, surname, place, famous, other; may be empty.

    Examples
    --------
    >>> sorted(name_kinds("Lisbon")), sorted(name_kinds("Magove"))
    (['place'], [])
    """
    letters = _names().get(_POSSESSIVE.sub("", word).casefold(), "")
    long = {"g": "given", "s": "surname", "p": "place", "f": "famous", "o": "other"}
    return frozenset(long[letter] for letter in letters)


def is_known_name(word: str) -> bool:
    """Tell whether a word is a given name, a common surname, or a name that WordNet lists."""
    return bool(name_kinds(word)) or place_key(word) is not None


# Closed classes, given in lower case with straight apostrophes ------------------------------------


def is_negation(word: str) -> bool:
    """Tell whether a word turns a statement round; "cant" that lost its apostrophe does too."""
    return word in NEGATIONS or (word.endswith("nt") and f"{word[:-1]}'t" in NEGATIONS)


def is_quantifier(word: str) -> bool:
    """Tell whether a word says how much of something is meant, without a number."""
    return word in QUANTIFIERS


def is_calendar(word: str) -> bool:
    """Tell whether a word is a month or a weekday, full or short."""
    return word in MONTHS or word in WEEKDAYS


@cache
def _stopwords() -> frozenset[str]:
    return frozenset(word for (word,) in read_table("function_words"))


def is_stopword(word: str) -> bool:
    """Tell whether a word serves grammar rather than meaning: the, of, would, himself, isn't."""
    return word in _stopwords()


# Opposites ----------------------------------------------------------------------------------------


@cache
def _antonyms() -> dict[str, frozenset[str]]:
    pairs: dict[str, set[str]] = defaultdict(set)
    for name in ("antonyms", "opposites"):
        for one, other in read_table(name):
            pairs[one].add(other)
            pairs[other].add(one)
    return {word: frozenset(others) for word, others in pairs.items()}


def antonyms(word: str) -> frozenset[str]:
    """Return the direct opposites of a word, or of the words that it is an inflection of.

    Examples
    --------
    >>> sorted(antonyms("Increased"))
    ['decrease', 'decreased', 'reduce']
    """
    known = _antonyms()
    bases = base_forms(word) | {word.casefold()}
    return frozenset().union(*(known.get(base, frozenset()) for base in bases))


@lru_cache(maxsize=_REMEMBERED)
def opposites(word: str) -> frozenset[str]:
    """Return the words that mean the opposite, by list or by the prefixes un- and non-.

    The other negative prefixes are left to the list: an impact is not the lack of a pact.

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
    """Tell whether two words mean opposite things, in any of their inflections.

    Examples
    --------
    >>> are_opposites("rises", "falling"), are_opposites("unvaccinated", "vaccinated")
    (True, True)
    """
    return not opposites(one).isdisjoint(base_forms(other) | {other.casefold()})


# One thing, several names -------------------------------------------------------------------------


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


@lru_cache(maxsize=_REMEMBERED)
def place_key(text: str) -> str | None:
    """Return one name for a place, whether its name, adjective, people or abbreviation is given.

    Parameters
    ----------
    text : str
        One or more words, as they stand in the text: "US" is a place and "us" is not.

    Returns
    -------
    str or None
        Lower case; None for what is not in the list of countries, regions and great cities.

    Notes
    -----
    A capital is not merged with its government, nor England with the United Kingdom.

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
    """Return one name for a title or an office, whichever way it is written; None if it is none.

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
    """Tell whether two names are one well-known thing, its acronym and its full name.

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
    """Tell whether the initials of a phrase spell an acronym; small words may be left out.

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
    """Return the words of a small class that a rule asks for ("pronoun", "speech", ...).

    Parameters
    ----------
    name : str
        A class of `lexica/classes.tsv`.

    Returns
    -------
    frozenset of str
        Lower case.

    Raises
    ------
    KeyError
        If the table holds no such class.
    """
    words = frozenset(word for word, kind in read_table("classes") if kind == name)
    if not words:
        raise KeyError(name)
    return words
