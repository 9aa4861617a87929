"""Suspects out of files, as rows: texts whose sources are to be found. Nothing is matched here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detector.archive.articles import read_articles
from detector.batch.jobs import Row, Table
from detector.errors import InputError

SHARD_ROWS = 64
"""Suspects of a shard: each takes up to a second, and a stop should cost little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectRow(Row):
    """One suspect; it has no id where it has a fault.

    Attributes
    ----------
    text : str
    """

    text: str

    @property
    def length(self) -> int:
        """Its characters."""
        return len(self.text)

    @property
    def content(self) -> list[object]:
        """What it holds."""
        return [self.id, self.text, self.fault]


@dataclass(frozen=True, kw_only=True)
class SuspectTable(Table[SuspectRow]):
    """Files of suspects.

    Attributes
    ----------
    files : tuple of str
        See `read_articles`; standard input cannot be gone through twice, so it is refused.
    folder : Path
        Where paths that are not absolute begin.
    encoding : str, optional
        Of texts and pages; by default detected.
    """

    files: tuple[str, ...]
    folder: Path
    encoding: str | None = None

    def __post_init__(self) -> None:
        Table.__post_init__(self)
        if "-" in self.files:
            msg = "standard input can be read once only; give a file, so that a stop loses nothing"
            raise InputError(msg)

    @property
    def name(self) -> str:
        """What it is called."""
        first, more = Path(self.files[0]).name, len(self.files) - 1
        return f"{first} and {more} more" if more else first

    def rows(self) -> Iterator[SuspectRow]:
        """Yield the suspects; what is none has a fault."""
        entries = read_articles(self.files, encoding=self.encoding, folder=self.folder)
        for index, entry in enumerate(entries):
            article = entry.article
            yield SuspectRow(
                index=index,
                place=entry.place,
                id=None if article is None else article.id,
                text="" if article is None else article.text,
                fault=entry.reason if article is None else None,
            )
