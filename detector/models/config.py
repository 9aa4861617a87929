"""What a bundle's `config.json` holds, and the signature of its scores.

`Signature`: what produced a probability, as an explicit record that prints on one line.

It names versions, digests and thresholds, so that two reports can be told to be comparable or
not. It opens no file and imports no library; `store` fills it in.

What a model bundle's `config.json` holds, and the signature that it gives.

It opens no file (`store` does), and making a config and its signature loads no library, so
`detector --version` stays quick.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from itertools import pairwise
from typing import Any

from detector import __version__
from detector.encoder import EncoderIdentity
from detector.errors import InputError
from detector.names.compare import TAGGED_CHANGES, NameOdds

_SHOWN = 12  # hexadecimal digits of a digest on the printed line


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Everything that a drift probability depends on, besides the two texts.

    Attributes
    ----------
    version : str
        Version of `detector`.
    schema : int
        Layout of the bundle.
    bundle : str
        SHA-256 of the bundle's config, which holds the SHA-256 of its classifier.
    encoder : str
        Name of the encoder.
    weights : str
        SHA-256 of its weights.
    precision : str
        Its arithmetic, fp32 or bf16.
    tagger : str
        SHA-256 of the tagger's config, which holds that of its weights; "none" without one.
    n_features : int
        Columns that the classifier reads.
    features : str
        SHA-256 of their names and units, in order.
    threshold : float
        Drift probability in [0, 1] from which a sentence is flagged.
    name_threshold : float
        Probability in [0, 1] from which a changed name counts as damaged.
    libraries : tuple of (str, str)
        Distribution and version of what computes, sorted by name.

    Examples
    --------
    >>> print(Signature(
    ...     version="0.1.0", schema=1, bundle="b" * 64, encoder="all-MiniLM-L6-v2",
    ...     weights="5" * 64, precision="fp32", tagger="none", n_features=2, features="f" * 64,
    ...     threshold=0.4, name_threshold=0.5, libraries=(("numpy", "2.4.6"),),
    ... ))
    detector 0.1.0|schema 1|bundle bbbbbbbbbbbb|encoder all-MiniLM-L6-v2@555555555555/fp32|tagger none|features 2@ffffffffffff|threshold 0.4|name threshold 0.5|numpy 2.4.6
    """  # noqa: E501 - one line is the point

    version: str
    schema: int
    bundle: str
    encoder: str
    weights: str
    precision: str
    tagger: str
    n_features: int
    features: str
    threshold: float
    name_threshold: float
    libraries: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        for name in ("threshold", "name_threshold"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0.0 <= value <= 1.0):
                msg = f"signature: {name} is {value}; give a probability in [0, 1]"
                raise InputError(msg)

    def __str__(self) -> str:
        parts = [
            f"detector {self.version}",
            f"schema {self.schema}",
            f"bundle {self.bundle[:_SHOWN]}",
            f"encoder {self.encoder}@{self.weights[:_SHOWN]}/{self.precision}",
            f"tagger {self.tagger[:_SHOWN]}",
            f"features {self.n_features}@{self.features[:_SHOWN]}",
            f"threshold {self.threshold:.6g}",
            f"name threshold {self.name_threshold:.6g}",
            *(f"{name} {version}" for name, version in self.libraries),
        ]
        # A folder's name may hold anything, and this stays one line.
        return "".join(c if c.isprintable() else "\ufffd" for c in "|".join(parts))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as JSON knows them; `from_dict` reads them back."""
        fields = {name: getattr(self, name) for name in _TYPES}
        return {**fields, "libraries": dict(self.libraries)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Signature:
        """Read a signature out of plain values, trusting none of them.

        Parameters
        ----------
        record : mapping
            What `to_dict` gave, perhaps by way of a file.

        Returns
        -------
        Signature

        Raises
        ------
        InputError
            When a field is missing, unknown or of another type.
        """
        expected = {*_TYPES, "libraries"}
        if set(record) != expected:
            odd = sorted(map(str, set(record) ^ expected))
            msg = f"signature: fields {', '.join(odd)} are missing or unknown"
            raise InputError(msg)
        fields: dict[str, Any] = {}
        for name, kind in _TYPES.items():
            value = record[name]
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if not isinstance(value, kind) or isinstance(value, bool):
                msg = f"signature: {name} is {value!r}; give a {kind.__name__}"
                raise InputError(msg)
            fields[name] = value
        libraries = record["libraries"]
        if not isinstance(libraries, Mapping) or not all(
            isinstance(part, str) for pair in libraries.items() for part in pair
        ):
            msg = f"signature: libraries is {libraries!r}; give names and versions"
            raise InputError(msg)
        return cls(**fields, libraries=tuple(sorted(libraries.items())))


_TYPES: dict[str, type] = {
    "version": str,
    "schema": int,
    "bundle": str,
    "encoder": str,
    "weights": str,
    "precision": str,
    "tagger": str,
    "n_features": int,
    "features": str,
    "threshold": float,
    "name_threshold": float,
}


def columns_digest(columns: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 of the features' names and units, in their order.

    Parameters
    ----------
    columns : iterable of (str, str)
        Name and unit of each feature.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> columns_digest([("similarity", "cosine")])[:12]
    'a130f106b4c0'
    """
    text = "".join(f"{name}\t{unit}\n" for name, unit in columns)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


PARTS = {"relation": "relation.safetensors", "pivot": "pivot.safetensors"}
"""Models that a bundle may hold in a file of their own: their names and their files."""

_COMPUTES = ("numpy", "scikit-learn", "sentence-transformers", "tokenizers", "torch")


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
    parts : mapping of str to str
        SHA-256 of the files of models that stand beside `models.skops`, by their names in `PARTS`.
    training : mapping
        Settings, corpora and counts of the fit, as JSON; nothing reads it back.
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
    parts: Mapping[str, str] = field(default_factory=dict)
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
        record["parts"] = dict(self.parts)
        record["training"] = dict(self.training)
        return json_bytes(record)

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
            parts=_parts(record["parts"]),
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


def json_bytes(record: Mapping[str, Any]) -> bytes:
    """Return a record as UTF-8 JSON with sorted keys, so equal records are equal bytes."""
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def _parts(record: Mapping[str, Any]) -> dict[str, str]:
    if not record.keys() <= PARTS.keys():
        msg = f"parts are {', '.join(record)}; give some of {', '.join(PARTS)}"
        raise ValueError(msg)
    return {str(name): str(digest) for name, digest in record.items()}


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
