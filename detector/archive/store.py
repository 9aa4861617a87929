"""What lies in an archive, kept by LanceDB in a folder or at any address it takes.

Three tables: `articles`, `sentences` (a vector each) and `settings`, which remembers the encoder.
An article counts when its row stands in `articles`; that row is written last and taken out first,
so a process killed at any moment leaves no half article behind, only vectors of none, which the
next writer clears away. Nothing here encodes, indexes, searches or knows a file of articles.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.archive.articles import Article
from detector.archive.tables import (
    STORED,
    articles_schema,
    folder_of,
    guarded,
    open_tables,
    sentences_schema,
)
from detector.encode import EncoderIdentity

if TYPE_CHECKING:
    import pyarrow as pa

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
