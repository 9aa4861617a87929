"""Label round trips by the consensus of many translations.

A copy whose every new word also came back through another language is a sound paraphrase; one that
lost words which nearly all others keep, and brings words that no other has, is drift. Uses no
encoder, so the labels do not depend on the similarity that the classifier is to go beyond. Compare
minimum Bayes risk decoding (Kumar and Byrne 2004); here over stems, and only good systems vote.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

VOTERS = frozenset({"google", "microsoft"})
"""Systems whose translations vote."""

_CLOSE = "bg ca cs da de es fr it nb nl pl pt ro sv"
CLOSE_PIVOTS = frozenset(_CLOSE.split())
"""Pivots with few errors by the voters, whose translations are never labelled drift there."""

_MIN_LANGUAGES = 3  # among the votes, before anything is labelled
_MIN_WORDS = 2  # lost and brought in, before a translation is drift ...
_MANY_VOTES = 13  # ... and one more where fewer vote on a long sentence, as synonyms are missing
_LONG = 8  # stems
_PREFIX = 4  # letters
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
class Translation:
    """One copy of a sentence, with the pivot and the system it came through."""

    copy: str
    lang: str
    system: str


def words(text: str) -> list[str]:
    """Return the lower-cased words of a text.

    >>> words("U.S. forces' 1,200 men didn't")
    ['u.s', 'forces', '1,200', 'men', "didn't"]
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _WORD.findall(plain)


def stem(word: str) -> str:
    """Cut a common ending off, if at least three letters are left.

    >>> [stem(w) for w in ("cities", "city", "walked", "gas")]
    ['cit', 'cit', 'walk', 'gas']
    """
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_STEM:
            return word[: -len(ending)]
    return word


def content(text: str) -> frozenset[str]:
    """Return the stems of content words, negation and numbers included."""
    return frozenset(stem(word) for word in words(text) if word not in _FUNCTION)


def labels(source: str, translations: Sequence[Translation]) -> list[tuple[bool | None, str]]:
    """Label the translations of one sentence by the votes of the others.

    Returns for each: True drift, False sound, None undecided; and the kind of evidence.
    """
    own = content(source)
    stems = [content(r.copy) for r in translations]
    every = [(r.lang, stemmed) for r, stemmed in zip(translations, stems, strict=True)]
    votes = [vote for r, vote in zip(translations, every, strict=True) if r.system in VOTERS]
    if len({lang for lang, _ in votes}) < _MIN_LANGUAGES or len(own) < _LEAST_STEM:
        return [(None, "too few votes")] * len(translations)
    tallies = _Tally.of(votes), _Tally.of(every)
    return [
        _label(source, own, translation, stemmed, tallies)
        for translation, stemmed in zip(translations, stems, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Tally:
    """Counts of translations by stem and language, and by language."""

    by_stem: Mapping[str, Counter[str]]
    by_lang: Counter[str]

    @classmethod
    def of(cls, votes: Sequence[tuple[str, frozenset[str]]]) -> _Tally:
        by_stem: dict[str, Counter[str]] = {}
        for lang, stems in votes:
            for stem in stems:
                by_stem.setdefault(stem, Counter())[lang] += 1
        return cls(by_stem, Counter(lang for lang, _ in votes))

    def elsewhere(self, stem: str, lang: str) -> int:
        """Count translations through other languages that hold a stem."""
        counts = self.by_stem.get(stem)
        return 0 if counts is None else counts.total() - counts[lang]

    def others(self, lang: str) -> int:
        """Count translations through other languages."""
        return max(1, self.by_lang.total() - self.by_lang[lang])


def _label(
    source: str,
    own: frozenset[str],
    translation: Translation,
    stems: frozenset[str],
    tallies: tuple[_Tally, _Tally],
) -> tuple[bool | None, str]:
    lang = translation.lang
    votes, every = tallies
    lost = [s for s in own - stems if votes.elsewhere(s, lang) >= _KEPT * votes.others(lang)]
    if not (translation.system in VOTERS and lang in CLOSE_PIVOTS):
        # A poor system may still confirm a word, so here every translation counts; and words with
        # one beginning (Kenya, Kenyan) count as forms of one word.
        unconfirmed = [s for s in stems - own if not every.elsewhere(s, lang)]
        needed = _MIN_WORDS + (votes.others(lang) < _MANY_VOTES and len(own) >= _LONG)
        if min(_unlike(lost, stems), _unlike(unconfirmed, own)) >= needed:
            return True, "consensus"
    if lost or any(not votes.elsewhere(s, lang) for s in stems - own):
        return None, "undecided"
    return (True, "gender") if _gender_changed(source, translation.copy) else (False, "consensus")


def _unlike(words: Sequence[str], others: frozenset[str]) -> int:
    """Count the words that share their first letters with no other word."""
    prefixes = {other[:_PREFIX] for other in others}
    return sum(word[:_PREFIX] not in prefixes for word in words)


def _gender_changed(source: str, copy: str) -> bool:
    """Return whether all pronouns of one gender in the source became the other."""
    before, after = set(words(source)), set(words(copy))
    for own, other in ((_MASCULINE, _FEMININE), (_FEMININE, _MASCULINE)):
        if before & own and not before & other and after & other and not after & own:
            return True
    return False
