"""Judge an aligned pair: evidence and models to one `Row` for each copy sentence.

It takes encoded documents, beads and models, and returns records. It loads nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from detector.alignment.align import nearest
from detector.features.adjacency import AdjacencyModel
from detector.features.evidence import BeadEvidence, EncodedDocument, gather, pair_documents
from detector.features.explain import bead_reasons
from detector.features.token_tags import split_by_sentence
from detector.records import (
    CLOSE_COSINE,
    Alignment,
    BeadPredictions,
    ErrorSpan,
    NameChange,
    Passage,
    Row,
    Sentence,
    Span,
)
from detector.text.boilerplate import count_outside


class BeadModels(Protocol):
    """The models that predict for beads; a bundle is one, tests pass a small fake."""

    @property
    def adjacency(self) -> AdjacencyModel | None:
        """Predicts incoherent neighbours among a copy's words, if given."""
        ...

    def predict(self, evidence: Sequence[BeadEvidence]) -> BeadPredictions:
        """Predict for beads."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a report says about a pair of texts.

    `rows` holds one per copy sentence, `omissions` and `outside` the source passages that the copy
    lacks, inside the article and around it. `matched` is the share in [0, 1] of the copy's
    characters in close beads, without boilerplate: two articles on one event align here and there,
    but not closely.
    """

    rows: tuple[Row, ...]
    omissions: tuple[Passage, ...]
    outside: tuple[Passage, ...]
    matched: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedPair:
    """Two encoded documents and the beads of their sentences."""

    source: EncodedDocument
    copy: EncodedDocument
    alignment: Alignment


def judge(pairs: Sequence[AlignedPair], *, models: BeadModels, threshold: float) -> list[Judgement]:
    """Judge every copy sentence of aligned pairs.

    The models are called once for the beads of all pairs, since a call costs much and a bead
    little. Every copy sentence of a bead takes the bead's probability. An addition is compared with
    the source sentence most similar to it, so its probability says how little the source supports
    it; boilerplate that the copy added is not judged and has none. A row is flagged from
    `threshold`, a probability in [0, 1].
    """
    adjacency = models.adjacency
    prepared = [_prepare(pair, adjacency) for pair in pairs]
    predictions = models.predict([bead for case in prepared for bead in case.evidence])
    judgements, start = [], 0
    for case in prepared:
        end = start + len(case.evidence)
        judgements.append(_judgement(case, predictions.part(slice(start, end)), threshold))
        start = end
    return judgements


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Source and copy sentences that are judged together."""

    source: range
    copy: range
    similarity: float
    addition: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A pair, its copy sentences that are not judged, and the evidence on the others."""

    pair: AlignedPair
    boilerplate: dict[int, str]
    comparisons: list[_Comparison]
    evidence: list[BeadEvidence]


def _prepare(pair: AlignedPair, adjacency: AdjacencyModel | None) -> _Prepared:
    boilerplate = {
        j: reason
        for bead in pair.alignment.beads
        if not bead.source
        for j in bead.copy
        if (reason := pair.copy.document.sentences[j].boilerplate) is not None
    }
    comparisons = list(_comparisons(pair, boilerplate))
    documents = pair_documents(pair.source, pair.copy, adjacency=adjacency)
    evidence = [
        gather(documents, at=(c.source, c.copy), similarity=c.similarity) for c in comparisons
    ]
    return _Prepared(pair=pair, boilerplate=boilerplate, comparisons=comparisons, evidence=evidence)


def _comparisons(pair: AlignedPair, boilerplate: dict[int, str]) -> Iterator[_Comparison]:
    beads = pair.alignment.beads
    added = [j for bead in beads if not bead.source for j in bead.copy if j not in boilerplate]
    closest: dict[int, tuple[int, float]] = {}
    if added:
        vectors = pair.copy.encoding.vectors[added], pair.source.encoding.vectors
        at, cosines = nearest(*vectors)
        closest = dict(zip(added, zip(at.tolist(), cosines.tolist(), strict=True), strict=True))
    for bead in beads:
        if bead.similarity is not None:
            yield _Comparison(bead.source, bead.copy, bead.similarity, addition=False)
            continue
        for j in bead.copy:
            if j in closest:
                i, cosine = closest[j]
                similarity = max(-1.0, min(1.0, cosine))
                yield _Comparison(range(i, i + 1), range(j, j + 1), similarity, addition=True)


