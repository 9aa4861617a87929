"""Edits and kept words of the shared round trips as the encoder sees them: each text encoded once.

It hands texts to the encoder and keeps vectors; it reads no table and fits nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.encode import Encoder
from detector.errors import EncodeError
from detector.learn.pivot_tables import RoundTrip
from detector.pivoting.contexts import Contexts, Side, compare, means
from detector.pivoting.edits import Place, tokens
from detector.reading.view import matching_view
from detector.records import TokenVectors

_CHUNK = 2000  # pairs whose copies are encoded together


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The edits and the kept words of round trips, all in one place.

    Attributes
    ----------
    contexts : Contexts
        Of n edits.
    starts : ndarray of shape (n_pairs + 1,), int64
        Where the edits of each pair start, and the end.
    words : ndarray of shape (n_words, d), float16
        Vectors of the words of all sources, each source once.
    kept : ndarray of shape (n_kept,), int32
        The kept words of all pairs, by their place in `words`.
    kept_starts : ndarray of shape (n_pairs + 1,), int64
        Where those of each pair start, and the end.
    """

    contexts: Contexts
    starts: NDArray[np.int64]
    words: NDArray[np.float16]
    kept: NDArray[np.int32]
    kept_starts: NDArray[np.int64]

    def edits_of(self, pairs: NDArray[np.int64]) -> tuple[Contexts, NDArray[np.int64]]:
        """Find the edits of some pairs.

        Parameters
        ----------
        pairs : ndarray of shape (m,), int64

        Returns
        -------
        (Contexts, ndarray of shape (k,), int64)
            The edits, and the place in `pairs` of the pair that each is of.
        """
        at, owner = _stretches(self.starts, pairs)
        return self.contexts[at], owner

    def kept_of(self, pairs: NDArray[np.int64]) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
        """Find the vectors of the kept words of some pairs, shape (k, d); as `edits_of`."""
        at, owner = _stretches(self.kept_starts, pairs)
        return self.words[self.kept[at]], owner


def _stretches(
    starts: NDArray[np.int64], pairs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places from the start of each pair to that of the next, and whose they are."""
    first, count = starts[pairs], starts[pairs + 1] - starts[pairs]
    owner = np.repeat(np.arange(len(pairs)), count)
    before = np.cumsum(count) - count
    return np.repeat(first - before, count) + np.arange(len(owner)), owner


def contexts_of(
    pairs: Sequence[RoundTrip],
    encoder: Encoder,
    *,
    progress: Callable[[int], object] | None = None,
) -> Pool:
    """Encode both sides of round trips; keep the vectors of what was changed and of sources' words.

    Parameters
    ----------
    pairs : sequence of RoundTrip
    encoder : Encoder
    progress : callable, optional
        Told how many pairs were done since it was last told.

    Returns
    -------
    Pool
        In the order of `pairs`.

    Raises
    ------
    EncodeError
        When the encoder offers no token vectors.
    """
    sources = sides_of([pair.source for pair in pairs], encoder)
    words = [(text, tokens(text)[1]) for text in sources]
    places: dict[str, dict[Place, int]] = {}
    n = 0
    for text, at in words:
        places[text] = {place: number for number, place in enumerate(at, n)}
        n += len(at)
    parts: list[Contexts] = []
    counts: list[int] = []
    kept = array("i")
    kept_ends = [0]
    for start in range(0, len(pairs), _CHUNK):
        some = pairs[start : start + _CHUNK]
        copies = sides_of([pair.copy for pair in some], encoder)
        found = [compare(sources[pair.source], copies[pair.copy]) for pair in some]
        counts += (len(one.contexts) for one in found)
        parts.append(Contexts.joined([one.contexts for one in found]))
        for pair, one in zip(some, found, strict=True):
            kept.extend(places[pair.source][place] for place in one.changes.kept_places)
            kept_ends.append(len(kept))
        if progress is not None:
            progress(len(some))
    return Pool(
        Contexts.joined(parts),
        np.cumsum([0, *counts]),
        np.concatenate([means(sources[text].tokens, at) for text, at in words]),
        np.array(kept, np.int32),
        np.array(kept_ends),
    )


def sides_of(texts: Sequence[str], encoder: Encoder) -> dict[str, Side]:
    """Encode sentences as a scorer does: each text once, without its final stop.

    Parameters
    ----------
    texts : sequence of str
        A blank one has no tokens.
    encoder : Encoder

    Raises
    ------
    EncodeError
        When the encoder offers no token vectors.
    """
    distinct = [text for text in dict.fromkeys(texts) if text.strip()]
    encoding = encoder.encode([matching_view(text) for text in distinct])
    if encoding.tokens is None:
        msg = (
            f"the encoder {encoder.identity.name} offers no vectors of tokens; the pivot model "
            "needs them"
        )
        raise EncodeError(msg)
    none = np.zeros(0, np.int32)
    blank = TokenVectors(np.zeros((0, encoder.identity.dimension), np.float16), none, none)
    sides = {text: Side(text, blank) for text in texts if not text.strip()}
    return sides | {
        text: Side(text, one) for text, one in zip(distinct, encoding.tokens, strict=True)
    }
