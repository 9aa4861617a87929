"""Marks of pairs to what the tagger is to say of each token.

Which marks count how much, and where nobody looked, is said here; nothing is fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.learn.corpus import Pair
from detector.records import TokenVectors
from detector.tags import KINDS

UNKNOWN = -1
"""Stands for a token whose kind is not known, or that is sound."""

_EDITED = 0.5  # an edit of a post-editor: half of them are matters of taste
_MINOR = 0.4
_MARKED_IN_COPY = frozenset(
    {"contrast", "tortured", "identical", "mlqe", "mqm_news", "mqm_ted", "biomqm"}
)
_MARKED_IN_SOURCE = frozenset({"tortured", "identical", "mlqe"})
_BY_RULE = frozenset({"wmt", "flores"})  # labelled as a whole, without marks

# What the corpora and the makers of minimal pairs call things, by how the name starts or, for
# makers, by a word in it.
_CATEGORIES = (
    ("Accuracy/Omission", "omission"),
    ("Accuracy/Addition", "addition"),
    ("Accuracy", "mistranslation"),
    ("Terminology", "mistranslation"),
    ("Fluency", "grammar"),
    ("Linguistic", "grammar"),
    ("Locale convention/Name", "name"),
    ("Locale", "number"),
)
_NUMBERS = frozenset(
    {"number", "number word", "ordinal", "magnitude", "currency", "unit", "date", "moment"}
)
_GRAMMAR = frozenset(
    {"tense", "aspect", "part of speech", "plural", "function word", "neighbours swapped"}
    | {"words shuffled", "word doubled", "phrase repeated", "stack turned"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What is to be said of the tokens of one side.

    Attributes
    ----------
    damage : ndarray of shape (n_tokens,), float32
        In [0, 1]; for a source token, that it was lost.
    kind : ndarray of shape (n_tokens,), int64
        Position in `KINDS`, or `UNKNOWN`.
    """

    damage: NDArray[np.float32]
    kind: NDArray[np.int64]


def copy_targets(pair: Pair, tokens: TokenVectors) -> Targets | None:
    """Say which tokens of a copy are damaged; None where nobody marked copies of its corpus."""
    if pair.corpus in _BY_RULE and pair.label is False:
        return _none(tokens)
    if pair.corpus not in _MARKED_IN_COPY:
        return None
    return _targets(pair, tokens, "copy")


def source_targets(pair: Pair, tokens: TokenVectors) -> Targets | None:
    """Say which tokens of a source were lost; None where nobody could mark it.

    A minimal pair in which a word was replaced says nothing of the source word in its place, unless
    `tagger_sample.with_lost` marked it.
    """
    if pair.label is False and pair.corpus in {*_BY_RULE, "contrast"}:
        return _none(tokens)
    told = pair.corpus == "contrast" and any(mark.side == "source" for mark in pair.marks)
    if not told and pair.corpus not in _MARKED_IN_SOURCE:
        return None
    return _targets(pair, tokens, "source")


def kind_of(mark: str) -> int:
    """Return the position in `KINDS` of what a corpus or a maker calls an error.

    Examples
    --------
    >>> KINDS[kind_of("Accuracy/Mistranslation")], KINDS[kind_of("name garbled")]
    ('mistranslation', 'name')
    >>> kind_of("edited") == UNKNOWN
    True
    """
    for start, kind in _CATEGORIES:
        if mark.startswith(start):
            return KINDS.index(kind)
    if mark in _NUMBERS:
        return KINDS.index("number")
    if mark in _GRAMMAR:
        return KINDS.index("grammar")
    for word, kind in (
        ("name", "name"),
        ("title", "name"),
        ("acronym", "name"),
        ("dropped", "omission"),
        ("omitted", "omission"),
        ("added", "addition"),
    ):
        if word in mark:
            return KINDS.index(kind)
    return UNKNOWN if mark in ("", "edited") else KINDS.index("mistranslation")


def _none(tokens: TokenVectors) -> Targets:
    n = len(tokens.starts)
    return Targets(np.zeros(n, np.float32), np.full(n, UNKNOWN, np.int64))


def _targets(pair: Pair, tokens: TokenVectors, side: str) -> Targets:
    out = _none(tokens)
    if pair.corpus == "contrast" and pair.label is False:
        return out  # harmless changes, looks included
    for mark in pair.marks:
        if mark.side != side or mark.weight <= 0:
            continue
        value = _EDITED if pair.corpus == "mlqe" else 1.0 if mark.weight >= 5 else _MINOR
        hit = (tokens.starts < mark.end) & (tokens.ends > mark.start)
        out.damage[hit] = np.maximum(out.damage[hit], value)
        out.kind[hit] = kind_of(mark.kind)
    return out
