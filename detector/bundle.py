"""The records of a model bundle: fitted models, and the config that says what they fit.

They open no file (`store` does) and fit nothing. Making a config and its signature loads no
library, so `detector --version` stays quick.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.encode import EncoderIdentity
from detector.records import Change, NameChange, Verdicts
from detector.signature import Signature, columns_digest
from detector.version import __version__

if TYPE_CHECKING:
    from detector.classify import BeadClassifier
    from detector.evidence import BeadEvidence
    from detector.join_classify import JoinClassifier
    from detector.joins import Broken
    from detector.severity import SeverityRegressor

LEFT_TO_RULE: tuple[Change, ...] = ("as_word",)
"""Name changes that the classifier does not judge: minimal pairs hardly show "Sun" -> "the sun"."""

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
    name_threshold : float
        Probability in [0, 1] from which a changed name counts as damaged.
    blend : (float, float, float)
        Intercept, weight of the drift model's log-odds and weight of log(1 + severity) in the
        log-odds of drift; both weights are 0 or above.
    columns : tuple of (str, str)
        Name and unit of the features, in the order of the classifier's columns.
    encoder : EncoderIdentity
        The encoder whose vectors it was fitted on.
    libraries : mapping of str to str
        Versions it was fitted with; a bundle is bound to scikit-learn's minor version.
    models : str
        SHA-256 of `models.skops`.
    training : mapping
        Seed, corpora, counts and figures of the fit, as JSON; nothing reads it back.
    """

    schema: int
    version: str
    threshold: float
    name_threshold: float
    blend: tuple[float, float, float]
    columns: tuple[tuple[str, str], ...]
    encoder: EncoderIdentity
    libraries: Mapping[str, str]
    models: str
    training: Mapping[str, Any]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(name for name, _ in self.columns)

    @property
    def digest(self) -> str:
        """SHA-256 over the whole config, the models' digest included."""
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
        for name in ("threshold", "name_threshold"):
            threshold = record[name]
            if isinstance(threshold, bool) or not 0.0 <= float(threshold) <= 1.0:
                msg = f"{name} is {threshold!r}; give a number in [0, 1]"
                raise ValueError(msg)
        intercept, margin, severity = map(float, record["blend"])
        if min(margin, severity) < 0.0 or not math.isfinite(intercept + margin + severity):
            msg = f"blend is {record['blend']!r}; give a number and two that are 0 or above"
            raise ValueError(msg)
        return cls(
            schema=int(record["schema"]),
            version=str(record["version"]),
            threshold=float(record["threshold"]),
            name_threshold=float(record["name_threshold"]),
            blend=(intercept, margin, severity),
            columns=tuple((str(name), str(unit)) for name, unit in record["columns"]),
            encoder=EncoderIdentity(**record["encoder"]),
            libraries={str(k): str(v) for k, v in record["libraries"].items()},
            models=str(record["models"]),
            training=dict(record["training"]),
        )

    def signature(
        self,
        *,
        encoder: EncoderIdentity | None = None,
        threshold: float | None = None,
        name_threshold: float | None = None,
    ) -> Signature:
        """Return the signature of scores made with this bundle.

        Parameters
        ----------
        encoder : EncoderIdentity, optional
            The encoder in use; by default the one it was fitted with.
        threshold : float, optional
            Drift threshold in use, in [0, 1]; by default the bundle's.
        name_threshold : float, optional
            Threshold of damaged names in use, in [0, 1]; by default the bundle's.

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
            name_threshold=self.name_threshold if name_threshold is None else name_threshold,
            libraries=tuple(sorted(library_versions().items())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The fitted models of a bundle; each but the first may be missing.

    Attributes
    ----------
    drift : BeadClassifier
        Over `features.FEATURES`: the probability that meaning was changed or lost.
    severity : SeverityRegressor or None
        Over the same columns: expected error points.
    names : BeadClassifier or None
        Over `naming.traits.TRAITS`: the probability that a changed name is damaged. Without it
        the rule's belief stands.
    joins : JoinClassifier or None
        Over `joins.join_rows`: the probability that a join of two copy words is broken.
    """

    drift: BeadClassifier
    severity: SeverityRegressor | None = None
    names: BeadClassifier | None = None
    joins: JoinClassifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """Fitted models with what is needed to use them rightly.

    Attributes
    ----------
    models : Models
    config : BundleConfig
    card : str
        What it may be used for, what it was fitted on and how well it does; Markdown.
    """

    models: Models
    config: BundleConfig
    card: str = ""

    @property
    def threshold(self) -> float:
        """Drift probability in [0, 1] from which a sentence is flagged."""
        return self.config.threshold

    @property
    def joins(self) -> Broken | None:
        """What judges the joins of a copy's words, if anything does; ask once for a text."""
        return None if self.models.joins is None else self.models.joins.judge()

    def judge(self, evidence: Sequence[BeadEvidence]) -> Verdicts:
        """Judge beads.

        Parameters
        ----------
        evidence : sequence of BeadEvidence
            Gathered with `joins`.

        Returns
        -------
        Verdicts
            Of n beads, in order.
        """
        from detector.features import matrix

        columns = matrix(evidence)
        severity = self.severity_of(columns)
        return Verdicts(
            drift=self._drift(columns, severity),
            severity=severity,
            names=self._names(evidence),
        )

    def drift_of(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of drift of rows of `features.matrix`, of shape (n,).

        The drift model says how likely, the severity tells apart what its trees call equal. A
        changed figure is drift by itself: the probability is never below the column
        `heaviest_figure`.
        """
        return self._drift(columns, self.severity_of(columns))

    def _drift(
        self, columns: NDArray[np.float64], severity: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if not len(columns):
            return np.zeros(0)
        margin = self.models.drift.decision_function(columns)
        probability = blended(self.config.blend, margin, severity)
        return np.maximum(probability, columns[:, self.config.features.index("heaviest_figure")])

    def severity_of(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected error points of rows of `features.matrix`, of shape (n,)."""
        if self.models.severity is None or not len(columns):
            return np.full(len(columns), np.nan)
        severity: NDArray[np.float64] = self.models.severity.predict(columns)
        return severity

    def _names(self, evidence: Sequence[BeadEvidence]) -> tuple[tuple[NameChange, ...], ...]:
        from detector.naming.cases import JUDGED
        from detector.naming.findings import NameFindings, judge_names

        if self.models.names is None:
            return tuple(bead.names for bead in evidence)
        findings = [NameFindings(bead.names, bead.name_traits) for bead in evidence]
        judged = [
            np.array(
                [change.change in JUDGED and change.change not in LEFT_TO_RULE for change in names],
                dtype=np.bool_,
            )
            for names in (found.changes for found in findings)
        ]
        if not any(mine.any() for mine in judged):
            return tuple(bead.names for bead in evidence)
        rows = np.concatenate([f.traits[mine] for f, mine in zip(findings, judged, strict=True)])
        given = iter(self.models.names.predict_proba(rows)[:, 1].tolist())
        return tuple(
            judge_names(
                found,
                [
                    next(given) if one else change.probability
                    for one, change in zip(mine.tolist(), found.changes, strict=True)
                ],
            )
            for found, mine in zip(findings, judged, strict=True)
        )

    def signature(
        self, *, encoder: EncoderIdentity, threshold: float, name_threshold: float
    ) -> Signature:
        """Return the signature of scores made with this bundle; see `BundleConfig.signature`."""
        return self.config.signature(
            encoder=encoder, threshold=threshold, name_threshold=name_threshold
        )


def blended(
    blend: tuple[float, float, float],
    margin: NDArray[np.float64],
    severity: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Make one probability of drift of the drift model's log-odds and the severity.

    Parameters
    ----------
    blend : (float, float, float)
        As in `BundleConfig`.
    margin : ndarray of shape (n,), float64
        Log-odds of the drift model.
    severity : ndarray of shape (n,), float64
        Expected error points; NaN, where no model gives any, is read as 0.

    Returns
    -------
    ndarray of shape (n,), float64
        In [0, 1].
    """
    intercept, by_margin, by_severity = blend
    odds = intercept + by_margin * margin + by_severity * np.log1p(np.nan_to_num(severity))
    probability: NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * odds))  # never overflows
    return probability


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
