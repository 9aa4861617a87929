"""Changes of order and voice that a reader would let pass: the passive, the date first."""

from __future__ import annotations

import re

from detector.learn.makers.edits import Edit, Edits, Maker, Rng, like, pick
from detector.learn.makers.grammar import PREPOSITIONS, Sentence, inflect
from detector.learn.makers.looks import one_of
from detector.learn.makers.pools import Pools
from detector.lexicon import is_calendar, is_stopword

_HEADS = ("The", "A", "An", "His", "Her", "Their", "Its")
_NOUN = (
    r"(?:(?:the|an?|his|her|their|its) (?:[a-z-]+ ){0,2}[a-z]+|[A-Z][a-z]+(?: [A-Z][a-z]+){0,2})"
)
_FIRST = (
    r"(?:(?:The|An?|His|Her|Their|Its) (?:[a-z-]+ ){0,2}[a-z]+|[A-Z][a-z]+(?: [A-Z][a-z]+){0,2})"
)
_ENDS = r"(?=[.,;]| (?:in|on|at|after|before|during|for|last|yesterday|when|while)\b)"
_OPENS = r"(?:^[\"“']?|(?<= that )|(?<= when )|(?<= but )|(?<= after )|(?<= because )|(?<=, and ))"
_PASSIVE = re.compile(
    rf"{_OPENS}(?P<who>{_FIRST}|{_NOUN}) (?:was|were) (?P<verb>[a-z]+) by (?P<by>{_NOUN}){_ENDS}"
)
_ACTIVE = re.compile(rf"{_OPENS}(?P<by>{_FIRST}|{_NOUN}) (?P<verb>[a-z]+) (?P<who>{_NOUN}){_ENDS}")
_SAYING = ("say", "think", "believe", "know", "claim", "become", "remain", "have", "tell", "hope")
_DAY = (
    r"(?:[Oo]n|[Ii]n|[Ll]ast|[Ll]ate) (?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
    r"|[A-Z][a-z]+ \d{1,2}|\d{1,2} [A-Z][a-z]+|(?:19|20)\d\d|[A-Z][a-z]+ (?:19|20)\d\d)"
)


