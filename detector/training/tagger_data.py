"""Choose the tagger's training pairs and their token targets.

A third of the source sentences is not shown to it (`corpus.seen_by_tagger`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from detector.features.token_tags import KINDS
from detector.records import TokenVectors
from detector.text.lexicon import base_forms, is_stopword
from detector.training.contrasts.contrasts import contrasts
from detector.training.contrasts.edits import find_lost, pools
from detector.training.contrasts.grammar import words
from detector.training.data.corpus import Mark, Pair, draw, seen_by_tagger
from detector.training.data.sampling import draw_bases, good_pairs

UNKNOWN = -1
"""Kind of a token that is sound, or whose kind is not known."""

_EDITED = 0.5  # target of a post-edited word: about half of the edits are matters of taste
_MINOR = 0.4
_MARKED_IN_COPY = frozenset(
    {"contrast", "tortured", "identical", "mlqe", "mqm_news", "mqm_ted", "biomqm"}
)
_MARKED_IN_SOURCE = frozenset({"tortured", "identical", "mlqe"})
_BY_RULE = frozenset({"wmt", "flores"})  # labelled as a sentence, without marks

# Categories of the corpora by prefix; kinds of minimal pairs by name, or by a word in it.
_CATEGORIES = (
    ("Accuracy/Omission", "omission"),
    ("Accuracy/Addition", "addition"),
    ("Accuracy", "mistranslation"),
    ("Terminology", "mistranslation"),
    ("Fluency", "grammar"),
    ("Linguistic", "grammar"),
    ("Locale convention/Name", "name"),
    ("Locale", "number"),
)
_NUMBERS = frozenset(
    {"number", "number word", "ordinal", "magnitude", "currency", "unit", "date", "moment"}
)
_GRAMMAR = frozenset(
    {"tense", "aspect", "part of speech", "plural", "function word", "neighbours swapped"}
    | {"words shuffled", "word doubled", "phrase repeated", "stack turned"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Targets of the tokens of one side, (n_tokens,)."""

    damage: NDArray[np.float32]  # in [0, 1]; for a source token, that it was lost
    kind: NDArray[np.int64]  # position in `KINDS`, or `UNKNOWN`


def copy_targets(pair: Pair, tokens: TokenVectors) -> Targets | None:
    """Return damage targets of copy tokens; None where copies of the corpus are not marked."""
    if pair.corpus in _BY_RULE and pair.label is False:
        return _none(tokens)
    if pair.corpus not in _MARKED_IN_COPY:
        return None
    return _targets(pair, tokens, "copy")


def source_targets(pair: Pair, tokens: TokenVectors) -> Targets | None:
    """Return loss targets of source tokens; None where sources are not marked.

    A minimal pair that replaced a word has none, unless `with_lost` marked the source word.
    """
    if pair.label is False and pair.corpus in {*_BY_RULE, "contrast"}:
        return _none(tokens)
    marked = pair.corpus == "contrast" and any(mark.side == "source" for mark in pair.marks)
    if not marked and pair.corpus not in _MARKED_IN_SOURCE:
        return None
    return _targets(pair, tokens, "source")


def kind_of(mark: str) -> int:
    """Return the position in `KINDS` of an error category or kind of minimal pair, or `UNKNOWN`.

    >>> KINDS[kind_of("Accuracy/Mistranslation")], KINDS[kind_of("name garbled")]
    ('mistranslation', 'name')
    """
    for start, kind in _CATEGORIES:
        if mark.startswith(start):
            return KINDS.index(kind)
    if mark in _NUMBERS:
        return KINDS.index("number")
    if mark in _GRAMMAR:
        return KINDS.index("grammar")
    for word, kind in (
        ("name", "name"),
        ("title", "name"),
        ("acronym", "name"),
        ("dropped", "omission"),
        ("omitted", "omission"),
        ("added", "addition"),
    ):
        if word in mark:
            return KINDS.index(kind)
    return UNKNOWN if mark in ("", "edited") else KINDS.index("mistranslation")


def _none(tokens: TokenVectors) -> Targets:
    n = len(tokens.starts)
    return Targets(np.zeros(n, np.float32), np.full(n, UNKNOWN, np.int64))


