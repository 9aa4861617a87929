"""Which pairs the tagger is fitted on, and which it leaves to whoever reads what it says.

A third of the source sentences is kept from it (`corpus.seen_by_tagger`). Nothing is fitted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from detector.learn.contrasts import contrasts
from detector.learn.corpus import Mark, Pair, draw, seen_by_tagger
from detector.learn.makers.edits import find_lost
from detector.learn.makers.grammar import words
from detector.learn.makers.pools import pools
from detector.learn.sample import draw_bases, good_pairs
from detector.lexicon import base_forms, is_stopword


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerMix:
    """How many pairs of each corpus.

    Attributes
    ----------
    marked : mapping of str to int
        Most pairs of each corpus whose errors people marked.
    drifted : mapping of str to int
        Most drifted pairs of corpora that are labelled without marks.
    bases : int
        Sound pairs that minimal pairs are made of; each gives up to three damaged copies and a
        harmless one.
    limit : int or None
        Scales everything down so that about so many pairs are left.
    seed : int
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
    bases: int = 14000
    limit: int | None = None
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
    """Draw the pairs that the tagger is fitted on.

    Parameters
    ----------
    corpora : mapping of str to sequence of Pair
        As `loaders.load` gives them.
    mix : TaggerMix

    Returns
    -------
    list of Pair
        Minimal pairs with their bases, pairs with marks, and drifted pairs.
    """
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
    """Make minimal pairs with marks on both sides, each family beside its base.

    Parameters
    ----------
    corpora : mapping of str to sequence of Pair
    bases : int
        Sound pairs that they are made of, at most.
    damages : int
        Damaged copies of each base, at most; one more is changed harmlessly.
    seed : int
    """
    good = good_pairs(corpora)
    pool = pools(pair.source for pair in good["trips"])
    drawn = draw_bases(good, bases, seed=seed)
    return list(with_lost(contrasts(drawn, pool, damages=damages, harmless=1, seed=seed)))


def with_lost(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Mark in the source what a minimal pair put other words for, where the source says it so.

    Parameters
    ----------
    pairs : iterable of Pair
        Each base before what was made of it, as `contrasts` gives them.

    Yields
    ------
    Pair
        With a mark more for words that were exchanged for others; inflections are not.
    """
    bases: dict[str, str] = {}
    for pair in pairs:
        if pair.kind == "base":
            bases[pair.twin] = pair.copy
        elif pair.label is not False and all(mark.side == "copy" for mark in pair.marks):
            lost = tuple(_exchanged(pair, bases.get(pair.twin, pair.copy)))
            yield replace(pair, marks=(*pair.marks, *lost)) if lost else pair
            continue
        yield pair


def _exchanged(pair: Pair, before: str) -> Iterator[Mark]:
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
    """Tell whether one of the new words is an inflection of an old one."""
    forms = frozenset[str]().union(*map(base_forms, olds))
    return any(not base_forms(new).isdisjoint(forms) for new in news)
