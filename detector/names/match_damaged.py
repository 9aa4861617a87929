"""Match names that came back as something else: misspelt, cut, translated, read as words.

Only names that `match` left open: first by spelling, then by the word in the name's place.
"""

from __future__ import annotations

from detector.names.detect import Mention, camel_parts, is_personal, place_of
from detector.names.match_kept import abbreviates, case_match
from detector.names.spelling import are_spellings, is_corrected, is_cut, is_misspelt, likeness
from detector.names.state import (
    GENERIC,
    PARAPHRASED,
    MatchState,
    WordMatch,
    is_generic,
    is_paraphrased,
    is_place_adjective,
)
from detector.text.lexicon import (
    are_opposites,
    base_forms,
    closed_class,
    is_stopword,
    is_word,
    name_kinds,
    title_key,
)
from detector.text.words import Word


def _find_candidate(state: MatchState, i: int, kept: list[int]) -> int | None:
    """Find the unmatched copy word in the place of a lost name."""
    linked = int(state.links.to_copy[i])
    if linked >= 0 and _is_candidate(state, linked):
        return linked
    before, after = _position(state, i - 1), _position(state, i + 1)
    places = [] if before is None else [before + 1, before + 2]
    places += [] if after is None else [after - 1, after - 2]
    # A translated name may reverse its parts: "Harbour Lamp", "Lamp of Dawn".
    for k in kept:
        places += [p + step for p in state.matches[k].copy for step in (1, 2, -1, -2)]
    for j in places:
        if not 0 <= j < len(state.copy) or not _is_candidate(state, j):
            continue
        tight = before is not None and j == before + 1 and (i - 1 in kept or j == (after or 0) - 1)
        if state.is_capital(j) or (tight and state.links.to_source[j] < 0):
            return j
    return None


def _position(state: MatchState, k: int) -> int | None:
    if not 0 <= k < len(state.source):
        return None
    if k in state.matches and state.matches[k].copy:
        return state.matches[k].copy[-1]
    to = int(state.links.to_copy[k])
    return to if to >= 0 and state.links.strength[k, to] > 0.6 else None


def _is_candidate(state: MatchState, j: int) -> bool:
    """Return whether the copy word may replace a name: a content word that matches nothing else."""
    word = state.copy[j]
    return (
        not state.is_explained(j)
        and not is_stopword(word.norm)
        and not word.norm[0].isdigit()
        and word.norm != "s"  # what is left of a possessive
    )


# Words that may refer to a name already given.
_PRONOUNS = closed_class("pronoun")
_ROLE = closed_class("role")
# Numerals at the end of a name and their words: "World War II", "the Second World War".
_ORDINALS = {"i": "first", "ii": "second", "iii": "third", "iv": "fourth"}
_ORDINALS |= {"one": "first", "two": "second", "three": "third"}


def match_substitutions(state: MatchState) -> None:
    """Match every word of a name that is still open; "dropped" where nothing else fits."""
    for mention in state.mentions:
        _match_respelled(state, mention)
    for mention in state.mentions:
        kept = [i for i in mention.at if i in state.matches]
        for i in state.open(mention):
            state.settle(i, _substitution(state, i, mention, kept))


def _match_respelled(state: MatchState, mention: Mention) -> None:
    for i in state.open(mention):
        if len(state.source[i].norm) < 2 and not state.is_compound(i):
            continue  # an initial has no spelling
        free = (j for j in range(len(state.copy)) if not state.is_explained(j))
        alike = [(score, -j) for j in free if (score := _likeness_to(state, i, j)) is not None]
        if alike:
            state.settle(i, _judge_spelling(state, state.source[i], -max(alike)[1]))


def _likeness_to(state: MatchState, i: int, j: int) -> float | None:
    """Return how alike a misspelling is to the source word; None where it is none."""
    word, other = state.source[i], state.copy[j]
    if min(len(word.norm), len(other.norm)) < 3:
        short = word.norm.startswith(other.norm) or other.norm.startswith(word.norm)
        tied = short and state.is_capital(j) and (state.is_compound(i) or state.beside(i, j))
        return 0.6 if tied else None
    beside = state.beside(i, j)
    if is_stopword(other.norm):
        return None
    alike = likeness(_unglued(other.norm, word), word.norm)
    linked = int(state.links.to_copy[i]) == j
    ordinary = is_word(other.norm) and camel_parts(other.text) is None
    if ordinary and is_word(word.norm) and base_forms(word.norm).isdisjoint(base_forms(other.norm)):
        return None  # two words of the dictionary: one is not the other misspelt
    if ordinary and not state.is_capital(j):
        # A word that merely looks like the name counts only in its very place.
        same_place = (linked or beside) and word.norm[0] == other.norm[0]
        return alike if alike >= 0.75 and same_place else None
    floor = 0.72 - 0.1 * linked - 0.1 * beside
    if word.norm[0] != other.norm[0]:
        floor += 0.08
    if other.norm in state.context.source.first:
        floor += 0.2  # another word of the source, not this one misspelt
    return alike + 0.1 * linked + 0.05 * beside if alike >= floor else None


