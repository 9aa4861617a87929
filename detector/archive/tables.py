"""Where an archive lies, and its empty tables: found, made, locked for one writer.

What LanceDB raises becomes an `InputError` here. Nothing here reads or writes an article.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from detector.encode import EncoderIdentity
from detector.errors import InputError, MissingExtra
from detector.showing.display import safe

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA: Final = 1
"""Layout of the tables; an archive of another is refused."""

STORED: Final = np.float16
"""Precision of the stored vectors: retrieval is as good as in float32 (docs/scale.md)."""

_FOLLOWED: Final = timedelta(seconds=2)  # a reader sees what a writer wrote after so long
_TABLES: Final = ("articles", "sentences", "settings")
_LOCK: Final = ".writing"


def open_tables(
    uri: str, *, create: EncoderIdentity | None = None
) -> tuple[dict[str, Any], EncoderIdentity]:
    """Open the tables of an archive.

    Parameters
    ----------
    uri : str
        A folder, or an address that LanceDB takes, such as `s3://bucket/archive`.
    create : EncoderIdentity, optional
        Make an archive for this encoder where there is none; by default that is an error.

    Returns
    -------
    (dict of str to table, EncoderIdentity)
        `articles`, `sentences` and `settings`, and whose vectors they hold.

    Raises
    ------
    InputError
        When there is no archive, or it is damaged or of another layout.
    MissingExtra
        When LanceDB is not installed.
    """
    folder = folder_of(uri)
    lancedb = _lancedb()
    if create is None and folder is not None and not folder.is_dir():
        msg = f"{safe(uri)}: there is no archive here; make one with: detector archive add"
        raise InputError(msg)
    with guarded(uri, "opened"):
        base = lancedb.connect(uri, read_consistency_interval=_FOLLOWED)
        names = set(base.list_tables().tables)
    if "settings" not in names:
        if create is None:
            msg = f"{safe(uri)}: there is no archive here; make one with: detector archive add"
            raise InputError(msg)
        _make(uri, base, names, create)
    with guarded(uri, "opened"):
        tables = {name: base.open_table(name) for name in _TABLES}
        rows = tables["settings"].search().where("key = 'archive'").to_list()
        made = json.loads(rows[0]["value"])
        schema = made["schema"]
    if schema != SCHEMA:
        msg = (
            f"{safe(uri)}: the archive has schema {safe(str(schema))}, this version reads "
            f"{SCHEMA}; use the version that made it, or add its articles to a new one"
        )
        raise InputError(msg)
    with guarded(uri, "opened"):
        return tables, EncoderIdentity(**made["encoder"])


@contextmanager
def locked(uri: str | Path) -> Iterator[None]:
    """Be the only writer of a local archive; one elsewhere is not locked.

    Raises
    ------
    InputError
        When another process writes to it, or the folder cannot be written to or is another's.
    """
    folder = folder_of(str(uri))
    if folder is None:
        yield
        return
    import fcntl

    if strange := _others(folder):
        msg = f"{safe(str(uri))}: the folder holds {safe(strange)}, no archive; give a new folder"
        raise InputError(msg)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _LOCK).open("ab")
    except OSError as err:
        msg = f"{safe(str(uri))}: cannot be written ({err.strerror}); give a folder that can be"
        raise InputError(msg) from err
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            msg = f"{safe(str(uri))}: another process is writing to this archive; wait for its end"
            raise InputError(msg) from err
        yield  # the system lets go of the lock when the file is closed, or the process killed


def folder_of(uri: str) -> Path | None:
    """Return the folder of a local archive; None for one elsewhere."""
    return None if "://" in uri else Path(uri)


@contextmanager
def guarded(uri: str, doing: str) -> Iterator[None]:
    """Turn what the library raises into an `InputError` that names the archive."""
    try:
        yield
    except InputError:
        raise
    except (RuntimeError, ValueError, OSError, LookupError, TypeError) as err:
        first = next(iter(str(err).splitlines()), "") or type(err).__name__
        msg = (
            f"{safe(uri)}: the archive cannot be {doing} ({safe(first[:300])}); free space or "
            "rights if they are lacking, else it is damaged: bring back a backup, or make it anew"
        )
        raise InputError(msg) from err


def _make(uri: str, base: Any, names: set[str], encoder: EncoderIdentity) -> None:  # noqa: ANN401
    """Make the tables; `settings` comes last, so without it there is no archive yet."""
    import pyarrow as pa

    with guarded(uri, "made"):
        for name in names & set(_TABLES):
            base.drop_table(name)  # of a process killed while it made them
        base.create_table("articles", schema=articles_schema())
        base.create_table("sentences", schema=sentences_schema(encoder.dimension))
        made = json.dumps({"schema": SCHEMA, "encoder": encoder.to_dict()})
        schema = pa.schema([("key", pa.string()), ("value", pa.string())])
        base.create_table("settings", [{"key": "archive", "value": made}], schema=schema)


def _others(folder: Path | None) -> str:
    """Return the name of a file where there is no archive; empty when there is one, or nothing."""
    if folder is None or not folder.is_dir() or (folder / "settings.lance").exists():
        return ""
    ours = {f"{name}.lance" for name in _TABLES} | {_LOCK}
    return next((path.name for path in sorted(folder.iterdir()) if path.name not in ours), "")


def articles_schema() -> pa.Schema:
    """Return the columns of `articles`: a row each, in the order of `number`."""
    import pyarrow as pa

    return pa.schema(
        [
            ("number", pa.int64()),
            ("id", pa.string()),
            ("digest", pa.string()),
            ("title", pa.string()),
            ("text", pa.large_string()),
            ("n_sentences", pa.int32()),
        ]
    )


def sentences_schema(dimension: int) -> pa.Schema:
    """Return the columns of `sentences`: the number of the article, the place in it, the vector."""
    import pyarrow as pa

    vector = pa.list_(pa.from_numpy_dtype(STORED), dimension)
    return pa.schema([("article", pa.int64()), ("sentence", pa.int32()), ("vector", vector)])


def _lancedb() -> Any:  # noqa: ANN401 - a library that may be missing
    try:
        import lancedb
    except ImportError as err:
        msg = (
            "an archive needs LanceDB, which is not installed; "
            'pip install "roundtrip-detector[archive]"'
        )
        raise MissingExtra(msg) from err
    return lancedb
