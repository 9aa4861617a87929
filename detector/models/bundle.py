"""Predict drift, severity, names and error spans of beads with a bundle's models.

It opens no file (`store` does) and fits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.encoder import EncoderIdentity
from detector.features.token_tags import (
    TAG_FEATURES,
    Tokens,
    TokenTags,
    error_spans,
    name_probability,
    tag_matrix,
)
from detector.models.bundle_config import BundleConfig, Signature, TaggedConfig
from detector.names.calibration import TAGGED_CHANGES, NameFinding, calibrate
from detector.records import BeadPredictions, ErrorSpan, NameChange

if TYPE_CHECKING:
    from detector.features.adjacency import AdjacencyModel
    from detector.features.evidence import BeadEvidence
    from detector.models.adjacency import AdjacencyClassifier
    from detector.models.estimators import BeadClassifier, SeverityRegressor
    from detector.models.tagger import Tagger
    from detector.pivot.model import PivotModel
    from detector.relation.model import RelationModel

STACKED = ("severity", *(name for name, _, _ in TAG_FEATURES))
"""Columns of the severity model with a tagger: the severity without one, and the tag features."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The fitted models of `models.skops`; each but the first is optional.

    Attributes
    ----------
    drift : BeadClassifier
        Over `features.FEATURES`: the probability that meaning was changed or lost.
    severity : SeverityRegressor or None
        Over the same columns: expected error points.
    adjacency : AdjacencyClassifier or None
        Over `adjacency_rows`: the probability that neighbouring copy words are incoherent.
    tagged_severity : SeverityRegressor or None
        Over `STACKED`: expected error points where a tagger is used.
    """

    drift: BeadClassifier
    severity: SeverityRegressor | None = None
    adjacency: AdjacencyClassifier | None = None
    tagged_severity: SeverityRegressor | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """Fitted models and the settings that they are used with.

    Attributes
    ----------
    models : Models
    config : BundleConfig
    tagger : Tagger or None
        The tagger that it was fitted with; None predicts without it.
    relation : RelationModel or None
        Predicts what a copy is to a source.
    pivot : PivotModel or None
        Predicts the pivot language; None too where it was not asked for.
    card : str
        Intended use, training data and evaluation; Markdown.
    metrics : mapping
        Evaluation figures of its training, as JSON. In no digest.
    """

    models: Models
    config: BundleConfig
    tagger: Tagger | None = None
    relation: RelationModel | None = None
    pivot: PivotModel | None = None
    card: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def threshold(self) -> float:
        """Drift probability in [0, 1] from which a sentence is flagged."""
        return (self._tagged or self.config).threshold

    @property
    def name_threshold(self) -> float:
        """Probability in [0, 1] from which a changed name counts as damaged."""
        return (self._tagged or self.config).name_threshold

    @property
    def _tagged(self) -> TaggedConfig | None:
        return None if self.tagger is None else self.config.tagged

    @property
    def adjacency(self) -> AdjacencyModel | None:
        """Predicts incoherent neighbours among a copy's words; make it once for a text."""
        return None if self.models.adjacency is None else self.models.adjacency.predictor()

    def predict(self, evidence: Sequence[BeadEvidence]) -> BeadPredictions:
        """Predict drift, severity, names and error spans of beads gathered with `adjacency`."""
        from detector.features.features import matrix

        columns = matrix(evidence)
        spans: tuple[tuple[ErrorSpan, ...], ...] = ((),) * len(evidence)
        names = tuple(self._calibrated(bead.names) for bead in evidence)
        tokens = [] if self.tagger is None else [bead.tokens for bead in evidence]
        given = [both for both in tokens if both is not None]
        if self.tagger is not None and len(given) == len(evidence):
            tags = self.tagger.predict(given)
            columns = np.hstack([columns, tag_matrix(tags)])
            tagged = list(zip(evidence, given, tags, strict=True))
            thresholds = self.tagger.config.thresholds
            spans = tuple(
                error_spans((bead.words.source, bead.words.copy), both, own, thresholds)
                for bead, both, own in tagged
            )
            names = tuple(
                self._calibrated_by_tags(bead.names, calibrated, both, own)
                for calibrated, (bead, both, own) in zip(names, tagged, strict=True)
            )
        severity = self.predict_severity(columns)
        return BeadPredictions(
            drift=self._drift(columns, severity),
            severity=severity,
            names=names,
            spans=spans,
        )

    def predict_drift(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of drift of each row, of shape (n,).

        `columns` are those of `features.matrix`, with those of `tag_matrix` where a tagger is used.
        The probability blends the drift model, the severity, which orders rows that are equal to
        the drift model, and the tagger. It is never below the column `heaviest_figure`, since a
        changed number is drift by itself.
        """
        return self._drift(columns, self.predict_severity(columns))

    def _drift(
        self, columns: NDArray[np.float64], severity: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if not len(columns):
            return np.zeros(0)
        own, tags = self._split(columns)
        margin = self.models.drift.decision_function(own)
        if tags is None or self.config.tagged is None:
            probability = blended(self.config.blend, margin, severity)
        else:
            probability = blended(self.config.tagged.blend, margin, severity, tags[:, 0])
        return np.maximum(probability, own[:, self.config.features.index("heaviest_figure")])

    def predict_severity(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected error points of each row; columns as for `predict_drift`."""
        own, tags = self._split(columns)
        if self.models.severity is None or not len(columns):
            return np.full(len(columns), np.nan)
        severity: NDArray[np.float64] = self.models.severity.predict(own)
        if tags is not None and self.models.tagged_severity is not None:
            severity = self.models.tagged_severity.predict(np.column_stack([severity, tags]))
        return severity

    def _split(
        self, columns: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        n = len(self.config.columns)
        return columns[:, :n], columns[:, n:] if columns.shape[1] > n else None

    def _calibrated_by_tags(
        self,
        findings: tuple[NameFinding, ...],
        ruled: tuple[NameChange, ...],
        tokens: tuple[Tokens, Tokens],
        tags: TokenTags,
    ) -> tuple[NameChange, ...]:
        """Return changed names with probabilities that use a tagger's, where it helps."""
        odds = None if self._tagged is None else self._tagged.names
        if odds is None:
            return ruled
        return tuple(
            finding.calibrated(odds.probability(finding, name_probability(finding, tokens, tags)))
            if finding.change in TAGGED_CHANGES
            else change
            for finding, change in zip(findings, ruled, strict=True)
        )

    def _calibrated(self, findings: tuple[NameFinding, ...]) -> tuple[NameChange, ...]:
        """Return names with the probabilities of the rules; for a kept name, the confidence."""
        table = self.config.name_beliefs
        return tuple(
            finding.calibrated(
                finding.confidence
                if finding.change == "kept"
                else calibrate(table, finding.confidence)
            )
            for finding in findings
        )

    def signature(
        self,
        *,
        encoder: EncoderIdentity,
        threshold: float | None = None,
        name_threshold: float | None = None,
    ) -> Signature:
        """Return the signature of scores made with this bundle; see `BundleConfig.signature`."""
        return self.config.signature(
            encoder=encoder,
            threshold=threshold,
            name_threshold=name_threshold,
            tagger=self.tagger is not None,
        )


def blended(
    blend: tuple[float, ...],
    margin: NDArray[np.float64],
    severity: NDArray[np.float64],
    tag_drift: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the probability of drift from several models, of shape (n,).

    Parameters
    ----------
    blend : tuple of float
        As in `BundleConfig`, or with `tag_drift` as in `TaggedConfig`.
    margin : ndarray of shape (n,), float64
        Log-odds of the drift model.
    severity : ndarray of shape (n,), float64
        Expected error points; NaN, where no model gives any, is taken as 0.
    tag_drift : ndarray of shape (n,), float64, optional
        The tagger's log(1 + odds).
    """
    intercept, by_margin, by_severity, *by_tags = blend
    odds = intercept + by_margin * margin + by_severity * np.log1p(np.nan_to_num(severity))
    if tag_drift is not None:
        odds = odds + by_tags[0] * tag_drift
    probability: NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * odds))  # never overflows
    return probability
