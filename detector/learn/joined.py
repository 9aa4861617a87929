"""Minimal pairs to labelled joins: rows of `joins.join_rows`, and whether each join was broken.

A changed copy is laid beside its sound twin; every join that touches what differs is broken.
Nothing is fitted here, and no text is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from detector.encode import Encoder
from detector.evidence import gather_pairs
from detector.join_classify import JoinClassifier
from detector.joins import Vectors, intact, width
from detector.learn.corpus import Pair
from detector.words import Word, WordAlignment

_SHARE = 2  # one group in so many lends its minimal pairs to the joins


def lends_joins(pair: Pair) -> bool:
    """Tell whether a pair is a minimal pair that the joins are fitted on, and nothing else."""
    return pair.corpus == "contrast" and int(pair.group[8:12], 16) % _SHARE == 0


def labelled_joins(
    pairs: Sequence[Pair], encoder: Encoder, *, progress: Callable[[int], object] | None = None
) -> tuple[Vectors, NDArray[np.bool_]]:
    """Describe and label the joins of minimal pairs and their bases.

    Parameters
    ----------
    pairs : sequence of Pair
        Minimal pairs; one whose base is not among them is passed over.
    encoder : Encoder
    progress : callable, optional
        Told how many pairs were done since it was last told.

    Returns
    -------
    (ndarray of shape (n_joins, n_inputs), float16, ndarray of shape (n_joins,), bool)
        Joins that are plainly intact are left out: nobody asks about them.
    """
    bases = {pair.twin: pair for pair in pairs if pair.kind == "base"}
    usable = [pair for pair in pairs if pair.twin in bases]
    sound: dict[str, list[str]] = {}
    rows: list[NDArray[np.float16]] = []
    broken: list[NDArray[np.bool_]] = []
    # Bases first, so that each changed copy finds its own.
    ordered = sorted(usable, key=lambda pair: pair.kind != "base")
    for pair, (links, asked) in zip(ordered, _described(ordered, encoder), strict=True):
        norms = _norms(links.copy)
        if pair.kind == "base":
            sound[pair.twin] = norms
        label = np.zeros(len(norms) + 1, np.bool_)
        if pair.label is not False:
            label = _touched(sound[pair.twin], norms)
        if len(asked):
            rows.append(asked.astype(np.float16))
            broken.append(label[~intact(links)])
        if progress is not None:
            progress(1)
    if not rows:
        return np.zeros((0, width(encoder.identity.dimension)), np.float16), np.zeros(0, np.bool_)
    return np.concatenate(rows), np.concatenate(broken)


def _described(pairs: Sequence[Pair], encoder: Encoder) -> Iterator[tuple[WordAlignment, Vectors]]:
    """Yield the words of each pair, and the rows of its joins that are not plainly intact."""
    caught: list[Vectors] = []

    def keep(rows: Vectors) -> NDArray[np.float64]:
        caught.append(rows)
        return np.zeros(len(rows))

    none = np.zeros((0, width(encoder.identity.dimension)), np.float32)
    for bead in gather_pairs(((p.source, p.copy) for p in pairs), encoder, joins=keep):
        yield bead.words, caught.pop() if caught else none


def _norms(words: Sequence[Word]) -> list[str]:
    return [word.norm for word in words]


def _touched(sound: Sequence[str], changed: Sequence[str]) -> NDArray[np.bool_]:
    """Mark the joins of a changed copy that touch what its sound twin does not hold so."""
    out = np.zeros(len(changed) + 1, np.bool_)
    for tag, _, _, start, stop in SequenceMatcher(
        None, sound, changed, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            out[start : stop + 1] = True
    return out


def fit_joins(
    pairs: Sequence[Pair],
    encoder: Encoder,
    *,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> JoinClassifier | None:
    """Fit the joins on the minimal pairs that `lends_joins` picks.

    Returns
    -------
    JoinClassifier or None
        None where these pairs do not hold both kinds of joins.
    """
    rows, broken = labelled_joins([p for p in pairs if lends_joins(p)], encoder, progress=progress)
    if len(set(broken.tolist())) < 2:
        return None
    return JoinClassifier(random_state=seed).fit(rows, broken)
