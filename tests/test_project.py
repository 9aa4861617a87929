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
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from detector import __version__
from detector.records import CHANGES

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "detector"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# A room imports only rooms above it. A new room takes its place in this list, and in the README.
ROOMS = (
    "version", "errors", "showing.look", "showing.beads", "records",
    "reading.stops", "reading.text", "reading.view", "reading.phrases", "reading.furniture",
    "reading.files", "reading.rows",
    "batching", "encode",
    "aligning.weights", "aligning.lattice", "aligning.joining", "aligning.pair",
    "aligning.windows", "aligning.candidates", "aligning.odds", "aligning.tiling",
    "aligning.first_look", "aligning.manner", "aligning.second_look", "aligning.choice",
    "aligning.align", "aligning.aside", "aligning.documents",
    "lexicon", "words",
    "figures.tokens", "figures.numerals", "figures.units", "figures.moments",
    "figures.figure", "figures.amounts", "figures.ranges", "figures.quantities",
    "figures.equivalents", "figures.sides",
    "figures.changes", "figures.lookups", "figures.compare",
    "naming.casing", "naming.mentions", "naming.spelling", "naming.board", "naming.sense",
    "naming.acronyms", "naming.forms", "naming.candidates", "naming.standins",
    "naming.verdicts", "naming.odds", "joins",
    "tags", "tagger_feed", "tagger_network", "tagger", "onnx", "export",
    "relation", "pivot", "pivoting.languages", "pivoting.leaks", "pivoting.edits",
    "pivoting.contexts", "pivoting.posterior", "pivoting.weights", "pivoting.model",
    "pivoting.dictionary", "pivoting.keeping",
    "relating.wording", "relating.traits", "relating.evidence", "relating.model",
    "evidence", "readings", "clues", "measures", "features", "reasons", "judge", "threads",
    "classify",
    "join_classify", "severity", "signature", "bundle_config", "bundle", "store",
    "showing.display", "pivoting.evidence", "pivoting.verdict",
    "showing.plain", "showing.tables", "showing.summary", "showing.markup",
    "showing.differences", "showing.marks", "showing.rows", "showing.head",
    "showing.page", "showing.plots", "showing.terminal", "showing.forms", "report", "scorer",
    "console", "options",
    "archive.articles", "archive.tables", "archive.store", "archive.index", "archive.votes",
    "archive.search", "archive.adding", "archive.archive", "archive.match", "archive.shown",
    "archive.commands",
    "batch.jobs", "batch.pairs", "batch.suspects", "batch.tables", "batch.match_tables",
    "batch.work", "batch.scoring", "batch.matching", "batch.shards", "batch.local",
    "batch.cluster", "batch.runs", "batch.engines", "batch.commands", "archive.match_command",
    "learn.cleaning", "learn.corpus", "learn.makers.tables", "learn.makers.grammar",
    "learn.makers.pools", "learn.makers.edits", "learn.makers.names", "learn.makers.figures",
    "learn.makers.senses", "learn.makers.clauses", "learn.makers.verbs", "learn.makers.losses",
    "learn.makers.looks", "learn.makers.rewordings", "learn.makers.orders",
    "learn.contrasts", "learn.consensus", "learn.marks", "learn.loaders", "learn.sample",
    "learn.measure", "learn.joined", "learn.tagged", "learn.tagger_sample", "learn.tagger_fit",
    "learn.metrics", "learn.baselines", "learn.twins",
    "learn.people", "learn.train", "learn.worded", "learn.word_figures", "learn.tagger_runs",
    "learn.named", "learn.name_fit", "learn.graded", "learn.stacked", "learn.evaluate",
    "learn.figure_frames",
    "learn.printed", "learn.card",
    "learn.related_lines", "learn.related_documents", "learn.related_fit", "learn.related_figures",
    "learn.related_runs", "learn.related_card", "learn.related_commands",
    "learn.pivot_tables", "learn.pivot_contexts", "learn.pivot_rows", "learn.pivot_calibration",
    "learn.pivot_fit", "learn.pivot_net", "learn.pivot_runs", "learn.pivot_measure",
    "learn.pivot_commands",
    "learn.tables", "learn.config", "learn.material", "learn.runs", "learn.commands",
    "cli", "__main__",
)  # fmt: skip
# Packages; their __init__.py need no place.
FRONT = (
    "",
    "reading",
    "aligning",
    "figures",
    "naming",
    "relating",
    "pivoting",
    "showing",
    "archive",
    "batch",
    "learn",
    "learn.makers",
    "lexica",
    "bundles",
)