def _judgement(case: _Prepared, predictions: BeadPredictions, threshold: float) -> Judgement:
    pair = case.pair
    rows: list[Row] = []
    for comparison, bead, drift, severity, names, spans in zip(
        case.comparisons,
        case.evidence,
        predictions.drift.tolist(),
        predictions.severity.tolist(),
        predictions.names,
        predictions.spans,
        strict=True,
    ):
        flagged = drift >= threshold
        if comparison.addition:
            reason = "the source has no such sentence"
            if not flagged:
                reason += "; one of its sentences says much the same elsewhere"
            index = comparison.copy.start
            own = [_addition(pair.copy.document.sentences[index], index, reason)]
        else:
            own = _aligned(pair, comparison, bead, (names, spans), flagged=flagged)
        rows += [
            replace(
                row,
                drift_probability=drift,
                drift_flag=flagged,
                severity=None if math.isnan(severity) else severity,
                n_truncated=bead.n_truncated,
            )
            for row in own
        ]
    rows += [
        _addition(
            pair.copy.document.sentences[j],
            j,
            f"page boilerplate of the copy, not judged ({reason})",
        )
        for j, reason in case.boilerplate.items()
    ]
    rows.sort(key=lambda row: row.copy_index)
    omissions, outside = _missing(pair.source, pair.alignment)
    return Judgement(
        rows=tuple(rows),
        omissions=omissions,
        outside=outside,
        matched=_matched([row for row in rows if row.copy_index not in case.boilerplate]),
    )


def _aligned(
    pair: AlignedPair,
    at: _Comparison,
    bead: BeadEvidence,
    found: tuple[Sequence[NameChange], Sequence[ErrorSpan]],
    *,
    flagged: bool,
) -> list[Row]:
    """Return the rows of a bead's copy sentences, without scores."""
    source_text, start = pair.source.text_of(at.source)
    _, copy_start = pair.copy.text_of(at.copy)
    sentences = [pair.copy.document.sentences[j] for j in at.copy]
    numbers = [change.shift(source=start, copy=copy_start) for change in bead.number_changes]
    names, spans = found
    return [
        Row(
            copy_index=j,
            copy=sentence.span,
            copy_text=sentence.text,
            kind="aligned",
            source_indices=tuple(at.source),
            source=Span(start, start + len(source_text)),
            source_text=source_text,
            similarity=at.similarity,
            drift_probability=None,
            drift_flag=False,
            name_changes=own_names,
            number_changes=own_numbers,
            spans=own_spans,
            reasons=bead_reasons(bead, own_names, own_spans, flagged=flagged),
        )
        for j, sentence, own_names, own_numbers, own_spans in zip(
            at.copy,
            sentences,
            split_by_sentence(names, sentences),
            split_by_sentence(numbers, sentences),
            split_by_sentence(spans, sentences),
            strict=True,
        )
    ]


def _addition(sentence: Sentence, index: int, reason: str) -> Row:
    """Return the row of a copy sentence without a counterpart, without scores."""
    return Row(
        copy_index=index,
        copy=sentence.span,
        copy_text=sentence.text,
        kind="addition",
        source_indices=(),
        source=None,
        source_text=None,
        similarity=None,
        drift_probability=None,
        drift_flag=False,
        reasons=(reason,),
    )


def _missing(
    source: EncodedDocument, alignment: Alignment
) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
    """Return the omitted source sentences: those of the article and those around it."""
    sentences = source.document.sentences
    omitted = [i for bead in alignment.beads if not bead.copy for i in bead.source]
    aligned = [i for bead in alignment.aligned for i in bead.source]
    around: set[int] = set()
    if aligned:
        head = [i for i in omitted if i < aligned[0]]
        tail = [i for i in omitted if i > aligned[-1]]
        n_head = count_outside([sentences[i] for i in head], "head")
        n_tail = count_outside([sentences[i] for i in tail], "tail")
        around = {*head[:n_head], *tail[len(tail) - n_tail :]}
    omissions: list[Passage] = []
    outside: list[Passage] = []
    for i in omitted:
        sentence = sentences[i]
        reason = "the copy has no such sentence"
        if i in around:
            reason = sentence.boilerplate or "around the article, not part of it"
        passage = Passage(indices=(i,), span=sentence.span, text=sentence.text, reason=reason)
        (outside if i in around else omissions).append(passage)
    return tuple(omissions), tuple(outside)


def _matched(rows: Sequence[Row]) -> float:
    total = sum(len(row.copy_text) for row in rows)
    close = [r for r in rows if r.similarity is not None and r.similarity >= CLOSE_COSINE]
    return sum(len(row.copy_text) for row in close) / total if total else 0.0
