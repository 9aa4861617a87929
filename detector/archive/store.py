"""Store an archive's tables with LanceDB: open, lock, read and write them.

An article exists when its row is in `articles`. That row is written last and deleted first, so a
killed process leaves at most vectors without an article, which the next writer deletes. What
LanceDB raises becomes an `InputError`. This module encodes, indexes and ranks nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from detector.archive.articles import Article
from detector.encoder import EncoderIdentity
from detector.errors import InputError, MissingExtra
from detector.model_files import DAMAGED
from detector.text.escape import safe

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA: Final = 1
"""Layout of the tables; an archive of another is refused."""

VECTOR_DTYPE: Final = np.float16
"""Precision of the stored vectors: retrieval is as good as in float32 (docs/scale.md)."""

_TABLES: Final = ("articles", "sentences", "settings")
_LOCK: Final = ".writing"
_READ_INTERVAL: Final = timedelta(seconds=2)  # after which a reader sees what a writer wrote
_KEEP_VERSIONS: Final = timedelta(minutes=10)  # for readers that still hold an old version
_NUMBERS_PER_QUERY: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EncodedArticle:
    """An article ready to be stored: `vectors` of shape (n_sentences, d), float32."""

    article: Article
    vectors: NDArray[np.float32]


class Store:
    """The tables of one archive, as `open_store` returns them."""

    def __init__(self, uri: str, tables: dict[str, Any], encoder: EncoderIdentity) -> None:
        self.uri = uri
        self.encoder = encoder
        self._tables = tables
        self._next = 0  # number of the article added next; set by `repair`

    @property
    def sentences(self) -> Any:  # noqa: ANN401 - a table of a library loaded lazily
        """The table of vectors."""
        return self._tables["sentences"]

    @property
    def n_articles(self) -> int:
        """Articles in the archive."""
        with lancedb_errors(self.uri, "read"):
            return int(self._tables["articles"].count_rows())

    @property
    def n_sentences(self) -> int:
        """Vectors in the archive."""
        with lancedb_errors(self.uri, "read"):
            return int(self.sentences.count_rows())

    @property
    def n_bytes(self) -> int:
        """Bytes on disk; of a remote archive, those of its newest version."""
        folder = folder_of(self.uri)
        if folder is not None:
            return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        with lancedb_errors(self.uri, "read"):
            return sum(int(table.stats()["total_bytes"]) for table in self._tables.values())

    def keys(self) -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
        """Return the sorted keys of all texts and of all ids, 16 bytes each (see `key_of`)."""
        digests, ids = [], []
        for batch in self._scan("articles", ["digest", "id"]):
            digests.append([bytes.fromhex(text)[:16] for text in batch["digest"].to_pylist()])
            ids.append([key_of(text) for text in batch["id"].to_pylist()])
        return _sorted_keys(digests), _sorted_keys(ids)

    def add(self, encoded: Sequence[EncodedArticle]) -> None:
        """Store articles: all of them or, when it fails, none."""
        import pyarrow as pa

        sizes = [len(entry.vectors) for entry in encoded]
        vectors = np.concatenate([entry.vectors for entry in encoded]).astype(VECTOR_DTYPE)
        numbers = np.arange(self._next, self._next + len(encoded), dtype=np.int64)
        sentences = pa.record_batch(
            [
                pa.array(np.repeat(numbers, sizes)),
                pa.array(np.concatenate([np.arange(n, dtype=np.int32) for n in sizes])),
                pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]),
            ],
            schema=_sentences_schema(self.encoder.dimension),
        )
        columns = {
            name: [getattr(entry.article, name) for entry in encoded]
            for name in ("id", "digest", "title", "text")
        }
        articles = pa.RecordBatch.from_pydict(
            {"number": numbers, **columns, "n_sentences": sizes}, schema=_articles_schema()
        )
        with lancedb_errors(self.uri, "written"):
            self.sentences.add(sentences)
            self._tables["articles"].add(articles)
        self._next += len(encoded)

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Delete articles and return the ids that were there; an unknown id is no error."""
        wanted = set(ids)
        numbers: dict[str, int] = {}
        for batch in self._scan("articles", ["id", "number"]):
            rows = zip(batch["id"].to_pylist(), batch["number"].to_pylist(), strict=True)
            numbers |= {name: number for name, number in rows if name in wanted}
        if numbers:
            self.set_setting("removing", sorted(numbers.values()))
            self.set_setting("next", self._next)
            self._finish_removal()
        return list(numbers)

    def repair(self) -> None:
        """Finish what a killed writer left undone; the caller holds the lock."""
        self._finish_removal()
        self._next = max(self.numbers("next"), default=0)
        for batch in self._scan("articles", ["number"]):
            self._next = max(self._next, *(number + 1 for number in batch["number"].to_pylist()))
        with lancedb_errors(self.uri, "written"):
            if self.sentences.count_rows(f"article >= {self._next}"):
                self.sentences.delete(f"article >= {self._next}")

    def compact(self) -> None:
        """Merge small fragments, add new rows to the index, and drop old versions."""
        with lancedb_errors(self.uri, "written"):
            for table in self._tables.values():
                table.optimize(cleanup_older_than=_KEEP_VERSIONS)

    def articles(self, numbers: Iterable[int]) -> dict[int, Article]:
        """Return articles by their numbers; unknown numbers are left out."""
        columns = ["number", "id", "title", "text"]
        return {
            int(row["number"]): Article(id=row["id"], text=row["text"], title=row["title"])
            for batch in self._select("articles", "number", numbers, columns)
            for row in batch.to_pylist()
        }

    def vectors(self, numbers: Iterable[int]) -> dict[int, NDArray[np.float32]]:
        """Return the vectors of articles by number: shape (n_sentences, d), in order."""
        vectors_of: dict[int, NDArray[np.float32]] = {}
        columns = ["article", "sentence", "vector"]
        for batch in self._select("sentences", "article", numbers, columns):
            articles = batch["article"].to_numpy()
            vectors = matrix_of(batch["vector"], self.encoder.dimension)
            order = np.lexsort((batch["sentence"].to_numpy(), articles))
            cuts = np.flatnonzero(np.diff(articles[order])) + 1
            for rows in np.split(order, cuts) if len(order) else ():
                vectors_of[int(articles[rows[0]])] = vectors[rows]
        return vectors_of

    def setting(self, key: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON value stored under a key, or None."""
        with lancedb_errors(self.uri, "read"):
            rows = self._tables["settings"].search().where(f"key = '{key}'").to_list()
            return json.loads(rows[0]["value"]) if rows else None

    def numbers(self, key: str) -> list[int]:
        """Return the whole numbers, or the one, stored under a key; none where there are none."""
        value = self.setting(key)
        values = value if isinstance(value, list) else [] if value is None else [value]
        with lancedb_errors(self.uri, "read"):
            return [int(np.int64(one)) for one in values]

    def set_setting(self, key: str, value: object) -> None:
        """Store a JSON value under a key."""
        with lancedb_errors(self.uri, "written"):
            merge = self._tables["settings"].merge_insert("key").when_matched_update_all()
            merge.when_not_matched_insert_all().execute([{"key": key, "value": json.dumps(value)}])

    def _finish_removal(self) -> None:
        numbers = self.numbers("removing")
        for column, name in (("number", "articles"), ("article", "sentences")):
            for condition in _conditions(column, numbers):
                with lancedb_errors(self.uri, "written"):
                    self._tables[name].delete(condition)
        if numbers:
            self.set_setting("removing", [])

    def _scan(self, name: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with lancedb_errors(self.uri, "read"):
            yield from self._tables[name].search().select(columns).to_batches()

    def _select(
        self, name: str, column: str, numbers: Iterable[int], columns: list[str]
    ) -> Iterator[pa.Table]:
        for condition in _conditions(column, list(numbers)):
            with lancedb_errors(self.uri, "read"):
                query = self._tables[name].search().where(condition).select(columns)
                table = query.limit(None).to_arrow()
            yield table.combine_chunks()


def open_store(uri: str, *, create: EncoderIdentity | None = None) -> Store:
    """Open an archive, or with `create` make one for that encoder where there is none.

    No archive, a damaged one or one of another layout is an `InputError`.
    """
    folder = folder_of(uri)
    lancedb = _lancedb()
    absent = f"{safe(uri)}: there is no archive here; make one with: detector archive add"
    if create is None and folder is not None and not folder.is_dir():
        raise InputError(absent)
    with lancedb_errors(uri, "opened"):
        base = lancedb.connect(folder or uri, read_consistency_interval=_READ_INTERVAL)
        names = set(base.list_tables().tables)
    if "settings" not in names:
        if create is None:
            raise InputError(absent)
        _create_tables(uri, base, names, create)
    with lancedb_errors(uri, "opened"):
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
    with lancedb_errors(uri, "opened"):
        return Store(uri, tables, EncoderIdentity.from_dict(made["encoder"]))


@contextmanager
def write_lock(uri: str) -> Iterator[None]:
    """Be the only writer of a local archive; a remote one is not locked.

    Another writer, or a folder that holds other files, is an `InputError`.
    """
    folder = folder_of(uri)
    if folder is None:
        yield
        return
    if foreign := _foreign_file(folder):
        msg = f"{safe(uri)}: the folder holds {safe(foreign)}, no archive; give a new folder"
        raise InputError(msg)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK, timeout=0)
        lock.acquire()
    except Timeout as err:
        msg = f"{safe(uri)}: another process is writing to this archive; wait for its end"
        raise InputError(msg) from err
    except OSError as err:
        msg = f"{safe(uri)}: cannot be written ({err.strerror}); give a folder that can be"
        raise InputError(msg) from err
    try:
        yield
    finally:
        lock.release()


def folder_of(uri: str) -> Path | None:
    """Return the folder of a local archive, of a `file:` address too; None for a remote one."""
    if uri[:5].lower() == "file:":
        return Path(re.sub("^//(localhost(?=/))?", "", uri[5:]))
    return None if "://" in uri else Path(uri)


@contextmanager
def lancedb_errors(uri: str, doing: str) -> Iterator[None]:
    """Turn what LanceDB raises into an `InputError` that names the archive."""
    try:
        yield
    except InputError:
        raise
    except (OSError, *DAMAGED) as err:
        first = next(iter(str(err).splitlines()), "") or type(err).__name__
        msg = (
            f"{safe(uri)}: the archive cannot be {doing} ({safe(first[:300])}); free space or "
            "rights if they are lacking, else it is damaged: bring back a backup, or make it anew"
        )
        raise InputError(msg) from err


def key_of(text: str) -> bytes:
    """Return the first 16 bytes of a text's SHA-256, used as an id."""
    return hashlib.sha256(text.encode("utf-8")).digest()[:16]


def matrix_of(column: Any, dimension: int) -> NDArray[np.float32]:  # noqa: ANN401 - Arrow
    """Return a column of stored vectors as one matrix of shape (n, d), float32."""
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    values = column.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float32).reshape(-1, dimension)


