"""Every notebook runs from top to bottom: its code cells, in order, in one namespace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def code_of(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_notebooks_are_there_and_hold_no_logic() -> None:
    assert NOTEBOOKS
    for notebook in NOTEBOOKS:
        assert not any("def " in cell or "class " in cell for cell in code_of(notebook))


@pytest.mark.model
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    namespace: dict[str, Any] = {}
    for cell in code_of(notebook):
        exec(compile(cell, notebook.name, "exec"), namespace)
    assert namespace["report"].match
    assert len(namespace["table"]) == len(namespace["report"].rows)