def _targets(pair: Pair, tokens: TokenVectors, side: str) -> Targets:
    out = _none(tokens)
    if pair.corpus == "contrast" and pair.label is False:
        return out  # harmless changes
    for mark in pair.marks:
        if mark.side != side or mark.weight <= 0:
            continue
        value = _EDITED if pair.corpus == "mlqe" else 1.0 if mark.weight >= 5 else _MINOR
        hit = (tokens.starts < mark.end) & (tokens.ends > mark.start)
        out.damage[hit] = np.maximum(out.damage[hit], value)
        out.kind[hit] = kind_of(mark.kind)
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerMix:
    """How many pairs of each corpus, at most.

    `marked` have human marks, `drifted` are labelled without marks.
    """

    marked: Mapping[str, int] = field(
        default_factory=lambda: {
            "mlqe": 16000,
            "mqm_news": 9000,
            "mqm_ted": 9000,
            "biomqm": 11000,
            "tortured": 6000,
        }
    )
    drifted: Mapping[str, int] = field(default_factory=lambda: {"wmt": 4000, "flores": 4000})
    bases: int = 14000  # sound pairs, each with up to three damaged and one harmless minimal pair
    limit: int | None = None  # scales everything down to about so many pairs
    seed: int = 0

    def scaled(self) -> TaggerMix:
        """Return the mix with its counts scaled to `limit`."""
        total = sum(self.marked.values()) + sum(self.drifted.values()) + 5 * self.bases
        if self.limit is None or self.limit >= total:
            return self

        def cut(n: int) -> int:
            return max(1, n * (self.limit or 0) // total)

        return replace(
            self,
            marked={name: cut(n) for name, n in self.marked.items()},
            drifted={name: cut(n) for name, n in self.drifted.items()},
            bases=cut(self.bases),
            limit=None,
        )


def tagger_pairs(corpora: Mapping[str, Sequence[Pair]], mix: TaggerMix) -> list[Pair]:
    """Draw minimal pairs with their bases, marked pairs and drifted pairs to fit the tagger on."""
    mix = mix.scaled()
    seen = {name: [p for p in pairs if seen_by_tagger(p)] for name, pairs in corpora.items()}
    chosen = minimal_pairs(seen, mix.bases, damages=3, seed=mix.seed + 20)
    for name, quota in mix.marked.items():
        chosen += draw(seen.get(name, ()), quota, seed=mix.seed + 30)
    for name, quota in mix.drifted.items():
        drifted = [pair for pair in seen.get(name, ()) if pair.label is True]
        chosen += draw(drifted, quota, seed=mix.seed + 30)
    return chosen


def minimal_pairs(
    corpora: Mapping[str, Sequence[Pair]], bases: int, *, damages: int, seed: int
) -> list[Pair]:
    """Make minimal pairs with marks on both sides, each family beside its base."""
    good = good_pairs(corpora)
    pool = pools(pair.source for pair in good["trips"])
    drawn = draw_bases(good, bases, seed=seed)
    return list(with_lost(contrasts(drawn, pool, damages=damages, harmless=1, seed=seed)))


def with_lost(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Mark the source words that a minimal pair replaced in the copy, but no changed inflection."""
    bases: dict[str, str] = {}
    for pair in pairs:
        if pair.kind == "base":
            bases[pair.twin] = pair.copy
        elif pair.label is not False and all(mark.side == "copy" for mark in pair.marks):
            lost = tuple(_replaced(pair, bases.get(pair.twin, pair.copy)))
            yield replace(pair, marks=(*pair.marks, *lost)) if lost else pair
            continue
        yield pair


def _replaced(pair: Pair, before: str) -> Iterator[Mark]:
    olds, news = words(before), words(pair.copy)
    old, new = ([word for word, _, _ in side] for side in (olds, news))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for name, i1, i2, j1, j2 in matcher.get_opcodes():
        if name != "replace" or _same_lemma(old[i1:i2], new[j1:j2]):
            continue
        if all(map(is_stopword, old[i1:i2])):
            continue
        text = before[olds[i1][1] : olds[i2 - 1][2]]
        at = find_lost(text, pair.source, olds[i1][1] / max(1, len(before)))
        if at is not None:
            weight = max(mark.weight for mark in pair.marks)
            yield Mark(side="source", start=at[0], end=at[1], kind=pair.kind, weight=weight)


def _same_lemma(olds: Sequence[str], news: Sequence[str]) -> bool:
    """Return whether one of the new words is an inflection of an old one."""
    forms = frozenset[str]().union(*map(base_forms, olds))
    return any(not base_forms(new).isdisjoint(forms) for new in news)
