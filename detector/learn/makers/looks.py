"""Changes of how a copy looks: case, marks, spaces, spelling. None says another thing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from detector.learn.makers.edits import Edit, Edits, Maker, Rng, like, pick
from detector.learn.makers.grammar import Sentence
from detector.learn.makers.pools import Pools
from detector.learn.makers.tables import rows

_COUNTS = (
    *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def every(rules: Sequence[tuple[str, str]]) -> Maker:
    """Make a maker that applies one rule that changes anything, wherever it matches."""
    compiled = [(re.compile(pattern), new) for pattern, new in rules]
    either = re.compile("|".join(f"(?:{pattern})" for pattern, _ in rules))

    def rewrite(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
        del pool
        if either.search(sentence.text) is None:
            return None
        for index in rng.permutation(len(compiled)).tolist():
            pattern, new = compiled[index]
            found = [
                Edit(m.start(), m.end(), m.expand(new)) for m in pattern.finditer(sentence.text)
            ]
            edits = tuple(e for e in found if sentence.text[e.start : e.end] != e.new)
            if edits:
                return edits
        return None

    return rewrite


def one_of(rules: Sequence[tuple[str, str]]) -> Maker:
    """Make a maker that applies one rule at one place."""
    rewrite = every(rules)

    def once(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
        edits = rewrite(sentence, rng, pool)
        one = pick(rng, edits or ())
        return None if one is None else (one,)

    return once


def beyond_ascii(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Drop what is not ASCII, typographic marks first made of plain ones, as wild copies show.

    A currency sign is a matter of meaning, and is left.
    """
    del rng, pool
    spots = re.finditer(r"(?<=\w)['’](?=\w)|[\"“”‘’]|[^\x00-\x7f]", sentence.text)
    return tuple(Edit(*m.span(), "") for m in spots if m.group() not in "£€¥₹°–—") or None


def lower_case(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Write everything in small letters."""
    del rng, pool
    found = re.finditer(r"\S+", sentence.text)
    edits = [Edit(*m.span(), m.group().lower()) for m in found if m.group() != m.group().lower()]
    return tuple(edits) or None


def first_lower(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Begin with a small letter."""
    del rng, pool
    at = re.search(r"[^\W\d_]", sentence.text)
    if at is None or not at.group().isupper() or len(at.group().lower()) != 1:
        return None
    return (Edit(*at.span(), at.group().lower()),)


def case(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Write one word in another case: Xi, XI; minister, Minister."""
    del pool
    found = [
        t for t in sentence.tokens if t.part in ("p", "n") and t.text.isalpha() and len(t.text) > 1
    ]
    token = pick(rng, found)
    if token is None:
        return None
    shapes = [token.text.upper(), token.text.lower(), token.text.capitalize()]
    new = pick(rng, [shape for shape in shapes if shape != token.text])
    return None if new is None else (Edit(token.start, token.end, new),)


def tokenised(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Put spaces round the marks."""
    del rng, pool
    text = sentence.text
    found = [
        Edit(m.start(), m.start(), " ")
        for m in re.finditer(r"(?<=\w)(?=[,;:!?)\"”](?!\w)|\.$|['’]s\b)", text)
    ]
    found += [Edit(m.end(), m.end(), " ") for m in re.finditer(r"[(\"“](?=\w)", text)]
    found += [Edit(m.start(), m.end(), " - ") for m in re.finditer(r"(?<=[a-z])-(?=[a-z])", text)]
    return tuple(found) or None


def mark_added(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Put a comma or another mark where none is needed."""
    del pool
    spots = [at for at in range(1, len(sentence.tokens) - 1) if sentence.gap(at) == " "]
    at = pick(rng, spots)
    if at is None:
        return None
    end = sentence.tokens[at].end
    return (Edit(end, end, ",;.-"[int(rng.choice(4, p=[0.6, 0.1, 0.2, 0.1]))]),)


def count_written(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Write a small number out, or in digits."""
    del rng, pool
    text = sentence.text
    names = {str(n): word for n, word in enumerate(_COUNTS, start=2)}
    at = re.search(r"(?<![\d.,$£€:-])\b([2-9]|1[0-2])\b(?![\d.,%:/-])(?= [a-z])", text)
    if at is not None:
        return (Edit(*at.span(), names[at.group()]),)
    at = re.search(rf"(?<= )(?:{'|'.join(_COUNTS)})(?= [a-z])", text)
    return None if at is None else (Edit(*at.span(), str(_COUNTS.index(at.group()) + 2)),)


def misspelt(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Misspell a word as people do, or swap two of its inner letters."""
    del pool
    known = _slips()
    listed = [t for t in sentence.tokens if t.low in known]
    token = pick(rng, listed)
    if token is not None:
        return (Edit(token.start, token.end, like(token.text, known[token.low])),)
    token = pick(
        rng,
        [
            t
            for t in sentence.tokens
            if len(t.text) > 6 and t.part in ("n", "a", "r", "v") and t.text.isalpha()
        ],
    )
    if token is None:
        return None
    at = int(rng.integers(1, len(token.text) - 2))
    new = token.text[:at] + token.text[at + 1] + token.text[at] + token.text[at + 2 :]
    return None if new == token.text else (Edit(token.start, token.end, new),)


@cache
def _slips() -> dict[str, str]:
    return {word: slip for word, slip in rows("slips")}  # noqa: C416 - rows are of two


def letter_lost(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Lose a letter of a word of meaning, neither its first nor its last."""
    del pool
    inner = sentence.tokens[1:-1]
    token = pick(
        rng,
        [
            t
            for t in inner
            if len(t.text) > 5 and t.part in ("n", "a", "r", "v") and t.text.isalpha()
        ],
    )
    if token is None:
        return None
    at = int(rng.integers(1, len(token.text) - 1))
    return (Edit(token.start, token.end, token.text[:at] + token.text[at + 1 :]),)


HARMLESS: dict[str, Maker] = {
    "lower case": lower_case,
    "first letter lower": first_lower,
    "case": case,
    "tokenised": tokenised,
    "stop dropped": every([(r"[.!](?=[\"”]?$)", "")]),
    "mark added": mark_added,
    "comma dropped": one_of([(r"(?<=[a-z]),(?= )", "")]),
    "quotes dropped": every([(r"[\"“”]|(?<!\w)['‘](?=\w)|(?<=[\w,.])['’](?!\w)", "")]),
    "quotes style": every(
        [
            (r"(?<!\w)\"(?=\w)", "“"),
            (r"(?<=[\w,.!?])\"(?!\w)", "”"),
            (r"[“”]", '"'),
            (r"(?<=\w)'(?=\w)", "’"),
            (r"(?<=\w)’(?=\w)", "'"),
            (r"\"", "''"),
        ]
    ),
    "beyond ASCII dropped": beyond_ascii,
    "possessive glued": every([(r"(?<=[a-z])['’]s\b", "s"), (r"(?<=s)['’](?= [a-z])", "")]),
    "hyphen": one_of(
        [
            (r"(?<=[a-z])-(?=[a-z])", " "),
            (r"(?<=[a-z])-(?=[a-z])", " -"),
            (r"(?<=\d)-(?=[a-z])", " "),
        ]
    ),
    "dash": every([(r" [–—-] ", ", "), (r"(?<=\w)—(?=\w)", " - "), (r" - ", " – ")]),
    "count written": count_written,
    "thousands": one_of([(r"(?<=\d),(?=\d{3}\b)", ""), (r"\b(\d{2})(\d{3})\b", r"\1,\2")]),
    "letter lost": letter_lost,
    "misspelt": misspelt,
}
"""Makers by the names of their kinds."""
