"""What a bundle's `config.json` holds, and the signature of its scores.

It opens no file (`store` does) and imports no library that computes, so `detector --version` stays
quick.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from itertools import pairwise
from typing import Any

from detector import __version__
from detector.encoder import EncoderIdentity
from detector.errors import InputError
from detector.model_files import json_bytes, sha256
from detector.names.calibration import TAGGED_CHANGES, NameOdds

_SHOWN = 12  # hexadecimal digits of a digest on the printed line


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Everything that scores depend on, besides the two texts; prints on one line.

    Attributes
    ----------
    version, schema
        Version of `detector` and layout of the bundle.
    bundle, tagger : str
        SHA-256 of each one's config, which holds those of the weights; "none" without a tagger.
    encoder, weights, precision : str
        The encoder's name, the SHA-256 of its weights, and fp32 or bf16.
    n_features, features
        Columns of the drift model, and the SHA-256 of their names and units, in order.
    threshold, name_threshold : float
        Probabilities in [0, 1] from which a sentence is flagged and a name counts as damaged.
    libraries : tuple of (str, str)
        Distribution and version of the numerical libraries, sorted by name.

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
        # The name of an encoder's folder may hold any character.
        return "".join(c if c.isprintable() else "\ufffd" for c in "|".join(parts))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values; `from_dict` reads them back."""
        return {**asdict(self), "libraries": dict(self.libraries)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Signature:
        """Read and check what `to_dict` gave.

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
        values: dict[str, Any] = {}
        for name, kind in _TYPES.items():
            value = record[name]
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if not isinstance(value, kind) or isinstance(value, bool):
                msg = f"signature: {name} is {value!r}; give a {kind.__name__}"
                raise InputError(msg)
            values[name] = value
        libraries = record["libraries"]
        if not isinstance(libraries, Mapping) or not all(
            isinstance(part, str) for pair in libraries.items() for part in pair
        ):
            msg = f"signature: libraries is {libraries!r}; give names and versions"
            raise InputError(msg)
        return cls(**values, libraries=tuple(sorted(libraries.items())))


_TYPES: dict[str, type] = {
    f.name: {"str": str, "int": int, "float": float}[f.type]
    for f in fields(Signature)
    if isinstance(f.type, str) and f.name != "libraries"
}


def columns_digest(columns: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 of the features' names and units, in their order."""
    text = "".join(f"{name}\t{unit}\n" for name, unit in columns)
    return sha256(text.encode("utf-8"))


MODELS, CARD, METRICS = "models.skops", "README.md", "metrics.json"
PARTS = {"relation": "relation.safetensors", "pivot": "pivot.safetensors"}
"""Name and file of the optional models that are not in `models.skops`."""
TAGGER = "tagger"
"""Folder of the tagger in a bundle's."""
TAGGER_FILES = frozenset({f"{TAGGER}/config.json", f"{TAGGER}/tagger.safetensors"})

_LIBRARIES = ("numpy", "scikit-learn", "sentence-transformers", "tokenizers", "torch")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedConfig:
    """Settings of the models that use a tagger.

    The fields are those of `BundleConfig` for use with a tagger. `tagger` is the SHA-256 of its
    config; `blend` ends in the weight of the tagger's log(1 + odds) of drift, 0 or above; without
    `names`, names are calibrated without the tags.
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
    schema, version
        Layout of the bundle, and version of `detector` that trained it.
    threshold, name_threshold : float
        Probabilities in [0, 1] from which a sentence is flagged and a name counts as damaged.
    name_beliefs : tuple of (float, float)
        Points, rising, of the piecewise linear map from a naming rule's confidence to a
        probability. Empty: the confidence is the probability.
    blend : (float, float, float)
        Intercept, weight of the drift model's log-odds and weight of log(1 + severity) in the
        log-odds of drift; both weights are 0 or above.
    columns : tuple of (str, str)
        Name and unit of the features, in the order of the drift model's columns.
    encoder : EncoderIdentity
        The encoder whose vectors it was fitted on.
    libraries : mapping of str to str
        Versions it was fitted with; another minor version of scikit-learn is refused.
    files : mapping of str to str
        SHA-256 of every other file of the bundle, by its path in the folder.
    tagged : TaggedConfig or None
        None where the bundle was fitted without a tagger.
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
    files: Mapping[str, str]
    tagged: TaggedConfig | None = None
    training: Mapping[str, Any]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(name for name, _ in self.columns)

    @property
    def digest(self) -> str:
        """SHA-256 over the config without the digests of card and metrics, which score nothing."""
        used = {name: known for name, known in self.files.items() if name not in (CARD, METRICS)}
        return sha256(replace(self, files=used).to_bytes())

    def to_bytes(self) -> bytes:
        """Return the content of `config.json`; equal configs are equal bytes."""
        return json_bytes(asdict(self))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> BundleConfig:
        """Read what `to_bytes` wrote, once parsed.

        Raises
        ------
        KeyError, TypeError, ValueError, AttributeError
            When a field is missing or of another type; `read_config` adds the file's name.
        """
        intercept, margin, severity = _blend(record["blend"], 3)
        beliefs = tuple(
            (probability(a, "name_beliefs"), probability(b, "name_beliefs"))
            for a, b in record["name_beliefs"]
        )
        if any(not (a < c and b <= d) for (a, b), (c, d) in pairwise(beliefs)):
            msg = f"name_beliefs are {record['name_beliefs']!r}; give pairs that rise"
            raise ValueError(msg)
        tagged = record["tagged"]
        if tagged is not None:
            a, b, c, d = _blend(tagged["blend"], 4)
            tagged = TaggedConfig(
                tagger=str(tagged["tagger"]),
                threshold=probability(tagged["threshold"], "tagged threshold"),
                blend=(a, b, c, d),
                name_threshold=probability(tagged["name_threshold"], "tagged name_threshold"),
                names=_name_odds(tagged["names"]),
            )
        return cls(
            schema=int(record["schema"]),
            version=str(record["version"]),
            threshold=probability(record["threshold"], "threshold"),
            name_threshold=probability(record["name_threshold"], "name_threshold"),
            name_beliefs=beliefs,
            blend=(intercept, margin, severity),
            columns=tuple((str(name), str(unit)) for name, unit in record["columns"]),
            encoder=EncoderIdentity.from_dict(record["encoder"]),
            libraries={str(k): str(v) for k, v in record["libraries"].items()},
            files=_files(record["files"], tagged=tagged is not None),
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

        The encoder and the thresholds are the bundle's own where none are given; `tagger` says
        whether the bundle's tagger, if any, is in use.
        """
        encoder = encoder or self.encoder
        tagged = self.tagged if tagger else None
        used = tagged or self
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
            threshold=used.threshold if threshold is None else threshold,
            name_threshold=used.name_threshold if name_threshold is None else name_threshold,
            libraries=tuple(sorted(library_versions().items())),
        )


def _files(record: Mapping[str, Any], *, tagged: bool) -> dict[str, str]:
    needed = {MODELS, CARD, *(TAGGER_FILES if tagged else ())}
    if not needed <= record.keys() <= {*needed, METRICS, *PARTS.values()}:
        msg = f"files are {', '.join(record)}; give {', '.join(sorted(needed))}, and may give "
        msg += ", ".join((METRICS, *PARTS.values()))
        raise ValueError(msg)
    return {str(name): str(digest) for name, digest in record.items()}


def probability(value: Any, name: str) -> float:  # noqa: ANN401 - read from a file
    """Return a number in [0, 1] out of a record, or raise a `ValueError` or its like."""
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
    """Return the installed versions of the libraries that scores are computed with."""
    versions = dict.fromkeys(_LIBRARIES, "absent")
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            versions[name] = installed_version(name)
    return versions
