"""Read files of models, which may come from elsewhere, and replace folders of them.

What is wrong with a file is a `BundleError` that names it. A folder is replaced only where its
`config.json` lists every file in it with the SHA-256 that the file has: nothing else is deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.encoder import EncoderIdentity
from detector.errors import BundleError, InputError
from detector.text.files import write_whole

CONFIG: Final = "config.json"
"""Name of the file that lists the others of a folder."""

DAMAGED: Final = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError)
"""What reading a record of unknown content may raise."""

LARGEST_EXPORT: Final = 2 << 30
"""Most bytes of a file of an export: ONNX takes no more."""

_LARGEST: Final = 256 << 20  # bytes of a file; ours are below 16 MiB
_SHOWN: Final = 200  # characters of a value or of a library's message


class _Config(Protocol):
    """What a folder's `config.json` holds: the SHA-256 of its other files, by their paths in it."""

    @property
    def files(self) -> Mapping[str, str]: ...

    def to_bytes(self) -> bytes: ...


_C = TypeVar("_C", bound=_Config)


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def json_bytes(record: Mapping[str, Any]) -> bytes:
    """Return a record as UTF-8 JSON with sorted keys, so equal records are equal bytes."""
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def shown(value: object) -> str:
    """Return the start of the first line of a value or an error, for a message."""
    kind = f"{type(value).__name__}: " if isinstance(value, Exception) else ""
    text = str(value) if kind else repr(value)
    return kind + next(iter(text.splitlines()), "")[:_SHOWN]


