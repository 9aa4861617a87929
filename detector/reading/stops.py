"""Which stops of a paragraph end a sentence.

One paragraph in, offsets out, by rules for news English: titles, initials, `U.S.`, `No. 5`,
`a.m.`, quotations, ellipses, Markdown links, full stops of other scripts, and stops whose
following space was lost. Not done here: line breaks, paragraphs, limits of length
(`detector.reading.text`).

A learnt splitter was tried first. nupunkt 0.8 runs on after an ordinary word that its list, drawn
from law reports, holds for an abbreviation (`so`, `sleep`, `Poland`). On 20,039 lines of news,
encyclopedia, talks, abstracts and round trips, joined ten by ten, it missed 200 ends and these
rules, written with those lines at hand, 27; both cut some 1,100 times inside a line, nearly always
rightly. Asked only about what no list below knows, it had eleven questions and half its answers
were wrong; without it the spans hang on no version but ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OPENERS: Final = _words(
    """the an he she it they we you i this that these those there here his her its their our my your
    but and or so yet nor in on at by for from with without after before during since until while
    when where why how what who which whose if unless although though because as also however
    meanwhile moreover still then now today yesterday last earlier later some many most several few
    both each every another according asked despite instead not perhaps once only even just among
    between through to a additionally nevertheless thus therefore hence yes such mr mrs ms"""
)
"""Words that, capitalised after an abbreviation, start a sentence rather than go on with a name."""

_TITLES: Final = _words(
    """mr mrs ms mx dr prof gen sen gov lt col capt cpt sgt maj adm cmdr cpl pvt rev hon messrs mme
    mlle msgr supt insp det atty amb pres rep brig ald dep asst
    drs profs gens sens reps govs mses"""
)
"""Abbreviations that stand before a name, so never end a sentence when a capital follows."""

_NAME_PARTS: Final = _words(
    """inc corp ltd co cos bros llc plc jr sr st sts mt ft ste esq ph phd md dept univ assn assoc
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri
    ala ariz ark calif colo conn del fla ga ill ind kan ky la mass md mich minn mo mont neb nev okla
    ore pa penn tenn tex va vt wash wis wyo ont que ave blvd rd hwy sq bldg govt intl natl
    mgr mfg cie pty pte bhd al"""
)
"""Abbreviations that may end a sentence, but only before a word that opens one."""

_JOINING: Final = _words(
    "vs v cf eg e.g ie i.e viz ca approx aka feat incl excl esp equiv temp dist spec diam resp"
)
"""Lower-case abbreviations that always go on."""

_NUMBERED: Final = _words(
    """no nos vol vols p pp fig figs art arts sec sect ch chap para par pt ex eq ref app cl ver op
    jan feb mar apr jun jul aug sep sept oct nov dec
    approx ca est rm apt ste nr tel ext st pop ft"""
)
"""Abbreviations that take a number: `No. 5`, `Sept. 11`."""

_KNOWN: Final = _TITLES | _NAME_PARTS | _JOINING | _NUMBERED

_AFTER_HOUR: Final = _words(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may
    june july august september october november december eastern pacific central mountain gmt utc
    bst cet cest est edt et pst pdt pt cst cdt ct mst mdt ist jst kst hkt aest wib local british
    moscow beijing london tokyo hong kyiv mon tue tues wed thu thurs fri sat sun"""
)
"""Words that go on after `a.m.` and `p.m.`, although they start with a capital."""

_SHOUTED: Final = _words("yahoo jeopardy")
"""Names that end in an exclamation mark."""

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
    (?P<quote>["”](?=\s|\Z))?        # a closing quote that stands alone (tokenised)
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
"""A lower-case word run into the opener of a clause: a stop or a closing quote was lost.

`flightNow the company` is cut, `flightNow describes` is not: what follows is no clause of its own,
so one sentence was damaged, not two joined. Names in camel case (TikTok, eBay, LinkedIn, linkedIn,
signIn) never match: small particles are left out of the openers.
"""


def stops(paragraph: str) -> list[int]:
    """Return where the sentences of a paragraph end.

    Parameters
    ----------
    paragraph : str
        Text without hard line breaks or characters that do not show.

    Returns
    -------
    list of int
        Offsets just behind the last character of each sentence but the last (closing quotation
        marks included), strictly growing.

    Notes
    -----
    Linear in the length of the paragraph: every look ahead and behind is bounded.

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
        if match["quote"] and match["gap"] and _closes(match["quote"], straight):
            end = match.end("quote")
        if end >= len(text):
            return
        before = text[max(last, match.start() - 48) : match.start()]
        numbering = end - last < 12 and _ENUMERATOR.match(text, last, end)
        if not numbering and _ends(text, before, stop, close, end):
            yield end
            last = end


def _closes(quote: str, straight: int) -> bool:
    """Whether a quotation mark between two spaces closes what stands before it."""
    return quote == "”" or straight % 2 == 1


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
        shouted = word.lower() in _SHOUTED and token.lower() not in _OPENERS
        return not shouted and not (quoted and _ATTRIBUTION.match(text, end))
    if stop != ".":  # an ellipsis goes on before `I`, the one word that is always a capital
        return not re.match(r"I\b", token)
    return quoted or _full_stop_ends(word, token)


def _last_word(before: str) -> str:
    """Return the word that touches the end of `before`, less what stands in front of a hyphen."""
    if not before or before[-1].isspace():
        return ""
    return re.split(r"[-‐‑–—]", before.split()[-1])[-1].lstrip("\"'“‘(*_[$£€")


def _is_dotted(word: str) -> bool:
    """Whether `word` is letters parted by stops: `U.S`, `a.m`, `Ph.D`."""
    return "." in word and all(part.isalpha() and len(part) <= 2 for part in word.split("."))


def _is_plain(word: str) -> bool:
    """Whether `word` is surely no abbreviation, so that even a small letter may follow its stop."""
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
    return True  # an ordinary word, a name, an acronym or a figure


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
