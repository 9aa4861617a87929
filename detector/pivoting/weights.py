"""Weights of named features, one byte each: what a feature says of each language.

Names in, numbers out. It makes no feature; weights are fitted and packed in `learn.pivot_fit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.errors import BundleError
from detector.pivoting.edits import key_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureWeights:
    """What each of n features says of each of K languages.

    Attributes
    ----------
    keys : ndarray of shape (n,), uint32
        `key_of` each feature's name, ascending.
    weights : ndarray of shape (n, K), int8
    scales : ndarray of shape (n,), float16
        A feature's weight for a language is `weights * scales`, in nats of one sentence.
    """

    keys: NDArray[np.uint32]
    weights: NDArray[np.int8]
    scales: NDArray[np.float16]

    def __post_init__(self) -> None:
        n = self.keys.shape
        if self.weights.shape[:1] != n or self.scales.shape != n:
            msg = (
                f"pivot model: {len(self.keys)} keys, weights of shape {self.weights.shape} and "
                f"{len(self.scales)} scales do not fit; train it again"
            )
            raise BundleError(msg)

    def of(self, features: Sequence[str]) -> Floats:
        """Return the weights of features.

        Returns
        -------
        ndarray of shape (n, K), float64
            A row of zeros for a feature that has none.
        """
        out = np.zeros((len(features), self.weights.shape[1]))
        if not len(features) or not len(self.keys):
            return out
        keys = np.fromiter(map(key_of, features), np.uint32, len(features))
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[at] == keys
        found = at[known]
        out[known] = self.weights[found] * self.scales[found, None].astype(np.float64)
        return out
