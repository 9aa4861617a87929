"""Hold the match state of one bead's names, and compare single words in their context."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from detector.names.detect import (
    Casing,
    Mention,
    base_form,
    find_mentions,
    has_capital,
    is_personal,
    place_of,
)
from detector.names.spelling import is_cut
from detector.records import Change
from detector.text.lexicon import (
    base_forms,
    closed_class,
    is_stopword,
    is_word,
    place_key,
    title_key,
)
from detector.text.words import Word, WordAlignment


@dataclass(frozen=True, slots=True)
class NameContext:
    """The casing of both documents and the keys (`place_key`) of the places the source names."""

    source: Casing
    copy: Casing
    places: frozenset[str]


@dataclass(frozen=True, slots=True)
class WordMatch:
    """The match of one word of a name."""

    change: Change
    copy: tuple[int, ...] = ()  # positions of the matching copy words
    note: str = ""  # why, as the end of a sentence about the name
    confidence: float | None = None  # in [0, 1] that it is damaged; None: that of the change


class MatchState:
    """The words and names of one bead, and the matches found so far."""

    def __init__(self, links: WordAlignment, context: NameContext, copy_at: int) -> None:
        self.links, self.context, self.copy_at = links, context, copy_at
        self.source, self.copy = links.source, links.copy
        self.mentions = find_mentions(self.source, context.source, context.copy)
        self.named = {i for mention in self.mentions for i in mention.at}
        self.plain = {w.norm for i, w in enumerate(self.source) if i not in self.named}
        self.taken: set[int] = set()
        self.matches: dict[int, WordMatch] = {}
        # A copy in lower case as a whole says nothing by its letters.
        self.copy_lowered = len(self.copy) > 1 and not any(has_capital(w.text) for w in self.copy)
        self.copy_flat = self.copy_lowered or all(w.start in context.copy.flat for w in self.copy)
        self.source_flat = all(w.start in context.source.flat for w in self.source)

    @cached_property
    def by_base(self) -> dict[str, list[int]]:
        """Positions of the copy's words by their base form."""
        bases = (base_form(w.text) for w in self.copy)
        return _index(base.lower() if self.copy_lowered else base for base in bases)

    @cached_property
    def by_norm(self) -> dict[str, list[int]]:
        """Positions of the copy's words by their norm."""
        return _index(w.norm for w in self.copy)

    @cached_property
    def by_letters(self) -> dict[str, list[int]]:
        """Positions of the copy's words by their letters."""
        return _index(letters_of(w.norm) for w in self.copy)

    @cached_property
    def pairs_by_letters(self) -> dict[str, list[int]]:
        """Positions of the first of two neighbouring words of the copy, by their joint letters."""
        return _index(letters_of(one.norm + other.norm) for one, other in pairwise(self.copy))

    def open(self, mention: Mention) -> list[int]:
        """Return the words of a name that are not settled yet."""
        return [i for i in mention.at if i not in self.matches]

    def settle(self, i: int, match: WordMatch) -> None:
        """Set the match of a source word, and mark its copy words as taken."""
        self.matches[i] = match
        self.taken.update(match.copy)

    def nearest(self, i: int, candidates: Iterable[int]) -> int | None:
        """Return the free candidate that the alignment links, else that at the likeliest place."""
        free = [j for j in candidates if j not in self.taken]
        linked = int(self.links.to_copy[i])
        if linked in free:
            return linked
        # Of a name that the source repeats, the alignment links the one that was kept.
        free = [j for j in free if not self._linked_to_repeated(i, j)]
        if not free:
            return None
        beside = [
            self.matches[k].copy[-1]
            for k in (i - 1, i + 1)
            if k in self.matches and self.matches[k].copy
        ]
        if beside:
            return min(free, key=lambda j: min(abs(j - b) for b in beside))
        place = i / max(1, len(self.source)) * len(self.copy)
        return min(free, key=lambda j: abs(j - place))

    def _linked_to_repeated(self, i: int, j: int) -> bool:
        k = int(self.links.to_source[j])
        return (
            k not in (-1, i)
            and k not in self.matches
            and k in self.named
            and self.source[k].norm == self.source[i].norm
        )

    def is_explained(self, j: int) -> bool:
        """Return whether the copy word matches a name, or a word of the source that is no name."""
        if j in self.taken or self.copy[j].norm in self.plain:
            return True
        i = int(self.links.to_source[j])
        return i >= 0 and i not in self.named and float(self.links.strength[i, j]) >= 0.4

    def is_capital(self, j: int) -> bool:
        """Return whether the copy word is written as a name, or could be in a lowered copy."""
        word = self.copy[j]
        if not self.copy_lowered:
            return has_capital(word.text)
        named = is_personal(word.norm)
        return not is_word(word.norm) or (named and not is_stopword(word.norm))

    def beside(self, i: int, j: int) -> bool:
        """Return whether a neighbour of the source word was matched right beside the copy word."""
        return any(
            k in self.matches and any(abs(c - j) <= 2 for c in self.matches[k].copy)
            for k in range(i - 2, i + 3)
        ) or (self._linked_near(i - 1, j) or self._linked_near(i + 1, j))

    def _linked_near(self, k: int, j: int) -> bool:
        if not 0 <= k < len(self.source):
            return False
        to = int(self.links.to_copy[k])
        return to >= 0 and abs(to - j) == 1

    def is_compound(self, i: int) -> bool:
        """Return whether a hyphen ties the source word to another of its name."""
        raw = self.context.source.raw
        word = self.source[i]
        return "-" in (raw[word.end : word.end + 1], raw[max(0, word.start - 1) : word.start])

    def source_text(self, at: Sequence[int]) -> str:
        """Return the raw source from the first to the last of those words, without possessive."""
        return _between(self.context.source.raw, self.source, at)

    def copy_text(self, at: Sequence[int]) -> str:
        """Return the raw copy from the first to the last of those words, without possessive."""
        return _between(self.context.copy.raw, self.copy, at)


