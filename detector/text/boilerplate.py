"""Decide whether a unit of text is page boilerplate.

Boilerplate is the text of a page around an article: counters, invitations, related articles,
comments, tags, dates, credits, notices, navigation. Prose that speaks of cookies or of a
newsletter is none. Nothing here knows an alignment, a file or one site's habits.

The phrases lie in `lexica/boilerplate.tsv`: where a phrase counts, the reason, and the phrase in
small letters. `#` stands for a number, `_` for one to six words, `...` for anything or nothing,
`<name>` for a list of the same file; the rest is a regular expression that matches a whole unit.
`anywhere` counts always, `unstopped` only where no sentence ends, since an article may hold it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, Literal

from detector.records import Sentence
from detector.text.lexicon import closed_class, read_table


def _patterns(where: str) -> Iterator[tuple[str, str]]:
    """Yield each reason, or the name of each list, with its phrases as one alternation."""
    rows = (row[1:] for row in read_table("boilerplate") if row[0] == where)
    for reason, phrases in groupby(rows, key=lambda row: row[0]):
        yield reason, "|".join(phrase for _, phrase in phrases)


_LISTS: Final = dict(_patterns("list"))


def _rules(where: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    rules = []
    for reason, pattern in _patterns(where):
        for name, words in _LISTS.items():
            pattern = pattern.replace(name, words)
        pattern = re.sub(r"(?<!\\)#", r"\\d[\\d,.]*[km]?", pattern)
        pattern = pattern.replace("...", ".*").replace("_", r"\S+( \S+){0,5}")
        rules.append((reason, re.compile(pattern)))
    return tuple(rules)


_ANYWHERE: Final = _rules("anywhere")
_UNSTOPPED: Final = _rules("unstopped")

_DAY: Final = "(?:mon|tues?|wed|wednes|thu|thurs?|fri|sat|satur|sun)(?:day)?"
_MONTH: Final = (
    "(?:jan|january|feb|february|mar|march|apr|april|may|june?|july?|aug|august|sept?|september|"
    r"oct|october|nov|november|dec|december)\.?"
)
# In small letters: a date, a time of day or `3 hours ago`; a word of a line that holds nothing but
# a date, a time and a section; a stamp such as `Updated ... 2025`.
_DATED: Final = re.compile(
    rf"\b(?:{_MONTH} \d|\d\d?(?:st|nd|rd|th)? {_MONTH}|\d{{4}}[-/.]\d\d?[-/.]\d\d?|\d\d?[:.]\d\d|"
    rf"\d\d?[-/.]\d\d?[-/.]\d{{2,4}}|\d+ ?(?:min|minute|hour|hr|day|week)s? ago|{_DAY}\b)"
)
_DATE_WORD: Final = re.compile(
    rf"(?:{_DAY}|{_MONTH}|{_LISTS['<section>']}|[ap]\.?m\.?|[a-z]{{1,3}}t|"
    r"gmt|utc|today|yesterday|date|time|"
    r"\d[\d:./+-]*(?:st|nd|rd|th|[ap]m|t[\d:.+-]*z?)?|published|posted|updated|modified|edited|"
    r"created|first|last|ago|at|on|of|the|and|min|minutes?|hours?|hrs?|days?|weeks?|read|by|"
    r"gmt[+-]\d+|[|•·,()/+–—-]+)[,:;]?"
)
_STAMPED: Final = re.compile(
    r"(?:(?:first |last )?(?:published|updated|posted|modified)|date)\b.{0,60}\d.{0,20}"
)
_LONGEST: Final = 400  # code points; a longer unit is only tested for its script
_STRIPPED: Final = " \t\r\n.:;!|»›→←↓▶*–—-•·>✓?"
_STRAIGHT: Final = str.maketrans("‘’“”\xa0", "''\"\" ")

_WORD: Final = re.compile(r"[^\W\d_][\w'’.&-]*")
_SMALL: Final = closed_class("small_in_title")
_DANGLING: Final = _SMALL | closed_class("dangling")
_NAME: Final = r"(?:[A-Z][\w.'’-]*|[a-z]{2,3})"
_MONTHS: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z.]*\b"
_BYLINE: Final = re.compile(
    rf"(?:(?:[Bb]y|BY|[Ff]rom|(?:[Ww]ritten|[Rr]eported|[Ww]ords|[Ss]tory|[Tt]ext|[Aa]nalysis|"
    rf"[Oo]pinion|[Cc]ommentary) by):? +)(?!{_MONTHS}){_NAME}(?:[ ,&|/•·–—]+(?:- )?{_NAME}){{0,14}}"
    r"(?:[ ,|•·–—][^.!?]*\d[^!?]*)?"
)
_ROLE: Final = re.compile(
    rf"{_NAME}(?: {_NAME}){{1,3}}(?: ?[,|•·–—-] ?| )"
    r"(?:[Ss]taff|[Ss]enior|[Cc]hief|[Pp]olitic\w+|[Ff]oreign|[Aa]ssociate|[Ss]pecial)?"
    r"(?: [\w'’]+){0,3} ?"
    r"(?:[Cc]orrespondent|[Rr]eporter|[Ww]riter|[Ee]ditor|[Cc]olumnist|[Jj]ournalist|Reuters|AP|AFP)"
    r"(?:[ ,]+[\w .]{1,30})?"
)
_CREDITED: Final = re.compile(
    r"\(?(?:Additional |With )?(?:[Rr]eporting|[Ee]diting|[Ww]riting|[Tt]ranslat\w+|[Cc]ompiled|"
    r"[Pp]roduced|[Pp]hotos?|[Pp]hotographs?|[Tt]ext|[Ww]ords)(?: and [a-z]+)? by "
    r"(?:(?:[A-Z][\w.'’-]*|and|in|by|for|de|van|von|bin|al|the|[a-z]*ing|additional)"
    r"(?:[ ,;/&]+(?:- )?|(?=[).]|$)))+\)?\.?"
)
_BIO: Final = re.compile(
    r"[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+){1,3} (?:is|was) an? (?:[\w'’,-]+ ){0,6}"
    r"(?:correspondent|reporter|editor|writer|columnist|journalist|author|contributor|fellow|"
    r"professor)\b.*\b(?:for|at|based in|covers|covering|author of|with) .*"
)
_CAPTION: Final = re.compile(
    r"^\W*In this (?:\w+ ){0,3}(?:photo|image|picture|illustration|frame|screenshot|grab)\b|"
    r"^(?:FILE|File)(?: photo| image| picture)?\b ?[-–—:.]|^(?:Image|Photo|Picture|Caption) ?:"
)
_PICTURED: Final = re.compile(
    r"\b(?:is|are) (?:seen|pictured|shown|displayed|photographed|depicted) "
    r"(?:\w+ ){0,9}(?:in|on|at|during|after|before|near|outside)\b|"
    r"\((?:L|R|C|[Ll]eft|[Rr]ight|[Cc]ent(?:er|re)|pictured|above|top|bottom)\)|"
    r"\b(?:pictured|seen here|shown here)\b"
)
_SEEN_ON: Final = re.compile(
    r"\b(?:on|in) (?:\w+day,? )?(?:[A-Z][a-z]+\.? \d{1,2},? \d{4}|\d{1,2} [A-Z][a-z]+,? \d{4})"
)
_TERMINAL: Final = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_CUT_SHORT: Final = re.compile(r"(?:…|\.\.\.|\[(?:…|\.\.\.)\])[\"'”’»)\]]*$")


def boilerplate_reason(text: str) -> str | None:
    """Return the reason why a unit (a sentence, a headline, a line of a page) is page boilerplate.

    It is a short noun phrase such as `"a visit counter"`; None for what may be the article's own.
    Precision goes before recall. Headlines, bylines and captions are no boilerplate by themselves:
    that depends on their place; see `count_outside`.

    Examples
    --------
    >>> boilerplate_reason("3,210 views")
    'a visit counter'
    >>> boilerplate_reason("The site asked readers to subscribe to its newsletter.") is None
    True
    """
    if _is_foreign(text):
        return "text in another script"
    if len(text) > _LONGEST:
        return None
    line = " ".join(text.translate(_STRAIGHT).lower().split())
    bare = line.strip(_STRIPPED)
    if not bare:
        return None
    for reason, pattern in _ANYWHERE:
        if pattern.fullmatch(bare):
            return reason
    stopped = bool(_TERMINAL.search(text.rstrip()))
    for reason, pattern in () if stopped else _UNSTOPPED:
        if pattern.fullmatch(bare):
            return reason
    if _DATED.search(bare) and all(map(_DATE_WORD.fullmatch, bare.split())):
        return "a date"
    if (not stopped or ":" in bare[:25]) and _STAMPED.fullmatch(bare):
        return "a date"
    return "a credit" if _CREDITED.fullmatch(text.strip()) else None


def _is_foreign(text: str) -> bool:
    """Whether most letters are of another script than Latin."""
    if text.isascii():
        return False
    letters = [mark for mark in text if mark.isalpha()]
    if len(letters) < 2:
        return False
    latin = sum(mark.isascii() or "LATIN" in unicodedata.name(mark, "") for mark in letters)
    return 2 * latin < len(letters)


def looks_like_headline(text: str) -> bool:
    """Whether a unit with a paragraph to itself looks like a headline or a subhead.

    It has at most 24 words and no stop at the end, and either at most 16 or most of the longer ones
    capitalised, as a question must be. A teaser cut off in mid-sentence is none.

    Examples
    --------
    >>> looks_like_headline("Mayor to Leave Lake Town After Nine Years in Office")
    True
    >>> looks_like_headline("The mayor will leave.")
    False
    """
    text = text.strip()
    words = _WORD.findall(text)
    if not 1 <= len(words) <= 24 or text[-1] in ",;:" or not _starts_big(text):
        return False
    if words[-1].lower() in _DANGLING and len(words) > 8:
        return False  # cut off in mid-sentence
    long = [word for word in words[1:] if word.lower() not in _SMALL]
    titled = sum(word[0].isupper() for word in long) >= 0.6 * len(long)
    if _TERMINAL.search(text):
        return titled and text.rstrip("\"'”’)").endswith("?") and len(words) > 2
    return titled or len(words) <= 16


def _starts_big(text: str) -> bool:
    first = next((mark for mark in text if mark.isalnum()), "a")
    return not first.islower() or bool(re.match(r"\W*[a-z]{1,3}[A-Z]", text))


def looks_like_byline(text: str) -> bool:
    """Whether a unit names who wrote the article, and perhaps for whom and when.

    Examples
    --------
    >>> looks_like_byline("By Ann Fox and Ted Moss, Lake Town Herald")
    True
    >>> looks_like_byline("By Monday the ice had gone.")
    False
    """
    text = text.strip()
    if len(text) > 150 or (text.endswith(".") and not re.search(r"\b[A-Z]\.$|[Jj]r\.$", text)):
        return False
    return bool(_BYLINE.fullmatch(text) or _ROLE.fullmatch(text))


def looks_like_caption(text: str) -> bool:
    """Whether a unit describes a picture.

    Examples
    --------
    >>> looks_like_caption("In this file photo, a ferry is seen at Lake Town on May 6, 2024.")
    True
    >>> looks_like_caption("The ferry sank in 2024.")
    False
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return False
    if _CAPTION.search(text):
        return True
    dated = _SEEN_ON.search(text) or not _TERMINAL.search(text)  # prose, too, says what is seen
    return bool(dated and _PICTURED.search(text))


