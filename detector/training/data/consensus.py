"""Label round trips by the consensus of many translations.

Labels out of many translations of one sentence: what only one of them says is suspect.

Where one English sentence has come back through many languages, its renderings vouch for each
other. A copy whose every new word also came back through another language is a sound rewording,
however far it is from the source; one that lost words which nearly every other rendering kept and
that brings words which no other has is damaged. No encoder is asked, so the labels do not lean on
the similarity that the classifier is to go beyond. This room reads no file.

Notes
-----
The idea of agreement between hypotheses is that of minimum Bayes risk decoding (Kumar and Byrne
2004); here it labels instead of choosing, over stems of words instead of n-grams, and only good
systems vote.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

VOTERS = frozenset({"google", "microsoft"})
"""Systems whose renderings vouch for others."""

_CLOSE = "bg ca cs da de es fr it nb nl pl pt ro sv"
CLOSE_PIVOTS = frozenset(_CLOSE.split())
"""Languages through which the voters seldom go wrong; what they say there is never called drift."""

_FEWEST_LANGUAGES = 3  # that must have voted before anything is said
_FEWEST_WORDS = 2  # lost and brought in, before a rendering is called drift ...
_MANY_VOTES = 13  # ... and one more where fewer vote on a long sentence: synonyms are unheard there
_LONG = 8  # stems
_BEGINNING = 4  # letters
_KEPT = 0.8  # share of the votes that keep a source word before losing it counts

_WORD = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*")
_ENDINGS = (
    *("'s", "’s", "s'", "ingly", "edly", "ing", "ies", "ied", "es", "ed", "ly", "s", "e", "y"),
)
_LEAST_STEM = 3
_FUNCTION_WORDS = """
    a an the of in on at to for from by with as and or but if than that this these those it its they
    them their theirs we us our ours you your yours i me my mine is are was were be been being am
    have has had having do does did done will would shall should can could may might must who whom
    whose which what when where why how there here into onto upon over under up down out off about
    after before between through during also so such very more most much many some any all both
    each other another own same just only then too he she his her him hers himself herself
"""
_FUNCTION = frozenset(_FUNCTION_WORDS.split())
_MASCULINE = frozenset({"he", "him", "his", "himself"})
_FEMININE = frozenset({"she", "her", "hers", "herself"})


@dataclass(frozen=True, slots=True)
class Rendering:
    """One copy of a sentence, with the pivot and the system it came through."""

    copy: str
    lang: str
    system: str


def words(text: str) -> list[str]:
    """Return the lower-cased words of a text.

    Examples
    --------
    >>> words("U.S. forces' 1,200 men didn't")
    ['u.s', 'forces', '1,200', 'men', "didn't"]
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _WORD.findall(plain)


def stem(word: str) -> str:
    """Cut a common ending off, if enough is left to tell words apart.

    Examples
    --------
    >>> [stem(w) for w in ("cities", "city", "walked", "gas")]
    ['cit', 'cit', 'walk', 'gas']
    """
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_STEM:
            return word[: -len(ending)]
    return word


def content(text: str) -> frozenset[str]:
    """Return the stems of the words that carry meaning, negation and figures among them."""
    return frozenset(stem(word) for word in words(text) if word not in _FUNCTION)


def labels(source: str, renderings: Sequence[Rendering]) -> list[tuple[bool | None, str]]:
    """Label the renderings of one sentence by what the others say.

    Returns
    -------
    list of (bool or None, str)
        For each rendering: True drift, False sound, None undecided; and the kind of evidence.
    """
    own = content(source)
    read = [content(r.copy) for r in renderings]
    votes = [
        (r.lang, stems) for r, stems in zip(renderings, read, strict=True) if r.system in VOTERS
    ]
    if len({lang for lang, _ in votes}) < _FEWEST_LANGUAGES or len(own) < _LEAST_STEM:
        return [(None, "too few votes")] * len(renderings)
    tally = _Tally.of(votes)
    heard = _Tally.of([(r.lang, stems) for r, stems in zip(renderings, read, strict=True)])
    return [
        _label(source, own, rendering, stems, (tally, heard))
        for rendering, stems in zip(renderings, read, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Tally:
    """Who says which stem: renderings by stem and language, and renderings by language."""

    by_stem: Mapping[str, Counter[str]]
    by_lang: Counter[str]

    @classmethod
    def of(cls, votes: Sequence[tuple[str, frozenset[str]]]) -> _Tally:
        by_stem: dict[str, Counter[str]] = {}
        for lang, stems in votes:
            for one in stems:
                by_stem.setdefault(one, Counter())[lang] += 1
        return cls(by_stem, Counter(lang for lang, _ in votes))

    def elsewhere(self, one: str, lang: str) -> int:
        """Count renderings through other languages that hold a stem."""
        said = self.by_stem.get(one)
        return 0 if said is None else said.total() - said[lang]

    def others(self, lang: str) -> int:
        """Count renderings through other languages."""
        return max(1, self.by_lang.total() - self.by_lang[lang])


def _label(
    source: str,
    own: frozenset[str],
    rendering: Rendering,
    stems: frozenset[str],
    tallies: tuple[_Tally, _Tally],
) -> tuple[bool | None, str]:
    lang = rendering.lang
    votes, heard = tallies
    lost = [one for one in own - stems if votes.elsewhere(one, lang) >= _KEPT * votes.others(lang)]
    if not (rendering.system in VOTERS and lang in CLOSE_PIVOTS):
        # A poor system may still vouch for a word, so here every rendering is asked; and what
        # looks like another form of a word (Kenya, Kenyan) is held to be that word.
        unheard = [one for one in stems - own if not heard.elsewhere(one, lang)]
        needed = _FEWEST_WORDS + (votes.others(lang) < _MANY_VOTES and len(own) >= _LONG)
        if min(_unlike(lost, stems), _unlike(unheard, own)) >= needed:
            return True, "consensus"
    if lost or any(not votes.elsewhere(one, lang) for one in stems - own):
        return None, "undecided"
    return (True, "gender") if _gender_turned(source, rendering.copy) else (False, "consensus")


def _unlike(words: Sequence[str], others: frozenset[str]) -> int:
    """Count the words that no other word begins like."""
    begun = {other[:_BEGINNING] for other in others}
    return sum(word[:_BEGINNING] not in begun for word in words)


def _gender_turned(source: str, copy: str) -> bool:
    """Tell whether the pronouns of one gender in the source all came back as the other."""
    before, after = set(words(source)), set(words(copy))
    for mine, other in ((_MASCULINE, _FEMININE), (_FEMININE, _MASCULINE)):
        if before & mine and not before & other and after & other and not after & mine:
            return True
    return False
