"""Predict the pivot language of a pair of texts, and explain it in words.

The evidence is the edits of most weight in the model; a dictionary (FreeDict's dictd or TEI files,
or tables `english<TAB>pivot word`) only explains them. Aligns nothing.
"""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError
from detector.pivot.edits import Edit, EncodedEdits, Side, encode_edits
from detector.pivot.languages import FAMILY, NAMES
from detector.pivot.model import PivotModel
from detector.records import Pivot, evidence_strength
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
    """A bilingual dictionary; `entries` are pairs of an English and a pivot word."""

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
        return frozenset(pivot for form in forms for pivot in self._words.get(form, ()))

    def shared_translations(self, source: str, copy: str) -> tuple[str, ...]:
        """Return the pivot words that translate both of two English words, sorted.

        >>> both = Dictionary("fr", [("robbery", "vol"), ("flight", "vol")])
        >>> both.shared_translations("robbery", "flights")
        ('vol',)
        """
        return tuple(sorted(self.translations(source) & self.translations(copy)))


def read_dictionary(path: Path) -> Dictionary:
    """Read `freedict-eng-fra.index`, `eng-fra.tei` or `en-fr.tsv`; an `InputError` if unusable."""
    match = _NAME.search(path.name)
    code = match.group(1).lower() if match else ""
    language = _CODES.get(code, code)
    if language not in NAMES:
        msg = (
            f"{path}: its name does not say which language it is in; name it like en-fr.tsv, "
            "eng-fra.tei or eng-fra.index"
        )
        raise InputError(msg)
    try:
        if path.suffix == ".index" or ".dict" in path.suffixes:
            entries = _dictd(path)
        else:
            entries = _tei(path) if path.suffix in (".tei", ".xml") else _table(path)
        dictionary = Dictionary(language, entries)
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
        msg = "declares entities, which a dictionary does not need"
        raise ValueError(msg)
    for entry in ET.fromstring(data).iter():
        if _tag(entry) != "entry":
            continue
        heads = [
            element.text for element in entry.iter() if _tag(element) == "orth" and element.text
        ]
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
            continue  # metadata of the file
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
    """Yield the words of an article: all lines but the first, without notes and examples."""
    for line in article.splitlines()[1:]:
        if ":" in line or '"' in line:
            continue
        for part in re.split(r"[,;]", _NOTE.sub("", line)):
            if part.strip():
                yield part.strip()


Floats = NDArray[np.float64]

_MIN_WEIGHT = 0.05  # natural log units; weaker evidence is not reported
_MAX_LENGTH = 60  # characters of an edit that is quoted
_MAX_LINES = 12


def explain(
    sentences: Sequence[EncodedEdits],
    weights: tuple[Floats, float],
    language: str,
    *,
    dictionary: Dictionary | None = None,
) -> list[tuple[str, float]]:
    """Say what speaks for a language, given `PivotModel.evidence_weights` of a document for it.

    At most 12 lines with their weights of evidence, in natural log units: untranslated words of the
    language first, then edits, strongest first, and last the kept words. The weight of an
    untranslated word is that of the edits that hold it, which may have lines of their own. A
    dictionary of the language names the pivot word behind a substitution.
    """
    name = NAMES[language]
    of_edits, of_kept = weights
    last = []
    if of_kept >= _MIN_WEIGHT:
        strength = evidence_strength(of_kept)
        last = [(f"words left as they were ({strength} for {name})", of_kept)]
    lines = [
        (f"left untranslated: {safe(word)} (a word of {name})", weight)
        for word, weight in _untranslated(sentences, of_edits, language).items()
    ]
    edits = group_edits(sentences, of_edits)
    for edit, weight, times in sorted(edits, key=lambda group: -group[1]):
        text = safe(str(edit))
        if weight < _MIN_WEIGHT or len(lines) + len(last) >= _MAX_LINES:
            break
        if len(text) > _MAX_LENGTH:
            continue
        repeated = f", {times} times" if times > 1 else ""
        reason = f"{evidence_strength(weight)} for {name}{repeated}"
        lines.append((f"{text} ({reason}){_pivot_word(edit, dictionary, language)}", weight))
    return lines[: _MAX_LINES - len(last)] + last


def _untranslated(
    sentences: Sequence[EncodedEdits], weights: Floats, language: str
) -> dict[str, float]:
    """Return each untranslated word with the summed weight of the edits that hold it."""
    totals: dict[str, float] = {}
    first = 0
    for encoded in sentences:
        edits = encoded.sentence.edits
        for leak in encoded.sentence.untranslated:
            if language in leak.languages:
                at = [first + i for i, edit in enumerate(edits) if leak.word in edit.copy]
                totals[leak.word] = totals.get(leak.word, 0.0) + float(weights[at].sum())
        first += len(edits)
    return totals


def group_edits(
    sentences: Sequence[EncodedEdits], weights: Floats
) -> list[tuple[Edit, float, int]]:
    """Return the distinct edits of a document, each with its summed weight and its count."""
    edits = (edit for encoded in sentences for edit in encoded.sentence.edits)
    groups: dict[str, tuple[Edit, float, int]] = {}
    for edit, weight in zip(edits, weights.tolist(), strict=True):
        first, total, times = groups.get(str(edit).lower(), (edit, 0.0, 0))
        groups[str(edit).lower()] = (first, total + weight, times + 1)
    return list(groups.values())


def _pivot_word(edit: Edit, dictionary: Dictionary | None, language: str) -> str:
    if dictionary is None or dictionary.language != language:
        return ""
    for source in edit.source:
        for copy in edit.copy:
            words = dictionary.shared_translations(source, copy)
            if words and source.lower() != copy.lower():
                return f": {NAMES[language]} {safe(words[0])}"
    return ""


def predict_pivot(
    model: PivotModel, beads: Iterable[tuple[Side, Side]], *, dictionary: Dictionary | None = None
) -> Pivot:
    """Predict the pivot language from beads with both sides, encoded by the model's encoder.

    A `dictionary` is for explanations only. No language is named where no posterior reaches the
    threshold, or where the copy is about as near to the mean of all languages as to any of them.
    """
    sentences = [encode_edits(source, copy, model.languages) for source, copy in beads]
    scores = model.score_edits(sentences)
    posterior = model.posterior(scores.document)
    families: dict[str, float] = {}
    for code, probability in zip(model.languages, posterior.tolist(), strict=True):
        families[FAMILY[code]] = families.get(FAMILY[code], 0.0) + probability
    best = model.languages[int(np.argmax(posterior))]
    evidence = explain(sentences, model.evidence_weights(scores, best), best, dictionary=dictionary)
    return Pivot(
        language=best if model.accepts(scores.document, posterior) else None,
        posterior=_falling(dict(zip(model.languages, posterior.tolist(), strict=True))),
        families=_falling({name: min(1.0, value) for name, value in families.items()}),
        evidence=tuple(text for text, _ in evidence),
        evidence_weights=tuple(weight for _, weight in evidence),
    )


def _falling(values: dict[str, float]) -> dict[str, float]:
    return dict(sorted(values.items(), key=lambda item: -item[1]))
