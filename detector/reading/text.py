"""Raw text in, sentences as spans into that raw text out.

Lines are gathered into paragraphs here; `stops` says where a sentence ends inside one.
Nothing is cleaned, normalised or dropped from the raw text: what is skipped simply lies between
two spans. Not done here: reading files (`files`), telling the article from the page round it
(`furniture`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from detector.reading.stops import stops
from detector.records import Document, Sentence

LIMIT: Final = 2_000
"""A sentence is never longer than this many code points; what is longer is cut into pieces.

Several times what an encoder of 256 tokens reads, so only run-together text is ever cut.
"""

_LINE_BREAK: Final = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_VISIBLE: Final = re.compile(r"[^\W_]")  # a letter or a digit of any script
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
"""Controls and marks without width: soft hyphen, zero-width and bidirectional marks, BOM."""

_EDGE: Final = rf"(?:\s|{_HIDDEN.pattern})"
_LEAD: Final = re.compile(rf"{_EDGE}*(?:(?:[-*+•‣◦▪●·>]|\#{{1,6}}){_EDGE}+)*")
_CLAUSE: Final = re.compile(r"[,;:—–](?=\s)|[、，；：]")
_SPACE: Final = re.compile(r"\s")
_FENCE: Final = re.compile(r" {0,3}(```|~~~)[`~]*(.*)")
_BLOCK: Final = re.compile(r"\s*(?:[-*+•‣◦▪●·]\s|\#{1,6}\s|\||>|\(?\d{1,3}[.)]\s)")
_ASIDE: Final = re.compile(r"\s*(?:-\s+[a-z\d]|[–—]\s|\d{1,3}[.)]\s)")
_HEADING: Final = re.compile(r"\s{0,3}(?:\#{1,6}\s|\|)")

_WIDEST_WRAP: Final = 100
_NARROWEST_WRAP: Final = 50
_SLACK: Final = 0.8  # of the width: proportional type and hyphenation leave lines short


def split(raw: str) -> Document:
    r"""Split a text into sentences.

    Parameters
    ----------
    raw : str
        Any text; offsets of the result count its code points.

    Returns
    -------
    Document
        The raw text and its sentences, in order. Headlines, bylines, captions and list items are
        sentences of their own. A text without a letter or digit has none.

    Notes
    -----
    For every `raw`, whatever it holds:

    1. `raw[s.start:s.end] == s.text` for each sentence `s`.
    2. Sentences stand in order and do not overlap.
    3. Each sentence holds a letter or a digit, and neither starts nor ends with white space or
       a character that does not show.
    4. Each letter and each digit lies in exactly one sentence, except inside Markdown's fenced
       code blocks, which are skipped. So a lone dash, a rule or a row of stars is never one.
    5. No sentence is longer than `LIMIT`; a longer one is cut at the last clause mark of each
       stretch, else at white space, else anywhere.
    6. No sentence crosses a line break, unless the document is hard-wrapped; then none crosses a
       line that holds no letter or digit.
    7. `paragraph` starts at 0 and grows by at most 1 from sentence to sentence.
    8. The work is linear in the length of `raw`, and the same text gives the same sentences.

    Hard-wrapped means that lines are broken where the next word would not have fitted, and
    usually before a small letter. It is judged once for a document.

    A word run into the next one, such as `flightNow`, is cut only where a whole clause follows;
    `detector.reading.stops` says why.

    Examples
    --------
    >>> split("Hong Kong\n — \nHe said: “Go.” Then he left.").texts
    ['Hong Kong', 'He said: “Go.”', 'Then he left.']
    >>> [(s.start, s.end, s.paragraph) for s in split("The U.S. won. \r\n\r\nIt ended.").sentences]
    [(0, 13, 0), (18, 27, 1)]
    """
    sentences: list[Sentence] = []
    paragraph = 0
    for start, end in _paragraphs(raw):
        before = len(sentences)
        for left, right in _sentences(raw, start, end):
            sentences.append(Sentence(left, right, raw[left:right], paragraph))
        paragraph += len(sentences) > before
    return Document(raw, tuple(sentences))


def _paragraphs(raw: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of lines that belong together, in order; some may hold nothing visible."""
    lines = _lines(raw)
    texts = [raw[start:end].rstrip() if end else "" for start, end in lines]
    width = _wrap_width(texts)
    opened: int | None = None
    for i, (start, end) in enumerate(lines):
        if opened is None:
            opened = start
        if width is None or i + 1 == len(lines) or not _goes_on(texts[i], texts[i + 1], width):
            yield opened, end
            opened = None