# Reasons that no line inside an article gives; the others may break into one.
_FINAL: Final = {
    *(
        "a visit counter",
        "a notice on cookies or terms",
        "a copyright notice",
        "tags or categories",
    ),
    *("a comment form", "a disclaimer", "a credit", "text in another script"),
}
_RESUMED: Final = 6  # more prose after a line of boilerplate: the article went on
_TEASED: Final = 3  # most sentences of a teaser, a standfirst or a note on the author

_Kind = Literal["final", "passing", "headline", "note", "prose"]


def count_outside(sentences: Sequence[Sentence], end: Literal["head", "tail"]) -> int:
    r"""Count the sentences at one end of a source that lie outside its article.

    `sentences` are those before the first sentence that the copy matches (head), or after the last
    one (tail), in order. The first `n` (head) or the last `n` (tail) lie outside; the rest is the
    article's own, left out by the copy.

    At the tail, all that follows the first mark of the page is outside: a teaser headline marks its
    text, a counter everything. A line that may be part of an article as well (an advertisement,
    "Read more", a subhead) marks nothing where longer prose follows it. At the head, all up to the
    last headline, byline, date, caption or line of navigation is outside.

    Examples
    --------
    >>> from detector.text.sentences import split
    >>> page = "So it ended.\nTags: harbour\nIce on the lake\nSkaters came."
    >>> count_outside(split(page).sentences, "tail")
    3
    """
    kinds = [_kind(sentence) for sentence in sentences]
    texts = [sentence.text for sentence in sentences]
    return _head(texts, kinds) if end == "head" else _tail(texts, kinds)


