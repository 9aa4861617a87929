"""Which words of a bead's two sides differ: changed, lost or added, as a reader would see it.

Pure, and plain: words are compared by their letters alone, in order. What a difference means is
for the models; this only shows an eye where to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import LCSseq

from detector.records import Span
from detector.words import find_words

Difference = Literal["changed", "lost", "added"]
"""What became of a word: another stands in its place, none does, or it stands for none."""

LONGEST = 2000
"""Words of a side from which on nothing is compared: the time grows with the product of both."""

FEWEST = 0.2
"""Share of the shorter side's words below which nothing is marked: all of it differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Words that differ between two texts, in order; spans count in the given texts.

    Attributes
    ----------
    source, copy : tuple of (Span, Difference)
        One for each word; of the source they are changed or lost, of the copy changed or added.
    """

    source: tuple[tuple[Span, Difference], ...] = ()
    copy: tuple[tuple[Span, Difference], ...] = ()


def differences(source_text: str, copy_text: str) -> Differences:
    """Say which words of two texts differ.

    Parameters
    ----------
    source_text, copy_text : str
        Both sides of a bead.

    Returns
    -------
    Differences
        Empty where a side is longer than `LONGEST` words, or fewer than `FEWEST` are shared.

    Notes
    -----
    The longest common subsequence of the words, without regard to case, accents, apostrophes and
    punctuation, is kept (rapidfuzz's bit-parallel one). Between two kept words, what stands on
    both sides is changed and what stands on one alone is lost or added.

    Examples
    --------
    >>> found = differences("He was not late.", "He was early, today.")
    >>> [kind for _, kind in found.source], [kind for _, kind in found.copy]
    (['changed', 'changed'], ['changed', 'changed'])
    >>> differences("Not a word.", "Not one word more.").copy[1]
    (Span(start=13, end=17), 'added')
    """
    sides = source, copy = find_words(source_text), find_words(copy_text)
    if max(map(len, sides)) > LONGEST:
        return Differences()
    lost: list[tuple[Span, Difference]] = []
    added: list[tuple[Span, Difference]] = []
    at_source = at_copy = 0
    norms = [[word.norm for word in side] for side in sides]
    kept = [block for block in LCSseq.opcodes(*norms) if block.tag == "equal"]
    if sum(b.src_end - b.src_start for b in kept) < FEWEST * min(map(len, sides)):
        return Differences()
    ends = [(b.src_start, b.dest_start, b.src_end, b.dest_end) for b in kept]
    for to_source, to_copy, next_source, next_copy in [*ends, (len(source), len(copy), 0, 0)]:
        gone, new = source[at_source:to_source], copy[at_copy:to_copy]
        both = bool(gone and new)
        lost += [(word.span, "changed" if both else "lost") for word in gone]
        added += [(word.span, "changed" if both else "added") for word in new]
        at_source, at_copy = next_source, next_copy
    return Differences(source=tuple(lost), copy=tuple(added))
