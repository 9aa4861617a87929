"""Two documents and their sentence vectors to the beads that tile both.

Page furniture of one page alone is set aside first and put back after; joins in doubt are handed
back to be encoded. It knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.aligning.align import align
from detector.aligning.aside import article_of, put_back
from detector.aligning.joining import Side
from detector.aligning.weights import AlignConfig
from detector.encode import Encoder
from detector.reading.view import matching_view
from detector.records import Alignment, Document

Vectors = NDArray[np.float32]


def align_documents(
    source: tuple[Document, Vectors],
    copy: tuple[Document, Vectors],
    encoder: Encoder,
    config: AlignConfig,
) -> Alignment:
    """Align two documents.

    Parameters
    ----------
    source, copy : (Document, ndarray of shape (n, d), float32)
        A document and the unit vectors of its sentences.
    encoder : Encoder
        Encodes the few joins of neighbouring sentences that are in doubt.
    config : AlignConfig

    Returns
    -------
    Alignment
    """
    sides = {"source": source, "copy": copy}
    kept = {
        side: article_of(sides[side][0].texts, sides[side][1], sides[other][1])
        for side, other in (("source", "copy"), ("copy", "source"))
    }
    lengths = {side: [len(sides[side][0].sentences[i].text) for i in kept[side]] for side in sides}

    def rejoin(joins: Sequence[tuple[Side, range]]) -> Vectors:
        texts = [
            matching_view(" ".join(sides[side][0].sentences[kept[side][i]].text for i in indices))
            for side, indices in joins
        ]
        return encoder.encode(texts, tokens=False).vectors

    beads = align(
        source[1][kept["source"]],
        copy[1][kept["copy"]],
        source_lengths=lengths["source"],
        copy_lengths=lengths["copy"],
        config=config,
        rejoin=rejoin,
    )
    sizes = (len(source[0]), len(copy[0]))
    return put_back(beads, kept["source"], kept["copy"], sizes)
