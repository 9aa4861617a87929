"""Carry out an edit of one sentence, and mark what changed.

Articles and capitals are made to agree. What to change is the matter of the makers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np

from detector.text.lexicon import (
    base_forms,
    is_negation,
    is_stopword,
    name_kinds,
    place_key,
    read_table,
    zipf,
)
from detector.training.contrasts.grammar import Sentence, Token, inflect, parts_of, words
from detector.training.data.corpus import Mark

_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})*")
_PHRASE = re.compile(
    r"(?<=[a-z] )(?:in|at|near|during|after|before|behind|without|under|on) "
    r"(?:the|a|his|her|their|its) [a-z]+(?=[.,])"
)
_CLAUSE = re.compile(
    r", (?:and|but|while|which|because|although|after) [^,.;:\"“”()]{20,80}(?=\.$)"
)
_LEAST_ZIPF = 3.0
_FORMS = {"n": ("", "s"), "v": ("", "s", "ed", "ing"), "a": ("",), "r": ("",)}
_STEP = 0.4  # Zipf; words are swapped for words about as frequent


@dataclass(frozen=True, slots=True)
class Pools:
    """Names by kind (place, person, other), phrases and clauses of other training sentences."""

    names: Mapping[str, tuple[str, ...]]
    phrases: tuple[str, ...]
    clauses: tuple[str, ...]


def pools(sentences: Iterable[str]) -> Pools:
    """Collect names, short phrases of place or time, and final clauses of sentences."""
    names: dict[str, set[str]] = {}
    phrases: set[str] = set()
    clauses: set[str] = set()
    for sentence in sentences:
        phrases.update(_PHRASE.findall(sentence))
        clauses.update(_CLAUSE.findall(sentence))
        for name in _NAME.findall(sentence):
            names.setdefault(kind_of(name), set()).add(name)
    by_kind = {kind: tuple(sorted(members)) for kind, members in sorted(names.items())}
    return Pools(by_kind, tuple(sorted(phrases)), tuple(sorted(clauses)))


def kind_of(name: str) -> str:
    """Classify a name as "place", "person" or "other"."""
    if place_key(name) is not None:
        return "place"
    kinds = name_kinds(name.split()[0])
    if "given" in kinds or "surname" in kinds:
        return "person"
    return "place" if "place" in kinds else "other"


@cache
def _common() -> dict[tuple[str, str, int], tuple[str, ...]]:
    """Return common words of exactly one part of speech, by part, form and step of frequency."""
    groups: dict[tuple[str, str, int], list[str]] = {}
    for base, letters in read_table("words"):
        if len(letters) != 1 or len(base) < 3 or not base.isalpha() or is_stopword(base):
            continue
        for form in _FORMS.get(letters, ()):
            word = inflect(base, letters, form)
            if (frequency := zipf(word)) >= _LEAST_ZIPF and (not form or not parts_of(word)):
                groups.setdefault((letters, form, int(frequency / _STEP)), []).append(word)
    return {key: tuple(words) for key, words in groups.items()}


def words_like(word: str, part: str, form: str) -> tuple[str, ...]:
    """Return words of a part of speech and inflection that are about as frequent as a word."""
    step = int(max(zipf(word), _LEAST_ZIPF) / _STEP)
    for near in (step, step - 1, step + 1, step - 2, step - 3):
        candidates = _common().get((part, form.replace("en", "ed"), near), ())
        if len(candidates) >= 20:
            return candidates
    return ()


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Edit:
    """Text put in the place of `[start, end)` of a copy."""

    start: int
    end: int
    new: str
    marked: bool = True


Rng = np.random.Generator
Edits = tuple[Edit, ...] | None
Maker = Callable[[Sentence, Rng, Pools], Edits]
"""Changes one thing in a sentence; None where it cannot."""

_CLOSE = 4  # words; lost words so near each other share a mark
_WORDY = re.compile(r"[^\W_]")
_ARTICLE = re.compile(r"(?<![\w'’-])([Aa])(n?) $")
_SILENT_H = re.compile(r"(?:hour|honest|honou?r|heir)", re.IGNORECASE)
_LIKE_YOU = re.compile(r"(?:uni(?!n|m)|us[aeiu]|eu|ura|ubi|one\b|once)", re.IGNORECASE)


def choose(rng: Rng, options: Sequence[T]) -> T:
    """Take one of at least one option."""
    return options[int(rng.integers(len(options)))]


def pick(rng: Rng, options: Sequence[T]) -> T | None:
    """Take one of the options, or None when there is none."""
    return choose(rng, options) if options else None


def pick_edit(rng: Rng, edits: Sequence[Edit]) -> Edits:
    """Take one of the edits, or None when there is none."""
    edit = pick(rng, edits)
    return None if edit is None else (edit,)


def replace_word(token: Token, new: str) -> Edit:
    """Put a word in the place of another, with its capital."""
    return Edit(token.start, token.end, like(token.text, new))


def lose(text: str, start: int, end: int) -> Edit:
    """Take a stretch out, with the space it leaves and a comma that belonged to it."""
    if text[:start].endswith(", ") and text[end : end + 2] == ", ":
        end += 1
    if start and text[start - 1].isspace():
        return Edit(start - 1, end, "")
    while end < len(text) and (text[end].isspace() or text[end] == ","):
        end += 1
    return Edit(start, end, "")


def like(old: str, new: str) -> str:
    """Give a new word the capital of the old one."""
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def carry_out(
    sentence: Sentence, edits: Sequence[Edit], *, source: str, kind: str, weight: float
) -> tuple[str, tuple[Mark, ...]]:
    """Make the changed copy and its marks of `kind` and `weight`; edits do not overlap.

    Marks are over insertions, widened to whole words. Lost words are marked in the source where
    they occur there in any inflection, else on the word of the copy that follows the gap, or the
    last word before it.
    """
    text = sentence.text
    ordered = sorted([*edits, *_agreeing(text, edits)], key=lambda e: (e.start, e.end))
    parts: list[str] = []
    placed: list[tuple[Edit, int]] = []
    behind = length = 0
    for edit in ordered:
        kept = text[behind : edit.start]
        parts += (kept, edit.new)
        placed.append((edit, length + len(kept)))
        length += len(kept) + len(edit.new)
        behind = edit.end
    copy = _capital("".join([*parts, text[behind:]]), text, ordered)
    marks: list[Mark] = []
    for edit, start in placed:
        if edit.marked:
            side, low, high = _place(text, copy, source, edit, start)
            mark = Mark(side=side, start=low, end=high, kind=kind, weight=weight)  # type: ignore[arg-type]
            if mark not in marks and low < high:
                marks.append(mark)
    return copy, tuple(marks)


def _agreeing(text: str, edits: Sequence[Edit]) -> list[Edit]:
    """Change "a" to "an", or back, before a word that now begins differently."""
    agreed = []
    for edit in edits:
        ahead = edit.new + text[edit.end : edit.end + 30]
        before = text[: edit.start]
        if ahead[:1] == " " and not before.endswith(" "):
            before, ahead = f"{before} ", ahead.lstrip()
        article = _ARTICLE.search(before)
        if article is None or not ahead[:1].isalnum() or (not edit.new and edit.start == edit.end):
            continue
        wanted = "n" if _takes_an(ahead) else ""
        if article.group(2) != wanted and article.end(2) <= edit.start:
            new = article.group(1) + wanted
            agreed.append(Edit(article.start(), article.end(2), new, marked=False))
    return agreed


def _takes_an(ahead: str) -> bool:
    if _SILENT_H.match(ahead) or re.match(r"(?:8|11\b|18\b)|[AEFHILMNORSX][A-Z]", ahead):
        return True
    return ahead[0] in "aeiouAEIOU" and not _LIKE_YOU.match(ahead)


def _capital(copy: str, text: str, edits: Sequence[Edit]) -> str:
    """Keep the initial capital, unless case is what was changed."""
    if any(text[e.start : e.end].lower() == e.new.lower() for e in edits):
        return copy
    old, new = _WORDY.search(text), _WORDY.search(copy)
    if old is None or new is None or not old.group().isupper() or not new.group().islower():
        return copy
    upper = new.group().upper()
    return copy if len(upper) != 1 else copy[: new.start()] + upper + copy[new.end() :]


def _place(text: str, copy: str, source: str, edit: Edit, start: int) -> tuple[str, int, int]:
    old, end = text[edit.start : edit.end], start + len(edit.new)
    if edit.new[:1] == " " and (text[edit.start - 1 : edit.start] + old[:1]).isalnum() and old:
        start -= 1  # letters were cut off a word: mark the rest of the word too
    while start < end and copy[start].isspace():
        start += 1
    while start < end and copy[end - 1].isspace():
        end -= 1
    if start == end and _whole(text, edit):
        at = find_lost(old, source, edit.start / max(1, len(text)))
        if at is not None:
            return "source", *at
        if (after := _WORDY.search(copy, start)) is not None:
            return "copy", *_widened(copy, after.start(), after.start() + 1)
        while start and not copy[start - 1].isalnum():
            start -= 1
        return "copy", *_widened(copy, max(0, start - 1), start)
    while start == end and start and not copy[start - 1 : start + 1].strip():
        start = end = start - 1
    return "copy", *_widened(copy, start, end)


def _whole(text: str, edit: Edit) -> bool:
    """Whether an edit took out whole words, not letters of one, nor punctuation alone."""
    old = text[edit.start : edit.end]
    if not _WORDY.search(old):
        return False
    inner = text[edit.start - 1 : edit.start] + old[:1], old[-1:] + text[edit.end : edit.end + 1]
    return not any(
        len(both) == 2 and all(c.isalnum() or c in "'’-" for c in both) for both in inner
    )


def _widened(copy: str, start: int, end: int) -> tuple[int, int]:
    """Widen a stretch to whole words."""

    def inside(at: int) -> bool:
        c = copy[at]
        joins = c in "'’-" and 0 < at < len(copy) - 1
        return c.isalnum() or (joins and copy[at - 1].isalnum() and copy[at + 1].isalnum())

    touches = start == end or copy[start].isalnum() or copy[start] in "'’-"
    while start > 0 and touches and inside(start - 1):
        start -= 1
    touches = start == end or (end > 0 and (copy[end - 1].isalnum() or copy[end - 1] in "'’-"))
    while end < len(copy) and touches and inside(end):
        end += 1
    if start == end:  # punctuation between other punctuation: mark one character
        start, end = (start - 1, end) if start and copy[start - 1].strip() else (start, end + 1)
    return start, end


def find_lost(lost: str, source: str, place: float) -> tuple[int, int] | None:
    """Find lost words in the source, in any inflection: the run that holds most of them.

    Of several, the nearest to `place`, their relative position in the copy, in [0, 1].
    """
    gone, there = words(lost), words(source)
    gone_words, there_words = [w for w, _, _ in gone], [w for w, _, _ in there]
    best: tuple[float, int, int] | None = None
    for i in range(len(there)):
        for j in range(len(gone)):
            run = 0
            while (
                i + run < len(there)
                and j + run < len(gone)
                and _same(there_words[i + run], gone_words[j + run])
            ):
                run += 1
            if not run or not _has_content(gone_words, gone_words[j : j + run]):
                continue
            away = abs(there[i][1] / max(1, len(source)) - place)
            if best is None or run - away > best[0]:
                best = (run - away, i, i + run)
    if best is None:
        return None
    low, high = _grown(best[1], best[2], there_words, gone_words)
    return there[low][1], there[high - 1][2]


def _grown(low: int, high: int, there: Sequence[str], gone: Sequence[str]) -> tuple[int, int]:
    """Widen a run by other lost words close to it."""
    positions = [
        i
        for i, word in enumerate(there)
        if not is_stopword(word) and any(_same(word, g) for g in gone)
    ]
    for i in positions:
        if high <= i < high + _CLOSE:
            high = i + 1
    for i in reversed(positions):
        if low - _CLOSE <= i < low:
            low = i
    return low, high


def _has_content(gone: Sequence[str], run: Sequence[str]) -> bool:
    """Whether a run holds a content word, if any was lost."""
    return any(not is_stopword(word) for word in run) or all(map(is_stopword, gone))


def _same(word: str, other: str) -> bool:
    if word == other or (is_negation(word) and is_negation(other)):
        return True
    return bool(base_forms(word) & base_forms(other)) and not is_stopword(word)