def letters_of(norm: str) -> str:
    """Return the letters and digits of a text."""
    return "".join(filter(str.isalnum, norm))


def _index(forms: Iterable[str]) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for j, form in enumerate(forms):
        index.setdefault(form, []).append(j)
    return index


def _between(raw: str, words: Sequence[Word], at: Sequence[int]) -> str:
    return base_form(raw[words[at[0]].start : words[at[-1]].end])


GENERIC = closed_class("generic_head")
"""Heads of offices and institutions that an editor may write without a capital."""

PARAPHRASED = 0.4
"""Confidence that a name of ordinary words is damaged where it was paraphrased."""

_DETERMINERS = closed_class("determiner") - {"that"}  # more often a conjunction
_PARAPHRASE_STRENGTH = 0.45  # of the alignment


def is_generic(norm: str) -> bool:
    """Return whether a word is an office or the head of an institution, which many share."""
    return norm in GENERIC or norm.removesuffix("s") in GENERIC or title_key(norm) is not None


def is_place_adjective(text: str) -> bool:
    """Return whether a place is named by its adjective: "American", not "America"."""
    key = place_of(text)
    return key is not None and base_form(text).casefold() not in key.split()


def reads_as_word(state: MatchState, word: Word, j: int) -> bool:
    """Return whether a name without its capital means something else.

    "The sun" is not "Sun", nor "a solo" the town; "the post" may be "The Post", and a heading's
    "Order" or "Communism" only lost a capital.
    """
    if not is_word(word.norm) or has_determiner(state, word, j):
        return False
    led_now = j > 0 and state.copy[j - 1].norm in _DETERMINERS
    return led_now or is_personal(word.norm)


def has_determiner(state: MatchState, word: Word, j: int) -> bool:
    """Return whether a determiner precedes the word in the source, or a possessive in both."""
    k = state.source.index(word)
    before = state.source[k - 1] if k else None
    if before is None or before.norm in _DETERMINERS:
        return before is not None
    return before.possessive and j > 0 and state.copy[j - 1].possessive


def is_paraphrased(state: MatchState, i: int, j: int) -> bool:
    """Return whether an ordinary word of a name was only paraphrased.

    So are the words of institutions ("Health Ministry", "health department"), if all of them came
    through, and a word behind an article ("the Falls", "the waterfalls"), but not a surname "Sun".
    """
    word, other = state.source[i], state.copy[j]
    if not (is_word(word.norm) and is_word(other.norm)) or place_key(word.text) is not None:
        return False
    if is_cut(other.norm, word.norm) and base_forms(word.norm).isdisjoint(base_forms(other.norm)):
        return False
    led = i > 0 and state.source[i - 1].norm in _DETERMINERS
    (at,) = (mention.at for mention in state.mentions if i in mention.at)
    whole = len(at) > 1 and all(state.links.source_strength[k] >= _PARAPHRASE_STRENGTH for k in at)
    plain = whole and not is_personal(word.norm)
    return (led or plain) and float(state.links.strength[i, j]) >= _PARAPHRASE_STRENGTH
