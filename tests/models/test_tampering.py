"""Files of models that somebody tampered with: refused by a documented error, and no other."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.fakes import FakeEncoder
from support.made_bundle import whole_bundle

from detector import model_files
from detector.errors import BundleError, InputError
from detector.model_files import json_bytes, sha256
from detector.models import fitted, store, tagger
from detector.models.bundle import Bundle, Models
from detector.pivot.model import PivotModel
from detector.pivot.model import load as load_pivot
from detector.pivot.model import save as save_pivot
from detector.relation.model import RelationModel

FILES = (
    "README.md",
    "config.json",
    "metrics.json",
    "models.skops",
    "pivot.safetensors",
    "relation.safetensors",
    "tagger/config.json",
    "tagger/tagger.safetensors",
)
TENSORS = ("pivot.safetensors", "relation.safetensors", "tagger/tagger.safetensors")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "bundle"
    store.save(whole_bundle(), folder)
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "bundle"))


def _load(folder: Path) -> Bundle:
    return store.load(folder, encoder=FakeEncoder().identity, pivot=True)


def _forge(folder: Path, name: str, data: bytes) -> None:
    """Write a file of a bundle, and its digest wherever it is held."""
    (folder / name).write_bytes(data)
    record = json.loads((folder / "config.json").read_bytes())
    if name == "tagger/tagger.safetensors":
        own = json.loads((folder / "tagger/config.json").read_bytes())
        _forge(folder, "tagger/config.json", json_bytes({**own, "weights": sha256(data)}))
        record = json.loads((folder / "config.json").read_bytes())
    record["files"][name] = sha256(data)
    if name == "tagger/config.json":
        record["tagged"]["tagger"] = sha256(data)
    if name != "config.json":
        (folder / "config.json").write_bytes(json_bytes(record))


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _huge_header(path: Path) -> None:
    path.write_bytes((1 << 62).to_bytes(8, "little") + path.read_bytes()[8:])


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link_to_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def _link_to_another(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes() + b" ")
    path.unlink()
    path.symlink_to(other)


HARMS = (
    _flip, _halve, _huge_header, Path.unlink, _folder, _pipe, _link_to_pipe, _link_to_another,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "harm"),
    # A bit of the config alone may make another config.
    [(name, harm) for name in FILES for harm in HARMS if (name, harm) != ("config.json", _flip)],
)
def test_tampering_with_a_file_is_refused(
    folder: Path, name: str, harm: Callable[[Path], None]
) -> None:
    harm(folder / name)
    with pytest.raises(BundleError, match=name.split("/")[0]) as caught:
        _load(folder)
    assert len(str(caught.value).splitlines()) == 1


def test_tampering_a_sound_bundle_is_read_through_links_and_past_other_files(folder: Path) -> None:
    moved = folder.with_name("moved")
    folder.rename(moved)
    folder.mkdir()
    for path in moved.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    assert _load(folder).config == store.read_config(moved)


@pytest.mark.parametrize("name", ["../metrics.json", "/etc/hostname", "tagger/../x", "notes.txt"])
def test_tampering_a_config_names_no_other_file(folder: Path, name: str) -> None:
    record = json.loads((folder / "config.json").read_bytes())
    record["files"][name] = record["files"].pop("metrics.json")
    (folder / "config.json").write_bytes(json_bytes(record))
    with pytest.raises(BundleError, match="files are"):
        _load(folder)


ODD = (
    None, True, -1, 1 << 40, 10**400, 0.5, float("nan"), float("inf"), "x", "\ud800", [], ["x"],
    [[]], {}, {"x": 1}, [None] * 3,
)  # fmt: skip


def _values(record: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of every value in a record; of a list, that of its first alone."""
    if place:
        yield place
    if isinstance(record, dict | list):
        inner = record.items() if isinstance(record, dict) else list(enumerate(record))[:1]
        for key, value in inner:
            yield from _values(value, (*place, key))


def _odd(record: dict[str, Any], *, free: set[str]) -> Iterator[bytes]:
    """Yield the record as JSON with odd values in it, or without one of its values."""
    for *parents, key in _values(record):
        if not {key, *parents} & free:
            for value in (*ODD, copy):
                changed = copy.deepcopy(record)
                holder: Any = changed
                for parent in parents:
                    holder = holder[parent]
                if value is copy:
                    if isinstance(holder, list) or {"files", "libraries"} & {*parents}:
                        continue  # which may be fewer
                    del holder[key]
                elif type(holder[key]) is type(value) or holder[key] == value:
                    continue  # another value of the right type may be right
                else:
                    holder[key] = value
                text = json.dumps(changed, indent=1, sort_keys=True)
                yield (text + "\n").encode("utf-8")
    yield b'{"schema":' + b"[" * 100_000
    yield b'{"schema":' + b"9" * 5000 + b"}"


