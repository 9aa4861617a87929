"""Change looks, wording or order harmlessly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from detector.text.lexicon import is_calendar, is_stopword, read_table
from detector.training.contrasts.edits import (
    Edit,
    Edits,
    Maker,
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
    Token,
    choices,
    inflect,
    replacement,
    rows,
)
from detector.training.contrasts.words import from_table

_COUNTS = (
    *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def from_rules(kind: str) -> Maker:
    """Make a maker that applies one of the rules that the list `rules` holds for a kind."""
    matching = [
        (where, pattern, new) for name, where, new, pattern in rows("rules") if name == kind
    ]
    maker = everywhere(*((pattern, new) for _, pattern, new in matching))
    return maker if matching[0][0] == "all" else at_one_place(maker)


def everywhere(*rules: tuple[str, str]) -> Maker:
    """Make a maker that applies one of the rules (pattern, replacement) wherever it matches."""
    compiled = [(re.compile(pattern), new) for pattern, new in rules]
    either = re.compile("|".join(f"(?:{pattern})" for pattern, _ in rules))

    def rewrite(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
        if either.search(sentence.text) is None:
            return None
        for index in rng.permutation(len(compiled)).tolist():
            pattern, new = compiled[index]
            candidates = [
                Edit(m.start(), m.end(), m.expand(new)) for m in pattern.finditer(sentence.text)
            ]
            edits = tuple(e for e in candidates if sentence.text[e.start : e.end] != e.new)
            if edits:
                return edits
        return None

    return rewrite


def at_one_place(maker: Maker) -> Maker:
    """Make a maker that keeps one of the edits of another."""

    def once(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
        return pick_edit(rng, maker(sentence, rng, pool) or ())

    return once


def beyond_ascii(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop characters outside ASCII and quotation marks, but no currency sign."""
    spots = re.finditer(r"(?<=\w)['’](?=\w)|[\"“”‘’]|[^\x00-\x7f]", sentence.text)
    return tuple(Edit(*m.span(), "") for m in spots if m.group() not in "£€¥₹°–—") or None


