"""What was changed from a source sentence to its copy, as named features.

A cheap comparison of two lists of tokens; no model is asked, nothing is weighed. Words that both
sides share are named too, since each pivot loses words of its own: a Slavic one does not leave as
many articles alone. Only how often they come through can speak for a language, not that they are
there: the round trips fitted on hold the same sentences through all languages.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from detector.lexicon import is_stopword
from detector.pivoting.leaks import Leak, find_leaks

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]|_")
# Whether quotation marks survive is the matter of a page and its translator, not of a language.
_DROPPED = frozenset('"“”„«»\xad')
_PLAIN = str.maketrans({"’": "'", "‘": "'", **dict.fromkeys(_DROPPED)})
_ENDINGS = ("ing", "ed", "ly", "tion", "s")
_INFLECTIONS = ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e")
_LONGEST = 4  # tokens of either side of an edit that is looked at as a whole
_OPEN, _CLOSE = "<s>", "</s>"

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Edit:
    """A run of tokens that became another; one side may be empty.

    Attributes
    ----------
    source, copy : tuple of str
        The tokens as written.
    """

    source: tuple[str, ...]
    copy: tuple[str, ...]

    def __str__(self) -> str:
        return f"{' '.join(self.source) or '∅'} → {' '.join(self.copy) or '∅'}"


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that was changed in one sentence.

    Attributes
    ----------
    edits : tuple of Edit
        In the order of the copy; last, where words only changed their capitals, one edit each.
    places : tuple of ((int, int), (int, int))
        Half-open character ranges, in the texts given, of what each edit lost and put in; empty
        ones where a side is. None for the edits of capitals alone, which come last.
    features : mapping of str to int
        Name of each feature to the edit it came from first.
    leaks : tuple of Leak
        Words of other languages in the copy.
    kept : tuple of str
        Names of what was kept: each kept word by itself and with its neighbours in the source.
    kept_places : tuple of (int, int)
        Half-open character ranges in the source of the tokens that the copy has in the same order.
    n_source, n_copy : int
        Tokens of each side.
    """

    edits: tuple[Edit, ...]
    places: tuple[tuple[Place, Place], ...]
    features: dict[str, int]
    leaks: tuple[Leak, ...]
    kept: tuple[str, ...]
    kept_places: tuple[Place, ...]
    n_source: int
    n_copy: int


def tokens(text: str) -> tuple[list[str], list[Place]]:
    """Cut a text into words, figures and signs, and say where each stands in it.

    Examples
    --------
    >>> tokens("It’s 1,000 well-known")[0]
    ["It's", '1,000', 'well', '-', 'known']
    """
    found = list(_TOKEN.finditer(text.translate(_PLAIN)))
    where = [at for at, sign in enumerate(text) if sign not in _DROPPED]
    return [one.group() for one in found], [
        (where[one.start()], where[one.end() - 1] + 1) for one in found
    ]


def _stretch(places: list[Place], first: int, end: int) -> Place:
    return (places[first][0], places[end - 1][1]) if end > first else (0, 0)


def key_of(feature: str) -> int:
    """Return the number that stands for a feature's name in a model: its CRC-32."""
    return zlib.crc32(feature.encode("utf-8", "surrogatepass"))


def changes(source: str, copy: str, languages: Sequence[str] = ()) -> Changes:
    """Compare a source sentence with its copy.

    Parameters
    ----------
    source, copy : str
        Any text; capitals do not part words.
    languages : sequence of str
        Codes of the languages whose words are looked for in the copy.

    Returns
    -------
    Changes

    Examples
    --------
    >>> found = changes("It was a robbery.", "It was a flight.")
    >>> [str(edit) for edit in found.edits], "pair robbery>flight" in found.features
    (['robbery → flight'], True)
    """
    (written, lost_at), (rendered, put_at) = tokens(source), tokens(copy)
    a, b = [w.lower() for w in written], [w.lower() for w in rendered]
    blocks, kept = _blocks(a, b)
    edits = [Edit(tuple(written[i:j]), tuple(rendered[k:m])) for i, j, k, m in blocks]
    cased = [Edit((written[i],), (rendered[k],)) for i, k in kept if written[i] != rendered[k]]
    new = {word: number for number, edit in enumerate(edits) for word in edit.copy}
    leaks = find_leaks(written, new, languages)
    features: dict[str, int] = {}
    sides = _Sides(a, b)
    named = chain(
        sides.named(blocks),
        _cases(cased, len(edits)),
        _moves(blocks, a, b),
        ((name, new[leak.word]) for leak in leaks for name in leak.features),
    )
    for name, number in named:
        features.setdefault(name, number)
    places = tuple((_stretch(lost_at, i, j), _stretch(put_at, k, m)) for i, j, k, m in blocks)
    return Changes(
        edits=tuple(edits + cased),
        places=places,
        features=features,
        leaks=leaks,
        kept=tuple(sides.kept(i for i, _ in kept)),
        kept_places=tuple(lost_at[i] for i, _ in kept),
        n_source=len(a),
        n_copy=len(b),
    )


def _blocks(
    source: list[str], copy: list[str]
) -> tuple[list[tuple[int, int, int, int]], list[tuple[int, int]]]:
    """Find the runs that differ, as bounds on both sides, and the pairs of places that do not."""
    from rapidfuzz.distance import Levenshtein

    blocks: list[tuple[int, int, int, int]] = []
    kept: list[tuple[int, int]] = []
    for op in Levenshtein.opcodes(source, copy):
        i, j, k, m = op.src_start, op.src_end, op.dest_start, op.dest_end
        if op.tag == "equal":
            kept += zip(range(i, j), range(k, m), strict=True)
        elif blocks and blocks[-1][1] == i and blocks[-1][3] == k:
            blocks[-1] = (blocks[-1][0], j, blocks[-1][2], m)
        else:
            blocks.append((i, j, k, m))
    return blocks, kept


