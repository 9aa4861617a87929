"""Damage names and offices; a name is what has a capital inside a sentence."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from detector.text.lexicon import is_calendar, is_word, name_kinds, read_table, title_key
from detector.training.contrasts.edits import (
    Edit,
    Edits,
    Pools,
    Rng,
    choose,
    kind_of,
    like,
    lose,
    pick,
    words_like,
)
from detector.training.contrasts.grammar import (
    PREPOSITIONS,
    Sentence,
    Token,
    choices,
    listed,
    replacement,
    rows,
)

_POSSESSIVE = re.compile(r"['’](?:s|S)$")
_FAR_TITLES = listed("""
    minister president governor mayor ambassador judge senator general director chairman secretary
    chancellor commissioner captain professor bishop prince lawyer deputy inspector prosecutor
    spokesman colonel king editor coach treasurer councillor sergeant admiral principal
""")
_FOREIGN = replacement("acronym")
_OFFICES = replacement("office")  # as round trips render them
_NO_TITLES = {"chair", "count", "father", "brother", "sister", "mother"}


def _runs(sentence: Sentence) -> list[tuple[Token, ...]]:
    """List names: capitalised words one space apart, without days and months."""
    runs: list[list[Token]] = []
    for at, token in enumerate(sentence.tokens):
        proper = token.part == "p" and not is_calendar(token.low) and len(token.text) > 2
        if not proper or title_key(token.text) is not None or re.search("-[a-z]", token.text):
            continue
        joined = (
            at and sentence.gap(at - 1) == " " and runs and runs[-1][-1] is sentence.tokens[at - 1]
        )
        if joined and not _POSSESSIVE.search(runs[-1][-1].text):
            runs[-1].append(token)
        else:
            runs.append([token])
    return [tuple(run) for run in runs]


def _bare(token: Token) -> str:
    return _POSSESSIVE.sub("", token.text)


def _span(run: tuple[Token, ...]) -> tuple[int, int]:
    return run[0].start, run[-1].start + len(_bare(run[-1]))


def swapped(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Replace a name by another of its kind."""
    run = pick(rng, _runs(sentence))
    if run is None:
        return None
    start, end = _span(run)
    name = sentence.text[start:end]
    alike = pool.names.get(kind_of(name), ())
    if not alike:
        return None
    for at in rng.integers(len(alike), size=40).tolist():
        if alike[at].count(" ") == name.count(" ") and alike[at] not in sentence.text:
            return (Edit(start, end, alike[at]),)
    return None


def _one_word(sentence: Sentence, rng: Rng, least: int) -> Token | None:
    tokens = [t for run in _runs(sentence) for t in run]
    return pick(rng, [t for t in tokens if len(_bare(t)) >= least and _bare(t).isalpha()])