def _create_tables(
    uri: str,
    base: Any,  # noqa: ANN401 - a connection of a library loaded lazily
    names: set[str],
    encoder: EncoderIdentity,
) -> None:
    import pyarrow as pa

    schemas = {
        "articles": _articles_schema(),
        "sentences": _sentences_schema(encoder.dimension),
    }
    with lancedb_errors(uri, "made"):
        for name in sorted(names & set(schemas)):  # left by a process killed while it made them
            table = base.open_table(name)
            if table.count_rows() or not table.schema.equals(schemas[name]):
                msg = (
                    f"{safe(uri)}: holds a table {name} that is not an archive's; give a folder "
                    "or an address that is new or holds an archive"
                )
                raise InputError(msg)
        for name, schema in schemas.items():
            base.create_table(name, schema=schema, mode="overwrite")
        made = json.dumps({"schema": SCHEMA, "encoder": encoder.to_dict()})
        schema = pa.schema({"key": pa.string(), "value": pa.string()})
        # Last: without it there is no archive yet.
        base.create_table("settings", [{"key": "archive", "value": made}], schema=schema)


def _foreign_file(folder: Path) -> str:
    """Return the name of a file that is not ours where there is no archive, else ""."""
    if not folder.is_dir() or (folder / "settings.lance").exists():
        return ""
    ours = {f"{name}.lance" for name in _TABLES} | {_LOCK}
    return next((path.name for path in sorted(folder.iterdir()) if path.name not in ours), "")


def _articles_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        {
            "number": pa.int64(),
            "id": pa.string(),
            "digest": pa.string(),
            "title": pa.string(),
            "text": pa.large_string(),
            "n_sentences": pa.int32(),
        }
    )


def _sentences_schema(dimension: int) -> pa.Schema:
    import pyarrow as pa

    vector = pa.list_(pa.from_numpy_dtype(VECTOR_DTYPE), dimension)
    return pa.schema({"article": pa.int64(), "sentence": pa.int32(), "vector": vector})


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


def _conditions(column: str, numbers: Sequence[int]) -> Iterator[str]:
    for start in range(0, len(numbers), _NUMBERS_PER_QUERY):
        part = numbers[start : start + _NUMBERS_PER_QUERY]
        yield f"{column} IN ({', '.join(str(int(number)) for number in part)})"


def _sorted_keys(parts: list[list[bytes]]) -> NDArray[np.bytes_]:
    arrays = [np.array(part, dtype="S16") for part in parts if part]
    return np.sort(np.concatenate(arrays)) if arrays else np.array([], dtype="S16")
