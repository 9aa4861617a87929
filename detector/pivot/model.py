"""`PivotModel`: weights of edits and kept words, in one file.

Scores a document's edits and kept words, and returns a posterior over languages. Names no feature,
explains nothing; `training.pivot` fits it.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.encoder import EncoderIdentity
from detector.errors import BundleError, InputError
from detector.model_files import DAMAGED, check_tensors, read_file, read_tensors, sha256, shown
from detector.pivot.edits import N_LENGTHS, EditVectors, EncodedEdits, Net, feature_key
from detector.pivot.languages import NAMES
from detector.pivot.posterior import Calibration, accepted, posteriors
from detector.text.files import write_whole

Floats = NDArray[np.float64]

SCHEMA = 3
"""Layout of the file; another one is refused."""

N_VIEWS = 4
"""Rows of `DocumentScores.sums`."""

_EDIT_VIEWS = 2  # the first of them: sums over edits

N_RATES = 3
"""Numbers of `DocumentScores.edit_rates`."""

_ARRAYS = ("centre", "scale", "means", "between", "within", "even")
_NUMBERS = {
    "direct": "direct",
    "free": "free",
    "heat": "inverse_temperature",
    "near": "open_set_threshold",
}
"""Keys of the file to attributes of `Calibration`."""
_FEATURES = ("edits", "kept")
_NETS = ("edit_net", "kept_net")
_LAYOUT = {
    **{f"{name}.keys": f"uint32 {name}" for name in _FEATURES},
    **{f"{name}.weights": f"int8 {name} k" for name in _FEATURES},
    **{f"{name}.scales": f"float16 {name}" for name in _FEATURES},
    **{f"{name}.inward": f"float16 {name}_inputs {name}" for name in _NETS},
    **{f"{name}.offset": f"float16 {name}" for name in _NETS},
    **{f"{name}.outward": f"float16 {name} k" for name in _NETS},
    "centre": "float32 size",
    "scale": "float32 size",
    "even": "float32 k",
    "means": "float32 k size",
    "between": "float32 size size",
    "within": "float32 size size",
}
"""Type and lengths of each tensor of the file; see `check_tensors`."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureWeights:
    """Linear weights of n features for K languages, one byte each."""

    keys: NDArray[np.uint32]  # (n,): `feature_key` of each name, ascending
    weights: NDArray[np.int8]  # (n, K)
    scales: NDArray[np.float16]  # (n,): a sentence gets `weights * scales`

    def of(self, names: Sequence[str]) -> Floats:
        """Return the weights of features, of shape (n, K); zeros for an unknown feature."""
        out = np.zeros((len(names), self.weights.shape[1]))
        if not len(names) or not len(self.keys):
            return out
        keys = np.fromiter(map(feature_key, names), np.uint32, len(names))
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[at] == keys
        rows = at[known]
        out[known] = self.weights[rows] * self.scales[rows, None].astype(np.float64)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class DocumentScores:
    """The summed scores of a document's edits and kept words."""

    sums: Floats  # (N_VIEWS, K): log-odds by edits' features and vectors, then by kept words'
    counts: Floats  # (4,): as `SentenceEdits.counts`

    @property
    def n_edits(self) -> float:
        """Number of edits."""
        return float(self.counts[3])

    @property
    def edit_rates(self) -> Floats:
        """Share of tokens lost, relative gain in length, and edits per source token."""
        source, copy, kept, edits = self.counts
        source = max(source, 1.0)
        return np.array([1.0 - kept / source, copy / source - 1.0, edits / source])

    @property
    def vector(self) -> Floats:
        """The document vector that `Calibration` takes: sums per unit, and edit rates."""
        return np.concatenate([(self.sums / self.units[:, None]).ravel(), self.edit_rates])

    @property
    def units(self) -> Floats:
        """Divisor of each row of `sums`: edits, or tokens of the source."""
        edits, tokens = max(self.n_edits, 1.0), max(float(self.counts[0]), 1.0)
        return np.array([edits] * _EDIT_VIEWS + [tokens] * (N_VIEWS - _EDIT_VIEWS))


