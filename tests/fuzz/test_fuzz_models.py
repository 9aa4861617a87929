"""Bundles and manifests that somebody changed: refused, or harmless; foreign files stay."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from fuzz.attack import check_report, fuzz
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeEncoder

from detector import DetectorError, InputError, Scorer
from detector.batch.manifest import MANIFEST, Header, Output
from detector.batch.outputs import PAIRS, SENTENCES
from detector.models.store import DEFAULT, read_config

pytestmark = [pytest.mark.fuzz, pytest.mark.slow]

FILES = sorted(str(path.relative_to(DEFAULT)) for path in DEFAULT.rglob("*") if path.is_file())
ODD = (None, True, -1, 1e400, "", "../x", "/", [], {}, [[]] * 3, "0" * 64, 10**40)
_NAN = b"\x00\x00\xc0\x7f" * 64


def tampered(data: bytes, how: str, at: float, odd: object) -> bytes:
    """Return the bytes of a file with one thing changed, about the share `at` of its length."""
    place = int(at * len(data)) & ~3
    if how == "flip":
        return (
            data[:place]
            + bytes(byte ^ 0x55 for byte in data[place : place + 4])
            + data[place + 4 :]
        )
    if how == "truncate":
        return data[:place]
    if how == "header":
        return (1 << 62).to_bytes(8, "little") + data[8:]
    if how == "NaN":
        return data[:place] + _NAN + data[place + len(_NAN) :]
    if how == "dtype":
        return data.replace(b'"F32"', b'"I32"', 1).replace(b'"F16"', b'"I16"', 1)
    if how == "extra":
        return data + b"\n{}"
    try:
        record = json.loads(data)
    except ValueError:
        return data[place:]
    keys = sorted(record) if isinstance(record, dict) else []
    if keys:
        record[keys[int(at * len(keys))]] = odd
    return json.dumps(record).encode()


def sign(folder: Path, old: bytes, new: bytes) -> None:
    """Replace the digest of changed bytes wherever a config of the folder holds it."""
    digests = [hashlib.sha256(data).hexdigest().encode() for data in (old, new)]
    for config in folder.rglob("*.json"):
        held = config.read_bytes()
        if digests[0] in held and digests[0] != digests[1]:
            config.write_bytes(signed := held.replace(*digests))
            sign(folder, held, signed)


_HOW = ("flip", "truncate", "header", "NaN", "dtype", "extra", "value", "link", "gone")
_CHANGES = st.tuples(
    *(st.sampled_from(FILES), st.sampled_from(_HOW), st.floats(0, 0.999), st.sampled_from(ODD))
)


@given(change=_CHANGES, resigned=st.booleans())
@fuzz(20)
def test_fuzz_bundles_are_refused_or_sound(
    tmp_path_factory: pytest.TempPathFactory, change: tuple[str, str, float, object], resigned: bool
) -> None:
    name, how, at, odd = change
    folder = tmp_path_factory.mktemp("fuzz") / "bundle"
    shutil.copytree(DEFAULT, folder)
    path = folder / name
    old = path.read_bytes()
    path.unlink()
    if how == "link":
        path.symlink_to("/dev/zero")
    elif how != "gone":
        path.write_bytes(new := tampered(old, how, at, odd))
        if resigned:
            sign(folder, old, new)
    source, copy = "The boats left. Anna Keller paid $5.", "The boats go. Ana paid 6 euros."
    try:
        scorer = Scorer(encoder=FakeEncoder(read_config().encoder), bundle=folder, pivot=True)
    except DetectorError:
        return
    finally:
        shutil.rmtree(folder)
    check_report(scorer.score(copy=copy, source=source), source=source, copy=copy)


HEADER = Header(
    input="a.csv",
    n_rows=2,
    n_shards=2,
    digest="d",
    shard_rows=1,
    tables=(PAIRS, SENTENCES),
    signature="s",
)
_KEYS = ("format", "schema", "tables", "n_rows", "shard", "rows", "files", "digest")
_PLACES = (*ODD, ["../x"], ["/", PAIRS], {"../x": {"bytes": 1, "sha256": ""}})


@given(
    change=st.tuples(st.integers(0, 2), st.sampled_from(_KEYS), st.sampled_from(_PLACES)),
    junk=st.binary(max_size=9),
    restart=st.booleans(),
)
@fuzz(60)
def test_fuzz_manifests_cost_no_foreign_file(
    tmp_path_factory: pytest.TempPathFactory,
    change: tuple[int, str, object],
    junk: bytes,
    restart: bool,
) -> None:
    line, key, odd = change
    place = tmp_path_factory.mktemp("fuzz")
    out = place / "out"
    with Output(out) as output:
        output.begin(HEADER)
    foreign = [place / "x" / "000000.parquet", out / PAIRS / "thesis.txt", out / "x" / "a.parquet"]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"mine")
    lines = (out / MANIFEST).read_bytes().splitlines(keepends=True)
    files = {name: {"bytes": 4, "sha256": "0" * 64} for name in (PAIRS, SENTENCES)}
    lines += [
        json.dumps({"shard": n, "rows": 1, "errors": 0, "files": files}).encode() + b"\n"
        for n in (0, 1)
    ]
    record = json.loads(lines[line])
    record[key] = odd
    lines[line] = json.dumps(record).encode() + junk + b"\n"
    (out / MANIFEST).write_bytes(b"".join(lines))
    with contextlib.suppress(InputError), Output(out) as output:
        output.begin(HEADER, restart=restart)
    assert all(path.read_bytes() == b"mine" for path in foreign)
