"""Split raw text into sentences, as spans into that text.

Rules for news English find the stops that end a sentence: titles, initials, `U.S.`, `No. 5`,
`a.m.`, quotations, ellipses, Markdown links, stops of other scripts, and stops whose following
space was lost. Lines are gathered into paragraphs first. Nothing is cleaned or dropped from the raw
text: what is skipped lies between two spans.

The rules are written by hand: on 20,039 lines of news, encyclopedia, talks, abstracts and round
trips, joined ten by ten, nupunkt 0.8 missed 200 ends and these rules 27.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from detector.records import Document, Sentence
from detector.text.boilerplate import boilerplate_reason
from detector.text.lexicon import closed_class

# Words after an abbreviation that start a sentence rather than go on with a name.
_OPENERS: Final = closed_class("sentence_opener")
# Abbreviations: before a name; at a sentence's end only before an opener; never at an end; before a
# number (`No. 5`, `Sept. 11`).
_TITLES: Final = closed_class("title_abbreviation")
_NAME_PARTS: Final = closed_class("name_abbreviation")
_JOINING: Final = closed_class("joining_abbreviation")
_NUMBERED: Final = closed_class("numbered_abbreviation")
_KNOWN: Final = _TITLES | _NAME_PARTS | _JOINING | _NUMBERED
# Words after `a.m.` and `p.m.` that go on with a capital; names that end in an exclamation mark.
_AFTER_HOUR: Final = closed_class("after_hour")
_EXCLAIMED: Final = closed_class("exclaimed_name")

_CLOSERS: Final = r"(?:\]\([^\s()]*\)|\[\d{1,3}\]|[\"'”’»›)\]}*_~]|[」』】》〉）］])"
_OPEN: Final = r"[\"'“‘„‚«‹(\[{*_~¿¡$£€#•–—-]"

_CANDIDATE: Final = re.compile(
    rf"""(?P<stop>
        [。！？｡।॥؟۔։።᠃။]+         # stops of other scripts need no space after them
      | \.(?:[ \u00a0]\.){{2,}}     # spaced ellipsis
      | [.!?…‽]+
    )
    (?P<close>{_CLOSERS}{{0,12}})
    (?P<gap>\s*)
    (?P<quote>["”](?=\s|\Z))?        # a closing quote between two spaces (tokenised)
    """,
    re.VERBOSE,
)
_FOREIGN: Final = frozenset("。！？｡।॥؟۔։።᠃။")
_NEXT: Final = re.compile(
    rf"\s*(?P<open>{_OPEN}{{0,8}})\s?(?P<token>[^\s\"“”()\[\]—–…!?,;:]{{0,40}})"
)
_QUOTES: Final = frozenset("\"'”’»")
_GOING_ON: Final = frozenset(".!?…,;:)]}%”’»")
_ATTRIBUTION: Final = re.compile(
    r"\s*(?:[A-Z][\w.'’-]{0,30}\s+){1,4}"
    r"(?:said|says|asked|asks|told|added|wrote|replied|cried|shouted|wondered)\b"
)
_ENUMERATOR: Final = re.compile(r"\W*(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]\s*\Z")
_LOST_SPACE: Final = re.compile(
    rf"""(?:(?<=[^\W\d_]{{3}})|(?<=\d{{4}})|(?<=[%)]))   # a word or a year, never a single letter
    (?P<stop>[.!?]{_CLOSERS}{{0,2}})
    (?={_OPEN}{{0,2}}(?P<word>[A-Z][a-z]+|[AI](?=['’\s]))(?:['’][a-z]+)?(?=[\s,:;—–]))""",
    re.VERBOSE,
)
_CAMEL: Final = re.compile(r"[a-z]{1,3}[A-Z]\w+")  # iPhone, eBay: a name that starts small

_CLAUSE_OPENERS: Final = "The|But|He|She|They|We|This|These|Those|However|Meanwhile|Although"
_FUSED: Final = re.compile(
    r"(?<![\w.@/#-])[a-z]{4,}(?P<cut>)"
    rf"(?:(?:{_CLAUSE_OPENERS})\s"
    r"|(?:Now|Then|Today|When|While),?\s+(?:[A-Z]|(?:the|a|an|he|she|it|they|we|this|that)\b))"
)
"""A lower-case word fused with the opener of a clause: a stop or a closing quote was lost.

`harbourNow the ferry` is cut, `harbourNow runs` is not: what follows is no clause. Names in camel
case (TikTok, eBay, LinkedIn, linkedIn, signIn) do not match: small particles are no openers.
"""


def stops(paragraph: str) -> list[int]:
    """Return the offsets at which the sentences of a paragraph end, but for the last one.

    The paragraph has no hard line breaks or hidden characters. Offsets follow the last character of
    a sentence, closing quotation marks included, and grow strictly. Time is linear, since all
    lookarounds are bounded.

    Examples
    --------
    >>> stops("He said: “Go.” Then he left.")
    [14]
    >>> stops("The U.S. Senate met Mr. Smith at 5 p.m. Friday.")
    []
    """
    cuts = {*_after_stops(paragraph), *_lost_stops(paragraph)}
    return sorted(cut for cut in cuts if 0 < cut < len(paragraph))


def _after_stops(text: str) -> Iterator[int]:
    """Yield the ends of sentences at stops that something visible follows."""
    last = 0
    straight = 0  # straight double quotes met so far
    counted = 0
    for match in _CANDIDATE.finditer(text):
        stop, close = match["stop"], match["close"]
        end = match.end("close")
        straight += text.count('"', counted, match.start())
        counted = match.start()
        closes = match["quote"] == "”" or straight % 2 == 1
        if match["quote"] and match["gap"] and closes:
            end = match.end("quote")
        if end >= len(text):
            return
        before = text[max(last, match.start() - 48) : match.start()]
        numbering = end - last < 12 and _ENUMERATOR.match(text, last, end)
        if not numbering and _ends(text, before, stop, close, end):
            yield end
            last = end


def _ends(text: str, before: str, stop: str, close: str, end: int) -> bool:
    """Judge one stop by the word before it and the word after it."""
    if stop[-1] in _FOREIGN:
        return not text.startswith("と", end)  # Japanese: the quotation is an object of a verb
    if not text[end].isspace():
        return False
    following = _NEXT.match(text, end)
    if following is None or not following["token"]:
        at = end if following is None else following.end()
        return text[at : at + 1] not in _GOING_ON
    token, word = following["token"], _last_word(before)
    quoted = not set(close).isdisjoint(_QUOTES)
    if token[0].islower() and not _CAMEL.match(token):
        return stop == "." and not close and not following["open"] and _is_plain(word)
    if stop[-1] in "!?‽":
        exclaimed = word.lower() in _EXCLAIMED and token.lower() not in _OPENERS
        return not exclaimed and not (quoted and _ATTRIBUTION.match(text, end))
    if stop != ".":  # an ellipsis goes on before `I`, the one word that is always a capital
        return not re.match(r"I\b", token)
    return quoted or _full_stop_ends(word, token)


def _last_word(before: str) -> str:
    """Return the word at the very end of `before`, without what precedes a hyphen."""
    if not before or before[-1].isspace():
        return ""
    return re.split(r"[-‐‑–—]", before.split()[-1])[-1].lstrip("\"'“‘(*_[$£€")


def _is_dotted(word: str) -> bool:
    """Whether `word` is letters parted by stops: `U.S`, `a.m`, `Ph.D`."""
    return "." in word and all(part.isalpha() and len(part) <= 2 for part in word.split("."))


def _is_plain(word: str) -> bool:
    """Whether `word` is no abbreviation, so that even a small letter may follow its stop."""
    return len(word) >= 4 and word.isalpha() and word.lower() not in _KNOWN


def _full_stop_ends(word: str, token: str) -> bool:
    """Whether one full stop between `word` and a capitalised `token` ends a sentence."""
    small = word.lower()
    follower = token.rstrip(".").lower()
    opens = follower in _OPENERS and not (len(token) == 2 and token[1] == ".")  # not an initial
    if any(map(str.isdigit, token)):  # `No. 5`, `Sept. 11`, `No. B-12`
        return small.rpartition(".")[2] not in _NUMBERED | _JOINING and not _is_dotted(word)
    if small in {"a.m", "p.m"}:
        return follower not in _AFTER_HOUR
    if small in _TITLES or small in _JOINING:
        return False
    if small in _NAME_PARTS or _is_dotted(word) or (len(word) == 1 and word.isalpha()):
        return opens
    return True  # an ordinary word, a name, an acronym or a number


def _lost_stops(text: str) -> Iterator[int]:
    """Yield the ends of sentences whose stop, or the space after it, was lost."""
    straight = counted = 0
    for match in _LOST_SPACE.finditer(text):
        left = text[max(0, match.start() - 60) : match.start()].split(" ")[-1]
        if any(mark in left for mark in "/@=\\") or "www." in left:
            continue  # an address
        if match["word"] in {"Com", "Net", "Org", "Js", "Py"}:
            continue
        straight += text.count('"', counted, match.start())
        counted = match.start()
        opening = match["stop"].endswith('"') and straight % 2 == 0
        yield match.end("stop") - opening
    fused = [(match.start("cut"), match[0].split()[0]) for match in _FUSED.finditer(text)]
    seen = Counter(token for _, token in fused)
    yield from (cut for cut, token in fused if seen[token] == 1)  # twice is a name


LIMIT: Final = 2_000
"""Most code points of a sentence, several times an encoder's 256 tokens; longer ones are cut."""

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
    r"""Split a text into sentences, in order; offsets count the code points of `raw`.

    Headlines, bylines, captions and list items are sentences of their own. A text without a letter
    or digit has none.

    Notes
    -----
    For every `raw`, whatever it holds:

    1. `raw[s.start:s.end] == s.text` for each sentence `s`.
    2. Sentences are in order and do not overlap.
    3. Each sentence holds a letter or a digit, and neither starts nor ends with white space or
       a character that does not show.
    4. Each letter and each digit lies in exactly one sentence, except inside Markdown's fenced
       code blocks, which are skipped. So a lone dash, a rule or a row of stars is never one.
    5. No sentence is longer than `LIMIT`; a longer one is cut at a clause mark, else at white
       space, else anywhere.
    6. No sentence crosses a line break, unless the document is hard-wrapped; then none crosses a
       line that holds no letter or digit.
    7. `paragraph` starts at 0 and grows by at most 1 from sentence to sentence.
    8. `boilerplate` is that of `boilerplate_reason`.
    9. Time is linear in the length of `raw`.

    Hard-wrapped means that lines break where the next word would not have fitted, usually before a
    small letter. It is decided once for a document.

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
            sentences.append(make_sentence(left, raw[left:right], paragraph))
        paragraph += len(sentences) > before
    return Document(raw, tuple(sentences))


def make_sentence(start: int, text: str, paragraph: int) -> Sentence:
    """Make a sentence, with the reason if it is page boilerplate."""
    return Sentence(start, start + len(text), text, paragraph, boilerplate_reason(text))


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
    if not _VISIBLE.search(left) or not _VISIBLE.search(right) or _HEADING.match(left):
        return False
    full, broken = _is_full(left, right, width), _is_broken(left, right)
    if _BLOCK.match(right):  # a dash or a number may come first by chance: `– than most`
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
