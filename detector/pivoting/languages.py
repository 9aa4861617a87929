"""The languages that a pivot can be: their names and their families.

A table and nothing else; which of them a model knows is written in the model.
"""

from __future__ import annotations

from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "af": "Afrikaans",
    "am": "Amharic",
    "ar": "Arabic",
    "az": "Azerbaijani",
    "be": "Belarusian",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "bs": "Bosnian",
    "ca": "Catalan",
    "cs": "Czech",
    "cy": "Welsh",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "eo": "Esperanto",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "gl": "Galician",
    "gu": "Gujarati",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "hy": "Armenian",
    "id": "Indonesian",
    "ig": "Igbo",
    "is": "Icelandic",
    "it": "Italian",
    "ja": "Japanese",
    "kn": "Kannada",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "ml": "Malayalam",
    "mr": "Marathi",
    "ms": "Malay",
    "mt": "Maltese",
    "my": "Burmese",
    "nb": "Norwegian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovene",
    "sr": "Serbian",
    "sv": "Swedish",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
"""ISO 639-1 code to the English name."""

_FAMILIES: Mapping[str, str] = {
    "Romance": "ca es fr gl it pt ro",
    "Germanic": "af da de is nb nl sv",
    "Slavic": "be bg bs cs hr pl ru sk sl sr uk",
    "Baltic": "lt lv",
    "Uralic": "et fi hu",
    "Turkic": "az tr",
    "Indic": "bn gu hi mr",
    "Iranian": "fa",
    "Dravidian": "kn ml ta te",
    "Semitic": "am ar he mt",
    "Sinitic": "zh",
    "Japonic and Koreanic": "ja ko",
    "Austronesian": "id ms tl",
    "Austroasiatic": "vi",
    "Tai": "th",
    "Hellenic": "el",
    "Armenian": "hy",
    "Celtic": "cy",
    "Burmese": "my",
    "Igboid": "ig",
    "constructed": "eo",
}

FAMILY: Mapping[str, str] = {
    code: family for family, codes in _FAMILIES.items() for code in codes.split()
}
"""ISO 639-1 code to the English name of the family."""
