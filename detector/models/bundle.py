"""Predict drift, severity, names and spans of beads with a bundle's models.

A model bundle: fitted models and how they judge beads together.

It opens no file (`store` does) and fits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from detector.models.config import BundleConfig, Signature, TaggedConfig
from detector.names.compare import TAGGED_CHANGES, probability_of
from detector.records import ErrorSpan, NameChange, Verdicts

if TYPE_CHECKING:
    from detector.features.adjacency import AdjacencyModel
    from detector.features.evidence import BeadEvidence
    from detector.models.adjacency import AdjacencyClassifier
    from detector.models.drift import BeadClassifier
    from detector.models.severity import SeverityRegressor
    from detector.models.tagger import Tagger
    from detector.pivot.model import PivotModel
    from detector.relation.model import RelationModel

STACKED = ("severity", *(name for name, _, _ in TAG_FEATURES))
"""What the severity with a tagger is made of: that without one, and what the tags say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The fitted models of a bundle; each but the first may be missing.

    Attributes
    ----------
    drift : BeadClassifier
        Over `features.FEATURES`: the probability that meaning was changed or lost.
    severity : SeverityRegressor or None
        Over the same columns: expected error points.
    joins : AdjacencyClassifier or None
        Over `joins.join_rows`: the probability that a join of two copy words is broken.
    tagged : SeverityRegressor or None
        Over `STACKED`: expected error points where a tagger read the bead.
    """

    drift: BeadClassifier
    severity: SeverityRegressor | None = None
    joins: AdjacencyClassifier | None = None
    tagged: SeverityRegressor | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """Fitted models with what is needed to use them rightly.

    Attributes
    ----------
    models : Models
    config : BundleConfig
    tagger : Tagger or None
        The one that it was fitted with; None judges without it.
    relation : RelationModel or None
        Says what a copy is to a source; None where the bundle has none.
    pivot : PivotModel or None
        Says through which language a copy went; None where the bundle has none, or it was not
        asked for.
    card : str
        What it may be used for, what it was fitted on and how well it does; Markdown.
    metrics : mapping
        How well it did when it was trained, as JSON. In no digest.
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
        tagged = self._tagged
        return self.config.threshold if tagged is None else tagged.threshold

    @property
    def name_threshold(self) -> float:
        """Probability in [0, 1] from which a changed name counts as damaged."""
        tagged = self._tagged
        return self.config.name_threshold if tagged is None else tagged.name_threshold

    @property
    def _tagged(self) -> TaggedConfig | None:
        return None if self.tagger is None else self.config.tagged

    @property
    def joins(self) -> AdjacencyModel | None:
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
        from detector.features.features import matrix

        columns = matrix(evidence)
        spans: tuple[tuple[ErrorSpan, ...], ...] = ((),) * len(evidence)
        names = tuple(self._believed(bead.names) for bead in evidence)
        tokens = [] if self.tagger is None else [bead.tokens for bead in evidence]
        given = [both for both in tokens if both is not None]
        if self.tagger is not None and len(given) == len(evidence):
            tags = self.tagger.tag(given)
            columns = np.hstack([columns, tag_matrix(tags)])
            spans = tuple(
                error_spans(
                    (bead.words.source, bead.words.copy), both, one, self.tagger.config.thresholds
                )
                for bead, both, one in zip(evidence, given, tags, strict=True)
            )
            names = tuple(
                self._read(bead.names, believed, both, one)
                for bead, believed, both, one in zip(evidence, names, given, tags, strict=True)
            )
        severity = self.severity_of(columns)
        return Verdicts(
            drift=self._drift(columns, severity),
            severity=severity,
            names=names,
            spans=spans,
        )

    def drift_of(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of drift of rows, of shape (n,).

        The drift model says how likely, the severity tells apart what its trees call equal. A
        changed figure is drift by itself: the probability is never below the column
        `heaviest_figure`.

        Parameters
        ----------
        columns : ndarray of shape (n, n_features) or (n, n_features + n_tag_features), float64
            Of `features.matrix`, and of `tags.tag_matrix` where a tagger read the beads.
        """
        return self._drift(columns, self.severity_of(columns))

    def _drift(
        self, columns: NDArray[np.float64], severity: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if not len(columns):
            return np.zeros(0)
        own, tags = self._parted(columns)
        margin = self.models.drift.decision_function(own)
        if tags is None or self.config.tagged is None:
            probability = blended(self.config.blend, margin, severity)
        else:
            probability = blended(self.config.tagged.blend, margin, severity, tags[:, 0])
        return np.maximum(probability, own[:, self.config.features.index("heaviest_figure")])

    def severity_of(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected error points of rows, of shape (n,); columns as for `drift_of`."""
        own, tags = self._parted(columns)
        if self.models.severity is None or not len(columns):
            return np.full(len(columns), np.nan)
        severity: NDArray[np.float64] = self.models.severity.predict(own)
        if tags is not None and self.models.tagged is not None:
            severity = self.models.tagged.predict(np.column_stack([severity, tags]))
        return severity

    def _parted(
        self, columns: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        n = len(self.config.columns)
        return columns[:, :n], columns[:, n:] if columns.shape[1] > n else None

    def _read(
        self,
        names: tuple[NameChange, ...],
        believed: tuple[NameChange, ...],
        tokens: tuple[Tokens, Tokens],
        tags: TokenTags,
    ) -> tuple[NameChange, ...]:
        """Put probabilities that know the tags in the place of the rules' beliefs."""
        odds = None if self._tagged is None else self._tagged.names
        if odds is None:
            return believed
        return tuple(
            replace(
                change,
                probability=odds.probability(change, name_probability(change, tokens, tags)),
            )
            if change.change in TAGGED_CHANGES
            else ruled
            for change, ruled in zip(names, believed, strict=True)
        )

    def _believed(self, names: tuple[NameChange, ...]) -> tuple[NameChange, ...]:
        """Put probabilities in the place of the rules' beliefs; a kept name keeps its own."""
        table = self.config.name_beliefs
        return tuple(
            change
            if change.change == "kept"
            else replace(change, probability=probability_of(table, change.probability))
            for change in names
        )

    def signature(
        self, *, encoder: EncoderIdentity, threshold: float, name_threshold: float
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
    tagged: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Make one probability of drift of the drift model's log-odds, the severity and the tags.

    Parameters
    ----------
    blend : tuple of float
        As in `BundleConfig`, or with `tagged` as in `TaggedConfig`.
    margin : ndarray of shape (n,), float64
        Log-odds of the drift model.
    severity : ndarray of shape (n,), float64
        Expected error points; NaN, where no model gives any, is read as 0.
    tagged : ndarray of shape (n,), float64, optional
        The tagger's log(1 + odds).

    Returns
    -------
    ndarray of shape (n,), float64
        In [0, 1].
    """
    intercept, by_margin, by_severity, *by_tags = blend
    odds = intercept + by_margin * margin + by_severity * np.log1p(np.nan_to_num(severity))
    if tagged is not None:
        odds = odds + by_tags[0] * tagged
    probability: NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * odds))  # never overflows
    return probability
