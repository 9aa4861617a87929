"""Read articles from texts, saved pages and tables.

Tables are streamed. An input that is no article is returned with a reason, not raised. No text is
split into sentences here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from detector.errors import InputError
from detector.text.escape import safe
from detector.text.files import read
from detector.text.tables import rows_of

MAX_ID: Final = 1_000
"""Code points that an article's id may have."""

MAX_TEXT: Final = 10_000_000
"""Code points that an article may have: a longer row is a damaged table, or no article."""

_COLUMNS: Final = ("id", "text", "title")
_TABLES: Final = frozenset({".csv", ".tsv", ".jsonl", ".parquet"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A text with an id.

    Attributes
    ----------
    id : str
        Unique in an archive; not blank, at most `MAX_ID` code points.
    text : str
        The raw text, with at least one letter or digit.
    title : str
        Shown beside the id; may be empty.
    """

    id: str
    text: str
    title: str = ""

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            value = getattr(self, name)
            if not isinstance(value, str):
                msg = f"the {name} is a {type(value).__name__}; give a str"
                raise InputError(msg)
            if any("\ud800" <= char <= "\udfff" for char in value):
                msg = f"the {name} holds half a character (a lone surrogate); give whole ones"
                raise InputError(msg)
        if not self.id.strip() or len(self.id) > MAX_ID:
            msg = f"the id has {len(self.id)} characters; give 1 to {MAX_ID}, not blank"
            raise InputError(msg)
        if len(self.text) > MAX_TEXT:
            msg = f"the text has {len(self.text)} characters; give at most {MAX_TEXT}"
            raise InputError(msg)
        if not any(char.isalnum() for char in self.text):
            what = "no letter or digit" if self.text.strip() else "nothing"
            msg = f"the text holds {what}; give one of at least one sentence"
            raise InputError(msg)

    @property
    def digest(self) -> str:
        """SHA-256 of the text: articles with one text are one article."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One input: an article, or the reason why it is none.

    `place` is the file and the row, safe to show. `reason` is empty where there is an article.
    """

    place: str
    article: Article | None
    reason: str = ""


def read_articles(
    paths: Iterable[str | Path], *, encoding: str | None = None, folder: Path | None = None
) -> Iterator[Entry]:
    """Read the articles of files, in order.

    Parameters
    ----------
    paths : iterable of str or Path
        `.txt`, `.md` and `.html` files are an article each, with the path as id; so is `-`,
        standard input. `.csv`, `.tsv`, `.jsonl` and `.parquet` hold one a row, in the column
        `text`, and may hold `id` (by default the path and the row's number) and `title`.
    encoding : str, optional
        Of texts and pages; by default detected. Tables are UTF-8.
    folder : Path, optional
        Base of relative paths; by default the current folder.

    Yields
    ------
    Entry
        A file or a row that cannot be used has a reason instead of an article.

    Raises
    ------
    MissingExtra
        When a web page is to be read and trafilatura is not installed.
    """
    for path in paths:
        name = safe(str(path))
        try:
            file = path if folder is None or str(path) == "-" else folder / path
            if _is_table(path):
                yield from _table_entries(Path(file), name, _id(path))
            else:
                text = read(file, encoding=encoding)
                yield Entry(place=name, article=Article(id=_id(path), text=text))
        except (InputError, OSError, UnicodeError) as err:
            reason = safe(str(err)).removeprefix(name).lstrip(": ")
            yield Entry(place=name, article=None, reason=reason)


def count_articles(paths: Iterable[str | Path]) -> int:
    """Return how many entries `read_articles` gives, without keeping a text."""
    total = 0
    for path in paths:
        try:
            total += sum(1 for _ in rows_of(Path(path), columns=("id",))) if _is_table(path) else 1
        except (InputError, OSError, UnicodeError):
            total += 1
    return total


def _is_table(path: str | Path) -> bool:
    return str(path) != "-" and Path(path).suffix.lower() in _TABLES


def _table_entries(path: Path, name: str, default_id: str) -> Iterator[Entry]:
    for number, row in enumerate(rows_of(path, columns=_COLUMNS), start=1):
        place, reason, article = f"{name}, {row.place}", "", None
        if row.fault is not None:
            reason = safe(row.fault)
        elif row.values.get("text") is None:
            reason = "it has no text; give a column text, and if you like id and title"
        else:
            values = {key: _text(row.values.get(key)) for key in _COLUMNS}
            values["id"] = values["id"] or f"{default_id}#{number}"
            try:
                article = Article(**values)
            except InputError as err:
                reason = str(err)
        yield Entry(place=place, article=article, reason=reason)


def _id(path: str | Path) -> str:
    # A path may hold bytes that are no text; an id is text.
    name = "standard input" if str(path) == "-" else Path(path).as_posix()
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)  # NaN is not itself
