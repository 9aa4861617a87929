"""Labelled sentence pairs: the record, how texts are cleaned, which groups are held apart.

Cleaning undoes entities, odd spaces, tokenisation and engines' marks, and adds no letter. `loaders`
knows the columns of the tables.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from detector.errors import InputError
from detector.text.lexicon import base_forms, is_stopword

_LONGEST = 900  # characters; about what the encoder reads (256 tokens)
_SPACES = re.compile(r"\s+")
_BEFORE = re.compile(r"\s+([,.;:!?%)\]}’]|'(?:s|re|ve|ll|d|m|t)\b|n't\b)")
_AFTER = re.compile(r"([(\[{$£€])\s+")
_INSIDE = re.compile(r"(?<=\w) (-|/) (?=\w)|(?<=\d) ?([.,]) ?(?=\d)")
_QUOTED = re.compile(r"\"\s*([^\"]*?)\s*\"")
_SINGLE = re.compile(r"(?<!\S)' ([^']{1,80}?) '(?!\w)")
_ELIDED = re.compile(r"\b([DdLlO]) '(?=[A-ZÀ-Ý])")
_NOT = re.compile(r"\b(\w+?)n 't\b")
_SPLIT = re.compile(r"\b([^\W_]+) - (?=([^\W_]+))")
_UNKNOWN_WORD = re.compile(r"[*@#](?=[^\W\d_])")


def tidy(text: str) -> str:
    r"""Undo HTML entities, and normalise spaces and Unicode.

    Examples
    --------
    >>> tidy("&quot;It&#39;s  on.&quot;")
    '"It\'s on."'
    """
    plain = unicodedata.normalize("NFC", html.unescape(html.unescape(text)))
    return _SPACES.sub(" ", plain).strip()


def detokenise(text: str) -> str:
    r"""Undo tokenisation.

    Examples
    --------
    >>> detokenise('He can \'t , said " the non - aligned " man ( 30 ) .')
    'He can\'t, said "the non-aligned" man (30).'
    """
    joined = _QUOTED.sub(r'"\1"', tidy(text).replace("``", '"').replace("''", '"'))
    joined = _ELIDED.sub(r"\1'", _SINGLE.sub(r"'\1'", joined))
    joined = _AFTER.sub(r"\1", _BEFORE.sub(r"\1", _NOT.sub(r"\1n't", joined)))
    return _INSIDE.sub(lambda m: m.group(1) or m.group(2), joined)


def unmark(text: str, source: str) -> str:
    """Remove apertium's marks of unknown words, and restore the final stop it drops.

    >>> unmark("The *Fujian #house", "Fujian's house.")
    'The Fujian house.'
    """
    plain = _UNKNOWN_WORD.sub("", tidy(text))
    stop = source.rstrip()[-1:]
    return plain + stop if stop in ".!?" and plain and plain[-1:].isalnum() else plain


def unusable(source: str, copy: str) -> str | None:
    """Return why a cleaned pair cannot be used, or None."""
    if not source or not copy or not any(c.isalnum() for c in source + copy):
        return "blank"
    if max(len(source), len(copy)) > _LONGEST:
        return f"longer than {_LONGEST} characters"
    letters = [c for c in copy if c.isalpha()]
    foreign = sum(not unicodedata.name(c, "").startswith("LATIN") for c in letters)
    if letters and foreign > 0.3 * len(letters):
        return "copy not English"
    return None


def rejoin(text: str, source: str) -> str:
    """Join compounds that a system split at the hyphen, but not dashes between clauses.

    >>> rejoin("a multi - story house, on - site - which fell", "A house fell.")
    'a multi-story house, on-site - which fell'
    """
    known = source.casefold()

    def close(at: re.Match[str]) -> str:
        left, right = at.groups()
        compound = f"{left}-{right}".casefold()
        plain = not (is_stopword(left.lower()) or is_stopword(right.lower()) or left[-1].isdigit())
        return f"{left}-" if plain or compound in known or base_forms(compound) else at.group()

    return _SPLIT.sub(close, text)


def moved(raw: str, cleaned: str, start: int, end: int) -> tuple[int, int] | None:
    """Map a half-open span of the raw text to the cleaned one; None where nothing of it is left.

    >>> moved("It  is - as said - so .", "It is - as said - so.", 12, 16)
    (11, 15)
    """
    low, high = _offset(raw, cleaned, start), _offset(raw, cleaned, end)
    while low < high and cleaned[low].isspace():
        low += 1
    while low < high and cleaned[high - 1].isspace():
        high -= 1
    return (low, high) if low < high else None


def _offset(raw: str, cleaned: str, at: int) -> int:
    """Map an offset of the raw text to the cleaned one."""
    if raw == cleaned:
        return at
    if raw.split() and "".join(raw.split()) == "".join(cleaned.split()):
        letters = sum(not c.isspace() for c in raw[:at])
        for place, c in enumerate(cleaned):
            if not c.isspace():
                if not letters:
                    return place
                letters -= 1
        return len(cleaned)
    for _, i1, i2, j1, j2 in SequenceMatcher(None, raw, cleaned, autojunk=False).get_opcodes():
        if at < i2:
            return min(j2, j1 + at - i1)
    return len(cleaned)


ENVIRONMENT = "DETECTOR_SHARED"
"""Environment variable with the folder of shared tables."""

_TEST_SHARE = 5  # one group in 5 is held apart
_KEPT = 3  # of the others, one in 3 is not shown to the tagger

EVALUATION_ONLY = frozenset({"demetr", "mlqe_dev"})
"""Corpora only measured on; pairs that share a source with them are held apart as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One error span, marked by a person or made by a program."""

    side: Literal["copy", "source"]  # text that it counts in: an omission is marked in the source
    start: int
    end: int  # half-open, in code points of the pair's cleaned text
    kind: str  # category of the corpus, or name of the damage; may be empty
    weight: float  # error points: 1 minor, 5 major, 0 neutral or harmless


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An English sentence, an English copy of it, and what is known about the two.

    `corpus` and `kind` are the origin, and the kind of evidence or damage.
    """

    source: str  # cleaned and not blank, like the copy
    copy: str
    label: bool | None  # True for drift, False for sound, None where unknown
    corpus: str
    kind: str
    group: str  # key of the source sentence, the same in every corpus
    points: float | None = None  # MQM error points of the copy by human judgement; 0 is sound
    hter: float | None = None  # edits of a post-editor over words, in [0, 1]
    quality: float | None = None  # direct assessment in [0, 100], higher is better
    marks: tuple[Mark, ...] = ()
    system: str = ""  # translator, or empty
    lang: str = ""  # pivot, or empty
    twin: str = ""  # key shared by a sound copy and the damaged copies made of it
    apart: bool = False  # whether its source also occurs in a corpus of `EVALUATION_ONLY`
    judged_again: tuple[tuple[Mark, ...], ...] = ()  # of other judges of the same pair

    def __post_init__(self) -> None:
        if not self.source.strip() or not self.copy.strip():
            msg = f"a pair of {self.corpus} has a blank side; leave it out"
            raise InputError(msg)

    @property
    def graded(self) -> bool:
        """Whether it has error points, edits or an assessment."""
        return self.points is not None or self.hter is not None or self.quality is not None


