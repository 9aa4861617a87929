"""Made sentence vectors, and short ways to align them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.alignment.align import align
from detector.records import Alignment

Vectors = NDArray[np.float32]
DIMENSION = 384


def unit(rows: NDArray[Any]) -> Vectors:
    rows = np.asarray(rows, dtype=np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def sentences(n: int, seed: int, dimension: int = DIMENSION) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(n, dimension)))


def translated(vectors: Vectors, seed: int, noise: float = 0.4) -> Vectors:
    """Vectors at a cosine of about 0.93 to the given ones."""
    rng = np.random.default_rng(seed)
    return unit(vectors + noise * rng.normal(size=vectors.shape) / np.sqrt(vectors.shape[1]))


def ranges(alignment: Alignment) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(tuple(bead.source), tuple(bead.copy)) for bead in alignment.beads]


def run(source: Vectors, copy: Vectors, **options: Any) -> Alignment:
    lengths = {"source_lengths": [80] * len(source), "copy_lengths": [80] * len(copy)}
    return align(source, copy, **{**lengths, **options})