def _judge_spelling(state: MatchState, word: Word, j: int) -> WordMatch:
    other = state.copy[j]
    new = _unglued(other.norm, word)
    if new == word.norm:
        return case_match(state, word, j)
    if are_spellings(word.norm, new):
        return WordMatch("kept", (j,), "another spelling in use of the same name")
    if other.text.islower() and is_word(other.norm):
        return WordMatch("as_word", (j,), "reads as an ordinary word")
    places = place_of(word.text), place_of(other.text)
    if None not in places:
        return WordMatch("swapped", (j,), "was swapped for another place")
    if is_cut(new, word.norm):
        return WordMatch("truncated", (j,), "is cut")
    if is_misspelt(new, word.norm):
        if is_corrected(word.norm, new):
            return WordMatch("respelled", (j,), "is given in a spelling that is known", PARAPHRASED)
        return WordMatch("respelled", (j,), "is misspelt")
    return WordMatch("garbled", (j,), "is garbled")


def _substitution(state: MatchState, i: int, mention: Mention, kept: list[int]) -> WordMatch:
    word = state.source[i]
    candidate = _find_candidate(state, i, kept)
    if _is_matched_elsewhere(state, word):
        return _judge_repeated(state, i, mention, candidate)
    ordinal = _ORDINALS.get(word.norm)
    if kept and ordinal is not None and any(w.norm == ordinal for w in state.copy):
        return WordMatch("kept", (), "a number of the name written as a word")
    if candidate is not None and kept:
        norm = state.copy[candidate].norm
        if any(state.source[k].norm == norm for k in kept):
            return WordMatch("garbled", (candidate,), "is lost under a doubled word")
    alone = (
        candidate is None
        or len(word.norm) == 1
        or title_key(state.copy[candidate].norm) is not None  # "Mr Kender"
    )
    if alone and kept and _is_optional(state, i, kept, mention):
        return WordMatch("kept", (), "left out; the name stands without it")
    if _is_referred_to(state, i, candidate):
        return WordMatch("kept", (), "already given; a pronoun or title stands for it")
    if candidate is not None:
        found = _judge_candidate(state, i, candidate, kept)
        if found is not None:
            return found if kept or is_word(word.norm) else _widen(state, found, candidate)
    if abbreviates(state.source, i):
        return WordMatch("kept", (), "left out; the source gives what it abbreviates")
    given = state.context.copy.first.get(word.norm, len(state.context.copy.raw)) < state.copy_at
    bracketed = state.context.source.raw[: word.start].rstrip().endswith(("(", "["))
    spare = given or bool(_solid(state, kept)) or bracketed
    return WordMatch("dropped", (), "is missing from the copy", 0.45 if spare else None)


def _widen(state: MatchState, found: WordMatch, j: int) -> WordMatch:
    """Extend a match with one word of another name to the whole of that name."""
    if found.change not in ("swapped", "translated") or not state.is_capital(j):
        return found
    run = [j]
    for step in (-1, 1):
        k = j + step
        while 0 <= k < len(state.copy) and _is_candidate(state, k) and _capital_inside(state, k):
            run.append(k)
            k += step
    strange = any(
        not is_word(state.copy[k].norm) or place_of(state.copy[k].text) is not None for k in run
    )
    if len(run) > 1 and strange and found.confidence is None:
        return WordMatch("swapped", tuple(sorted(run)), "was swapped for another name")
    return found


def _capital_inside(state: MatchState, k: int) -> bool:
    return state.is_capital(k) and (
        state.copy_lowered or state.copy[k].start not in state.context.copy.opening
    )