@dataclass(frozen=True, slots=True, eq=False)
class EditScores:
    """Scores of each edit of a document, and of all its kept words together."""

    features: Floats  # (n_edits, K): log-odds by an edit's features
    vectors: Floats  # (n_edits, K): by its vectors; 0 for an edit of capitals alone
    kept: Floats  # (2, K): the same of all kept words, added up
    counts: Floats  # (4,): as `SentenceEdits.counts`

    @property
    def document(self) -> DocumentScores:
        """The sums."""
        edits = np.stack([self.features.sum(axis=0), self.vectors.sum(axis=0)])
        return DocumentScores(np.concatenate([edits, self.kept]), self.counts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PivotModel:
    """Linear models and nets over edits and kept words, calibrated for whole documents."""

    languages: tuple[str, ...]  # ISO 639-1 codes, K of them
    edits: FeatureWeights
    kept: FeatureWeights
    edit_net: Net
    kept_net: Net
    encoder: EncoderIdentity  # of the vectors that the nets take
    calibration: Calibration  # of `DocumentScores.vector`
    threshold: float  # least posterior in [0, 1] of a language that is named
    training: Mapping[str, Any] = field(default_factory=dict)  # for the record

    @property
    def digest(self) -> str:
        """SHA-256 of the model's file, in hexadecimal."""
        return sha256(self.to_bytes())

    def score_edits(self, sentences: Sequence[EncodedEdits]) -> EditScores:
        """Score every edit and all kept words of a document."""
        counts, kept = np.zeros(4), np.zeros((2, len(self.languages)))
        names: list[str] = []
        owners: list[int] = []
        with_vectors: list[int] = []
        n = 0
        for encoded in sentences:
            edits = encoded.sentence
            names += edits.features
            owners += (n + edit for edit in edits.features.values())
            with_vectors += range(n, n + len(encoded.vectors))
            counts += edits.counts
            n += len(edits.edits)
        features, vectors = np.zeros((2, n, len(self.languages)))
        if sentences:
            np.add.at(features, owners, self.edits.of(names))
            every = EditVectors.concatenate([encoded.vectors for encoded in sentences])
            vectors[with_vectors] = self.edit_net.scores(every.inputs())
            times = Counter(
                chain.from_iterable(encoded.sentence.kept_features for encoded in sentences)
            )
            kept[0] = np.array([*times.values()], np.float64) @ self.kept.of([*times])
            words = np.concatenate([encoded.kept for encoded in sentences]).astype(np.float32)
            kept[1] = self.kept_net.scores(words).sum(axis=0)
        return EditScores(features, vectors, kept, counts)

    def evidence_weights(self, scores: EditScores, language: str) -> tuple[Floats, float]:
        """Return the weight of evidence for a language of each edit, and of all kept words.

        Both are what is added to the language's log-odds over the mean of the others, in natural
        log units; of kept words, what they add beyond the mean document. The first has shape
        (n_edits,).
        """
        k, document = len(self.languages), scores.document
        at = self.languages.index(language)
        slopes = self.score_slopes(document)
        apart = slopes[:, :, at] - slopes[:, :, np.arange(k) != at].mean(axis=2)
        edits: Floats = scores.features @ apart[0] + scores.vectors @ apart[1]
        mean = self.calibration.centre[: N_VIEWS * k].reshape(N_VIEWS, k) * document.units[:, None]
        beyond = (document.sums - mean)[_EDIT_VIEWS:]
        return edits, float((beyond * apart[_EDIT_VIEWS:]).sum()) if document.n_edits else 0.0

    def score_slopes(self, document: DocumentScores) -> Floats:
        """Return the slopes of the log-odds in each view of `document.sums`: (N_VIEWS, K, K)."""
        k = len(self.languages)
        slopes = self.calibration.log_odds_line(document.vector, document.n_edits)[0]
        slopes /= self.calibration.scale[:, None]
        views = slopes[: N_VIEWS * k].reshape(N_VIEWS, k, k)
        return np.asarray(views / document.units[:, None, None], np.float64)

    def posterior(self, document: DocumentScores) -> Floats:
        """Return the probability of each language, of shape (K,); even without an edit."""
        n_edits = np.array([document.n_edits])
        probabilities: Floats = posteriors(self.calibration, document.vector[None], n_edits)[0]
        return probabilities

    def accepts(self, document: DocumentScores, posterior: Floats) -> bool:
        """Return whether the likeliest language of a document with this posterior is named."""
        vector, n_edits = document.vector[None], np.array([document.n_edits])
        return bool(accepted(self.calibration, self.threshold, vector, n_edits, posterior[None])[0])

    def to_bytes(self) -> bytes:
        """Return the model as a safetensors file; equal models give equal bytes."""
        from safetensors.numpy import save

        record = {
            "schema": SCHEMA,
            "languages": list(self.languages),
            "threshold": self.threshold,
            "encoder": self.encoder.to_dict(),
            **{key: getattr(self.calibration, name) for key, name in _NUMBERS.items()},
            "training": dict(self.training),
        }
        tensors = {
            f"{name}.{part.name}": getattr(getattr(self, name), part.name)
            for name in (*_FEATURES, *_NETS)
            for part in fields(getattr(self, name))
        }
        for name in _ARRAYS:
            tensors[name] = getattr(self.calibration, name).astype(np.float32)
        tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
        content: bytes = save(tensors, {"pivot": json.dumps(record, sort_keys=True)})
        return content

    @classmethod
    def from_bytes(cls, data: bytes, *, place: str = "pivot model") -> PivotModel:
        """Read what `to_bytes` wrote; a `BundleError` if damaged or of another schema."""
        metadata, tensors = read_tensors(data, place)
        try:
            record = json.loads(metadata["pivot"])
            schema = record["schema"]
        except DAMAGED as err:
            msg = f"{place}: cannot be read as a pivot model ({shown(err)}); train it again"
            raise BundleError(msg) from err
        if schema != SCHEMA:
            msg = (
                f"{place}: has schema {shown(schema)}, this version reads {SCHEMA}; train it again"
            )
            raise BundleError(msg)
        try:
            languages = tuple(record["languages"])
            encoder = EncoderIdentity.from_dict(record["encoder"])
            if not {type(record[key]) for key in (*_NUMBERS, "threshold")} <= {int, float}:
                msg = f"give numbers for {', '.join(_NUMBERS)} and threshold"
                raise TypeError(msg)
            known: dict[str, Any] = {name: float(record[key]) for key, name in _NUMBERS.items()}
            k, d = len(languages), encoder.dimension
            check_tensors(
                tensors,
                _LAYOUT,
                place,
                k=k,
                size=N_VIEWS * k + N_RATES,
                edit_net_inputs=2 * d + N_LENGTHS,
                kept_net_inputs=d,
            )
            known |= {name: tensors[name].astype(np.float64) for name in _ARRAYS}
            parts: dict[str, dict[str, Any]] = {name: {} for name in (*_FEATURES, *_NETS)}
            for name in tensors.keys() - set(_ARRAYS):
                owner, _, part = name.partition(".")
                parts[owner][part] = tensors[name]
            rest: dict[str, Any] = {
                "calibration": Calibration(**known),
                **{name: FeatureWeights(**parts[name]) for name in _FEATURES},
                **{name: Net(**parts[name]) for name in _NETS},
            }
            model = cls(
                languages=languages,
                encoder=encoder,
                threshold=float(record["threshold"]),
                training=dict(record["training"]),
                **rest,
            )
            model._check_values()
        except DAMAGED as err:
            if isinstance(err, BundleError):
                raise
            msg = f"{place}: is damaged ({shown(err)}); train it again"
            raise BundleError(msg) from err
        return model

    def _check_values(self) -> None:
        """Raise `ValueError` unless the values of a file give a posterior for every document."""
        known, codes = self.calibration, set(self.languages)
        between, within = np.linalg.eigvalsh([known.between, known.within]).min(axis=1)
        facts = {
            "languages": len(codes) == len(self.languages) > 1 and codes <= NAMES.keys(),
            "threshold": 0.0 <= self.threshold <= 1.0,
            "numbers": all(math.isfinite(getattr(known, name)) for name in _NUMBERS.values()),
            "free": known.free > 0.0,
            "scale": (known.scale > 0.0).all(),
            "covariances": between > 0.0 and within > -0.5 * between,
            "symmetry": all((m == m.T).all() for m in (known.between, known.within)),
            "keys": all(
                (np.diff(one.keys.astype(np.int64)) > 0).all() for one in (self.edits, self.kept)
            ),
        }
        wrong = ", ".join(name for name, holds in facts.items() if not holds)
        if wrong:
            msg = f"{wrong}: not as training gives them"
            raise ValueError(msg)


_MEND = "a pivot model is what `detector train pivot` wrote, with its .sha256 beside it"


def check_out(path: Path) -> None:
    """Raise `InputError` unless `save` may write there: nothing, or a model as it was saved."""
    beside = _digest_path(path)
    try:
        if any(os.path.lexists(one) for one in (path, beside)):
            load(path)
    except BundleError as err:
        msg = f"{path}: holds, or has beside it, no pivot model; name a new file ({err})"
        raise InputError(msg) from err


def save(model: PivotModel, path: Path) -> str:
    """Write a model and, in a file `.sha256` beside it, its hexadecimal digest; return that.

    An `InputError` if `check_out` refuses the file.
    """
    check_out(path)
    data = model.to_bytes()
    write_whole(path, data)
    write_whole(_digest_path(path), f"{sha256(data)}  {path.name}\n")
    return sha256(data)


def load(path: Path) -> PivotModel:
    """Read a model and check its digest; a `BundleError` if absent, damaged or outdated."""
    data, known = read_file(path, _MEND), read_file(_digest_path(path), _MEND)
    if known.split()[:1] != [sha256(data).encode()]:
        msg = f"{path}: SHA-256 is {sha256(data)}, {_digest_path(path).name} says {shown(known)}; "
        msg += "it is damaged, train or install it again"
        raise BundleError(msg)
    return PivotModel.from_bytes(data, place=str(path))


def _digest_path(path: Path) -> Path:
    return path.parent / f"{path.name}.sha256"
