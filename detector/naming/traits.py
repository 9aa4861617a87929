"""The named numbers that the name classifier reads: what is known of one name's fate in its bead.

One registry: each trait has a name, a unit, a direction and a function of the case. Pure: no
fitting, no threshold, no probability; what happened to the name was settled before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.lexicon import (
    base_forms,
    closed_class,
    is_stopword,
    is_word,
    name_kinds,
    place_key,
    spells_acronym,
    title_key,
    zipf,
)
from detector.naming.board import Board, Match
from detector.naming.mentions import base_form
from detector.naming.spelling import likeness, romanised
from detector.records import CHANGES, SLIPS, Change, NameChange

JUDGED: tuple[Change, ...] = tuple(c for c in CHANGES if c != "kept" and c not in SLIPS)
"""Changes that a classifier may judge; for the others the rule has the last word."""

_PRONOUNS = closed_class("pronoun")
_ROLES = closed_class("role")
_GENERIC = closed_class("generic_head")
_DETERMINERS = closed_class("determiner")


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
        return tuple(i for i in self.at if not _is_back(self.parts[i]))

    @property
    def stand_ins(self) -> tuple[int, ...]:
        """Copy positions of the words in the place of lost ones; of all words of an added name."""
        if not self.at:
            return self.copy_at
        return tuple(j for i in self.lost for j in self.parts[i].copy)


@dataclass(frozen=True, slots=True)
class Trait:
    """One column: its name, its unit, its direction and how it is read off a case.

    `direction` is 1 or -1 where damage can only become likelier or less likely along it, else 0.
    `compute` gives a finite number, or NaN where the case does not allow one.
    """

    name: str
    unit: str
    direction: int
    compute: Callable[[NameCase], float]


def trait_matrix(cases: Sequence[NameCase]) -> NDArray[np.float64]:
    """Read every trait off every case.

    Parameters
    ----------
    cases : sequence of NameCase

    Returns
    -------
    ndarray of shape (n_names, n_traits), float64
        Columns in the order of `TRAITS`; NaN where a trait cannot be computed, and throughout for
        names that no classifier judges.
    """
    out = np.full((len(cases), len(TRAITS)), np.nan)
    for row, case in enumerate(cases):
        if case.change.change in JUDGED:
            out[row] = [trait.compute(case) for trait in TRAITS]
    return out


def _is_back(match: Match) -> bool:
    return match.change == "kept" or match.change in SLIPS


def _norms(case: NameCase) -> list[str]:
    """Return the words that the change is about: lost ones, or those of an added name."""
    if not case.at:
        return [case.board.copy[j].norm for j in case.copy_at]
    return [case.board.source[i].norm for i in case.lost or case.at]


def _text(case: NameCase) -> str:
    return case.change.source_text or case.change.copy_text or ""


def _is_generic(norm: str) -> bool:
    return norm in _GENERIC or norm.removesuffix("s") in _GENERIC or title_key(norm) is not None


# The name itself ----------------------------------------------------------------------------------


def _lost_share(case: NameCase) -> float:
    return len(case.lost) / len(case.at) if case.at else math.nan


def _kept_core(case: NameCase) -> float:
    if not case.at:
        return math.nan
    norms = [case.board.source[i].norm for i in case.at if _is_in_copy(case.parts[i])]
    return float(sum(not _is_generic(norm) and not is_stopword(norm) for norm in norms))


def _is_in_copy(match: Match) -> bool:
    return _is_back(match) and bool(match.copy)


def _lost_core(case: NameCase) -> float:
    return float(sum(not _is_generic(norm) for norm in _norms(case)))


def _gone_core(case: NameCase) -> float:
    """Count the words that left no trace, generic ones aside."""
    board = case.board
    return float(
        sum(not case.parts[i].copy and not _is_generic(board.source[i].norm) for i in case.lost)
    )


def _lowered(case: NameCase) -> float:
    """Tell whether every lost word stands in the copy, in another case or inflection."""
    if not case.lost:
        return math.nan
    board = case.board
    return float(
        all(
            any(_same_word(board.copy[j].norm, board.source[i].norm) for j in case.parts[i].copy)
            for i in case.lost
        )
    )


def _same_word(one: str, other: str) -> bool:
    return one == other or not base_forms(one).isdisjoint(base_forms(other))


def _lost_strange(case: NameCase) -> float:
    return float(sum(not is_word(norm) for norm in _norms(case)))


def _rarity(case: NameCase) -> float:
    return min(zipf(norm) for norm in _norms(case))


def _of_kind(*kinds: str) -> Callable[[NameCase], float]:
    def compute(case: NameCase) -> float:
        return float(any(not name_kinds(n).isdisjoint(kinds) for n in _norms(case)))

    return compute


def _is_place(case: NameCase) -> float:
    return float(place_key(_text(case)) is not None)


def _is_adjective(case: NameCase) -> float:
    key = place_key(_text(case))
    return float(key is not None and not set(_norms(case)) & set(key.split()))


def _is_acronym(case: NameCase) -> float:
    text = base_form(_text(case)).rstrip("s")
    return float(1 < len(text) < 9 and text.isupper())


# What stands in its place -------------------------------------------------------------------------


def _spelling(case: NameCase) -> float:
    board = case.board
    found = [
        likeness(board.copy[j].norm, board.source[i].norm)
        for i in case.lost
        for j in case.parts[i].copy
    ]
    return min(found, default=math.nan)


def _same_sound(case: NameCase) -> float:
    board = case.board
    found = [
        romanised(board.copy[j].norm) == romanised(board.source[i].norm)
        for i in case.lost
        for j in case.parts[i].copy
    ]
    return float(all(found)) if found else math.nan


def _stand_in_link(case: NameCase) -> float:
    strength = case.board.links.strength
    found = [float(strength[i, j]) for i in case.lost for j in case.parts[i].copy]
    return min(found, default=math.nan)


def _nearest_link(case: NameCase) -> float:
    """Return how near the copy comes to what was lost, words that stand for others left out."""
    board = case.board
    strength = board.links.strength
    taken = set(case.stand_ins)
    free = [j for j in range(len(board.copy)) if j not in taken and board.copy[j].norm[0].isalpha()]
    free = [j for j in free if not board.accounted(j) and not is_stopword(board.copy[j].norm)]
    if not case.lost:
        return math.nan
    return min(max((float(strength[i, j]) for j in free), default=0.0) for i in case.lost)


def _rival_link(case: NameCase) -> float:
    """Return how near the stand-in comes to a source word outside of the name."""
    board = case.board
    others = [i for i in range(len(board.source)) if i not in case.at]
    if not case.stand_ins or not others:
        return math.nan
    strength = board.links.strength
    return min(float(strength[others, j].max()) for j in case.stand_ins)


def _over_stand_ins(case: NameCase, ask: Callable[[int], float]) -> float:
    return min((ask(j) for j in case.stand_ins), default=math.nan)


def _stand_in_rarity(case: NameCase) -> float:
    return _over_stand_ins(case, lambda j: zipf(case.board.copy[j].norm))


def _stand_in_capital(case: NameCase) -> float:
    return _over_stand_ins(case, lambda j: float(case.board.capital(j)))


def _stand_in_word(case: NameCase) -> float:
    return _over_stand_ins(case, lambda j: float(is_word(case.board.copy[j].norm)))


def _stand_in_name(case: NameCase) -> float:
    def known(j: int) -> float:
        return float(
            bool(name_kinds(case.board.copy[j].norm))
            or place_key(base_form(case.board.copy[j].text)) is not None
        )

    return max((known(j) for j in case.stand_ins), default=math.nan)


def _stand_in_role(case: NameCase) -> float:
    def role(j: int) -> float:
        norm = case.board.copy[j].norm
        return float(norm in _ROLES or title_key(norm) is not None)

    return _over_stand_ins(case, role)


# The bead around it -------------------------------------------------------------------------------


def _neighbours(case: NameCase) -> Iterator[int]:
    """Yield the source words near the name that say something and are no names."""
    if not case.at:
        return
    first, last = case.at[0], case.at[-1]
    for places in (range(first - 1, -1, -1), range(last + 1, len(case.board.source))):
        found = 0
        for k in places:
            if k in case.board.named or is_stopword(case.board.source[k].norm):
                continue
            yield k
            found += 1
            if found == 2:
                break


def _neighbour_link(case: NameCase) -> float:
    strength = case.board.links.source_strength
    found = [float(strength[k]) for k in _neighbours(case)]
    return sum(found) / len(found) if found else math.nan


def _rest_link(case: NameCase) -> float:
    board = case.board
    strength = board.links.source_strength
    found = [
        float(strength[k])
        for k, word in enumerate(board.source)
        if k not in board.named and not is_stopword(word.norm)
    ]
    return sum(found) / len(found) if found else math.nan


def _gap(case: NameCase) -> float:
    """Return how many copy words stand between the counterparts of the name's neighbours."""
    if not case.at:
        return math.nan
    to = case.board.links.to_copy
    before = [int(to[k]) for k in range(max(0, case.at[0] - 2), case.at[0]) if to[k] >= 0]
    after = [int(to[k]) for k in range(case.at[-1] + 1, case.at[-1] + 3) if k < len(to)]
    after = [j for j in after if j >= 0]
    if not before or not after or after[0] <= before[-1]:
        return math.nan
    return float(min(20, after[0] - before[-1] - 1))


