"""Where in the copy a lost name should stand, and which word stands there for nothing else.

Pure. What such a word means for the name is judged by `standins`.
"""

from __future__ import annotations

from detector.lexicon import is_stopword
from detector.naming.board import Board
from detector.naming.casing import has_capital


def find_candidate(board: Board, i: int, kept: list[int]) -> int | None:
    """Find the copy word that stands where the name should be, and for nothing else."""
    linked = int(board.links.to_copy[i])
    if linked >= 0 and is_candidate(board, linked):
        return linked
    before, after = _position(board, i - 1), _position(board, i + 1)
    places = [] if before is None else [before + 1, before + 2]
    places += [] if after is None else [after - 1, after - 2]
    # A translated name turns its parts round: "Morning Bell", "Bell of Dawn".
    for k in kept:
        places += [p + step for p in board.matches[k].copy for step in (1, 2, -1, -2)]
    for j in places:
        if not 0 <= j < len(board.copy):
            continue
        if i - 1 in kept and j == before + 1 and _is_odd_capital(board, j):  # type: ignore[operator] # a kept word has a place
            return j
        if not is_candidate(board, j):
            continue
        tight = before is not None and j == before + 1 and (i - 1 in kept or j == (after or 0) - 1)
        if board.capital(j) or (tight and board.links.to_source[j] < 0):
            return j
    return None


def _is_odd_capital(board: Board, j: int) -> bool:
    """Tell whether a small word is written like a part of a name ("Northwind Can")."""
    word = board.copy[j]
    return (
        j not in board.taken
        and is_stopword(word.norm)
        and has_capital(word.text)
        and word.start not in board.context.copy.opening
        and word.norm not in {w.norm for w in board.source}
    )


def _position(board: Board, k: int) -> int | None:
    if not 0 <= k < len(board.source):
        return None
    if k in board.matches and board.matches[k].copy:
        return board.matches[k].copy[-1]
    to = int(board.links.to_copy[k])
    return to if to >= 0 and board.links.strength[k, to] > 0.6 else None


def is_candidate(board: Board, j: int) -> bool:
    """Tell whether the copy word may stand for a name: it says something, for nothing else."""
    word = board.copy[j]
    return (
        j not in board.taken
        and not board.accounted(j)
        and not is_stopword(word.norm)
        and not word.norm[0].isdigit()
        and word.norm != "s"  # what is left of a possessive
    )
