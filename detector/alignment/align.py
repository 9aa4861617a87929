"""Align two documents: the way in.

Beads are monotone: a passage that moved is an omission and an addition. Long documents are cut
into overlapping windows. The beads that a window can hold get log-odds (`candidates`), and a
lattice sums over all paths through them (`lattice`). A first pass estimates the priors of the pair;
uncertain merges are encoded as one text; the path returned has the most expected right beads.
Boilerplate of one page alone is masked first and unmasked after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.alignment.candidates import (
    EncodeMerged,
    decode,
    estimate_priors,
    first_passes,
    uncertain_merges,
)
from detector.alignment.config import AlignConfig
from detector.alignment.lattice import to_alignment
from detector.alignment.pair import MergedSentences, Pair, PairPriors, Side
from detector.encoder import Encoder
from detector.errors import InputError
from detector.records import Alignment, Bead, Document, Sentence

Vectors = NDArray[np.float32]

_SAME = 0.7  # cosine from which boilerplate has a counterpart on the other page
_BLOCK = 512  # rows compared at a time


def align(  # noqa: PLR0913 - two sides, what they weigh, and how
    source: NDArray[np.float32],
    copy: NDArray[np.float32],
    *,
    source_lengths: Sequence[int],
    copy_lengths: Sequence[int],
    config: AlignConfig | None = None,
    encode_merged: EncodeMerged | None = None,
) -> Alignment:
    """Align the sentences of a copy with those of its source, in order.

    Parameters
    ----------
    source, copy : ndarray of shape (n, d) and (m, d), float32
        Unit rows, one per sentence; n and m may be 0.
    source_lengths, copy_lengths : sequence of int
        Characters (or words) of each sentence.
    config : AlignConfig, optional
        Weights and limits.
    encode_merged : EncodeMerged, optional
        Encodes uncertain merges as one text each; called at most once, with at most
        `config.reencoding_share * (n + m)` runs.

    Returns
    -------
    Alignment
        Beads of up to 4 sentences a side that tile both documents. Omissions and additions hold
        one sentence each; between two beads, omissions come before additions. A bead's
        similarity is the cosine between both sides. The vector of merged sentences is that of
        their text if it was encoded, else the weighted sum of the sentences' vectors.

    Raises
    ------
    InputError
        If the shapes of vectors and lengths do not fit each other.

    Notes
    -----
    Log-odds of a bead must grow with the sentences it covers, or 1-1 beads always win. Here they
    do, because each sentence outside a bead pays the price of being unaligned. That price depends
    on the pair: a first pass counts how many sentences stay unaligned. So two unrelated texts
    dissolve into omissions and additions, and a badly translated sentence still pairs in a faithful
    copy.

    Up to `exact_cells` the sum runs over all paths. Beyond, the documents are cut into overlapping
    windows, and time and memory grow with their number. A window does not see a sentence's best
    cosine outside it, so near ties may be decided otherwise than in a search of the whole.

    Swapping the sides mirrors the beads, except for the order of omissions before additions.

    References
    ----------
    Gale and Church (1993) for length as evidence; Lafferty, McCallum and Pereira (2001) for the
    model; Thompson and Koehn (2019) for merged sentences and windows over sentence vectors. Ours
    are the support of each merged sentence, the priors of the pair, the choice by expected right
    beads, and the re-encoding pass.

    Examples
    --------
    >>> source = np.eye(4, dtype=np.float32)
    >>> copy = source[[0, 2, 3]]
    >>> alignment = align(source, copy, source_lengths=[60] * 4, copy_lengths=[60] * 3)
    >>> [(list(bead.source), list(bead.copy)) for bead in alignment.beads]
    [([0], [0]), ([1], []), ([2], [1]), ([3], [2])]
    """
    config = config or AlignConfig()
    left = MergedSentences.of("source", source, source_lengths, config.weight_power)
    right = MergedSentences.of("copy", copy, copy_lengths, config.weight_power)
    pair = Pair(left, right, PairPriors(), config)
    if not left.n or not right.n:
        omitted = [(i, 0) for i in range(left.n + 1)]
        return to_alignment([*omitted, *((left.n, j + 1) for j in range(right.n))], pair)
    if source.shape[1] != copy.shape[1]:
        msg = f"source vectors have {source.shape[1]} columns, copy vectors {copy.shape[1]}"
        raise InputError(msg)
    passes = first_passes(pair)
    pair = replace(pair, priors=estimate_priors(pair, passes))
    if encode_merged is not None and (runs := uncertain_merges(pair, passes)):
        vectors = encode_merged(runs)
        left, right = (side.with_encoded(runs, vectors) for side in (left, right))
        pair = replace(pair, source=left, copy=right)
    return to_alignment(decode(pair, passes), pair)


def align_documents(
    source: tuple[Document, Vectors],
    copy: tuple[Document, Vectors],
    encoder: Encoder,
    config: AlignConfig,
) -> Alignment:
    """Align two documents, given the unit vectors of their sentences, of shape (n, d).

    The encoder encodes the few runs of neighbouring sentences whose merge is uncertain.
    """
    sides = {"source": source, "copy": copy}
    kept = {
        side: mask_boilerplate(sides[side][0].sentences, sides[side][1], sides[other][1])
        for side, other in (("source", "copy"), ("copy", "source"))
    }
    lengths = {side: [len(sides[side][0].sentences[i].text) for i in kept[side]] for side in sides}

    def encode_merged(runs: Sequence[tuple[Side, range]]) -> Vectors:
        texts = [
            " ".join(sides[side][0].sentences[kept[side][i]].text for i in indices)
            for side, indices in runs
        ]
        return encoder.encode(texts, tokens=False).vectors

    beads = align(
        source[1][kept["source"]],
        copy[1][kept["copy"]],
        source_lengths=lengths["source"],
        copy_lengths=lengths["copy"],
        config=config,
        encode_merged=encode_merged,
    )
    sizes = (len(source[0]), len(copy[0]))
    return unmask(beads, kept["source"], kept["copy"], sizes)


def mask_boilerplate(
    sentences: Sequence[Sentence], vectors: NDArray[np.float32], others: NDArray[np.float32]
) -> list[int]:
    """Return the indices of the sentences to align: all but boilerplate of this page alone.

    `vectors` are the unit vectors of the sentences, `others` those of the other document. A date
    line of one page says nothing about the article, but might be aligned with the headline.
    All sentences are returned if no other would be left.
    """
    everything = list(range(len(sentences)))
    boilerplate = [i for i in everything if sentences[i].boilerplate is not None]
    if not boilerplate or not len(others):
        return everything
    _, cosines = nearest(vectors[boilerplate], others)
    masked = {i for i, cosine in zip(boilerplate, cosines, strict=True) if cosine < _SAME}
    return [i for i in everything if i not in masked] or everything


def nearest(
    vectors: NDArray[np.float32], others: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the index of the most similar row of `others`, and its cosine, for each row.

    Rows are unit vectors, `others` has at least one. Memory does not grow with n times m.
    """
    at = np.empty(len(vectors), np.intp)
    cosines = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK] @ others.T
        at[start : start + _BLOCK] = block.argmax(axis=1)
        cosines[start : start + _BLOCK] = block.max(axis=1)
    return at, cosines


