"""Every notebook runs from top to bottom, shows something, and stores nothing of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
LARGEST = 400_000  # characters of all outputs of a notebook


def code_of(notebook: Path) -> list[dict[str, Any]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_notebooks_are_there() -> None:
    assert set(NAMES) >= {
        "first_look",
        "case_study",
        "batch_analysis",
        "train_your_own",
        "how_good_is_it",
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_notebooks_hold_no_logic_and_no_outputs(path: Path) -> None:
    for cell in code_of(path):
        source = "".join(cell["source"])
        assert not any(word in source for word in ("def ", "class ", "lambda"))
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@pytest.mark.model
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # sockets of the kernel's client
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_notebooks_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The kernel is a process of its own; it is to import the package of this checkout.
    known = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(known))
    # tqdm asks there for Jupyter's widgets, which nothing here needs.
    monkeypatch.setenv("PYTHONWARNINGS", "ignore:IProgress not found")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": FOLDER}}
    ).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    shown = {kind for out in outputs for kind in out.get("data", {})}
    assert [out["text"] for out in outputs if out.get("name") == "stderr"] == []
    assert "text/html" in shown
    drawn = sum("plots." in "".join(cell["source"]) for cell in code_of(path))
    assert ("image/png" in shown) == (drawn > 0)
    assert len(json.dumps(outputs)) < LARGEST
