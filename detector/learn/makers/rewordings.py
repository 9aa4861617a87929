"""Changes of wording that a reader would let pass: another word, the same meaning.

The list follows what sound round trips were seen to do: US becomes American, PM Prime Minister.
Order and voice are the matter of `orders`.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from detector.learn.makers.edits import Edit, Edits, Maker, Rng, like, pick
from detector.learn.makers.grammar import Sentence
from detector.learn.makers.looks import every, one_of
from detector.learn.makers.pools import Pools
from detector.learn.makers.senses import from_table
from detector.learn.makers.tables import choices
from detector.lexicon import read_table

_SPELLINGS = """
    color/colour center/centre defense/defence labor/labour favor/favour honor/honour gray/grey
    theater/theatre organization/organisation program/programme neighbor/neighbour meters/metres
    traveled/travelled canceled/cancelled kilometers/kilometres liters/litres harbor/harbour
    rumor/rumour behavior/behaviour humor/humour analyze/analyse realize/realise
    recognize/recognise organize/organise organized/organised criticized/criticised
    apologized/apologised license/licence catalog/catalogue dialog/dialogue jewelry/jewellery
    fulfill/fulfil enrollment/enrolment skeptical/sceptical plow/plough tire/tyre
    aluminum/aluminium airplane/aeroplane counselor/counsellor modeling/modelling
    labeled/labelled fueled/fuelled armor/armour endeavor/endeavour parlor/parlour
    centimeters/centimetres maneuver/manoeuvre pediatric/paediatric encyclopedia/encyclopaedia
"""
_COUNTRY_WORDS = (
    *(("US", "American"), ("U.S.", "American"), ("UK", "British"), ("EU", "European")),
    *(("Britain's", "British"), ("France's", "French"), ("China's", "Chinese")),
    *(("Germany's", "German"), ("Russia's", "Russian"), ("Japan's", "Japanese")),
    *(("India's", "Indian"), ("Israel's", "Israeli"), ("Spain's", "Spanish")),
    *(("Italy's", "Italian"), ("Ukraine's", "Ukrainian"), ("Turkey's", "Turkish")),
    *(("Canada's", "Canadian"), ("Mexico's", "Mexican"), ("Australia's", "Australian")),
)


_NO_NOUN = "and|or|in|to|is|was|has|of|for|on|at|with|by|that|as|will|would|had|also|from"
_WITH_THE = re.compile(r"(?:tion|ment|cil|ity|nions?|Bank|Fund|Court|Party|Forum)$")


def spelling(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Spell a word the American way, or the British."""
    del pool
    pairs = [entry.split("/") for entry in _SPELLINGS.split()]
    other = {a: b for one, two in pairs for a, b in ((one, two), (two, one))}
    token = pick(rng, [t for t in sentence.tokens if t.low in other])
    return (
        None
        if token is None
        else (Edit(token.start, token.end, like(token.text, other[token.low])),)
    )


