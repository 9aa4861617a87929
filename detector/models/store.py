"""Save and load a bundle's folder: fitted models, their config, metrics and card.

A bundle may come from elsewhere: only files that the config lists are read, each is checked
before use, and one that does not fit this program is refused with both values named.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector import model_files
from detector.encoder import EncoderIdentity
from detector.errors import BundleError, InputError
from detector.model_files import (
    CONFIG,
    DAMAGED,
    check_encoder,
    json_bytes,
    read_file,
    sha256,
    shown,
)
from detector.models import fitted
from detector.models.bundle import STACKED, Bundle, Models
from detector.models.bundle_config import (
    CARD,
    METRICS,
    MODELS,
    PARTS,
    TAGGER,
    BundleConfig,
    TaggedConfig,
    columns_digest,
    library_versions,
)
from detector.models.tagger import Tagger
from detector.models.tagger import load as load_tagger
from detector.models.tagger import to_files as tagger_files
from detector.pivot.model import PivotModel
from detector.relation.model import RelationModel

__all__ = [
    "DEFAULT",
    "SCHEMA",
    "Bundle",
    "BundleConfig",
    "Models",
    "TaggedConfig",
    "check_out",
    "load",
    "pivot_of",
    "read_config",
    "read_metrics",
    "relation_of",
    "save",
]

SCHEMA = 7
"""Layout of the folder and of `config.json`; another one is refused."""

DEFAULT = Path(__file__).resolve().parent.parent / "bundles" / "default"
"""The bundle that comes with the package."""

_WHAT = "a bundle"
_MEND = "the bundle is damaged, train or install it again"


def check_out(folder: Path) -> None:
    """Raise `InputError` unless `save` may write there: nothing, or a bundle as it was saved."""
    model_files.check_out(folder, read_config, _WHAT)


def save(bundle: Bundle, folder: Path) -> BundleConfig:
    """Write a bundle, whole or not at all, and return its config with the digests of its files.

    The bytes depend on the fitted values alone, so the same training gives the same digest.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
        Created, or replaced if it holds a bundle and nothing else.

    Raises
    ------
    InputError
        When `check_out` refuses the folder, or the config is for a tagger that is lacking.
    """
    if bundle.config.tagged is not None and bundle.tagger is None:
        msg = f"{folder}: the bundle was fitted with a tagger and lacks it; load it with its tagger"
        raise InputError(msg)
    files = {MODELS: fitted.to_bytes(bundle.models), CARD: bundle.card.encode("utf-8")}
    optional = {file: getattr(bundle, name) for name, file in PARTS.items()}
    files |= {file: model.to_bytes() for file, model in optional.items() if model is not None}
    if bundle.metrics:
        files[METRICS] = json_bytes(dict(bundle.metrics))
    if bundle.tagger is not None and bundle.config.tagged is not None:
        own = tagger_files(bundle.tagger)
        files |= {f"{TAGGER}/{name}": content for name, content in own.items()}
    digests = {name: sha256(content) for name, content in files.items()}
    config = replace(bundle.config, files=digests)
    model_files.replace_folder(folder, {**files, CONFIG: config.to_bytes()}, read_config, _WHAT)
    return config


def load(
    folder: Path | None = None,
    *,
    encoder: EncoderIdentity | None = None,
    tagger: Tagger | bool = True,
    pivot: bool = False,
) -> Bundle:
    """Load a bundle and check that it fits this program and the encoder.

    Parameters
    ----------
    folder : Path, optional
        By default the bundle inside the package.
    encoder : EncoderIdentity, optional
        The encoder in use. Its weights must be those that the models were fitted with; its
        precision may differ (cosines move by less than 1e-3).
    tagger : Tagger or bool
        Whether to load the bundle's tagger, where it has one; or that tagger, run by another
        backend than torch.
    pivot : bool
        Whether to load the bundle's pivot model, where it has one.

    Raises
    ------
    BundleError
        When the bundle is missing, damaged, of another schema, feature list, encoder or
        scikit-learn, holds a type that is not trusted, or lacks the tagger it was fitted with.
    """
    folder = DEFAULT if folder is None else folder
    config = read_config(folder)
    _check(config, folder, encoder)
    data = _read(folder, config, MODELS)
    own_tagger = None
    if tagger and config.tagged is not None:
        own_tagger = _checked_tagger(tagger, config.tagged, folder, config.encoder)
    return Bundle(
        models=fitted.from_bytes(data, str(folder / MODELS), _widths(config)),
        config=config,
        tagger=own_tagger,
        relation=_relation(config, folder),
        pivot=_pivot(config, folder) if pivot else None,
        card=_read(folder, config, CARD).decode("utf-8", errors="replace"),
        metrics=_metrics(folder, config),
    )


def relation_of(
    folder: Path | None = None, *, encoder: EncoderIdentity | None = None
) -> RelationModel | None:
    """Load a bundle's relation model alone; None where it has none for this encoder."""
    folder = DEFAULT if folder is None else folder
    config = read_config(folder)
    if encoder is not None and encoder.weights_sha256 != config.encoder.weights_sha256:
        return None
    return _relation(config, folder)