def read_file(path: Path, mend: str, *, digest: str | None = None, most: int = _LARGEST) -> bytes:
    """Read a regular file of at most `most` bytes, and check its SHA-256 where one is given.

    A link to a regular file is followed. `mend` ends the message of a `BundleError`.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            msg = f"{path}: is no regular file; {mend}"
            raise BundleError(msg)
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as err:
        if isinstance(err, BundleError):
            raise
        why = err.strerror if isinstance(err, OSError) else err
        msg = f"{path}: cannot be read ({why}); {mend}"
        raise BundleError(msg) from err
    if len(data) > most:
        msg = f"{path}: holds more than {most} bytes, which a file has at most; {mend}"
        raise BundleError(msg)
    if digest is not None and sha256(data) != digest:
        msg = f"{path}: SHA-256 is {sha256(data)}, its config says {digest[:64]}; {mend}"
        raise BundleError(msg)
    return data


def read_config(
    path: Path, parse: Callable[[Mapping[str, Any]], _C], *, schema: int, what: str, mend: str
) -> _C:
    """Read a config that `to_bytes` wrote, to the byte.

    `parse` makes it of a record, and may raise any error of `DAMAGED`.
    """
    data = read_file(path, f"{what} is what {mend} wrote")
    try:
        record = json.loads(data)
        found = record["schema"]
        if found == schema:
            config = parse(record)
            if config.to_bytes() != data:
                msg = "it is not in the form that was written"
                raise ValueError(msg)
            return config
    except DAMAGED as err:
        msg = f"{path}: is damaged, or no config of {what} ({shown(err)}); give what {mend} wrote"
        raise BundleError(msg) from err
    msg = f"{path}: has schema {shown(found)}, this version reads {schema}; run {mend} again"
    raise BundleError(msg)


def read_tensors(data: bytes, place: str) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    """Return the metadata and the tensors of a safetensors file."""
    from safetensors.numpy import load

    try:
        tensors = load(data)
        size = int.from_bytes(data[:8], "little")
        metadata: dict[str, str] = json.loads(data[8 : 8 + size]).get("__metadata__", {})
    except Exception as err:  # the library's errors share no root
        msg = f"{place}: cannot be read as safetensors ({shown(err)}); train it again"
        raise BundleError(msg) from err
    return metadata, tensors


def check_tensors(
    tensors: Mapping[str, NDArray[Any]],
    wanted: Mapping[str, str],
    place: str,
    **sizes: int,
) -> None:
    """Raise `BundleError` unless the tensors have the wanted names, types and shapes.

    A wanted tensor is its type and its lengths, as in "float16 n 4". A length with a name is that
    of `sizes`, or the same wherever the name stands. Numbers with a fraction must be finite.
    """
    odd = sorted(tensors.keys() ^ wanted.keys())
    problem = f"holds or lacks {', '.join(map(shown, odd[:4]))}" if odd else ""
    for name, known in () if odd else wanted.items():
        tensor, (dtype, *lengths) = tensors[name], known.split()
        found = (str(tensor.dtype), *map(str, tensor.shape))
        fits = len(found) == len(lengths) + 1
        for length, size in zip(lengths, tensor.shape, strict=False):
            fits &= size == (int(length) if length.isdigit() else sizes.setdefault(length, size))
        if found[0] != dtype or not fits:
            problem = f"{name} is {' '.join(found)}, not {known} with {sizes}"
        elif tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            problem = f"{name} holds numbers that are not finite"
    if problem:
        msg = f"{place}: {problem}; it is damaged, train it again"
        raise BundleError(msg)


def check_encoder(
    fitted: EncoderIdentity, in_use: EncoderIdentity, *, folder: Path, what: str
) -> None:
    """Raise `BundleError` unless the encoder in use has the weights that a model was fitted on.

    `folder` holds the model; `what` names it in the message. Arithmetic may differ.
    """
    if in_use.weights_sha256 != fitted.weights_sha256:
        msg = (
            f"{folder}: was fitted on the encoder {fitted.name} with weights "
            f"{fitted.weights_sha256[:12]}, the one in use is {in_use.name} with "
            f"{in_use.weights_sha256[:12]}; train a {what} for it, or use the fitted one"
        )
        raise BundleError(msg)


def check_out(folder: Path, read: Callable[[Path], _Config], what: str) -> None:
    """Raise `InputError` unless a folder is absent, empty, or may be replaced.

    It may where `read` reads its config, and it holds nothing but files that this lists, each with
    its SHA-256. Messages call such a folder `what`. No link is followed.
    """
    accepted = f"name a new folder, or one with {what} and nothing else in it"
    try:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            msg = f"{folder}: is a link or a file; {accepted}"
            raise InputError(msg)
        if not folder.exists() or not any(folder.iterdir()):
            return
        listed = {CONFIG: None, **read(folder).files}
        inner = {parent.as_posix() for name in listed for parent in PurePosixPath(name).parents}
        for path in folder.rglob("*"):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or name not in (inner if path.is_dir() else listed):
                msg = f"{path}: is not of {what}; {accepted}"
                raise InputError(msg)
            if name in listed:
                read_file(path, "it was changed", digest=listed[name], most=LARGEST_EXPORT)
    except BundleError as err:
        msg = f"{folder}: is not {what} and is not empty; {accepted} ({err})"
        raise InputError(msg) from err
    except OSError as err:
        msg = f"{folder}: cannot be read ({err.strerror}); {accepted}"
        raise InputError(msg) from err


def replace_folder(
    folder: Path, files: Mapping[str, bytes], read: Callable[[Path], _Config], what: str
) -> None:
    """Write a folder of files by their paths in it, whole or not at all; see `check_out`.

    It is written beside its place and renamed, after the folder that was there, which is checked
    again before it is deleted.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - `resolve` would follow links
    check_out(folder, read, what)
    token = secrets.token_hex(8)
    beside, behind = (folder.parent / f".{token}.{end}" for end in ("part", "old"))
    try:
        beside.mkdir(parents=True)
        for name, data in files.items():
            (beside / name).parent.mkdir(exist_ok=True)
            write_whole(beside / name, data)
        if folder.exists():
            beside.chmod(stat.S_IMODE(folder.stat().st_mode))
            folder.rename(behind)
            check_out(behind, read, what)
        beside.rename(folder)
        shutil.rmtree(behind, ignore_errors=True)
    except (OSError, ValueError) as err:
        if isinstance(err, InputError):
            raise
        msg = f"{folder}: cannot be written ({shown(err)}); name a folder that can be"
        raise InputError(msg) from err
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if behind.exists() and not folder.exists():
            behind.rename(folder)
