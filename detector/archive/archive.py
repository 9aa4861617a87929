"""`Archive`: many articles, one encoder, and the search for a suspect's sources.

`Archive`: many articles, one encoder, and the articles that a suspect may come from.

This room conducts: tables are `store`'s, sentences `adding`'s, votes `votes`'. It judges no pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detector.archive import store as index
from detector.archive.add import Added, add, encoded, entries_of
from detector.archive.articles import Article, Entry
from detector.archive.ranking import Searcher, ballot, closeness, pieces, shares, usual
from detector.archive.store import Store, Stored, locked, open_store
from detector.encoder import Encoder, EncoderIdentity, MiniLMEncoder
from detector.errors import InputError
from detector.features.evidence import text_document
from detector.records import Document
from detector.text.escape import safe

if TYPE_CHECKING:
    from detector.archive.store import IndexState

VOTERS = 20
"""Sentences of a suspect that are looked up; of a longer one as many, evenly spread."""

LOOKED_AT = 20
"""Articles with the most votes whose every sentence is compared with the suspect's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What an archive holds.

    Attributes
    ----------
    n_articles, n_sentences : int
    n_bytes : int
        On disk.
    encoder : EncoderIdentity
    index : IndexState
    """

    n_articles: int
    n_sentences: int
    n_bytes: int
    encoder: EncoderIdentity
    index: IndexState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """An article that a suspect may come from.

    Attributes
    ----------
    stored : Stored
    share : float
        How much of the suspect it explains, in [0, 1]; 1 where every sentence stands in it.
    sentences : tuple of int
        Sentences of the suspect that it explains best, from 0; of two equals the better ranked
        article has them. Empty for most articles.
    vectors : ndarray of shape (n_sentences, d), float32
        Of the article's sentences.
    """

    stored: Stored
    share: float
    sentences: tuple[int, ...]
    vectors: NDArray[np.float32]


class Archive:
    """Articles with the vectors of their sentences, in a folder or at an address.

    Parameters
    ----------
    uri : str or Path
        A folder, or an address that LanceDB takes, such as `s3://bucket/archive`. It is made by
        the first `add`.
    encoder : Encoder, optional
        By default all-MiniLM-L6-v2 from its package, loaded when it is first needed.

    Raises
    ------
    MissingExtra
        When LanceDB is not installed.

    Notes
    -----
    One process writes at a time; a folder is locked, an address is not. Any number may search.

    Examples
    --------
    >>> from detector import Archive
    >>> archive = Archive("my_archive")  # doctest: +SKIP
    >>> archive.add([Article(id="a1", text="The sun rose. It was cold.")])  # doctest: +SKIP
    """

    def __init__(self, uri: str | Path, *, encoder: Encoder | None = None) -> None:
        self._uri = str(uri)
        self._encoder = encoder
        self._store: Store | None = None
        self._searcher: Searcher | None = None

    @property
    def encoder(self) -> Encoder:
        """What makes the vectors."""
        if self._encoder is None:
            self._encoder = MiniLMEncoder()
        return self._encoder

    def add(
        self,
        articles: Iterable[Article | Entry],
        *,
        refused: Callable[[str, str], object] | None = None,
        stored: Callable[[Added], object] | None = None,
    ) -> Added:
        """Add articles; those whose text is there already are passed over.

        Parameters
        ----------
        articles : iterable of Article or Entry
            `read_articles` gives entries.
        refused : callable, optional
            Told the place and the reason of each that is left out. To stop there, raise an
            `InputError`.
        stored : callable, optional
            Told what has been done so far, after each lot.

        Returns
        -------
        Added

        Raises
        ------
        InputError
            When the archive cannot be written to, is another encoder's, or another process
            writes to it. What was stored before stays; call again to go on.
        """
        identity = self.encoder.identity
        with locked(self._uri):
            store = open_store(self._uri, create=identity)
            _check_encoder(store, identity)
            store.repair()
            done = add(store, self.encoder, entries_of(articles), refused=refused, stored=stored)
            if done.n_added:
                store.tidy()
            index.bring_up(store)
        self._store = self._searcher = None  # to see at once what was written
        return done

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Take articles out by their ids.

        Returns
        -------
        list of str
            The ids that were there.

        Raises
        ------
        InputError
            When there is no archive, or it cannot be written to.
        """
        if isinstance(ids, str):
            msg = f"ids is the text {safe(ids)!r}; give a list of ids"
            raise InputError(msg)
        self._opened()
        with locked(self._uri):
            store = open_store(self._uri)
            store.repair()
            gone = store.remove(ids)
            if gone:
                store.tidy()
        self._store = self._searcher = None
        return gone

    def info(self) -> Info:
        """Return what the archive holds."""
        store = self._opened()
        return Info(
            n_articles=store.n_articles,
            n_sentences=store.n_sentences,
            n_bytes=store.size(),
            encoder=store.encoder,
            index=index.state(store),
        )

    @property
    def n_articles(self) -> int:
        """Articles in the archive."""
        return self._opened().n_articles

    def check(self, encoder: EncoderIdentity | None = None) -> None:
        """Raise `InputError` when there is no archive, or it is not by an encoder: its own, say."""
        _check_encoder(self._opened(), encoder or self.encoder.identity)

    def search(self, text: str, *, top: int = 5) -> tuple[Found, ...]:
        """Find the articles that a text may come from.

        Parameters
        ----------
        text : str
            The suspect's raw text.
        top : int
            At most so many; further ones are given when they explain sentences of their own.

        Returns
        -------
        tuple of Found
            The one that explains most first; empty when the archive is.

        Raises
        ------
        InputError
            If the text holds no sentence, or the archive cannot be read.
        """
        document = text_document("text", text)
        return self.search_vectors(document, encoded(document.texts, self.encoder), top=top)

    def search_vectors(
        self, document: Document, vectors: NDArray[np.float32], *, top: int = 5
    ) -> tuple[Found, ...]:
        """Find the articles that a document may come from; see `search`.

        Parameters
        ----------
        document : Document
        vectors : ndarray of shape (n_sentences, d), float32
            Of its sentences, by this archive's encoder; unit rows.
        top : int
        """
        store = self._opened()
        _check_encoder(store, self.encoder.identity)
        if self._searcher is None:
            self._searcher = Searcher(store)
        voters = voters_of(document)
        hits = self._searcher.nearest(vectors[voters])
        looked_at = [int(number) for number in ballot(hits, top=max(LOOKED_AT, top))]
        known = store.vectors(looked_at)
        order = [number for number in looked_at if number in known]
        own = article_sentences(document)
        alike = closeness(vectors[own], {number: known[number] for number in order})
        explained = shares(alike[np.isin(own, voters)], usual(hits))
        ranked = [int(i) for i in np.argsort(-explained, kind="stable")]
        parts = pieces(alike, ranked)
        shown = [*ranked[:top], *(column for column in parts if column not in ranked[:top])]
        stored = store.articles(order[column] for column in shown)
        return tuple(
            Found(
                stored=stored[order[column]],
                share=float(explained[column]),
                sentences=tuple(int(own[i]) for i in parts.get(column, ())),
                vectors=known[order[column]],
            )
            for column in shown
            if order[column] in stored  # not taken out just now
        )

    def _opened(self) -> Store:
        if self._store is None:
            self._store = open_store(self._uri)
        return self._store


def article_sentences(document: Document) -> NDArray[np.intp]:
    """Return the sentences of a document that are no page furniture; all where no other is."""
    article = [i for i, one in enumerate(document.sentences) if one.boilerplate is None]
    return np.array(article or range(len(document)), np.intp)


def voters_of(document: Document) -> NDArray[np.intp]:
    """Return which sentences are looked up: `VOTERS` at most, none of them page furniture."""
    own = article_sentences(document)
    if len(own) > VOTERS:
        own = own[np.linspace(0, len(own) - 1, VOTERS).round().astype(np.intp)]
    return own


def _check_encoder(store: Store, in_use: EncoderIdentity) -> None:
    made = store.encoder
    if (made.weights_sha256, made.dimension) != (in_use.weights_sha256, in_use.dimension) or (
        made.weights_sha256 == "unknown" and made.name != in_use.name
    ):
        msg = (
            f"{safe(store.uri)}: the archive's vectors are by {safe(made.name)} with weights "
            f"{made.weights_sha256[:12]}, the encoder in use is {safe(in_use.name)} with "
            f"{in_use.weights_sha256[:12]}; use the first, or add the articles to a new archive"
        )
        raise InputError(msg)