def _length_ratio(case: NameCase) -> float:
    return math.log(len(case.board.copy) / len(case.board.source))


def _odd_capitals(case: NameCase) -> float:
    """Count the copy's capitals, openings aside, that no word of the source answers for."""
    board = case.board
    return float(
        sum(
            j not in board.taken
            and j not in case.copy_at
            and word.start not in board.context.copy.opening
            and board.capital(j)
            and not is_stopword(word.norm)
            and not board.accounted(j)
            for j, word in enumerate(board.copy)
        )
    )


def _gained(words: frozenset[str]) -> Callable[[NameCase], float]:
    def compute(case: NameCase) -> float:
        copy = sum(w.norm in words for w in case.board.copy)
        return float(copy - sum(w.norm in words for w in case.board.source))

    return compute


def _given_again(case: NameCase) -> float:
    """Count the other places of the source that hold a word of the name."""
    norms = {n for n in _norms(case) if not _is_generic(n)}
    return float(sum(w.norm in norms for k, w in enumerate(case.board.source) if k not in case.at))


def _in_document(case: NameCase) -> float:
    first = case.board.context.copy.first if case.at else case.board.context.source.first
    return float(any(norm in first for norm in _norms(case) if not _is_generic(norm)))


def _bracketed(case: NameCase) -> float:
    if case.change.source is None:
        return math.nan
    raw = case.board.context.source.raw
    return float(raw[: case.change.source.start].rstrip()[-1:] in ("(", "["))