@dataclass(slots=True)
class Dropped:
    """Counts of the rows left out, by corpus and reason."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, corpus: str, reason: str) -> None:
        """Count one row."""
        self.counts.setdefault(corpus, Counter())[reason] += 1

    def to_dict(self) -> dict[str, dict[str, int]]:
        """Return the counts, commonest reason first."""
        return {corpus: dict(counts.most_common()) for corpus, counts in self.counts.items()}


def group_of(source: str) -> str:
    """Return the key of a source sentence, the same in every corpus."""
    text = unicodedata.normalize("NFKC", source).casefold()
    letters = "".join(c for c in text if c.isalnum())
    return hashlib.sha256(letters.encode("utf-8", "replace")).hexdigest()[:20]


def held_apart(group: str) -> bool:
    """Return whether a group belongs to the fifth that is held apart."""
    return int(group[:8], 16) % _TEST_SHARE == 0


def only_evaluates(pair: Pair) -> bool:
    """Return whether nothing may be fitted or tuned on a pair."""
    return held_apart(pair.group) or pair.apart or pair.corpus in EVALUATION_ONLY


def seen_by_tagger(pair: Pair) -> bool:
    """Return whether the tagger is fitted on a pair's source sentence.

    Models over the tagger's output are fitted on the third of the source sentences it did not see.
    """
    return not only_evaluates(pair) and int(pair.group[8:12], 16) % _KEPT != 0


def set_apart(corpora: Mapping[str, Sequence[Pair]]) -> dict[str, list[Pair]]:
    """Mark every pair whose group also occurs in a corpus of `EVALUATION_ONLY`."""
    groups = {pair.group for name in EVALUATION_ONLY for pair in corpora.get(name, ())}
    return {
        name: [replace(p, apart=True) if p.group in groups else p for p in pairs]
        for name, pairs in corpora.items()
    }


def split(pairs: Iterable[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Split pairs into those to fit on and those held apart."""
    parts: tuple[list[Pair], list[Pair]] = ([], [])
    for pair in pairs:
        parts[only_evaluates(pair)].append(pair)
    return parts


