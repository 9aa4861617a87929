"""Replace words: wrong senses, opposites, wider or narrower words, untranslated words.

Each keeps the part of speech and the inflection of what it replaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from detector.text.lexicon import antonyms, is_word, zipf
from detector.training.contrasts.edits import (
    Edit,
    Edits,
    Maker,
    Pools,
    Rng,
    choose,
    like,
    pick,
    pick_edit,
    replace_word,
    words_like,
)
from detector.training.contrasts.grammar import (
    Sentence,
    Token,
    choices,
    inflect,
    listed,
    parts_of,
    rows,
)

_CONTENT = "nvar"
_USUAL = 3.2  # Zipf, from which an opposite is one that people know
_LANGUAGES = 6
_HELD = {"be", "have", "do", "get", "go", "say", "make", "percent", "other", "such", "same", "own"}


def content(sentence: Sentence, parts: str = _CONTENT, *, least: int = 4) -> list[Token]:
    """Return the content words, without names and numbers."""
    return [
        token
        for token in sentence.tokens
        if token.part
        and token.part in parts
        and len(token.text) >= least
        and token.base not in _HELD
    ]


def put(token: Token, base: str) -> Edit:
    """Replace a token by another base form, in the token's inflection and case."""
    return replace_word(token, inflect(base, token.part, token.form))


