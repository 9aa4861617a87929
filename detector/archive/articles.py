"""Files to articles, one after another: texts, saved pages, and tables with an article a row.

A table is streamed, so that memory does not grow with its length. What is no article is given
back with its place and a reason, not raised: whoever reads decides whether to go on. Nothing is
split into sentences here.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from detector.errors import InputError
from detector.reading.files import read
from detector.showing.display import safe

LONGEST_ID: Final = 1_000
"""Code points that an article's id may have."""

LONGEST_TEXT: Final = 10_000_000
"""Code points that an article may have: a row beyond is a damaged table, or no article."""

_NAMES: Final = ("id", "text", "title")
_ACCEPTED: Final = "give an object with text, and if you like id and title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A text with a name.

    Attributes
    ----------
    id : str
        Tells it from other articles; not blank, at most `LONGEST_ID` code points.
    text : str
        The raw text, with at least one letter or digit.
    title : str
        To be shown beside the id; may be empty.
    """

    id: str
    text: str
    title: str = ""

    def __post_init__(self) -> None:
        for name in _NAMES:
            value = getattr(self, name)
            if not isinstance(value, str):
                msg = f"the {name} is a {type(value).__name__}; give a str"
                raise InputError(msg)
            if any("\ud800" <= mark <= "\udfff" for mark in value):
                msg = f"the {name} holds half a character (a lone surrogate); give whole ones"
                raise InputError(msg)
        if not self.id.strip() or len(self.id) > LONGEST_ID:
            msg = f"the id has {len(self.id)} characters; give 1 to {LONGEST_ID}, not blank"
            raise InputError(msg)
        if len(self.text) > LONGEST_TEXT:
            msg = f"the text has {len(self.text)} characters; give at most {LONGEST_TEXT}"
            raise InputError(msg)
        if not any(mark.isalnum() for mark in self.text):
            what = "no letter or digit" if self.text.strip() else "nothing"
            msg = f"the text holds {what}; give one of at least one sentence"
            raise InputError(msg)

    @property
    def digest(self) -> str:
        """SHA-256 of the text: articles with one text are one article."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What stands at one place of the files: an article, or why there is none.

    Attributes
    ----------
    place : str
        The file and the row, safe to show.
    article : Article or None
    reason : str
        Why there is none; empty where there is one.
    done : float
        Bytes of this file that lie behind, about.
    """

    place: str
    article: Article | None
    reason: str = ""
    done: float = 0.0


def read_articles(paths: Iterable[str | Path], *, encoding: str | None = None) -> Iterator[Entry]:
    """Read the articles of files, in order.

    Parameters
    ----------
    paths : iterable of str or Path
        `.txt`, `.md` and `.html` files are an article each, with the path as id; so is `-`,
        standard input. `.csv`, `.tsv`, `.jsonl` and `.parquet` hold one a row, in the column
        `text`, and may hold `id` (by default the path and the row's number) and `title`.
    encoding : str, optional
        Of texts and pages; by default detected. Tables are UTF-8.

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
        rows = _TABLES.get("" if str(path) == "-" else Path(path).suffix.lower())
        try:
            if rows is None:
                text = read(path, encoding=encoding)
                article = Article(id=_id(path), text=text)
                yield Entry(place=name, article=article, done=size_of(path))
                continue
            if not Path(path).is_file():
                what = "is a folder" if Path(path).is_dir() else "is no file"
                yield Entry(place=name, article=None, reason=f"{what}; give a file")
                continue
            yield from _entries(rows, Path(path), name)
        except InputError as err:
            yield Entry(place=name, article=None, reason=_bare(str(err), name), done=size_of(path))
        except (OSError, UnicodeError, ValueError) as err:
            reason = f"cannot be read ({safe(str(err))})"
            yield Entry(place=name, article=None, reason=reason, done=size_of(path))


def size_of(path: str | Path) -> int:
    """Return the bytes of a file; 0 for standard input and what is not there."""
    try:
        return 0 if str(path) == "-" else Path(path).stat().st_size
    except (OSError, ValueError):
        return 0


def _entries(rows: Rows, path: Path, name: str) -> Iterator[Entry]:
    for number, (row, reason, done) in enumerate(rows(path), start=1):
        place = f"{name}, row {number}"
        if row is None:
            yield Entry(place=place, article=None, reason=reason, done=done)
            continue
        given = {key: _text(row.get(key)) for key in _NAMES}
        if row.get("text") is None:
            known = ", ".join(map(safe, map(str, list(row)[:8]))) or "none"
            why = f"it has no text (columns: {known}); {_ACCEPTED}"
            yield Entry(place=place, article=None, reason=why, done=done)
            continue
        try:
            given["id"] = given["id"] or f"{_id(path)}#{number}"
            yield Entry(place=place, article=Article(**given), done=done)
        except InputError as err:
            yield Entry(place=place, article=None, reason=str(err), done=done)


def _id(path: str | Path) -> str:
    # A path may hold bytes that are no text; an id is text.
    return "standard input" if str(path) == "-" else _whole(Path(path).as_posix())


def _whole(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)  # NaN is not itself


def _bare(message: str, name: str) -> str:
    return message.removeprefix(name).lstrip(": ")


Row = tuple[Mapping[str, Any] | None, str, float]
Rows = Callable[[Path], Iterator[Row]]


def _json_lines(path: Path) -> Iterator[Row]:
    done = 0
    with path.open("rb") as stream:
        for line in stream:
            done += len(line)
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig"))
            except (ValueError, RecursionError) as err:
                yield None, f"it is no JSON ({safe(str(err))}); {_ACCEPTED}", done
                continue
            if isinstance(row, dict):
                yield row, "", done
            else:
                yield None, f"it is a JSON {type(row).__name__}; {_ACCEPTED}", done


def _separated(delimiter: str) -> Rows:
    def rows(path: Path) -> Iterator[Row]:
        csv.field_size_limit(LONGEST_TEXT)
        with path.open("rb") as stream:
            # Damaged bytes become lone surrogates, which `Article` refuses row by row.
            lines = io.TextIOWrapper(
                stream, encoding="utf-8-sig", errors="surrogateescape", newline=""
            )
            table = csv.DictReader(lines, delimiter=delimiter, strict=True)
            if "text" not in (table.fieldnames or ()):
                yield None, f"its head names no column text; {_ACCEPTED}", float(size_of(path))
                return
            while True:
                try:
                    row = next(table)
                except StopIteration:
                    return
                except csv.Error as err:
                    yield None, f"the rest is no table ({safe(str(err))})", float(size_of(path))
                    return
                if None in row or None in row.values():
                    n = len(table.fieldnames or ())
                    yield None, f"it does not hold {n} fields, as the head does", stream.tell()
                else:
                    yield row, "", stream.tell()

    return rows


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = float(size_of(path))
    try:
        with pq.ParquetFile(path) as table:
            names = [name for name in _NAMES if name in table.schema_arrow.names]
            if "text" not in names:
                yield None, f"it has no column text; {_ACCEPTED}", size
                return
            n, total = 0, max(1, table.metadata.num_rows)
            for batch in table.iter_batches(batch_size=256, columns=names):
                for row in batch.to_pylist():
                    n += 1
                    yield row, "", size * n / total
    except (pa.ArrowException, OSError) as err:
        yield None, f"the rest cannot be read as Parquet ({safe(str(err))})", size


_TABLES: Final[Mapping[str, Rows]] = {
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
