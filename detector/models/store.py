"""Save and load a bundle's folder: fitted models, their config, metrics and card.

A bundle may come from elsewhere: skops rebuilds the models from a literal list of types, nothing
is unpickled, and a bundle that does not fit this program is refused with both values named.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from detector.encoder import EncoderIdentity, check_encoder
from detector.errors import BundleError, InputError
from detector.models.bundle import STACKED, Bundle, Models
from detector.models.bundle_config import (
    PARTS,
    BundleConfig,
    TaggedConfig,
    columns_digest,
    json_bytes,
    library_versions,
    sha256,
)
from detector.models.tagger import Tagger
from detector.models.tagger import load as load_tagger
from detector.models.tagger import save as save_tagger
from detector.pivot.model import PivotModel
from detector.relation.model import RelationModel

__all__ = [
    "DEFAULT",
    "SCHEMA",
    "Bundle",
    "BundleConfig",
    "Models",
    "TaggedConfig",
    "load",
    "pivot_of",
    "read_config",
    "read_metrics",
    "relation_of",
    "save",
]

SCHEMA = 6
"""Layout of the folder and of `config.json`; another one is refused."""

DEFAULT = Path(__file__).resolve().parent.parent / "bundles" / "default"
"""The bundle that comes with the package."""

# Types that a models.skops may build beyond those that skops trusts. A literal list: a pattern
# such as "sklearn.*" would also allow types that can be made to run code.
TRUSTED = (
    "detector.models.estimators.BeadClassifier",
    "detector.models.adjacency.AdjacencyClassifier",
    "detector.models.estimators.SeverityRegressor",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)

_MODELS, _CONFIG, _CARD, _TAGGER = "models.skops", "config.json", "README.md", "tagger"
_METRICS = "metrics.json"  # optional, and in no digest
_LARGEST = 64 << 20  # bytes of a file; ours are below 3 MiB


def save(bundle: Bundle, folder: Path) -> BundleConfig:
    """Write a bundle, whole or not at all, and return its config with the digests of its files.

    The bytes depend on the fitted values alone, so the same training gives the same digest.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
        Created, or replaced if it holds a bundle.

    Raises
    ------
    InputError
        When `folder` exists and is not a bundle.
    """
    empty = folder.is_dir() and not any(folder.iterdir())
    if folder.exists() and not (folder / _CONFIG).is_file() and not empty:
        msg = f"{folder}: is not a bundle and is not empty; name a new folder, or a bundle's"
        raise InputError(msg)
    models = _models_bytes(bundle.models)
    optional = {name: getattr(bundle, name) for name in PARTS}
    parts = {name: model.to_bytes() for name, model in optional.items() if model is not None}
    config = replace(
        bundle.config,
        models=sha256(models),
        parts={name: sha256(content) for name, content in parts.items()},
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        (partial / _MODELS).write_bytes(models)
        (partial / _CARD).write_text(bundle.card, encoding="utf-8", newline="\n")
        for name, content in parts.items():
            (partial / PARTS[name]).write_bytes(content)
        (partial / _CONFIG).write_bytes(config.to_bytes())
        if bundle.metrics:
            (partial / _METRICS).write_bytes(json_bytes(dict(bundle.metrics)))
        if bundle.tagger is not None:
            save_tagger(bundle.tagger, partial / _TAGGER)
        if folder.exists():
            shutil.rmtree(folder)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
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
    models = _load_models(_read_checked(folder / _MODELS, config.models), folder / _MODELS)
    _check_widths(models, config, folder)
    own_tagger = None
    if tagger and config.tagged is not None:
        own_tagger = _checked_tagger(tagger, config.tagged, folder, config.encoder)
    return Bundle(
        models=models,
        config=config,
        tagger=own_tagger,
        relation=_relation(config, folder),
        pivot=_pivot(config, folder) if pivot else None,
        card=_read(folder / _CARD).decode("utf-8", errors="replace"),
        metrics=read_metrics(folder),
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
    if "relation" not in config.parts:
        return None
    path = folder / PARTS["relation"]
    return RelationModel.from_bytes(_read_checked(path, config.parts["relation"]), place=str(path))


def _pivot(config: BundleConfig, folder: Path) -> PivotModel | None:
    if "pivot" not in config.parts:
        return None
    return PivotModel.from_bytes(_read_checked(folder / PARTS["pivot"], config.parts["pivot"]))


def _read_checked(path: Path, digest: str) -> bytes:
    """Read a file and check its SHA-256."""
    content = _read(path)
    found = sha256(content)
    if found != digest:
        msg = f"{path}: SHA-256 is {found}, its config says {digest}; "
        msg += "the bundle is damaged, train or install it again"
        raise BundleError(msg)
    return content


def _checked_tagger(
    given: Tagger | bool, tagged: TaggedConfig, folder: Path, encoder: EncoderIdentity
) -> Tagger:
    """Return the tagger given, or else the folder's, if the bundle was fitted with it."""
    own = given if isinstance(given, Tagger) else load_tagger(folder / _TAGGER, encoder=encoder)
    if own.digest != tagged.tagger:
        what, mend = str(folder / _TAGGER), "the bundle is damaged, train or install it again"
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
    path = (DEFAULT if folder is None else folder) / _CONFIG
    data = _read(path)
    try:
        record = json.loads(data)
        schema = record["schema"]
    except (ValueError, KeyError, TypeError) as err:
        msg = f"{path}: is no bundle config ({type(err).__name__}); "
        msg += "name a folder that `detector train` wrote"
        raise BundleError(msg) from err
    if schema != SCHEMA:
        msg = f"{path}: has schema {schema!r}, this version reads {SCHEMA}; train it again"
        raise BundleError(msg)
    try:
        return BundleConfig.from_record(record)
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        msg = f"{path}: is damaged ({type(err).__name__}: {err}); train or install the bundle again"
        raise BundleError(msg) from err


