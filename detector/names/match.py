"""Match names that came back whole: same form, other case, acronym, expansion.

Initials and what they stand for: "WHO", "World Health Organization".

Which names are well known by their initials is told by the lexicon; any others are spelt.

Names that came back whole: the same word, another word for it, another case, a glued 's.

Each step settles the words that it can account for, strictest first. Misspelt and replaced names
are left to `standins`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from detector.names.detect import Mention, base_form, has_capital
from detector.names.state import Match, MatchState, is_led, reads_as_word
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


def match_acronym(board: MatchState, mention: Mention) -> None:
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


def _is_spelt_out(board: MatchState, text: str, at: Sequence[int]) -> bool:
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


def _acronym_partners(board: MatchState, text: str) -> Iterator[tuple[int, ...]]:
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


def match_forms(board: MatchState) -> None:
    """Settle every word of a name that stands in the copy in one of its proper forms."""
    # Long names choose first: the Brandt of "Almeida-Brandt" stands in "Almeida-Brandt".
    longest = sorted(board.mentions, key=lambda mention: -len(mention.at))
    for step in (_same, _place, _other_case, _joined, _adjective, _glued, match_acronym):
        for mention in longest:
            step(board, mention)


def _same(board: MatchState, mention: Mention) -> None:
    for i in board.open(mention):
        base = base_form(board.source[i].text)
        if board.copy_lowered:
            base = base.lower()
        j = board.nearest(i, (j for j, w in enumerate(board.copy) if base_form(w.text) == base))
        if j is None:
            continue
        if board.source[i].possessive and _detached(board, j):
            board.settle(i, Match("possessive", (j,), "has its possessive 's cut off"))
        else:
            board.settle(i, Match("kept", (j,)))


def _detached(board: MatchState, j: int) -> bool:
    if j + 1 >= len(board.copy) or board.copy[j + 1].text.lower() != "s":
        return False
    # "Florida s" has lost its apostrophe, "Florida 's" is only tokenised.
    return board.context.copy.raw[board.copy[j].end : board.copy[j + 1].start].isspace()


def _place(board: MatchState, mention: Mention) -> None:
    if not board.open(mention):
        return
    # "Embassy of the People's Republic of China" holds a place of several words.
    phrases = [
        mention.at[first : first + size]
        for size in range(len(mention.at), 0, -1)
        for first in range(len(mention.at) - size + 1)
        if size < 5 or size == len(mention.at)
    ]
    for at in phrases:
        if any(i in board.matches for i in at):
            continue
        key = place_key(board.source_text(at))
        if key is None:
            continue
        for size in (3, 2, 1):
            hit = _nearest_phrase(board, at, key, size)
            if hit is not None:
                for i in at:
                    board.settle(i, Match("kept", hit, "another word for the same place"))
                break


def _nearest_phrase(
    board: MatchState, mention_at: Sequence[int], key: str, size: int
) -> tuple[int, ...] | None:
    hits = []
    i, last = mention_at[0], mention_at[-1]
    for j in range(len(board.copy) - size + 1):
        at = tuple(range(j, j + size))
        if any(k in board.taken for k in at):
            continue
        if not _has_capital(board, j):
            continue
        if (
            board.copy[at[-1]].norm == f"{board.source[last].norm}s"
            and board.source[last].possessive
        ):
            continue  # a glued possessive, which `_glued` looks at
        text = board.copy_text(at)
        if j == 0:  # its first letter may have been lowered: "uS farmers"
            text = text[:1].upper() + text[1:]
        if key in (place_key(text), board.copy_lowered and place_key(text.upper())):
            hits.append(at)
    place = i / max(1, len(board.source)) * len(board.copy)
    return min(hits, key=lambda at: abs(at[0] - place), default=None)


def _other_case(board: MatchState, mention: Mention) -> None:
    for i in board.open(mention):
        word = board.source[i]
        j = board.nearest(
            i,
            (
                j
                for j, w in enumerate(board.copy)
                if w.norm == word.norm and (has_capital(w.text) or w.norm not in board.plain)
            ),
        )
        if j is not None:
            board.settle(i, case_match(board, word, j))


def case_match(board: MatchState, word: Word, j: int) -> Match:
    """Judge a copy word that is the source word but for case, accents or dots."""
    other = board.copy[j]
    old, new = base_form(word.text), base_form(other.text)
    if old.casefold() != new.casefold():
        # Only accents, dots or invisible marks differ.
        return Match("kept", (j,), "accents or dots aside, the same word")
    if board.copy_flat or board.source_flat:
        return Match("kept", (j,), "a headline or capitals throughout")
    if old[0].isupper() and new.islower() and j:
        if is_stopword(word.norm) or reads_as_word(board, word, j):
            return Match("as_word", (j,), "reads as an ordinary word without its capital")
        led = is_word(word.norm) and is_led(board, word, j)
        return Match("case", (j,), "lost its capital", 0.35 if led else None)
    at_opening = other.start in board.context.copy.opening
    if at_opening and new[0].isupper() and old[1:] == new[1:]:
        return Match("kept", (j,))
    return Match("case", (j,), "is written with other capitals")


def _joined(board: MatchState, mention: Mention) -> None:
    """Match parts that one side writes together and the other apart: "Da Peng", "Dapeng"."""
    _written_apart(board, mention)
    for size in range(len(mention.at), 1, -1):
        for first in range(len(mention.at) - size + 1):
            at = mention.at[first : first + size]
            if any(i in board.matches for i in at):
                continue
            whole = _letters_of(board.source[i].norm for i in at)
            j = board.nearest(
                at[0], (j for j, w in enumerate(board.copy) if _letters_of((w.norm,)) == whole)
            )
            if j is not None and _has_capital(board, j):
                for i in at:
                    board.settle(i, Match("kept", (j,), "written together"))


def _written_apart(board: MatchState, mention: Mention) -> None:
    for i in board.open(mention):
        whole = _letters_of((board.source[i].norm,))
        for j in range(len(board.copy) - 1):
            at = (j, j + 1)
            norms = [board.copy[k].norm for k in at]
            if (
                _letters_of(norms) == whole
                and board.taken.isdisjoint(at)
                and all(_has_capital(board, k) or len(norms[1]) == 1 for k in at)
            ):
                board.settle(i, Match("kept", at, "written apart"))
                break


def _letters_of(norms: Iterable[str]) -> str:
    return "".join(c for norm in norms for c in norm if c.isalnum())


# What turns the name of a place or a person into an adjective or a people.
_CREEDS = ("ism", "ist", "ists", "ic")
_SUFFIXES = (
    *("n", "an", "ian", "ns", "ans", "ians", "ese", "ish", "ite", "ites", "er", "ers", "i"),
    *_CREEDS,
)


def _adjective(board: MatchState, mention: Mention) -> None:
    for i in board.open(mention):
        norm = board.source[i].norm
        if len(norm) < 4:
            continue
        forms = {f"{norm.rstrip('aeo')}{suffix}" for suffix in _SUFFIXES}
        forms |= {norm + suffix for suffix in _SUFFIXES}
        forms |= {re.sub("(?:ism|ists?|ic)$", suffix, norm) for suffix in _CREEDS}
        j = board.nearest(
            i,
            (
                j
                for j, w in enumerate(board.copy)
                if board.capital(j)
                and _is_known(w.norm)
                and (
                    w.norm in forms
                    or american(w.norm) == american(norm)
                    or (_is_place(w) and norm in {w.norm.rstrip("aeo") + x for x in _SUFFIXES})
                )
            ),
        )
        if j is not None:
            board.settle(i, Match("kept", (j,), "the name and its adjective"))


def _is_place(word: Word) -> bool:
    return "place" in name_kinds(word.norm) or place_key(word.text) is not None


def _is_known(norm: str) -> bool:
    """Tell a form in use ("Ottomans") from a name with an ending that it never had."""
    return zipf(norm) > 0.0 or is_known_name(norm)


def _has_capital(board: MatchState, j: int) -> bool:
    return board.copy_lowered or has_capital(board.copy[j].text)


def _glued(board: MatchState, mention: Mention) -> None:
    for i in board.open(mention):
        word = board.source[i]
        j = board.nearest(
            i,
            (
                j
                for j, w in enumerate(board.copy)
                if w.norm in (f"{word.norm}s", f"{word.norm}es") and w.norm not in board.plain
            ),
        )
        if j is None:
            j = board.nearest(
                i,
                (
                    j
                    for j, w in enumerate(board.copy)
                    if word.norm == f"{w.norm}s"
                    and (len(w.norm) > 3 or w.text.isupper())
                    and _has_capital(board, j)
                ),
            )
            if j is not None and word.possessive and board.copy[j].possessive:
                board.settle(i, Match("possessive", (j,), "lost its last letter to the 's"))
            elif j is not None:
                board.settle(i, Match("kept", (j,), "singular and plural"))
            continue
        other = board.copy[j]
        lowered = other.text.islower() and not board.copy_lowered
        reads = is_word(word.norm) and not (len(mention.at) == 1 and is_led(board, word, j))
        if word.possessive:
            if lowered and reads:
                board.settle(i, Match("as_word", (j,), "reads as an ordinary plural"))
            else:
                note = "has its possessive 's glued on"
                if lowered:
                    note += " and lost its capital"
                board.settle(i, Match("possessive", (j,), note))
        elif lowered and is_word(word.norm):
            plural = Match("as_word", (j,), "reads as an ordinary plural")
            board.settle(i, plural if reads else Match("case", (j,), "lost its capital", 0.35))
        elif _possessive_elsewhere(board, word):
            board.settle(i, Match("possessive", (j,), "has a possessive 's glued on"))
        else:
            board.settle(i, Match("kept", (j,), "singular and plural"))


def _possessive_elsewhere(board: MatchState, word: Word) -> bool:
    return any(w.possessive and w.norm == word.norm for w in board.source)
