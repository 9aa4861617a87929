"""Add articles to an archive: split, encode and store them batch by batch.

A batch is stored whole or not at all, and an article that is there is skipped, so an interrupted
run continues where it stopped. Nothing is searched here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from detector.archive.articles import Article, Entry
from detector.archive.store import EncodedArticle, Store, key_of
from detector.encoder import Encoder
from detector.errors import InputError
from detector.text.sentences import split

BATCH_SENTENCES = 8_192
"""Sentences that are encoded and stored together: the most that an interruption loses."""

COMPACT_EVERY = 64  # batches


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Counts of stored, known and refused articles.

    `n_known` have a text that was there already, under whatever id. `n_refused` are no articles,
    or have the id of another text.
    """

    n_added: int = 0
    n_sentences: int = 0
    n_known: int = 0
    n_refused: int = 0

    def __add__(self, other: Added) -> Added:
        sums = {name: n + getattr(other, name) for name, n in asdict(self).items()}
        return Added(**sums)


def add(
    store: Store,
    encoder: Encoder,
    entries: Iterable[Entry],
    *,
    refused: Callable[[str, str], object] | None = None,
    stored: Callable[[Added], object] | None = None,
) -> Added:
    """Add articles to a store that the caller has locked and repaired (see `Archive.add`).

    Entries are read one by one; memory grows by 32 bytes an article.
    """
    texts, ids = map(_KeySet, store.keys())
    writer = _BatchWriter(store, encoder)
    skipped = Added()
    for entry in entries:
        article, reason = entry.article, entry.reason
        sentences: list[str] = []
        if article is not None:
            if _text_key(article) in texts:
                skipped += Added(n_known=1)
                continue
            if key_of(article.id) in ids:
                reason = "the archive holds another text under this id; remove that first"
            else:
                sentences = split(article.text).texts
                reason = "the text holds no sentence"
        if article is not None and sentences:
            texts.new.add(_text_key(article))
            ids.new.add(key_of(article.id))
            if writer.add(article, sentences) and stored is not None:
                stored(skipped + writer.added)
            continue
        skipped += Added(n_refused=1)
        if refused is not None:
            try:
                refused(entry.place, reason)
            except InputError:
                writer.flush()  # so that the articles before it are not lost
                raise
    writer.flush()
    if stored is not None:
        stored(skipped + writer.added)
    return skipped + writer.added


def encode_sentences(texts: Iterable[str], encoder: Encoder) -> NDArray[np.float32]:
    """Encode sentences, each distinct one once; shape (n, d), float32, unit rows."""
    texts = list(texts)
    position = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    vectors = encoder.encode(list(position), tokens=False).vectors
    if len(position) == len(texts):
        return vectors
    return vectors[[position[text] for text in texts]]


def as_entries(articles: Iterable[Article | Entry]) -> Iterator[Entry]:
    """Yield articles as entries; entries as they are."""
    for number, article in enumerate(articles, start=1):
        if isinstance(article, Entry):
            yield article
        elif isinstance(article, Article):
            yield Entry(place=f"article {number}", article=article)
        else:
            msg = f"article {number} is a {type(article).__name__}; give Articles or entries"
            raise InputError(msg)


class _BatchWriter:
    """Collects articles into batches, and encodes and stores them."""

    def __init__(self, store: Store, encoder: Encoder) -> None:
        self.added = Added()
        self._store = store
        self._encoder = encoder
        self._batch: list[tuple[Article, list[str]]] = []
        self._n_sentences = self._n_batches = 0

    def add(self, article: Article, sentences: list[str]) -> bool:
        """Take an article; return whether that filled a batch, which is then stored."""
        self._batch.append((article, sentences))
        self._n_sentences += len(sentences)
        if self._n_sentences < BATCH_SENTENCES:
            return False
        self.flush()
        if self._n_batches % COMPACT_EVERY == 0:
            self._store.compact()
        return True

    def flush(self) -> None:
        """Encode and store the articles taken since the last batch."""
        batch, self._batch, self._n_sentences = self._batch, [], 0
        if not batch:
            return
        vectors = encode_sentences(
            chain.from_iterable(sentences for _, sentences in batch), self._encoder
        )
        parts = np.split(vectors, np.cumsum([len(sentences) for _, sentences in batch])[:-1])
        self._store.add(
            [
                EncodedArticle(article=article, vectors=part)
                for (article, _), part in zip(batch, parts, strict=True)
            ]
        )
        self._n_batches += 1
        self.added += Added(n_added=len(batch), n_sentences=len(vectors))


class _KeySet:
    """Keys of an archive: a sorted array of the stored ones, a set of the new ones."""

    def __init__(self, stored: NDArray[np.bytes_]) -> None:
        self.new: set[bytes] = set()
        self._stored = stored

    def __contains__(self, key: bytes) -> bool:
        if key in self.new:
            return True
        wanted = np.array(key, dtype="S16")
        at = int(np.searchsorted(self._stored, wanted))
        return at < len(self._stored) and bool(self._stored[at] == wanted)


def _text_key(article: Article) -> bytes:
    return bytes.fromhex(article.digest)[:16]