def garbled(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Repeat a syllable of a name, or change several of its letters."""
    token = _one_word(sentence, rng, 5)
    if token is None:
        return None
    name = _bare(token)
    cut = int(rng.integers(2, len(name) - 1))
    mixed = name[1:].translate(str.maketrans("bpgkdtvf", "pbkgtdfv"))
    forms = (
        name[:cut] + name[cut - 2 : cut] + name[cut:],
        name[:cut] + name[cut + 1 :] + "aeo"[cut % 3],
        name[0] + name[1:].translate(str.maketrans("aeiou", "eiuao")),
        name[0] + re.sub(r"[aeiou]", "", name[1:-1]) + name[-1],
        name[0] + mixed.translate(str.maketrans("aeo", "oia")),
    )
    new = choose(rng, forms)
    return None if new == name else (Edit(token.start, token.start + len(name), new),)


def cut(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Cut the last letters off a name, or its first."""
    token = _one_word(sentence, rng, 6)
    if token is None:
        return None
    name = _bare(token)
    off = int(rng.integers(2, len(name) // 2 + 1))
    new = like(name, name[off:]) if rng.random() < 0.2 else name[:-off]
    return (Edit(token.start, token.start + len(name), new),)


def dropped(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop a name, with its preposition."""
    run = pick(rng, _runs(sentence))
    if run is None:
        return None
    at = sentence.tokens.index(run[0])
    start, end = run[0].start, run[-1].end
    for back in (1, 2):
        if at >= back and sentence.gap(at - back) == " ":
            before = sentence.tokens[at - back]
            if before.low in PREPOSITIONS or (back == 1 and before.low == "the"):
                start = before.start
                continue
        break
    if len(sentence.tokens) - len(run) < 4:
        return None
    return (lose(sentence.text, start, end),)


def family_dropped(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop the family name of a person."""
    run = pick(rng, _people(sentence))
    return None if run is None else (lose(sentence.text, run[-1].start, _span(run)[1]),)


def given_dropped(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop the given name of a person."""
    run = pick(rng, _people(sentence))
    return None if run is None else (lose(sentence.text, run[0].start, run[0].end),)


def _people(sentence: Sentence) -> list[tuple[Token, ...]]:
    """List names of two words that begin with a given name."""
    return [
        run
        for run in _runs(sentence)
        if len(run) == 2
        and "given" in name_kinds(run[0].text)
        and kind_of(run[0].text) == "person"
        and "place" not in (kind_of(_bare(run[1])), kind_of(f"{run[0].text} {_bare(run[1])}"))
        and not is_word(_bare(run[1]).lower())
    ]


def as_word(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Replace a name by a common noun: itself in lower case, or another."""
    run = pick(rng, _runs(sentence))
    if run is None:
        return None
    start, end = _span(run)
    led = sentence.text[:start].lower().endswith("the ")
    name, alone = _bare(run[0]).lower(), not sentence.text[end:].startswith((" of", " and"))
    if len(run) == 1 and alone and not led and is_word(name) and rng.random() < 0.6:
        return (Edit(start, end, f"the {name}"),)
    noun = pick(rng, words_like("window", "n", ""))
    the = "" if led else "the "
    return None if noun is None else (Edit(start, end, f"{the}{noun}"),)


def translated(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Translate a word of a longer name into the pivot, or by another sense."""
    left = _leftovers()
    candidates = [
        token
        for run in _runs(sentence)
        for token in run
        if len(run) > 1
        and (_bare(token).lower() in left or ("n", _bare(token).lower()) in choices("senses"))
    ]
    token = pick(rng, candidates)
    if token is None:
        return None
    word = _bare(token).lower()
    options = (*left.get(word, ()), *choices("senses").get(("n", word), ()))
    new = choose(rng, options)
    return (Edit(token.start, token.start + len(word), like("A", new)),)


@cache
def _leftovers() -> dict[str, tuple[str, ...]]:
    return {row[0]: row[2:] for row in rows("leftovers")}


def turned(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Swap two names with a verb between them."""
    candidates = []
    for first, second in pairwise(_runs(sentence)):
        (start, end), (low, high) = _span(first), _span(second)
        between = [t for t in sentence.tokens if end <= t.start < low]
        names = sentence.text[start:end], sentence.text[low:high]
        led = sentence.text[:start].endswith("the ") or sentence.text[:low].endswith("the ")
        part = (
            re.match(" (?:of|and) ", sentence.text[high:]) or " of " in sentence.text[end : end + 4]
        )
        if names[0] != names[1] and not led and not part and any(t.part == "v" for t in between):
            candidates.append((Edit(start, end, names[1]), Edit(low, high, names[0])))
    return pick(rng, candidates)


def title_changed(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Replace a title or office by another, or by a mistranslation of it."""
    at = pick(rng, list(_titles().finditer(sentence.text)))
    if at is None:
        return None
    old = at.group()
    if old.lower() in _OFFICES and rng.random() < 0.5:
        return (Edit(at.start(), at.end(), like(old, _OFFICES[old.lower()])),)
    key = title_key(old) or old.lower()
    others = [t for t in _FAR_TITLES if t not in key and t not in sentence.text.lower()]
    return (Edit(at.start(), at.end(), like(old, choose(rng, others))),)


@cache
def _titles() -> re.Pattern[str]:
    forms = {form.lower() for _, row in read_table("titles") for form in row.split("|")}
    known = {f for f in forms | {*_FAR_TITLES} if len(f) > 4 and "." not in f} - _NO_TITLES
    longest = "|".join(map(re.escape, sorted(known | set(_OFFICES), key=len, reverse=True)))
    return re.compile(rf"(?<![\w-])(?:{longest})(?=s?\b(?!-))", re.IGNORECASE)


def acronym_turned(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Write an acronym as other languages do, or shuffle its letters."""
    at = pick(rng, list(re.finditer(r"(?<![\w.-])[A-Z]{2,6}(?![\w-]|\.[A-Z])", sentence.text)))
    if at is None or at.group() == "AM" or at.group() == "PM":
        return None
    old = at.group()
    new = _FOREIGN.get(old, "")
    if not new or rng.random() < 0.3:
        order = rng.permutation(len(old)).tolist()
        new = "".join(old[i] for i in order)
    return None if new == old else (Edit(*at.span(), new),)