def from_table(name: str, parts: str = _CONTENT) -> Maker:
    """Make a maker that replaces a word by what a list gives for it."""

    def swap(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
        known = choices(name)
        candidates = [
            (token, known[token.part, token.base])
            for token in content(sentence, parts, least=3)
            if (token.part, token.base) in known and "-" not in token.text
        ]
        return _swap(rng, candidates)

    return swap


def _swap(rng: Rng, candidates: Sequence[tuple[Token, Sequence[str]]]) -> Edits:
    """Replace one of the tokens by one of its options."""
    choice = pick(rng, candidates)
    if choice is None:
        return None
    token, options = choice
    edit = put(token, choose(rng, options))
    return None if edit.new == token.text else (edit,)


def antonym(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Replace a word by an antonym, of our list or of the lexicon."""
    candidates: list[tuple[Token, Sequence[str]]] = []
    for token in sentence.tokens:
        key = token.part if token.part in _CONTENT else "f"
        listed = choices("opposites").get((key, token.base), ())
        known = [
            word
            for word in sorted(antonyms(token.base))
            if token.part and token.part in parts_of(word) and zipf(word) >= _USUAL
        ]
        if token.part in (*_CONTENT, "f") and (listed or (known and token.part != "f")):
            candidates.append((token, (*listed, *known)))
    return _swap(rng, candidates)


def _left_in(parts: str, chance_of_case: float) -> Maker:
    """Make a maker that leaves a word of the pivot untranslated."""

    def leave(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
        known = _leftovers()
        candidates = [
            t for t in sentence.tokens if t.part in tuple(parts) and (t.part, t.base) in known
        ]
        token = pick(rng, candidates)
        if token is None:
            return None
        for language in rng.permutation(_LANGUAGES).tolist():
            word = known[token.part, token.base][language]
            if word.lower() not in (token.low, token.base):
                odd = token.part == "n" and rng.random() < chance_of_case
                new = like("A", word) if odd else word
                return (replace_word(token, new),)
        return None

    return leave


@cache
def _leftovers() -> dict[tuple[str, str], tuple[str, ...]]:
    return {(row[1], row[0]): row[2:] for row in rows("leftovers")}


def swapped(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Replace a word by one of the same part of speech that is about as frequent."""
    token = pick(rng, content(sentence))
    if token is None:
        return None
    options = words_like(token.low, token.part, token.form)
    if not options:
        return None
    for at in rng.integers(len(options), size=10).tolist():
        if options[at][:4] != token.low[:4] and zipf(options[at]) > 0:
            return (replace_word(token, options[at]),)
    return None


_DERIVATIONS = tuple(  # part, ending, other part, its ending
    tuple(rule.split(","))
    for rule in listed("""
        a,ant,n,ance a,ent,n,ence n,ance,a,ant n,ence,a,ent r,ly,a, r,ily,a,y a,,r,ly a,y,r,ily
        a,ful,n, a,al,n, a,ous,n, a,ic,n,y n,ness,a, a,,n,ness n,ity,a, a,ive,n,ion n,ion,v,
        n,ion,v,e n,ment,v, v,,n,ment v,e,n,ion v,,n,ion v,,n,er n,y,a,ic v,e,n,er n,er,v, n,,a,al
        n,ation,v,e v,e,n,ation n,,a,ous n,e,a,al
    """)
)


def part_shifted(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Change the part of speech and keep the root: important, importance."""
    candidates = []
    for token in content(sentence):
        for part, ending, other, instead in _DERIVATIONS:
            if token.part != part or not token.base.endswith(ending) or token.form:
                continue
            new = token.base[: len(token.base) - len(ending)] + instead
            if (
                len(new) > 4
                and parts_of(new).startswith(other)
                and new != token.base
                and zipf(new) > 2
            ):
                candidates.append(replace_word(token, new))
    return pick_edit(rng, candidates)


def idiom(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Render an idiom word for word."""
    forms, pattern = _idioms()
    at = pick(rng, list(pattern.finditer(sentence.text)))
    return None if at is None else (Edit(*at.span(), forms[at.group()]),)


@cache
def _idioms() -> tuple[dict[str, str], re.Pattern[str]]:
    known = {said: literal for said, literal in rows("idioms")}  # noqa: C416 - rows are of two
    forms: dict[str, str] = {}
    for said, literal in known.items():
        head, _, rest = said.partition(" ")
        if "v" in parts_of(head) and rest and head not in ("on", "in", "by", "at"):
            for form in ("", "s", "ed", "en", "ing"):
                inflected = inflect(head, "v", form)
                first, _, after = literal.partition(" ")
                forms[f"{inflected} {rest}"] = f"{inflect(first, 'v', form)} {after}".strip()
        else:
            forms[said] = literal
            if not rest:
                forms[f"{said}s"] = literal
    longest = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    return forms, re.compile(rf"(?<![\w-])(?:{longest})(?![\w-])")


def compound_turned(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Swap the parts of a noun compound: public scrutiny, scrutiny public."""
    candidates = []
    tokens = sentence.tokens
    for at in range(len(tokens) - 1):
        first, second = tokens[at], tokens[at + 1]
        inner = sentence.gap(at) == " " and first.part in ("n", "a") and second.part == "n"
        led = at and tokens[at - 1].part == "f" and sentence.gap(at - 1) == " "
        after = at + 2 >= len(tokens) or tokens[at + 2].part == "f" or sentence.gap(at + 1) != " "
        if (
            inner
            and led
            and after
            and is_word(first.low)
            and first.form != "s"
            and len(first.text) > 3
        ):
            if first.part == "n" and not first.form and rng.random() < 0.6:
                new = f"{first.low} of {second.low}"
            else:
                new = f"{second.low} {first.low}"
            candidates.append(Edit(first.start, second.end, new))
    return pick_edit(rng, candidates)


_USES = (
    ("in", "on", "at", "for", "from", "with", "by", "of", "to", "about", "into", "over"),
    ("before", "after", "during", "until", "since", "despite"),
    ("and", "or", "but"),
    ("because", "although", "if", "while", "when"),
    ("this", "that"),
    ("these", "those"),
    ("who", "which"),
    ("their", "our", "its"),
    ("they", "we"),
    ("them", "us", "it"),
)
_OF_USE = {word: group for group in _USES for word in group}


def function_word(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Replace a function word by another of the same use."""
    token = pick(rng, [t for t in sentence.tokens if t.part == "f" and t.low in _OF_USE])
    if token is None:
        return None
    others = [word for word in _OF_USE[token.low] if word != token.low]
    return (replace_word(token, choose(rng, others)),)


def narrowed(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Replace a word by a narrower one, or by another of its kind: vehicle, tractor."""
    below = _below()
    candidates = [t for t in content(sentence, "n", least=3) if (t.part, t.base) in below]
    token = pick(rng, candidates)
    if token is None:
        return None
    options = below[token.part, token.base]
    return (put(token, choose(rng, options)),)


@cache
def _below() -> dict[tuple[str, str], list[str]]:
    """Return the hyponyms of a word, and its co-hyponyms."""
    below: dict[tuple[str, str], list[str]] = {}
    for part, word, wider in rows("wider"):
        below.setdefault((part, wider), []).append(word)
    for part, word, wider in rows("wider"):
        others = [other for other in below[part, wider] if other != word]
        below.setdefault((part, word), []).extend(others)
    return below


wrong_sense = from_table("senses")
wider = from_table("wider")
left_in = _left_in("nva", 0.1)
small_left_in = _left_in("fr", 0.0)
