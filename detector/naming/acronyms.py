"""Initials and what they stand for: "WHO", "World Health Organization".

Which names are well known by their initials is told by the lexicon; any others are spelt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detector.lexicon import (
    bare_acronym,
    closed_class,
    is_stopword,
    same_acronym,
    spells_acronym,
)
from detector.naming.board import Board, Match
from detector.naming.mentions import Mention
from detector.words import Word

_SMALL = closed_class("joiner")


def match_acronym(board: Board, mention: Mention) -> None:
    """Settle a name that stands in the copy as its initials, or as what its initials mean."""
    if len(board.open(mention)) < len(mention.at):
        return
    text = board.source_text(mention.at)
    for at in _acronym_partners(board, text):
        if not any(k in board.taken for k in at) and _is_spelt_out(board, text, at):
            for i in mention.at:
                board.settle(i, Match("kept", at, "an acronym and its full name"))
            return


def abbreviates(words: Sequence[Word], at: int) -> bool:
    """Tell whether a word gives the initials of other words of the same text.

    Parameters
    ----------
    words : sequence of Word
    at : int
        Position of the word.
    """
    text = words[at].text
    letters = _letters(text)
    if letters is None or len(letters) < 2:
        return False
    return any(
        words[k].norm[0] == letters[0].lower()
        and spells_acronym(letters, " ".join(w.text for w in words[k : k + size]))
        for size in range(len(letters), len(letters) + 3)
        for k in range(len(words) - size + 1)
        if not k <= at < k + size
    )


def _letters(text: str) -> str | None:
    """Return the letters of an acronym, small ones inside it included ("DoD"); None if none."""
    mixed = 2 < len(text) < 6 and text[0].isupper() and text[-1].isupper() and text.isalpha()
    return bare_acronym(text.upper() if mixed else text)


def _is_spelt_out(board: Board, text: str, at: Sequence[int]) -> bool:
    phrase = board.copy_text(at)
    if board.copy_lowered and len(at) == 1:
        phrase = phrase.upper()
    if same_acronym(text, phrase):
        return True
    if len(at) == 1:  # "United States Geological Survey" is shortened to "USGS"
        return spells_acronym(phrase, text)
    # "IM" is spelt out by "instant messaging", where the source does not say these words itself.
    words = [board.copy[j].norm for j in at]
    return (
        _letters(text) is not None
        and not any(is_stopword(norm) and norm not in _SMALL for norm in words)
        and not board.plain & {norm for norm in words if norm not in _SMALL}
        and spells_acronym(text, phrase)
    )


def _acronym_partners(board: Board, text: str) -> Iterator[tuple[int, ...]]:
    """Yield the copy's phrases that may spell an acronym out, or its words that may be one."""
    if _letters(text) is None:
        yield from (
            (j,)
            for j, w in enumerate(board.copy)
            if len(w.text) > 1 and (w.text.isupper() or board.copy_lowered)
        )
        return
    initial = text[0].lower()
    for j, word in enumerate(board.copy):
        if word.norm[0] == initial:
            yield from (tuple(range(j, j + n)) for n in range(1, 6) if j + n <= len(board.copy))
