"""Drop, add, repeat or reorder words."""

from __future__ import annotations

import re

import numpy as np

from detector.text.lexicon import is_negation
from detector.training.contrasts.edits import (
    Edit,
    Edits,
    Maker,
    Pools,
    Rng,
    choose,
    lose,
    pick,
    replace_word,
    words_like,
)
from detector.training.contrasts.grammar import PREPOSITIONS, SUBJECTS, Sentence, Token, listed

_FEWEST = 5  # words that a sentence keeps
_LIGHT = listed("""
    about actually again already also currently given however other quite really simply still very
    just certain various several then thus indeed even own well back away itself total
""")  # their loss changes little
_CONJUNCTIONS = ("and", "but", "or", "because", "although", "while", "if", "when", "so", "though")
_PLACES = (
    *("in the capital", "near the border", "at the hospital", "in the north", "behind the house"),
    *("in prison", "at the airport", "on the island", "in the parliament", "at home"),
)
_CIRCUMSTANCES = (
    *(
        "for the first time",
        "without permission",
        "against his will",
        "for no reason",
        "by mistake",
    ),
    *("at gunpoint", "in secret", "on behalf of the army", "for a second time"),
    *("under a false name", "last summer", "before the war", "after midnight", "two years ago"),
    "for several months",
)


