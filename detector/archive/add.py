"""Add articles to an archive: split, encode and store them lot by lot.

Articles into an archive: read, split, encoded in large lots, stored lot by lot.

A lot is stored whole or not at all, and an article that is there is passed over, so what was
stopped goes on where it was when it is called again. Nothing is searched here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from detector.archive.articles import Article, Entry
from detector.archive.store import Kept, Store, key_of
from detector.encoder import Encoder
from detector.errors import InputError
from detector.text.sentences import split

LOT = 8_192
"""Sentences that are encoded and stored together: the most that a stop makes to be done again."""

TIDY_EVERY = 64  # lots after which small pieces of the tables are written together

Refused = Callable[[str, str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of the articles given.

    Attributes
    ----------
    n_added, n_sentences : int
        Articles that are new, and their sentences.
    n_known : int
        Articles whose text was there already, under whatever id.
    n_refused : int
        Places that hold no article, and articles whose id stands for another text.
    """

    n_added: int = 0
    n_sentences: int = 0
    n_known: int = 0
    n_refused: int = 0

    def __add__(self, other: Added) -> Added:
        return Added(
            n_added=self.n_added + other.n_added,
            n_sentences=self.n_sentences + other.n_sentences,
            n_known=self.n_known + other.n_known,
            n_refused=self.n_refused + other.n_refused,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    article: Article
    texts: tuple[str, ...]


def add(
    store: Store,
    encoder: Encoder,
    entries: Iterable[Entry],
    *,
    refused: Refused | None = None,
    stored: Callable[[Added], object] | None = None,
) -> Added:
    """Add articles; the caller holds the lock and has repaired the store.

    Parameters
    ----------
    store : Store
    encoder : Encoder
        The one whose vectors the store holds.
    entries : iterable of Entry
        Taken one by one; memory does not grow with their number, but for 32 bytes an article.
    refused : callable, optional
        Told the place and the reason of each that is left out; an `InputError` that it raises
        stops the adding, after the articles before were stored.
    stored : callable, optional
        Told what has been done, after each lot.

    Returns
    -------
    Added
    """
    known = _Known(store)
    writer = _Writer(store, encoder)
    total = Added()
    for entry in entries:
        if entry.article is not None and known.holds(entry.article):
            total += Added(n_known=1)
            continue
        ready, reason = _ready(entry, known)
        if ready is not None:
            known.learn(ready.article)
            if writer.take(ready) and stored is not None:
                stored(total + writer.done)
            continue
        total += Added(n_refused=1)
        if refused is not None:
            try:
                refused(entry.place, reason)
            except InputError:
                writer.finish()  # what was read before is not lost
                raise
    writer.finish()
    if stored is not None:
        stored(total + writer.done)
    return total + writer.done


def encoded(texts: Iterable[str], encoder: Encoder) -> NDArray[np.float32]:
    """Encode texts, each distinct one once; shape (n, d), float32, unit rows."""
    texts = list(texts)
    distinct = list(dict.fromkeys(texts))
    vectors = encoder.encode(distinct, tokens=False).vectors
    if len(distinct) == len(texts):
        return vectors
    place = {text: index for index, text in enumerate(distinct)}
    return vectors[[place[text] for text in texts]]


def _ready(entry: Entry, known: _Known) -> tuple[_Ready | None, str]:
    """Return an article split up, or None and why it cannot be added."""
    if entry.article is None:
        return None, entry.reason
    if known.names(entry.article):
        return None, "the archive holds another text under this id; remove that first"
    texts = tuple(split(entry.article.text).texts)
    if not texts:
        return None, "the text holds no sentence"
    return _Ready(article=entry.article, texts=texts), ""


class _Writer:
    """Gathers articles into lots and stores them."""

    def __init__(self, store: Store, encoder: Encoder) -> None:
        self.done = Added()
        self._store = store
        self._encoder = encoder
        self._lot: list[_Ready] = []
        self._size = 0
        self._lots = 0

    def take(self, ready: _Ready) -> bool:
        """Take an article; True when that filled a lot, which is stored."""
        self._lot.append(ready)
        self._size += len(ready.texts)
        if self._size < LOT:
            return False
        self.finish()
        if self._lots % TIDY_EVERY == 0:
            self._store.tidy()
        return True

    def finish(self) -> None:
        """Store what was taken."""
        lot, self._lot, self._size = self._lot, [], 0
        if not lot:
            return
        vectors = encoded(chain.from_iterable(one.texts for one in lot), self._encoder)
        cuts = np.cumsum([len(one.texts) for one in lot])[:-1]
        parts = np.split(vectors, cuts)
        self._store.add(
            [Kept(article=one.article, vectors=part) for one, part in zip(lot, parts, strict=True)]
        )
        self._lots += 1
        self.done += Added(n_added=len(lot), n_sentences=len(vectors))


class _Known:
    """Which texts and ids an archive holds: sorted keys of what it held, and a set of the new."""

    def __init__(self, store: Store) -> None:
        self._digests, self._ids = store.known()
        self._new_digests: set[bytes] = set()
        self._new_ids: set[bytes] = set()

    def holds(self, article: Article) -> bool:
        key = _digest_key(article)
        return key in self._new_digests or _among(self._digests, key)

    def names(self, article: Article) -> bool:
        key = key_of(article.id)
        return key in self._new_ids or _among(self._ids, key)

    def learn(self, article: Article) -> None:
        self._new_digests.add(_digest_key(article))
        self._new_ids.add(key_of(article.id))


def _digest_key(article: Article) -> bytes:
    return bytes.fromhex(article.digest)[:16]


def _among(keys: NDArray[np.bytes_], key: bytes) -> bool:
    wanted = np.array(key, dtype="S16")
    at = int(np.searchsorted(keys, wanted))
    return at < len(keys) and keys[at] == wanted


def entries_of(articles: Iterable[Article | Entry]) -> Iterator[Entry]:
    """Yield articles that are at hand as if they were read; entries as they are."""
    for number, article in enumerate(articles, start=1):
        if isinstance(article, Entry):
            yield article
        elif isinstance(article, Article):
            yield Entry(place=f"article {number}", article=article)
        else:
            msg = f"article {number} is a {type(article).__name__}; give Articles or entries"
            raise InputError(msg)