@pytest.mark.parametrize("name", ["config.json", "tagger/config.json"])
def test_tampering_odd_values_in_a_config_are_refused(folder: Path, name: str) -> None:
    path = folder / name
    record = json.loads(path.read_bytes())
    read = store.read_config if name == "config.json" else tagger.read_config
    n = 0
    for data in _odd(record, free={"training", "edited"}):
        path.write_bytes(data)
        with pytest.raises(BundleError, match=r"config\.json: "):
            read(folder if name == "config.json" else path)
        n += 1
    assert n > 250


def test_tampering_odd_values_in_an_export_are_refused(tmp_path: Path) -> None:
    from detector.onnx import OnnxEncoder

    record = {
        "schema": 1,
        "version": "0",
        "encoder": FakeEncoder().identity.to_dict(),
        "files": {"encoder.onnx": "0", "tokenizer.json": "0"},
    }
    for data in _odd(record, free=set()):
        (tmp_path / "config.json").write_bytes(data)
        with pytest.raises(BundleError, match=r"config\.json: "):
            OnnxEncoder(tmp_path)


def _tensors(data: bytes) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    metadata, tensors = model_files.read_tensors(data, "x")
    return metadata, {name: tensor.copy() for name, tensor in tensors.items()}


def _spoilt(tensors: dict[str, np.ndarray], name: str) -> Iterator[dict[str, np.ndarray]]:
    """Yield the tensors of a model with one of them changed."""
    tensor = tensors[name]
    yield {key: value for key, value in tensors.items() if key != name}
    for value in (tensor[None], tensor[:-1], tensor.ravel()[:0], np.zeros((), tensor.dtype)):
        yield {**tensors, name: value}
    for dtype in (np.float64, np.float32, np.float16, np.int64, np.bool_):
        if tensor.dtype != dtype:
            with np.errstate(all="ignore"):
                other = tensor.astype(dtype)
            yield {**tensors, name: other}
    if tensor.dtype.kind == "f":
        for number in (np.nan, np.inf, -np.inf):
            other = tensor.copy()
            other.flat[-1] = number
            yield {**tensors, name: other}


@pytest.mark.slow
@pytest.mark.parametrize("name", TENSORS)
def test_tampering_odd_tensors_are_refused(folder: Path, name: str) -> None:
    from safetensors.numpy import save

    data = (folder / name).read_bytes()
    metadata, tensors = _tensors(data)
    spoilt = [odd for one in tensors for odd in _spoilt(tensors, one)]
    spoilt += [{**tensors, "more": np.zeros(1, np.float16)}, {}]
    for odd in spoilt:
        _forge(folder, name, save(odd, metadata))
        with pytest.raises(BundleError, match=name.split("/")[0]):
            _read(folder, name)
    _forge(folder, name, data)
    assert _load(folder).tagger is not None


def _read(folder: Path, name: str) -> object:
    """Load the one model that a file holds."""
    if name.startswith("tagger"):
        return tagger.load(folder / "tagger", encoder=FakeEncoder().identity)
    return (store.pivot_of if name.startswith("pivot") else store.relation_of)(folder)


@pytest.mark.parametrize("name", ["pivot.safetensors", "relation.safetensors"])
def test_tampering_odd_records_beside_tensors_are_refused(folder: Path, name: str) -> None:
    from safetensors.numpy import save

    metadata, tensors = _tensors((folder / name).read_bytes())
    ((key, text),) = metadata.items()
    read = PivotModel.from_bytes if key == "pivot" else RelationModel.from_bytes
    record = json.loads(text)
    numbers = {name for name, value in record.items() if isinstance(value, float)}
    spoilt = list(_odd(record, free={"training", "traits", *numbers}))
    for name in numbers:
        odd = (None, True, "1", [], 10**400, float("nan"), float("inf"))
        spoilt += [json.dumps({**record, name: value}).encode() for value in odd]
    for data in spoilt:
        with pytest.raises(BundleError, match=r"^x: "):
            read(save(tensors, {key: data.decode()}), place="x")
    for other in (None, {}, {"more": text}):
        with pytest.raises(BundleError, match=r"^x: "):
            read(save(tensors, other), place="x")


