"""The project as a whole: its pins, its papers, and who may import whom."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from detector import __version__
from detector.records import CHANGES

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "detector"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# These reach the user last and may import anything, the front included.
LAST = {"cli", "__main__"}
NETWORK = {"socket", "ssl", "http", "urllib", "httpx", "requests", "ftplib", "aiohttp"}

HEAVY = {
    "torch", "sentence_transformers", "transformers", "sklearn", "pandas", "wordfreq",
    "trafilatura", "nupunkt", "ray", "onnx", "onnxruntime", "matplotlib", "lancedb",
}  # fmt: skip


@cache
def tracked() -> tuple[Path, ...]:
    """Files of the project that git holds or would take, as paths from the root."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, so committed files cannot be told from others")
    return tuple(Path(line) for line in done.stdout.splitlines() if (ROOT / line).is_file())


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file of the project with its content."""
    for path in tracked():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@cache
def modules() -> dict[str, ast.Module]:
    """Parse every module of the package, by its name below `detector`; "" is the front."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda p: p.name)
def test_project_benchmarks_import_what_is_there(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("detector"):
            module = importlib.import_module(node.module or "")
            for name in node.names:
                assert hasattr(module, name.name), f"{path.name}: {node.module}.{name.name}"


def imports(module: str) -> set[str]:
    """Return the full names of the modules that a module imports, anywhere in its text.

    Imports within functions and under `TYPE_CHECKING` count as well.
    """
    found = set()
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports by a relative name"
            for alias in node.names:  # `from detector.report import html` names a module
                inner = f"{node.module}.{alias.name}".removeprefix("detector.")
                found.add(f"detector.{inner}" if inner in modules() else node.module or "")
    return found


def own_imports(module: str) -> set[str]:
    """Return the modules of this package that a module imports, without the front."""
    names = {name for name in imports(module) if name.startswith("detector.")}
    return {name.removeprefix("detector.") for name in names}


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return the names on a cycle of a graph; none where it has no cycle."""
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as err:
        names: list[str] = err.args[1]
        return names
    return []


def test_project_imports_have_no_cycle() -> None:
    assert cycle({name: own_imports(name) for name in modules()}) == []


def test_project_packages_import_one_way() -> None:
    graph: dict[str, set[str]] = {}
    for name in modules():
        unit = name.split(".")[0]
        beyond = {other.split(".")[0] for other in own_imports(name)}
        graph.setdefault(unit, set()).update(beyond - {unit})
    assert cycle(graph) == []


@pytest.mark.parametrize("module", sorted(modules()))
def test_project_scoring_never_imports_training(module: str) -> None:
    if module.split(".")[0] not in {"training", *LAST}:
        assert {name for name in own_imports(module) if name.split(".")[0] == "training"} == set()


@pytest.mark.parametrize("module", sorted(modules()))
def test_project_no_module_opens_a_socket(module: str) -> None:
    names = imports(module) - {"urllib.parse"}
    assert {name.split(".")[0] for name in names} & NETWORK == set()


def test_project_import_loads_nothing_heavy() -> None:
    code = "import sys, detector; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    loaded = set(done.stdout.split())
    assert "detector" in loaded
    assert loaded & HEAVY == set()


@cache
def pins() -> dict[str, str]:
    """Return name to version from constraints.txt, names in lower case with hyphens."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs), "constraints.txt holds exact pins only"
    return {name.lower().replace("_", "-"): version for name, version in pairs}


WANTED = [
    *PYPROJECT["project"]["dependencies"],
    *(line for extra in PYPROJECT["project"]["optional-dependencies"].values() for line in extra),
]


@pytest.mark.parametrize("wanted", WANTED)
def test_project_every_dependency_is_pinned_within_its_range(wanted: str) -> None:
    requirement = Requirement(wanted)
    version = pins()[requirement.name.lower().replace("_", "-")]
    assert requirement.specifier.contains(Version(version), prereleases=True)


def test_project_torch_is_pinned_without_a_local_label() -> None:
    assert pins()["torch"] == "2.13.0"


@pytest.mark.slow
def test_project_wheel_holds_every_file_of_the_package_and_no_cache(tmp_path: Path) -> None:
    tree = tmp_path / "tree"  # a copy, so that no older build and no cache of this checkout counts
    papers = {"pyproject.toml", "README.md", *PYPROJECT["project"]["license-files"]}
    shipped = {path.as_posix() for path in tracked() if path.parts[0] == "detector"}
    for name in papers | shipped:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    for folder in {(tree / name).parent for name in shipped}:
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "stale.cpython-311.pyc").touch()
        (folder / "__pycache__" / "stale.json").touch()
    build = ["wheel", "--verbose", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *build, "--wheel-dir", str(tmp_path), str(tree)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        # With this variable set, setuptools warns that it compiles nothing.
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert [line for line in output.splitlines() if "warning" in line.lower()] == []
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in held if not name.startswith("roundtrip_detector-")} == shipped


def test_project_citation_has_the_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, flags=re.MULTILINE) == [__version__]


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_project_readme_and_ci_give_both_commands(command: str) -> None:
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_project_ci_script_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_project_changelog_has_the_version_and_a_scores_heading() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in changelog
    assert "### Scores" in changelog


def test_project_files_name_no_path_of_a_machine_and_no_registry() -> None:
    private = re.compile(
        r"(?<![\w.])/(?:work|farm|root|home/\w+)/"
        r"|\.\.[/]shared"
        r"|pypi\.org|python[h]osted|download\.pytorch"
    )
    found = [(path, hit.group()) for path, text in texts() if (hit := private.search(text))]
    assert found == []


@pytest.mark.shared
def test_project_carries_no_sentence_of_the_shared_articles() -> None:
    folder = os.environ.get("DETECTOR_SHARED")
    if not folder:
        pytest.skip("DETECTOR_SHARED names no folder")
    size = 9  # words in a row; names and phrases are shorter

    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}

    seeds = sorted((Path(folder) / "seeds").glob("*.txt"))
    assert seeds
    shared = set().union(*(runs(path.read_text(encoding="utf-8")) for path in seeds))
    found = [(path, hit) for path, text in texts() if (hit := runs(text) & shared)]
    assert found == []


def _rows(name: str) -> list[list[str]]:
    """Return the rows of a golden table, without its comments."""
    text = (ROOT / "tests" / "golden" / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


def test_project_golden_names_are_well_formed() -> None:
    seen = set()
    for source, copy, name, changes, became in _rows("names.tsv"):
        seen |= set(changes.split("|"))
        assert name == "-" or name in source
        assert became == "-" or became in copy
        assert (name == "-") == (changes == "added")
    assert seen == set(CHANGES)


def test_project_golden_drift_is_well_formed() -> None:
    rows = _rows("drift.tsv")
    assert {drifted for _, _, drifted, _ in rows} == {"yes", "no"}
    assert len({(source, copy) for source, copy, _, _ in rows}) == len(rows) >= 60
