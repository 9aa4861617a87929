"""Gather everything known about a bead, once.

This module encodes documents and collects what word alignment, numbers and names find in the two
sides of a bead. It predicts nothing: `features` turns the evidence into numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from detector.encoder import Encoder, matching_view
from detector.errors import InputError
from detector.features.adjacency import AdjacencyModel, predict_adjacency
from detector.features.token_tags import Tokens
from detector.names.compare import compare_names, name_context
from detector.names.state import NameContext
from detector.numbers.compare import compare_numbers
from detector.records import Document, Encoding, NameChange, NumberChange, Sentence
from detector.text.sentences import split
from detector.text.words import Word, WordAlignment, align_words, find_words, rarity, word_vectors

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class EncodedDocument:
    """A document, the words of every sentence (places count in the raw text), and its encoding."""

    document: Document
    words: tuple[tuple[Word, ...], ...]
    encoding: Encoding

    def words_of(self, indices: range) -> tuple[Word, ...]:
        """Return the words of neighbouring sentences."""
        return tuple(chain.from_iterable(self.words[i] for i in indices))

    def vectors_of(self, indices: range) -> tuple[Vectors, Vectors] | tuple[None, None]:
        """Return the vectors of the words, (n_words, d), and of the tokens, (n_tokens, d).

        Both are None when the encoder gives no token vectors.
        """
        if self.encoding.tokens is None:
            return None, None
        tokens = [self.encoding.tokens[i].widened() for i in indices]
        words = [
            word_vectors(self.words[i], own, offset=self.document.sentences[i].start)
            for i, own in zip(indices, tokens, strict=True)
        ]
        return np.concatenate(words), np.concatenate([own.vectors for own in tokens])

    def tokens_of(self, indices: range) -> Tokens | None:
        """Return the tokens of those sentences; None when the encoder gives no vectors of them."""
        if self.encoding.tokens is None:
            return None
        sentences = [self.document.sentences[i] for i in indices]
        return Tokens.of(
            [
                (matching_view(sentence.text), sentence.start, self.encoding.tokens[i])
                for i, sentence in zip(indices, sentences, strict=True)
            ]
        )

    def text_of(self, indices: range) -> tuple[str, int]:
        """Return the raw text from the first to the last of those sentences, and its start."""
        start = self.document.sentences[indices.start].start
        return self.document.raw[start : self.document.sentences[indices.stop - 1].end], start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BeadEvidence:
    """What both sides of one bead hold.

    Attributes
    ----------
    source_text, copy_text : str
        Raw text of each side.
    similarity : float
        Cosine in [-1, 1] of both sides' vectors; higher is closer.
    words : WordAlignment
    source_weights, copy_weights : ndarray of shape (n_words,), float64
        Rarity of each word in [0, 1].
    cosines : ndarray of shape (n_source_words, n_copy_words), float32, or None
        Contextual cosines of the words; None when the encoder gives no token vectors.
    source_distances, copy_distances : ndarray of shape (n_tokens,), float32, or None
        1 less the cosine of each token to its nearest on the other side.
    adjacency : ndarray of shape (n_copy_words + 1,), float64, or None
        Probability that the neighbours before and after each gap between copy words are
        incoherent; None without a model for it.
    number_changes : tuple of NumberChange
        Spans count from the start of `source_text` and `copy_text`.
    names : tuple of NameChange
        Spans count in the raw texts; probabilities are not calibrated yet.
    n_truncated : int
        Sentences of the bead that are longer than the encoder reads.
    source, copy : EncodedDocument
    at : (range, range)
        The bead's sentences in both documents.
    """

    source_text: str
    copy_text: str
    similarity: float
    words: WordAlignment
    source_weights: NDArray[np.float64]
    copy_weights: NDArray[np.float64]
    cosines: Vectors | None
    source_distances: Vectors | None
    copy_distances: Vectors | None
    adjacency: NDArray[np.float64] | None
    number_changes: tuple[NumberChange, ...]
    names: tuple[NameChange, ...]
    n_truncated: int
    source: EncodedDocument
    copy: EncodedDocument
    at: tuple[range, range]

    @property
    def tokens(self) -> tuple[Tokens, Tokens] | None:
        """The tokens of source and copy; None when the encoder gives no vectors of them."""
        source, copy = self.source.tokens_of(self.at[0]), self.copy.tokens_of(self.at[1])
        return None if source is None or copy is None else (source, copy)


@dataclass(frozen=True, slots=True, eq=False)
class DocumentPair:
    """Two encoded documents, and what their beads share: name context and adjacency model."""

    source: EncodedDocument
    copy: EncodedDocument
    names: NameContext
    adjacency: AdjacencyModel | None


def pair_documents(
    source: EncodedDocument, copy: EncodedDocument, *, adjacency: AdjacencyModel | None = None
) -> DocumentPair:
    """Collect from two whole documents what their beads share."""
    context = name_context(source.document.raw, source.words, copy.document.raw, copy.words)
    return DocumentPair(source, copy, context, adjacency)


def gather(pair: DocumentPair, *, at: tuple[range, range], similarity: float) -> BeadEvidence:
    """Gather the evidence of one bead: non-empty ranges of sentences, and their cosine."""
    source, copy = pair.source, pair.copy
    source_at, copy_at = at
    source_words, copy_words = source.words_of(source_at), copy.words_of(copy_at)
    source_vectors, source_tokens = source.vectors_of(source_at)
    copy_vectors, copy_tokens = copy.vectors_of(copy_at)
    links = align_words(
        source_words, copy_words, source_vectors=source_vectors, copy_vectors=copy_vectors
    )
    source_text, _ = source.text_of(source_at)
    copy_text, _ = copy.text_of(copy_at)
    cosines = adjacency = None
    if source_vectors is not None and copy_vectors is not None and source_words and copy_words:
        cosines = source_vectors @ copy_vectors.T
        if pair.adjacency is not None:
            adjacency = predict_adjacency(links, source_vectors, copy_vectors, pair.adjacency)
    distances = _distances(source_tokens, copy_tokens)
    return BeadEvidence(
        source_text=source_text,
        copy_text=copy_text,
        similarity=similarity,
        words=links,
        source_weights=rarity(source_words),
        copy_weights=rarity(copy_words),
        cosines=cosines,
        source_distances=distances[0],
        copy_distances=distances[1],
        adjacency=adjacency,
        number_changes=compare_numbers(source_text, copy_text),
        names=compare_names(links, pair.names, copy_at.start),
        n_truncated=sum(source.encoding.truncated[i] for i in source_at)
        + sum(copy.encoding.truncated[i] for i in copy_at),
        source=source,
        copy=copy,
        at=at,
    )


def _distances(
    source: Vectors | None, copy: Vectors | None
) -> tuple[Vectors | None, Vectors | None]:
    """Match every token greedily, as BERTScore does (Zhang et al., 2020)."""
    if source is None or copy is None or not len(source) or not len(copy):
        return None, None
    cosines = source @ copy.T
    return 1.0 - cosines.max(axis=1), 1.0 - cosines.max(axis=0)


def gather_pairs(
    pairs: Iterable[tuple[str, str]],
    encoder: Encoder,
    *,
    adjacency: AdjacencyModel | None = None,
    batch: int = 512,
) -> Iterator[BeadEvidence]:
    """Yield the evidence of single pairs of source and copy, each taken as a bead and a document.

    Neither side may be blank. A text that holds several sentences is encoded whole. `batch` pairs
    are encoded at a time, so memory stays constant in the number of pairs.
    """
    iterator = iter(pairs)
    while chunk := list(islice(iterator, batch)):
        documents = [Document(text, (Sentence(0, len(text), text, 0),)) for text in chain(*chunk)]
        encoded = iter(encode_together(documents, encoder))
        for source, copy in zip(encoded, encoded, strict=True):
            similarity = float(source.encoding.vectors[0] @ copy.encoding.vectors[0])
            yield gather(
                pair_documents(source, copy, adjacency=adjacency),
                at=(range(1), range(1)),
                similarity=max(-1.0, min(1.0, similarity)),
            )


def encode_together(
    documents: Sequence[Document | EncodedDocument], encoder: Encoder
) -> list[EncodedDocument]:
    """Encode documents in one call, each distinct sentence once; encoded ones stay as they are."""
    new = [document for document in documents if isinstance(document, Document)]
    views = [[matching_view(text) for text in document.texts] for document in new]
    place = {view: index for index, view in enumerate(dict.fromkeys(chain(*views)))}
    encoding = encoder.encode(list(place))
    encoded = (
        EncodedDocument(
            document,
            tuple(find_words(s.text, offset=s.start) for s in document.sentences),
            _take(encoding, [place[view] for view in own]),
        )
        for document, own in zip(new, views, strict=True)
    )
    return [next(encoded) if isinstance(document, Document) else document for document in documents]


def _take(encoding: Encoding, at: list[int]) -> Encoding:
    """Return the part of an encoding that belongs to one document, in its order."""
    return Encoding(
        np.ascontiguousarray(encoding.vectors[at]),
        None if encoding.tokens is None else tuple(encoding.tokens[i] for i in at),
        tuple(encoding.truncated[i] for i in at),
    )


def text_document(name: str, raw: str) -> Document:
    """Split a raw text; `name` says in the error which one is no text, or holds no sentence."""
    if not isinstance(raw, str):
        msg = f"the {name} is a {type(raw).__name__}; give its text as a str"
        raise InputError(msg)
    document = split(raw)
    if not document.sentences:
        msg = f"the {name} ({len(raw)} characters) holds no sentence; give a text with words"
        raise InputError(msg)
    return document


def document_of(sentences: Sequence[str]) -> Document:
    """Make a document of sentences that were split already; none may be blank."""
    placed, start = [], 0
    for index, text in enumerate(sentences):
        placed.append(Sentence(start, start + len(text), text, index))
        start += len(text) + 1
    return Document("\n".join(sentences), tuple(placed))
