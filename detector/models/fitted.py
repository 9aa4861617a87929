"""Save and load `models.skops`, the fitted models of a bundle.

The file may come from elsewhere: skops rebuilds it from a literal list of types, nothing is
unpickled, and the compiled code that walks a tree gets none that it could leave or circle in.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.errors import BundleError
from detector.model_files import shown
from detector.models.bundle import Models

# All types that the file may build. A literal list: a pattern such as "sklearn.*", or what skops
# trusts by itself, would also allow types that run code or hold compiled trees of other kinds.
TRUSTED: Final = (
    "detector.models.adjacency.AdjacencyClassifier",
    "detector.models.estimators.BeadClassifier",
    "detector.models.estimators.SeverityRegressor",
    "numpy.dtype",
    "numpy.float64",
    "numpy.int64",
    "numpy.ndarray",
    "numpy.random._generator.Generator",
    "numpy.uint64",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.impute._base.MissingIndicator",
    "sklearn.impute._base.SimpleImputer",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.preprocessing._label.LabelEncoder",
)
_PLAIN: Final = {f"builtins.{name}" for name in ("dict", "list", "str", "tuple")}
_MOST: Final = 1 << 28  # bytes of the archive's parts, unpacked; ours are below 4 MiB


def to_bytes(models: Models) -> bytes:
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


def from_bytes(data: bytes, place: str, widths: Mapping[str, int]) -> Models:
    """Rebuild and check the models; `widths` has the columns that each model is given.

    Raises
    ------
    BundleError
        When the file, which messages call `place`, is damaged or holds other types or models.
    """
    try:
        return _checked(_rebuilt(data), widths)
    except Exception as err:  # skops and what a foreign model does raise anything
        msg = f"{place}: cannot be rebuilt ({shown(err)}); train or install the bundle again"
        raise BundleError(msg) from err


def _rebuilt(data: bytes) -> object:
    from skops.io import loads

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > _MOST:
            msg = f"it unpacks to {size} bytes; give at most {_MOST}"
            raise ValueError(msg)
        kinds = set(_types(json.loads(archive.read("schema.json"))))
    refused = sorted(kinds - {*TRUSTED, *_PLAIN})
    if refused:
        msg = f"it holds the types {', '.join(refused)}; a bundle holds no such"
        raise ValueError(msg)
    return loads(data, trusted=list(TRUSTED))


def _types(schema: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield the type of every node below one of skops' schema."""
    inner = schema.values() if isinstance(schema, dict) else schema
    for node in inner if isinstance(schema, dict | list) else ():
        yield from _types(node)
    if isinstance(schema, dict) and "__class__" in schema:
        yield f"{schema['__module__']}.{schema['__class__']}"


def _checked(found: Any, widths: Mapping[str, int]) -> Models:  # noqa: ANN401 - as rebuilt
    """Return the models if each is of its kind, and gives numbers for rows of its width."""
    from detector.models.adjacency import AdjacencyClassifier
    from detector.models.estimators import BeadClassifier, SeverityRegressor

    models = Models(**found)
    kinds: dict[str, tuple[Any, Callable[[Any], Callable[[Any], Any]]]] = {
        "drift": (BeadClassifier, lambda model: model.decision_function),
        "severity": (SeverityRegressor, lambda model: model.predict),
        "adjacency": (AdjacencyClassifier, lambda model: model.predictor()),
        "tagged_severity": (SeverityRegressor, lambda model: model.predict),
    }
    for name, (kind, predictor) in kinds.items():
        model = getattr(models, name)
        if model is None and name != "drift":
            continue
        columns = getattr(model, "n_features_in_", None)
        if not isinstance(model, kind) or columns != widths[name]:
            msg = f"{name} is a {type(model).__name__} of {columns} columns; "
            msg += f"give a {kind.__name__} of {widths[name]}"
            raise ValueError(msg)
        _check_parts(model, name, widths[name])
        rows = np.array([[0.0], [1.0]], np.float32).repeat(widths[name], axis=1)
        with np.errstate(all="ignore"):
            predicted = predictor(model)(rows)
        positive = kind is not SeverityRegressor or (model.weights_ >= 0.0).all()
        _require(positive, name, "weights of 0 or above")
        _require(predicted.shape == (2,) and np.isfinite(predicted).all(), name, "predictions")
    return models


def _check_parts(model: object, name: str, n_columns: int) -> None:
    """Check the trees and the arrays of a model."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    for part in _parts(model):
        if isinstance(part, TreePredictor):
            _check_tree(part.nodes, n_columns)
        elif isinstance(part, HistGradientBoostingClassifier):
            _require(part.n_features_in_ == n_columns, name, "a column")
        elif isinstance(part, np.ndarray):
            _require(part.dtype.kind != "f" or np.isfinite(part).all(), name, "finite numbers")
            _require(name == "drift" or part.dtype.kind in "fb", name, "numbers with a fraction")


def _parts(model: object) -> Iterator[object]:
    """Yield a model and every object that it holds."""
    seen: set[int] = set()
    ahead = [model]
    while ahead:
        part = ahead.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            inner = part if isinstance(part, dict) else getattr(part, "__dict__", {})
            ahead += part if isinstance(part, list | tuple) else inner.values()


def _check_tree(nodes: NDArray[Any], n_columns: int) -> None:
    """Check that every node but a leaf leads to later nodes and reads a column of a row."""
    inner = nodes[nodes["is_leaf"] == 0]
    at = np.flatnonzero(nodes["is_leaf"] == 0)
    column = inner["feature_idx"]
    facts = {
        "nodes": len(nodes) > 0,
        "left children": ((inner["left"] > at) & (inner["left"] < len(nodes))).all(),
        "right children": ((inner["right"] > at) & (inner["right"] < len(nodes))).all(),
        "columns": ((column >= 0) & (column < n_columns) & (inner["is_categorical"] == 0)).all(),
        # A threshold of infinity parts missing values from all others.
        "thresholds": not np.isnan(inner["num_threshold"]).any(),
        "values": np.isfinite(nodes["value"]).all(),
    }
    for wanted, holds in facts.items():
        _require(holds, "a tree", f"{wanted} in range")


def _require(holds: bool | np.bool_, name: str, wanted: str) -> None:
    if not holds:
        msg = f"{name} lacks {wanted}"
        raise ValueError(msg)
