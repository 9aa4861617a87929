"""Keep a batch's output folder: whole shards, and a manifest to resume from.

The files of a shard are written first, its line in the manifest (sizes and SHA-256) last. Only
regular files of the names that a batch writes are read or deleted. Nothing is scored here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from detector.batch.outputs import TABLES
from detector.batch.tasks import RESUME_HINT, ShardResult
from detector.errors import InputError
from detector.model_files import DAMAGED, shown
from detector.text.files import write_whole

FORMAT, SCHEMA = "detector-batch", 1
MANIFEST = "manifest.jsonl"
_LOCK, _HOLDER = ".lock", ".lock.pid"  # apart: Windows bars others from reading a locked file
_PART_FILE = re.compile(r"\.[0-9a-f]{16}\.part")  # as `write_whole` names them
_TABLE_FILE = re.compile(rf"\d{{6,}}\.parquet|{_PART_FILE.pattern}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """First line of a manifest, which every run on the folder must match.

    `digest` is the SHA-256 of the rows, `signature` what produces the tables.
    """

    input: str
    n_rows: int
    n_shards: int
    digest: str
    shard_rows: int
    tables: tuple[str, ...]
    signature: str


class Output:
    """The output folder of a batch, locked by one process at a time; use it in a `with`.

    A folder that cannot be written to, is locked or holds anything but a batch is an `InputError`.
    Shards of `damaged` files are made again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: tuple[str, ...] = ()
        self._entries: dict[int, dict[str, Any]] = {}
        self._header: Header | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
        except OSError as err:
            msg = f"{folder}: cannot be written to ({err.strerror}); name a folder that can be"
            raise InputError(msg) from err
        try:
            self._check_foreign()
        except BaseException:
            self._unlock()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._unlock()

    @property
    def done(self) -> frozenset[int]:
        """Indices of the finished shards."""
        return frozenset(self._entries)

    @property
    def n_rows(self) -> int:
        """Rows of the finished shards."""
        return sum(entry["rows"] for entry in self._entries.values())

    @property
    def n_errors(self) -> int:
        """Error rows of the finished shards."""
        return sum(entry["errors"] for entry in self._entries.values())

    def begin(self, header: Header, *, restart: bool = False) -> None:
        """Resume an earlier run, or begin a new batch; with `restart`, delete the old one first.

        Files that no line of the manifest names are deleted. A batch of other rows, another model
        or other options is an `InputError`.
        """
        if restart:
            self._clear()
        old, entries = _read_manifest(self.folder / MANIFEST)
        if old is not None:
            self._compare(old, header)
        try:
            for name in header.tables:
                (self.folder / name).mkdir(exist_ok=True)
            files = {file for name in header.tables for file in self._files(name)}
            damaged = []
            for entry in entries:
                wrong = [name for name in header.tables if not self._is_sound(entry, name)]
                damaged += [str(self._file(name, entry["shard"])) for name in wrong]
                if not wrong:
                    self._entries[entry["shard"]] = entry
            named = {self._file(name, shard) for name in header.tables for shard in self._entries}
            for file in files - named:
                file.unlink()
        except OSError as err:
            raise _unwritten(self.folder, err) from err
        self.damaged = tuple(damaged)
        self._header = header
        self._write_manifest()

    def write(self, result: ShardResult) -> None:
        """Write a finished shard: its files, then its line in the manifest."""
        header = self._begun()
        if result.signature != header.signature:
            msg = (
                f"{self.folder}: shard {result.shard} was made by {result.signature}, the batch by "
                f"{header.signature}; install the same versions and models on every machine"
            )
            raise InputError(msg)
        files = {}
        for name in header.tables:
            data = result.tables[name]
            self._write_whole(self._file(name, result.shard), data)
            files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        entry = {
            "shard": result.shard,
            "rows": result.n_rows,
            "errors": result.n_errors,
            "files": files,
        }
        try:
            with (self.folder / MANIFEST).open("ab") as manifest:
                manifest.write(_line(entry))
                manifest.flush()
                os.fsync(manifest.fileno())
        except OSError as err:
            raise _unwritten(self.folder / MANIFEST, err) from err
        self._entries[result.shard] = entry

    def finish(self) -> None:
        """Check that no row is missing, and sort the manifest."""
        header = self._begun()
        if self.done != set(range(header.n_shards)) or self.n_rows != header.n_rows:
            msg = (
                f"{self.folder}: holds {self.n_rows} of {header.n_rows} rows in {len(self.done)} "
                f"of {header.n_shards} shards, and no worker is left; {RESUME_HINT}"
            )
            raise InputError(msg)
        self._write_manifest()

    def _locked(self) -> FileLock:
        lock, holder = FileLock(self.folder / _LOCK, timeout=0), self.folder / _HOLDER
        try:
            lock.acquire()
        except Timeout as err:
            msg = (
                f"{self.folder}: another run writes there (process {_pid(holder)}); wait for it to "
                "end, or name another folder"
            )
            raise InputError(msg) from err
        holder.unlink(missing_ok=True)  # of a killed run; if it is a link, it is not followed
        with holder.open("x", encoding="ascii") as file:
            file.write(str(os.getpid()))
        return lock

    def _unlock(self) -> None:
        try:
            (self.folder / _HOLDER).unlink(missing_ok=True)
        finally:
            self._lock.release()

    def _begun(self) -> Header:
        if self._header is None:
            msg = f"{self.folder}: the batch was not begun; call `begin` first"
            raise InputError(msg)
        return self._header

    def _file(self, name: str, shard: int) -> Path:
        return self.folder / name / f"{shard:06d}.parquet"

    def _files(self, name: str) -> list[Path]:
        """Return the files of a table; a link among them, or as its folder, is refused."""
        folder = self.folder / name
        if folder.is_symlink():
            msg = f"{folder}: is a link; delete it, or name another folder"
            raise InputError(msg)
        files = [file for file in folder.glob("*") if _TABLE_FILE.fullmatch(file.name)]
        for file in files:
            _check_file(file)
        return files

    def _is_sound(self, entry: Mapping[str, Any], name: str) -> bool:
        expected = entry["files"][name]
        try:
            with self._file(name, entry["shard"]).open("rb") as file:
                same_size = os.fstat(file.fileno()).st_size == expected["bytes"]
                digest = hashlib.file_digest(file, "sha256").hexdigest() if same_size else ""
        except OSError:
            return False
        return bool(digest == expected["sha256"])

    def _compare(self, old: Header, new: Header) -> None:
        """Check that a batch is the same as the one that the folder holds."""
        if old.signature != new.signature:
            was, now = old.signature, new.signature
            same = "the same models and versions"
        elif (old.digest, old.n_rows) != (new.digest, new.n_rows):
            was, now = (
                f"{header.n_rows} rows of {header.input} ({header.digest[:12]})"
                for header in (old, new)
            )
            was, same = f"other rows: {was}", "the same input"
        elif old.tables != new.tables:
            was, now = f"tables {', '.join(old.tables)}", ", ".join(new.tables)
            same = "the same options"
        elif (old.shard_rows, old.n_shards) != (new.shard_rows, new.n_shards):
            was, now = f"shards of {old.shard_rows} rows", str(new.shard_rows)
            same = f"--shard-rows {old.shard_rows}"
        else:
            return
        msg = (
            f"{self.folder}: was begun with {was}, now it is {now}; go on with {same}, "
            "name another folder, or give --restart to delete what it holds and begin anew"
        )
        raise InputError(msg)

    def _write_manifest(self) -> None:
        header = {"format": FORMAT, "schema": SCHEMA, **asdict(self._begun())}
        lines = [header, *(self._entries[shard] for shard in sorted(self._entries))]
        self._write_whole(self.folder / MANIFEST, b"".join(map(_line, lines)))

    def _write_whole(self, path: Path, data: bytes) -> None:
        try:
            write_whole(path, data)
        except InputError as err:
            msg = f"{err}; {RESUME_HINT}"
            raise InputError(msg) from err

    def _check_foreign(self) -> None:
        paths = [path for path in self.folder.iterdir() if path.name not in {_LOCK, _HOLDER}]
        parts = [path for path in paths if _PART_FILE.fullmatch(path.name)]
        if not (self.folder / MANIFEST).exists() and len(parts) < len(paths):
            msg = (
                f"{self.folder}: holds {len(paths)} files and no {MANIFEST}; name a new folder, "
                "or one that holds a batch"
            )
            raise InputError(msg)
        for path in parts:
            _check_file(path)
            path.unlink()

    def _clear(self) -> None:
        """Delete the batch that the folder holds; its manifest last, so that it is known as one."""
        path = self.folder / MANIFEST
        header, _ = _read_manifest(path)
        try:
            for name in () if header is None else header.tables:
                for file in self._files(name):
                    file.unlink()
            path.unlink(missing_ok=True)
        except OSError as err:
            raise _unwritten(self.folder, err) from err


