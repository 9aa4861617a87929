"""Match a suspect against an archive: ranked sources, relations and a report.

`match`: the articles a suspect may come from, what it is to each, and a report of the best.

This room conducts: it finds candidates with an archive and judges them with a scorer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detector.archive.add import encoded
from detector.archive.archive import Archive, Found
from detector.errors import InputError
from detector.features.evidence import text_document
from detector.records import Document, Relation
from detector.text.sentences import split

if TYPE_CHECKING:
    from detector.report.report import Report
    from detector.scorer import Scorer

LEAST = 0.05
"""Share of the suspect that an article must explain to be a candidate at all."""

JUDGED = 0.5
"""Of what the first candidate explains: an article that explains less, and no sentence best, is
no likely source, and what the suspect is to it is not worked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An article that a suspect may come from.

    Attributes
    ----------
    id, title : str
        As they were given to the archive; a stranger's text, not safe to print as it is.
    share : float
        How much of the suspect the article explains, in [0, 1].
    sentences : tuple of int
        Sentences of the suspect, from 0, that it explains and no better candidate does.
    relation : Relation or None
        What the suspect is to it; None where no model says so, or where it is no likely source
        (see `JUDGED`).
    """

    id: str
    title: str
    share: float
    sentences: tuple[int, ...]
    relation: Relation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What an archive says of a suspect.

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
        return tuple(one for one in self.candidates if one.sentences)


def match(
    text: str, archive: Archive, *, scorer: Scorer | None = None, top: int = 5, report: bool = True
) -> Match:
    """Find the source of a suspect in an archive, and judge the suspect against it.

    Parameters
    ----------
    text : str
        The suspect's raw text.
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
    """
    document = text_document("text", text)
    return match_document(document, archive, scorer=scorer, top=top, report=report)


def match_document(
    document: Document,
    archive: Archive,
    *,
    scorer: Scorer | None = None,
    top: int = 5,
    report: bool = True,
) -> Match:
    """Find the source of a text that was split already; see `match`.

    Notes
    -----
    Each sentence of the suspect is encoded once: what found its sources is compared with them, and
    is read by the report. Its relation to the first candidate is then the report's.
    """
    if top < 1:
        msg = f"top is {top}; give 1 or more"
        raise InputError(msg)
    reading = None
    if scorer is not None:
        archive.check(scorer.encoder.identity)
        reading = scorer.read(document) if report else None
    if reading is None:
        vectors = encoded(document.texts, archive.encoder)
    else:
        vectors = reading.encoding.vectors
    found = archive.search_vectors(document, vectors, top=top)
    found = tuple(one for one in found if one.share >= LEAST)
    scored = None
    if scorer is not None and reading is not None and found:
        scored = scorer.score(copy=reading, source=found[0].stored.article.text)

    def relation(one: Found) -> Relation | None:
        if scored is not None and one is found[0]:
            return scored.relation
        likely = bool(one.sentences) or one.share >= JUDGED * found[0].share
        return _relation(scorer, document, vectors, one) if scorer is not None and likely else None

    return Match(
        n_sentences=len(document),
        candidates=tuple(
            Candidate(
                id=one.stored.article.id,
                title=one.stored.article.title,
                share=one.share,
                sentences=one.sentences,
                relation=relation(one),
            )
            for one in found
        ),
        report=scored,
    )


def _relation(
    scorer: Scorer, copy: Document, vectors: NDArray[np.float32], found: Found
) -> Relation | None:
    """Say what the suspect is to an archived article, whose vectors are not made again."""
    source = split(found.stored.article.text)
    if len(source) != len(found.vectors):
        return None  # the archive was made by a version that splits in another way
    return scorer.relate(copy=(copy, vectors), source=(source, found.vectors))
