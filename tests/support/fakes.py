"""An encoder without a model, for unit tests: words are hashed, a sentence is their sum."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from detector.encoder import EncoderIdentity
from detector.records import Encoding, TokenVectors

DIMENSION = 64


def word_vector(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.lower().encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


class FakeEncoder:
    """Same words, same vector; the order of words does not matter."""

    max_words = 256

    def __init__(self) -> None:
        self.encoded: list[str] = []

    @property
    def identity(self) -> EncoderIdentity:
        return EncoderIdentity(
            name="fake",
            weights_sha256="0" * 64,
            precision="fp32",
            dimension=DIMENSION,
            max_tokens=self.max_words,
        )

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:
        self.encoded += texts
        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        token_vectors, truncated = [], []
        for row, text in enumerate(texts):
            found = list(re.finditer(r"\w+", text)) or list(re.finditer(r"\S+", text))
            truncated.append(len(found) > self.max_words)
            found = found[: self.max_words]
            each = np.stack([word_vector(m.group()) for m in found])
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