def _judge_repeated(
    state: MatchState, i: int, mention: Mention, candidate: int | None
) -> WordMatch:
    """Match a name that the source gives more often than the copy."""
    if candidate is not None and state.is_capital(candidate):
        found = _judge_candidate(state, i, candidate, [])
        if found is not None and found.change in ("swapped", "translated"):
            return found
    whole = all(
        not (k in state.matches and state.matches[k].copy)
        and _is_matched_elsewhere(state, state.source[k])
        for k in mention.at
    )
    if not whole or _is_referred_to(state, i, candidate):
        return WordMatch("kept", (), "given elsewhere in the sentence")
    return WordMatch("dropped", (), "is given less often in the copy", 0.5)


def _judge_candidate(state: MatchState, i: int, j: int, kept: list[int]) -> WordMatch | None:
    """Match a name with the copy word in its place; None where the two are unrelated."""
    word, other = state.source[i], state.copy[j]
    if kept and is_generic(word.norm) and is_generic(other.norm):
        if are_opposites(word.norm, other.norm):
            return WordMatch("swapped", (j,), "was swapped for its opposite")
        return WordMatch("kept", (j,), "one generic word for another")
    confidence = PARAPHRASED if is_paraphrased(state, i, j) else None
    return (_name_for_name if state.is_capital(j) else _word_for_name)(word, other, j, confidence)


def _word_for_name(word: Word, other: Word, j: int, confidence: float | None) -> WordMatch | None:
    """Match a name with a word without a capital."""
    if not is_word(other.norm):
        return WordMatch("translated", (j,), "became a word of another language", 0.75)
    if is_word(word.norm) and place_of(word.text) is None:
        return WordMatch("as_word", (j,), "became an ordinary word", confidence)
    return None


def _name_for_name(word: Word, other: Word, j: int, confidence: float | None) -> WordMatch:
    """Match a name with a word with a capital."""
    places = place_of(word.text), place_of(other.text)
    upper = len(other.text) > 1 and other.text.isupper()
    if upper and sorted(word.norm) == sorted(other.norm):
        return WordMatch("translated", (j,), "is given in another language's order")
    if are_opposites(word.norm, other.norm):
        return WordMatch("swapped", (j,), "was swapped for its opposite")
    named = is_personal(other.norm)
    meant = is_word(word.norm) or (is_word(other.norm) and not named)
    if places[1] is None and meant and not upper:
        if word.norm in GENERIC and is_word(other.norm):
            confidence = PARAPHRASED
        return WordMatch("translated", (j,), "was translated", confidence)
    return WordMatch("swapped", (j,), "was swapped for another name")


def _is_optional(state: MatchState, i: int, kept: list[int], mention: Mention) -> bool:
    """Return whether a name is whole without a part: a first name, an initial, a generic head."""
    word = state.source[i]
    if state.is_compound(i):
        return False
    if word.norm in GENERIC or len(word.norm) == 1:
        return True
    # "University" names no university, "Australian Minister" no minister, and "Donald" nobody; "Xi"
    # names Xi Jinping and "Northwind" Northwind Power.
    solid = _solid(state, kept)
    if max(mention.at) in solid:
        return True
    return not all("given" in name_kinds(state.source[k].norm) for k in solid)


def _solid(state: MatchState, kept: list[int]) -> list[int]:
    """Return the distinctive words: no office, generic head or adjective."""
    return [
        k
        for k in kept
        if not is_generic(state.source[k].norm) and not is_place_adjective(state.source[k].text)
    ]


def _is_matched_elsewhere(state: MatchState, word: Word) -> bool:
    """Return whether the source repeats a name and another occurrence is matched."""
    return any(
        match.copy and k in state.named and state.source[k].norm == word.norm
        for k, match in state.matches.items()
    )


def _is_referred_to(state: MatchState, i: int, candidate: int | None) -> bool:
    """Return whether a pronoun or a title in the copy refers to a name already given."""
    norm = state.source[i].norm
    given = state.context.copy.first.get(norm)
    if given is None or given >= state.copy_at + 1:
        return False
    if candidate is not None and not is_stopword(state.copy[candidate].norm):
        other = state.copy[candidate]
        return other.norm in _ROLE or title_key(other.norm) is not None
    present, here = [w.norm for w in state.source], [w.norm for w in state.copy]
    return any(
        (w.norm in _PRONOUNS or w.norm in _ROLE) and present.count(w.norm) < here.count(w.norm)
        for w in state.copy
    )


def _unglued(norm: str, word: Word) -> str:
    """Drop a glued possessive s, where the source's word ends in a real one."""
    if word.possessive and norm.endswith("s") and not word.norm.endswith("s"):
        return norm[:-1]
    return norm
