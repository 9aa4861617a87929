"""Gather everything known about a bead, once.

Everything that is known about one bead, gathered once for whoever judges it.

Pure: joins what `words`, `figures` and `names` find in the two sides of a bead. It judges
nothing; `features` turns the record into numbers.

Documents to readings, encoded together, and the alignment of two of them.

It hands texts to the encoder and vectors to the aligner; it judges nothing and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from detector.alignment.align import align_documents
from detector.alignment.config import AlignConfig
from detector.encoder import Encoder, matching_view
from detector.errors import InputError
from detector.features.adjacency import AdjacencyModel, predict_adjacency
from detector.features.token_tags import Tokens
from detector.names.calibration import NameFinding
from detector.names.compare import compare_names, name_context
from detector.names.state import NameContext
from detector.numbers.compare import compare_numbers
from detector.records import Alignment, Document, Encoding, NumberChange, Sentence
from detector.text.sentences import split
from detector.text.words import Word, WordAlignment, align_words, find_words, rarity, word_vectors


@dataclass(frozen=True, slots=True, eq=False)
class EncodedDocument:
    """A document with the words of every sentence and the encoder's view of them.

    Attributes
    ----------
    document : Document
    words : tuple of tuple of Word
        Per sentence; places count in the raw text.
    encoding : Encoding
        Of the document's sentences, in order.
    """

    document: Document
    words: tuple[tuple[Word, ...], ...]
    encoding: Encoding

    def words_of(self, indices: range) -> tuple[Word, ...]:
        """Return the words of neighbouring sentences."""
        return tuple(chain.from_iterable(self.words[i] for i in indices))

    def vectors_of(
        self, indices: range
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]] | tuple[None, None]:
        """Return the vectors of those words and of the sentences' tokens.

        Returns
        -------
        (ndarray of shape (n_words, d), ndarray of shape (n_tokens, d)), float32, or (None, None)
            None when the encoder offers no token vectors.
        """
        if self.encoding.tokens is None:
            return None, None
        tokens = [self.encoding.tokens[i].widened() for i in indices]
        words = [
            word_vectors(self.words[i], mine, offset=self.document.sentences[i].start)
            for i, mine in zip(indices, tokens, strict=True)
        ]
        return np.concatenate(words), np.concatenate([mine.vectors for mine in tokens])

    def tokens_of(self, indices: range) -> Tokens | None:
        """Return the tokens of those sentences, None when the encoder offers no vectors of them."""
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
        Contextual cosines of the words; None when the encoder offers no token vectors.
    source_distances, copy_distances : ndarray of shape (n_tokens,), float32, or None
        1 less the cosine of each token to its nearest on the other side.
    joins : ndarray of shape (n_copy_words + 1,), float64, or None
        Probability that each join of the copy's words is broken; None without a model for it.
    number_changes : tuple of NumberChange
        Spans count from the start of `source_text` and `copy_text`.
    names : tuple of NameFinding
        Spans count in the raw texts.
    n_truncated : int
        Sentences of the bead that the encoder did not read to the end.
    source, copy : Reading
        The documents.
    at : (range, range)
        The bead's sentences in them.
    """

    source_text: str
    copy_text: str
    similarity: float
    words: WordAlignment
    source_weights: NDArray[np.float64]
    copy_weights: NDArray[np.float64]
    cosines: NDArray[np.float32] | None
    source_distances: NDArray[np.float32] | None
    copy_distances: NDArray[np.float32] | None
    joins: NDArray[np.float64] | None
    number_changes: tuple[NumberChange, ...]
    names: tuple[NameFinding, ...]
    n_truncated: int
    source: EncodedDocument
    copy: EncodedDocument
    at: tuple[range, range]

    @property
    def tokens(self) -> tuple[Tokens, Tokens] | None:
        """What a tagger reads: the tokens of source and copy, where the encoder offers them."""
        source, copy = self.source.tokens_of(self.at[0]), self.copy.tokens_of(self.at[1])
        return None if source is None or copy is None else (source, copy)


