"""Bundles and manifests that somebody changed: refused, or sound; foreign files stay.

`tests/models/test_tampering.py` holds the table of what may be wrong with a bundle; this draws.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
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

resource = pytest.importorskip("resource")  # where there is none, nothing bounds the memory


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    """Bound the memory, so that a size out of a forged file fails a test and not the machine."""
    old = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (16 << 30, old[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, old)


FILES = sorted(str(path.relative_to(DEFAULT)) for path in DEFAULT.rglob("*") if path.is_file())
ODD = (None, True, -1, 1e400, "", "../x", "/", [], {}, [[]] * 3, "0" * 64, 10**40)
_CHANGES = st.tuples(st.sampled_from(FILES), st.floats(0, 0.999), st.integers(0, 9))


def sign(folder: Path, old: bytes, new: bytes) -> None:
    """Replace the digest of changed bytes wherever a config of the folder holds it."""
    digests = [hashlib.sha256(data).hexdigest().encode() for data in (old, new)]
    for config in folder.rglob("*.json"):
        held = config.read_bytes()
        if digests[0] in held and digests[0] != digests[1]:
            config.write_bytes(signed := held.replace(*digests))
            sign(folder, held, signed)


@given(change=_CHANGES, junk=st.binary(min_size=1, max_size=8), signed=st.booleans())
@fuzz(15)
def test_fuzz_bundles_are_refused_or_sound(
    tmp_path_factory: pytest.TempPathFactory,
    change: tuple[str, float, int],
    junk: bytes,
    signed: bool,
) -> None:
    folder = tmp_path_factory.mktemp("fuzz") / "bundle"
    shutil.copytree(DEFAULT, folder)
    name, place, cut = change
    old = (folder / name).read_bytes()
    at = int(place * len(old))
    new = old[:at] + junk + (old[at + cut :] if cut else b"")
    (folder / name).write_bytes(new)
    if signed:
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
_VALUES = (*ODD, ["../x"], ["/", PAIRS], {"../x": {"bytes": 1, "sha256": ""}})


@given(
    change=st.tuples(st.integers(0, 2), st.sampled_from(_KEYS), st.sampled_from(_VALUES)),
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
    place = tmp_path_factory.mktemp("fuzz")
    out = place / "out"
    with Output(out) as output:
        output.begin(HEADER)
    foreign = [place / "x" / "000000.parquet", out / PAIRS / "thesis.txt", out / "x" / "a.parquet"]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"mine")
    files = {name: {"bytes": 4, "sha256": "0" * 64} for name in (PAIRS, SENTENCES)}
    shards = ({"shard": n, "rows": 1, "errors": 0, "files": files} for n in (0, 1))
    header = (out / MANIFEST).read_bytes().rstrip()
    lines = [header, *(json.dumps(shard).encode() for shard in shards)]
    line, key, odd = change
    lines[line] = json.dumps({**json.loads(lines[line]), key: odd}).encode() + junk
    (out / MANIFEST).write_bytes(b"\n".join([*lines, b""]))
    with contextlib.suppress(InputError), Output(out) as output:
        output.begin(HEADER, restart=restart)
    assert all(path.read_bytes() == b"mine" for path in foreign)
