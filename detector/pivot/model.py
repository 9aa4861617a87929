"""`PivotModel`: weights of edits and kept words, in one file.

Weights of named features, one byte each: what a feature says of each language.

Names in, numbers out. It makes no feature; weights are fitted and packed in `learn.pivot_fit`.

What edits and kept words say to a posterior over languages; one file, as bytes.

Numbers in, numbers out. It reads no text, names no evidence and opens no file; it is fitted in
`learn.pivot_fit` and `learn.pivot_net`.

A pivot model in a file of its own: written whole, read by its digest.

What the bytes mean is said in `pivoting.model`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.encoder import EncoderIdentity
from detector.errors import BundleError
from detector.pivot.edits import N_LENGTHS, Compared, Contexts, Net, key_of
from detector.pivot.posterior import Calibration, named, posteriors
from detector.text.files import write_whole

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


SCHEMA = 3
"""Layout of the file; another one is refused."""

N_VIEWS = 4
"""Scores of each language: `Tally.said`."""

_OF_EDITS = 2  # of them, the first: those that edits add up to

N_MANNER = 3
"""Numbers of `Tally.manner`."""


_FIGURES = ("centre", "scale", "means", "between", "within", "even")
_NUMBERS = ("direct", "free", "heat", "near")
_FEATURES = ("edits", "kept")
_NETS = ("edit_net", "kept_net")


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What the sentences of a document come to.

    Attributes
    ----------
    said : ndarray of shape (N_VIEWS, K), float64
        Sums of what is said of each language by the features of edits, by the vectors behind
        edits, by the features of kept words, and by the vectors of kept words.
    counts : ndarray of shape (4,), float64
        Tokens of the source, of the copy, tokens kept, and edits.
    """

    said: Floats
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
        """Where the document stands: means of an edit, means of a source token, and manner."""
        return np.concatenate([(self.said / self.units[:, None]).ravel(), self.manner])

    @property
    def units(self) -> Floats:
        """What each sum of `said` is divided by: edits, or tokens of the source."""
        edits, tokens = max(self.edits, 1.0), max(float(self.counts[0]), 1.0)
        return np.array([edits] * _OF_EDITS + [tokens] * (N_VIEWS - _OF_EDITS))


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What each edit of a document says of each language, and all kept words together.

    Attributes
    ----------
    features, vectors : ndarray of shape (n_edits, K), float64
        Sentence by sentence the sum of the weights of an edit's features, and what the net says of
        its vectors; zeros of the latter for an edit of capitals alone.
    kept : ndarray of shape (2, K), float64
        The same of all kept words, added up.
    counts : ndarray of shape (4,), float64
        As in `Tally`.
    """

    features: Floats
    vectors: Floats
    kept: Floats
    counts: Floats

    @property
    def tally(self) -> Tally:
        """What all of it comes to."""
        edits = np.stack([self.features.sum(axis=0), self.vectors.sum(axis=0)])
        return Tally(np.concatenate([edits, self.kept]), self.counts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PivotModel:
    """What edits and kept words say, by linear models and nets; calibrated for whole documents.

    Attributes
    ----------
    languages : tuple of str
        ISO 639-1 codes, K of them.
    edits, kept : FeatureWeights
        Of the features of edits, and of those of kept words.
    edit_net, kept_net : Net
        Over the vectors of edits, and over those of kept words; of K columns.
    encoder : EncoderIdentity
        Whose vectors the nets read.
    calibration : Calibration
        Of documents, whose place is `Tally.place`.
    threshold : float
        Posterior in [0, 1] from which a language is named, where the document is near enough.
    training : mapping
        What it was fitted on.
    """

    languages: tuple[str, ...]
    edits: FeatureWeights
    kept: FeatureWeights
    edit_net: Net
    kept_net: Net
    encoder: EncoderIdentity
    calibration: Calibration
    threshold: float
    training: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        k = len(self.languages)
        size = N_VIEWS * k + N_MANNER
        d = self.encoder.dimension
        known = self.calibration
        shapes = {
            "edits": (self.edits.weights.shape[1:], (k,)),
            "kept": (self.kept.weights.shape[1:], (k,)),
            "edit_net inward": (self.edit_net.inward.shape[:1], (2 * d + N_LENGTHS,)),
            "edit_net outward": (self.edit_net.outward.shape[1:], (k,)),
            "kept_net inward": (self.kept_net.inward.shape[:1], (d,)),
            "kept_net outward": (self.kept_net.outward.shape[1:], (k,)),
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
                    f"pivot model: {name} has shape {found}, its {k} languages and vectors of {d} "
                    f"numbers want {wanted}; train it again"
                )
                raise BundleError(msg)

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the model as it is kept."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def read(self, sentences: Sequence[Compared]) -> Said:
        """Weigh every edit and every kept word of a document."""
        counts, kept = np.zeros(4), np.zeros((2, len(self.languages)))
        names: list[str] = []
        owners: list[int] = []
        contextual: list[int] = []
        n = 0
        for one in sentences:
            found = one.changes
            names += found.features
            owners += (n + edit for edit in found.features.values())
            contextual += range(n, n + len(one.contexts))
            sizes = (found.n_source, found.n_copy, len(found.kept_places), len(found.edits))
            counts += sizes
            n += len(found.edits)
        features, vectors = np.zeros((2, n, len(self.languages)))
        if sentences:
            np.add.at(features, owners, self.edits.of(names))
            contexts = Contexts.joined([one.contexts for one in sentences])
            vectors[contextual] = self.edit_net.scores(contexts.numbers())
            times = Counter(chain.from_iterable(one.changes.kept for one in sentences))
            kept[0] = np.array([*times.values()], np.float64) @ self.kept.of([*times])
            words = np.concatenate([one.kept for one in sentences]).astype(np.float32)
            kept[1] = self.kept_net.scores(words).sum(axis=0)
        return Said(features, vectors, kept, counts)

    def nats(self, said: Said, language: str) -> tuple[Floats, float]:
        """Return how much each edit of a document speaks for a language, and what was kept.

        Returns
        -------
        (ndarray of shape (n_edits,), float)
            What each edit adds to the language's log-odds over the mean of the others, and what
            all kept words add beyond those of a usual document.
        """
        k, tally = len(self.languages), said.tally
        at = self.languages.index(language)
        others = np.arange(k) != at
        slopes = self.worth(tally)
        apart = slopes[:, :, at] - slopes[:, :, others].mean(axis=2)
        edits: Floats = said.features @ apart[0] + said.vectors @ apart[1]
        usual = self.calibration.centre[: N_VIEWS * k].reshape(N_VIEWS, k) * tally.units[:, None]
        beyond = (tally.said - usual)[_OF_EDITS:]
        return edits, float((beyond * apart[_OF_EDITS:]).sum()) if tally.edits else 0.0

    def worth(self, tally: Tally) -> Floats:
        """Return what is said is worth in a document.

        Returns
        -------
        ndarray of shape (N_VIEWS, K, K), float64
            A row of `Tally.said`, or the part of it that one edit brings, times the matrix of its
            view is what it adds to each language's log-odds.
        """
        k = len(self.languages)
        slopes = self.calibration.line(tally.place, tally.edits)[0]
        slopes /= self.calibration.scale[:, None]
        found: Floats = slopes[: N_VIEWS * k].reshape(N_VIEWS, k, k) / tally.units[:, None, None]
        return found

    def posterior(self, tally: Tally) -> Floats:
        """Return the probability of each language.

        Returns
        -------
        ndarray of shape (K,), float64
            Sums to 1; even where nothing was changed.
        """
        found: Floats = posteriors(self.calibration, tally.place[None], np.array([tally.edits]))[0]
        return found

    def names(self, tally: Tally, posterior: Floats) -> bool:
        """Say whether the likeliest language of a document with this posterior is named."""
        place, edits = tally.place[None], np.array([tally.edits])
        return bool(named(self.calibration, self.threshold, place, edits, posterior[None])[0])

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
        tensors = {
            f"{name}.{part.name}": getattr(getattr(self, name), part.name)
            for name in (*_FEATURES, *_NETS)
            for part in fields(getattr(self, name))
        }
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
            parts: dict[str, dict[str, Any]] = {name: {} for name in (*_FEATURES, *_NETS)}
            for name, tensor in tensors.items():
                owner, _, part = name.partition(".")
                parts[owner][part] = tensor
            rest: dict[str, Any] = {
                "calibration": Calibration(**figures),
                "encoder": EncoderIdentity(**record.pop("encoder")),
                **{name: FeatureWeights(**parts[name]) for name in _FEATURES},
                **{name: Net(**parts[name]) for name in _NETS},
                **record,
            }
            return cls(languages=languages, **rest)
        except (TypeError, KeyError, ValueError) as err:
            msg = f"pivot model: is damaged ({err}); train it again"
            raise BundleError(msg) from err


_LARGEST = 64 << 20  # bytes; ours is below 8 MiB


def save(model: PivotModel, path: Path) -> str:
    """Write a model, and its SHA-256 beside it in a file that ends in `.sha256`.

    Returns
    -------
    str
        The digest in hexadecimal.
    """
    data = model.to_bytes()
    digest = hashlib.sha256(data).hexdigest()
    write_whole(path, data)
    write_whole(_beside(path), f"{digest}  {path.name}\n")
    return digest


def load(path: Path) -> PivotModel:
    """Read a model and make sure that it is the one its digest names.

    Raises
    ------
    BundleError
        When it or its digest is missing, or it is damaged or of another schema.
    """
    wanted = _read(_beside(path)).decode("utf-8", "replace").split()[:1]
    data = _read(path)
    found = hashlib.sha256(data).hexdigest()
    if [found] != wanted:
        msg = (
            f"{path}: SHA-256 is {found}, {_beside(path).name} says {' '.join(wanted) or 'nothing'}"
            "; it is damaged, train or install it again"
        )
        raise BundleError(msg)
    return PivotModel.from_bytes(data)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            msg = f"{path}: holds {path.stat().st_size} bytes; a pivot model has at most {_LARGEST}"
            raise BundleError(msg)
        return path.read_bytes()
    except OSError as err:
        msg = (
            f"{path}: cannot be read ({err.strerror}); a pivot model is what `detector train "
            "pivot` wrote, with its .sha256 beside it"
        )
        raise BundleError(msg) from err