def _pid(holder: Path) -> str:
    try:
        pid = holder.read_text(encoding="ascii")
    except (OSError, ValueError):
        return "unknown"
    return pid if pid.isdigit() else "unknown"


def _line(record: Mapping[str, Any]) -> bytes:
    return (json.dumps(record, ensure_ascii=True) + "\n").encode("ascii")


def _read_manifest(path: Path) -> tuple[Header | None, list[dict[str, Any]]]:
    """Read the header and the entries of a manifest, without a last line that was cut off."""
    if not path.exists() and not path.is_symlink():
        return None, []
    _check_file(path)
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
    except OSError as err:
        msg = f"{path}: cannot be read ({err.strerror}); name a folder that can be"
        raise InputError(msg) from err
    header: Header | None = None
    entries = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            record = json.loads(line)
            if header is not None:
                _check_entry(record, header)
                entries.append(record)
        except DAMAGED as err:
            msg = (
                f"{path}, line {number}: is damaged ({shown(err)}); delete that "
                "line, which makes its shard anew, or give another folder"
            )
            raise InputError(msg) from err
        if header is None:
            header = _header_of(record, path)
    return header, entries


def _check_file(path: Path) -> None:
    """Refuse a link, or what is no regular file, in place of a file of a batch."""
    if path.is_symlink() or not path.is_file():
        msg = f"{path}: is a link or no file; delete it, or name another folder"
        raise InputError(msg)