def _cases(cased: list[Edit], first: int) -> Iterator[tuple[str, int]]:
    for number, edit in enumerate(cased, first):
        yield f"case {edit.source[0]}>{edit.copy[0]}", number
        yield f"case {'lower' if edit.copy[0].islower() else 'upper'}", number


class _Sides:
    """Both sides' tokens and their kinds, framed by marks of start and end."""

    def __init__(self, source: list[str], copy: list[str]) -> None:
        self.source = [_OPEN, *source, _CLOSE]
        self.copy = [_OPEN, *copy, _CLOSE]
        self.source_kinds = [_kind(w) for w in self.source]
        self.copy_kinds = [_kind(w) for w in self.copy]

    def named(self, blocks: list[tuple[int, int, int, int]]) -> Iterator[tuple[str, int]]:
        """Name what there is to each edit, with its number."""
        for number, block in enumerate(blocks):
            for name in self.features(*block):
                yield name, number

    def kept(self, at: Iterable[int]) -> Iterator[str]:
        """Name what there is to source tokens that were kept."""
        return _words("kept", self.source, self.source_kinds, (i + 1 for i in at))

    def features(self, i: int, j: int, k: int, m: int) -> Iterator[str]:
        """Name what there is to an edit of source tokens i to j and copy tokens k to m."""
        lost, new = self.source[i + 1 : j + 1], self.copy[k + 1 : m + 1]
        if len(lost) <= _LONGEST and len(new) <= _LONGEST:
            yield from self._whole(i, j, k, m)
        if len(lost) <= _LONGEST + 1 and len(new) <= _LONGEST + 1:
            for s in lost:
                for c in new:
                    yield from _pair(s, c)
        yield from _words("out", self.source, self.source_kinds, range(i + 1, j + 1))
        yield from _words("in", self.copy, self.copy_kinds, range(k + 1, m + 1))

    def _whole(self, i: int, j: int, k: int, m: int) -> Iterator[str]:
        before, after = slice(i + 1, j + 1), slice(k + 1, m + 1)
        words = f"{' '.join(self.source[before])}>{' '.join(self.copy[after])}"
        kinds = f"{' '.join(self.source_kinds[before])}>{' '.join(self.copy_kinds[after])}"
        left, right = self.source[i], self.source[j + 1]
        yield f"edit {words}"
        yield f"edit {left}|{words}"
        yield f"edit {words}|{right}"
        yield f"kinds {kinds}"
        yield f"kinds {left}|{kinds}"
        yield f"kinds {kinds}|{right}"
        near, far = self.source_kinds[i], self.source_kinds[j + 1]
        yield f"kinds {near}|{kinds}"
        yield f"kinds {kinds}|{far}"
        yield f"kinds {near}|{kinds}|{far}"


def _words(side: str, words: list[str], kinds: list[str], at: Iterable[int]) -> Iterator[str]:
    for p in at:
        yield f"{side} {words[p]}"
        yield f"{side} {words[p - 1]}_{words[p]}"
        yield f"{side} {words[p]}_{words[p + 1]}"
        yield f"{side} {kinds[p - 1]}_{words[p]}_{kinds[p + 1]}"


@lru_cache(maxsize=65536)
def _pair(source: str, copy: str) -> tuple[str, ...]:
    """Name what there is to one word in the place of another."""
    from rapidfuzz.distance import Indel, Levenshtein

    found = [f"pair {source}>{copy}"]
    common = 0
    while common < min(len(source), len(copy)) and source[common] == copy[common]:
        common += 1
    if common >= 3:
        found.append(f"ending {source[common:]}>{copy[common:]}")
    if source[0].isdigit() and copy[0].isdigit():
        found.append(f"figure {_shape(source)}>{_shape(copy)}")
    elif min(len(source), len(copy)) >= 4 and Indel.normalized_similarity(source, copy) >= 0.6:
        for op in Levenshtein.opcodes(source, copy):
            if op.tag != "equal":
                old = source[op.src_start : op.src_end]
                found.append(f"letters {old}>{copy[op.dest_start : op.dest_end]}")
    return tuple(found)


def _moves(
    blocks: list[tuple[int, int, int, int]], a: list[str], b: list[str]
) -> Iterator[tuple[str, int]]:
    """Name the words that left one place and came up in another."""
    lost = {w for i, j, _, _ in blocks for w in a[i:j]}
    stems = {_stem(w) for w in lost if not is_stopword(w)}
    for number, (_, _, k, m) in enumerate(blocks):
        for word in b[k:m]:
            if word in lost:
                yield f"moved {word}", number
                yield f"moved kind {_kind(word)}", number
            elif not is_stopword(word) and _stem(word) in stems:
                yield f"moved stem {_kind(word)}", number


def _shape(figure: str) -> str:
    return re.sub(r"\d", "0", figure)


@lru_cache(maxsize=65536)
def _kind(word: str) -> str:
    """Return a small word or a sign itself, and of others the ending."""
    if not word[0].isalnum() or is_stopword(word):
        return word
    if word[0].isdigit():
        return "#"
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return f"-{ending}"
    return "*"


def _stem(word: str) -> str:
    for ending in _INFLECTIONS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