def _drop(parts: str) -> Maker:
    """Make a maker that drops one word of the given parts of speech."""

    def drop(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
        if len(sentence.tokens) <= _FEWEST:
            return None
        candidates = [
            (at, t)
            for at, t in enumerate(sentence.tokens)
            if t.part
            and t.part in parts
            and len(t.text) > 3
            and t.low not in _LIGHT
            and not is_negation(t.low)
            and (t.part != "v" or t.base not in ("have", "be", "do"))
            and not (t.part == "n" and at < 4 and _head(sentence) is t)
        ]
        choice = pick(rng, candidates)
        if choice is None:
            return None
        return (lose(sentence.text, choice[1].start, choice[1].end),)

    return drop


def _head(sentence: Sentence) -> Token | None:
    """Return the head of the subject: the last noun or name before the first verb."""
    last = None
    for token in sentence.tokens[:8]:
        if token.part in ("n", "p"):
            last = token
        elif token.low in SUBJECTS:
            return token
        elif last is not None and (
            token.part == "v"
            or token.low in ("is", "are", "was", "were", "has", "have", "had", "will")
        ):
            return last
        elif token.low in PREPOSITIONS or token.low == "and":
            return None
    return None


def subject(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop the head of the subject."""
    head = _head(sentence)
    if head is None or len(sentence.tokens) <= _FEWEST:
        return None
    return (lose(sentence.text, head.start, head.end),)


def _phrases(sentence: Sentence) -> list[tuple[int, int]]:
    """Find prepositional phrases: a preposition up to its noun, before another begins."""
    candidates = []
    tokens = sentence.tokens
    for at, token in enumerate(tokens):
        if token.low not in PREPOSITIONS or token.low == "to" or not at:
            continue
        for end in range(at + 1, min(at + 7, len(tokens))):
            if sentence.gap(end - 1) not in (" ", "-"):
                break
            ahead = tokens[end]
            closes = (
                end + 1 >= len(tokens)
                or sentence.gap(end) != " "
                or tokens[end + 1].low in PREPOSITIONS | {"and"}
            )
            if ahead.part in ("n", "p", "d") and closes:
                candidates.append((token.start, ahead.end))
                break
            if ahead.part == "v" and ahead.form != "ing":
                break
    return candidates


def phrase(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop a prepositional phrase."""
    at = pick(rng, _phrases(sentence))
    if at is None or len(sentence.text) - (at[1] - at[0]) < 25:
        return None
    return (lose(sentence.text, *at),)


def clause(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop a clause between commas, or the final one."""
    text = sentence.text
    candidates = [m.span() for m in re.finditer(r",[^,;.]{12,80}(?=[,.;](?!\d))", text)]
    candidates += [
        m.span()
        for m in re.finditer(
            r"(?<=[a-z]) (?:and|but|which|while|because|after|before) [^,;.]{15,90}(?=\.[\"”]?$)",
            text,
        )
    ]
    at = pick(rng, candidates)
    if at is None or len(text) - (at[1] - at[0]) < 25:
        return None
    return (Edit(*at, ""),)


def conjunction(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop a conjunction."""
    tokens = sentence.tokens
    candidates = [
        t
        for at, t in enumerate(tokens[1:-1], start=1)
        if t.low in _CONJUNCTIONS or (t.low == "that" and tokens[at - 1].part == "v")
    ]
    token = pick(rng, candidates)
    return None if token is None else (lose(sentence.text, token.start, token.end),)


def doubled(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Repeat a word, or put its neighbour in its place."""
    candidates = [(at, t) for at, t in enumerate(sentence.tokens) if len(t.text) > 3]
    choice = pick(rng, candidates)
    if choice is None:
        return None
    at, token = choice
    before = sentence.tokens[at - 1] if at else None
    if (
        before is not None
        and len(before.text) > 3
        and sentence.gap(at - 1) == " "
        and rng.random() < 0.3
    ):
        return (replace_word(token, before.low),)  # federal federal
    times = 1 if rng.random() < 0.7 else 3
    again = token.text if token.part == "p" else token.text.lower()
    return (Edit(token.end, token.end, f" {again}" * times),)


def repeated(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Repeat a phrase of two to five words."""
    tokens = sentence.tokens
    size = int(rng.integers(2, 6))
    starts = [
        at
        for at in range(len(tokens) - size)
        if all(sentence.gap(i) == " " for i in range(at, at + size - 1))
        and len(tokens[at + size - 1].text) > 3
    ]
    at = pick(rng, starts)
    if at is None:
        return None
    start, end = tokens[at].start, tokens[at + size - 1].end
    said = sentence.text[start:end]
    said = said if tokens[at].part == "p" else said[:1].lower() + said[1:]
    return (Edit(end, end, f" {said}"),)


def shuffled(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Shuffle the words of the sentence, or of half of it; punctuation stays in place."""
    tokens = sentence.tokens
    if len(tokens) < _FEWEST:
        return None
    low, high = 0, len(tokens)
    if len(tokens) >= 12 and rng.random() < 0.4:
        low = int(rng.integers(len(tokens) // 2))
        high = low + len(tokens) // 2
    order = rng.permutation(np.arange(low, high)).tolist()
    edits = []
    for at, other in zip(range(low, high), order, strict=True):
        word = tokens[other]
        new = word.text if word.part == "p" or word.low == "i" else word.text.lower()
        if tokens[at].text != new:
            edits.append(Edit(tokens[at].start, tokens[at].end, new))
    return tuple(edits) or None


def neighbours(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Swap two neighbouring words."""
    tokens = sentence.tokens
    candidates = [
        at
        for at in range(len(tokens) - 1)
        if sentence.gap(at) == " " and tokens[at].low != tokens[at + 1].low
    ]
    at = pick(rng, candidates)
    if at is None:
        return None
    first, second = tokens[at], tokens[at + 1]
    low = first.text if at or first.part == "p" else first.text.lower()
    return (Edit(first.start, second.end, f"{second.text} {low}"),)


def word_added(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Add an adjective of the lexicon to a noun."""
    tokens = sentence.tokens
    candidates = [
        t
        for at, t in enumerate(tokens)
        if t.part in ("n", "a")
        and at
        and tokens[at - 1].low in ("the", "a", "an", "his", "her", "their", "its")
    ]
    token = pick(rng, candidates)
    new = pick(rng, words_like("wooden" if rng.random() < 0.5 else "foreign", "a", ""))
    if token is None or new is None or new in sentence.text:
        return None
    return (Edit(token.start, token.start, f"{new} "),)


def phrase_added(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Add a phrase of place, time or manner."""
    stop = re.search(r"(?<=\w)(?=[.!?][\"”]?$)", sentence.text)
    spots = [stop.start()] if stop else []
    spots += [end for _, end in _phrases(sentence)]
    at = pick(rng, spots)
    options = (*_PLACES, *_CIRCUMSTANCES) if rng.random() < 0.3 else pool.phrases or _PLACES
    new = choose(rng, options)
    return None if at is None else (Edit(at, at, f" {new}"),)


def clause_added(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Add the final clause of another sentence."""
    stop = re.search(r"(?<=\w)(?=[.!?][\"”]?$)", sentence.text)
    new = pick(rng, pool.clauses)
    if stop is None or new is None or new in sentence.text:
        return None
    return (Edit(stop.start(), stop.start(), new),)


noun = _drop("n")
verb = _drop("v")
adjective_or_adverb = _drop("ar")
