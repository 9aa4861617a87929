"""A bilingual dictionary, from English into a pivot language, read from a file.

FreeDict's dictd files (`.index` beside `.dict` or `.dict.dz`), its TEI files, and plain tables
`english<TAB>pivot word`. It looks words up; what an explanation is worth is not its matter.
"""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from pathlib import Path

from detector.errors import InputError
from detector.lexicon import base_forms
from detector.pivoting.languages import NAMES

# ISO 639-2 and 639-3 codes in the names of FreeDict's files.
_CODES = {
    "afr": "af", "ara": "ar", "bul": "bg", "ben": "bn", "cat": "ca", "ces": "cs", "cze": "cs",
    "cym": "cy", "dan": "da", "deu": "de", "ger": "de", "ell": "el", "gre": "el", "spa": "es",
    "est": "et", "fas": "fa", "per": "fa", "fin": "fi", "fra": "fr", "fre": "fr", "heb": "he",
    "hin": "hi", "hrv": "hr", "hun": "hu", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko",
    "lit": "lt", "lav": "lv", "nob": "nb", "nor": "nb", "nld": "nl", "dut": "nl", "pol": "pl",
    "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "slk": "sk", "slv": "sl", "srp": "sr",
    "swe": "sv", "tam": "ta", "tha": "th", "tur": "tr", "ukr": "uk", "vie": "vi", "zho": "zh",
    "chi": "zh",
}  # fmt: skip
_NAME = re.compile(r"(?:^|[-_.])en(?:g)?[-_]([a-z]{2,3})(?=[-_.]|$)", re.IGNORECASE)
_NOTE = re.compile(r"<[^<>]*>|\([^()]*\)|\[[^\[\]]*\]|^\s*(?:\d+[.)]|[-–•])\s*")
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class Dictionary:
    """Words of a pivot language by the English words they stand for.

    Parameters
    ----------
    language : str
        ISO 639-1 code.
    entries : iterable of (str, str)
        English word, pivot word.
    """

    def __init__(self, language: str, entries: Iterable[tuple[str, str]]) -> None:
        self.language = language
        self._words: dict[str, set[str]] = {}
        for english, pivot in entries:
            self._words.setdefault(english.strip().lower(), set()).add(pivot.strip())

    def __len__(self) -> int:
        return len(self._words)

    def translations(self, word: str) -> frozenset[str]:
        """Return the pivot words for an English word, its base forms included."""
        forms = {word.lower(), *base_forms(word.lower())}
        return frozenset(chain for form in forms for chain in self._words.get(form, ()))

    def joining(self, source: str, copy: str) -> tuple[str, ...]:
        """Return the pivot words that stand for both of two English words, in order.

        Examples
        --------
        >>> Dictionary("fr", [("robbery", "vol"), ("flight", "vol")]).joining("robbery", "flights")
        ('vol',)
        """
        return tuple(sorted(self.translations(source) & self.translations(copy)))


def read_dictionary(path: Path) -> Dictionary:
    """Read a dictionary; its file's name must say which language it is in.

    Parameters
    ----------
    path : Path
        Such as `freedict-eng-fra.index`, `eng-fra.tei` or `en-fr.tsv`.

    Returns
    -------
    Dictionary

    Raises
    ------
    InputError
        When it cannot be read, holds no entry, or its name does not say the language.
    """
    named = _NAME.search(path.name)
    code = named.group(1).lower() if named else ""
    language = _CODES.get(code, code)
    if language not in NAMES:
        msg = (
            f"{path}: its name does not say which language it is in; name it like en-fr.tsv, "
            "eng-fra.tei or eng-fra.index"
        )
        raise InputError(msg)
    try:
        if path.suffix == ".index" or ".dict" in path.suffixes:
            dictionary = Dictionary(language, _dictd(path))
        elif path.suffix in (".tei", ".xml"):
            dictionary = Dictionary(language, _tei(path))
        else:
            dictionary = Dictionary(language, _table(path))
    except (OSError, ValueError, ET.ParseError) as err:
        msg = f"{path}: cannot be read as a dictionary ({err})"
        raise InputError(msg) from err
    if not len(dictionary):
        msg = f"{path}: holds no entry; give dictd or TEI of FreeDict, or english<TAB>pivot word"
        raise InputError(msg)
    return dictionary


def _table(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        english, tab, pivot = line.partition("\t")
        if tab and english.strip() and pivot.strip():
            yield english, pivot.split("\t")[0]


def _tei(path: Path) -> Iterator[tuple[str, str]]:
    data = path.read_bytes()
    if b"<!ENTITY" in data:
        msg = "declares entities, which a dictionary has no need of"
        raise ValueError(msg)
    for entry in ET.fromstring(data).iter():
        if _tag(entry) != "entry":
            continue
        heads = [one.text for one in entry.iter() if _tag(one) == "orth" and one.text]
        for quote in entry.iter():
            if _tag(quote) == "quote" and quote.text:
                for head in heads:
                    yield head, quote.text


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _dictd(path: Path) -> Iterator[tuple[str, str]]:
    stem = path.name.removesuffix(".dz").removesuffix(".dict").removesuffix(".index")
    body = next(
        (p for end in (".dict.dz", ".dict") if (p := path.with_name(stem + end)).is_file()), None
    )
    if body is None:
        msg = f"{stem}.dict or {stem}.dict.dz is not beside it"
        raise ValueError(msg)
    data = gzip.decompress(body.read_bytes()) if body.suffix == ".dz" else body.read_bytes()
    for line in path.with_name(stem + ".index").read_text(encoding="utf-8").splitlines():
        word, start, size = line.split("\t")[:3]
        if word.startswith("00"):
            continue  # what dictd says of the file itself
        at = _number(start)
        article = data[at : at + _number(size)].decode("utf-8", "replace")
        for pivot in _senses(article):
            yield word, pivot


def _number(text: str) -> int:
    value = 0
    for digit in text:
        value = value * 64 + _DIGITS.index(digit)
    return value


def _senses(article: str) -> Iterator[str]:
    """Take the words out of an article: all lines but the first, without notes and examples."""
    for line in article.splitlines()[1:]:
        if ":" in line or '"' in line:
            continue
        for part in re.split(r"[,;]", _NOTE.sub("", line)):
            if part.strip():
                yield part.strip()
