"""Match names that came back as something else: misspelt, cut, translated, read as words.

Where in the copy a lost name should stand, and which word stands there for nothing else.

Pure. What such a word means for the name is judged by `standins`.

Names that came back as something else: misspelt, cut, garbled, translated, read as a word.

Looks only at what `forms` left open, first for a likeness in spelling, then at the word that
stands in the name's place. A pronoun or title for a name already given is no damage.
"""

from __future__ import annotations

from detector.names.detect import Mention, base_form, camel_parts, has_capital
from detector.names.match import abbreviates, case_match
from detector.names.spelling import are_spellings, is_cut, is_misspelt, is_put_right, likeness
from detector.names.state import (
    GENERIC,
    SAID_OTHERWISE,
    Match,
    MatchState,
    is_generic,
    is_place_adjective,
    says_the_same,
)
from detector.text.lexicon import (
    are_opposites,
    base_forms,
    closed_class,
    is_stopword,
    is_word,
    name_kinds,
    place_key,
    title_key,
)
from detector.text.words import Word


def find_candidate(board: MatchState, i: int, kept: list[int]) -> int | None:
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


def _is_odd_capital(board: MatchState, j: int) -> bool:
    """Tell whether a small word is written like a part of a name ("Northwind Can")."""
    word = board.copy[j]
    return (
        j not in board.taken
        and is_stopword(word.norm)
        and has_capital(word.text)
        and word.start not in board.context.copy.opening
        and word.norm not in {w.norm for w in board.source}
    )


def _position(board: MatchState, k: int) -> int | None:
    if not 0 <= k < len(board.source):
        return None
    if k in board.matches and board.matches[k].copy:
        return board.matches[k].copy[-1]
    to = int(board.links.to_copy[k])
    return to if to >= 0 and board.links.strength[k, to] > 0.6 else None


def is_candidate(board: MatchState, j: int) -> bool:
    """Tell whether the copy word may stand for a name: it says something, for nothing else."""
    word = board.copy[j]
    return (
        j not in board.taken
        and not board.accounted(j)
        and not is_stopword(word.norm)
        and not word.norm[0].isdigit()
        and word.norm != "s"  # what is left of a possessive
    )


# Words that may stand for a name already given.
_PRONOUNS = closed_class("pronoun")
_ROLE = closed_class("role")


# What a number at the end of a name becomes: "World War II", "the Second World War".
_ORDINALS = dict(
    zip(
        ("i", "ii", "iii", "iv", "one", "two", "three"),
        ("first", "second", "third", "fourth", "first", "second", "third"),
        strict=True,
    )
)

# Places that news language exchanges without a change of meaning.
_PART_AND_WHOLE = frozenset(
    pair
    for one, other in (("england", "united kingdom"), ("europe", "european union"))
    for pair in ((one, other), (other, one))
)


def match_standins(board: MatchState) -> None:
    """Settle every word of a name that is still open: each gets a match, if only "dropped"."""
    for mention in board.mentions:
        _respelled(board, mention)
    for mention in board.mentions:
        _replaced(board, mention)


def _respelled(board: MatchState, mention: Mention) -> None:
    for i in board.open(mention):
        if len(board.source[i].norm) < 2 and not board.is_compound(i):
            continue  # an initial has no spelling
        best: tuple[float, int] | None = None
        for j in range(len(board.copy)):
            if j in board.taken or board.accounted(j):
                continue
            found = _misspelling(board, i, j)
            if found is not None and (best is None or found > best[0]):
                best = (found, j)
        if best is not None:
            board.settle(i, _spelling_match(board, board.source[i], best[1]))


def _misspelling(board: MatchState, i: int, j: int) -> float | None:
    """Return how likely the copy word is the source word misspelt, None for not at all."""
    word, other = board.source[i], board.copy[j]
    beside = board.beside(i, j)
    if min(len(word.norm), len(other.norm)) < 3:
        short = word.norm.startswith(other.norm) or other.norm.startswith(word.norm)
        tied = board.is_compound(i) or beside
        return 0.6 if short and tied and board.capital(j) else None
    if is_stopword(other.norm):
        return None
    alike = likeness(_unglued(other.norm, word), word.norm)
    linked = int(board.links.to_copy[i]) == j
    ordinary = is_word(other.norm) and camel_parts(other.text) is None
    if ordinary and is_word(word.norm) and base_forms(word.norm).isdisjoint(base_forms(other.norm)):
        return None  # two words of the dictionary: one is not the other misspelt
    if ordinary and not board.capital(j):
        # A word that merely looks like the name is none, unless it stands in its very place.
        same_place = (linked or beside) and word.norm[0] == other.norm[0]
        return alike if alike >= 0.75 and same_place else None
    floor = 0.72 - 0.1 * linked - 0.1 * beside
    if word.norm[0] != other.norm[0]:
        floor += 0.08
    if other.norm in board.context.source.first:
        floor += 0.2  # another word of the source, not this one misspelt
    return alike + 0.1 * linked + 0.05 * beside if alike >= floor else None


