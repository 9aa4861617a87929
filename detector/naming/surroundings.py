"""What the bead around a name says about it: neighbours, capitals, pronouns, acronyms spelt out.

Pure numbers read off a `NameCase`; NaN where one does not allow it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from detector.lexicon import closed_class, is_stopword, spells_acronym
from detector.naming.cases import NameCase, is_acronym
from detector.naming.sense import is_generic

_DETERMINERS = closed_class("determiner")


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


def neighbour_link(case: NameCase) -> float:
    """Return how well the words near the name came through, on average."""
    strength = case.board.links.source_strength
    found = [float(strength[k]) for k in _neighbours(case)]
    return sum(found) / len(found) if found else math.nan


def rest_link(case: NameCase) -> float:
    """Return how well the words of the bead that are no names came through, on average."""
    board = case.board
    strength = board.links.source_strength
    found = [
        float(strength[k])
        for k, word in enumerate(board.source)
        if k not in board.named and not is_stopword(word.norm)
    ]
    return sum(found) / len(found) if found else math.nan


def gap(case: NameCase) -> float:
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


def length_ratio(case: NameCase) -> float:
    """Return the log of copy words over source words, one added to each."""
    return math.log((1 + len(case.board.copy)) / (1 + len(case.board.source)))


def odd_capitals(case: NameCase) -> float:
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


def gained(words: frozenset[str]) -> Callable[[NameCase], float]:
    """Make a trait that counts words of a class that the copy has more of."""

    def compute(case: NameCase) -> float:
        copy = sum(w.norm in words for w in case.board.copy)
        return float(copy - sum(w.norm in words for w in case.board.source))

    return compute


def given_again(case: NameCase) -> float:
    """Count the other places of the source that hold a word of the name."""
    norms = {n for n in case.norms if not is_generic(n)}
    return float(sum(w.norm in norms for k, w in enumerate(case.board.source) if k not in case.at))


def in_document(case: NameCase) -> float:
    """Tell whether the other document gives the name anywhere."""
    first = case.board.context.copy.first if case.at else case.board.context.source.first
    return float(any(norm in first for norm in case.norms if not is_generic(norm)))


def bracketed(case: NameCase) -> float:
    """Tell whether the name opens a bracket."""
    if case.change.source is None:
        return math.nan
    raw = case.board.context.source.raw
    return float(raw[: case.change.source.start].rstrip()[-1:] in ("(", "["))


def determined(case: NameCase) -> float:
    """Tell whether "the", "its" or the like stands before the name."""
    if not case.at:
        return math.nan
    return float(case.at[0] > 0 and case.board.source[case.at[0] - 1].norm in _DETERMINERS)


def at_opening(case: NameCase) -> float:
    """Tell whether the name opens its sentence."""
    if not case.at:
        return math.nan
    return float(case.board.source[case.at[0]].start in case.board.context.source.opening)


def spelt_out(case: NameCase) -> float:
    """Tell whether the other side holds the name's initials, or what its letters stand for."""
    words = case.board.copy if case.at else case.board.source
    text = case.text
    if not is_acronym(case):
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
