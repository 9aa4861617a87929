"""Weights of features to a posterior over pivot languages; one file, read and written as bytes.

Numbers in, numbers out. It reads no text, names no evidence and opens no file; it is fitted in
`learn.pivot_fit`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import BundleError
from detector.pivoting.edits import Changes, key_of

SCHEMA = 1
"""Layout of the file; another one is refused."""

Floats = NDArray[np.float64]

_TENSORS = ("keys", "weights", "scales", "offsets", "slopes", "middle", "spread", "low", "high")


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What the sentences of a document come to.

    Attributes
    ----------
    score : ndarray of shape (n_languages,), float64
        Sum of the weights of all features.
    counts : ndarray of shape (4,), float64
        Tokens of the source, of the copy, tokens kept, and edits.
    """

    score: Floats
    counts: Floats

    @property
    def edits(self) -> float:
        """How many edits there are: what the evidence grows with."""
        return float(self.counts[3])

    @property
    def manner(self) -> Floats:
        """How much was changed: shares of tokens lost, of length gained, edits a token."""
        source, copy, kept, edits = self.counts
        source = max(source, 1.0)
        return np.array([1.0 - kept / source, copy / source - 1.0, edits / source])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PivotModel:
    """A linear model over features of edits, calibrated for documents.

    Attributes
    ----------
    languages : tuple of str
        ISO 639-1 codes, K of them.
    keys : ndarray of shape (n_features,), uint32
        `key_of` each feature's name, ascending.
    weights : ndarray of shape (n_features, K), int8
    scales : ndarray of shape (n_features,), float16
        A feature's weight for a language is `weights * scales`, in nats of one sentence.
    offsets : ndarray of shape (K,), float32
    slopes : ndarray of shape (3, K), float32
        What is added to the mean score of an edit, flat and by `Tally.manner`: translators that
        change more are no nearer to any language for it.
    middle, spread, low, high : ndarray of shape (3,), float32
        Mean, deviation and bounds of `Tally.manner` in fitting.
    rate, growth : float
        Nats of posterior for a unit of score at `unit` edits, and the power of the number of edits
        that it grows with: edits of one document resemble each other, so it is below 1.
    unit : float
    threshold : float
        Posterior in [0, 1] from which a language is named.
    training : mapping
        What it was fitted on.
    """

    languages: tuple[str, ...]
    keys: NDArray[np.uint32]
    weights: NDArray[np.int8]
    scales: NDArray[np.float16]
    offsets: NDArray[np.float32]
    slopes: NDArray[np.float32]
    middle: NDArray[np.float32]
    spread: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    rate: float
    growth: float
    unit: float
    threshold: float
    training: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        k, n = len(self.languages), len(self.keys)
        wanted = {
            "weights": (n, k),
            "scales": (n,),
            "offsets": (k,),
            "slopes": (3, k),
            **dict.fromkeys(("middle", "spread", "low", "high"), (3,)),
        }
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                msg = (
                    f"pivot model: {name} has shape {getattr(self, name).shape}, its {n} keys and "
                    f"{k} languages want {shape}; train it again"
                )
                raise BundleError(msg)

    def weights_of(self, features: Sequence[str]) -> Floats:
        """Return the weights of features.

        Returns
        -------
        ndarray of shape (n, K), float64
            A row of zeros for a feature that the model does not know.
        """
        out = np.zeros((len(features), len(self.languages)))
        if not len(features) or not len(self.keys):
            return out
        keys = np.fromiter(map(key_of, features), np.uint32, len(features))
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[at] == keys
        found = at[known]
        out[known] = self.weights[found] * self.scales[found, None].astype(np.float64)
        return out

    def tally(self, sentences: Sequence[Changes]) -> Tally:
        """Add up what the sentences of a document say."""
        score, counts = np.zeros(len(self.languages)), np.zeros(4)
        for one in sentences:
            score += self.weights_of(list(one.features)).sum(axis=0)
            counts += (one.n_source, one.n_copy, one.n_kept, len(one.edits))
        return Tally(score, counts)

    def strength(self, edits: float) -> float:
        """Return the nats of posterior that a unit of score is worth, in a document of `edits`."""
        if not edits:
            return 0.0
        # The calibration is on the mean score of an edit: part of it is the sum over edits.
        return self.rate * (edits / self.unit) ** self.growth * self.unit / edits

    def posterior(self, tally: Tally) -> Floats:
        """Return the probability of each language.

        Returns
        -------
        ndarray of shape (K,), float64
            Sums to 1; even where nothing was changed.
        """
        edits = tally.edits
        manner = (np.clip(tally.manner, self.low, self.high) - self.middle) / self.spread
        flat = tally.score / max(edits, 1.0) + self.offsets + manner @ self.slopes
        logits = self.strength(edits) * edits * flat
        logits -= logits.max()
        odds = np.exp(logits)
        posterior: Floats = odds / odds.sum()
        return posterior

    def to_bytes(self) -> bytes:
        """Return the model as a safetensors file; the same model gives the same bytes."""
        from safetensors.numpy import save

        record = {
            "schema": SCHEMA,
            "languages": list(self.languages),
            **{name: getattr(self, name) for name in ("rate", "growth", "unit", "threshold")},
            "training": dict(self.training),
        }
        tensors = {name: np.ascontiguousarray(getattr(self, name)) for name in _TENSORS}
        found: bytes = save(tensors, {"pivot": json.dumps(record, sort_keys=True)})
        return found

    @classmethod
    def from_bytes(cls, data: bytes) -> PivotModel:
        """Read what `to_bytes` wrote.

        Raises
        ------
        BundleError
            When it is damaged or of another schema.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            size = int.from_bytes(data[:8], "little")
            record = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["pivot"])
            schema = record.pop("schema")
            tensors = load(data)
        except (ValueError, KeyError, TypeError, SafetensorError) as err:
            msg = f"pivot model: cannot be read ({type(err).__name__}: {err}); train it again"
            raise BundleError(msg) from err
        if schema != SCHEMA:
            msg = f"pivot model: has schema {schema!r}, this version reads {SCHEMA}; train it again"
            raise BundleError(msg)
        try:
            languages = tuple(record.pop("languages"))
            return cls(languages=languages, **record, **tensors)
        except TypeError as err:
            msg = f"pivot model: is damaged ({err}); train it again"
            raise BundleError(msg) from err