def _spelling_match(board: MatchState, word: Word, j: int) -> Match:
    other = board.copy[j]
    new = _unglued(other.norm, word)
    if new == word.norm:
        return case_match(board, word, j)
    if are_spellings(word.norm, new):
        return Match("kept", (j,), "another spelling in use of the same name")
    if other.text.islower() and is_word(other.norm):
        return Match("as_word", (j,), "reads as an ordinary word")
    places = place_key(base_form(word.text)), place_key(base_form(other.text))
    if None not in places:
        return Match("swapped", (j,), "was swapped for another place")
    if is_cut(new, word.norm):
        return Match("truncated", (j,), "is cut")
    if is_misspelt(new, word.norm):
        if is_put_right(word.norm, new):
            return Match("respelled", (j,), "is given in a spelling that is known", SAID_OTHERWISE)
        return Match("respelled", (j,), "is misspelt")
    return Match("garbled", (j,), "is garbled")


def _replaced(board: MatchState, mention: Mention) -> None:
    kept = [i for i in mention.at if i in board.matches]
    for i in board.open(mention):
        board.settle(i, _replacement(board, i, mention, kept))


def _replacement(board: MatchState, i: int, mention: Mention, kept: list[int]) -> Match:
    word = board.source[i]
    candidate = find_candidate(board, i, kept)
    if _twin(board, word) is not None:
        return _second(board, i, mention, candidate)
    ordinal = _ORDINALS.get(word.norm)
    if kept and ordinal is not None and any(w.norm == ordinal for w in board.copy):
        return Match("kept", (), "a number of the name written as a word")
    if candidate is not None and kept:
        norm = board.copy[candidate].norm
        if any(board.source[k].norm == norm for k in kept):
            return Match("garbled", (candidate,), "is lost under a doubled word")
    alone = candidate is None or len(word.norm) == 1 or _is_title(board, candidate)
    if alone and kept and _may_stand_without(board, i, kept, mention):
        return Match("kept", (), "left out; the name stands without it")
    if _referred(board, i, candidate):
        return Match("kept", (), "already given; a pronoun or title stands for it")
    if candidate is not None:
        found = _stand_in(board, i, candidate, kept)
        if found is not None:
            return found if kept or is_word(word.norm) else _widened(board, found, candidate)
    if abbreviates(board.source, i):
        return Match("kept", (), "left out; the source gives what it abbreviates")
    given = board.context.copy.first.get(word.norm, len(board.context.copy.raw)) < board.copy_at
    spare = given or bool(_solid(board, kept)) or _opens_bracket(board, word)
    return Match("dropped", (), "is missing from the copy", 0.45 if spare else None)


def _opens_bracket(board: MatchState, word: Word) -> bool:
    return board.context.source.raw[: word.start].rstrip()[-1:] in ("(", "[")


def _widened(board: MatchState, found: Match, j: int) -> Match:
    """Let the whole of another name stand in, where its last word alone was seen."""
    if found.change not in ("swapped", "translated") or not board.capital(j):
        return found
    run = [j]
    for step in (-1, 1):
        k = j + step
        while 0 <= k < len(board.copy) and is_candidate(board, k) and _capital_inside(board, k):
            run.append(k)
            k += step
    strange = any(not is_word(board.copy[k].norm) or _is_place(board.copy[k].text) for k in run)
    if len(run) > 1 and strange and found.belief is None:
        return Match("swapped", tuple(sorted(run)), "was swapped for another name")
    return found


def _capital_inside(board: MatchState, k: int) -> bool:
    return board.capital(k) and (
        board.copy_lowered or board.copy[k].start not in board.context.copy.opening
    )


def _is_place(text: str) -> bool:
    return place_key(base_form(text)) is not None


def _second(board: MatchState, i: int, mention: Mention, candidate: int | None) -> Match:
    """Judge a name that the source gives more often than the copy."""
    if candidate is not None and board.capital(candidate):
        found = _stand_in(board, i, candidate, [])
        if found is not None and found.change in ("swapped", "translated"):
            return found
    whole = all(_is_twin(board, k) for k in mention.at)
    if not whole or _referred(board, i, candidate):
        return Match("kept", (), "given elsewhere in the sentence")
    return Match("dropped", (), "is given less often in the copy", 0.5)


