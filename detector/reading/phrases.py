"""What page furniture says: phrases that stand on many news sites, by the reason they give.

Only data and its notation. One phrase a line, in small letters: `#` stands for a number, `_` for
one to six words, `...` for anything or nothing, and the rest is a regular expression. A phrase must
match a whole unit. `furniture` judges with them; the article's own words stand nowhere.
"""

from __future__ import annotations

import re
from typing import Final

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