def _changed_nodes(**values: Any) -> Callable[[Models], None]:
    def change(models: Models) -> None:
        tree = models.drift.model_._predictors[-1][0]
        for name, value in values.items():
            tree.nodes[name][0] = value

    return change


def _no_nodes(models: Models) -> None:
    tree = models.drift.model_._predictors[0][0]
    tree.nodes = tree.nodes[:0]


def _fewer_columns(models: Models) -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    trees = models.drift.model_
    trees.n_features_in_ = 1
    models.drift.model_ = make_pipeline(StandardScaler(), trees)


def _not_a_number(models: Models) -> None:
    models.severity.weights_[0] = np.nan


def _whole_numbers(models: Models) -> None:
    models.adjacency.weights_ = [array.astype(np.int64) for array in models.adjacency.weights_]


def _negative(models: Models) -> None:
    models.severity.weights_ -= 1e6


def _no_weights(models: Models) -> None:
    del models.adjacency.weights_


def _layers_apart(models: Models) -> None:
    models.adjacency.weights_ = models.adjacency.weights_[::-1]


def _other_kind(models: Models) -> None:
    models.drift.model_ = models.severity


def _constant(models: Models) -> None:
    models.drift.calibration = (1.0, float("nan"))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_changed_nodes(left=0), "left children"),  # for ever
        (_changed_nodes(right=1 << 31), "right children"),
        (_changed_nodes(feature_idx=-1), "columns"),
        (_changed_nodes(feature_idx=1 << 40), "columns"),
        (_changed_nodes(is_categorical=1, bitset_idx=9), "columns"),
        (_changed_nodes(num_threshold=np.nan), "thresholds"),
        (_changed_nodes(value=np.inf), "values"),
        (_no_nodes, "nodes"),
        (_fewer_columns, "column"),
        (_not_a_number, "finite numbers"),
        (_whole_numbers, "numbers with a fraction"),
        (_negative, "weights of 0 or above"),
        (_no_weights, "AdjacencyClassifier"),
        (_layers_apart, "ValueError"),
        (_other_kind, "decision_function"),
        (_constant, "predictions"),
    ],
)
def test_tampering_with_a_fitted_model_is_refused(
    folder: Path, harm: Callable[[Models], None], said: str
) -> None:
    models = copy.deepcopy(whole_bundle().models)
    harm(models)
    _forge(folder, "models.skops", fitted.to_bytes(models))
    with pytest.raises(BundleError, match=rf"models\.skops: cannot be rebuilt.*{said}"):
        _load(folder)


def test_tampering_a_type_that_skops_trusts_and_no_bundle_holds_is_refused(folder: Path) -> None:
    from sklearn.tree import DecisionTreeClassifier

    models = copy.deepcopy(whole_bundle().models)
    models.drift.model_ = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    _forge(folder, "models.skops", fitted.to_bytes(models))
    with pytest.raises(BundleError, match=r"types .*sklearn\.tree\._tree\.Tree"):
        _load(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_tampering_a_forged_file_is_read_or_refused(folder: Path, name: str) -> None:
    rng = random.Random(0)
    sound = (folder / name).read_bytes()
    for _ in range(12):
        data = bytearray(sound)
        for _ in range(rng.choice((1, 1, 30))):
            data[rng.randrange(min(len(data), rng.choice((64, 2048, 1 << 20))))] = rng.randrange(
                256
            )
        if name == "config.json":
            (folder / name).write_bytes(data)
        else:
            _forge(folder, name, bytes(data))
        try:
            _load(folder)
        except BundleError as err:
            assert len(str(err).splitlines()) == 1  # noqa: PT017 - both outcomes are right


@pytest.mark.parametrize("place", [".", "..", "none", "\0", "pivot.safetensors"])
def test_tampering_a_pivot_model_that_is_none_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "pivot.safetensors").mkdir()
    (tmp_path / "pivot.safetensors.sha256").write_text("0", encoding="utf-8")
    with pytest.raises(BundleError, match=r"cannot be read|no regular file"):
        load_pivot(tmp_path / place)


