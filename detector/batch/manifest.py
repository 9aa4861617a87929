"""Keep a batch's output folder: whole shards, and a manifest to resume from.

The folder that a batch is written to: shards written whole, and a manifest that says which.

A shard's files come first and its line in the manifest last, so what the manifest names is there,
whenever the program was stopped. Each line holds the size and the SHA-256 of its files: one that
was damaged later is found and made anew. Nothing is scored here.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from detector.batch.tasks import Done
from detector.errors import InputError
from detector.text.files import write_whole

FORMAT, SCHEMA = "detector-batch", 1
MANIFEST, _LOCK = "manifest.jsonl", ".lock"

_AGAIN = "what was finished before is kept: run the same command again to go on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a batch is: its first line in the manifest, which every run on the folder must match.

    Attributes
    ----------
    input : str
        Name of the table, for people.
    n_rows, n_shards : int
        What it holds.
    digest : str
        SHA-256 of its rows.
    shard_rows : int
        Rows of a shard.
    tables : tuple of str
        Names of the tables written.
    signature : str
        What produces them.
    """

    input: str
    n_rows: int
    n_shards: int
    digest: str
    shard_rows: int
    tables: tuple[str, ...]
    signature: str


class Output:
    """A folder of shards that is held by one process at a time; use it in a `with`.

    Parameters
    ----------
    folder : Path
        Made where it is absent; else it must be empty or hold a batch.

    Raises
    ------
    InputError
        When the folder cannot be written to, holds something else, or is held by another process.

    Notes
    -----
    The lock is the kernel's (flock), so that of a process that died is gone with it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[int, dict[str, Any]] = {}
        self.damaged: tuple[str, ...] = ()
        self._header: Header | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder)
        except OSError as err:
            msg = f"{folder}: cannot be written to ({err.strerror}); name a folder that can be"
            raise InputError(msg) from err
        try:
            self._check_foreign()
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.close()

    @property
    def done(self) -> frozenset[int]:
        """The finished shards."""
        return frozenset(self.entries)

    @property
    def n_rows(self) -> int:
        """Rows of the finished shards."""
        return sum(entry["rows"] for entry in self.entries.values())

    @property
    def n_errors(self) -> int:
        """Error rows of the finished shards."""
        return sum(entry["errors"] for entry in self.entries.values())

    def begin(self, header: Header, *, restart: bool = False) -> None:
        """Take up what an earlier run finished, or begin.

        Shards that are damaged or missing are told in `damaged` and no longer count as finished;
        files that no line of the manifest names are deleted.

        Parameters
        ----------
        header : Header
        restart : bool
            Whether to delete the batch that the folder holds, first.

        Raises
        ------
        InputError
            When the folder holds a batch of other rows, another model or other options.
        """
        path = self.folder / MANIFEST
        if restart:
            self._clear()
        lines = _lines(path)
        if lines:
            self._compare(_header_of(lines[0], path), header)
        damaged = []
        for line in lines[1:]:
            wrong = [name for name in header.tables if not self._is_sound(line, name)]
            damaged += [str(self._file(name, line["shard"])) for name in wrong]
            if not wrong:
                self.entries[line["shard"]] = line
        self.damaged = tuple(damaged)
        self._header = header
        try:
            for name in header.tables:
                (self.folder / name).mkdir(exist_ok=True)
                kept = {self._file(name, shard) for shard in self.entries}
                for file in (self.folder / name).iterdir():
                    if file not in kept and (file.suffix in {".parquet", ".part"}):
                        file.unlink()
        except OSError as err:
            raise _unwritten(self.folder, err) from err
        self._write_manifest()

    def write(self, done: Done) -> None:
        """Write a finished shard: its files, then its line in the manifest.

        Raises
        ------
        InputError
            When it cannot be written, or another model made it; what was written before stays.
        """
        header = self._begun()
        if done.signature != header.signature:
            msg = (
                f"{self.folder}: shard {done.shard} was made by {done.signature}, the batch by "
                f"{header.signature}; install the same versions and models on every machine"
            )
            raise InputError(msg)
        files = {}
        for name in header.tables:
            data = done.tables[name]
            path = self._file(name, done.shard)
            try:
                write_whole(path, data)
            except InputError as err:
                msg = f"{err}; {_AGAIN}"
                raise InputError(msg) from err
            files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        entry = {"shard": done.shard, "rows": done.n_rows, "errors": done.n_errors, "files": files}
        try:
            with (self.folder / MANIFEST).open("ab") as manifest:
                manifest.write(_line(entry))
                manifest.flush()
                os.fsync(manifest.fileno())
        except OSError as err:
            raise _unwritten(self.folder / MANIFEST, err) from err
        self.entries[done.shard] = entry

    def finish(self) -> None:
        """Make sure that nothing is missing, and put the manifest in order.

        Raises
        ------
        InputError
            When a shard or a row is missing, which would be a fault of an engine.
        """
        header = self._begun()
        if self.done != set(range(header.n_shards)) or self.n_rows != header.n_rows:
            msg = (
                f"{self.folder}: holds {self.n_rows} of {header.n_rows} rows in {len(self.done)} "
                f"of {header.n_shards} shards, and no worker is left; {_AGAIN}"
            )
            raise InputError(msg)
        self._write_manifest()

    def _begun(self) -> Header:
        if self._header is None:
            msg = f"{self.folder}: the batch was not begun; call `begin` first"
            raise InputError(msg)
        return self._header

    def _file(self, name: str, shard: int) -> Path:
        return self.folder / name / f"{shard:06d}.parquet"

    def _is_sound(self, entry: Mapping[str, Any], name: str) -> bool:
        known = entry["files"][name]
        try:
            with self._file(name, entry["shard"]).open("rb") as file:
                same_size = os.fstat(file.fileno()).st_size == known["bytes"]
                digest = hashlib.file_digest(file, "sha256").hexdigest() if same_size else ""
        except OSError:
            return False
        return bool(digest == known["sha256"])

    def _compare(self, old: Header, new: Header) -> None:
        again = "name another folder, or give --restart to delete what it holds and begin anew"
        if old.signature != new.signature:
            msg = (
                f"{self.folder}: was begun with {old.signature}, now it is {new.signature}; "
                f"go on with the same models and versions, {again}"
            )
            raise InputError(msg)
        if (old.digest, old.n_rows) != (new.digest, new.n_rows):
            msg = (
                f"{self.folder}: was begun with other rows: {old.n_rows} rows of {old.input} "
                f"({old.digest[:12]}), now it is {new.n_rows} rows of {new.input} "
                f"({new.digest[:12]}); go on with the same input, {again}"
            )
            raise InputError(msg)
        if old.tables != new.tables:
            msg = (
                f"{self.folder}: was begun with tables {', '.join(old.tables)}, now it is "
                f"{', '.join(new.tables)}; go on with the same options, {again}"
            )
            raise InputError(msg)
        if (old.shard_rows, old.n_shards) != (new.shard_rows, new.n_shards):
            msg = (
                f"{self.folder}: was begun with shards of {old.shard_rows} rows, now it is "
                f"{new.shard_rows}; go on with --shard-rows {old.shard_rows}, {again}"
            )
            raise InputError(msg)

    def _write_manifest(self) -> None:
        header = {"format": FORMAT, "schema": SCHEMA, **asdict(self._begun())}
        lines = [header, *(self.entries[shard] for shard in sorted(self.entries))]
        try:
            write_whole(self.folder / MANIFEST, b"".join(map(_line, lines)))
        except InputError as err:
            msg = f"{err}; {_AGAIN}"
            raise InputError(msg) from err

    def _check_foreign(self) -> None:
        names = {path.name for path in self.folder.iterdir()} - {_LOCK}
        if MANIFEST not in names and any(not name.endswith(".part") for name in names):
            msg = (
                f"{self.folder}: holds {len(names)} files and no {MANIFEST}; name a new folder, "
                "or one that holds a batch"
            )
            raise InputError(msg)
        for name in names:
            if name.endswith(".part"):
                (self.folder / name).unlink()

    def _clear(self) -> None:
        """Delete the batch that the folder holds; its manifest last, so that it is known as one."""
        path = self.folder / MANIFEST
        lines = _lines(path)
        if not lines:
            path.unlink(missing_ok=True)
            return
        try:
            for name in _header_of(lines[0], path).tables:
                for file in (self.folder / name).glob("*.parquet"):
                    file.unlink()
            path.unlink()
        except OSError as err:
            raise _unwritten(self.folder, err) from err


def _locked(folder: Path) -> BinaryIO:
    """Lock a folder until the file returned is closed."""
    lock = (folder / _LOCK).open("a+b")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        lock.seek(0)
        holder = lock.read(20).decode("ascii", "replace").strip() or "unknown"
        lock.close()
        msg = (
            f"{folder}: another run writes there (process {holder}); wait for it to end, or name "
            "another folder"
        )
        raise InputError(msg) from err
    lock.truncate(0)
    lock.write(str(os.getpid()).encode("ascii"))
    lock.flush()
    return lock


def _line(record: Mapping[str, Any]) -> bytes:
    return (json.dumps(record, ensure_ascii=True) + "\n").encode("ascii")


def _lines(path: Path) -> list[dict[str, Any]]:
    """Read a manifest; a last line that was cut off is left out."""
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
    except FileNotFoundError:
        return []
    except OSError as err:
        msg = f"{path}: cannot be read ({err.strerror}); name a folder that can be"
        raise InputError(msg) from err
    lines = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            record = json.loads(line)
            if number > 1:  # else it is the header
                _check_entry(record)
        except (ValueError, KeyError, TypeError) as err:
            msg = (
                f"{path}, line {number}: is damaged ({type(err).__name__}: {err}); delete that "
                "line, which makes its shard anew, or give another folder"
            )
            raise InputError(msg) from err
        lines.append(record)
    return lines


def _check_entry(record: Mapping[str, Any]) -> None:
    numbers = [record["shard"], record["rows"], record["errors"]]
    for known in record["files"].values():
        numbers.append(known["bytes"])
        str.encode(known["sha256"])
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        msg = f"numbers {numbers}"
        raise ValueError(msg)


def _header_of(line: Mapping[str, Any], path: Path) -> Header:
    try:
        form, schema = line["format"], line["schema"]
        fields: Sequence[str] = Header.__slots__
        header = {name: line[name] for name in fields}
    except (KeyError, TypeError) as err:
        msg = f"{path}: is no manifest of a batch; name a new folder, or one that holds a batch"
        raise InputError(msg) from err
    if (form, schema) != (FORMAT, SCHEMA):
        msg = f"{path}: has schema {schema!r}, this version reads {SCHEMA}; name another folder"
        raise InputError(msg)
    return Header(**{**header, "tables": tuple(header["tables"])})


def _unwritten(path: Path, err: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({err.strerror or err}); {_AGAIN}")
