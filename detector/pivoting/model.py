"""Weights of features and of vectors to a posterior over languages; one file, as bytes.

Numbers in, numbers out. It reads no text, names no evidence and opens no file; it is fitted in
`learn.pivot_fit` and `learn.pivot_net`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.encode import EncoderIdentity
from detector.errors import BundleError
from detector.pivoting.contexts import N_LENGTHS, Compared, ContextNet, Contexts
from detector.pivoting.edits import key_of
from detector.pivoting.posterior import Calibration, posteriors

SCHEMA = 2
"""Layout of the file; another one is refused."""

N_VIEWS = 2
"""Scores of each language: of the features and of the vectors."""

N_MANNER = 3
"""Numbers of `Tally.manner`."""

Floats = NDArray[np.float64]

_FIGURES = ("centre", "scale", "means", "between", "within", "even")
_NUMBERS = ("direct", "free", "heat")
_NET = ("inward", "offset", "outward")


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What the sentences of a document come to.

    Attributes
    ----------
    score : ndarray of shape (n_languages,), float64
        Sum of the weights of all features.
    context : ndarray of shape (n_languages,), float64
        Sum of what the net says of the vectors of all edits.
    counts : ndarray of shape (4,), float64
        Tokens of the source, of the copy, tokens kept, and edits.
    """

    score: Floats
    context: Floats
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

    @property
    def place(self) -> Floats:
        """Where the document stands: for each language the mean of an edit, twice, and manner."""
        edits = max(self.edits, 1.0)
        return np.concatenate([self.score / edits, self.context / edits, self.manner])


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What each edit of a document says of each language, sentence by sentence.

    Attributes
    ----------
    features, vectors : ndarray of shape (n_edits, K), float64
        Sum of the weights of an edit's features, and what the net says of its vectors; zeros of
        the latter for an edit of capitals alone.
    counts : ndarray of shape (4,), float64
        As in `Tally`.
    """

    features: Floats
    vectors: Floats
    counts: Floats

    @property
    def tally(self) -> Tally:
        """What all of it comes to."""
        return Tally(self.features.sum(axis=0), self.vectors.sum(axis=0), self.counts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PivotModel:
    """A linear model over features of edits and a net over their vectors, for whole documents.

    Attributes
    ----------
    languages : tuple of str
        ISO 639-1 codes, K of them.
    keys : ndarray of shape (n_features,), uint32
        `key_of` each feature's name, ascending.
    weights : ndarray of shape (n_features, K), int8
    scales : ndarray of shape (n_features,), float16
        A feature's weight for a language is `weights * scales`, in nats of one sentence.
    net : ContextNet
        Of K columns.
    encoder : EncoderIdentity
        Whose vectors the net reads.
    calibration : Calibration
        Of documents, whose place is `Tally.place`.
    threshold : float
        Posterior in [0, 1] from which a language is named.
    training : mapping
        What it was fitted on.
    """

    languages: tuple[str, ...]
    keys: NDArray[np.uint32]
    weights: NDArray[np.int8]
    scales: NDArray[np.float16]
    net: ContextNet
    encoder: EncoderIdentity
    calibration: Calibration
    threshold: float
    training: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        k, n = len(self.languages), len(self.keys)
        size = N_VIEWS * k + N_MANNER
        known = self.calibration
        shapes = {
            "weights": (self.weights.shape, (n, k)),
            "scales": (self.scales.shape, (n,)),
            "inward": (self.net.inward.shape[:1], (2 * self.encoder.dimension + N_LENGTHS,)),
            "outward": (self.net.outward.shape[1:], (k,)),
            "centre": (known.centre.shape, (size,)),
            "scale": (known.scale.shape, (size,)),
            "means": (known.means.shape, (k, size)),
            "between": (known.between.shape, (size, size)),
            "within": (known.within.shape, (size, size)),
            "even": (known.even.shape, (k,)),
        }
        for name, (found, wanted) in shapes.items():
            if found != wanted:
                msg = (
                    f"pivot model: {name} has shape {found}, its {n} keys and {k} languages want "
                    f"{wanted}; train it again"
                )
                raise BundleError(msg)

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the model as it is kept."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

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

    def read(self, sentences: Sequence[Compared]) -> Said:
        """Weigh every edit of a document, by its features and by the vectors behind it."""
        counts = np.zeros(4)
        names: list[str] = []
        owners: list[int] = []
        contextual: list[int] = []
        n = 0
        for one in sentences:
            found = one.changes
            names += found.features
            owners += (n + edit for edit in found.features.values())
            contextual += range(n, n + len(one.contexts))
            counts += (found.n_source, found.n_copy, found.n_kept, len(found.edits))
            n += len(found.edits)
        features, vectors = np.zeros((2, n, len(self.languages)))
        if n:
            np.add.at(features, owners, self.weights_of(names))
            contexts = Contexts.joined([one.contexts for one in sentences])
            vectors[contextual] = self.net.scores(contexts)
        return Said(features, vectors, counts)

    def nats(self, said: Said, language: str) -> Floats:
        """Return how much each edit of a document speaks for a language.

        Returns
        -------
        ndarray of shape (n_edits,), float64
            What it adds to the language's log-odds over the mean of the others.
        """
        at = self.languages.index(language)
        others = np.arange(len(self.languages)) != at
        features, vectors = (
            slopes[:, at] - slopes[:, others].mean(axis=1) for slopes in self.worth(said.tally)
        )
        found: Floats = said.features @ features + said.vectors @ vectors
        return found

    def worth(self, tally: Tally) -> tuple[Floats, Floats]:
        """Return what an edit's weights are worth in a document.

        Returns
        -------
        (ndarray of shape (K, K), ndarray of shape (K, K)), float64
            A feature's row of weights times the first, and an edit's row of `net.scores` times the
            second, is what it adds to each language's log-odds.
        """
        k = len(self.languages)
        slopes = self.calibration.line(tally.place, tally.edits)[0]
        slopes /= self.calibration.scale[:, None] * max(tally.edits, 1.0)
        return slopes[:k], slopes[k : N_VIEWS * k]

    def posterior(self, tally: Tally) -> Floats:
        """Return the probability of each language.

        Returns
        -------
        ndarray of shape (K,), float64
            Sums to 1; even where nothing was changed.
        """
        found: Floats = posteriors(self.calibration, tally.place[None], np.array([tally.edits]))[0]
        return found

    def to_bytes(self) -> bytes:
        """Return the model as a safetensors file; the same model gives the same bytes."""
        from safetensors.numpy import save

        record = {
            "schema": SCHEMA,
            "languages": list(self.languages),
            "threshold": self.threshold,
            "encoder": self.encoder.to_dict(),
            **{name: getattr(self.calibration, name) for name in _NUMBERS},
            "training": dict(self.training),
        }
        tensors = {name: getattr(self, name) for name in ("keys", "weights", "scales")}
        tensors |= {name: getattr(self.net, name) for name in _NET}
        for name in _FIGURES:
            tensors[name] = getattr(self.calibration, name).astype(np.float32)
        tensors = {name: np.ascontiguousarray(one) for name, one in tensors.items()}
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
            figures: dict[str, Any] = {
                **{name: tensors.pop(name).astype(np.float64) for name in _FIGURES},
                **{name: float(record.pop(name)) for name in _NUMBERS},
            }
            net = ContextNet(**{name: tensors.pop(name) for name in _NET})
            rest: dict[str, Any] = {
                "calibration": Calibration(**figures),
                "encoder": EncoderIdentity(**record.pop("encoder")),
                **record,
                **tensors,
            }
            return cls(languages=languages, net=net, **rest)
        except (TypeError, KeyError, ValueError) as err:
            msg = f"pivot model: is damaged ({err}); train it again"
            raise BundleError(msg) from err