def _check_entry(record: Mapping[str, Any], header: Header) -> None:
    files = record["files"]
    if set(files) != set(header.tables):
        msg = f"files of {', '.join(map(repr, files))}"
        raise ValueError(msg)
    numbers = [record["shard"], record["rows"], record["errors"]]
    for known in files.values():
        numbers.append(known["bytes"])
        str.encode(known["sha256"])
    if not all(type(number) is int and number >= 0 for number in numbers):
        msg = f"numbers {numbers}"
        raise ValueError(msg)
    if record["shard"] >= header.n_shards:
        msg = f"shard {record['shard']} of {header.n_shards}"
        raise ValueError(msg)


def _header_of(line: Mapping[str, Any], path: Path) -> Header:
    try:
        form, schema = line["format"], line["schema"]
        header = Header(**{field.name: line[field.name] for field in fields(Header)})
    except (KeyError, TypeError) as err:
        msg = f"{path}: is no manifest of a batch; name a new folder, or one that holds a batch"
        raise InputError(msg) from err
    if (form, schema) != (FORMAT, SCHEMA):
        msg = (
            f"{path}: has schema {shown(schema)}, this version reads {SCHEMA}; name another folder"
        )
        raise InputError(msg)
    numbers = (header.n_rows, header.n_shards, header.shard_rows)
    texts = (header.input, header.digest, header.signature)
    tables = header.tables
    if (
        any(type(number) is not int for number in numbers)
        or not all(isinstance(text, str) for text in texts)
        or not (isinstance(tables, list) and tables and all(name in TABLES for name in tables))
    ):
        msg = (
            f"{path}: is damaged: rows and shards {shown(numbers)}, tables {shown(tables)}; "
            f"a batch has tables among {', '.join(TABLES)}; name a new folder, or one with a batch"
        )
        raise InputError(msg)
    return replace(header, tables=tuple(tables))


def _unwritten(path: Path, err: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({err.strerror or err}); {RESUME_HINT}")
