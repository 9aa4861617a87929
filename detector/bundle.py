"""The records of a model bundle: fitted models, and the config that says what they fit.

They open no file (`store` does) and fit nothing. Making a config and its signature loads no
library, so `detector --version` stays quick.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detector.encode import EncoderIdentity
from detector.records import Change, ErrorSpan, NameChange, Verdicts
from detector.signature import Signature, columns_digest
from detector.tags import (
    TAG_FEATURES,
    Tokens,
    TokenTags,
    error_spans,
    name_probability,
    tag_matrix,
)
from detector.version import __version__

if TYPE_CHECKING:
    from detector.classify import BeadClassifier
    from detector.evidence import BeadEvidence
    from detector.join_classify import JoinClassifier
    from detector.joins import Broken
    from detector.severity import SeverityRegressor
    from detector.tagger import Tagger

TAGGED_CHANGES: tuple[Change, ...] = ("translated", "swapped", "dropped", "added")
"""What a tagger is asked about: whether other words say the same. A name that is spelt wrong is
damaged whatever they say, and capitals ("Sun" -> "the sun") it does not see."""

STACKED = ("severity", *(name for name, _, _ in TAG_FEATURES))
"""What the severity with a tagger is made of: that without one, and what the tags say."""

_COMPUTES = ("numpy", "scikit-learn", "sentence-transformers", "tokenizers", "torch")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameOdds:
    """Log-odds that a changed name is damaged, where a tagger read it.

    Attributes
    ----------
    intercept : float
    belief, tags : float
        Weights of the log-odds of the rules' belief and of the tagger's greatest probability for
        a word of the name; 0 or above.
    changes : mapping of Change to float
        What is added for each of `TAGGED_CHANGES`; others are left to
        `BundleConfig.name_beliefs`.
    """

    intercept: float
    belief: float
    tags: float
    changes: Mapping[str, float]

    def probability(self, change: NameChange, tagged: float) -> float:
        """Return the probability in [0, 1] that a changed name is damaged.

        Parameters
        ----------
        change : NameChange
            With the rules' belief.
        tagged : float
            The tagger's probability in [0, 1].
        """
        odds = (
            self.intercept
            + self.belief * log_odds(change.probability)
            + self.tags * log_odds(tagged)
            + self.changes[change.change]
        )
        return round(0.5 * (1.0 + math.tanh(0.5 * odds)), 6)


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability in [0, 1], held between those of .0001 and .9999."""
    held = min(0.9999, max(0.0001, probability))
    return math.log(held / (1.0 - held))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedConfig:
    """How beads are judged with a tagger.

    Attributes
    ----------
    tagger : str
        SHA-256 of the tagger's config, which holds that of its weights.
    threshold : float
        As in `BundleConfig`.
    blend : (float, float, float, float)
        As in `BundleConfig`, with the severity that knows the tags; last the weight of the
        tagger's log(1 + odds) of drift, 0 or above.
    name_threshold : float
        As in `BundleConfig`.
    names : NameOdds or None
        None leaves names to the rules' beliefs.
    """

    tagger: str
    threshold: float
    blend: tuple[float, float, float, float]
    name_threshold: float
    names: NameOdds | None


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
    name_beliefs : tuple of (float, float)
        Beliefs of the naming rules, rising, and the probability that each stands for; between two
        of them it rises evenly. Empty: the beliefs stand as they are.
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
    tagged : TaggedConfig or None
        None where the bundle was fitted without a tagger.
    training : mapping
        Seed, corpora, counts and figures of the fit, as JSON; nothing reads it back.
    """

    schema: int
    version: str
    threshold: float
    name_threshold: float
    name_beliefs: tuple[tuple[float, float], ...]
    blend: tuple[float, float, float]
    columns: tuple[tuple[str, str], ...]
    encoder: EncoderIdentity
    libraries: Mapping[str, str]
    models: str
    tagged: TaggedConfig | None = None
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
        record["tagged"] = None if self.tagged is None else asdict(self.tagged)
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
        intercept, margin, severity = _blend(record["blend"], 3)
        beliefs = tuple((float(a), float(b)) for a, b in record["name_beliefs"])
        if any(not (a < c and b <= d) for (a, b), (c, d) in pairwise(beliefs)):
            msg = f"name_beliefs are {record['name_beliefs']!r}; give pairs that rise"
            raise ValueError(msg)
        tagged = record["tagged"]
        if tagged is not None:
            a, b, c, d = _blend(tagged["blend"], 4)
            tagged = TaggedConfig(
                tagger=str(tagged["tagger"]),
                threshold=_probability(tagged["threshold"], "tagged threshold"),
                blend=(a, b, c, d),
                name_threshold=_probability(tagged["name_threshold"], "tagged name_threshold"),
                names=_name_odds(tagged["names"]),
            )
        return cls(
            schema=int(record["schema"]),
            version=str(record["version"]),
            threshold=_probability(record["threshold"], "threshold"),
            name_threshold=_probability(record["name_threshold"], "name_threshold"),
            name_beliefs=beliefs,
            blend=(intercept, margin, severity),
            columns=tuple((str(name), str(unit)) for name, unit in record["columns"]),
            encoder=EncoderIdentity(**record["encoder"]),
            libraries={str(k): str(v) for k, v in record["libraries"].items()},
            models=str(record["models"]),
            tagged=tagged,
            training=dict(record["training"]),
        )

    def signature(
        self,
        *,
        encoder: EncoderIdentity | None = None,
        threshold: float | None = None,
        name_threshold: float | None = None,
        tagger: bool = True,
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
        tagger : bool
            Whether the tagger is in use, where there is one.

        Returns
        -------
        Signature
        """
        encoder = encoder or self.encoder
        tagged = self.tagged if tagger else None
        own, names = (
            (self.threshold, self.name_threshold)
            if tagged is None
            else (tagged.threshold, tagged.name_threshold)
        )
        return Signature(
            version=__version__,
            schema=self.schema,
            bundle=self.digest,
            encoder=encoder.name,
            weights=encoder.weights_sha256,
            precision=encoder.precision,
            tagger="none" if tagged is None else tagged.tagger,
            n_features=len(self.columns),
            features=columns_digest(self.columns),
            threshold=own if threshold is None else threshold,
            name_threshold=names if name_threshold is None else name_threshold,
            libraries=tuple(sorted(library_versions().items())),
        )