def acronym(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Write an acronym out, or put one for a full name."""
    del pool
    pattern, other = _acronyms()
    at = pick(rng, list(pattern.finditer(sentence.text)))
    if at is None:
        return None
    lead, name = at.group(1) or "", other[at.group(2)]
    if not lead and _WITH_THE.search(name):
        lead = "the "
    return (Edit(*at.span(), lead + name),)


@cache
def _acronyms() -> tuple[re.Pattern[str], dict[str, str]]:
    table = read_table("acronyms")
    times = Counter(short for short, _ in table)
    full = {a: names.split("|")[0] for a, names in table if len(a) > 2 and times[a] == 1}
    short = {name: a for a, name in full.items() if name[0].isupper() and " " in name}
    other = {**full, **short}
    longest = sorted(other, key=len, reverse=True)
    words = "|".join(map(re.escape, longest))
    return re.compile(rf"(?<![\w-])([Tt]he )?({words})(?![\w’'-])"), other


def small_synonym(sentence: Sentence, rng: Rng, pool: Pools) -> Edits:
    """Put one preposition or conjunction for another that says the same."""
    del pool
    known = choices("alike")
    found = [
        t
        for t in sentence.tokens
        if ("f", t.low) in known and not sentence.text[t.end :].startswith(" of ")
    ]
    token = pick(rng, found)
    if token is None:
        return None
    return (Edit(token.start, token.end, like(token.text, known["f", token.low][0])),)


HARMLESS: dict[str, Maker] = {
    "synonym": from_table("alike"),
    "small synonym": small_synonym,
    "spelling": spelling,
    "abbreviation": one_of(
        [
            (r"\bUS\b", "U.S."),
            (r"\bU\.S\.(?= [a-z])", "US"),
            (r"\b[Tt]he United States\b(?!['’])", "the US"),
            (r"\bthe (?:US|U\.S\.)(?= [a-z]|,|\.$)", "the United States"),
            (r"\b[Tt]he United Kingdom\b(?!['’])", "the UK"),
            (r"\bthe UK(?= [a-z]|,|\.$)", "the United Kingdom"),
            (r"\bU\.N\.", "UN"),
            (r"\bMr\. ", "Mr "),
            (r"\bMrs\. ", "Mrs "),
            (r"\bDr\. ", "Doctor "),
            (r"\bSt\. ", "St "),
            (r"\be\.g\. ", "for example "),
            (r"(?<=\d) ?km\b", " kilometres"),
            (r"(?<=\d) kilomet(?:re|er)s\b", " km"),
            (r"(?<=\d) ?kg\b", " kilograms"),
        ]
    ),
    "percent": one_of(
        [
            (r"\bpercent\b", "per cent"),
            (r"\bper cent\b", "percent"),
            (r"(?<=\d)%", " percent"),
            (r"(?<=\d) per ?cent\b", "%"),
        ]
    ),
    "demonym": one_of(
        [
            (rf"(?<![\w-]){re.escape(a)}(?= [a-z])(?! (?:{_NO_NOUN})\b)", b)
            for a, b in _COUNTRY_WORDS
        ]
    ),
    "contraction": one_of(
        [
            (r"(?<=[a-z])(?<!\bca)(?<!\bwo)(?<!\bsha)n['’]t\b", " not"),
            (r"\bwon['’]t\b", "will not"),
            (r"\bcan['’]t\b", "cannot"),
            (r"\b(is|are|was|were|do|does|did|have|has|had|would|could|should) not\b", r"\1n't"),
            (r"\bwill not\b", "won't"),
            (r"\b(?:cannot|can not)\b", "can't"),
            (r"\b([Ii])t is\b", r"\1t's"),
            (r"\b([Ii])t['’]s (?=a |the |not )", r"\1t is "),
            (r"\b([Hh]e|[Ss]he|[Tt]hat|[Tt]here) is\b", r"\1's"),
            (r"\b(I|[Ww]e|[Tt]hey|[Yy]ou) have(?= [a-z]+(?:ed|en)\b)", r"\1've"),
            (r"\b(I|[Ww]e|[Tt]hey|[Yy]ou) are\b", r"\1're"),
            (r"\b(I|[Ww]e|[Tt]hey|[Yy]ou|[Hh]e|[Ss]he) will\b", r"\1'll"),
            (r"\bI['’]m\b", "I am"),
            (r"\b(I|[Ww]e|[Tt]hey|[Yy]ou)['’]re\b", r"\1 are"),
        ]
    ),
    "title written": one_of(
        [
            (r"\bPM(?= [A-Z])", "Prime Minister"),
            (r"\bthe PM\b", "the Prime Minister"),
            (r"\bPrime Minister(?= [A-Z])", "PM"),
            (r"\bSenator(?= [A-Z])", "Sen."),
            (r"\bSen\.(?= [A-Z])", "Senator"),
            (r"\bCEO\b", "chief executive"),
            (r"\b[Cc]hief executive\b(?! [Oo]fficer)", "CEO"),
            (r"\bchief executive officer\b", "CEO"),
            (r"\bMP\b(?!s)", "member of parliament"),
            (r"\bMPs\b", "members of parliament"),
            (r"\bex-(?=[a-z])", "former "),
            (r"\b[Ff]ormer (?=(?:president|minister|prime|wife|husband|mayor|coach)\b)", "ex-"),
            (r"\bspokesman\b", "spokesperson"),
            (r"\bchairman\b", "chair"),
            (r"\bDr (?=[A-Z])", "Doctor "),
            (r"\bProfessor (?=[A-Z])", "Prof. "),
        ]
    ),
    "said": one_of(
        [
            (r"\bsaid\b(?! to\b)", "declared"),
            (r"\bsaid\b(?! to\b)", "stated"),
            (r"\bsaid that\b", "said"),
            (r"\bsaid(?= (?:the|a|he|she|it|they|we|there|his|her)\b)", "said that"),
            (r"\btold reporters\b", "told journalists"),
            (r"\btold journalists\b", "told the press"),
            (r"\b([A-Z][a-z]+) said(?=\.$)", r"said \1"),
            (r"\bsaid ([A-Z][a-z]+)(?=\.$)", r"\1 said"),
            (r"\b[Aa]ccording to\b", "as stated by"),
            (r"\balso said\b", "added"),
        ]
    ),
    "place variant": one_of(
        [
            (r"\bTurkey\b(?!['’])", "Türkiye"),
            (r"\bTürkiye\b", "Turkey"),
            (r"\bKiev\b", "Kyiv"),
            (r"\bKyiv\b", "Kiev"),
            (r"\bBombay\b", "Mumbai"),
            (r"\bCzech Republic\b", "Czechia"),
            (r"\bCzechia\b", "the Czech Republic"),
            (r"\bBurma\b", "Myanmar"),
            (r"\bMyanmar\b", "Burma"),
            (r"\bPeking\b", "Beijing"),
            (r"\b[Tt]he Netherlands\b", "Holland"),
            (r"\bIvory Coast\b", "Côte d'Ivoire"),
            (r"\bNew York City\b", "New York"),
            (r"\bWashington,? D\.?C\.?", "Washington"),
            (r"\bMuhammad\b", "Mohammed"),
            (r"\bMohammed\b", "Mohamed"),
            (r"\bYusuf\b", "Yousef"),
            (r"\bZelensky\b", "Zelenskyy"),
            (r"\bal-(?=[A-Z])", "Al "),
        ]
    ),
    "turn of phrase": one_of(
        [
            (r"\bin order to\b", "to"),
            (r"\bdue to (?=(?:the|its|his|her|their)\b)", "because of "),
            (r"\bbecause of\b", "owing to"),
            (r"\ba number of\b", "several"),
            (r"\ba lot of\b", "lots of"),
            (r"\ball of the\b", "all the"),
            (r"\bmore than (?=\d)", "over "),
            (r"\bover (?=\d{2})", "more than "),
            (r"\babout (?=\d)", "around "),
            (r"\baround (?=\d)", "about "),
            (r"\bsuch as\b", "like"),
            (r"\bas well as\b", "and also"),
            (r"\bfor example\b", "for instance"),
            (r"\bin addition\b", "moreover"),
            (r"(?<=[a-z]) which (?=(?:is|are|was|were|has|have)\b)", " that "),
            (r"\beach other\b", "one another"),
            (r"\bis able to\b", "can"),
            (r"\bhas to\b", "must"),
            (r"(?<=[Tt]hey )have to\b", "must"),
            (r"\btook place\b", "was held"),
            (r"\bas soon as\b", "once"),
            (r"\bin the (?=(?:19|20)\d0s\b)", "during the "),
            (r"\bat the moment\b", "at present"),
            (r"\bdied\b", "passed away"),
            (r"\bused to be\b", "was once"),
            (r"\bfrom (\d{4}) to (?=\d{4})", r"between \1 and "),
        ]
    ),
    "acronym": acronym,
    "that dropped": every([(r"(?<=(?:said|says) )that (?=[a-zA-Z])", "")]),
}
"""Makers by the names of their kinds."""
