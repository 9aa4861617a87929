"""One name change with all that its bead shows about it.

Pure: it only remembers what was found, for `traits` to count and measure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detector.naming.board import Board, Match
from detector.naming.casing import base_form
from detector.records import CHANGES, SLIPS, Change, NameChange

JUDGED: tuple[Change, ...] = tuple(c for c in CHANGES if c != "kept" and c not in SLIPS)
"""Changes that a classifier may judge; for the others the rule has the last word."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NameCase:
    """One name change with all that the bead shows about it.

    Attributes
    ----------
    board : Board
        The bead, every name settled.
    change : NameChange
    at : tuple of int
        Positions of the name's words in the source; empty for an added name.
    parts : mapping of int to Match
        What became of each of those words.
    copy_at : tuple of int
        Positions of the copy words that the change points at; may be empty.
    n_names, n_lost, n_added : int
        Names of the bead, how many of the source's did not come back, how many the copy added.
    """

    board: Board
    change: NameChange
    at: tuple[int, ...]
    parts: Mapping[int, Match]
    copy_at: tuple[int, ...]
    n_names: int
    n_lost: int
    n_added: int

    @property
    def lost(self) -> tuple[int, ...]:
        """Source positions of the words that did not come back."""
        return tuple(i for i in self.at if not is_back(self.parts[i]))

    @property
    def stand_ins(self) -> tuple[int, ...]:
        """Copy positions of the words in the place of lost ones; of all words of an added name."""
        if not self.at:
            return self.copy_at
        return tuple(j for i in self.lost for j in self.parts[i].copy)

    @property
    def norms(self) -> list[str]:
        """The words that the change is about: lost ones, or those of an added name."""
        if not self.at:
            return [self.board.copy[j].norm for j in self.copy_at]
        return [self.board.source[i].norm for i in self.lost or self.at]

    @property
    def text(self) -> str:
        """The name as its side writes it."""
        return base_form(self.change.source_text or self.change.copy_text or "")


def is_back(match: Match) -> bool:
    """Tell whether a word of a name came back, slips of case and apostrophe aside."""
    return match.change == "kept" or match.change in SLIPS


def is_acronym(case: NameCase) -> bool:
    """Tell whether the name is written in capitals throughout."""
    text = case.text.rstrip("s")
    return 1 < len(text) < 9 and text.isupper()
