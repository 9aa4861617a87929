"""Store an archive's tables with LanceDB.

Where an archive lies, and its empty tables: found, made, locked for one writer.

What LanceDB raises becomes an `InputError` here. Nothing here reads or writes an article.

What lies in an archive, kept by LanceDB in a folder or at any address it takes.

Three tables: `articles`, `sentences` (a vector each) and `settings`, which remembers the encoder.
An article counts when its row stands in `articles`; that row is written last and taken out first,
so a process killed at any moment leaves no half article behind, only vectors of none, which the
next writer clears away. Nothing here encodes, indexes, searches or knows a file of articles.

When an archive gets an index, of which kind, and what its state is.

Below `FROM` sentences looking at every vector is fast enough and finds all. What the numbers here
rest on stands in docs/scale.md.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.archive.articles import Article
from detector.encoder import EncoderIdentity
from detector.errors import InputError, MissingExtra
from detector.text.escape import safe

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


_KEPT: Final = timedelta(minutes=10)  # a writer leaves files alone that a reader may still hold
_AT_ONCE: Final = 1_000  # numbers in one condition


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """An article ready to be stored: `vectors` of shape (n_sentences, d), float32."""

    article: Article
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An article as it lies in the archive.

    Attributes
    ----------
    number : int
        Its place in the order in which articles were added.
    article : Article
    n_sentences : int
    """

    number: int
    article: Article
    n_sentences: int


