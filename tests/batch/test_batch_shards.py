"""The folder of a batch: whole shards, a manifest never ahead of them, one run at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from detector.batch.manifest import MANIFEST, Header, Output
from detector.batch.tasks import ShardResult
from detector.errors import InputError

HEADER = Header(
    input="pairs.csv",
    n_rows=5,
    n_shards=3,
    digest="d" * 64,
    shard_rows=2,
    tables=("pairs", "sentences"),
    signature="detector 1",
)


def result(shard: int, **more: object) -> ShardResult:
    fields = {
        "shard": shard,
        "n_rows": 1 if shard == 2 else 2,
        "n_errors": shard,
        "first_error": None,
        "signature": HEADER.signature,
        "tables": {name: f"{name} {shard}".encode() * 9 for name in HEADER.tables},
    }
    return ShardResult(**{**fields, **more})  # type: ignore[arg-type]


def begun(folder: Path, header: Header = HEADER, *, restart: bool = False) -> Output:
    output = Output(folder)
    try:
        output.begin(header, restart=restart)
    except BaseException:
        output.__exit__(None, None, None)
        raise
    return output


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {".lock", ".lock.pid"}
    }


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, bytes]:
    """The files of an unbroken batch."""
    with begun(tmp_path / "whole") as output:
        for shard in (1, 0, 2):
            output.write(result(shard))
        output.finish()
    return files(tmp_path / "whole")


def test_shards_are_taken_up_where_a_run_stopped(tmp_path: Path, whole: dict[str, bytes]) -> None:
    out = tmp_path / "out"
    with begun(out) as output:
        output.write(result(2))
    with begun(out) as output:
        assert output.done == {2}
        assert (output.n_rows, output.n_errors) == (1, 2)
        output.write(result(0))
        output.write(result(1))
        output.finish()
    assert files(out) == whole


def test_shards_a_line_that_was_cut_off_does_not_count(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    out = tmp_path / "whole"
    manifest = out / MANIFEST
    manifest.write_bytes(manifest.read_bytes()[:-10])
    with begun(out) as output:
        assert output.done == {0, 1}
        assert output.damaged == ()
        output.write(result(2))
        output.finish()
    assert files(out) == whole


@pytest.mark.parametrize("how", ["truncated", "changed", "missing"])
def test_shards_that_are_damaged_are_reported_and_made_again(
    tmp_path: Path, whole: dict[str, bytes], how: str
) -> None:
    out = tmp_path / "whole"
    path = out / "sentences" / "000001.parquet"
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-3] if how == "truncated" else data[:-3] + b"xyz")
    with begun(out) as output:
        assert output.damaged == (str(path),)
        assert output.done == {0, 2}
        output.write(result(1))
        output.finish()
    assert files(out) == whole


def test_shards_without_a_line_and_torn_files_are_cleared_away(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    out = tmp_path / "whole"
    (out / "pairs" / "000007.parquet").write_bytes(b"of a shard that was not finished")
    (out / "pairs" / ".0123456789abcdef.part").write_bytes(b"torn")
    (out / ".0123456789abcdef.part").write_bytes(b"torn")
    with begun(out) as output:
        output.finish()
    assert files(out) == whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signature": "detector 2"}, r"begun with detector 1, now it is detector 2; go on with"),
        ({"digest": "e" * 64}, r"begun with other rows: 5 rows of pairs\.csv \(dddddddddddd\)"),
        ({"n_rows": 6}, r"now it is 6 rows"),
        ({"shard_rows": 4, "n_shards": 2}, r"go on with --shard-rows 2"),
        (
            {"tables": ("pairs",)},
            r"tables pairs, sentences, now it is pairs; go on with the same",
        ),
    ],
)
def test_shards_of_another_batch_are_refused_or_deleted(
    tmp_path: Path, whole: dict[str, bytes], change: dict[str, object], message: str
) -> None:
    out = tmp_path / "whole"
    other = replace(HEADER, **change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message) as caught:
        begun(out, other)
    assert "--restart" in str(caught.value)
    assert files(out) == whole
    with begun(out, other, restart=True) as output:
        assert output.done == frozenset()
    assert list(files(out)) == [MANIFEST]


def test_shards_of_another_signature_are_not_written(tmp_path: Path) -> None:
    with begun(tmp_path) as output:
        with pytest.raises(InputError, match="shard 1 was made by detector 2, the batch by"):
            output.write(result(1, signature="detector 2"))
        assert output.done == frozenset()


def test_shards_missing_at_the_end_are_an_error(tmp_path: Path) -> None:
    with begun(tmp_path) as output:
        output.write(result(0))
        with pytest.raises(InputError, match="holds 2 of 5 rows in 1 of 3 shards"):
            output.finish()


def test_shards_are_not_put_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"holds 1 files and no manifest\.jsonl"):
        Output(tmp_path)
    (tmp_path / MANIFEST).write_text('{"another": "thing"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="is no manifest of a batch"):
        begun(tmp_path, restart=True)
    assert (tmp_path / "thesis.txt").is_file()


@pytest.mark.parametrize("name", ["download.part", ".lock", ".part", ".0123456789abcdef.part"])
def test_shards_a_folder_of_one_foreign_file_loses_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    (out / name).symlink_to(tmp_path / "mine")
    with pytest.raises(InputError, match=r"another folder|a new folder|a folder that can be"):
        begun(out, restart=True)
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "mine"
    assert (out / name).is_symlink()


@pytest.mark.parametrize("line", [0, 1])
@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "5", "null", '{"format": ' + "9" * 5000 + "}", "\udcff", '{"files": 5}'],
    ids=["nested", "number", "null", "digits", "bytes", "files"],
)
def test_shards_a_manifest_of_odd_lines_is_refused(
    tmp_path: Path, whole: dict[str, bytes], line: int, text: str
) -> None:
    path = tmp_path / "whole" / MANIFEST
    lines = whole[MANIFEST].splitlines()
    lines[line] = text.encode("utf-8", "surrogateescape")
    path.write_bytes(b"\n".join([*lines, b""]))
    with pytest.raises(InputError, match=r"manifest\.jsonl.* is (damaged|no manifest)"):
        begun(tmp_path / "whole")
    assert files(tmp_path / "whole") == {**whole, MANIFEST: path.read_bytes()}


@pytest.mark.parametrize("field", ["input", "n_rows", "tables", "schema", "signature", "format"])
@pytest.mark.parametrize("value", [None, 2.5, 10**400, 1e300, "\0", [], [[]], {"a": []}])
def test_shards_a_header_of_odd_types_is_refused(
    tmp_path: Path, whole: dict[str, bytes], field: str, value: object
) -> None:
    path = tmp_path / "whole" / MANIFEST
    header, *lines = whole[MANIFEST].splitlines(keepends=True)
    tampered = json.dumps({**json.loads(header), field: value}).encode() + b"\n"
    path.write_bytes(b"".join([tampered, *lines]))
    if field == "input" and isinstance(value, str):
        return  # any text is one
    with pytest.raises(InputError, match=r"manifest\.jsonl|was begun with"):
        begun(tmp_path / "whole")
    assert files(tmp_path / "whole") == {**whole, MANIFEST: path.read_bytes()}


def test_shards_damaged_manifest_is_refused_by_its_line(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    lines = whole[MANIFEST].splitlines(keepends=True)
    path = tmp_path / "whole" / MANIFEST
    path.write_bytes(b"".join([lines[0], lines[1], b'{"shard": 1}\n', lines[3]]))
    with pytest.raises(InputError, match=r"manifest\.jsonl, line 3: is damaged"):
        begun(tmp_path / "whole")


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"shard": ' + b"9" * 5000 + b"}",
        b"null",
        b"[]",
        b"\xff",
        b'{"tables": [[]]}',
    ],
    ids=lambda line: line[:12].decode(errors="replace"),
)
def test_shards_a_line_that_is_no_record_is_refused(
    tmp_path: Path, whole: dict[str, bytes], line: bytes, at: int
) -> None:
    lines = whole[MANIFEST].splitlines()
    lines[at] = line
    path = tmp_path / "whole" / MANIFEST
    path.write_bytes(b"\n".join([*lines, b""]))
    for restart in (False, True):
        with pytest.raises(
            InputError, match=r"manifest\.jsonl(, line \d)?: is (damaged|no manifest)"
        ):
            begun(tmp_path / "whole", restart=restart)
    assert files(tmp_path / "whole") == {**whole, MANIFEST: path.read_bytes()}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    "tables", [["../other"], ["pairs", "/absolute"], ["pairs/../../other"], ["thesis"], [], "pairs"]
)
def test_shards_a_manifest_that_names_other_folders_is_refused(
    tmp_path: Path, whole: dict[str, bytes], tables: object, restart: bool
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "000000.parquet").write_bytes(b"mine")
    path = tmp_path / "whole" / MANIFEST
    header, *lines = whole[MANIFEST].splitlines(keepends=True)
    tampered = {**json.loads(header), "tables": tables}
    path.write_bytes(b"".join([json.dumps(tampered).encode() + b"\n", *lines]))
    with pytest.raises(InputError, match=r"manifest\.jsonl: is damaged: .*pairs, sentences, susp"):
        begun(tmp_path / "whole", restart=restart)
    assert files(tmp_path / "whole") == {**whole, MANIFEST: path.read_bytes()}
    assert files(other) == {"000000.parquet": b"mine"}


@pytest.mark.parametrize(
    "change",
    [
        {"shard": "../../other/000000"},
        {"shard": True},
        {"shard": -1},
        {"shard": 3},
        {"files": {"../other": {"bytes": 4, "sha256": "0"}}},
        {"files": []},
    ],
)
def test_shards_an_entry_of_another_file_is_refused(
    tmp_path: Path, whole: dict[str, bytes], change: dict[str, object]
) -> None:
    path = tmp_path / "whole" / MANIFEST
    header, entry, *lines = whole[MANIFEST].splitlines(keepends=True)
    tampered = json.dumps({**json.loads(entry), **change}).encode() + b"\n"
    path.write_bytes(b"".join([header, tampered, *lines]))
    with pytest.raises(InputError, match=r"manifest\.jsonl, line 2: is damaged"):
        begun(tmp_path / "whole")
    assert files(tmp_path / "whole") == {**whole, MANIFEST: path.read_bytes()}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    "name", [MANIFEST, "pairs", "pairs/000001.parquet", "pairs/000007.parquet"]
)
def test_shards_behind_a_link_are_refused(
    tmp_path: Path, whole: dict[str, bytes], name: str, restart: bool
) -> None:
    path, moved = tmp_path / "whole" / name, tmp_path / "moved"
    if path.exists():
        path.rename(moved)
    else:
        moved.write_bytes(b"mine")
    path.symlink_to(moved)
    before = files(tmp_path)
    with pytest.raises(InputError, match=rf"{path}: is a link.*name another folder"):
        begun(tmp_path / "whole", restart=restart)
    assert files(tmp_path) == before
    assert len(before) >= len(whole)


def test_shards_restart_deletes_nothing_but_files_of_the_batch(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    out = tmp_path / "whole"
    kept = {"pairs/thesis.parquet", "pairs/1.parquet", "sentences/.mine.part", "notes.part"}
    for name in kept:
        (out / name).write_bytes(b"mine")
    for restart in (False, True):
        with begun(out, restart=restart):
            assert kept <= set(files(out))
    assert set(files(out)) == {MANIFEST, *kept}
    assert whole.keys().isdisjoint(kept)


def test_shards_two_runs_at_once_are_refused_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from detector.batch.manifest import Output; "
        "held = Output(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match=rf"another run writes there \(process {other.pid}\)"):
            Output(tmp_path)
        other.kill()
        other.wait()
    with Output(tmp_path):
        pass


def test_shards_in_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    me = os.geteuid()
    if me == 0:  # whom no mode keeps out
        tmp_path.chmod(0o755)
        for parent in tmp_path.parents[:2]:
            parent.chmod(0o755)
        os.seteuid(65534)
    try:
        for folder in (locked, locked / "inner"):
            with pytest.raises(InputError, match=r"cannot be written to \(Permission denied\)"):
                Output(folder)
    finally:
        os.seteuid(me)


_FULL = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_batch_shards import HEADER, begun, result
from detector.errors import InputError
with begun(Path(sys.argv[1])) as output:
    output.write(result(0))
    size = (Path(sys.argv[1]) / "manifest.jsonl").stat().st_size + int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    large = {name: b"x" * int(sys.argv[4]) for name in HEADER.tables}
    try:
        output.write(result(1, tables=large))
    except InputError as err:
        print(err)
"""


@pytest.mark.parametrize(("manifest", "shard", "where"), [(9, 9, MANIFEST), (0, 5000, "000001")])
def test_shards_a_full_disk_is_reported_and_loses_nothing(
    tmp_path: Path, whole: dict[str, bytes], manifest: int, shard: int, where: str
) -> None:
    out = tmp_path / "out"
    message = subprocess.run(
        [sys.executable, "-c", _FULL, out, Path(__file__).parent, str(manifest), str(shard)],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    assert where in message
    assert "File too large" in message  # a limit on file sizes fails in the same way as a full disk
    assert "what was finished before is kept" in message
    with begun(out) as output:
        assert output.done == {0}
        output.write(result(1))
        output.write(result(2))
        output.finish()
    assert files(out) == whole