def possessive_turned(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Write X's Y as the Y of X, or the other way round."""
    del pool
    found: list[Edit] = []
    tokens = sentence.tokens
    for at in range(len(tokens) - 1):
        token, owned = tokens[at], tokens[at + 1]
        single = (
            at + 2 >= len(tokens)
            or sentence.gap(at + 1) != " "
            or tokens[at + 2].part in ("f", "v")
        )
        if (
            re.search(r"['’]s$", token.text)
            and token.part == "p"
            and (not at or tokens[at - 1].part != "p" or sentence.gap(at - 1) != " ")
            and owned.part == "n"
            and sentence.gap(at) == " "
            and single
            and (not at or tokens[at - 1].low != "the")
        ):
            found.append(Edit(token.start, owned.end, f"the {owned.text} of {token.text[:-2]}"))
    for m in re.finditer(r"\bthe ([a-z]+) of ([A-Z][a-z]+)(?! [A-Z]|['’\w])", sentence.text):
        if m.group(1) not in ("city", "state", "province", "town", "republic", "kingdom", "island"):
            found.append(Edit(*m.span(), f"{m.group(2)}'s {m.group(1)}"))
    edit = pick(rng, found)
    return None if edit is None else (edit,)


def voice(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Turn a simple active clause of names and nouns into the passive, or back; roles are kept."""
    del pool
    found: list[Edit] = []
    text = sentence.text
    verbs = {t.start: t for t in sentence.tokens if t.part == "v" and t.form in ("ed", "en")}
    for m in _PASSIVE.finditer(text):
        verb = verbs.get(m.start("verb"))
        if verb is not None and _is_noun(m.group("who")) and _is_noun(m.group("by")):
            who, by = m.group("who"), m.group("by")
            new = f"{like(who, by)} {inflect(verb.base, 'v', 'ed')} {_inside(who)}"
            found.append(Edit(m.start("who"), m.end(), new))
    for m in _ACTIVE.finditer(text):
        verb = verbs.get(m.start("verb"))
        plain = verb is not None and verb.form == "ed" and verb.base not in _SAYING
        if plain and verb is not None and _is_noun(m.group("by")) and _is_noun(m.group("who")):
            who, by = m.group("who"), m.group("by")
            were = "were" if re.search(r"[a-z]s$", who) and who[0].islower() else "was"
            new = f"{like(by, who)} {were} {inflect(verb.base, 'v', 'en')} by {_inside(by)}"
            found.append(Edit(m.start("by"), m.end(), new))
    edit = pick(rng, found)
    return None if edit is None else (edit,)


def _is_noun(phrase: str) -> bool:
    """Whether a phrase begins as a noun or a name does, and goes on without a small word."""
    head, *rest = phrase.split()
    if any(is_stopword(word.lower()) for word in rest):
        return False
    return like("A", head) in _HEADS or (head[0].isupper() and not is_stopword(head.lower()))


def _inside(phrase: str) -> str:
    """Write a phrase that began a sentence as it stands inside one."""
    head = phrase.split()[0]
    return phrase[0].lower() + phrase[1:] if head in _HEADS else phrase


def date_moved(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Move the day or date to the front, or to the end."""
    del rng, pool
    text = sentence.text
    at = re.match(rf"({_DAY}),? (?=\w)", text)
    stop = re.search(r"(?<=\w)(?=\.$)", text)
    if at is not None and stop is not None and _calendar(at.group(1)):
        phrase = at.group(1)[0].lower() + at.group(1)[1:]
        return (Edit(0, at.end(), "", marked=False), Edit(stop.start(), stop.start(), f" {phrase}"))
    at = re.search(rf" ({_DAY})(?=\.$)", text)
    first = sentence.tokens[0] if sentence.tokens else None
    if at is not None and first is not None and _calendar(at.group(1)):
        keeps = first.part == "p" or first.low == "i"
        head = first.text if keeps else first.text[0].lower() + first.text[1:]
        phrase = at.group(1)[0].upper() + at.group(1)[1:]
        return (
            Edit(first.start, first.end, f"{phrase}, {head}"),
            Edit(*at.span(), "", marked=False),
        )
    return None


def _calendar(phrase: str) -> bool:
    return any(is_calendar(word.lower()) or word.isdigit() for word in phrase.split())


def date_form(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Write 5 June as June 5, or back."""
    month = (
        "(January|February|March|April|May|June|July|August|September|October|November|December)"
    )
    rules = [
        (rf"\b(\d{{1,2}}) {month}\b", r"\2 \1"),
        (rf"\b{month} (\d{{1,2}})\b(?!,? \d{{4}}|\d)", r"\2 \1"),
        (rf"\b{month} (\d{{1,2}}), (\d{{4}})\b", r"\2 \1 \3"),
    ]
    return one_of(rules)(sentence, rng, pool)


def adverb_moved(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Move an adverb from before its verb to behind it, or before."""
    del pool
    found: list[Edit] = []
    tokens = sentence.tokens
    for at in range(1, len(tokens) - 1):
        one, two = tokens[at], tokens[at + 1]
        if (
            one.part == "r"
            and one.low.endswith("ly")
            and one.low not in ("only", "early", "likely", "nearly", "hardly", "barely")
            and two.part == "v"
            and two.form in ("ed", "s")
            and sentence.gap(at) == " "
            and at + 2 < len(tokens)
            and tokens[at + 2].low in PREPOSITIONS
            and sentence.gap(at + 1) == " "
        ):
            found.append(Edit(one.start, two.end, f"{two.text} {one.text}"))
    edit = pick(rng, found)
    return None if edit is None else (edit,)


HARMLESS: dict[str, Maker] = {
    "possessive turned": possessive_turned,
    "voice": voice,
    "date moved": date_moved,
    "date form": date_form,
    "adverb moved": adverb_moved,
}
"""Makers by the names of their kinds."""
