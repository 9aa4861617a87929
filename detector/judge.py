"""Judge an aligned pair: evidence and models to one `Row` for each copy sentence.

From an alignment to judged rows: what each copy sentence is, what the copy lacks.

Pure: takes readings, beads and a function that gives probabilities, and returns records. It loads
nothing and shows nothing; `scorer` hands it the parts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from detector.alignment.align import nearest
from detector.features.adjacency import AdjacencyModel
from detector.features.evidence import BeadEvidence, EncodedDocument, gather, pair_up
from detector.features.explain import bead_reasons
from detector.features.token_tags import split_by_sentence
from detector.records import (
    CLOSE_COSINE,
    Alignment,
    ErrorSpan,
    Passage,
    Row,
    Sentence,
    Span,
    Verdicts,
)
from detector.text.boilerplate import boilerplate_reason, split_run


class Judge(Protocol):
    """The models that judge beads; a bundle is one, tests pass a small fake."""

    @property
    def joins(self) -> AdjacencyModel | None:
        """What judges the joins of a copy's words, if anything does."""
        ...

    def judge(self, evidence: Sequence[BeadEvidence]) -> Verdicts:
        """Judge beads."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a report says about a pair of texts.

    Attributes
    ----------
    rows : tuple of Row
        One per copy sentence.
    omissions, outside : tuple of Passage
        Source passages that the copy lacks, inside the article and around it.
    matched : float
        Share in [0, 1] of the copy's characters that stand in beads of cosine `CLOSE_COSINE` or
        more, furniture left aside: two articles on one event align here and there, but not closely.
    """

    rows: tuple[Row, ...]
    omissions: tuple[Passage, ...]
    outside: tuple[Passage, ...]
    matched: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """Two readings and the beads of their sentences."""

    source: EncodedDocument
    copy: EncodedDocument
    alignment: Alignment


def judge(pairs: Sequence[Aligned], *, models: Judge, threshold: float) -> list[Judgement]:
    """Judge every copy sentence of aligned pairs.

    Parameters
    ----------
    pairs : sequence of Aligned
        The beads of all of them are judged in one call, since models ask much for a call and
        little for a bead.
    models : Judge
        Gives the verdicts on a sequence of evidence.
    threshold : float
        Probability in [0, 1] from which a row is flagged.

    Returns
    -------
    list of Judgement
        One for each pair, in order.

    Notes
    -----
    Every copy sentence of a bead takes the bead's probability. An addition is weighed against the
    source sentence most like it, so its probability says how little the source supports it; page
    furniture that the copy added is not judged and has none.
    """
    joins = models.joins
    cases = [_case(pair, joins) for pair in pairs]
    verdicts = models.judge([bead for case in cases for bead in case.gathered])
    judged, at = [], 0
    for case in cases:
        mine = slice(at, at + len(case.jobs))
        judged.append(_judgement(case, verdicts.part(mine), threshold))
        at = mine.stop
    return judged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One pair made ready for the models."""

    pair: Aligned
    furniture: dict[int, str]
    jobs: list[_Job]
    gathered: list[BeadEvidence]


def _case(pair: Aligned, joins: AdjacencyModel | None) -> _Case:
    source, copy = pair.source, pair.copy
    furniture = {
        j: reason
        for bead in pair.alignment.beads
        if not bead.source
        for j in bead.copy
        if (reason := boilerplate_reason(copy.document.sentences[j].text)) is not None
    }
    jobs = _jobs(source, copy, pair.alignment, furniture)
    pairing = pair_up(source, copy, joins=joins)
    gathered = [
        gather(pairing, at=(job.source, job.copy), similarity=job.similarity) for job in jobs
    ]
    return _Case(pair=pair, furniture=furniture, jobs=jobs, gathered=gathered)


def _judgement(case: _Case, verdicts: Verdicts, threshold: float) -> Judgement:
    source, copy = case.pair.source, case.pair.copy
    evidence = [
        replace(bead, names=names)
        for bead, names in zip(case.gathered, verdicts.names, strict=True)
    ]
    rows: list[Row] = []
    drift, severities = verdicts.drift.tolist(), verdicts.severity.tolist()
    for job, bead, probability, points, spans in zip(
        case.jobs, evidence, drift, severities, verdicts.spans, strict=True
    ):
        severity = None if math.isnan(points) else points
        verdict = _Verdict(probability, probability >= threshold, severity, spans)
        if job.addition:
            sentence = copy.document.sentences[job.copy.start]
            rows.append(_addition(sentence, job, bead, verdict))
        else:
            rows += _aligned(source, copy, job, bead, verdict)
    rows += [
        _alone(copy.document.sentences[j], j, f"page furniture of the copy, not judged ({reason})")
        for j, reason in case.furniture.items()
    ]
    rows.sort(key=lambda row: row.copy_index)
    omissions, outside = _missing(source, case.pair.alignment)
    return Judgement(
        rows=tuple(rows),
        omissions=omissions,
        outside=outside,
        matched=_matched(rows, case.furniture),
    )


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is said of one bead."""

    probability: float
    flagged: bool
    severity: float | None
    spans: tuple[ErrorSpan, ...]


