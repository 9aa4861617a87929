"""A pivot model in a file of its own: written whole, read by its digest.

What the bytes mean is said in `pivoting.model`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from detector.errors import BundleError
from detector.pivoting.model import PivotModel
from detector.reading.files import write_whole

_LARGEST = 64 << 20  # bytes; ours is below 8 MiB


def save(model: PivotModel, path: Path) -> str:
    """Write a model, and its SHA-256 beside it in a file that ends in `.sha256`.

    Returns
    -------
    str
        The digest in hexadecimal.
    """
    data = model.to_bytes()
    digest = hashlib.sha256(data).hexdigest()
    write_whole(path, data)
    write_whole(_beside(path), f"{digest}  {path.name}\n")
    return digest


def load(path: Path) -> PivotModel:
    """Read a model and make sure that it is the one its digest names.

    Raises
    ------
    BundleError
        When it or its digest is missing, or it is damaged or of another schema.
    """
    wanted = _read(_beside(path)).decode("utf-8", "replace").split()[:1]
    data = _read(path)
    found = hashlib.sha256(data).hexdigest()
    if [found] != wanted:
        msg = (
            f"{path}: SHA-256 is {found}, {_beside(path).name} says {' '.join(wanted) or 'nothing'}"
            "; it is damaged, train or install it again"
        )
        raise BundleError(msg)
    return PivotModel.from_bytes(data)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            msg = f"{path}: holds {path.stat().st_size} bytes; a pivot model has at most {_LARGEST}"
            raise BundleError(msg)
        return path.read_bytes()
    except OSError as err:
        msg = (
            f"{path}: cannot be read ({err.strerror}); a pivot model is what `detector train "
            "pivot` wrote, with its .sha256 beside it"
        )
        raise BundleError(msg) from err
