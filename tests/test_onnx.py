"""Encoder and tagger out of an export: what torch says, from files that are what they claim."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from test_encode import TEXTS

from detector.cli.main import main
from detector.encoder import MiniLMEncoder
from detector.errors import BundleError, InputError, MissingExtra
from detector.features.token_tags import Tokens, collate
from detector.model_files import json_bytes
from detector.models import store
from detector.onnx import OnnxEncoder, export
from detector.report.report import Report
from detector.scorer import Scorer

pytestmark = pytest.mark.model

EXAMPLE = Path(__file__).resolve().parent.parent / "data" / "example"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("export") / "onnx"
    assert main(["export", str(made), "--quiet"]) == 0
    return made


@pytest.fixture(scope="module")
def exported(folder: Path) -> OnnxEncoder:
    return OnnxEncoder(folder, threads=1)


def test_onnx_encodes_as_torch_does(encoder: MiniLMEncoder, exported: OnnxEncoder) -> None:
    texts = [*TEXTS, "Sun’s so\u00adlar Türkiye 😀 \ud800 end"]
    here, there = encoder.encode(texts), exported.encode(texts)
    np.testing.assert_allclose(there.vectors, here.vectors, atol=1e-5)
    assert there.truncated == here.truncated
    for mine, theirs in zip(there.tokens or (), here.tokens or (), strict=True):
        assert mine.vectors.dtype == np.float16
        np.testing.assert_array_equal(mine.starts, theirs.starts)
        np.testing.assert_array_equal(mine.ends, theirs.ends)
        np.testing.assert_allclose(mine.vectors, theirs.vectors, atol=5e-4)  # a step of half
    assert exported.encode(texts, tokens=False).tokens is None
    assert exported.encode([]).vectors.shape == (0, encoder.identity.dimension)
    with pytest.raises(InputError, match="text 1 is blank"):
        exported.encode(["word", " \n"])


def test_onnx_network_reads_as_torchs_does(encoder: MiniLMEncoder, exported: OnnxEncoder) -> None:
    own = store.load(encoder=encoder.identity).tagger
    assert own is not None
    assert exported.tagger is not None
    assert exported.tagger.digest == own.digest
    sides = [
        Tokens.of([(text, 0, tokens)])
        for text, tokens in zip(TEXTS, encoder.encode(TEXTS).tokens or (), strict=True)
    ]
    fed = collate([(sides[0], sides[1]), (sides[2], sides[0]), (sides[3], sides[2])])
    for mine, theirs in zip(
        exported.tagger.network.predict(fed), own.network.predict(fed), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_onnx_scores_as_torch_does(encoder: MiniLMEncoder, exported: OnnxEncoder) -> None:
    copy, source = (
        (EXAMPLE / name).read_text(encoding="utf-8") for name in ("copy.txt", "source.txt")
    )

    def scored(scorer: Scorer) -> Report:
        return scorer.score(copy=copy, source=source)

    here, there = scored(Scorer(encoder=encoder)), scored(Scorer(encoder=exported))
    assert there.signature.precision == "fp32-onnx"
    assert there.signature.tagger == here.signature.tagger != "none"
    assert there.alignment == here.alignment or [b.copy for b in there.alignment.beads] == [
        b.copy for b in here.alignment.beads
    ]
    for mine, theirs in zip(there.rows, here.rows, strict=True):
        assert mine.drift_probability == pytest.approx(theirs.drift_probability, abs=1e-3)
        assert [(s.kind, s.copy) for s in mine.spans] == [(s.kind, s.copy) for s in theirs.spans]
    assert Scorer(encoder=exported, tagger=None).signature.tagger == "none"


def _flip(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def _change(**entries: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        record = json.loads(path.read_text(encoding="utf-8"))
        path.write_bytes(json_bytes({**record, **entries}))

    return change


@pytest.mark.parametrize(
    ("name", "harm", "said"),
    [
        ("encoder.onnx", _flip, "SHA-256 is"),
        ("tokenizer.json", _flip, "SHA-256 is"),
        ("tagger.onnx", _flip, "SHA-256 is"),
        ("tagger.json", _flip, "SHA-256 is"),
        ("encoder.onnx", Path.unlink, "cannot be read"),
        ("config.json", Path.unlink, "cannot be read"),
        ("config.json", _change(schema=9), "schema 9, this version reads 1"),
        ("config.json", _change(files={}), "it lists no files"),
        ("config.json", _change(files={"../encoder.onnx": "0"}), "no config of an export"),
        ("config.json", _change(encoder={"name": "x"}), "no config of an export"),
    ],
)
def test_onnx_refuses_what_is_damaged(
    folder: Path, tmp_path: Path, name: str, harm: Callable[[Path], None], said: str
) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / name).unlink()
    shutil.copy(folder / name, tmp_path / name)
    harm(tmp_path / name)
    with pytest.raises(BundleError, match=said):
        _ = OnnxEncoder(tmp_path, threads=1).tagger


def test_onnx_refuses_the_tagger_of_another_bundle(folder: Path, tmp_path: Path) -> None:
    import hashlib

    for file in folder.iterdir():
        shutil.copy(file, tmp_path / file.name)
    _change(edited=0.123)(tmp_path / "tagger.json")
    files = json.loads((folder / "config.json").read_text(encoding="utf-8"))["files"]
    digest = hashlib.sha256((tmp_path / "tagger.json").read_bytes()).hexdigest()
    _change(files={**files, "tagger.json": digest})(tmp_path / "config.json")
    other = OnnxEncoder(tmp_path, threads=1)
    with pytest.raises(BundleError, match="the tagger given: SHA-256"):
        Scorer(encoder=other)
    assert Scorer(encoder=other, tagger=None).signature.tagger == "none"


def test_onnx_runs_the_bundles_own_tagger_where_none_was_exported(
    encoder: MiniLMEncoder, folder: Path, tmp_path: Path
) -> None:
    files = json.loads((folder / "config.json").read_text(encoding="utf-8"))["files"]
    for name in ("encoder.onnx", "tokenizer.json", "config.json"):
        shutil.copy(folder / name, tmp_path / name)
    kept = {name: files[name] for name in ("encoder.onnx", "tokenizer.json")}
    _change(files=kept)(tmp_path / "config.json")
    alone = OnnxEncoder(tmp_path, threads=1)
    assert alone.tagger is None
    assert Scorer(encoder=alone).signature.tagger == Scorer(encoder=encoder).signature.tagger


def test_onnx_says_which_extra_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r"roundtrip-detector\[onnx\]"):
        OnnxEncoder(folder)


def test_onnx_runtime_is_told_to_report_nothing(exported: OnnxEncoder) -> None:
    assert exported.identity.precision == "fp32-onnx"
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_onnx_files_name_no_file_of_this_machine(folder: Path) -> None:
    here = str(Path(__file__).resolve().parent.parent).encode()
    for file in folder.iterdir():
        data = file.read_bytes()
        assert here not in data
        assert b"site-packages" not in data


def test_export_says_which_extra_is_missing(
    encoder: MiniLMEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"onnx is not installed.*roundtrip-detector\[onnx\]"):
        export(encoder, None, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_export_takes_fp32_and_torchs_tagger_alone(
    encoder: MiniLMEncoder, exported: OnnxEncoder, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="is a OnnxNetwork"):
        export(encoder, exported.tagger, tmp_path)
    with pytest.raises(InputError, match="computes in bf16"):
        export(MiniLMEncoder(precision="bf16"), None, tmp_path)


def test_onnx_cli_scores_out_of_an_export(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("copy", "The sun said no.\n"), ("source", "Sun said no.\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    pair = [str(tmp_path / "copy"), str(tmp_path / "source"), "--quiet"]
    assert main(["score", *pair, "--onnx", str(folder), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["signature"]["precision"] == "fp32-onnx"
    assert main(["align", *pair, "--onnx", str(folder), "--precision", "bf16"]) == 2
    assert "--precision bf16 is settled by --onnx" in capsys.readouterr().err
