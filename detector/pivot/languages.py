"""The pivot languages and their families; words of other languages left in a copy.

A word is untranslated when the source does not hold it, English does not know it, and few languages
have it: a name does not count. A model stores the languages that it knows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from detector.text.lexicon import base_forms, is_stopword, zipf

_FAMILIES: Mapping[str, str] = {
    "Romance": "ca Catalan, es Spanish, fr French, gl Galician, "
    "it Italian, pt Portuguese, ro Romanian",
    "Germanic": "af Afrikaans, da Danish, de German, is Icelandic, "
    "nb Norwegian, nl Dutch, sv Swedish",
    "Slavic": "be Belarusian, bg Bulgarian, bs Bosnian, cs Czech, hr Croatian, pl Polish, "
    "ru Russian, sk Slovak, sl Slovene, sr Serbian, uk Ukrainian",
    "Baltic": "lt Lithuanian, lv Latvian",
    "Uralic": "et Estonian, fi Finnish, hu Hungarian",
    "Turkic": "az Azerbaijani, tr Turkish",
    "Indic": "bn Bengali, gu Gujarati, hi Hindi, mr Marathi",
    "Iranian": "fa Persian",
    "Dravidian": "kn Kannada, ml Malayalam, ta Tamil, te Telugu",
    "Semitic": "am Amharic, ar Arabic, he Hebrew, mt Maltese",
    "Sinitic": "zh Chinese",
    "Japonic and Koreanic": "ja Japanese, ko Korean",
    "Austronesian": "id Indonesian, ms Malay, tl Tagalog",
    "Austroasiatic": "vi Vietnamese",
    "Tai": "th Thai",
    "Hellenic": "el Greek",
    "Armenian": "hy Armenian",
    "Celtic": "cy Welsh",
    "Burmese": "my Burmese",
    "Igboid": "ig Igbo",
    "constructed": "eo Esperanto",
}
_NAMED = [
    (*language.split(" "), family)
    for family, languages in _FAMILIES.items()
    for language in languages.split(", ")
]

NAMES: Mapping[str, str] = {code: name for code, name, _ in sorted(_NAMED)}
"""ISO 639-1 code to the English name."""

FAMILY: Mapping[str, str] = {code: family for code, _, family in _NAMED}
"""ISO 639-1 code to the English name of the family."""

_MIN_LETTERS = 3  # shorter words are mostly initials and units
_MIN_SHARE = 3e-6  # of the words of a language
_MIN_RATIO = 1.0  # powers of ten by which it must be commoner there than in English

# Codes of wordfreq that are not those used here.
_LISTS = {"hr": "sh", "bs": "sh", "sr": "sh", "tl": "fil"}


@dataclass(frozen=True, slots=True)
class UntranslatedWord:
    """A word of another language, as written in the copy.

    `languages` are codes of those it is common in, empty where only its letters are foreign;
    `script` is the Unicode name of its letters, such as "CYRILLIC", empty for Latin.
    """

    word: str
    languages: tuple[str, ...]
    script: str = ""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of its features in a model."""
        letters = (f"script {self.script}",) if self.script else ()
        return (*(f"leak {code}" for code in self.languages), *letters)


def find_untranslated(
    source: Sequence[str], copy: Iterable[str], languages: Sequence[str]
) -> tuple[UntranslatedWord, ...]:
    """Find the distinct words of other languages in the tokens of a copy, in its order.

    >>> find_untranslated(["the", "summit"], ["the", "sommet"], ["de", "fr"])
    (UntranslatedWord(word='sommet', languages=('fr',), script=''),)
    """
    known = {word.lower() for word in source}
    untranslated: dict[str, UntranslatedWord] = {}
    for word in copy:
        if word.lower() in known or word in untranslated or not word.isalpha():
            continue
        script = _foreign_script(word)
        if script:
            untranslated[word] = UntranslatedWord(word, (), script)
        elif word.islower() and len(word) >= _MIN_LETTERS and not _is_english(word):
            common = _common_in(word, tuple(languages))
            if common:
                untranslated[word] = UntranslatedWord(word, common)
    return tuple(untranslated.values())


@lru_cache(maxsize=65536)
def _foreign_script(word: str) -> str:
    if word.isascii():
        return ""
    names = [unicodedata.name(c, "").split(" ")[0] for c in word]
    foreign = [n for n in names if n not in ("LATIN", "COMBINING", "MODIFIER", "")]
    return foreign[0] if len(foreign) * 2 > len(word) else ""


@lru_cache(maxsize=65536)
def _is_english(word: str) -> bool:
    return is_stopword(word) or bool(base_forms(word))


@lru_cache(maxsize=65536)
def _common_in(word: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    shares = {code: _shares(code).get(word, 0.0) for code in languages}
    # German words are in many languages' lists, from names and quotations, but rare there.
    least = max(
        _MIN_SHARE, 10.0 ** (zipf(word) - 9.0 + _MIN_RATIO), 0.1 * max(shares.values(), default=0.0)
    )
    return tuple(code for code, share in shares.items() if share >= least)


@cache
def _shares(language: str) -> dict[str, float]:
    """Return the share of each common word among the words of a language."""
    from wordfreq import available_languages, get_frequency_dict

    code = _LISTS.get(language, language)
    if code not in available_languages("small"):
        return {}
    shares: dict[str, float] = get_frequency_dict(code, wordlist="small")
    return shares
