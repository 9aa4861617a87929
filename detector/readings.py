"""Documents to readings, encoded together, and the alignment of two of them.

It hands texts to the encoder and vectors to the aligner; it judges nothing and reads no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from detector.aligning.documents import align_documents
from detector.aligning.weights import AlignConfig
from detector.encode import Encoder
from detector.errors import InputError
from detector.evidence import Reading, read
from detector.reading.text import split
from detector.reading.view import matching_view
from detector.records import Alignment, Document, Encoding, Sentence


def read_together(documents: Sequence[Document | Reading], encoder: Encoder) -> list[Reading]:
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


def align_readings(
    source: Reading, copy: Reading, encoder: Encoder, config: AlignConfig
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
