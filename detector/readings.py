"""Documents to readings, encoded together, and the alignment of two of them.

It hands texts to the encoder and vectors to the aligner; it judges nothing and reads no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from detector.aligning.align import align
from detector.aligning.aside import article_of, put_back
from detector.aligning.joining import Side
from detector.aligning.weights import AlignConfig
from detector.encode import Encoder
from detector.evidence import Reading, read
from detector.reading.view import matching_view
from detector.records import Alignment, Document, Encoding, Sentence


def read_together(documents: Sequence[Document], encoder: Encoder) -> list[Reading]:
    """Encode documents in one call, each distinct sentence once: so batches fill better.

    Parameters
    ----------
    documents : sequence of Document
    encoder : Encoder

    Returns
    -------
    list of Reading
        One for each document, in order.
    """
    views = [[matching_view(text) for text in document.texts] for document in documents]
    place = {view: index for index, view in enumerate(dict.fromkeys(chain(*views)))}
    encoding = encoder.encode(list(place))
    return [
        read(document, _take(encoding, [place[view] for view in mine]))
        for document, mine in zip(documents, views, strict=True)
    ]


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
    readings = {"source": source, "copy": copy}
    vectors = {side: reading.encoding.vectors for side, reading in readings.items()}
    kept = {
        side: article_of(readings[side].document.texts, vectors[side], vectors[other])
        for side, other in (("source", "copy"), ("copy", "source"))
    }
    lengths = {
        side: [len(reading.document.sentences[i].text) for i in kept[side]]
        for side, reading in readings.items()
    }

    def rejoin(joins: Sequence[tuple[Side, range]]) -> NDArray[np.float32]:
        texts = [
            matching_view(
                " ".join(readings[side].document.sentences[kept[side][i]].text for i in indices)
            )
            for side, indices in joins
        ]
        return encoder.encode(texts, tokens=False).vectors

    beads = align(
        vectors["source"][kept["source"]],
        vectors["copy"][kept["copy"]],
        source_lengths=lengths["source"],
        copy_lengths=lengths["copy"],
        config=config,
        rejoin=rejoin,
    )
    sizes = (len(source.document), len(copy.document))
    return put_back(beads, kept["source"], kept["copy"], sizes)


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