def _probability(value: Any, name: str) -> float:  # noqa: ANN401 - read from a file
    if isinstance(value, bool) or not 0.0 <= float(value) <= 1.0:
        msg = f"{name} is {value!r}; give a number in [0, 1]"
        raise ValueError(msg)
    return float(value)


def _name_odds(record: Mapping[str, Any] | None) -> NameOdds | None:
    if record is None:
        return None
    intercept, belief, tags = _blend([record[k] for k in ("intercept", "belief", "tags")], 3)
    changes = {str(name): float(value) for name, value in record["changes"].items()}
    if set(changes) != set(TAGGED_CHANGES) or not math.isfinite(sum(changes.values())):
        msg = f"changes are {record['changes']!r}; give numbers for {', '.join(TAGGED_CHANGES)}"
        raise ValueError(msg)
    return NameOdds(intercept=intercept, belief=belief, tags=tags, changes=changes)


def _blend(values: Sequence[Any], n: int) -> tuple[float, ...]:
    blend = tuple(map(float, values))
    if len(blend) != n or min(blend[1:]) < 0.0 or not math.isfinite(sum(blend)):
        msg = f"blend is {values!r}; give a number and {n - 1} that are 0 or above"
        raise ValueError(msg)
    return blend


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The fitted models of a bundle; each but the first may be missing.

    Attributes
    ----------
    drift : BeadClassifier
        Over `features.FEATURES`: the probability that meaning was changed or lost.
    severity : SeverityRegressor or None
        Over the same columns: expected error points.
    joins : JoinClassifier or None
        Over `joins.join_rows`: the probability that a join of two copy words is broken.
    tagged : SeverityRegressor or None
        Over `STACKED`: expected error points where a tagger read the bead.
    """

    drift: BeadClassifier
    severity: SeverityRegressor | None = None
    joins: JoinClassifier | None = None
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
    card : str
        What it may be used for, what it was fitted on and how well it does; Markdown.
    """

    models: Models
    config: BundleConfig
    tagger: Tagger | None = None
    card: str = ""

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
        spans: tuple[tuple[ErrorSpan, ...], ...] = ((),) * len(evidence)
        names = tuple(self._believed(bead.names) for bead in evidence)
        tokens = [bead.tokens for bead in evidence]
        if self.tagger is not None and None not in tokens:
            given = [both for both in tokens if both is not None]
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


def probability_of(beliefs: Sequence[tuple[float, float]], belief: float) -> float:
    """Return the probability that a belief about a name stands for; see `name_beliefs`.

    Examples
    --------
    >>> probability_of([(0.0, 0.0), (0.5, 0.2), (0.9, 0.6)], 0.7)
    0.4
    """
    if not beliefs:
        return belief
    known, probabilities = zip(*beliefs, strict=True)
    return round(float(np.interp(belief, known, probabilities)), 6)


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