# Only these touch files or streams; no room opens a socket.
FILE_ROOMS = {
    "reading.files", "reading.rows", "encode", "lexicon", "tagger", "onnx", "export", "store",
    "showing.look", "console", "cli", "batch.pairs", "batch.shards",
    "learn.corpus", "learn.makers.tables", "learn.loaders", "learn.measure", "learn.tables",
    "learn.related_lines", "learn.config", "learn.pivot_tables", "pivoting.dictionary",
    "pivoting.keeping", "archive.articles", "archive.tables",
}  # fmt: skip
FILE_CALLS = {
    "read_text", "read_bytes", "write_text", "write_bytes", "read_csv", "read_json",
    "read_parquet", "to_parquet", "mkdir", "unlink",
}  # fmt: skip
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
def rooms() -> dict[str, ast.Module]:
    """Parse every module of the package, by its name below `detector`; "" is the front."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def _is_type_checking(node: ast.AST) -> bool:
    """Whether a node is `if TYPE_CHECKING:`, whose imports never run."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda p: p.name)
def test_project_benchmarks_import_what_is_there(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("detector"):
            module = importlib.import_module(node.module or "")
            for name in node.names:
                assert hasattr(module, name.name), f"{path.name}: {node.module}.{name.name}"


def running_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a module that can run, at its head or within a function."""
    for child in ast.iter_child_nodes(tree):
        if _is_type_checking(child):
            for part in getattr(child, "orelse", ()):
                yield part
                yield from running_nodes(part)
            continue
        yield child
        yield from running_nodes(child)


def imports(room: str) -> set[str]:
    """Return the full names of the modules that a room imports when it runs."""
    found = set()
    for node in running_nodes(rooms()[room]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{room} imports by a relative name"
            module = node.module or ""
            for alias in node.names:  # `from detector import html` names a room, not a value
                inner = f"{module}.{alias.name}".removeprefix("detector.")
                found.add(f"detector.{inner}" if inner in rooms() else module)
    return found


def file_call(node: ast.AST) -> str | None:
    """Return the name of a call that reads or writes files, as far as its form tells.

    A method called `open` may open anything; it is a file's where its receiver is a module or
    its arguments are a file's.
    """
    if not isinstance(node, ast.Call):
        return None
    called = ast.unparse(node.func)
    last = called.rpartition(".")[2]
    of_a_file = any(word.arg in {"encoding", "mode"} for word in node.keywords) or any(
        isinstance(part, ast.Constant) and part.value in {"r", "w", "rb", "wb"}
        for part in node.args
    )
    is_open = called in {"open", "io.open", "os.open"} or (last == "open" and of_a_file)
    return called if last in FILE_CALLS or is_open else None


def rooms_imported(room: str) -> set[str]:
    """Return the rooms of this package that a room imports, by their names below `detector`."""
    return {
        name.removeprefix("detector").removeprefix(".")
        for name in imports(room)
        if name.split(".")[0] == "detector"
    }


def test_project_every_room_has_its_place_in_the_order() -> None:
    assert set(rooms()) - set(ROOMS) - set(FRONT) == set()
    assert len(set(ROOMS)) == len(ROOMS)


@pytest.mark.parametrize("room", [name for name in ROOMS if name in rooms()])
def test_project_room_imports_only_rooms_above_it(room: str) -> None:
    above = set(ROOMS[: ROOMS.index(room)])
    above |= {""} if room in {"cli", "__main__"} or room.startswith("learn.") else set()
    assert rooms_imported(room) - above == set()


@pytest.mark.parametrize(
    "room", [n for n in rooms() if n not in {"cli", "__main__"} and not n.startswith("learn")]
)
def test_project_scoring_never_imports_learning(room: str) -> None:
    assert {name for name in rooms_imported(room) if name.split(".")[0] == "learn"} == set()


def test_project_imports_have_no_cycle() -> None:
    """Imports of types and imports within functions count; the front, which names all, does not."""
    trees = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }
    del trees["detector"]
    graph = {}
    for module, path in trees.items():
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                names |= inner & set(trees) or {node.module or ""}
        graph[module] = names & set(trees)
    order = list(TopologicalSorter(graph).static_order())  # a cycle raises and names itself
    assert set(order) == set(trees)


@pytest.mark.parametrize("room", sorted(rooms()))
def test_project_no_room_opens_a_socket(room: str) -> None:
    names = imports(room) - {"urllib.parse"}
    assert {name.split(".")[0] for name in names} & NETWORK == set()


@pytest.mark.parametrize("room", sorted(set(rooms()) - FILE_ROOMS))
def test_project_only_file_rooms_touch_files(room: str) -> None:
    called = {name for node in running_nodes(rooms()[room]) if (name := file_call(node))}
    assert called == set()


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


def test_project_readme_map_names_every_room() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [room for room in rooms() if room not in FRONT and f"`{room}`" not in readme]
    assert missing == []


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
