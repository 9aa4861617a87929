"""Texts put through an encoder's network in small batches, whatever runs the network.

Pure: it loads no model and opens no file. `encode` and `onnx` hand in what cuts texts into tokens
and what runs a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError
from detector.records import Encoding, TokenVectors

# Padded tokens a batch may hold. Small batches of like lengths keep the activations in the
# processor's cache: benchmarks/encode.py shows the effect against sentence-transformers' own
# batches of 32 texts.
NARROW = 384
WIDE = 1 << 14  # of a graphics card, which wants many at a time


class Cut(Protocol):
    """Cuts texts into tokens."""

    def __call__(self, texts: list[str], /) -> Sequence[Any]:
        """Return a `tokenizers.Encoding` of each text, cut off where the network stops reading."""
        ...


class Pass(Protocol):
    """Runs a network over one batch."""

    def __call__(
        self, fed: Mapping[str, NDArray[np.int64]], /, *, tokens: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float16] | None]:
        """Run.

        Parameters
        ----------
        fed : mapping of str to ndarray of shape (b, t), int64
            `input_ids`, `attention_mask` and `token_type_ids`; padding is 0.
        tokens : bool

        Returns
        -------
        ndarray of shape (b, d), float32
            Sentence vectors.
        ndarray of shape (b, t, d), float16, or None
            Unit rows of each token, where `tokens` asks for them.
        """
        ...


def encode_texts(  # noqa: PLR0913 - texts, two functions, and what each batch is to be
    texts: Sequence[str],
    cut: Cut,
    run: Pass,
    *,
    dimension: int,
    tokens: bool,
    limit: int = NARROW,
) -> Encoding:
    """Encode each text once.

    Parameters
    ----------
    texts : sequence of str
        None may be blank.
    cut : Cut
    run : Pass
    dimension : int
        Length of a sentence vector.
    tokens : bool
        Whether to keep the token vectors too.
    limit : int
        Padded tokens of a batch.

    Returns
    -------
    Encoding
        Vectors of shape (n, d), float32, unit rows, in the order of `texts`.

    Raises
    ------
    InputError
        If a text is blank.
    """
    for index, text in enumerate(texts):
        if not text.strip():
            msg = f"text {index} is blank; a blank text has no direction, leave it out"
            raise InputError(msg)
    vectors = np.zeros((len(texts), dimension), dtype=np.float32)
    if not texts:
        return Encoding(vectors, () if tokens else None, ())
    cuts = cut([_readable(text) for text in texts])
    columns = {
        "input_ids": [one.ids for one in cuts],
        "attention_mask": [one.attention_mask for one in cuts],
        "token_type_ids": [one.type_ids for one in cuts],
    }
    lengths = np.array([len(ids) for ids in columns["input_ids"]])
    kept: list[TokenVectors | None] = [None] * len(texts)
    for batch in batches(lengths, limit=limit):
        fed = {name: _padded([rows[i] for i in batch]) for name, rows in columns.items()}
        vectors[batch], states = run(fed, tokens=tokens)
        if states is not None:
            for state, i in zip(states, batch.tolist(), strict=True):
                kept[i] = _token_vectors(state, cuts[i].offsets, cuts[i].special_tokens_mask)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, np.maximum(norms, 1e-12), out=vectors)
    return Encoding(
        vectors,
        tuple(t for t in kept if t is not None) if tokens else None,
        tuple(bool(one.overflowing) for one in cuts),
    )


def batches(lengths: NDArray[np.intp], *, limit: int) -> Iterator[NDArray[np.intp]]:
    """Yield indices of texts of like length, each batch within so many tokens when padded.

    Parameters
    ----------
    lengths : ndarray of shape (n,), intp
        Tokens of each text.
    limit : int
        A longer text is a batch of its own.

    Yields
    ------
    ndarray of shape (n_batch,), intp
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * lengths[order[stop]] <= limit:
            stop += 1
        yield order[start:stop]
        start = stop


def _padded(rows: list[list[int]]) -> NDArray[np.int64]:
    # Zero is BERT's [PAD]; the attention mask is padded with the same zero.
    out = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return out


def _token_vectors(
    states: NDArray[np.float16], offsets: list[tuple[int, int]], special: list[int]
) -> TokenVectors:
    keep = np.flatnonzero(np.array(special) == 0)
    places = np.array(offsets, dtype=np.int32).reshape(-1, 2)[keep]
    return TokenVectors(states[keep], places[:, 0].copy(), places[:, 1].copy())


def _readable(text: str) -> str:
    # A lone surrogate cannot be handed to the tokenizer; a replacement of the same length keeps
    # every offset in place.
    if any("\ud800" <= c <= "\udfff" for c in text):
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text
