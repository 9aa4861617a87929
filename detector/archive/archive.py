"""Keep articles with the vectors of their sentences, and search the sources of a suspect.

`Archive` combines the store, the index and the ranking. It scores no pair (see `match`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.archive.add import Added, add, as_entries, encode_sentences
from detector.archive.articles import Article, Entry
from detector.archive.ranking import (
    IndexState,
    Searcher,
    assign_sentences,
    background,
    explained_shares,
    index_state,
    max_similarities,
    rank_articles,
    update_index,
)
from detector.archive.store import Store, open_store, write_lock
from detector.encoder import Encoder, EncoderIdentity, MiniLMEncoder
from detector.errors import InputError
from detector.features.evidence import text_document
from detector.records import Document
from detector.text.escape import safe

MAX_QUERIES = 20
"""Sentences of a suspect that are searched; of a longer one as many, evenly spread."""

RERANKED = 20
"""Best-ranked articles whose every sentence is compared with the suspect's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What an archive holds; `n_bytes` is its size on disk."""

    n_articles: int
    n_sentences: int
    n_bytes: int
    encoder: EncoderIdentity
    index: IndexState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchResult:
    """An article that a suspect may come from.

    Attributes
    ----------
    article : Article
    share : float
        How much of the suspect it explains, in [0, 1]; 1 where it holds every sentence.
    sentences : tuple of int
        Sentences of the suspect that it explains best, from 0; of two equals the better ranked
        article has them. Empty for most articles.
    vectors : ndarray of shape (n_sentences, d), float32
        Of the article's sentences.
    """

    article: Article
    share: float
    sentences: tuple[int, ...]
    vectors: NDArray[np.float32]


class Archive:
    """Articles with the vectors of their sentences, in a folder or at an address.

    Parameters
    ----------
    uri : str or Path
        A folder, or an address that LanceDB takes, such as `s3://bucket/archive`. The first `add`
        creates it.
    encoder : Encoder, optional
        By default all-MiniLM-L6-v2 from its package, loaded when it is first needed.

    Raises
    ------
    MissingExtra
        When LanceDB is not installed.

    Notes
    -----
    One process writes at a time; a folder is locked, a remote archive is not. Any number may
    search.

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
        """The encoder of the articles and the suspects."""
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
        """Add articles; those whose text is there already are skipped.

        Parameters
        ----------
        articles : iterable of Article or Entry
            `read_articles` gives entries.
        refused : callable, optional
            Called with the place and the reason of each input that is left out. To stop there,
            raise an `InputError`.
        stored : callable, optional
            Called with the counts so far, after each batch.

        Returns
        -------
        Added

        Raises
        ------
        InputError
            When the archive cannot be written to, is another encoder's, or another process
            writes to it. What was stored before stays; call again to continue.
        """
        identity = self.encoder.identity
        with write_lock(self._uri):
            store = open_store(self._uri, create=identity)
            _check_encoder(store, identity)
            store.repair()
            added = add(store, self.encoder, as_entries(articles), refused=refused, stored=stored)
            if added.n_added:
                store.compact()
            update_index(store)
        self._store = self._searcher = None  # so that the next search sees what was written
        return added

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Remove articles by their ids.

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
        self._open()
        with write_lock(self._uri):
            store = open_store(self._uri)
            store.repair()
            removed = store.remove(ids)
            if removed:
                store.compact()
        self._store = self._searcher = None
        return removed

    def info(self) -> Info:
        """Return what the archive holds."""
        store = self._open()
        return Info(
            n_articles=store.n_articles,
            n_sentences=store.n_sentences,
            n_bytes=store.n_bytes,
            encoder=store.encoder,
            index=index_state(store),
        )

    @property
    def n_articles(self) -> int:
        """Articles in the archive."""
        return self._open().n_articles

    def check(self, encoder: EncoderIdentity | None = None) -> None:
        """Raise `InputError` without an archive, or when another encoder than this one made it."""
        _check_encoder(self._open(), encoder or self.encoder.identity)

    def search(
        self,
        text: str | Document,
        *,
        vectors: NDArray[np.float32] | None = None,
        top: int = 5,
    ) -> tuple[SearchResult, ...]:
        """Find the articles that a text may come from.

        Parameters
        ----------
        text : str or Document
            The suspect's raw text, or the text split into sentences.
        vectors : ndarray of shape (n_sentences, d), float32, optional
            Of the suspect's sentences by this archive's encoder; by default they are encoded.
        top : int
            Articles at most; further ones are given when they explain sentences of their own.

        Returns
        -------
        tuple of SearchResult
            The one that explains most first; empty when the archive is.

        Raises
        ------
        InputError
            If the text holds no sentence, or the archive cannot be read.
        """
        document = text if isinstance(text, Document) else text_document("text", text)
        if vectors is None:
            vectors = encode_sentences(document.texts, self.encoder)
        store = self._open()
        _check_encoder(store, self.encoder.identity)
        if self._searcher is None:
            self._searcher = Searcher(store)
        queries = query_sentences(document)
        hits = self._searcher.nearest(vectors[queries])
        candidates = [int(number) for number in rank_articles(hits, top=max(RERANKED, top))]
        archived = store.vectors(candidates)
        numbers = [number for number in candidates if number in archived]
        sentences = _article_sentences(document)
        similarities = max_similarities(
            vectors[sentences], {number: archived[number] for number in numbers}
        )
        shares = explained_shares(similarities[np.isin(sentences, queries)], background(hits))
        ranked = [int(i) for i in np.argsort(-shares, kind="stable")]
        assigned = assign_sentences(similarities, ranked)
        columns = [*ranked[:top], *(column for column in assigned if column not in ranked[:top])]
        articles = store.articles(numbers[column] for column in columns)
        return tuple(
            SearchResult(
                article=articles[numbers[column]],
                share=float(shares[column]),
                sentences=tuple(int(sentences[i]) for i in assigned.get(column, ())),
                vectors=archived[numbers[column]],
            )
            for column in columns
            if numbers[column] in articles  # another process may have just removed it
        )

    def _open(self) -> Store:
        if self._store is None:
            self._store = open_store(self._uri)
        return self._store


def query_sentences(document: Document) -> NDArray[np.intp]:
    """Return which sentences are searched: `MAX_QUERIES` at most, none of them boilerplate."""
    sentences = _article_sentences(document)
    if len(sentences) > MAX_QUERIES:
        spread = np.linspace(0, len(sentences) - 1, MAX_QUERIES).round().astype(np.intp)
        sentences = sentences[spread]
    return sentences


def _article_sentences(document: Document) -> NDArray[np.intp]:
    """Return the sentences that are not boilerplate; all where every one is."""
    article = [i for i, s in enumerate(document.sentences) if s.boilerplate is None]
    return np.array(article or range(len(document)), np.intp)


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
