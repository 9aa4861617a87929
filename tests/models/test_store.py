"""The bundle folder: same values back, same bytes twice, and every misfit refused by name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.fakes import FakeEncoder
from support.made_bundle import COLUMNS, ENCODER, rows
from support.made_bundle import bundle as made_bundle
from support.made_relations import relation_model

from detector import model_files
from detector.errors import BundleError, InputError
from detector.features.adjacency import width
from detector.models import store
from detector.models.bundle import blended


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    store.save(made_bundle(), folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("model", ["logistic", "boosting"])
def test_store_gives_identical_probabilities_back(tmp_path: Path, model: str) -> None:
    bundle = made_bundle(model)
    config = store.save(bundle, tmp_path / "new" / "bundle")
    loaded = store.load(tmp_path / "new" / "bundle", encoder=ENCODER)
    X, _ = rows()
    words = rows(columns=width(ENCODER.dimension), missing=0.0)[0].astype(np.float32)
    one, two = loaded.models, bundle.models
    np.testing.assert_array_equal(loaded.predict_drift(X), bundle.predict_drift(X))
    np.testing.assert_array_equal(loaded.predict_severity(X), bundle.predict_severity(X))
    np.testing.assert_array_equal(
        one.adjacency.predictor()(words), two.adjacency.predictor()(words)
    )
    assert loaded.config == config
    assert loaded.card == bundle.card
    assert loaded.metrics == bundle.metrics
    assert loaded.threshold == 0.4


def test_store_writes_the_same_bytes_for_the_same_fit(tmp_path: Path) -> None:
    for name in ("one", "two"):
        store.save(made_bundle.__wrapped__(), tmp_path / name)  # fitted again each time
    for file in ("models.skops", "config.json", "metrics.json", "README.md"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_store_replaces_a_bundle_and_leaves_nothing_beside_it(saved: Path) -> None:
    store.save(replace(made_bundle(), card="# Another\n"), saved)
    assert store.load(saved).card == "# Another\n"
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_store_refuses_to_replace_what_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(InputError, match="not a bundle"):
        store.save(made_bundle(), tmp_path)
    assert (tmp_path / "letter.txt").is_file()


def test_store_no_beads_have_no_probabilities() -> None:
    verdicts = made_bundle().predict([])
    assert verdicts.drift.shape == verdicts.severity.shape == (0,)
    assert verdicts.names == ()


def test_store_bundle_judges_beads_with_names_and_without() -> None:
    from detector.features.evidence import gather_pairs

    texts = [("Sun told Marrack no.", "The sun told Marack no."), ("it is so", "so it is")]
    beads = list(gather_pairs(texts, FakeEncoder()))
    verdicts = replace(made_bundle(), models=replace(made_bundle().models, adjacency=None)).predict(
        beads
    )
    assert len(verdicts.names) == len(verdicts.drift) == len(verdicts.severity) == 2
    for judged, found in zip(verdicts.names[0], beads[0].names, strict=True):
        assert judged.change == found.change
        wanted = found.confidence if found.change == "kept" else _calibrated(found.confidence)
        assert judged.probability == pytest.approx(wanted)
    assert verdicts.names[1] == ()


def _calibrated(belief: float) -> float:
    return float(np.interp(belief, [0.0, 0.5, 0.9], [0.0, 0.2, 0.6]))


def test_store_drift_rises_with_severity_where_the_trees_see_no_difference() -> None:
    margin, severity = np.zeros(3), np.array([0.0, np.nan, 2.0])
    none, unknown, two = blended((-0.1, 0.9, 0.2), margin, severity).tolist()
    assert none == unknown < two < 1.0
    even = blended((0.0, 1.0, 0.0), np.array([-800.0, 0.0, 800.0]), severity)
    np.testing.assert_allclose(even, [0.0, 0.5, 1.0])


def test_store_signature_follows_the_classifier(tmp_path: Path) -> None:
    one = store.save(made_bundle(), tmp_path / "one")
    two = store.save(made_bundle("logistic"), tmp_path / "two")
    assert one.digest != two.digest
    in_use = replace(ENCODER, precision="bf16")
    signature = one.signature(encoder=in_use, threshold=0.7)
    assert (signature.threshold, signature.precision) == (0.7, "bf16")
    assert one.signature().threshold == one.threshold


def _edit(folder: Path, **changed: Any) -> None:
    path = folder / "config.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_bytes(model_files.json_bytes({**record, **changed}))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"schema": 99}, "schema 99, this version reads 7"),
        ({"columns": [["cosine", "cosine"]]}, "cosine"),
        ({"columns": [list(c) for c in COLUMNS[::-1]]}, "other order"),
        ({"libraries": {"scikit-learn": "0.9.2"}}, r"scikit-learn 0\.9\.2, installed is 1"),
        ({"libraries": []}, "damaged"),
        ({"threshold": 2}, "threshold is 2"),
        ({"threshold": "high"}, "damaged"),
        ({"blend": [0.0, -1.0, 1.0]}, "blend is"),
        ({"blend": [1.0]}, "damaged"),
        ({"encoder": {"name": "x"}}, "damaged"),
        ({"files": {}}, "give README.md, models.skops, and may give metrics.json"),
        (
            {"files": {"models.skops": "0", "README.md": "0", "oracle": "0"}},
            "files are .*oracle; give",
        ),
    ],
)
def test_store_refuses_a_config_that_does_not_fit(
    saved: Path, changed: dict[str, Any], named: str
) -> None:
    _edit(saved, **changed)
    with pytest.raises(BundleError, match=named):
        store.load(saved)


def test_store_refuses_another_encoder_and_names_both(saved: Path) -> None:
    other = replace(ENCODER, name="other", weights_sha256="c" * 64)
    with pytest.raises(BundleError, match=r"fake.*a{12}.*other.*c{12}"):
        store.load(saved, encoder=other)


def test_store_takes_the_same_weights_in_other_arithmetic(saved: Path) -> None:
    assert store.load(saved, encoder=replace(ENCODER, precision="bf16")).threshold == 0.4


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json", '{"schema": 1}', "null"])
def test_store_refuses_a_damaged_config(saved: Path, text: str) -> None:
    (saved / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match=r"config\.json"):
        store.load(saved)


@pytest.mark.parametrize("missing", ["models.skops", "config.json", "README.md"])
def test_store_refuses_a_folder_that_lacks_a_file(saved: Path, missing: str) -> None:
    (saved / missing).unlink()
    with pytest.raises(BundleError, match=missing):
        store.load(saved)


def test_store_card_and_metrics_may_change_and_the_signature_stays(saved: Path) -> None:
    signature = store.read_config(saved).signature()
    store.save(replace(made_bundle(), card="# Other\n", metrics={"held_apart": [0.9]}), saved)
    assert store.load(saved).metrics == {"held_apart": [0.9]}
    assert store.read_config(saved).signature() == signature
    store.save(replace(made_bundle(), metrics={}), saved)
    assert store.load(saved).metrics == {}
    assert store.read_config(saved).signature() == signature


@pytest.mark.parametrize("text", ["", "[]", "not json", "\udcff"])
def test_store_refuses_damaged_metrics(saved: Path, text: str) -> None:
    _forge(saved, "metrics.json", text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BundleError, match=r"metrics\.json"):
        store.load(saved)


def test_store_refuses_a_file_that_is_too_large(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files.read_file, "__kwdefaults__", {"digest": None, "most": 10})
    with pytest.raises(BundleError, match="holds more than 10 bytes"):
        store.read_metrics(saved)


def test_store_refuses_a_damaged_classifier(saved: Path) -> None:
    data = (saved / "models.skops").read_bytes()
    (saved / "models.skops").write_bytes(data[: len(data) // 2])
    with pytest.raises(BundleError, match="damaged"):
        store.load(saved)


def _forge(folder: Path, name: str, data: bytes) -> None:
    """Write a file and its digest."""
    (folder / name).write_bytes(data)
    files = dict(store.read_config(folder).files)
    _edit(folder, files={**files, name: model_files.sha256(data)})


def test_store_refuses_a_foreign_type_by_name(saved: Path) -> None:
    from skops.io import dumps

    _forge(saved, "models.skops", dumps(shutil.rmtree))
    with pytest.raises(BundleError, match="rmtree"):
        store.load(saved)


def test_store_refuses_another_estimator(saved: Path) -> None:
    from sklearn.preprocessing import StandardScaler
    from skops.io import dumps

    _forge(saved, "models.skops", dumps(StandardScaler()))
    with pytest.raises(BundleError, match="StandardScaler"):
        store.load(saved)


def test_store_refuses_what_is_no_archive(saved: Path) -> None:
    _forge(saved, "models.skops", b"PK\x03\x04 nothing")
    with pytest.raises(BundleError, match="cannot be rebuilt"):
        store.load(saved)


def test_store_archive_holds_no_address_and_no_date(saved: Path) -> None:
    with zipfile.ZipFile(saved / "models.skops") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        stems = [entry.filename.split(".")[0] for entry in archive.infolist()]
    assert all(len(stem) < 6 for stem in stems if stem != "schema")


def test_store_reads_a_config_without_heavy_imports(saved: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from detector.models.store import read_config;"
        f"print(read_config(Path({str(saved)!r})).signature());"
        "print(sorted({'sklearn', 'torch', 'skops', 'pandas'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.startswith("detector ")
    assert out.stdout.rstrip().endswith("[]")


def test_store_keeps_the_model_of_relations(tmp_path: Path) -> None:
    relation = relation_model()
    config = store.save(replace(made_bundle(), relation=relation), tmp_path / "bundle")
    assert set(config.files) - {"models.skops", "README.md", "metrics.json"} == {
        "relation.safetensors"
    }
    loaded = store.load(tmp_path / "bundle")
    assert loaded.relation is not None
    assert loaded.relation.to_bytes() == relation.to_bytes()
    assert store.relation_of(tmp_path / "bundle", encoder=ENCODER) is not None
    other = replace(ENCODER, weights_sha256="c" * 64)
    assert store.relation_of(tmp_path / "bundle", encoder=other) is None


def test_store_a_bundle_may_lack_a_model_of_relations(saved: Path) -> None:
    assert store.load(saved).relation is None
    assert store.relation_of(saved) is None


def test_store_refuses_another_model_of_relations(tmp_path: Path) -> None:
    store.save(replace(made_bundle(), relation=relation_model()), tmp_path / "bundle")
    other = relation_model(training={}).to_bytes()
    (tmp_path / "bundle" / "relation.safetensors").write_bytes(other)
    with pytest.raises(BundleError, match=r"relation\.safetensors: SHA-256 is"):
        store.load(tmp_path / "bundle")