def pivot_of(folder: Path | None = None) -> PivotModel | None:
    """Load a bundle's pivot model alone; None where it has none."""
    folder = DEFAULT if folder is None else folder
    return _pivot(read_config(folder), folder)


def _relation(config: BundleConfig, folder: Path) -> RelationModel | None:
    name = PARTS["relation"]
    if name not in config.files:
        return None
    return RelationModel.from_bytes(_read(folder, config, name), place=str(folder / name))


def _pivot(config: BundleConfig, folder: Path) -> PivotModel | None:
    name = PARTS["pivot"]
    if name not in config.files:
        return None
    return PivotModel.from_bytes(_read(folder, config, name), place=str(folder / name))


def _read(folder: Path, config: BundleConfig, name: str) -> bytes:
    """Read a file that the config lists, and check its SHA-256."""
    return read_file(folder / name, _MEND, digest=config.files[name])


def _checked_tagger(
    given: Tagger | bool, tagged: TaggedConfig, folder: Path, encoder: EncoderIdentity
) -> Tagger:
    """Return the tagger given, or else the folder's, if the bundle was fitted with it."""
    own = given if isinstance(given, Tagger) else load_tagger(folder / TAGGER, encoder=encoder)
    if own.digest != tagged.tagger:
        what, mend = str(folder / TAGGER), _MEND
        if own is given:
            what, mend = f"{folder}: the tagger given", "export this bundle's own"
        msg = f"{what}: SHA-256 of its config is {own.digest}, "
        msg += f"the bundle was fitted with {tagged.tagger}; {mend}"
        raise BundleError(msg)
    return own


def read_config(folder: Path | None = None) -> BundleConfig:
    """Read a bundle's config alone, by default the package's own; this loads no model.

    Raises
    ------
    BundleError
        When it is missing, damaged or of another schema.
    """
    folder = DEFAULT if folder is None else folder
    return model_files.read_config(
        folder / CONFIG,
        BundleConfig.from_record,
        schema=SCHEMA,
        what=_WHAT,
        mend="`detector train drift`",
    )


def read_metrics(folder: Path | None = None) -> dict[str, Any]:
    """Read the evaluation figures of a bundle's training; empty where it has none."""
    folder = DEFAULT if folder is None else folder
    return _metrics(folder, read_config(folder))


def _metrics(folder: Path, config: BundleConfig) -> dict[str, Any]:
    if METRICS not in config.files:
        return {}
    data = _read(folder, config, METRICS)
    try:
        metrics = json.loads(data)
        if isinstance(metrics, dict):
            return metrics
        problem = type(metrics).__name__
    except DAMAGED as err:
        problem = shown(err)
    msg = f"{folder / METRICS}: holds no metrics by name ({problem}); {_MEND}"
    raise BundleError(msg)


def _check(config: BundleConfig, folder: Path, encoder: EncoderIdentity | None) -> None:
    from detector.features.features import FEATURES

    columns = tuple((feature.name, feature.unit) for feature in FEATURES)
    if config.columns != columns:
        odd = sorted(set(config.features) ^ {name for name, _ in columns})
        difference = f"not in both: {', '.join(odd)}" if odd else "other order or units"
        msg = f"{folder}: was fitted on {len(config.columns)} features "
        msg += f"({columns_digest(config.columns)[:12]}), this version computes {len(columns)} "
        msg += f"({columns_digest(columns)[:12]}); {difference}; train it again"
        raise BundleError(msg)
    if encoder is not None:
        check_encoder(config.encoder, encoder, folder=folder, what="bundle")
    fitted = config.libraries.get("scikit-learn", "unknown")
    here = library_versions()["scikit-learn"]
    if fitted.split(".")[:2] != here.split(".")[:2]:
        msg = f"{folder}: was fitted with scikit-learn {fitted}, installed is {here}; "
        msg += "install that minor version, or train it again"
        raise BundleError(msg)


def _widths(config: BundleConfig) -> dict[str, int]:
    """Return the columns that each fitted model is given."""
    from detector.features.adjacency import width

    columns = len(config.columns)
    return {
        "drift": columns,
        "severity": columns,
        "adjacency": width(config.encoder.dimension),
        "tagged_severity": len(STACKED),
    }
