"""Escape untrusted text for terminals, HTML and spreadsheets.

Hostile characters are made visible, text is measured in terminal columns, and a sentence is cut at
its marked spans. Colours, markup and reports are elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from typing import TypeVar

from detector.records import Span

T = TypeVar("T")

# Characters that act instead of being seen: C0 and C1 controls, bidirectional marks, embeddings,
# overrides and isolates, zero-width spaces, blank fillers, tags, annotations, lone surrogates.
# Format characters with a shape (Arabic number signs) are left alone, and so are joiners after a
# letter or an emoji that needs them; after ASCII a joiner only hides something.
_ACTING = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\ud800-\udfff\U000e0000-\U000e007f"
)
HOSTILE = re.compile(rf"[{_ACTING}]|(?<![^\x00-\x7f])[\u200c\u200d]|\r(?!\n)")
_BLANKS = re.compile(r"[ \t\r\n]+")


def _name(match: re.Match[str]) -> str:
    return f"⟦U+{ord(match.group()):04X}⟧"


def visible(text: str) -> str:
    r"""Return `text` with every acting character spelled out, such as `⟦U+202E⟧`.

    Tabs and line ends stay.

    Examples
    --------
    >>> visible("a\u202eb\n")
    'a⟦U+202E⟧b\n'
    """
    return HOSTILE.sub(_name, text)


def safe(text: str) -> str:
    r"""Return `text` as one line that can do nothing to a terminal, a page or a message.

    Acting characters are spelled out, runs of blanks and line ends become one space, and soft
    hyphens, invisible and harmless, are left out.

    Examples
    --------
    >>> safe("two\r\n lines,\x1b[31m red")
    'two lines,⟦U+001B⟧[31m red'
    """
    return visible(_BLANKS.sub(" ", text).replace("\xad", ""))


def columns(text: str) -> int:
    """Return how many terminal columns `text` takes: wide characters two, combining ones none.

    Examples
    --------
    >>> columns("abc"), columns("甲骨文"), columns("e\u0301")
    (3, 6, 1)
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, start: int, marks: Iterable[tuple[Span, T]]) -> list[tuple[str, T | None]]:
    """Cut a sentence at its marked spans into pieces, none empty, which together are the sentence.

    `start` is where the sentence starts in the raw text that the spans count. `marks` are spans and
    what they carry, most important first. A span that reaches beyond the sentence is clipped; one
    that overlaps an earlier one is left out.

    Examples
    --------
    >>> cut("the Torvan core", 100, [(Span(104, 110), "garbled"), (Span(108, 115), "late")])
    [('the ', None), ('Torvan', 'garbled'), (' core', None)]
    """
    taken: list[tuple[int, int]] = []  # sorted, disjoint
    carried: dict[int, T] = {}
    for span, mark in marks:
        left, right = max(0, span.start - start), min(len(text), span.end - start)
        if left >= right:
            continue
        at = bisect_left(taken, (left, right))
        if (at and taken[at - 1][1] > left) or (at < len(taken) and taken[at][0] < right):
            continue
        taken.insert(at, (left, right))
        carried[left] = mark
    pieces: list[tuple[str, T | None]] = []
    done = 0
    for left, right in taken:
        if done < left:
            pieces.append((text[done:left], None))
        pieces.append((text[left:right], carried[left]))
        done = right
    if done < len(text):
        pieces.append((text[done:], None))
    return pieces