def _determined(case: NameCase) -> float:
    if not case.at:
        return math.nan
    return float(case.at[0] > 0 and case.board.source[case.at[0] - 1].norm in _DETERMINERS)


def _at_opening(case: NameCase) -> float:
    if not case.at:
        return math.nan
    return float(case.board.source[case.at[0]].start in case.board.context.source.opening)


def _spelt_out(case: NameCase) -> float:
    """Tell whether the other side holds the name's initials, or what its letters stand for."""
    words = case.board.copy if case.at else case.board.source
    text = base_form(_text(case))
    if not _is_acronym(case):
        return float(any(w.text.isupper() and spells_acronym(w.text, text) for w in words))
    norms = [w.norm for w in words]
    sizes = range(max(2, len(text) - 1), len(text) + 3)
    return float(
        any(
            norms[k][0] == text[0].lower() and spells_acronym(text, " ".join(norms[k : k + n]))
            for n in sizes
            for k in range(len(norms) - n + 1)
        )
    )


def _is_change(change: Change) -> Trait:
    return Trait(change, "0 or 1", 0, lambda case: float(case.change.change == change))


TRAITS: tuple[Trait, ...] = (
    *(_is_change(change) for change in JUDGED),
    Trait("belief", "probability by rule", 1, lambda case: case.change.probability),
    Trait("name_words", "words", 0, lambda case: float(len(case.at or case.copy_at))),
    Trait("lost_share", "share of words", 1, _lost_share),
    Trait("kept_core", "words", -1, _kept_core),
    Trait("lost_core", "words", 1, _lost_core),
    Trait("gone_core", "words", 0, _gone_core),
    Trait("lowered", "0 or 1", 0, _lowered),
    Trait("lost_strange", "words", 1, _lost_strange),
    Trait("rarity", "Zipf scale", 0, _rarity),
    Trait("person", "0 or 1", 0, _of_kind("given", "surname")),
    Trait("place", "0 or 1", 0, _is_place),
    Trait("place_adjective", "0 or 1", 0, _is_adjective),
    Trait("acronym", "0 or 1", 0, _is_acronym),
    Trait("spelling", "likeness", 0, _spelling),
    Trait("same_sound", "0 or 1", 0, _same_sound),
    Trait("stand_in_link", "likeness", 0, _stand_in_link),
    Trait("nearest_link", "likeness", -1, _nearest_link),
    Trait("rival_link", "likeness", -1, _rival_link),
    Trait("stand_in_rarity", "Zipf scale", 0, _stand_in_rarity),
    Trait("stand_in_capital", "0 or 1", 0, _stand_in_capital),
    Trait("stand_in_word", "0 or 1", 0, _stand_in_word),
    Trait("stand_in_name", "0 or 1", 0, _stand_in_name),
    Trait("stand_in_role", "0 or 1", 0, _stand_in_role),
    Trait("neighbour_link", "likeness", 0, _neighbour_link),
    Trait("rest_link", "likeness", 0, _rest_link),
    Trait("gap", "words", 0, _gap),
    Trait("length_ratio", "log ratio", 0, _length_ratio),
    Trait("odd_capitals", "words", 0, _odd_capitals),
    Trait("pronouns_gained", "words", 0, _gained(_PRONOUNS)),
    Trait("roles_gained", "words", 0, _gained(_ROLES)),
    Trait("given_again", "words", 0, _given_again),
    Trait("in_document", "0 or 1", -1, _in_document),
    Trait("bracketed", "0 or 1", 0, _bracketed),
    Trait("determined", "0 or 1", 0, _determined),
    Trait("at_opening", "0 or 1", 0, _at_opening),
    Trait("spelt_out", "0 or 1", -1, _spelt_out),
    Trait("names", "log count", 0, lambda case: math.log1p(case.n_names)),
    Trait("names_lost", "names", 0, lambda case: float(case.n_lost)),
    Trait("names_added", "names", 0, lambda case: float(case.n_added)),
)
"""The registry; its order is the order of the columns, and a bundle remembers it."""

TRAIT_NAMES: tuple[str, ...] = tuple(trait.name for trait in TRAITS)

DIRECTIONS: Mapping[str, int] = {trait.name: trait.direction for trait in TRAITS}
"""Trait to 1, -1 or 0: what a boosted model may assume."""