def read_metrics(folder: Path | None = None) -> dict[str, Any]:
    """Read the evaluation figures of a bundle's training; empty where it has none."""
    path = (DEFAULT if folder is None else folder) / _METRICS
    if not path.exists():
        return {}
    try:
        metrics = json.loads(_read(path))
    except ValueError as err:
        msg = f"{path}: is no JSON ({err}); remove it, or install the bundle again"
        raise BundleError(msg) from err
    if not isinstance(metrics, dict):
        msg = f"{path}: holds a {type(metrics).__name__}; give metrics by name, or remove it"
        raise BundleError(msg)
    return metrics


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


def _check_widths(models: Models, config: BundleConfig, folder: Path) -> None:
    from detector.features.adjacency import width

    wanted = (
        ("drift", models.drift, len(config.columns)),
        ("severity", models.severity, len(config.columns)),
        ("adjacency", models.adjacency, width(config.encoder.dimension)),
        ("tagged_severity", models.tagged_severity, len(STACKED)),
    )
    for name, model, columns in wanted:
        if model is not None and model.n_features_in_ != columns:
            msg = f"{folder}: the model {name} reads {model.n_features_in_} columns, this version "
            msg += f"and its config give {columns}; the bundle is damaged or old, train it again"
            raise BundleError(msg)


def _load_models(data: bytes, path: Path) -> Models:
    from skops.io import get_untrusted_types, loads

    from detector.models.adjacency import AdjacencyClassifier
    from detector.models.estimators import BeadClassifier, SeverityRegressor

    try:
        refused = sorted(set(get_untrusted_types(data=data)) - set(TRUSTED))
        if not refused:
            found = loads(data, trusted=list(TRUSTED))
    except Exception as err:
        msg = f"{path}: cannot be rebuilt ({type(err).__name__}: {err}); train the bundle again"
        raise BundleError(msg) from err
    if refused:
        msg = f"{path}: holds the types {', '.join(refused)}; allowed are {', '.join(TRUSTED)}"
        raise BundleError(msg)
    kinds = {
        "drift": BeadClassifier,
        "severity": SeverityRegressor,
        "adjacency": AdjacencyClassifier,
        "tagged_severity": SeverityRegressor,
    }
    if not isinstance(found, dict) or "drift" not in found or not found.keys() <= kinds.keys():
        held = ", ".join(map(str, found)) if isinstance(found, dict) else type(found).__name__
        msg = f"{path}: holds {held}; a bundle holds drift, and may hold {', '.join(kinds)}"
        raise BundleError(msg)
    for name, model in found.items():
        if not isinstance(model, kinds[name]):
            msg = f"{path}: {name} is a {type(model).__name__}; give a {kinds[name].__name__}"
            raise BundleError(msg)
    return Models(**found)


def _models_bytes(models: Models) -> bytes:
    """Return skops' archive without memory addresses and dates.

    skops names parts by `id()` and stamps the archive with the time. Numbered in order of
    appearance and dated 1980, the same values give the same bytes.
    """
    from skops.io import dumps

    by_name = {f.name: getattr(models, f.name) for f in fields(models)}
    fitted = {name: model for name, model in by_name.items() if model is not None}
    with zipfile.ZipFile(io.BytesIO(dumps(fitted))) as archive:
        schema = archive.read("schema.json").decode("utf-8")
        parts = {name: archive.read(name) for name in archive.namelist() if name != "schema.json"}
    numbers: dict[str, str] = {}
    for address in re.findall(r'(?:"__id__": |"file": ")(\d+)', schema):
        numbers.setdefault(address, str(len(numbers)))
    schema = re.sub(
        r'("__id__": |"file": ")(\d+)', lambda m: m.group(1) + numbers[m.group(2)], schema
    )
    renamed = {
        numbers[stem] + dot + ending: content
        for name, content in parts.items()
        for stem, dot, ending in [name.partition(".")]
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [("schema.json", schema.encode("utf-8")), *sorted(renamed.items())]:
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            msg = f"{path}: holds {path.stat().st_size} bytes; a file has at most {_LARGEST}"
            raise BundleError(msg)
        return path.read_bytes()
    except OSError as err:
        msg = f"{path}: cannot be read ({err.strerror}); "
        msg += f"a bundle is a folder that holds {_MODELS}, {_CONFIG} and {_CARD}"
        raise BundleError(msg) from err
