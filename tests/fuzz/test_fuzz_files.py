"""Files, tables and command lines: one line of error, exit code 2, and no file is touched."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import sys
from typing import Any

import pandas as pd
import pytest
from fuzz.attack import TEXTS, fuzz
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeEncoder

import detector.scorer
from detector import DetectorError, Scorer
from detector.archive.articles import read_articles
from detector.batch.inputs import PairTable
from detector.cli.main import main
from detector.models.store import read_config
from detector.text.escape import HOSTILE

pytestmark = [pytest.mark.fuzz, pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]

_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "shift-jis")
BYTES = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda text, code: text.encode(code, "replace"), TEXTS, st.sampled_from(_ENCODINGS)),
)
CELLS = st.one_of(
    *(TEXTS, st.none(), st.booleans(), st.integers(), st.floats(), st.datetimes()),
    *(st.binary(max_size=9), st.lists(TEXTS, max_size=2)),
)
_COLUMNS = st.sampled_from(("source", "copy", "id", "source_path", "copy_path", "text", ""))


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw the ending and the bytes of a table: odd columns, odd cells, cut or changed."""
    ending = draw(st.sampled_from((".csv", ".tsv", ".jsonl", ".parquet")))
    columns = draw(st.lists(_COLUMNS, min_size=1, max_size=4, unique=ending == ".parquet"))
    rows = draw(st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns)), max_size=4))
    held = io.BytesIO()
    if ending == ".jsonl":
        lines = (json.dumps(dict(zip(columns, row, strict=True)), default=str) for row in rows)
        held.writelines(f"{line}\n".encode() for line in lines)
    elif ending == ".parquet":
        with contextlib.suppress(Exception):  # a column holds one type, and no lone surrogate
            pd.DataFrame(rows[:1] * len(rows), columns=columns).to_parquet(held)
    else:
        mark = "\t" if ending == ".tsv" else ","
        text = pd.DataFrame(rows, columns=columns).to_csv(index=False, sep=mark)
        held.write(text.encode("utf-8", "surrogatepass"))
    data = held.getvalue()
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=6)) + data[at + draw(st.integers(0, 40)) :]
    return ending, data


@given(table=tables())
@fuzz(80)
def test_fuzz_tables_give_rows_with_texts_or_faults(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[str, bytes]
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / f"a{table[0]}"
    path.write_bytes(table[1])
    with contextlib.suppress(DetectorError):
        for row in PairTable(path=path).rows():
            assert bool(row.fault) != bool(row.texts)
    with contextlib.suppress(DetectorError):
        assert all((entry.article is None) == bool(entry.reason) for entry in read_articles([path]))


@pytest.fixture(scope="module")
def fake_scorer() -> Any:
    """Real scorers on a fake encoder, one for each set of options."""
    real, made = Scorer, FakeEncoder(read_config().encoder)

    @functools.cache
    def cached(**options: Any) -> Scorer:
        return real(**{**options, "encoder": made, "tagger": None})

    return cached


_PATHS = ["copy.txt", "source.txt", "page.html", "none.txt", "odd", "table.csv", ".", "-", "a\nb"]
_OPTIONS = (
    "--format json|--format html|--format csv|--format tsv|--only-flagged|--fail-on any|--quiet|"
    "--threshold 0.5|--threshold nan|--threshold 1e400|--name-threshold -1|--pivot|--no-report|"
    "--encoding utf-16|--encoding nothing|--encoding base64|--out out.json|--out copy.txt|"
    "--out .|--out none/a.csv|--out a.html|--colour always|--bundle .|--pivot-model odd|"
    "--dictionary odd|--onnx .|--workers 0|-o out"
)
_COMMANDS = ("score", "score", "score", "align", "match", "archive info", "data check", "batch")


_LINES = st.tuples(
    st.sampled_from(_COMMANDS),
    st.lists(st.sampled_from(_PATHS), min_size=1, max_size=3),
    st.lists(st.sampled_from(_OPTIONS.split("|")), max_size=4),
)


@given(line=_LINES, held=st.lists(BYTES, min_size=4, max_size=4))
@fuzz(80)
def test_fuzz_command_lines_say_what_is_wrong_in_one_line(
    tmp_path_factory: pytest.TempPathFactory,
    fake_scorer: Any,
    line: tuple[str, list[str], list[str]],
    held: list[bytes],
) -> None:
    command, paths, options = line
    folder = tmp_path_factory.mktemp("fuzz")
    names = ("copy.txt", "source.txt", "page.html", "odd")
    files = {**dict(zip(names, held, strict=True)), "table.csv": b"source,copy\nA.,B.\n"}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    if command == "batch":
        paths = [name for name in paths if name != "table.csv"] or ["odd"]  # it starts processes
    words = [*command.split(), *paths, *(word for option in options for word in option.split())]
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(detector.scorer, "Scorer", fake_scorer)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(held[0])))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
    told = err.getvalue().splitlines()
    assert code in (0, 1, 2)
    assert not HOSTILE.search(out.getvalue().replace("\x1b[", "") + err.getvalue())
    errors = [line for line in told if line.startswith("detector: error: ")]
    assert len(errors) == (code == 2)
    assert all(line.startswith("detector: ") for line in told)
    if code == 2:
        assert not out.getvalue()
        assert {name for _, _, found in os.walk(folder) for name in found} <= {*files, ".lock"}
    assert all((folder / name).read_bytes() == data for name, data in files.items())
