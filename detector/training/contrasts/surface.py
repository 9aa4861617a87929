"""Change case, punctuation, spacing and spelling; the meaning stays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from detector.training.contrasts.edits import (
    Edit,
    Edits,
    Maker,
    Pools,
    Rng,
    pick,
    pick_edit,
    replace_word,
)
from detector.training.contrasts.grammar import Sentence, Token, rows

_COUNTS = (
    *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def from_rules(kind: str) -> Maker:
    """Make a maker that applies one of the rules that the list `rules` holds for a kind."""
    found = [(where, pattern, new) for name, where, new, pattern in rows("rules") if name == kind]
    maker = everywhere(*((pattern, new) for _, pattern, new in found))
    return maker if found[0][0] == "all" else at_one_place(maker)


def everywhere(*rules: tuple[str, str]) -> Maker:
    """Make a maker that applies one of the rules (pattern, replacement) wherever it matches."""
    compiled = [(re.compile(pattern), new) for pattern, new in rules]
    either = re.compile("|".join(f"(?:{pattern})" for pattern, _ in rules))

    def rewrite(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
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
    found = re.finditer(r"\S+", sentence.text)
    edits = [Edit(*m.span(), m.group().lower()) for m in found if m.group() != m.group().lower()]
    return tuple(edits) or None


def first_lower(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Begin in lower case."""
    at = re.search(r"[^\W\d_]", sentence.text)
    if at is None or not at.group().isupper() or len(at.group().lower()) != 1:
        return None
    return (Edit(*at.span(), at.group().lower()),)


def case(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Write one word in another case: Xi, XI; minister, Minister."""
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
    """Put spaces around punctuation."""
    text = sentence.text
    found = [
        Edit(m.start(), m.start(), " ")
        for m in re.finditer(r"(?<=\w)(?=[,;:!?)\"”](?!\w)|\.$|['’]s\b)", text)
    ]
    found += [Edit(m.end(), m.end(), " ") for m in re.finditer(r"[(\"“](?=\w)", text)]
    found += [Edit(m.start(), m.end(), " - ") for m in re.finditer(r"(?<=[a-z])-(?=[a-z])", text)]
    return tuple(found) or None


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
