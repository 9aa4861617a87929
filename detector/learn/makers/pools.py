"""Words and names to swap in: names of training sentences, words of the whole lexicon."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from detector.learn.makers.grammar import inflect, parts_of
from detector.lexicon import is_stopword, name_kinds, place_key, read_table, zipf

_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})*")
_PHRASE = re.compile(
    r"(?<=[a-z] )(?:in|at|near|during|after|before|behind|without|under|on) "
    r"(?:the|a|his|her|their|its) [a-z]+(?=[.,])"
)
_CLAUSE = re.compile(
    r", (?:and|but|while|which|because|although|after) [^,.;:\"“”()]{20,80}(?=\.$)"
)
_LEAST_ZIPF = 3.0
_FORMS = {"n": ("", "s"), "v": ("", "s", "ed", "ing"), "a": ("",), "r": ("",)}
_STEP = 0.4  # Zipf; words are swapped for words about as common


@dataclass(frozen=True, slots=True)
class Pools:
    """Names by kind (place, person, other), phrases and clauses of other training sentences."""

    names: Mapping[str, tuple[str, ...]]
    phrases: tuple[str, ...]
    clauses: tuple[str, ...]


def pools(sentences: Iterable[str]) -> Pools:
    """Collect names, short phrases of place or time, and last clauses from sentences."""
    names: dict[str, set[str]] = {}
    phrases: set[str] = set()
    clauses: set[str] = set()
    for sentence in sentences:
        phrases.update(_PHRASE.findall(sentence))
        clauses.update(_CLAUSE.findall(sentence))
        for name in _NAME.findall(sentence):
            names.setdefault(kind_of(name), set()).add(name)
    by_kind = {kind: tuple(sorted(found)) for kind, found in sorted(names.items())}
    return Pools(by_kind, tuple(sorted(phrases)), tuple(sorted(clauses)))


def kind_of(name: str) -> str:
    """Say what a name names: place, person or other.

    Examples
    --------
    >>> kind_of("Lisbon"), kind_of("Anna Berg"), kind_of("Ministry")
    ('place', 'person', 'other')
    """
    if place_key(name) is not None:
        return "place"
    kinds = name_kinds(name.split()[0])
    if "given" in kinds or "surname" in kinds:
        return "person"
    return "place" if "place" in kinds else "other"


@cache
def _common() -> dict[tuple[str, str, int], tuple[str, ...]]:
    """Return common words that are one part of speech alone, by part, form and how common."""
    found: dict[tuple[str, str, int], list[str]] = {}
    for base, letters in read_table("words"):
        if len(letters) != 1 or len(base) < 3 or not base.isalpha() or is_stopword(base):
            continue
        for form in _FORMS.get(letters, ()):
            word = inflect(base, letters, form)
            if (how := zipf(word)) >= _LEAST_ZIPF and (not form or not parts_of(word)):
                found.setdefault((letters, form, int(how / _STEP)), []).append(word)
    return {key: tuple(words) for key, words in found.items()}


def words_like(word: str, part: str, form: str) -> tuple[str, ...]:
    """Return words of a part of speech and inflection that are about as common as a word."""
    how = int(max(zipf(word), _LEAST_ZIPF) / _STEP)
    for near in (how, how - 1, how + 1, how - 2, how - 3):
        found = _common().get((part, form.replace("en", "ed"), near), ())
        if len(found) >= 20:
            return found
    return ()
