"""The records of a model bundle: a fitted classifier, and the config that says what it fits.

They open no file (`store` does) and fit nothing. Making a config and its signature loads no
library, so `detector --version` stays quick.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.encode import EncoderIdentity
from detector.signature import Signature, columns_digest
from detector.version import __version__

if TYPE_CHECKING:
    from detector.classify import BeadClassifier
    from detector.evidence import BeadEvidence

_COMPUTES = ("numpy", "scikit-learn", "sentence-transformers", "tokenizers", "torch")


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleConfig:
    """What `config.json` holds.

    Attributes
    ----------
    schema : int
        Layout of the bundle.
    version : str
        Version of `detector` that trained it.
    threshold : float
        Drift probability in [0, 1] from which a sentence is flagged.
    columns : tuple of (str, str)
        Name and unit of the features, in the order of the classifier's columns.
    encoder : EncoderIdentity
        The encoder whose vectors it was fitted on.
    libraries : mapping of str to str
        Versions it was fitted with; a bundle is bound to scikit-learn's minor version.
    classifier : str
        SHA-256 of `drift.skops`.
    training : mapping
        Seed, corpora, counts and figures of the fit, as JSON; nothing reads it back.
    """

    schema: int
    version: str
    threshold: float
    columns: tuple[tuple[str, str], ...]
    encoder: EncoderIdentity
    libraries: Mapping[str, str]
    classifier: str
    training: Mapping[str, Any]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(name for name, _ in self.columns)

    @property
    def digest(self) -> str:
        """SHA-256 over the whole config, the classifier's digest included."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """Return `config.json`: UTF-8, sorted keys, so equal configs are equal bytes."""
        record = {f.name: getattr(self, f.name) for f in fields(self)}
        record["encoder"] = asdict(self.encoder)
        record["columns"] = [list(column) for column in self.columns]
        record["libraries"] = dict(self.libraries)
        record["training"] = dict(self.training)
        text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return (text + "\n").encode("utf-8")

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> BundleConfig:
        """Read what `to_bytes` wrote, once parsed.

        Raises
        ------
        KeyError, TypeError, ValueError, AttributeError
            When a field is missing or of another type; `store` says which file it was.
        """
        threshold = record["threshold"]
        if isinstance(threshold, bool) or not 0.0 <= float(threshold) <= 1.0:
            msg = f"threshold is {threshold!r}; give a number in [0, 1]"
            raise ValueError(msg)
        return cls(
            schema=int(record["schema"]),
            version=str(record["version"]),
            threshold=float(threshold),
            columns=tuple((str(name), str(unit)) for name, unit in record["columns"]),
            encoder=EncoderIdentity(**record["encoder"]),
            libraries={str(k): str(v) for k, v in record["libraries"].items()},
            classifier=str(record["classifier"]),
            training=dict(record["training"]),
        )

    def signature(
        self,
        *,
        encoder: EncoderIdentity | None = None,
        threshold: float | None = None,
        name_threshold: float = 0.5,
    ) -> Signature:
        """Return the signature of scores made with this bundle.

        Parameters
        ----------
        encoder : EncoderIdentity, optional
            The encoder in use; by default the one it was fitted with.
        threshold : float, optional
            Drift threshold in use, in [0, 1]; by default the bundle's.
        name_threshold : float
            Threshold of damaged names in use, in [0, 1].

        Returns
        -------
        Signature
        """
        encoder = encoder or self.encoder
        return Signature(
            version=__version__,
            schema=self.schema,
            bundle=self.digest,
            encoder=encoder.name,
            weights=encoder.weights_sha256,
            precision=encoder.precision,
            n_features=len(self.columns),
            features=columns_digest(self.columns),
            threshold=self.threshold if threshold is None else threshold,
            name_threshold=name_threshold,
            libraries=tuple(sorted(library_versions().items())),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """A fitted classifier with what is needed to use it rightly.

    Attributes
    ----------
    drift : BeadClassifier
        Gives the probability that meaning was changed or lost.
    config : BundleConfig
    card : str
        What it may be used for, what it was fitted on and how well it does; Markdown.
    """

    drift: BeadClassifier
    config: BundleConfig
    card: str = ""

    @property
    def threshold(self) -> float:
        """Drift probability in [0, 1] from which a sentence is flagged."""
        return self.config.threshold

    def drift_probability(self, evidence: Sequence[BeadEvidence]) -> NDArray[np.float64]:
        """Judge beads.

        Parameters
        ----------
        evidence : sequence of BeadEvidence

        Returns
        -------
        ndarray of shape (n,), float64
            Probability in [0, 1] that meaning was changed or lost; higher is worse.
        """
        from detector.features import matrix

        if not evidence:
            return np.zeros(0, dtype=np.float64)
        drifted: NDArray[np.float64] = self.drift.predict_proba(matrix(evidence))[:, 1]
        return drifted

    def signature(
        self, *, encoder: EncoderIdentity, threshold: float, name_threshold: float
    ) -> Signature:
        """Return the signature of scores made with this bundle; see `BundleConfig.signature`."""
        return self.config.signature(
            encoder=encoder, threshold=threshold, name_threshold=name_threshold
        )


@lru_cache(maxsize=1)
def library_versions() -> dict[str, str]:
    """Return the installed versions of what the scores are computed with."""
    versions = {}
    for name in _COMPUTES:
        try:
            versions[name] = installed_version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    return versions