def _is_twin(board: MatchState, k: int) -> bool:
    return not (k in board.matches and board.matches[k].copy) and (
        _twin(board, board.source[k]) is not None
    )


def _stand_in(board: MatchState, i: int, j: int, kept: list[int]) -> Match | None:
    """Judge the copy word that stands in a name's place, None when it cannot be its trace."""
    word, other = board.source[i], board.copy[j]
    if kept and is_generic(word.norm) and is_generic(other.norm):
        if are_opposites(word.norm, other.norm):
            return Match("swapped", (j,), "was swapped for its opposite")
        return Match("kept", (j,), "one generic word for another")
    belief = SAID_OTHERWISE if says_the_same(board, i, j) else None
    return (_name_for_name if board.capital(j) else _word_for_name)(word, other, j, belief)


def _word_for_name(word: Word, other: Word, j: int, belief: float | None) -> Match | None:
    """Judge a word without a capital in a name's place."""
    if not is_word(other.norm):
        return Match("translated", (j,), "became a word of another language", 0.75)
    if is_word(word.norm) and not _is_place(word.text):
        return Match("as_word", (j,), "became an ordinary word", belief)
    return None


def _name_for_name(word: Word, other: Word, j: int, belief: float | None) -> Match:
    """Judge a word with a capital in a name's place."""
    places = place_key(base_form(word.text)), place_key(base_form(other.text))
    shouted = len(other.text) > 1 and other.text.isupper()
    if shouted and sorted(word.norm) == sorted(other.norm):
        return Match("translated", (j,), "is given in another language's order")
    if are_opposites(word.norm, other.norm):
        return Match("swapped", (j,), "was swapped for its opposite")
    if places in _PART_AND_WHOLE:
        return Match("kept", (j,), "a part for the whole, or the other way round")
    named = not name_kinds(other.norm).isdisjoint(("given", "surname"))
    meant = is_word(word.norm) or (is_word(other.norm) and not named)
    if places[1] is None and meant and not shouted:
        if word.norm in GENERIC and is_word(other.norm):
            belief = SAID_OTHERWISE
        return Match("translated", (j,), "was translated", belief)
    return Match("swapped", (j,), "was swapped for another name")


def _is_title(board: MatchState, candidate: int) -> bool:
    """Tell whether a title stands where a part of the name stood ("Mr Kender")."""
    return title_key(board.copy[candidate].norm) is not None


def _may_stand_without(board: MatchState, i: int, kept: list[int], mention: Mention) -> bool:
    """Tell whether a name is whole without a part: a first name, an initial, a generic head."""
    word = board.source[i]
    if board.is_compound(i):
        return False
    if word.norm in GENERIC or len(word.norm) == 1:
        return True
    # "University" stands for no university, "Australian Minister" for none of them, and "Donald"
    # for nobody; "Xi" does for Xi Jinping and "Northwind" for Northwind Power.
    solid = _solid(board, kept)
    if max(mention.at) in solid:
        return True
    return not all("given" in name_kinds(board.source[k].norm) for k in solid)


def _solid(board: MatchState, kept: list[int]) -> list[int]:
    """Return the words that tell one from another: no office, generic head or adjective."""
    return [
        k
        for k in kept
        if not is_generic(board.source[k].norm) and not is_place_adjective(board.source[k].text)
    ]


def _twin(board: MatchState, word: Word) -> int | None:
    """Find the same name matched elsewhere in the bead: the source gives it twice."""
    for k, match in board.matches.items():
        if match.copy and k in board.named and board.source[k].norm == word.norm:
            return k
    return None


def _referred(board: MatchState, i: int, candidate: int | None) -> bool:
    """Tell whether a pronoun or a title in the copy stands for a name already given."""
    norm = board.source[i].norm
    given = board.context.copy.first.get(norm)
    if given is None or given >= board.copy_at + 1:
        return False
    if candidate is not None and not is_stopword(board.copy[candidate].norm):
        other = board.copy[candidate]
        return other.norm in _ROLE or title_key(other.norm) is not None
    present, here = [w.norm for w in board.source], [w.norm for w in board.copy]
    return any(
        (w.norm in _PRONOUNS or w.norm in _ROLE) and present.count(w.norm) < here.count(w.norm)
        for w in board.copy
    )


def _unglued(norm: str, word: Word) -> str:
    """Drop a glued possessive s, where the source's word ends in a real one."""
    if word.possessive and norm.endswith("s") and not word.norm.endswith("s"):
        return norm[:-1]
    return norm
