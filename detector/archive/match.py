"""Match a suspect against an archive: ranked sources, relations and a report.

The archive finds the candidates, the scorer compares them with the suspect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detector.archive.add import encode_sentences
from detector.archive.archive import Archive, SearchResult
from detector.errors import InputError
from detector.features.evidence import text_document
from detector.records import Document, Relation
from detector.text.sentences import split

if TYPE_CHECKING:
    from detector.report.report import Report
    from detector.scorer import Scorer

MIN_SHARE = 0.05
"""Share of the suspect that an article must explain to be a candidate."""

MIN_RELATIVE_SHARE = 0.5
"""Part of the first candidate's share from which the relation of another is predicted, even where
that candidate explains no sentence best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An article that a suspect may come from.

    Attributes
    ----------
    id, title : str
        As given to the archive; untrusted text, not safe to print as it is.
    share : float
        How much of the suspect the article explains, in [0, 1].
    sentences : tuple of int
        Sentences of the suspect, from 0, that it explains and no better candidate does.
    relation : Relation or None
        What the suspect is to it; None without a scorer or a relation model, and where it is no
        likely source (see `MIN_RELATIVE_SHARE`).
    """

    id: str
    title: str
    share: float
    sentences: tuple[int, ...]
    relation: Relation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The sources of a suspect in an archive.

    Attributes
    ----------
    n_sentences : int
        Of the suspect.
    candidates : tuple of Candidate
        The likeliest source first; empty when no article is like it.
    report : Report or None
        The suspect against the first candidate; None without one, or when none was asked for.
    """

    n_sentences: int
    candidates: tuple[Candidate, ...]
    report: Report | None

    @property
    def sources(self) -> tuple[Candidate, ...]:
        """The candidates that explain sentences of their own: several for a stitched copy."""
        return tuple(c for c in self.candidates if c.sentences)


def match(
    text: str | Document,
    archive: Archive,
    *,
    scorer: Scorer | None = None,
    top: int = 5,
    report: bool = True,
) -> Match:
    """Find the source of a suspect in an archive, and score the suspect against it.

    Parameters
    ----------
    text : str or Document
        The suspect's raw text, or the text split into sentences.
    archive : Archive
    scorer : Scorer, optional
        With the archive's encoder; without one there are neither relations nor a report.
    top : int
        Candidates, at least 1; further ones are given when they explain sentences of their own.
    report : bool
        Whether to score the suspect against the first candidate, sentence by sentence.

    Returns
    -------
    Match

    Raises
    ------
    InputError
        If the text holds no sentence, or the archive is another encoder's or cannot be read.

    Notes
    -----
    Each sentence of the suspect is encoded once, for the search, the relations and the report.
    The relation to the first candidate is the report's.
    """
    if top < 1:
        msg = f"top is {top}; give 1 or more"
        raise InputError(msg)
    document = text if isinstance(text, Document) else text_document("text", text)
    encoded = None
    if scorer is not None:
        archive.check(scorer.encoder.identity)
        encoded = scorer.read(document) if report else None
    if encoded is None:
        vectors = encode_sentences(document.texts, archive.encoder)
    else:
        vectors = encoded.encoding.vectors
    results = [
        result
        for result in archive.search(document, vectors=vectors, top=top)
        if result.share >= MIN_SHARE
    ]
    scored = None
    if scorer is not None and encoded is not None and results:
        scored = scorer.score(copy=encoded, source=results[0].article.text)

    def relation(result: SearchResult) -> Relation | None:
        if scored is not None and result is results[0]:
            return scored.relation
        likely = result.sentences or result.share >= MIN_RELATIVE_SHARE * results[0].share
        return _relation(scorer, document, vectors, result) if scorer and likely else None

    return Match(
        n_sentences=len(document),
        candidates=tuple(
            Candidate(
                id=result.article.id,
                title=result.article.title,
                share=result.share,
                sentences=result.sentences,
                relation=relation(result),
            )
            for result in results
        ),
        report=scored,
    )


def _relation(
    scorer: Scorer, copy: Document, vectors: NDArray[np.float32], result: SearchResult
) -> Relation | None:
    """Predict what the suspect is to an archived article, from the stored vectors."""
    source = split(result.article.text)
    if len(source) != len(result.vectors):
        return None  # the archive was made by a version that splits in another way
    return scorer.relate(copy=(copy, vectors), source=(source, result.vectors))
