"""Matches and archives as lines for a person, and as plain records. Pure; all text is made safe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from detector.archive.archive import Info
from detector.archive.match import Candidate, Match
from detector.relation import Relation
from detector.showing.display import safe
from detector.showing.plain import relation_record

_LONGEST = 80  # characters of a title


def match_lines(name: str, match: Match) -> Iterator[str]:
    """Yield what was found for one suspect, a line each; without the report.

    Parameters
    ----------
    name : str
        Of the suspect.
    match : Match
    """
    yield safe(name)
    if not match.candidates:
        yield "  no article of the archive is like it"
        return
    for rank, one in enumerate(match.candidates, start=1):
        title = f"  {safe(one.title)[:_LONGEST]}" if one.title else ""
        yield f"  {rank}. {safe(one.id)}{title}"
        yield f"     explains {one.share:.2f} of it{_parts(one, match.n_sentences)}"
        if one.relation is not None:
            yield f"     {_relation(one.relation)}"
            yield from (f"     - {safe(why)}" for why in one.relation.evidence)


def match_record(name: str, match: Match) -> dict[str, Any]:
    """Return a match as plain dicts, lists, strings and numbers."""
    return {
        "suspect": name,
        "n_sentences": match.n_sentences,
        "candidates": [
            {
                "id": one.id,
                "title": one.title,
                "share": one.share,
                "sentences": list(one.sentences),
                "relation": None if one.relation is None else relation_record(one.relation),
            }
            for one in match.candidates
        ],
        "report": None if match.report is None else match.report.to_dict(),
    }


def info_record(info: Info) -> dict[str, Any]:
    """Return what an archive holds as plain values."""
    return {
        "articles": info.n_articles,
        "sentences": info.n_sentences,
        "bytes": info.n_bytes,
        "encoder": info.encoder.to_dict(),
        "index": {
            "kind": info.index.kind,
            "indexed": info.index.n_indexed,
            "left": info.index.n_left,
        },
    }


def info_lines(info: Info) -> Iterator[str]:
    """Yield what an archive holds, a line each."""
    encoder = info.encoder
    yield f"articles   {info.n_articles:,}"
    yield f"sentences  {info.n_sentences:,}"
    yield f"disk       {info.n_bytes / 2**20:,.1f} MiB"
    yield (
        f"encoder    {safe(encoder.name)}@{encoder.weights_sha256[:12]}/{encoder.precision}, "
        f"{encoder.dimension} dimensions"
    )
    if info.index.kind:
        yield (
            f"index      {safe(info.index.kind)}, {info.index.n_indexed:,} sentences, "
            f"{info.index.n_left:,} not yet in it"
        )
    else:
        yield "index      none: every sentence is looked at"


def runs(sentences: Sequence[int]) -> str:
    """Return sentence numbers, counted from 1, as runs.

    Examples
    --------
    >>> runs([0, 1, 2, 6])
    '1-3, 7'
    """
    parts = []
    for _, group in groupby(enumerate(sentences), key=lambda pair: pair[1] - pair[0]):
        numbers = [number + 1 for _, number in group]
        parts.append(f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}")
    return ", ".join(parts)


def _parts(one: Candidate, n: int) -> str:
    if not one.sentences:
        return ""
    return f": sentences {runs(one.sentences)} of {n}"


def _relation(relation: Relation) -> str:
    ranked = sorted(relation.probabilities.items(), key=lambda item: -item[1])
    said = ", ".join(f"{kind.replace('_', ' ')} {value:.2f}" for kind, value in ranked)
    label = "unsure" if relation.label is None else relation.label.replace("_", " ")
    return f"{label} ({said})"
