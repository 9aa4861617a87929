"""Read tables row by row: CSV, TSV, JSON lines and Parquet.

Memory is constant in the number of rows. A row that cannot be read carries a fault, and reading
goes on with the next. Texts are UTF-8.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from detector.errors import InputError

_Columns = Collection[str] | None
_LONGEST_FIELD = 1 << 20  # characters; the csv module's own limit is shorter than some pages
_LONGEST_LINE = 1 << 25  # characters of a line of JSON
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
        When the file is of another kind, is absent, or cannot be read any further.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        msg = f"{path}: {path.suffix or 'no ending'} is not a table; give {', '.join(_READERS)}"
        raise InputError(msg)
    if not path.is_file():
        msg = f"{path}: there is no such file; give a table ({', '.join(_READERS)})"
        raise InputError(msg)
    try:
        yield from read(path, columns)
    except OSError as err:
        msg = f"{path}: cannot be read ({err}); give a table in UTF-8"
        raise InputError(msg) from err


def _text(path: Path, newline: str) -> TextIO:
    # Bytes that are not UTF-8 become surrogates, which mark the row; the rows after it are read.
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline=newline)


def _undecoded(text: str) -> bool:
    return not text.isascii() and any("\udc80" <= mark <= "\udcff" for mark in text)


_NOT_UTF8 = "holds bytes that are not UTF-8; give a table in UTF-8"


def _separated(delimiter: str) -> _Reader:
    def read(path: Path, _: _Columns) -> Iterator[TableRow]:
        csv.field_size_limit(_LONGEST_FIELD)
        with _text(path, "") as file:
            rows = csv.reader(file, delimiter=delimiter, strict=True)
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
                    fault = (
                        f"{err}; put a field with a double quote in double quotes, and double "
                        "the quotes inside"
                    )
                if head is None:
                    if fault is not None:
                        msg = f"{path}, its head: {fault}"
                        raise InputError(msg)
                    head = fields or None
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
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), ""), start=1):
            whole = len(line) < _LONGEST_LINE or line.endswith("\n")
            if not line.strip():
                continue
            place = f"line {number}"
            if whole:
                yield _json_row(line, place)
                continue
            rest = line
            while rest and not rest.endswith("\n"):
                rest = file.readline(_LONGEST_LINE)
            fault = f"is longer than {_LONGEST_LINE} characters; give one object a line"
            yield TableRow(place=place, values={}, fault=fault)


def _json_row(line: str, place: str) -> TableRow:
    fault, row = None, None
    if _undecoded(line):
        fault = _NOT_UTF8
    else:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as err:
            fault = f"not JSON ({err}); give one object a line"
    if fault is None and not isinstance(row, dict):
        fault = f"{type(row).__name__}, not an object; give one a line"
    return TableRow(place=place, values=row if isinstance(row, dict) else {}, fault=fault)


def _parquet(path: Path, columns: _Columns) -> Iterator[TableRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        # With a buffer, pages of a column are read one by one and not a whole row group.
        with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            held = file.schema_arrow.names
            read = None if columns is None else [name for name in held if name in columns]
            for batch in file.iter_batches(_AT_A_TIME, columns=read, use_threads=False):
                for values in batch.to_pylist():
                    number += 1
                    yield TableRow(place=f"row {number}", values=values)
    except (pa.ArrowException, ValueError, UnicodeError) as err:
        where = f" after row {number}" if number else ""
        msg = f"{path}: cannot be read as Parquet{where} ({err}); write the table again"
        raise InputError(msg) from err


_READERS: Mapping[str, _Reader] = {
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
