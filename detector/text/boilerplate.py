"""Decide whether a unit of text is page boilerplate.

What page furniture says: phrases that stand on many news sites, by the reason they give.

Only data and its notation. One phrase a line, in small letters: `#` stands for a number, `_` for
one to six words, `...` for anything or nothing, and the rest is a regular expression. A phrase must
match a whole unit. `furniture` judges with them; the article's own words stand nowhere.

Whether a unit of text belongs to the page round an article, not to the article.

Pure judgement of strings: counters, invitations, related articles, comments, tags, dates, credits,
notices, navigation, other scripts; and what headlines, bylines and captions look like. Nothing here
knows an alignment, a file or one site's habits. Prose is left alone: a sentence of an article that
speaks of cookies or of a newsletter is no furniture.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal

from detector.records import Sentence

_SECTION: Final = (
    "home|homepage|news|latest|world|politics|business|economy|economics|finance|markets?|money|"
    "tech|technology|science|health|sports?|football|culture|arts?|entertainment|celebrity|life|"
    "lifestyle|style|fashion|food|travel|opinions?|comment|analysis|editorial|features?|videos?|"
    "photos|podcasts?|local|national|international|uk|us|usa|europe|asia|africa|americas?|"
    "middle east|climate|environment|education|weather|crime|law|society|obituaries|letters|"
    "cartoons|games|crosswords?|magazine|archives?|search|menu|contact|about|log ?in|more|"
    "uncategori[sz]ed|subscribe|register|shop|jobs|breaking|top stories|trending|live|premium"
)
_NETWORK: Final = (
    "facebook|twitter|x|whatsapp|telegram|linkedin|pinterest|reddit|tumblr|messenger|threads|"
    "instagram|youtube|tiktok|bluesky|mastodon|flipboard|pocket|viber|wechat|weibo|sms|rss|"
    "e-?mail|print|copy|link|share|tweet|pin|save|bookmark|google news"
)
_AGENCY: Final = (
    "getty images|getty|reuters|afp|ap|epa-efe|epa|efe|associated press|shutterstock|alamy|"
    "istock|unsplash|bloomberg|xinhua|anadolu|pa media|pa|upi|zuma press|sipa usa|imago|tass|"
    "kyodo|yonhap|picture alliance|handout|pti|ani"
)

_PIECE: Final = "(article|story|stories|post|piece|essay|report|content|material)"
_ENTER: Final = "(subscribe|sign[ -]?up|log[ -]?in|sign[ -]?in|register)"

ANYWHERE: Final = {
    "a visit counter": r"""
        (visited|viewed|read|shared) # times?\b...
        ((post|page|total|article) )?views?:? #
        # ((total|page) )?(views|reads|visits|hits|shares?|likes|reactions)(,? # \w+)*
        # (retweets|followers|upvotes)(,? # \w+)*
    """,
    "a pointer to other articles": r"""
        (related|recommended|similar|popular|latest|featured|suggested|more) (article|stor(y|ies))
        (related|recommended|similar|popular|latest|featured|suggested|more) (articles|posts?|news)
        (related|recommended|similar|popular|latest|more) (content|topics?|reading|links?|coverage)
        (related|recommended|popular|latest|more) (videos?|headlines)|more to (read|explore)
        related|recommended( for you)?|trending( now)?|up next|next up|explore more
        (stories|articles|more) (for|like) (you|this)|around the web|(more )?from (around )?the web
        read (more|next|also|on)|also read|see also|keep reading|continue reading\b...
        read (the|this|our) (full )?(story|article|report|explainer)( (here|on)\b...)?
        more (on|about) this( (story|topic))?|more (from|in|by) _
        you (may|might) (also )?(like|enjoy|be interested in)\b...
        most (read|popular|viewed|shared|commented)( _)?|top stories|in case you missed it
        (the )?editors?'?s?'? (picks?|choice)|don't miss( this)?|what to (read|watch) next
        (more )?from our partners|promoted (stories|content)|sponsored (stories|links)
        (previous|next) (article|post|story)\b...
    """,
    "an invitation to share or follow": rf"""
        ({_NETWORK})([ ,|/·•]+({_NETWORK}|on|via|by|and|this))*
        (share|tweet|save|bookmark|e-?mail|print|gift|send) (this|the) (article|story|post|page)
        (share|tweet|save|bookmark|e-?mail|print|gift|send) this (article|story|post|page)\b...
        share (on|via|to|with) ({_NETWORK}|friends|others)\b...
        click to (share|print|e-?mail|tweet)\b...
        (like|follow|find|join|add) (us|our \w+|@\w+|the author)( (on|at|in|for)\b...)?
        follow _ on ({_NETWORK})\b...|add (us )?as (a )?preferred source\b...
    """,
    "an invitation to subscribe": rf"""
        {_ENTER}\b...\b(newsletters?|inbox|mailing list|free (account|trial|access))\b...
        {_ENTER}\b...\b(breaking|news|e-?mail) (alerts|updates)\b...
        (join|get|receive|want|turn on)\b[^,.]{{0,80}}\b(newsletters?|inbox|news alerts)\b...
        (get|start|try)\b[^,.]{{0,40}}\bfree (account|trial|access)\b...
        {_ENTER}( (now|today|here|free|with _))?|{_ENTER} (for|to) (free|more|read|continue)\b...
        subscribe (to|for) (our|the|unlimited|full|_ for)\b...
        support (us|(our|independent|quality)( \w+)? journalism)\b...
        (become|already) an? (member|subscriber|supporter|patron)\b...
        (not|are you) a (member|subscriber)\b...|create (an|your|a free) account\b...
        this {_PIECE} is (for|available to|reserved for|only for) .*subscribers\b...
        to (continue|keep) reading\b...|you have (reached|read|#) ...\barticles?\b...
        thanks? (you )?for (signing up|subscribing|reading|registering)\b...
        (download|get) (our|the)( free)?( \w+)? app\b...|open in app|newsletters?|remember me
        enter your e-?mail\b...|forgot (your )?password...|donate( now)?
        (our|the)( free)? (daily|weekly|morning|evening)( \w+)? newsletter
    """,
    "an advertisement": r"""
        advertise?ments?|advertising|ads?|promoted|partner content|skip (ad|advertisement)\b...
        sponsored( (content|post|by _))?|paid (post|content|partnership)
        (story|article|video) continues (below|after)\b...
        (advertisement ?[-–—]? ?)?scroll (down )?(to|for) continue\b...
        (we|this (article|page|post|site)) may (earn|receive) ...\bcommissions?\b...
    """,
    "a notice on cookies or terms": r"""
        (we|this (web)?site|our (web)?sites?|this page) (also |may )?uses? (cookies|akismet)\b...
        we and our partners\b...|this site is protected by recaptcha\b...
        by (clicking|continuing|signing up|subscribing|using|submitting)\b...\byou agree\b...
        by (clicking|continuing|signing up|using)\b...\byou (accept|consent|acknowledge)\b...
        (accept|reject|allow|manage|decline)( all)?( your)? (cookies|preferences|settings)
        accept( all)?|(terms|conditions)( (of|and|&) (use|service|sale|conditions))
        (cookies?|privacy) (policy|notice|settings|preferences|statement|choices)
        (terms|privacy|cookies?)\b[^.]{0,30}[ |·•,&](terms|privacy|cookies?)\b[^.]{0,30}
        do not sell (or share )?my personal information
    """,
    "a copyright notice": rf"""
        ©...|\(c\) ?\d{{4}}...|copyright( (©|\(c\)|\d{{4}}|by|notice)...)?
        ...\ball rights reserved...|(re)?published with permission...
        (this|the) {_PIECE} ...\bmay not be (published|reproduced|republished|copied)\b...
        (this|the) {_PIECE} ...\b(first|originally) (appeared|ran|published)\b...
        this {_PIECE} (was|has been) published\b...
        (this|the) {_PIECE} (was|is|has been) (syndicated|republished|reprinted)\b...
        (the )?post ...\b(appeared first|first appeared) on\b...
        (originally|first) (published|appeared) (in|on|at|by)\b...
        (reprinted|republished|syndicated) (from|with)\b...
    """,
    "tags or categories": r"""
        tags?|tagged|categor(y|ies)|keywords?|labels?|hashtags?|topics?|more topics|filed under
        in this (article|story|section)|(filed under|tagged (as|with|in)|posted in) _
        \#\w+([ ,]+\#\w+)*
    """,
    "a reading time": r"""
        (estimated )?(reading|read) time\b...|# ?-?min(ute)?s? (read|listen|watch)\b...
    """,
    "a comment form": r"""
        (# )?(comments?|replies|responses?)( ?\(?#\)?)?|# repl(y|ies)
        (comments?|replies) (on|to) ...|join the (conversation|discussion)\b...
        (leave|post|add|write|submit|cancel)( (a|your))? (comment|reply|response)\b...
        (view|show|read|see|load|hide)( (all|more|the|#))* (comments|replies)\b...
        no comments( yet)?|have your say\b...|reply|be the first to (comment|reply)\b...
        comments? (are|is|have been) (closed|disabled|off|moderated|turned off)\b...
        your e-?mail( address)? will not be\b...|required fields are\b...|save my name\b...
        notify me (of|by|when)\b...|(please|you must) (log|sign|be (logged|signed)) in\b...
    """,
    "a disclaimer": r"""
        disclaimer\b...|(editor'?s'?|publisher'?s'?) note\b...|note to (readers|editors)\b...
        ((the|all|any) )?(views|opinions)\b...\bexpressed (here|herein|are|in th(is|ese|e))\b...
        ...\b(informational|educational) purposes only\b...
        ...\b(does|do|should) not (constitute|be (construed|considered|taken) as)\b...\badvice\b...
    """,
    "a photo credit": rf"""
        (photo|photograph|image|picture|illustration|graphic)s? ?(credits?|courtesy|by|via|©)\b...
        ...(/ ?|© ?)({_AGENCY})( (images?|photos?|file|for _))?\)?|({_AGENCY})( images)?
        ...\b({_AGENCY})/[\w'-]+( [\w'-]+)?\)?|...\(({_AGENCY})( (photo|images?))?[/:,]...\)
        ...\((ap|afp|reuters|epa) (photo|images?)\b...|...\bap photo(/...)?|(file )?photo
        ...(/|—|–|-|\(|via) ?getty images( for _)?\)?
        ...\((photo|image|picture) (by|credit|courtesy)\b...
        # of # ...# of #...|# of # ...\b({_AGENCY})\b...
    """,
    "a credit": r"""
        ...\bcontributed( reporting)? to this (report|story|article|piece)\b...
        (with )?(additional )?(inputs?|reporting|files) (from|by) (agencies|pti|afp|ap|reuters)...
        (with )?(agencies|agency inputs?|wire reports)|our standards: ...
    """,
    "an address": r"""
        (https?://|www\.)\S+|\S+@\S+\.\w+|(@\w+[ ,]*)+|pic\.twitter\.com/\w+|...\(@\w+\) \w+ \d+...
        (twitter|x|instagram|facebook|e-?mail|website|phone|tel) ?: ?@?\S+
    """,
    "navigation": rf"""
        ({_SECTION})([ ,|/·•>»›–-]+({_SECTION}))+
        home|news|world|menu|search|uncategori[sz]ed|loading|exclusive|premium|opinion|fact check
        breaking( news)?|live( updates?)?|toggle _|go (back|home)|page #( of #)?|# ?/ ?#|#
        (skip|jump|scroll) to _|(back|return) to (the )?(top|home|homepage|news|articles?)
        (load|show|see|view) (more|all|less)( _)?|watch (now|live|more)|play video
        (previous|next|prev|close|open|play|pause|mute|expand)( (menu|search|page|video|image))?
        table of contents|(this is a modal|video player is|the video could)\b...
        listen( (now|to this (article|story)...))?|report (an? )?(error|typo|correction)\b...
        (contact|about) us|(got|have|do you have) an? (news )?tip\b...
    """,
}
"""Phrases that need no look at how the unit ends."""

UNSTOPPED: Final = {
    "a pointer to other articles": r"""
        (related|recommended|read more|read also|also read|read next|read|see also|more) ?[:|»]...
        (must[- ]read|watch|listen|don't miss|gallery|in pictures|video|podcast) ?[:|»]...
    """,
    "tags or categories": r"""
        (tags?|tagged( with)?|categor(y|ies)|filed under|topics?|keywords?) ?[:|]...
        (posted (in|under)|sections?|labels?|hashtags?) ?[:|]...
    """,
    "a photo credit": rf"""
        (photo|photograph|image|picture|credit|illustration|graphic|file photo)s? ?[:：/|]...
        ...\b({_AGENCY})/[\w '-]+|...\bvia ({_AGENCY})|# of # \D...
    """,
    "navigation": r"""
        home ?[>»›/|]...|[^>»›]{1,60}[>»›][^>»›]{1,60}[>»›].{1,100}
    """,
    "a credit": r"""
        (source|via|by|(text|words|story|photos|published|edited|written) by)s? ?:...
    """,
}
"""Phrases that an article may hold too, so they count only where no sentence ends."""

_DAY: Final = "(?:mon|tues?|wed|wednes|thu|thurs?|fri|sat|satur|sun)(?:day)?"
_MONTH: Final = (
    "(?:jan|january|feb|february|mar|march|apr|april|may|june?|july?|aug|august|sept?|september|"
    r"oct|october|nov|november|dec|december)\.?"
)
DATED: Final = re.compile(
    rf"\b(?:{_MONTH} \d|\d\d?(?:st|nd|rd|th)? {_MONTH}|\d{{4}}[-/.]\d\d?[-/.]\d\d?|\d\d?[:.]\d\d|"
    rf"\d\d?[-/.]\d\d?[-/.]\d{{2,4}}|\d+ ?(?:min|minute|hour|hr|day|week)s? ago|{_DAY}\b)"
)
"""A date, a time of day or `3 hours ago`, in small letters."""

DATE_WORD: Final = re.compile(
    rf"(?:{_DAY}|{_MONTH}|{_SECTION}|[ap]\.?m\.?|[a-z]{{1,3}}t|gmt|utc|today|yesterday|date|time|"
    r"\d[\d:./+-]*(?:st|nd|rd|th|[ap]m|t[\d:.+-]*z?)?|published|posted|updated|modified|edited|"
    r"created|first|last|ago|at|on|of|the|and|min|minutes?|hours?|hrs?|days?|weeks?|read|by|"
    r"gmt[+-]\d+|[|•·,()/+–—-]+)[,:;]?"
)
"""A word of a line that holds nothing but a date, a time and a section."""

STAMPED: Final = re.compile(
    r"(?:(?:first |last )?(?:published|updated|posted|modified)|date)\b.{0,60}\d.{0,20}"
)
"""A stamp such as `Updated ... 2025`."""


def compiled(table: dict[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return each reason with one pattern for all its phrases, to be matched in full."""
    rules = []
    for reason, phrases in table.items():
        pattern = "|".join(line.strip() for line in phrases.strip().splitlines())
        pattern = re.sub(r"(?<!\\)#", r"\\d[\\d,.]*[km]?", pattern)
        pattern = pattern.replace("...", ".*").replace("_", r"\S+( \S+){0,5}")
        rules.append((reason, re.compile(pattern)))
    return tuple(rules)


_ANYWHERE: Final = compiled(ANYWHERE)
_UNSTOPPED: Final = compiled(UNSTOPPED)

_LONGEST: Final = 400  # code points; of anything longer only the script is looked at
_STRIPPED: Final = " \t\r\n.:;!|»›→←↓▶*–—-•·>✓?"
_STRAIGHT: Final = str.maketrans("‘’“”\xa0", "''\"\" ")

_WORD: Final = re.compile(r"[^\W\d_][\w'’.&-]*")
_SMALL: Final = frozenset(
    re.findall(
        r"\w+",
        "a an the and or but nor for of in on at to by as with from into over after vs via is it "
        "its de la le el al bin van von der den di da del y e",
    )
)
_DANGLING: Final = _SMALL | frozenset(
    re.findall(
        r"\w+", "which who whose that his her their our has have had was were are be will not"
    )
)
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
    """Say what makes a unit look like page furniture.

    Parameters
    ----------
    text : str
        One unit: a sentence, a headline, a line of a page.

    Returns
    -------
    str or None
        A short noun phrase such as `"a visit counter"`; None for what may be the article's own.

    Notes
    -----
    Made to miss rather than to call an article's sentence furniture. Headlines, bylines and
    captions are no furniture by themselves: whether they are depends on where they stand.

    Examples
    --------
    >>> furniture_reason("Visited 1 times, 1 visit(s) today")
    'a visit counter'
    >>> furniture_reason("The site asked readers to subscribe to its newsletter.") is None
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
    if DATED.search(bare) and all(map(DATE_WORD.fullmatch, bare.split())):
        return "a date"
    if (not stopped or ":" in bare[:25]) and STAMPED.fullmatch(bare):
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
    """Whether a unit that has a paragraph to itself reads like a headline or a subhead.

    Notes
    -----
    At most 24 words with no stop at the end, and either no more than 16 or most of the longer ones
    capitalised; a question must be capitalised so. A teaser cut off in mid-sentence is none.

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
_FINAL: Final = frozenset(
    (
        "a visit counter",
        "a notice on cookies or terms",
        "a copyright notice",
        "tags or categories",
        "a comment form",
        "a disclaimer",
        "a credit",
        "text in another script",
    )
)
_RESUMED: Final = 6  # as much prose after a line of furniture shows that the article went on
_TEASED: Final = 3  # a teaser's text, a standfirst or a note on the author is no longer

_Kind = Literal["final", "passing", "headline", "note", "prose"]


def count_outside(sentences: Sequence[Sentence], end: Literal["head", "tail"]) -> int:
    r"""Count the sentences at one end of a source that lie outside its article.

    Parameters
    ----------
    sentences : sequence of Sentence
        Those at one end of a source document that no sentence of the copy matches, in the
        order of the document: before the first matched one, or after the last one.
    end : {"head", "tail"}
        Which end.

    Returns
    -------
    int
        The first `n` units (head) or the last `n` (tail) stand outside the article; what remains
        next to the matched text is the article's own, left out by the copy.

    Notes
    -----
    At the tail the line nearest the body that marks furniture takes all that follows it along: a
    teaser headline its text, a counter everything. Sentences before it are omissions. A line
    that may also stand inside an article (an advertisement, "Read more", a subhead) marks nothing
    where longer prose follows it.

    At the head, all up to the last headline, byline, date, caption or line of navigation is
    outside, standfirsts between them included.

    Examples
    --------
    >>> from detector.text.sentences import split
    >>> page = "So it ended.\\nTags: harbour\\nIce on the lake\\nSkaters came."
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
    n = len(texts)
    following = n  # where the nearest line after this one stands that is not prose
    outside = 0
    for i in range(n - 1, -1, -1):
        block = texts[i + 1 : following]  # the prose that comes right after this line
        if _marks_the_end(texts[i], kinds[i], block):
            outside = n - i
        if kinds[i] != "prose":
            following = i
    return outside


def _marks_the_end(text: str, kind: _Kind, block: Sequence[str]) -> bool:
    """Whether a line at the tail, followed by `block`, stands outside the article."""
    if kind == "headline":
        if not block or not _TERMINAL.search(block[-1]) or _CUT_SHORT.search(block[-1]):
            return True  # a list of teasers, or one whose text is cut off
        return len(_WORD.findall(text)) > 5 and len(block) <= _TEASED  # else a subhead
    most = {"final": len(block), "passing": _RESUMED, "note": _TEASED, "prose": -1}[kind]
    return len(block) <= most
