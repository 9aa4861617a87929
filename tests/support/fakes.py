"""An encoder without a model, for unit tests: words are hashed, a sentence is their sum."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from detector.encoder import EncoderIdentity
from detector.records import Encoding, TokenVectors

DIMENSION = 64


IDENTITY = EncoderIdentity(
    name="fake", weights_sha256="0" * 64, precision="fp32", dimension=DIMENSION, max_tokens=256
)


@lru_cache(maxsize=65536)
def word_vector(word: str, dimension: int = DIMENSION) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.lower().encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


class FakeEncoder:
    """Same words, same vector; the order of words does not matter.

    `identity` is the encoder that it passes for, so that a bundle fitted on that one takes it.
    """

    def __init__(self, identity: EncoderIdentity = IDENTITY) -> None:
        self.identity = identity
        self.max_words = identity.max_tokens
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
        self.encoded += texts
        vectors = np.zeros((len(texts), self.identity.dimension), dtype=np.float32)
        token_vectors, truncated = [], []
        for row, text in enumerate(texts):
            found = list(re.finditer(r"\w+", text)) or list(re.finditer(r"\S+", text))
            truncated.append(len(found) > self.max_words)
            found = found[: self.max_words]
            each = np.stack([word_vector(m.group(), self.identity.dimension) for m in found])
            total = each.sum(axis=0)
            vectors[row] = total / max(np.linalg.norm(total), 1e-9)
            token_vectors.append(
                TokenVectors(
                    each.astype(np.float16),
                    np.array([m.start() for m in found], dtype=np.int32),
                    np.array([m.end() for m in found], dtype=np.int32),
                )
            )
        return Encoding(vectors, tuple(token_vectors) if tokens else None, tuple(truncated))
