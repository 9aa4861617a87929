"""What the encoder makes of words lost, put in and kept: their vectors, and nets on them.

Named features know a word only where they were fitted on it; vectors know what is like it. Numbers
in, numbers out: it encodes nothing and opens no file; nets are fitted in `learn.pivot_net`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.errors import BundleError
from detector.pivoting.edits import Changes, Place, changes
from detector.records import TokenVectors

N_LENGTHS = 4
"""Numbers that say how long both sides of an edit are."""

_LONGEST = 4  # tokens from which a side counts as long

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a bead: its raw text, and the encoder's tokens, whose places count in it."""

    text: str
    tokens: TokenVectors


@dataclass(frozen=True, slots=True, eq=False)
class Contexts:
    """What stands behind the edits of a sentence or more.

    Attributes
    ----------
    lost, put : ndarray of shape (n, d), float16
        Mean vector of the encoder's tokens that an edit took out of the source, and of those that
        it put into the copy; zeros where there are none.
    lengths : ndarray of shape (n, 2), uint8
        Tokens of `pivoting.edits` on both sides; 255 stands for more.
    """

    lost: NDArray[np.float16]
    put: NDArray[np.float16]
    lengths: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, at: slice | NDArray[np.int64]) -> Contexts:
        return Contexts(self.lost[at], self.put[at], self.lengths[at])

    @classmethod
    def joined(cls, parts: Sequence[Contexts]) -> Contexts:
        """Put the edits of several sentences together; there is one sentence at least."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__))

    def numbers(self) -> NDArray[np.float32]:
        """Return what a net reads.

        Returns
        -------
        ndarray of shape (n, 2 d + N_LENGTHS), float32
            Both vectors, how long each side is, and whether it is empty.
        """
        lengths = np.minimum(self.lengths, _LONGEST).astype(np.float32)
        parts = (self.lost, self.put, lengths / 2.0, lengths == 0.0)
        return np.concatenate([one.astype(np.float32) for one in parts], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A sentence and its copy: what was changed, and the vectors behind it.

    Attributes
    ----------
    changes : Changes
    contexts : Contexts
        Of the edits.
    kept : ndarray of shape (n_kept, d), float16
        Mean vector of the encoder's tokens of each source word that was kept.
    """

    changes: Changes
    contexts: Contexts
    kept: NDArray[np.float16]


def compare(source: Side, copy: Side, languages: Sequence[str] = ()) -> Compared:
    """Compare a source sentence with its copy.

    Parameters
    ----------
    source, copy : Side
    languages : sequence of str
        As for `changes`.
    """
    found = changes(source.text, copy.text, languages)
    lost, put = ([place[side] for place in found.places] for side in (0, 1))
    lengths = [(len(one.source), len(one.copy)) for one in found.edits[: len(found.places)]]
    of_source = means(source.tokens, [*lost, *found.kept_places])
    return Compared(
        found,
        Contexts(
            of_source[: len(lost)],
            means(copy.tokens, put),
            np.minimum(np.array(lengths).reshape(-1, 2), 255).astype(np.uint8),
        ),
        of_source[len(lost) :],
    )


def means(tokens: TokenVectors, places: Sequence[Place]) -> NDArray[np.float16]:
    """Return the mean vector of the tokens that reach into each place; zeros where none does."""
    starts, ends = np.array(places, np.int64).reshape(-1, 2).T
    first = np.searchsorted(tokens.ends, starts, side="right")
    end = np.maximum(np.searchsorted(tokens.starts, ends, side="left"), first)
    sums = np.zeros((len(tokens.starts) + 1, tokens.vectors.shape[1]), np.float32)
    np.cumsum(tokens.vectors, axis=0, dtype=np.float32, out=sums[1:])
    count = np.maximum(end - first, 1)[:, None]
    found: NDArray[np.float16] = ((sums[end] - sums[first]) / count).astype(np.float16)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """A net of one hidden layer that says how much an edit or a word speaks for each language.

    Attributes
    ----------
    inward : ndarray of shape (n_numbers, n_hidden), float16
    offset : ndarray of shape (n_hidden,), float16
    outward : ndarray of shape (n_hidden, K), float16
    """

    inward: NDArray[np.float16]
    offset: NDArray[np.float16]
    outward: NDArray[np.float16]

    def __post_init__(self) -> None:
        hidden = self.inward.shape[1:]
        if self.offset.shape != hidden or self.outward.shape[:1] != hidden:
            msg = (
                f"pivot model: inward has shape {self.inward.shape}, offset {self.offset.shape} "
                f"and outward {self.outward.shape}; they do not fit, train it again"
            )
            raise BundleError(msg)

    def scores(self, numbers: NDArray[np.float32]) -> Floats:
        """Return how much each of n edits or words speaks for each language.

        Parameters
        ----------
        numbers : ndarray of shape (n, n_numbers), float32
            `Contexts.numbers` of edits, or vectors of words.

        Returns
        -------
        ndarray of shape (n, K), float64
            In nats of one sentence, over the mean of all languages.

        Notes
        -----
        The hidden units are GELU (Hendrycks and Gimpel, 2016), in the form with a tanh.
        """
        x = numbers @ self.inward.astype(np.float32) + self.offset.astype(np.float32)
        hidden = 0.5 * x * (1.0 + np.tanh(np.float32(0.7978845608) * (x + 0.044715 * x**3)))
        found = (hidden @ self.outward.astype(np.float32)).astype(np.float64)
        return np.asarray(found - found.mean(axis=1, keepdims=True), np.float64)
