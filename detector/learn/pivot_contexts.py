"""The edits of the shared round trips as the encoder sees them: each text encoded once.

It hands texts to the encoder and keeps vectors; it reads no table and fits nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.encode import Encoder
from detector.errors import EncodeError
from detector.learn.pivot_tables import RoundTrip
from detector.pivoting.contexts import Contexts, Side, compare
from detector.reading.view import matching_view
from detector.records import TokenVectors

_CHUNK = 2000  # pairs whose copies are encoded together


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The edits of round trips, all in one place.

    Attributes
    ----------
    contexts : Contexts
        Of n edits.
    starts : ndarray of shape (n_pairs + 1,), int64
        Where the edits of each pair start, and the end.
    """

    contexts: Contexts
    starts: NDArray[np.int64]

    def of(self, pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find the edits of some pairs.

        Parameters
        ----------
        pairs : ndarray of shape (m,), int64

        Returns
        -------
        (ndarray of shape (k,), ndarray of shape (k,)), int64
            The place of each edit in `contexts`, and the place in `pairs` of the pair it is of.
        """
        first, count = self.starts[pairs], self.starts[pairs + 1] - self.starts[pairs]
        owner = np.repeat(np.arange(len(pairs)), count)
        before = np.cumsum(count) - count
        return np.repeat(first - before, count) + np.arange(len(owner)), owner


def contexts_of(
    pairs: Sequence[RoundTrip],
    encoder: Encoder,
    *,
    progress: Callable[[int], object] | None = None,
) -> Pool:
    """Encode both sides of round trips, and keep the vectors of what was changed.

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
    parts: list[Contexts] = []
    counts: list[int] = []
    for start in range(0, len(pairs), _CHUNK):
        some = pairs[start : start + _CHUNK]
        copies = sides_of([pair.copy for pair in some], encoder)
        found = [compare(sources[pair.source], copies[pair.copy]).contexts for pair in some]
        counts += map(len, found)
        parts.append(Contexts.joined(found))
        if progress is not None:
            progress(len(some))
    return Pool(Contexts.joined(parts), np.cumsum([0, *counts]))


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
