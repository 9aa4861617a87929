"""Minimal pairs: a sound copy, and the same copy with one damage or one harmless change.

Real drift comes with much else; a minimal pair shows the one thing that makes the difference. Each
maker below changes one thing in one sentence, or says that it cannot. Seeded by the sentence, so
the same sentence always gives the same pairs. The word lists are small and our own, apart from
the lexicon that the features read: the classifier must not learn our list by heart.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from detector.learn.corpus import Pair


@dataclass(frozen=True, slots=True)
class Pools:
    """Names and words of other sentences, to swap in; drawn from training sentences alone."""

    names: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]  # by ending


Maker = Callable[[str, np.random.Generator, Pools], str | None]

_LAST = frozenset({"stop dropped"})  # can be made of nearly any sentence, so tried last
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})*")
_LOWER = re.compile(r"(?<![\w'’-])[a-z]{5,}(?![\w'’-])")
_ENDINGS = ("ing", "ed", "ly", "tion", "s")


def pools(sentences: Iterable[str]) -> Pools:
    """Collect names and words from sentences."""
    names: set[str] = set()
    words: dict[str, set[str]] = {}
    for sentence in sentences:
        names.update(_NAME.findall(sentence))
        for word in _LOWER.findall(sentence):
            words.setdefault(_ending(word), set()).add(word)
    return Pools(tuple(sorted(names)), {e: tuple(sorted(w)) for e, w in sorted(words.items())})


def contrasts(
    base: Pair, pool: Pools, *, damages: int = 2, harmless: int = 1, seed: int = 0
) -> Iterator[Pair]:
    """Make minimal pairs out of a sound one.

    Parameters
    ----------
    base : Pair
        A sound pair.
    pool : Pools
        What to swap in.
    damages, harmless : int
        How many of each kind to make, at most.
    seed : int
        Another seed makes others.

    Yields
    ------
    Pair
        First the base, as the sound twin, then the damaged, then the harmless ones. The kind is
        the maker's name; a harmless one may stack on what the round trip had changed already.
    """
    text = f"{seed}\x1f{base.source}\x1f{base.copy}".encode("utf-8", "replace")
    key = hashlib.sha256(text).digest()
    rng = np.random.default_rng(int.from_bytes(key[:8], "big"))
    twin = f"contrast-{key.hex()[:16]}"
    sound = replace(
        base, corpus="contrast", kind="base", points=None, hter=None, quality=None, twin=twin
    )
    yield sound
    for makers, wanted, label in ((DAMAGES, damages, True), (HARMLESS, harmless, False)):
        made = 0
        for name in sorted(rng.permutation(list(makers)).tolist(), key=_LAST.__contains__):
            if made == wanted:
                break
            copy = makers[name](base.copy, rng, pool)
            if copy is not None and copy not in (base.copy, base.source) and copy.strip():
                yield replace(sound, copy=copy, label=label, kind=name)
                made += 1


def _ending(word: str) -> str:
    return next((e for e in _ENDINGS if word.endswith(e)), "")


def _pick(rng: np.random.Generator, choices: Sequence[re.Match[str]]) -> re.Match[str] | None:
    return choices[int(rng.integers(len(choices)))] if choices else None


def _put(text: str, at: re.Match[str], new: str) -> str:
    return text[: at.start()] + new + text[at.end() :]


def _like(old: str, new: str) -> str:
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _swap_words(pairs: Mapping[str, str]) -> Maker:
    """Make a maker that replaces one word of a table, keeping its capital."""
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, pairs))})\b", re.IGNORECASE)

    def swap(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
        del pool
        at = _pick(rng, [m for m in pattern.finditer(text) if m.group().lower() in pairs])
        return None if at is None else _put(text, at, _like(at.group(), pairs[at.group().lower()]))

    return swap


def _both_ways(text: str) -> dict[str, str]:
    pairs = [tuple(entry.split("/")) for entry in text.split()]
    return {a: b for one, other in pairs for a, b in ((one, other), (other, one))}


# Damage.


def _number(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    del pool
    at = _pick(rng, list(re.finditer(r"\d+", text)))
    if at is None:
        return None
    digits = list(at.group())
    place = int(rng.integers(len(digits)))
    others = [d for d in "123456789" if d != digits[place]]
    digits[place] = others[int(rng.integers(len(others)))]
    return _put(text, at, "".join(digits))


def _negation(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    del pool
    lost = re.search(r"(?<=\w) (?:not|never)\b(?! only)|(?<=[a-z])n['’]t\b", text)
    if lost is not None and not re.search(r"\b(?:ca|wo|sha)$", text[: lost.start()]):
        return _put(text, lost, "")
    verbs = r"\b(?:is|are|was|were|will|would|could|can|should|has|have|had|must|may)\b(?! not)"
    at = _pick(rng, list(re.finditer(verbs, text)))
    return None if at is None else _put(text, at, f"{at.group()} not")


def _name_swapped(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    at = _pick(rng, list(_NAME.finditer(text)))
    if at is None:
        return None
    alike = [n for n in pool.names if n.count(" ") == at.group().count(" ") and n not in text]
    return _put(text, at, alike[int(rng.integers(len(alike)))]) if alike else None


def _name_garbled(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    del pool
    at = _pick(rng, list(re.finditer(r"(?<=[a-z,;] )[A-Z][a-z]{4,}", text)))
    if at is None:
        return None
    name = at.group()
    cut = int(rng.integers(2, len(name) - 1))
    forms = (
        name[: max(3, len(name) - 3)],
        name[:cut] + name[cut - 2 : cut] + name[cut:],
        name[:cut] + name[cut + 1 :] + "o",
        name[0] + name[1:].translate(str.maketrans("aeiou", "eiuao")),
    )
    return _put(text, at, forms[int(rng.integers(len(forms)))])


def _names_turned(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    del rng, pool
    found = list(_NAME.finditer(text))
    for first, second in pairwise(found):
        middle = text[first.end() : second.start()]
        # "X and Y" says the same as "Y and X"; something must stand between them.
        if first.group() != second.group() and re.search(r"\b(?!from\b)[a-z]{4,}", middle):
            turned = second.group() + middle + first.group()
            return text[: first.start()] + turned + text[second.end() :]
    return None


def _phrase_dropped(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    del pool
    opening = r" (?:in|on|at|for|from|with|by|after|before|without|against|under|during) "
    at = _pick(
        rng, list(re.finditer(rf",[^,;.]{{12,60}}(?=[,.])|{opening}[\w' -]{{8,40}}(?=[,.;])", text))
    )
    return None if at is None or len(text) - len(at.group()) < 20 else _put(text, at, "")


def _word_dropped(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    del pool
    found = re.finditer(r"(?<=\w) ([a-z]{5,})(?= \w)", text)
    at = _pick(rng, [m for m in found if m.group(1) not in _LIGHT])
    return None if at is None else _put(text, at, "")


def _wrong_sense(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    at = _pick(rng, list(_LOWER.finditer(text)))
    if at is None:
        return None
    others = pool.words.get(_ending(at.group()), ())
    return _put(text, at, others[int(rng.integers(len(others)))]) if others else None


def _word_added(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    del pool
    at = _pick(rng, list(re.finditer(r"\b(?:the|a|his|her|their|its) (?=[a-z]{4,})", text)))
    new = _ADDED[int(rng.integers(len(_ADDED)))]
    return None if at is None else _put(text, at, f"{at.group()}{new} ")


_LIGHT = frozenset(
    {
        *("about", "actually", "after", "again", "already", "another", "around", "before", "being"),
        *("could", "during", "every", "given", "however", "itself", "other", "quite", "really"),
        *("should", "simply", "since", "still", "their", "themselves", "there", "these", "those"),
        *("though", "through", "together", "until", "where", "whether", "which", "while", "whose"),
        *("would", "became", "among", "having", "began", "currently", "certain", "various"),
    }
)
_ADDED = (
    *("former", "alleged", "secret", "only", "second", "illegal", "military", "unpaid", "failed"),
    *("private", "foreign", "temporary", "religious", "dead", "wooden", "violent", "famous"),
)
_OPPOSITES = _both_ways(
    """first/last win/lose won/lost increase/decrease increased/decreased increases/decreases
    rise/fall rose/fell rising/falling open/closed opened/closed begin/end began/ended
    before/after above/below more/less many/few high/low higher/lower large/small
    larger/smaller strong/weak stronger/weaker early/late earlier/later north/south
    northern/southern east/west eastern/western support/oppose supported/opposed accept/reject
    accepted/rejected allow/forbid allowed/banned innocent/guilty love/hate friend/enemy
    friends/enemies peace/war life/death alive/dead success/failure successful/failed
    victory/defeat buy/sell bought/sold import/export imports/exports public/private
    positive/negative true/false safe/dangerous rich/poor easy/difficult hot/cold day/night
    husband/wife brother/sister son/daughter father/mother men/women man/woman always/never
    inside/outside arrive/leave arrived/left remember/forget best/worst better/worse"""
)
_UNITS = _both_ways(
    "miles/kilometers feet/metres pounds/dollars million/billion hours/minutes days/weeks "
    "months/years inches/yards"
)
_GENDERS = {
    **_both_ways("he/she his/her himself/herself"),
    "him": "her",
}

DAMAGES: dict[str, Maker] = {
    "number": _number,
    "negation": _negation,
    "antonym": _swap_words(_OPPOSITES),
    "unit": _swap_words(_UNITS),
    "gender": _swap_words(_GENDERS),
    "name swapped": _name_swapped,
    "name garbled": _name_garbled,
    "names turned": _names_turned,
    "phrase dropped": _phrase_dropped,
    "word dropped": _word_dropped,
    "wrong sense": _wrong_sense,
    "word added": _word_added,
}
"""Changes after which the sentence says something else."""


# Harmless changes.


def _rewrite(rules: Sequence[tuple[str, str]]) -> Maker:
    """Make a maker that applies the first rule that changes anything, wherever it matches."""
    compiled = [(re.compile(pattern), new) for pattern, new in rules]

    def rewrite(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
        del pool
        for index in rng.permutation(len(compiled)).tolist():
            pattern, new = compiled[index]
            changed: str = pattern.sub(new, text)
            if changed != text:
                return changed
        return None

    return rewrite


_COUNTS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _count_written(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    del rng, pool
    names = {str(n): word for n, word in enumerate(_COUNTS, start=2)}
    at = re.search(r"(?<![\d.,$£€:-])\b([2-9]|10)\b(?![\d.,%:/-])(?= [a-z])", text)
    if at is not None:
        return _put(text, at, names[at.group()])
    at = re.search(rf"(?<= )(?:{'|'.join(_COUNTS)})(?= [a-z])", text)
    return None if at is None else _put(text, at, str(_COUNTS.index(at.group()) + 2))


def _ascii(text: str, rng: np.random.Generator, pool: Pools) -> str | None:
    del rng, pool
    # What the wild copies show: typographic marks and accents gone before translation.
    typographic = re.sub(r"(?<=\w)'(?=\w)", "’", re.sub(r'"', "“", text))
    return "".join(c for c in typographic if c.isascii())


HARMLESS: dict[str, Maker] = {
    "abbreviation": _rewrite(
        [
            (r"\bUS\b", "U.S."),
            (r"\bU\.S\.", "US"),
            (r"\bUnited States\b", "U.S."),
            (r"\bUK\b", "United Kingdom"),
            (r"\bU\.N\.", "UN"),
            (r"\bpercent\b", "per cent"),
            (r"(?<=\d)%", " percent"),
            (r"(?<=\d) per ?cent\b", "%"),
            (r"\bMr\. ", "Mr "),
        ]
    ),
    "contraction": _rewrite(
        [
            (r"n't\b(?<!can't)(?<!won't)(?<!shan't)", " not"),
            (r"\b(is|are|was|were|do|does|did|have|has|had|would|could|should) not\b", r"\1n't"),
            (r"\bcannot\b", "can't"),
            (r"\b([Ii])t is\b", r"\1t's"),
        ]
    ),
    "quotes dropped": _rewrite([(r"[\"“”]", "")]),
    "beyond ASCII dropped": _ascii,
    "count written": _count_written,
    "thousands": _rewrite([(r"(?<=\d),(?=\d{3}\b)", ""), (r"\b(\d{2})(\d{3})\b", r"\1,\2")]),
    "possessive glued": _rewrite([(r"(?<=[a-z])['’]s\b", "s")]),
    "hyphen": _rewrite([(r"(?<=[a-z])-(?=[a-z])", " "), (r"(?<=[a-z])-(?=[a-z])", " -")]),
    "stop dropped": _rewrite([(r"\.$", "")]),
    "spelling": _swap_words(
        _both_ways(
            "color/colour center/centre defense/defence labor/labour favor/favour honor/honour "
            "theater/theatre organization/organisation program/programme neighbor/neighbour "
            "traveled/travelled canceled/cancelled gray/grey meters/metres"
        )
    ),
    "same meaning": _swap_words(
        {
            **_both_ways("big/large began/started begin/start nearly/almost until/till"),
            **_both_ways("however/nevertheless kids/children film/movie also/too"),
            "said": "stated",
            "probe": "investigation",
            "jail": "prison",
            "purchase": "buy",
        }
    ),
}
"""Changes that a reader would let pass."""