def draw(pairs: Sequence[Pair], n: int, *, seed: int = 0) -> list[Pair]:
    """Draw at most `n` pairs, the same ones whatever their order.

    Every group gives one pair before any gives a second.
    """

    def rank(*parts: str) -> bytes:
        text = "\x1f".join((str(seed), *parts))
        return hashlib.sha256(text.encode("utf-8", "replace")).digest()

    ordered = sorted(pairs, key=lambda p: rank(p.source, p.copy, p.kind))
    turns: Counter[str] = Counter()
    placed: list[tuple[int, bytes, Pair]] = []
    for pair in ordered:
        placed.append((turns[pair.group], rank(pair.group), pair))
        turns[pair.group] += 1
    placed.sort(key=lambda item: item[:2])
    return [pair for _, _, pair in placed[:n]]


def cleaned(pairs: Iterable[Pair], dropped: Dropped) -> Iterator[Pair]:
    """Drop unusable pairs and identical pairs labelled drift; merge duplicates."""
    alike: dict[tuple[str, str, str], list[Pair]] = {}
    for pair in pairs:
        reason = unusable(pair.source, pair.copy)
        if reason is None and pair.label and pair.source == pair.copy:  # judged against the pivot
            reason = "identical, yet judged to be drift"
        if reason is not None:
            dropped.add(pair.corpus, reason)
        else:
            alike.setdefault((pair.source, pair.copy, pair.kind), []).append(pair)
    for same in alike.values():
        for pair in same[1:]:
            differs = (pair.label, pair.points) != (same[0].label, same[0].points)
            dropped.add(pair.corpus, "judged again, differently" if differs else "duplicate")
        yield _merged(same)


def _merged(same: Sequence[Pair]) -> Pair:
    """Merge judgements of one pair: means, the label if they agree, the marks of the first."""
    first = same[0]
    if len(same) == 1:
        return first

    def mean(values: list[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    return replace(
        first,
        label=first.label if len({pair.label for pair in same}) == 1 else None,
        points=mean([pair.points for pair in same]),
        hter=mean([pair.hter for pair in same]),
        quality=mean([pair.quality for pair in same]),
        judged_again=tuple(pair.marks for pair in same[1:] if pair.points is not None),
    )


def shared_folder(named: Path | None) -> Path:
    """Find the folder of shared tables: the one named, else that of `DETECTOR_SHARED`.

    It holds the tables itself, or in its `data` folder. None is an `InputError`.
    """
    given = named or (Path(os.environ[ENVIRONMENT]) if os.environ.get(ENVIRONMENT) else None)
    if given is None:
        msg = f"no folder of shared tables: give --shared FOLDER, or set {ENVIRONMENT}"
        raise InputError(msg)
    for folder in (given, given / "data"):
        if any((folder / name).is_file() for name in manifest()):
            return folder
    names = ", ".join(manifest())
    msg = f"{given}: holds none of the tables; a folder with any of {names} is accepted"
    raise InputError(msg)


def manifest() -> dict[str, Any]:
    """Return the SHA-256, rows, licence and origin of each table, by file."""
    text = files("detector.training.data").joinpath("corpora.json").read_text(encoding="utf-8")
    record: dict[str, Any] = json.loads(text)
    return record


def check(folder: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Compare a folder with the manifest: file, "as expected", "absent" or "differs", and entry."""
    for name, known in manifest().items():
        path = folder / name
        if not path.is_file():
            yield name, "absent", known
        else:
            yield name, "as expected" if digest(path) == known["sha256"] else "differs", known


def digest(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