@dataclass(frozen=True, slots=True)
class _Job:
    """Sentences to weigh against each other."""

    source: range
    copy: range
    similarity: float
    addition: bool


def _jobs(
    source: EncodedDocument, copy: EncodedDocument, alignment: Alignment, furniture: dict[int, str]
) -> list[_Job]:
    added = [
        j for bead in alignment.beads if not bead.source for j in bead.copy if j not in furniture
    ]
    closest: dict[int, tuple[int, float]] = {}
    if added:
        at, cosines = nearest(copy.encoding.vectors[added], source.encoding.vectors)
        closest = dict(zip(added, zip(at.tolist(), cosines.tolist(), strict=True), strict=True))
    jobs = []
    for bead in alignment.beads:
        if bead.source and bead.copy and bead.similarity is not None:
            jobs.append(_Job(bead.source, bead.copy, bead.similarity, addition=False))
        elif bead.copy:
            for j in bead.copy:
                if j in closest:
                    i, cosine = closest[j]
                    jobs.append(
                        _Job(
                            range(i, i + 1),
                            range(j, j + 1),
                            max(-1.0, min(1.0, cosine)),
                            addition=True,
                        )
                    )
    return jobs


def _aligned(
    source: EncodedDocument, copy: EncodedDocument, job: _Job, bead: BeadEvidence, verdict: _Verdict
) -> list[Row]:
    source_text, start = source.text_of(job.source)
    _, copy_start = copy.text_of(job.copy)
    sentences = [copy.document.sentences[j] for j in job.copy]
    names = split_by_sentence(bead.names, sentences)
    spans = split_by_sentence(verdict.spans, sentences)
    numbers = split_by_sentence(
        [change.shift(source=start, copy=copy_start) for change in bead.number_changes], sentences
    )
    return [
        Row(
            copy_index=j,
            copy=sentence.span,
            copy_text=sentence.text,
            kind="aligned",
            source_indices=tuple(job.source),
            source=Span(start, start + len(source_text)),
            source_text=source_text,
            similarity=job.similarity,
            drift_probability=verdict.probability,
            drift_flag=verdict.flagged,
            severity=verdict.severity,
            name_changes=mine,
            number_changes=changed,
            spans=words,
            reasons=bead_reasons(bead, mine, words, flagged=verdict.flagged),
            n_truncated=bead.n_truncated,
        )
        for j, sentence, mine, changed, words in zip(
            job.copy, sentences, names, numbers, spans, strict=True
        )
    ]


def _addition(sentence: Sentence, job: _Job, bead: BeadEvidence, verdict: _Verdict) -> Row:
    reason = "the source has no such sentence"
    if not verdict.flagged:
        reason += "; one of its sentences says much the same elsewhere"
    row = _alone(sentence, job.copy.start, reason)
    return replace(
        row,
        drift_probability=verdict.probability,
        drift_flag=verdict.flagged,
        severity=verdict.severity,
        n_truncated=bead.n_truncated,
    )


def _alone(sentence: Sentence, index: int, reason: str) -> Row:
    """Return the row of a copy sentence without a counterpart, not judged yet."""
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
    """Tell what the copy left out of the article from what lies around the article."""
    omitted = [i for bead in alignment.beads if not bead.copy for i in bead.source]
    aligned = [i for bead in alignment.aligned for i in bead.source]
    first, last = (aligned[0], aligned[-1]) if aligned else (len(source.document), -1)
    head = [i for i in omitted if i < first] if aligned else []
    tail = [i for i in omitted if i > last] if aligned else []
    texts = source.document.texts
    n_head = split_run([texts[i] for i in head], "head") if head else 0
    n_tail = split_run([texts[i] for i in tail], "tail") if tail else 0
    beyond = set(head[:n_head]) | set(tail[len(tail) - n_tail :])
    return (
        tuple(
            _passage(source, i, "the copy has no such sentence") for i in omitted if i not in beyond
        ),
        tuple(
            _passage(
                source, i, boilerplate_reason(texts[i]) or "around the article, not part of it"
            )
            for i in omitted
            if i in beyond
        ),
    )


def _passage(source: EncodedDocument, index: int, reason: str) -> Passage:
    sentence = source.document.sentences[index]
    return Passage(indices=(index,), span=sentence.span, text=sentence.text, reason=reason)


def _matched(rows: Sequence[Row], furniture: dict[int, str]) -> float:
    body = [row for row in rows if row.copy_index not in furniture]
    total = sum(len(row.copy_text) for row in body)
    if not total:
        return 0.0
    close = [r for r in body if r.similarity is not None and r.similarity >= CLOSE_COSINE]
    return sum(len(row.copy_text) for row in close) / total
