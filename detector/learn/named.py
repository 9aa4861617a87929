"""Labelled pairs to labelled names.

What a minimal pair changed is found by laying it beside its sound twin; where the twin is absent
its marks say it. Nothing is fitted here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.encode import Encoder
from detector.evidence import gather_pairs
from detector.learn.corpus import Pair
from detector.learn.measure import read_unseen
from detector.learn.sample import MARKED
from detector.records import Change, NameChange, Span
from detector.tagger import Tagger
from detector.tags import name_probability


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledNames:
    """One row for each name that did not come back as it was.

    Attributes
    ----------
    belief : ndarray of shape (n_names,), float64
        The rule's, in [0, 1], that the name is damaged.
    damaged : ndarray of shape (n_names,), bool
    weight : ndarray of shape (n_names,), float64
        Mean 1; see `labelled_names`.
    tagged : ndarray of shape (n_names,), float64
        A tagger's greatest probability for a word of the name, NaN without one.
    change : tuple of str
        What became of the name, by rule.
    group : tuple of str
        Key of the source sentence, to fold by.
    """

    belief: NDArray[np.float64]
    damaged: NDArray[np.bool_]
    weight: NDArray[np.float64]
    tagged: NDArray[np.float64]
    change: tuple[Change, ...]
    group: tuple[str, ...]


def labelled_names(
    pairs: Sequence[Pair],
    encoder: Encoder,
    *,
    tagger: Tagger | None = None,
    prior: float = 0.4,
    batch: int = 512,
) -> LabelledNames:
    """Find the names of pairs that did not come back as they were, and label them.

    Parameters
    ----------
    pairs : sequence of Pair
        Sound ones, minimal pairs made of them, and pairs of `MARKED`. A pair labelled as drift
        that has neither a sound twin among `pairs` nor a mark says nothing about its names and is
        passed over, as is one without a label.
    encoder : Encoder
    tagger : Tagger, optional
        Reads the pairs that it was not fitted on.
    prior : float
        Share of damage in (0, 1) that the weights of minimal pairs bring about. In published
        round-trip copies about one sentence in ten holds a damaged name besides slips of case,
        and rules find a change in about one sound sentence in seven.
    batch : int
        Pairs encoded at a time.

    Returns
    -------
    LabelledNames
        A name is damaged when it stood where the minimal pair was changed, or overlaps a mark.
        Names of sound pairs, and names that the change did not touch, are not. A dropped name of
        `MARKED` is passed over: the marks are of the copy. A harmless change
        that stands in several twins shares one weight. Minimal pairs and the others weigh the same.
    """
    bases = {p.twin: p for p in pairs if p.twin and p.label is False and not p.marks}
    for pair in pairs:  # harmless changes are sound too; the base is named so
        if pair.twin and pair.label is False and pair.kind in ("base", "sound"):
            bases[pair.twin] = pair
    usable = [
        p for p in pairs if p.label is False or (p.label is True and (p.twin in bases or p.marks))
    ]
    hit = _Hits(bases, encoder, batch)
    rows = [
        (pair, change, tagged)
        for pair, names in zip(usable, _names(usable, encoder, batch, tagger), strict=True)
        for change, tagged in names
        if change.change != "kept" and not (pair.corpus in MARKED and change.change == "dropped")
    ]
    damaged = np.array([p.label is True and hit(p, change) for p, change, _ in rows], np.bool_)
    return LabelledNames(
        belief=np.array([change.probability for _, change, _ in rows], dtype=np.float64),
        tagged=np.array([tagged for _, _, tagged in rows], dtype=np.float64),
        damaged=damaged,
        weight=_weights([(pair, change) for pair, change, _ in rows], damaged, prior),
        change=tuple(change.change for _, change, _ in rows),
        group=tuple(pair.group for pair, _, _ in rows),
    )


class _Hits:
    """Whether the change that made a pair damaged touched a name."""

    def __init__(self, bases: dict[str, Pair], encoder: Encoder, batch: int) -> None:
        self.bases = bases
        found = _names(list(bases.values()), encoder, batch)
        self.names = {
            twin: [c for c, _ in names if c.copy is not None and c.source is not None]
            for twin, names in zip(bases, found, strict=True)
        }

    def __call__(self, pair: Pair, change: NameChange) -> bool:
        base = self.bases.get(pair.twin)
        if base is None:
            return any(
                _overlap(change.source if m.side == "source" else change.copy, m.start, m.end)
                for m in pair.marks
                if m.weight > 0
            )
        before, after = changed_regions(base.copy, pair.copy)
        if change.source is None:
            return _overlap(change.copy, *after)
        return any(
            _overlap(name.copy, *before)
            for name in self.names[pair.twin]
            if name.source == change.source
        )


def changed_regions(base: str, changed: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return what was replaced in a text and what by, as half-open ranges of whole words.

    Examples
    --------
    >>> changed_regions("They met in Lima today.", "They met in Linz today.")
    ((12, 16), (12, 16))
    >>> changed_regions("They met in Lima today.", "They met today.")
    ((9, 17), (9, 9))
    """
    shortest = min(len(base), len(changed))
    start = next((k for k in range(shortest) if base[k] != changed[k]), shortest)
    left = shortest - start
    end = next((k for k in range(left) if base[-1 - k] != changed[-1 - k]), left)
    texts = (base, changed)
    while any(_inside_word(text, start) for text in texts):
        start -= 1
    while any(_inside_word(text, len(text) - end) for text in texts):
        end -= 1
    return (start, len(base) - end), (start, len(changed) - end)


def _inside_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def _overlap(span: Span | None, start: int, end: int) -> bool:
    return span is not None and span.start < end and start < span.end


def _names(
    pairs: Sequence[Pair], encoder: Encoder, batch: int, tagger: Tagger | None = None
) -> Iterator[list[tuple[NameChange, float]]]:
    """Yield the names of each pair, each with what the tagger says, NaN where it is not asked."""
    for start in range(0, len(pairs), batch):
        part = pairs[start : start + batch]
        beads = list(gather_pairs(((p.source, p.copy) for p in part), encoder, batch=batch))
        read = read_unseen(tagger, part, beads)
        for row, bead in enumerate(beads):
            yield [
                (change, name_probability(change, *read[row]) if row in read else math.nan)
                for change in bead.names
            ]


def _weights(
    rows: Sequence[tuple[Pair, NameChange]], damaged: NDArray[np.bool_], prior: float
) -> NDArray[np.float64]:
    keys = [(p.twin or str(n), c.source or c.copy_text) for n, (p, c) in enumerate(rows)]
    harmless = Counter(key for key, hit in zip(keys, damaged.tolist(), strict=True) if not hit)
    weight = np.array([1.0 / (1 if hit else harmless[key])
                       for key, hit in zip(keys, damaged.tolist(), strict=True)])  # fmt: skip
    marked = np.array([pair.corpus in MARKED for pair, _ in rows], dtype=np.bool_)
    parts = [(marked, 1.0), (~marked & damaged, prior), (~marked & ~damaged, 1.0 - prior)]
    for mine, mass in parts:
        if mine.any():
            weight[mine] *= mass / weight[mine].sum()
    return weight * (len(rows) / weight.sum()) if len(rows) else weight