class Store:
    """The tables of one archive; `open_store` makes it.

    Attributes
    ----------
    uri : str
    encoder : EncoderIdentity
        Whose vectors it holds.
    """

    def __init__(self, uri: str, tables: dict[str, Any], encoder: EncoderIdentity) -> None:
        self.uri = uri
        self.encoder = encoder
        self._tables = tables
        self._next = 0  # number of the article added next; `repair` finds it

    @property
    def sentences(self) -> Any:  # noqa: ANN401 - a table of a library loaded lazily
        """The table of vectors, for the index and the search."""
        return self._tables["sentences"]

    @property
    def n_articles(self) -> int:
        """Articles in the archive."""
        with guarded(self.uri, "read"):
            return int(self._tables["articles"].count_rows())

    @property
    def n_sentences(self) -> int:
        """Vectors in the archive."""
        with guarded(self.uri, "read"):
            return int(self.sentences.count_rows())

    def known(self) -> tuple[NDArray[np.bytes_], NDArray[np.bytes_]]:
        """Return sorted digests of all texts and of all ids, 16 bytes each; see `key_of`."""
        digests, ids = [], []
        for batch in self._rows("articles", ["digest", "id"]):
            digests.append([bytes.fromhex(text)[:16] for text in batch["digest"].to_pylist()])
            ids.append([key_of(text) for text in batch["id"].to_pylist()])
        return _sorted_keys(digests), _sorted_keys(ids)

    def add(self, kept: Sequence[Kept]) -> None:
        """Store articles; all of them or, when it fails, none."""
        import pyarrow as pa

        start = self._next
        sizes = [len(one.vectors) for one in kept]
        vectors = np.concatenate([one.vectors for one in kept]).astype(STORED)
        numbers = np.arange(start, start + len(kept), dtype=np.int64)
        sentences = pa.record_batch(
            [
                pa.array(np.repeat(numbers, sizes)),
                pa.array(np.concatenate([np.arange(n, dtype=np.int32) for n in sizes])),
                pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]),
            ],
            schema=sentences_schema(self.encoder.dimension),
        )
        articles = pa.record_batch(
            [
                pa.array(numbers),
                pa.array([one.article.id for one in kept]),
                pa.array([one.article.digest for one in kept]),
                pa.array([one.article.title for one in kept]),
                pa.array([one.article.text for one in kept]),
                pa.array(sizes, pa.int32()),
            ],
            schema=articles_schema(),
        )
        with guarded(self.uri, "written"):
            self.sentences.add(sentences)
            self._tables["articles"].add(articles)
        self._next = start + len(kept)

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Take articles out; what is not there is no error.

        Returns
        -------
        list of str
            The ids that were there.
        """
        wanted = set(ids)
        found: dict[str, int] = {}
        for batch in self._rows("articles", ["id", "number"]):
            names, numbers = batch["id"].to_pylist(), batch["number"].to_pylist()
            found |= {k: v for k, v in zip(names, numbers, strict=True) if k in wanted}
        if found:
            self.note("removing", sorted(found.values()))
            self.note("next", self._next)
            self._take_out()
        return list(found)

    def repair(self) -> None:
        """End what a killed writer left undone; to be called by the one who holds the lock."""
        self._take_out()
        self._next = int(self.noted("next") or 0)
        for batch in self._rows("articles", ["number"]):
            self._next = max(self._next, *(number + 1 for number in batch["number"].to_pylist()))
        with guarded(self.uri, "written"):
            if self.sentences.count_rows(f"article >= {self._next}"):
                self.sentences.delete(f"article >= {self._next}")

    def tidy(self) -> None:
        """Write small pieces together, bring the index up to date, and drop old versions."""
        with guarded(self.uri, "written"):
            for table in self._tables.values():
                table.optimize(cleanup_older_than=_KEPT)

    def articles(self, numbers: Iterable[int]) -> dict[int, Stored]:
        """Return articles by their numbers; those that are not there are left out."""
        columns = ["number", "id", "title", "text", "n_sentences"]
        found = {}
        for batch in self._picked("articles", "number", numbers, columns):
            for row in batch.to_pylist():
                article = Article(id=row["id"], text=row["text"], title=row["title"])
                number = int(row["number"])
                found[number] = Stored(
                    number=number, article=article, n_sentences=int(row["n_sentences"])
                )
        return found

    def vectors(self, numbers: Iterable[int]) -> dict[int, NDArray[np.float32]]:
        """Return the vectors of articles, by number: shape (n_sentences, d), in order."""
        parts = self._picked("sentences", "article", numbers, ["article", "sentence", "vector"])
        found: dict[int, NDArray[np.float32]] = {}
        for batch in parts:
            articles = batch["article"].to_numpy()
            vectors = matrix_of(batch["vector"], self.encoder.dimension)
            order = np.lexsort((batch["sentence"].to_numpy(), articles))
            cuts = np.flatnonzero(np.diff(articles[order])) + 1
            for rows in np.split(order, cuts) if len(order) else ():
                found[int(articles[rows[0]])] = vectors[rows]
        return found

    def noted(self, key: str) -> Any:  # noqa: ANN401 - JSON
        """Return what was noted under a key, or None."""
        with guarded(self.uri, "read"):
            rows = self._tables["settings"].search().where(f"key = '{key}'").to_list()
            return json.loads(rows[0]["value"]) if rows else None

    def note(self, key: str, value: object) -> None:
        """Keep a JSON value under a key."""
        with guarded(self.uri, "written"):
            table = self._tables["settings"]
            merge = table.merge_insert("key").when_matched_update_all()
            merge.when_not_matched_insert_all().execute([{"key": key, "value": json.dumps(value)}])

    def size(self) -> int:
        """Return the bytes on disk; of an archive elsewhere, those of its newest version."""
        folder = folder_of(self.uri)
        if folder is not None:
            return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        with guarded(self.uri, "read"):
            return sum(int(table.stats()["total_bytes"]) for table in self._tables.values())

    def _take_out(self) -> None:
        numbers = self.noted("removing") or []
        for column, name in (("number", "articles"), ("article", "sentences")):
            for condition in _conditions(column, numbers):
                with guarded(self.uri, "written"):
                    self._tables[name].delete(condition)
        if numbers:
            self.note("removing", [])

    def _rows(self, name: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with guarded(self.uri, "read"):
            yield from self._tables[name].search().select(columns).to_batches()

    def _picked(
        self, name: str, column: str, numbers: Iterable[int], columns: list[str]
    ) -> Iterator[pa.Table]:
        for condition in _conditions(column, list(numbers)):
            with guarded(self.uri, "read"):
                query = self._tables[name].search().where(condition).select(columns)
                table = query.limit(None).to_arrow()
            yield table.combine_chunks()


def open_store(uri: str | Path, *, create: EncoderIdentity | None = None) -> Store:
    """Open an archive; see `open_tables`."""
    tables, encoder = open_tables(str(uri), create=create)
    return Store(str(uri), tables, encoder)


def key_of(text: str) -> bytes:
    """Return 16 bytes that stand for an id."""
    return hashlib.sha256(text.encode("utf-8")).digest()[:16]


def matrix_of(column: Any, dimension: int) -> NDArray[np.float32]:  # noqa: ANN401 - Arrow
    """Return a column of stored vectors as one matrix of shape (n, d), float32."""
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    values = column.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float32).reshape(-1, dimension)


def _conditions(column: str, numbers: Sequence[int]) -> Iterator[str]:
    for start in range(0, len(numbers), _AT_ONCE):
        part = ", ".join(str(int(number)) for number in numbers[start : start + _AT_ONCE])
        yield f"{column} IN ({part})"


def _sorted_keys(parts: list[list[bytes]]) -> NDArray[np.bytes_]:
    arrays = [np.array(part, dtype="S16") for part in parts if part]
    return np.sort(np.concatenate(arrays)) if arrays else np.array([], dtype="S16")


logger = logging.getLogger(__name__)

FROM: Final = 100_000
"""Sentences from which an index is made."""

PROBES: Final = 8
"""Parts of the index that are looked at for each sentence."""

_PART: Final = 4_096  # sentences in a part, or more: to make an index takes n times parts
_MOST_PARTS: Final = 2.0  # times the root of the sentences
_GROWN: Final = 2.0  # times as many sentences as when it was made: made anew
_SAMPLE: Final = 32  # vectors that each part's middle is learnt from
_ROUNDS: Final = 15  # at most, to learn them

_COLUMN, _NAME = "vector", "vector_idx"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """What is indexed.

    Attributes
    ----------
    kind : str
        Empty where there is no index.
    n_indexed, n_left : int
        Sentences in the index; those added since, which are looked at one by one.
    """

    kind: str
    n_indexed: int
    n_left: int


def state(store: Store) -> IndexState:
    """Return what is indexed."""
    with guarded(store.uri, "read"):
        if not has_index(store):
            return IndexState(kind="", n_indexed=0, n_left=store.n_sentences)
        stats = store.sentences.index_stats(_NAME)
        return IndexState(
            kind=str(stats.index_type),
            n_indexed=int(stats.num_indexed_rows),
            n_left=int(stats.num_unindexed_rows),
        )


def has_index(store: Store) -> bool:
    """Whether there is an index of the vectors."""
    return any(one.name == _NAME for one in store.sentences.list_indices())


def bring_up(store: Store) -> None:
    """Make the index where it pays, or make it anew where the archive has outgrown it.

    Sentences added to an archive that has one are put into it by `Store.tidy`.
    """
    n = store.n_sentences
    made_for = int(store.noted("indexed") or 0)
    if n < FROM or (made_for and n < _GROWN * made_for):
        return
    from lancedb.index import BTree, IvfSq

    parts = max(1, min(n // _PART, int(_MOST_PARTS * n**0.5)))
    logger.info("making an index of %d sentences in %d parts", n, parts)
    config = IvfSq(
        distance_type="cosine",
        num_partitions=parts,
        sample_rate=_SAMPLE,
        max_iterations=_ROUNDS,
    )
    with guarded(store.uri, "indexed"):
        store.sentences.create_index(_COLUMN, config=config, replace=True)
        store.sentences.create_index("article", config=BTree(), replace=True)
    store.note("indexed", n)
