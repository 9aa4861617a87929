"""When and whether it happened turned: tense, aspect, modality, a question for a statement."""

from __future__ import annotations

import re

from detector.learn.makers.clauses import finite, turns
from detector.learn.makers.edits import Edit, Edits, Maker, Rng, like, pick
from detector.learn.makers.grammar import SUBJECTS, Sentence, inflect
from detector.learn.makers.pools import Pools

_TENSES = {
    "is": ("was", "will be"),
    "are": ("were", "will be"),
    "was": ("is", "will be"),
    "were": ("are", "will be"),
    "will": ("would",),
    "has": ("had", "will have"),
    "have": ("had", "will have"),
    "had": ("has", "will have"),
    "does": ("did",),
    "did": ("does",),
    "do": ("did",),
}
_MODALS = {
    "must": ("may", "can", "could"),
    "may": ("must", "will"),
    "might": ("must", "will"),
    "could": ("must", "will"),
    "can": ("must", "cannot"),
    "should": ("could", "need not"),
    "will": ("may", "could", "should"),
    "would": ("could", "must", "should"),
    "cannot": ("can",),
}
_WITH = {
    "ing": ("was", "were"),
    "ed": ("has", "have", "had"),
    "en": ("has", "have", "had"),
}


def tense(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Move a verb to another time."""
    del pool
    found: list[Edit] = []
    for at, token in enumerate(sentence.tokens):
        if token.low in _TENSES and "'" not in token.low:
            options = _TENSES[token.low]
            if token.low == "had" and at and sentence.tokens[at - 1].form == "s":
                options = ("have", "will have")
            found.append(
                Edit(
                    token.start,
                    token.end,
                    like(token.text, options[int(rng.integers(len(options)))]),
                )
            )
        elif token.part == "v" and token.form in ("ed", "s") and _main(sentence, at):
            many = at and (
                sentence.tokens[at - 1].form == "s" or sentence.tokens[at - 1].low == "they"
            )
            present = token.base if many else inflect(token.base, "v", "s")
            options = (
                present if token.form == "ed" else inflect(token.base, "v", "ed"),
                f"will {token.base}",
            )
            new = options[int(rng.integers(2))]
            if new != token.low:
                found.append(Edit(token.start, token.end, like(token.text, new)))
    edit = pick(rng, found)
    return None if edit is None else (edit,)


def _main(sentence: Sentence, at: int) -> bool:
    before = sentence.tokens[at - 1] if at else None
    if before is None or sentence.gap(at - 1) != " ":
        return False
    return before.low in SUBJECTS or (before.part in ("p", "n") and finite(sentence, at))


def aspect(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Make what was done what was being done, or had been."""
    del pool
    found: list[Edit] = []
    tokens = sentence.tokens
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else None
        if token.part != "v" or before is None:
            continue
        many = before.form == "s" or before.low in ("they", "we", "you")
        ing = inflect(token.base, "v", "ing")
        if token.form == "ed" and _main(sentence, at):
            options = (
                f"{'were' if many else 'was'} {ing}",
                f"had {inflect(token.base, 'v', 'en')}",
            )
            found.append(Edit(token.start, token.end, options[int(rng.integers(2))]))
        elif token.form == "s" and _main(sentence, at):
            options = (f"is {ing}", f"has {inflect(token.base, 'v', 'en')}")
            found.append(Edit(token.start, token.end, options[int(rng.integers(2))]))
        elif before.low in _WITH.get(token.form, ()):
            found.append(Edit(before.start, token.end, inflect(token.base, "v", "ed")))
    edit = pick(rng, found)
    return None if edit is None else (edit,)


def question(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Ask what was stated."""
    del rng, pool
    text = sentence.text
    stop = re.search(r"\.(?=[\"”’']?$)", text)
    if stop is None or not sentence.tokens:
        return None
    first = sentence.tokens[0]
    for token in sentence.tokens[1:12]:
        if re.search(r"[,;:]", text[first.start : token.start]):
            break
        if token.low in (
            "is",
            "are",
            "was",
            "were",
            "will",
            "has",
            "can",
            "could",
            "would",
            "should",
        ):
            name = first.part == "p" or first.low == "i"
            lowered = first.text if name else first.text[:1].lower() + first.text[1:]
            return (
                Edit(first.start, first.end, f"{like('A', token.low)} {lowered}"),
                Edit(token.start - 1, token.end, "", marked=False),
                Edit(*stop.span(), "?"),
            )
    return (Edit(*stop.span(), "?"),)


DAMAGE: dict[str, Maker] = {
    "tense": tense,
    "modality": turns(_MODALS, r"(?= [a-z])(?! not)"),
    "question": question,
}
"""Makers by the names of their kinds."""

BLUR: dict[str, Maker] = {"aspect": aspect}
"""Makers of what readers do not agree about."""