def unmask(
    alignment: Alignment, source: Sequence[int], copy: Sequence[int], sizes: tuple[int, int]
) -> Alignment:
    """Return the alignment of the whole documents from that of the kept sentences.

    `source` and `copy` are the kept indices, `sizes` the sentences of both documents. A masked
    sentence is an omission or an addition, or lies inside the bead around it.
    """
    beads: list[Bead] = []
    at_source = at_copy = 0
    for bead in alignment.beads:
        here = _to_document(bead.source, source, at_source)
        there = _to_document(bead.copy, copy, at_copy)
        beads += _unaligned(range(at_source, here.start), range(at_copy, there.start))
        beads.append(Bead(source=here, copy=there, similarity=bead.similarity))
        at_source, at_copy = here.stop, there.stop
    beads += _unaligned(range(at_source, sizes[0]), range(at_copy, sizes[1]))
    return Alignment(beads=tuple(beads), n_source=sizes[0], n_copy=sizes[1])


def _to_document(part: range, kept: Sequence[int], at: int) -> range:
    """Return the range in the whole document of a range of kept sentences."""
    return range(kept[part.start], kept[part.stop - 1] + 1) if part else range(at, at)


def _unaligned(source: range, copy: range) -> Iterator[Bead]:
    for i in source:
        yield Bead(source=range(i, i + 1), copy=range(copy.start, copy.start), similarity=None)
    for j in copy:
        yield Bead(source=range(source.stop, source.stop), copy=range(j, j + 1), similarity=None)
