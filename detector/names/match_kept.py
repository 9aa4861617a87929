"""Match names that came back whole: same form, other case, plural, adjective, acronym, place.

Misspelt and replaced names are for `substitutions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from detector.names.detect import Mention, base_form, has_capital
from detector.names.state import MatchState, WordMatch, has_determiner, letters_of, reads_as_word
from detector.text.lexicon import (
    american,
    bare_acronym,
    closed_class,
    is_known_name,
    is_stopword,
    is_word,
    name_kinds,
    place_key,
    same_acronym,
    spells_acronym,
    zipf,
)
from detector.text.words import Word

_SMALL = closed_class("joiner")


def _match_acronym(state: MatchState, mention: Mention) -> None:
    """Match a name with its initials, or an acronym with the words it abbreviates."""
    if len(state.open(mention)) < len(mention.at):
        return
    text = state.source_text(mention.at)
    for at in _acronym_partners(state, text):
        if state.taken.isdisjoint(at) and _is_spelt_out(state, text, at):
            for i in mention.at:
                state.settle(i, WordMatch("kept", at, "an acronym and its full name"))
            return


def abbreviates(words: Sequence[Word], at: int) -> bool:
    """Return whether the word at a position gives the initials of other words of the same text."""
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


def _is_spelt_out(state: MatchState, text: str, at: Sequence[int]) -> bool:
    phrase = state.copy_text(at)
    if state.copy_lowered and len(at) == 1:
        phrase = phrase.upper()
    if same_acronym(text, phrase):
        return True
    if len(at) == 1:  # "United States Geological Survey" is shortened to "USGS"
        return spells_acronym(phrase, text)
    # "IM" is spelt out by "instant messaging", where the source does not say these words itself.
    words = [state.copy[j].norm for j in at]
    return (
        _letters(text) is not None
        and not any(is_stopword(norm) and norm not in _SMALL for norm in words)
        and not state.plain & {norm for norm in words if norm not in _SMALL}
        and spells_acronym(text, phrase)
    )


def _acronym_partners(state: MatchState, text: str) -> Iterator[tuple[int, ...]]:
    """Yield the copy words that may be an acronym, or the phrases that may spell one out."""
    if _letters(text) is None:
        yield from (
            (j,)
            for j, w in enumerate(state.copy)
            if len(w.text) > 1 and (w.text.isupper() or state.copy_lowered)
        )
        return
    initial = text[0].lower()
    for j, word in enumerate(state.copy):
        if word.norm[0] == initial:
            yield from (tuple(range(j, j + n)) for n in range(1, 6) if j + n <= len(state.copy))


def match_kept_forms(state: MatchState) -> None:
    """Match the words of names that the copy has in one of their proper forms."""
    # Long names first: the Brandt of "Almeida-Brandt" is the one in the copy's "Almeida-Brandt".
    longest = sorted(state.mentions, key=lambda mention: -len(mention.at))
    spelt = (_match_same, _match_place, _match_other_case, _match_joined)
    for step in (*spelt, _match_adjective, _match_plural, _match_acronym):
        for mention in longest:
            step(state, mention)


def _match_same(state: MatchState, mention: Mention) -> None:
    for i in state.open(mention):
        base = base_form(state.source[i].text)
        if state.copy_lowered:
            base = base.lower()
        j = state.nearest(i, state.by_base.get(base, ()))
        if j is None:
            continue
        if state.source[i].possessive and _is_detached(state, j):
            state.settle(i, WordMatch("possessive", (j,), "has its possessive 's cut off"))
        else:
            state.settle(i, WordMatch("kept", (j,)))


def _is_detached(state: MatchState, j: int) -> bool:
    if j + 1 >= len(state.copy) or state.copy[j + 1].text.lower() != "s":
        return False
    # "Florida s" has lost its apostrophe, "Florida 's" is only tokenised.
    return state.context.copy.raw[state.copy[j].end : state.copy[j + 1].start].isspace()


def _match_place(state: MatchState, mention: Mention) -> None:
    if not state.open(mention):
        return
    # "Embassy of the People's Republic of China" holds a place of several words.
    phrases = [
        mention.at[first : first + size]
        for size in range(len(mention.at), 0, -1)
        for first in range(len(mention.at) - size + 1)
        if size < 5 or size == len(mention.at)
    ]
    for at in phrases:
        if any(i in state.matches for i in at):
            continue
        key = place_key(state.source_text(at))
        if key is None:
            continue
        for size in (3, 2, 1):
            hit = _nearest_phrase(state, at, key, size)
            if hit is not None:
                for i in at:
                    state.settle(i, WordMatch("kept", hit, "another word for the same place"))
                break


def _nearest_phrase(
    state: MatchState, mention_at: Sequence[int], key: str, size: int
) -> tuple[int, ...] | None:
    hits = []
    i, last = mention_at[0], state.source[mention_at[-1]]
    for j in range(len(state.copy) - size + 1):
        at = tuple(range(j, j + size))
        if not state.taken.isdisjoint(at) or not _has_capital(state, j):
            continue
        if last.possessive and state.copy[at[-1]].norm == f"{last.norm}s":
            continue  # a glued possessive, for `_match_plural`
        text = state.copy_text(at)
        if j == 0:  # its first letter may have been lowered: "uS farmers"
            text = text[:1].upper() + text[1:]
        if key in (place_key(text), state.copy_lowered and place_key(text.upper())):
            hits.append(at)
    place = i / max(1, len(state.source)) * len(state.copy)
    return min(hits, key=lambda at: abs(at[0] - place), default=None)


def _match_other_case(state: MatchState, mention: Mention) -> None:
    for i in state.open(mention):
        word = state.source[i]
        same = state.by_norm.get(word.norm, [])
        if word.norm in state.plain:
            same = [j for j in same if has_capital(state.copy[j].text)]
        j = state.nearest(i, same)
        if j is not None:
            state.settle(i, case_match(state, word, j))


def case_match(state: MatchState, word: Word, j: int) -> WordMatch:
    """Compare a copy word with the source word that differs in case, accents or dots only."""
    other = state.copy[j]
    old, new = base_form(word.text), base_form(other.text)
    if old.casefold() != new.casefold():
        # Only accents, dots or invisible marks differ.
        return WordMatch("kept", (j,), "accents or dots aside, the same word")
    if state.copy_flat or state.source_flat:
        return WordMatch("kept", (j,), "a headline or capitals throughout")
    if old[0].isupper() and new.islower() and j:
        if is_stopword(word.norm) or reads_as_word(state, word, j):
            return WordMatch("as_word", (j,), "reads as an ordinary word without its capital")
        led = is_word(word.norm) and has_determiner(state, word, j)
        return WordMatch("case", (j,), "lost its capital", 0.35 if led else None)
    at_opening = other.start in state.context.copy.opening
    if at_opening and new[0].isupper() and old[1:] == new[1:]:
        return WordMatch("kept", (j,))
    return WordMatch("case", (j,), "is written with other capitals")


def _match_joined(state: MatchState, mention: Mention) -> None:
    """Match parts that one side writes together and the other apart: "Da Peng", "Dapeng"."""
    _match_split(state, mention)
    for size in range(len(mention.at), 1, -1):
        for first in range(len(mention.at) - size + 1):
            at = mention.at[first : first + size]
            if any(i in state.matches for i in at):
                continue
            whole = letters_of("".join(state.source[i].norm for i in at))
            j = state.nearest(at[0], state.by_letters.get(whole, ()))
            if j is not None and _has_capital(state, j):
                for i in at:
                    state.settle(i, WordMatch("kept", (j,), "written together"))


def _match_split(state: MatchState, mention: Mention) -> None:
    for i in state.open(mention):
        for j in state.pairs_by_letters.get(letters_of(state.source[i].norm), ()):
            at = (j, j + 1)
            initial = len(state.copy[j + 1].norm) == 1
            if state.taken.isdisjoint(at) and (initial or all(_has_capital(state, k) for k in at)):
                state.settle(i, WordMatch("kept", at, "written apart"))
                break


# Suffixes that make an adjective or a people of a place or a person.
_CREEDS = ("ism", "ist", "ists", "ic")
_SUFFIXES = (
    *("n", "an", "ian", "ns", "ans", "ians", "ese", "ish", "ite", "ites", "er", "ers", "i"),
    *_CREEDS,
)


def _match_adjective(state: MatchState, mention: Mention) -> None:
    for i in state.open(mention):
        norm = state.source[i].norm
        if len(norm) < 4:
            continue
        forms = {f"{norm.rstrip('aeo')}{suffix}" for suffix in _SUFFIXES}
        forms |= {norm + suffix for suffix in _SUFFIXES}
        forms |= {re.sub("(?:ism|ists?|ic)$", suffix, norm) for suffix in _CREEDS}
        capitals = [(j, w) for j, w in enumerate(state.copy) if state.is_capital(j)]
        j = state.nearest(i, (j for j, w in capitals if _is_adjective_of(w, norm, forms)))
        if j is not None:
            state.settle(i, WordMatch("kept", (j,), "the name and its adjective"))


def _is_adjective_of(word: Word, norm: str, forms: set[str]) -> bool:
    """Return whether a word in use is an adjective of the name `norm`, or the other way round."""
    if zipf(word.norm) == 0.0 and not is_known_name(word.norm):
        return False  # a name with an ending that it never had
    if word.norm in forms or american(word.norm) == american(norm):
        return True
    is_place = "place" in name_kinds(word.norm) or place_key(word.text) is not None
    return is_place and norm in {word.norm.rstrip("aeo") + suffix for suffix in _SUFFIXES}


def _has_capital(state: MatchState, j: int) -> bool:
    return state.copy_lowered or has_capital(state.copy[j].text)


def _match_plural(state: MatchState, mention: Mention) -> None:
    for i in state.open(mention):
        match = _plural(state, i, alone=len(mention.at) == 1) or _singular(state, i)
        if match is not None:
            state.settle(i, match)


def _plural(state: MatchState, i: int, *, alone: bool) -> WordMatch | None:
    """Match a word with its plural, or with a possessive that lost its apostrophe."""
    word = state.source[i]
    plurals = {f"{word.norm}s", f"{word.norm}es"} - state.plain
    j = state.nearest(i, sorted(k for norm in plurals for k in state.by_norm.get(norm, ())))
    if j is None:
        return None
    lowered = state.copy[j].text.islower() and not state.copy_lowered
    if lowered and is_word(word.norm):
        if not (alone and has_determiner(state, word, j)):
            return WordMatch("as_word", (j,), "reads as an ordinary plural")
        if not word.possessive:
            return WordMatch("case", (j,), "lost its capital", 0.35)
    if word.possessive:
        note = " and lost its capital" if lowered else ""
        return WordMatch("possessive", (j,), f"has its possessive 's glued on{note}")
    if any(w.possessive and w.norm == word.norm for w in state.source):
        return WordMatch("possessive", (j,), "has a possessive 's glued on")
    return WordMatch("kept", (j,), "singular and plural")


def _singular(state: MatchState, i: int) -> WordMatch | None:
    word = state.source[i]
    singular = word.norm[:-1]
    found = state.by_norm.get(singular, []) if word.norm.endswith("s") else []
    if len(singular) <= 3:
        found = [k for k in found if state.copy[k].text.isupper()]
    j = state.nearest(i, (k for k in found if _has_capital(state, k)))
    if j is None:
        return None
    if word.possessive and state.copy[j].possessive:
        return WordMatch("possessive", (j,), "lost its last letter to the 's")
    return WordMatch("kept", (j,), "singular and plural")
