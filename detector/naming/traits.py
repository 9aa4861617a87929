"""The named numbers that the name classifier reads: what is known of one name's fate in its bead.

One registry: each trait has a name, a unit, a direction and a function of the case. Pure: no
fitting, no threshold, no probability; what happened to the name was settled before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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
    title_key,
    zipf,
)
from detector.naming import surroundings
from detector.naming.board import Match
from detector.naming.cases import JUDGED, NameCase, is_acronym, is_back
from detector.naming.casing import base_form
from detector.naming.sense import is_generic
from detector.naming.spelling import likeness, romanised
from detector.records import Change

_PRONOUNS = closed_class("pronoun")
_ROLES = closed_class("role")
_GENERIC = closed_class("generic_head")
_DETERMINERS = closed_class("determiner")


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


# The name itself ----------------------------------------------------------------------------------


def _lost_share(case: NameCase) -> float:
    return len(case.lost) / len(case.at) if case.at else math.nan


def _kept_core(case: NameCase) -> float:
    if not case.at:
        return math.nan
    norms = [case.board.source[i].norm for i in case.at if _is_in_copy(case.parts[i])]
    return float(sum(not is_generic(norm) and not is_stopword(norm) for norm in norms))


def _is_in_copy(match: Match) -> bool:
    return is_back(match) and bool(match.copy)


def _lost_core(case: NameCase) -> float:
    return float(sum(not is_generic(norm) for norm in case.norms))


def _gone_core(case: NameCase) -> float:
    """Count the words that left no trace, generic ones aside."""
    board = case.board
    return float(
        sum(not case.parts[i].copy and not is_generic(board.source[i].norm) for i in case.lost)
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
    return float(sum(not is_word(norm) for norm in case.norms))


def _rarity(case: NameCase) -> float:
    return min(zipf(norm) for norm in case.norms)


def _of_kind(*kinds: str) -> Callable[[NameCase], float]:
    def compute(case: NameCase) -> float:
        return float(any(not name_kinds(n).isdisjoint(kinds) for n in case.norms))

    return compute


def _is_place(case: NameCase) -> float:
    return float(place_key(case.text) is not None)


def _is_adjective(case: NameCase) -> float:
    key = place_key(case.text)
    return float(key is not None and not set(case.norms) & set(key.split()))


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
    Trait("acronym", "0 or 1", 0, lambda case: float(is_acronym(case))),
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
    Trait("neighbour_link", "likeness", 0, surroundings.neighbour_link),
    Trait("rest_link", "likeness", 0, surroundings.rest_link),
    Trait("gap", "words", 0, surroundings.gap),
    Trait("length_ratio", "log ratio", 0, surroundings.length_ratio),
    Trait("odd_capitals", "words", 0, surroundings.odd_capitals),
    Trait("pronouns_gained", "words", 0, surroundings.gained(_PRONOUNS)),
    Trait("roles_gained", "words", 0, surroundings.gained(_ROLES)),
    Trait("given_again", "words", 0, surroundings.given_again),
    Trait("in_document", "0 or 1", -1, surroundings.in_document),
    Trait("bracketed", "0 or 1", 0, surroundings.bracketed),
    Trait("determined", "0 or 1", 0, surroundings.determined),
    Trait("at_opening", "0 or 1", 0, surroundings.at_opening),
    Trait("spelt_out", "0 or 1", -1, surroundings.spelt_out),
    Trait("names", "log count", 0, lambda case: math.log1p(case.n_names)),
    Trait("names_lost", "names", 0, lambda case: float(case.n_lost)),
    Trait("names_added", "names", 0, lambda case: float(case.n_added)),
)
"""The registry; its order is the order of the columns, and a bundle remembers it."""

TRAIT_NAMES: tuple[str, ...] = tuple(trait.name for trait in TRAITS)

DIRECTIONS: Mapping[str, int] = {trait.name: trait.direction for trait in TRAITS}
"""Trait to 1, -1 or 0: what a boosted model may assume."""
