"""Whether a word of a name still says the same: in small letters, in other words, in general.

It looks at one word and what stands around it; which words to compare is settled by `forms` and
`standins`.
"""

from __future__ import annotations

from detector.lexicon import (
    base_forms,
    closed_class,
    is_word,
    name_kinds,
    place_key,
    title_key,
)
from detector.naming.board import Board
from detector.naming.casing import base_form
from detector.naming.spelling import is_cut
from detector.words import Word

GENERIC = closed_class("generic_head")
"""Heads of offices and institutions that an editor may write without a capital."""

SAID_OTHERWISE = 0.4
"""Belief that a name of ordinary words is damaged where other words say much the same."""

_DETERMINERS = closed_class("determiner")
_SAME_SENSE = 0.45  # likeness from which a word in a name's place says much the same


def is_generic(norm: str) -> bool:
    """Tell an office or the head of an institution from a word that tells one from another."""
    return norm in GENERIC or norm.removesuffix("s") in GENERIC or title_key(norm) is not None


def is_place_adjective(text: str) -> bool:
    """Tell "American" from "America"."""
    key = place_key(base_form(text))
    return key is not None and base_form(text).casefold() not in key.split()


def reads_as_word(board: Board, word: Word, j: int) -> bool:
    """Tell whether a name without its capital means something else.

    "The sun" is not "Sun", nor "a solo" the town; "the post" may be "The Post", and a heading's
    "Order" or "Communism" only lost a capital.
    """
    if not is_word(word.norm) or is_led(board, word, j):
        return False
    led_now = j > 0 and board.copy[j - 1].norm in _DETERMINERS
    return led_now or not name_kinds(word.norm).isdisjoint(("given", "surname"))


def is_led(board: Board, word: Word, j: int) -> bool:
    """Tell whether an article or the like leads the word in the source, or a possessive in both."""
    k = board.source.index(word)
    before = board.source[k - 1] if k else None
    if before is None or before.norm in _DETERMINERS - {"that"}:  # "said that Mark"
        return before is not None
    return before.possessive and j > 0 and board.copy[j - 1].possessive


def says_the_same(board: Board, i: int, j: int) -> bool:
    """Tell whether an ordinary word of a name only gave way to another word for it.

    So do the words of institutions ("Health Ministry", "health department"), if all of them came
    through, and what stands behind an article ("the Falls", "the waterfalls"). "Sun" for somebody
    is no such word.
    """
    word, other = board.source[i], board.copy[j]
    if not (is_word(word.norm) and is_word(other.norm)) or place_key(word.text) is not None:
        return False
    if is_cut(other.norm, word.norm) and base_forms(word.norm).isdisjoint(base_forms(other.norm)):
        return False
    led = i > 0 and board.source[i - 1].norm in _DETERMINERS
    (at,) = (mention.at for mention in board.mentions if i in mention.at)
    whole = len(at) > 1 and all(board.links.source_strength[k] >= _SAME_SENSE for k in at)
    plain = whole and name_kinds(word.norm).isdisjoint(("given", "surname"))
    return (led or plain) and float(board.links.strength[i, j]) >= _SAME_SENSE