def read(document: Document, encoding: Encoding) -> EncodedDocument:
    """Find the words of every sentence of an encoded document."""
    words = tuple(find_words(s.text, offset=s.start) for s in document.sentences)
    return EncodedDocument(document, words, encoding)


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Two readings, and what is looked at for both of them together.

    Attributes
    ----------
    source, copy : Reading
    context : NameContext
        How both whole documents write their words.
    joins : callable or None
        Judges the joins of the copy's words (`joins.judge_joins`).
    """

    source: EncodedDocument
    copy: EncodedDocument
    context: NameContext
    joins: AdjacencyModel | None


def pair_up(
    source: EncodedDocument, copy: EncodedDocument, *, joins: AdjacencyModel | None = None
) -> Pairing:
    """Learn from both whole documents how their words are written."""
    context = name_context(source.document.raw, source.words, copy.document.raw, copy.words)
    return Pairing(source, copy, context, joins)


def gather(pairing: Pairing, *, at: tuple[range, range], similarity: float) -> BeadEvidence:
    """Gather the evidence of one bead.

    Parameters
    ----------
    pairing : Pairing
        Of both documents.
    at : pair of range
        Sentence indices of the bead on each side; neither may be empty.
    similarity : float
        Cosine of the bead.

    Returns
    -------
    BeadEvidence
    """
    source, copy, context = pairing.source, pairing.copy, pairing.context
    source_at, copy_at = at
    source_words, copy_words = source.words_of(source_at), copy.words_of(copy_at)
    source_vectors, source_tokens = source.vectors_of(source_at)
    copy_vectors, copy_tokens = copy.vectors_of(copy_at)
    links = align_words(
        source_words, copy_words, source_vectors=source_vectors, copy_vectors=copy_vectors
    )
    source_text, _ = source.text_of(source_at)
    copy_text, _ = copy.text_of(copy_at)
    cosines = broken = None
    if source_vectors is not None and copy_vectors is not None and source_words and copy_words:
        cosines = source_vectors @ copy_vectors.T
        if pairing.joins is not None:
            broken = predict_adjacency(links, source_vectors, copy_vectors, pairing.joins)
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
        joins=broken,
        number_changes=compare_numbers(source_text, copy_text),
        names=compare_names(links, context, copy_at.start),
        n_truncated=sum(source.encoding.truncated[i] for i in source_at)
        + sum(copy.encoding.truncated[i] for i in copy_at),
        source=source,
        copy=copy,
        at=at,
    )


def _distances(
    source: NDArray[np.float32] | None, copy: NDArray[np.float32] | None
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Match every token greedily, as BERTScore does (Zhang et al., 2020)."""
    if source is None or copy is None or not len(source) or not len(copy):
        return None, None
    cosines = source @ copy.T
    return 1.0 - cosines.max(axis=1), 1.0 - cosines.max(axis=0)


def gather_pairs(
    pairs: Iterable[tuple[str, str]],
    encoder: Encoder,
    *,
    joins: AdjacencyModel | None = None,
    batch: int = 512,
) -> Iterator[BeadEvidence]:
    """Gather the evidence of single sentence pairs, each taken as a bead and a document.

    Parameters
    ----------
    pairs : iterable of (source, copy)
        Neither side may be blank. A text that holds several sentences is encoded whole.
    encoder : Encoder
    joins : callable, optional
        Judges the joins of the copy's words.
    batch : int
        Pairs encoded at a time; memory stays constant in the number of pairs.

    Yields
    ------
    BeadEvidence
        In the order of `pairs`.
    """
    for chunk in _chunks(pairs, batch):
        views = {text: matching_view(text) for text in chain(*chunk)}
        distinct = {view: index for index, view in enumerate(dict.fromkeys(views.values()))}
        encoding = encoder.encode(list(distinct))
        for source_text, copy_text in chunk:
            source = _single(source_text, encoding, distinct[views[source_text]])
            copy = _single(copy_text, encoding, distinct[views[copy_text]])
            similarity = float(source.encoding.vectors[0] @ copy.encoding.vectors[0])
            yield gather(
                pair_up(source, copy, joins=joins),
                at=(range(1), range(1)),
                similarity=max(-1.0, min(1.0, similarity)),
            )


def _single(text: str, encoding: Encoding, index: int) -> EncodedDocument:
    document = Document(text, (Sentence(0, len(text), text, 0),))
    tokens = None if encoding.tokens is None else (encoding.tokens[index],)
    part = Encoding(encoding.vectors[index : index + 1], tokens, (encoding.truncated[index],))
    return read(document, part)


def _chunks(pairs: Iterable[tuple[str, str]], size: int) -> Iterator[Sequence[tuple[str, str]]]:
    iterator = iter(pairs)
    while chunk := list(islice(iterator, size)):
        yield chunk


def encode_together(
    documents: Sequence[Document | EncodedDocument], encoder: Encoder
) -> list[EncodedDocument]:
    """Encode documents in one call, each distinct sentence once: so batches fill better.

    Parameters
    ----------
    documents : sequence of Document or Reading
        A reading, of this encoder, is given back as it is.
    encoder : Encoder

    Returns
    -------
    list of Reading
        One for each document, in order.
    """
    new = [one for one in documents if isinstance(one, Document)]
    views = [[matching_view(text) for text in document.texts] for document in new]
    place = {view: index for index, view in enumerate(dict.fromkeys(chain(*views)))}
    encoding = encoder.encode(list(place))
    made = (
        read(document, _take(encoding, [place[view] for view in mine]))
        for document, mine in zip(new, views, strict=True)
    )
    return [next(made) if isinstance(one, Document) else one for one in documents]


def align_encoded(
    source: EncodedDocument, copy: EncodedDocument, encoder: Encoder, config: AlignConfig
) -> Alignment:
    """Align two readings, page furniture set aside.

    Parameters
    ----------
    source, copy : Reading
    encoder : Encoder
        Encodes the few joins of sentences that are in doubt.
    config : AlignConfig

    Returns
    -------
    Alignment
    """
    return align_documents(
        (source.document, source.encoding.vectors),
        (copy.document, copy.encoding.vectors),
        encoder,
        config,
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


def _take(encoding: Encoding, at: list[int]) -> Encoding:
    """Return the part of an encoding that belongs to one document, in its order."""
    return Encoding(
        np.ascontiguousarray(encoding.vectors[at]),
        None if encoding.tokens is None else tuple(encoding.tokens[i] for i in at),
        tuple(encoding.truncated[i] for i in at),
    )