def _kind(sentence: Sentence) -> _Kind:
    text = sentence.text
    if sentence.boilerplate is not None:
        return "final" if sentence.boilerplate in _FINAL else "passing"
    if looks_like_byline(text) or looks_like_headline(text):
        return "headline"
    return "note" if len(text) <= _LONGEST and _BIO.fullmatch(text.strip()) else "prose"


def _head(texts: Sequence[str], kinds: Sequence[_Kind]) -> int:
    outside = 0
    for i, kind in enumerate(kinds):
        if i - outside > _TEASED:
            break  # prose of the article itself: what follows are its own subheads
        if kind in ("final", "passing", "headline") or looks_like_caption(texts[i]):
            outside = i + 1
    return outside


def _tail(texts: Sequence[str], kinds: Sequence[_Kind]) -> int:
    following = len(texts)  # the nearest line after this one that is not prose
    outside = 0
    for i in range(len(texts) - 1, -1, -1):
        if _marks_the_end(texts[i], kinds[i], texts[i + 1 : following]):
            outside = len(texts) - i
        if kinds[i] != "prose":
            following = i
    return outside


def _marks_the_end(text: str, kind: _Kind, block: Sequence[str]) -> bool:
    """Whether a line at the tail, with the prose `block` right after it, is outside the article."""
    if kind == "headline":
        if not block or not _TERMINAL.search(block[-1]) or _CUT_SHORT.search(block[-1]):
            return True  # a list of teasers, or one whose text is cut off
        return len(_WORD.findall(text)) > 5 and len(block) <= _TEASED  # else a subhead
    most = {"final": len(block), "passing": _RESUMED, "note": _TEASED, "prose": -1}[kind]
    return len(block) <= most
