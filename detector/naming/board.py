"""The names of one bead while they are being matched: what is settled, what is still free.

A `Board` lives for one call. It answers questions about places and neighbours; what counts as a
match is decided by `forms` and `standins`, and what it means by the package's front.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detector.lexicon import is_stopword, is_word, name_kinds
from detector.naming.casing import Casing, base_form, has_capital
from detector.naming.mentions import Mention, find_mentions
from detector.records import Change
from detector.words import Word, WordAlignment


@dataclass(frozen=True, slots=True)
class NameContext:
    """What both whole documents tell about the way their words are written.

    `places` are the keys of all places that the source names (`lexicon.place_key`).
    """

    source: Casing
    copy: Casing
    places: frozenset[str]


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one word of a name.

    Attributes
    ----------
    change : Change
    copy : tuple of int
        Positions of the copy words that stand for it; empty where none does.
    note : str
        Why, as the end of a sentence about the name.
    belief : float or None
        Probability in [0, 1] of damage, where it differs from what the change usually means.
    """

    change: Change
    copy: tuple[int, ...] = ()
    note: str = ""
    belief: float | None = None


class Board:
    """One bead's words and names, and the matches found so far."""

    def __init__(self, links: WordAlignment, context: NameContext, copy_at: int) -> None:
        self.links, self.context, self.copy_at = links, context, copy_at
        self.source, self.copy = links.source, links.copy
        self.mentions = find_mentions(self.source, context.source, context.copy)
        self.named = {i for mention in self.mentions for i in mention.at}
        self.plain = {w.norm for i, w in enumerate(self.source) if i not in self.named}
        self.taken: set[int] = set()
        self.matches: dict[int, Match] = {}
        # A copy that was put into lower case as a whole tells nothing by its letters.
        self.copy_lowered = len(self.copy) > 1 and not any(has_capital(w.text) for w in self.copy)
        self.copy_flat = self.copy_lowered or all(w.start in context.copy.flat for w in self.copy)
        self.source_flat = all(w.start in context.source.flat for w in self.source)

    def open(self, mention: Mention) -> list[int]:
        """Return the words of a name that are not settled yet."""
        return [i for i in mention.at if i not in self.matches]

    def settle(self, i: int, match: Match) -> None:
        """Note what became of a source word, and take the copy words that stand for it."""
        self.matches[i] = match
        self.taken.update(match.copy)

    def nearest(self, i: int, candidates: Iterable[int]) -> int | None:
        """Prefer the word that the alignment links, then the one at the likeliest place."""
        free = [j for j in candidates if j not in self.taken]
        if not free:
            return None
        linked = int(self.links.to_copy[i])
        if linked in free:
            return linked
        # Of a name given twice, the alignment knows which one the copy kept.
        free = [j for j in free if not self._linked_to_twin(i, j)]
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

    def _linked_to_twin(self, i: int, j: int) -> bool:
        k = int(self.links.to_source[j])
        return (
            k not in (-1, i)
            and k not in self.matches
            and k in self.named
            and self.source[k].norm == self.source[i].norm
        )

    def accounted(self, j: int) -> bool:
        """Tell whether the copy word stands for a word of the source that is no name."""
        word = self.copy[j]
        if word.norm in self.plain:
            return True
        i = int(self.links.to_source[j])
        return i >= 0 and i not in self.named and float(self.links.strength[i, j]) >= 0.4

    def capital(self, j: int) -> bool:
        """Tell whether the copy word is written as a name, or could be in a lowered copy."""
        word = self.copy[j]
        if not self.copy_lowered:
            return has_capital(word.text)
        named = not name_kinds(word.norm).isdisjoint(("given", "surname"))
        return not is_word(word.norm) or (named and not is_stopword(word.norm))

    def beside(self, i: int, j: int) -> bool:
        """Tell whether a neighbour of the source word was matched right beside the copy word."""
        return any(
            abs(k - i) <= 2 and any(abs(c - j) <= 2 for c in match.copy)
            for k, match in self.matches.items()
            if match.copy
        ) or (self._linked_near(i - 1, j) or self._linked_near(i + 1, j))

    def _linked_near(self, k: int, j: int) -> bool:
        if not 0 <= k < len(self.source):
            return False
        to = int(self.links.to_copy[k])
        return to >= 0 and abs(to - j) == 1

    def is_compound(self, i: int) -> bool:
        """Tell whether a hyphen ties the source word to another of its name."""
        raw = self.context.source.raw
        word = self.source[i]
        return "-" in (raw[word.end : word.end + 1], raw[max(0, word.start - 1) : word.start])

    def source_text(self, at: Sequence[int]) -> str:
        """Return the raw source from the first to the last of those words, without possessive."""
        return _between(self.context.source.raw, self.source, at)

    def copy_text(self, at: Sequence[int]) -> str:
        """Return the raw copy from the first to the last of those words, without possessive."""
        return _between(self.context.copy.raw, self.copy, at)


def _between(raw: str, words: Sequence[Word], at: Sequence[int]) -> str:
    return base_form(raw[words[at[0]].start : words[at[-1]].end])
