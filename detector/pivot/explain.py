"""Explain in words what speaks for a pivot language, with a dictionary where one is given.

A bilingual dictionary, from English into a pivot language, read from a file.

FreeDict's dictd files (`.index` beside `.dict` or `.dict.dz`), its TEI files, and plain tables
`english<TAB>pivot word`. It looks words up; what an explanation is worth is not its matter.

What speaks for a language, in words: the edits that moved its posterior most, and leaks.

Shows what the model weighed and adds no rule of its own; a dictionary only explains.
"""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError
from detector.pivot.edits import Compared, Edit
from detector.pivot.languages import NAMES
from detector.text.escape import safe
from detector.text.lexicon import base_forms

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


Floats = NDArray[np.float64]

_LEAST = 0.05  # nats; less is not worth a line
_LONGEST = 60  # characters of an edit that is shown


@dataclass(frozen=True, slots=True)
class _Found:
    """One kind of edit over the whole document."""

    edit: Edit
    nats: float
    times: int


def evidence(
    sentences: Sequence[Compared],
    nats: tuple[Floats, float],
    language: str,
    *,
    dictionary: Dictionary | None = None,
    most: int = 12,
) -> tuple[str, ...]:
    """Say what speaks for a language.

    Parameters
    ----------
    sentences : sequence of Compared
        Of one document.
    nats : (ndarray of shape (n_edits,), float)
        `PivotModel.nats` of all their edits and of what was kept, for the language.
    language : str
    dictionary : Dictionary, optional
        Names the pivot word behind a substitution, where it is in that language.
    most : int
        How many lines at most.

    Returns
    -------
    tuple of str
        Leaks common in the language first, then edits, heaviest first, and last what was kept.
        The weight is the log of the odds, in nats, that it gives the language over the mean of the
        others.
    """
    name = NAMES[language]
    edits, kept = nats
    found = _gathered(sentences, edits)
    last = [f"words left as they were (+{kept:.1f} nats for {name})"] if kept >= _LEAST else []
    leaks = [leak for one in sentences for leak in one.changes.leaks if language in leak.languages]
    lines = [f"left in: {safe(leak.word)} (a word of {name})" for leak in dict.fromkeys(leaks)]
    for one in sorted(found.values(), key=lambda f: -f.nats):
        text = safe(str(one.edit))
        if one.nats < _LEAST or len(lines) + len(last) >= most:
            break
        if len(text) > _LONGEST:
            continue
        times = f", {one.times} times" if one.times > 1 else ""
        explained = _explained(one.edit, dictionary, language)
        lines.append(f"{text} (+{one.nats:.1f} nats for {name}{times}){explained}")
    return tuple(lines[: most - len(last)] + last)


def _gathered(sentences: Sequence[Compared], nats: Floats) -> Mapping[str, _Found]:
    edits = (edit for one in sentences for edit in one.changes.edits)
    found: dict[str, _Found] = {}
    for edit, nat in zip(edits, nats.tolist(), strict=True):
        key = str(edit).lower()
        before = found.get(key, _Found(edit, 0.0, 0))
        found[key] = _Found(before.edit, before.nats + nat, before.times + 1)
    return found


def _explained(edit: Edit, dictionary: Dictionary | None, language: str) -> str:
    if dictionary is None or dictionary.language != language:
        return ""
    for source in edit.source:
        for copy in edit.copy:
            joining = dictionary.joining(source, copy) if source.lower() != copy.lower() else ()
            if joining:
                return f": {NAMES[language]} {safe(joining[0])}"
    return ""
