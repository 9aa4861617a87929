"""`Signature`: what produced a probability, as an explicit record that prints on one line.

It names versions, digests and thresholds, so that two reports can be told to be comparable or
not. It opens no file and imports no library; `store` fills it in.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from detector.errors import InputError

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
