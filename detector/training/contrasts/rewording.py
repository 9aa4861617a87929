"""Change wording, order or voice; the meaning stays."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from detector.text.lexicon import is_calendar, is_stopword, read_table
from detector.training.contrasts.edits import (
    Edit,
    Edits,
    Pools,
    Rng,
    like,
    pick,
    pick_edit,
    replace_word,
)
from detector.training.contrasts.grammar import (
    PREPOSITIONS,
    Sentence,
    choices,
    inflect,
    replacement,
)
from detector.training.contrasts.surface import at_one_place, everywhere
from detector.training.contrasts.words import from_table

_COUNTRIES = replacement("country")
_NO_NOUN = "and|or|in|to|is|was|has|of|for|on|at|with|by|that|as|will|would|had|also|from"
_WITH_THE = re.compile(r"(?:tion|ment|cil|ity|nions?|Bank|Fund|Court|Party|Forum)$")


def spelling(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Spell a word the American way, or the British."""
    american = replacement("spelling")
    other = {**american, **{british: word for word, british in american.items()}}
    token = pick(rng, [t for t in sentence.tokens if t.low in other])
    return None if token is None else (replace_word(token, other[token.low]),)


def acronym(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Expand an acronym, or abbreviate a full name."""
    pattern, other = _acronyms()
    at = pick(rng, list(pattern.finditer(sentence.text)))
    if at is None:
        return None
    lead, name = at.group(1) or "", other[at.group(2)]
    if not lead and _WITH_THE.search(name):
        lead = "the "
    return (Edit(*at.span(), lead + name),)


@cache
def _acronyms() -> tuple[re.Pattern[str], dict[str, str]]:
    table = read_table("acronyms")
    times = Counter(short for short, _ in table)
    full = {a: names.split("|")[0] for a, names in table if len(a) > 2 and times[a] == 1}
    short = {name: a for a, name in full.items() if name[0].isupper() and " " in name}
    other = {**full, **short}
    longest = sorted(other, key=len, reverse=True)
    words = "|".join(map(re.escape, longest))
    return re.compile(rf"(?<![\w-])([Tt]he )?({words})(?![\w’'-])"), other


def small_synonym(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Replace a preposition or conjunction by a synonym."""
    known = choices("alike")
    found = [
        t
        for t in sentence.tokens
        if ("f", t.low) in known and not sentence.text[t.end :].startswith(" of ")
    ]
    token = pick(rng, found)
    if token is None:
        return None
    return (replace_word(token, known["f", token.low][0]),)


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
    return pick_edit(rng, found)


def voice(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Turn a simple active clause passive, or back; the roles stay."""
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
    return pick_edit(rng, found)


def _is_noun(phrase: str) -> bool:
    """Whether a phrase is a noun phrase or a name, without a function word inside."""
    head, *rest = phrase.split()
    if any(is_stopword(word.lower()) for word in rest):
        return False
    return like("A", head) in _HEADS or (head[0].isupper() and not is_stopword(head.lower()))


def _inside(phrase: str) -> str:
    """Write a phrase that began a sentence as inside one."""
    head = phrase.split()[0]
    return phrase[0].lower() + phrase[1:] if head in _HEADS else phrase


def date_moved(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Move the day or date to the front, or to the end."""
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
    return at_one_place(everywhere(*rules))(sentence, rng, pool)


def adverb_moved(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Move an adverb from before its verb to behind it, or before."""
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
    return pick_edit(rng, found)


synonym = from_table("alike")
demonym = at_one_place(
    everywhere(
        *[
            (rf"(?<![\w-]){re.escape(a)}(?= [a-z])(?! (?:{_NO_NOUN})\b)", b)
            for a, b in _COUNTRIES.items()
        ]
    )
)
