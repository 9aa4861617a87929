"""What people marked, as marks on the cleaned texts of a pair.

One function for each way of writing it down: spans, tags over tokens, or a second text. A mark
that has no place in either text is left out, and counted by who asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from detector.learn.cleaning import moved
from detector.learn.corpus import Mark
from detector.learn.makers.edits import find_lost

POINTS = {"Neutral": 0.0, "Minor": 1.0, "Major": 5.0, "Critical": 10.0}
"""Error points of a severity."""

_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")


@dataclass(frozen=True, slots=True)
class Text:
    """A text before and after it was cleaned."""

    raw: str
    cleaned: str

    def mark(
        self, side: Literal["copy", "source"], at: tuple[int, int], kind: str, weight: float
    ) -> Mark | None:
        """Mark a stretch of the raw text, or nothing where it is gone."""
        place = moved(self.raw, self.cleaned, *at)
        if place is None:
            return None
        return Mark(side=side, start=place[0], end=place[1], kind=kind, weight=weight)


def of_spans(
    copy: Text, spans: Sequence[tuple[int | None, int | None, str, float]]
) -> tuple[Mark, ...]:
    """Mark spans (start, end, kind, weight) of the raw copy; those without a place are left out."""
    found = [
        copy.mark("copy", (start, min(end, len(copy.raw))), kind, weight)
        for start, end, kind, weight in spans
        if start is not None and end is not None
    ]
    return tuple(mark for mark in found if mark is not None)


def of_tags(source: Text, copy: Text, tags: Sequence[str]) -> tuple[Mark, ...]:
    """Mark what 2n + 1 tags (gap, word, gap, ...) over the copy's n tokens call BAD.

    Neighbouring BAD words share a mark of kind "edited". What is missing at a BAD gap is marked in
    the source, kind "omitted", where a comparison of the tokens finds it inserted there.
    """
    theirs, ours = _tokens(source.raw), _tokens(copy.raw)
    if len(tags) != 2 * len(ours) + 1:
        return ()
    found: list[Mark | None] = []
    run: tuple[int, int] | None = None
    for (start, end), tag in zip([*ours, (0, 0)], [*tags[1::2], "OK"], strict=True):
        if tag == "BAD":
            run = (run[0] if run else start, end)
        elif run:
            found.append(copy.mark("copy", run, "edited", POINTS["Minor"]))
            run = None
    gaps = {at for at, tag in enumerate(tags[::2]) if tag == "BAD"}
    if gaps:
        for at, low, high in _inserted([copy.raw[a:b] for a, b in ours], source.raw.split()):
            if at in gaps:
                there = theirs[low][0], theirs[high - 1][1]
                found.append(source.mark("source", there, "omitted", POINTS["Minor"]))
    return tuple(mark for mark in found if mark is not None)


def _tokens(text: str) -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(r"\S+", text)]


def _inserted(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    for name, i1, _, j1, j2 in matcher.get_opcodes():
        if name == "insert":
            yield i1, j1, j2


def of_change(
    source: str, before: str, after: str, *, kind: str, weight: float
) -> tuple[Mark, ...]:
    """Mark what was changed of a sound copy: new words in the copy, lost ones in the source.

    Lost words that the source says otherwise are marked on the word of the copy after the gap.
    """
    olds, news = ([m.span() for m in _TOKEN.finditer(text)] for text in (before, after))
    matcher = SequenceMatcher(
        None, [before[a:b] for a, b in olds], [after[a:b] for a, b in news], autojunk=False
    )
    found: list[Mark] = []
    for name, i1, i2, j1, j2 in matcher.get_opcodes():
        if name == "equal":
            continue
        side: Literal["copy", "source"] = "copy"
        if j2 > j1:
            place = news[j1][0], news[j2 - 1][1]
        else:
            lost = before[olds[i1][0] : olds[i2 - 1][1]]
            there = find_lost(lost, source, olds[i1][0] / max(1, len(before)))
            if there is None and not news:
                continue
            side = "copy" if there is None else "source"
            place = news[min(j1, len(news) - 1)] if there is None else there
        found.append(Mark(side=side, start=place[0], end=place[1], kind=kind, weight=weight))
    return tuple(found)
