"""The bundle folder: same values back, same bytes twice, and every misfit refused by name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.fakes import FakeEncoder
from support.made_relations import relation_model

from detector.encoder import EncoderIdentity
from detector.errors import BundleError, InputError
from detector.features.adjacency import width
from detector.features.features import FEATURES
from detector.models import store
from detector.models.adjacency import AdjacencyClassifier
from detector.models.bundle import Bundle, Models, blended
from detector.models.bundle_config import BundleConfig, library_versions
from detector.models.estimators import BeadClassifier, SeverityRegressor

ENCODER = EncoderIdentity(
    name="fake", weights_sha256="a" * 64, precision="fp32", dimension=4, max_tokens=16
)
COLUMNS = tuple((feature.name, feature.unit) for feature in FEATURES)


def _rows(
    n: int = 200, *, columns: int = len(COLUMNS), missing: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, columns))
    X[rng.random(X.shape) < missing] = np.nan
    return X, np.nan_to_num(X[:, 0]) + 0.1 * rng.normal(size=n) > 0


@cache
def _bundle(model: str = "boosting") -> Bundle:
    config = BundleConfig(
        schema=store.SCHEMA,
        version="0.0",
        threshold=0.4,
        name_threshold=0.3,
        name_beliefs=((0.0, 0.0), (0.5, 0.2), (0.9, 0.6)),
        blend=(-0.1, 0.9, 0.2),
        columns=COLUMNS,
        encoder=ENCODER,
        libraries=library_versions(),
        models="",
        training={"seed": 0},
    )
    drift = BeadClassifier(model=model, n_trees=10).fit(*_rows())
    models = Models(
        drift=drift,
        severity=SeverityRegressor().fit(*_rows()),
        adjacency=AdjacencyClassifier(hidden=(4, 3), epochs=1).fit(
            *_rows(columns=width(ENCODER.dimension), missing=0.0)
        ),
    )
    return Bundle(models=models, config=config, card="# A card\n", metrics={"held_apart": [0.5]})


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    store.save(_bundle(), folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("model", ["logistic", "boosting"])
def test_store_gives_identical_probabilities_back(tmp_path: Path, model: str) -> None:
    bundle = _bundle(model)
    config = store.save(bundle, tmp_path / "new" / "bundle")
    loaded = store.load(tmp_path / "new" / "bundle", encoder=ENCODER)
    X, _ = _rows()
    rows = _rows(columns=width(ENCODER.dimension), missing=0.0)[0].astype(np.float32)
    one, two = loaded.models, bundle.models
    np.testing.assert_array_equal(loaded.predict_drift(X), bundle.predict_drift(X))
    np.testing.assert_array_equal(loaded.predict_severity(X), bundle.predict_severity(X))
    np.testing.assert_array_equal(one.adjacency.predictor()(rows), two.adjacency.predictor()(rows))
    assert loaded.config == config
    assert loaded.card == bundle.card
    assert loaded.metrics == bundle.metrics
    assert loaded.threshold == 0.4


def test_store_writes_the_same_bytes_for_the_same_fit(tmp_path: Path) -> None:
    for name in ("one", "two"):
        store.save(_bundle.__wrapped__(), tmp_path / name)  # fitted again each time
    for file in ("models.skops", "config.json", "metrics.json", "README.md"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_store_replaces_a_bundle_and_leaves_nothing_beside_it(saved: Path) -> None:
    store.save(replace(_bundle(), card="# Another\n"), saved)
    assert store.load(saved).card == "# Another\n"
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_store_refuses_to_replace_what_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(InputError, match="not a bundle"):
        store.save(_bundle(), tmp_path)
    assert (tmp_path / "letter.txt").is_file()


def test_store_no_beads_have_no_probabilities() -> None:
    verdicts = _bundle().predict([])
    assert verdicts.drift.shape == verdicts.severity.shape == (0,)
    assert verdicts.names == ()


def test_store_bundle_judges_beads_with_names_and_without() -> None:
    from detector.features.evidence import gather_pairs

    texts = [("Sun told Marrack no.", "The sun told Marack no."), ("it is so", "so it is")]
    beads = list(gather_pairs(texts, FakeEncoder()))
    verdicts = replace(_bundle(), models=replace(_bundle().models, adjacency=None)).predict(beads)
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
    one = store.save(_bundle(), tmp_path / "one")
    two = store.save(_bundle("logistic"), tmp_path / "two")
    assert one.digest != two.digest
    in_use = replace(ENCODER, precision="bf16")
    signature = one.signature(encoder=in_use, threshold=0.7)
    assert (signature.threshold, signature.precision) == (0.7, "bf16")
    assert one.signature().threshold == one.threshold


def _edit(folder: Path, **changed: Any) -> None:
    path = folder / "config.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, **changed}), encoding="utf-8")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"schema": 99}, "schema 99, this version reads 6"),
        ({"columns": [["cosine", "cosine"]]}, "cosine"),
        ({"columns": [list(c) for c in COLUMNS[::-1]]}, "other order"),
        ({"libraries": {"scikit-learn": "0.9.2"}}, r"scikit-learn 0\.9\.2, installed is 1"),
        ({"libraries": []}, "damaged"),
        ({"threshold": 2}, "threshold is 2"),
        ({"threshold": "high"}, "damaged"),
        ({"blend": [0.0, -1.0, 1.0]}, "blend is"),
        ({"blend": [1.0]}, "damaged"),
        ({"encoder": {"name": "x"}}, "damaged"),
        ({"models": "0" * 64}, "SHA-256"),
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


def test_store_metrics_may_be_absent_and_are_in_no_digest(saved: Path) -> None:
    signature = store.read_config(saved).signature()
    (saved / "metrics.json").write_text('{"held_apart": [0.9]}', encoding="utf-8")
    assert store.load(saved).metrics == {"held_apart": [0.9]}
    assert store.read_config(saved).signature() == signature
    (saved / "metrics.json").unlink()
    assert store.load(saved).metrics == {}


@pytest.mark.parametrize("text", ["", "[]", "not json", "\udcff"])
def test_store_refuses_damaged_metrics(saved: Path, text: str) -> None:
    (saved / "metrics.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BundleError, match=r"metrics\.json"):
        store.load(saved)


def test_store_refuses_a_file_that_is_too_large(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_LARGEST", 10)
    with pytest.raises(BundleError, match="at most 10"):
        store.read_metrics(saved)


def test_store_refuses_a_damaged_classifier(saved: Path) -> None:
    data = (saved / "models.skops").read_bytes()
    (saved / "models.skops").write_bytes(data[: len(data) // 2])
    with pytest.raises(BundleError, match="damaged"):
        store.load(saved)


def _replace_models(folder: Path, data: bytes) -> None:
    import hashlib

    (folder / "models.skops").write_bytes(data)
    _edit(folder, models=hashlib.sha256(data).hexdigest())


def test_store_refuses_a_foreign_type_by_name(saved: Path) -> None:
    from skops.io import dumps

    _replace_models(saved, dumps(shutil.rmtree))
    with pytest.raises(BundleError, match="rmtree"):
        store.load(saved)


def test_store_refuses_another_estimator(saved: Path) -> None:
    from sklearn.preprocessing import StandardScaler
    from skops.io import dumps

    _replace_models(saved, dumps(StandardScaler()))
    with pytest.raises(BundleError, match="StandardScaler"):
        store.load(saved)


def test_store_refuses_what_is_no_archive(saved: Path) -> None:
    _replace_models(saved, b"PK\x03\x04 nothing")
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
    config = store.save(replace(_bundle(), relation=relation), tmp_path / "bundle")
    assert set(config.parts) == {"relation"}
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
    store.save(replace(_bundle(), relation=relation_model()), tmp_path / "bundle")
    other = relation_model(training={}).to_bytes()
    (tmp_path / "bundle" / "relation.safetensors").write_bytes(other)
    with pytest.raises(BundleError, match=r"relation\.safetensors: SHA-256 is"):
        store.load(tmp_path / "bundle")


def test_store_refuses_a_part_that_it_does_not_know(saved: Path) -> None:
    record = json.loads((saved / "config.json").read_text(encoding="utf-8"))
    record["parts"] = {"oracle": "0" * 64}
    (saved / "config.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(BundleError, match="parts are oracle; give some of relation"):
        store.load(saved)