def _lines(raw: str) -> list[tuple[int, int]]:
    """Return the ranges of the lines without their breaks; lines of fenced code are empty."""
    breaks = [match.span() for match in _LINE_BREAK.finditer(raw)]
    starts = [0, *(end for _, end in breaks)]
    ends = [*(start for start, _ in breaks), len(raw)]
    lines = list(zip(starts, ends, strict=True))
    fence: tuple[str, int] | None = None
    for i, (start, end) in enumerate(lines):
        match = _FENCE.match(raw, start, end)
        if match and fence is None:
            fence = match[1], i
        elif match and fence and fence[0] == match[1] and not match[2].strip():
            # Only a fence that is closed is one: a stray mark must not swallow an article.
            for j in range(fence[1], i + 1):
                lines[j] = lines[j][0], lines[j][0]
            fence = None
    return lines


def _wrap_width(texts: list[str]) -> int | None:
    """Return the width to which a document is hard-wrapped, or None where lines are paragraphs."""
    breaks = [
        (left, right)
        for left, right in pairwise(texts)
        if _VISIBLE.search(left) and _VISIBLE.search(right) and not _BLOCK.match(right)
    ]
    width = max((len(left) for left, _ in breaks if len(left) <= _WIDEST_WRAP), default=0)
    wide = sum(len(text) > _WIDEST_WRAP and " " in text.strip() for text in texts)
    if width < _NARROWEST_WRAP or wide > 0.05 * len(breaks):
        return None
    # A line that ends in a stop says nothing: a paragraph may end there too.
    open_ended = [pair for pair in breaks if not _is_stopped(pair[0])]
    full = sum(_is_full(left, right, width) for left, right in open_ended)
    broken = sum(_is_broken(left, right) for left, right in open_ended)
    if len(open_ended) < 3:  # too few to count: each break must be plain
        return width if full == broken == len(breaks) else None
    shares = len(open_ended) / len(breaks), full / len(open_ended), broken / len(open_ended)
    return width if shares[0] >= 0.3 and shares[1] >= 0.75 and shares[2] >= 0.4 else None


def _goes_on(left: str, right: str, width: int) -> bool:
    """Whether, in a hard-wrapped document, the line `right` continues the line `left`."""
    if not _VISIBLE.search(left) or not _VISIBLE.search(right):
        return False
    if _HEADING.match(left):
        return False
    full, broken = _is_full(left, right, width), _is_broken(left, right)
    if _BLOCK.match(right):  # a dash or a figure may stand first by chance: `– than most`
        aside = _ASIDE.match(right) and not _BLOCK.match(left) and not _is_stopped(left)
        return bool(aside) and full
    indented = right[:1].isspace() and not left[:1].isspace() and not _BLOCK.match(left)
    return broken or (full and not indented)


def _is_full(left: str, right: str, width: int) -> bool:
    """Whether the first word of `right` would not have fitted on the line of `left`."""
    return len(left) + 1 + len(right.split(maxsplit=1)[0]) > _SLACK * width


def _is_stopped(line: str) -> bool:
    """Whether `line` ends like a sentence, or before a list."""
    return line.rstrip("\"'”’»)]*_")[-1:] in set(".!?…:。！？")


def _is_broken(left: str, right: str) -> bool:
    """Whether a sentence plainly runs from `left` into `right`."""
    return right.lstrip()[:1].islower() and not _is_stopped(left)


def _sentences(raw: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the trimmed ranges of one paragraph's sentences."""
    if not _VISIBLE.search(raw, start, end):
        return
    lead = _LEAD.match(raw, start, end)
    start = lead.end() if lead else start
    cuts = _cuts(raw[start:end])
    bounds = [start, *(start + cut for cut in cuts), end]
    opened = start
    for left, right in pairwise(bounds):
        # Marks between two cuts that hold no letter go with what follows them, or else are left.
        if _VISIBLE.search(raw, left, right):
            yield from _pieces(raw, opened, right)
            opened = right


def _cuts(text: str) -> list[int]:
    """Return where the sentences of a paragraph end, judged without what does not show."""
    if not _HIDDEN.search(text):
        return stops(text)
    places = [i for i, mark in enumerate(text) if not _HIDDEN.match(mark)]
    return [places[cut - 1] + 1 for cut in stops("".join(text[i] for i in places))]


def _pieces(raw: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield a sentence, trimmed, in pieces no longer than `LIMIT`."""
    start, end = _trim(raw, start, end)
    while end - start > LIMIT:
        half, full = start + LIMIT // 2, start + LIMIT
        marks = [match.end() for match in _CLAUSE.finditer(raw, half, full)]
        spaces = marks or [match.end() for match in _SPACE.finditer(raw, half, full)]
        cut = spaces[-1] if spaces else full
        left, right = _trim(raw, start, cut)
        if _VISIBLE.search(raw, left, right):
            yield left, right
        start, _ = _trim(raw, cut, end)
    if _VISIBLE.search(raw, start, end):
        yield start, end


def _trim(raw: str, start: int, end: int) -> tuple[int, int]:
    """Move both ends inward over white space and characters that do not show."""
    while start < end and (raw[start].isspace() or _HIDDEN.match(raw[start])):
        start += 1
    while start < end and (raw[end - 1].isspace() or _HIDDEN.match(raw[end - 1])):
        end -= 1
    return start, end