def test_tampering_with_the_digest_beside_a_pivot_model_is_refused(tmp_path: Path) -> None:
    model, path = whole_bundle().pivot, tmp_path / "pivot.safetensors"
    assert model is not None
    save_pivot(model, path)
    beside = tmp_path / "pivot.safetensors.sha256"
    for text in ("", "\ud800", "0" * 64, "x" * 100_000):
        beside.write_text(text, encoding="utf-8", errors="surrogatepass")
        with pytest.raises(BundleError, match="SHA-256 is"):
            load_pivot(path)
        with pytest.raises(InputError, match="holds, or has beside it, no pivot model"):
            save_pivot(model, path)
    assert beside.read_text(encoding="utf-8") == "x" * 100_000


def _kinds() -> dict[str, Callable[[Path], object]]:
    bundle = whole_bundle()
    assert bundle.tagger is not None
    own = bundle.tagger
    return {
        "bundle": lambda out: store.save(bundle, out),
        "tagger": lambda out: tagger.save(own, out),
    }


@pytest.mark.parametrize("kind", ["bundle", "tagger"])
@pytest.mark.parametrize(
    "change",
    [
        "thesis", "hidden folder", "inner folder", "deep", "link", "link of one", "edited", "pipe",
        "config alone", "file",
    ],
)  # fmt: skip
def test_tampering_nothing_foreign_is_replaced(tmp_path: Path, kind: str, change: str) -> None:
    save = _kinds()[kind]
    out, mine = tmp_path / "out", tmp_path / "mine"
    save(out)
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work", encoding="utf-8")
    if change == "thesis":
        (out / "thesis.txt").write_text("years of work", encoding="utf-8")
    elif change == "hidden folder":
        (out / ".git").mkdir()
    elif change == "inner folder":
        (out / "tagger").mkdir(exist_ok=True)
        (out / "tagger" / "thesis.txt").write_text("years of work", encoding="utf-8")
    elif change == "deep":
        (out / "tagger" / "more").mkdir(parents=True)
    elif change == "link":
        out.rename(tmp_path / "moved")
        out.symlink_to(tmp_path / "moved")
    elif change == "link of one":
        (out / "thesis").symlink_to(mine)
    elif change == "edited":
        name = {"bundle": "README.md", "tagger": "tagger.safetensors"}[kind]
        (out / name).write_text("my own words", encoding="utf-8")
    elif change == "pipe":
        os.mkfifo(out / "pipe")
    else:
        shutil.rmtree(out)
        if change == "file":
            out.write_text("years of work", encoding="utf-8")
        else:
            out.mkdir()
            (out / "config.json").write_text('{"name": "of another program"}', encoding="utf-8")
    before = _tree(tmp_path)
    with pytest.raises(InputError, match=rf"^{tmp_path}.*name a new folder") as caught:
        save(out)
    assert len(str(caught.value).splitlines()) == 1
    assert _tree(tmp_path) == before


def _tree(folder: Path) -> dict[str, bytes | str]:
    """Return what a folder holds, by its paths: of files the content."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        if path.is_file() and not path.is_symlink()
        else str(path.readlink() if path.is_symlink() else "")
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("kind", ["bundle", "tagger"])
def test_tampering_an_own_folder_is_replaced_whole(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = _kinds()[kind]
    monkeypatch.chdir(tmp_path)
    save(Path("out"))
    Path("out").chmod(0o700)
    save(Path("out"))
    assert Path("out").stat().st_mode & 0o777 == 0o700
    Path("empty").mkdir()
    save(Path("empty"))
    first = _tree(tmp_path / "out")
    assert _tree(tmp_path / "empty") == first
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "out"}
    whole, rename = Path("out").resolve(), Path.rename

    def stop(path: Path, target: Path) -> Path:
        if target == whole and path.name.endswith(".part"):
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(InputError, match=r"out: cannot be written .*No space left"):
        save(Path("out"))
    assert _tree(whole) == first
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "out"}


def test_tampering_an_export_is_not_written_over_another_config(tmp_path: Path) -> None:
    from detector.encoder import MiniLMEncoder
    from detector.onnx import export

    (tmp_path / "config.json").write_text('{"name": "of another program"}', encoding="utf-8")
    with pytest.raises(InputError, match="is not an export and is not empty"):
        export(MiniLMEncoder.__new__(MiniLMEncoder), None, tmp_path)
    assert "another program" in (tmp_path / "config.json").read_text(encoding="utf-8")


def test_tampering_a_bundle_without_its_tagger_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fitted with a tagger and lacks it"):
        store.save(replace(whole_bundle(), tagger=None), tmp_path / "out")
    assert not (tmp_path / "out").exists()
