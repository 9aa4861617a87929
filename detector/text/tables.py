"""Read tables row by row: CSV, TSV, JSON lines and Parquet.

Memory is constant in the number of rows. A row that cannot be read carries a fault, and reading
goes on with the next. Texts are UTF-8.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from detector.errors import InputError
from detector.text.files import check_file

_Columns = Collection[str] | None
_LONGEST_FIELD = 1 << 20  # characters; the csv module's own limit is shorter than some pages
_LONGEST_LINE = 1 << 25  # characters
_AT_A_TIME = 256  # rows of Parquet


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row of a table: where it is, its values by column, or why it cannot be read."""

    place: str  # its number from 1 and its line, for messages
    values: Mapping[str, Any]  # empty where the row cannot be read
    fault: str | None = None  # why, and what is accepted


_Reader = Callable[[Path, _Columns], Iterator[TableRow]]


def rows_of(path: Path, *, columns: Collection[str] | None = None) -> Iterator[TableRow]:
    """Yield the rows of a .csv, .tsv, .jsonl or .parquet file; of some `columns` or of all.

    Raises
    ------
    InputError
        When the file is of another kind, is absent or no regular file, holds a wanted column twice,
        or cannot be read any further.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        msg = f"{path}: {path.suffix or 'no ending'} is not a table; give {', '.join(_READERS)}"
        raise InputError(msg)
    check_file(path, accepted=f"give a table ({', '.join(_READERS)})")
    try:
        yield from read(path, columns)
    except OSError as err:
        msg = f"{path}: cannot be read ({err}); give a table in UTF-8"
        raise InputError(msg) from err


def _text(path: Path, newline: str) -> TextIO:
    # Bytes that are not UTF-8 become surrogates, which mark the row; the rows after it are read.
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline=newline)


_QUOTES = "put a field with a double quote in double quotes, and double the quotes inside"
_LONG = "give one row a line"


class _TooLong(csv.Error):
    """A line is longer than `_LONGEST_LINE`; reading goes on with the next."""


def _line(file: TextIO) -> str:
    line = rest = file.readline(_LONGEST_LINE)
    while len(rest) == _LONGEST_LINE and not rest.endswith("\n"):
        rest = file.readline(_LONGEST_LINE)
    if rest is not line:
        msg = f"the line is longer than {_LONGEST_LINE} characters"
        raise _TooLong(msg)
    return line


def _check_names(names: Iterable[str], columns: _Columns, where: str) -> None:
    """Raise `InputError` where a wanted column is there twice: one would hide the other."""
    twice = [
        name
        for name, times in Counter(names).items()
        if times > 1 and name and (columns is None or name in columns)
    ]
    if twice:
        msg = f"{where}: has {' and '.join(map(repr, twice))} more than once; name each column once"
        raise InputError(msg)


def _undecoded(text: str) -> bool:
    return not text.isascii() and any("\udc80" <= mark <= "\udcff" for mark in text)


_NOT_UTF8 = "holds bytes that are not UTF-8; give a table in UTF-8"


def _separated(delimiter: str) -> _Reader:
    def read(path: Path, columns: _Columns) -> Iterator[TableRow]:
        csv.field_size_limit(_LONGEST_FIELD)
        with _text(path, "") as file:
            lines = iter(lambda: _line(file), "")
            rows = csv.reader(lines, delimiter=delimiter, strict=True)
            head: list[str] | None = None
            number = 0
            while True:
                fault = None
                fields: list[str] = []
                try:
                    fields = next(rows)
                except StopIteration:
                    return
                except csv.Error as err:
                    fault = f"{err}; {_LONG if isinstance(err, _TooLong) else _QUOTES}"
                if head is None:
                    if fault is not None:
                        msg = f"{path}, its head: {fault}"
                        raise InputError(msg)
                    head = fields or None
                    _check_names(fields, columns, f"{path}, its head")
                    continue
                if not fields and fault is None:
                    continue
                number += 1
                place = f"row {number} (line {rows.line_num})"
                if fault is None and len(fields) != len(head):
                    fault = (
                        f"does not hold {len(head)} fields, as the head does; put a field that "
                        "holds the separator in double quotes"
                    )
                if fault is None and any(map(_undecoded, fields)):
                    fault = _NOT_UTF8
                values = {} if fault else dict(zip(head, fields, strict=True))
                yield TableRow(place=place, values=values, fault=fault)

    return read


def _json_lines(path: Path, _: _Columns) -> Iterator[TableRow]:
    with _text(path, "\n") as file:
        for number in count(1):
            place = f"line {number}"
            try:
                line = _line(file)
            except _TooLong as err:
                yield TableRow(place=place, values={}, fault=f"{err}; {_LONG}")
                continue
            if not line:
                return
            if line.strip():
                yield _json_row(line, place)


def _json_row(line: str, place: str) -> TableRow:
    fault, row = None, None
    if _undecoded(line):
        fault = _NOT_UTF8
    else:
        try:
            row = json.loads(line, object_pairs_hook=_json_object)
        except (ValueError, RecursionError) as err:
            fault = f"not JSON ({err}); give one object a line"
    if fault is None and not isinstance(row, dict):
        fault = f"{type(row).__name__}, not an object; give one a line"
    return TableRow(place=place, values=row if isinstance(row, dict) else {}, fault=fault)


def _json_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        name = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        msg = f"{name!r} is there more than once"
        raise ValueError(msg)
    return row


def _parquet(path: Path, columns: _Columns) -> Iterator[TableRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        # With a buffer, pages of a column are read one by one and not a whole row group.
        with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            held = file.schema_arrow.names
            _check_names(held, columns, str(path))
            read = None if columns is None else [name for name in held if name in columns]
            for batch in file.iter_batches(_AT_A_TIME, columns=read, use_threads=False):
                for at in range(batch.num_rows):
                    number += 1
                    yield _parquet_row(batch.slice(at, 1), f"row {number}")
    except InputError:
        raise
    except (pa.ArrowException, ValueError, UnicodeError) as err:
        where = f" after row {number}" if number else ""
        msg = f"{path}: cannot be read as Parquet{where} ({err}); write the table again"
        raise InputError(msg) from err


def _parquet_row(batch: Any, place: str) -> TableRow:  # noqa: ANN401 - Arrow
    try:
        return TableRow(place=place, values=batch.to_pylist()[0])
    except (ArithmeticError, LookupError, TypeError, ValueError) as err:
        # Such as a date after the year 9999, or in a time zone that this machine does not know.
        fault = f"holds a value that Python cannot ({type(err).__name__}: {err}); write it as text"
        return TableRow(place=place, values={}, fault=fault)


_READERS: Mapping[str, _Reader] = {
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
