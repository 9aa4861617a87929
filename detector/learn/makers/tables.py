"""The word lists that damage is made with, written for this project.

`senses` (pivot, part, one, other): two English senses that one word of the pivot joins.
`leftovers` (English, part, French, German, Spanish, Dutch, Danish, Italian): words left in.
`wider` (part, word, wider): a word and a wider one. `alike` (= or >, part, one, other): near
synonyms, either way or one way. `opposites` (part/one, other), beside the lexicon's. `verbs`
(base, past, participle), `idioms` (idiom, word for word), `slips` (word, misspelt). Nothing here
was taken from a corpus.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a list, each split at its tabs."""
    text = (files("detector.learn.makers") / f"{name}.tsv").read_text(encoding="utf-8")
    return tuple(tuple(line.split("\t")) for line in text.splitlines())


@cache
def choices(name: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return what a word of a part of speech may be turned into, by (part, word)."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows(name):
        *head, one, other = row
        part = head[-1]
        found.setdefault((part, one), []).append(other)
        if name in ("senses", "opposites") or head[0] == "=":
            found.setdefault((part, other), []).append(one)
    return {key: tuple(dict.fromkeys(values)) for key, values in found.items()}