def lower_case(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Write everything in lower case."""
    words = re.finditer(r"\S+", sentence.text)
    edits = [Edit(*m.span(), m.group().lower()) for m in words if m.group() != m.group().lower()]
    return tuple(edits) or None


def first_lower(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Begin in lower case."""
    at = re.search(r"[^\W\d_]", sentence.text)
    if at is None or not at.group().isupper() or len(at.group().lower()) != 1:
        return None
    return (Edit(*at.span(), at.group().lower()),)


def case(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Write one word in another case: Xi, XI; minister, Minister."""
    candidates = [
        t for t in sentence.tokens if t.part in ("p", "n") and t.text.isalpha() and len(t.text) > 1
    ]
    token = pick(rng, candidates)
    if token is None:
        return None
    shapes = [token.text.upper(), token.text.lower(), token.text.capitalize()]
    new = pick(rng, [shape for shape in shapes if shape != token.text])
    return None if new is None else (Edit(token.start, token.end, new),)


def tokenised(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Put spaces around punctuation."""
    text = sentence.text
    candidates = [
        Edit(m.start(), m.start(), " ")
        for m in re.finditer(r"(?<=\w)(?=[,;:!?)\"”](?!\w)|\.$|['’]s\b)", text)
    ]
    candidates += [Edit(m.end(), m.end(), " ") for m in re.finditer(r"[(\"“](?=\w)", text)]
    candidates += [
        Edit(m.start(), m.end(), " - ") for m in re.finditer(r"(?<=[a-z])-(?=[a-z])", text)
    ]
    return tuple(candidates) or None


def mark_added(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Add a comma or other punctuation where none is needed."""
    spots = [at for at in range(1, len(sentence.tokens) - 1) if sentence.gap(at) == " "]
    at = pick(rng, spots)
    if at is None:
        return None
    end = sentence.tokens[at].end
    return (Edit(end, end, ",;.-"[int(rng.choice(4, p=[0.6, 0.1, 0.2, 0.1]))]),)


def count_written(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Spell a small number out, or write it in digits."""
    text = sentence.text
    names = {str(n): word for n, word in enumerate(_COUNTS, start=2)}
    at = re.search(r"(?<![\d.,$£€:-])\b([2-9]|1[0-2])\b(?![\d.,%:/-])(?= [a-z])", text)
    if at is not None:
        return (Edit(*at.span(), names[at.group()]),)
    at = re.search(rf"(?<= )(?:{'|'.join(_COUNTS)})(?= [a-z])", text)
    return None if at is None else (Edit(*at.span(), str(_COUNTS.index(at.group()) + 2)),)


def misspelt(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Misspell a word as people do, or swap two of its inner letters."""
    known = _slips()
    listed = [t for t in sentence.tokens if t.low in known]
    token = pick(rng, listed)
    if token is not None:
        return (replace_word(token, known[token.low]),)
    token = pick(rng, _long(sentence.tokens, least=7))
    if token is None:
        return None
    at = int(rng.integers(1, len(token.text) - 2))
    new = token.text[:at] + token.text[at + 1] + token.text[at] + token.text[at + 2 :]
    return None if new == token.text else (Edit(token.start, token.end, new),)


@cache
def _slips() -> dict[str, str]:
    return {word: slip for word, slip in rows("slips")}  # noqa: C416 - rows are of two


def _long(tokens: Sequence[Token], *, least: int) -> list[Token]:
    return [
        t for t in tokens if len(t.text) >= least and t.part in tuple("narv") and t.text.isalpha()
    ]


def letter_lost(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop a letter of a content word, neither its first nor its last."""
    token = pick(rng, _long(sentence.tokens[1:-1], least=6))
    if token is None:
        return None
    at = int(rng.integers(1, len(token.text) - 1))
    return (Edit(token.start, token.end, token.text[:at] + token.text[at + 1 :]),)


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
    candidates = [
        t
        for t in sentence.tokens
        if ("f", t.low) in known and not sentence.text[t.end :].startswith(" of ")
    ]
    token = pick(rng, candidates)
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
    candidates: list[Edit] = []
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
            candidates.append(
                Edit(token.start, owned.end, f"the {owned.text} of {token.text[:-2]}")
            )
    for m in re.finditer(r"\bthe ([a-z]+) of ([A-Z][a-z]+)(?! [A-Z]|['’\w])", sentence.text):
        if m.group(1) not in ("city", "state", "province", "town", "republic", "kingdom", "island"):
            candidates.append(Edit(*m.span(), f"{m.group(2)}'s {m.group(1)}"))
    return pick_edit(rng, candidates)


def voice(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Turn a simple active clause passive, or back; the roles stay."""
    candidates: list[Edit] = []
    text = sentence.text
    verbs = {t.start: t for t in sentence.tokens if t.part == "v" and t.form in ("ed", "en")}
    for m in _PASSIVE.finditer(text):
        verb = verbs.get(m.start("verb"))
        if verb is not None and _is_noun(m.group("who")) and _is_noun(m.group("by")):
            who, by = m.group("who"), m.group("by")
            new = f"{like(who, by)} {inflect(verb.base, 'v', 'ed')} {_inside(who)}"
            candidates.append(Edit(m.start("who"), m.end(), new))
    for m in _ACTIVE.finditer(text):
        verb = verbs.get(m.start("verb"))
        plain = verb is not None and verb.form == "ed" and verb.base not in _SAYING
        if plain and verb is not None and _is_noun(m.group("by")) and _is_noun(m.group("who")):
            who, by = m.group("who"), m.group("by")
            were = "were" if re.search(r"[a-z]s$", who) and who[0].islower() else "was"
            new = f"{like(by, who)} {were} {inflect(verb.base, 'v', 'en')} by {_inside(by)}"
            candidates.append(Edit(m.start("by"), m.end(), new))
    return pick_edit(rng, candidates)


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
    candidates: list[Edit] = []
    tokens = sentence.tokens
    for at in range(1, len(tokens) - 1):
        adverb, neighbour = tokens[at], tokens[at + 1]
        if (
            adverb.part == "r"
            and adverb.low.endswith("ly")
            and adverb.low not in ("only", "early", "likely", "nearly", "hardly", "barely")
            and neighbour.part == "v"
            and neighbour.form in ("ed", "s")
            and sentence.gap(at) == " "
            and at + 2 < len(tokens)
            and tokens[at + 2].low in PREPOSITIONS
            and sentence.gap(at + 1) == " "
        ):
            candidates.append(Edit(adverb.start, neighbour.end, f"{neighbour.text} {adverb.text}"))
    return pick_edit(rng, candidates)


synonym = from_table("alike")
demonym = at_one_place(
    everywhere(
        *[
            (rf"(?<![\w-]){re.escape(a)}(?= [a-z])(?! (?:{_NO_NOUN})\b)", b)
            for a, b in _COUNTRIES.items()
        ]
    )
)
