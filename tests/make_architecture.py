"""Write docs/architecture.md, whose tree holds the captions of the modules: run it after a change.

`python tests/make_architecture.py`. The captions are the first lines of the modules' docstrings;
`tests/test_docs.py` fails where the page differs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"

HEAD = """\
# Architecture

## Data flow

`Scorer.score` takes two texts. `text/` splits each into sentences and marks boilerplate, which
gives a `Document`. `encoder.py` gives one vector to each sentence and one to each token.
`alignment/` compares the sentence vectors and divides both documents into beads: an `Alignment`,
in which either side of a bead may be empty (an omission or an addition). For each bead, `numbers/`
and `names/` compare what both sides hold (`NumberChange`, `NameChange`), the tagger of `models/`
marks words (`ErrorSpan`), and `features/` turns all of it into one row of named features. The
classifiers of `models/` predict the drift probability and the severity from that row, and
`features/explain.py` states the reasons in words. All of it becomes a `Row`; the rows, the
`relation/` of the two documents and, if asked for, the `pivot/` language make a `Report`.
`report/` writes it as table, JSON, CSV or page and computes nothing.

```text
str, str -> Document x 2 -> vectors -> Alignment -> changes and spans of each bead
         -> features -> probabilities -> Row -> Report
```

`archive/` finds the source among many articles and scores against the first; `batch/` scores many
pairs with several processes or on Ray. `cli/` only parses arguments and calls the packages.
`training/` fits the models of `bundles/`; nothing but `cli/` imports it, and only when asked.
Imports have no cycle.

## Files

This tree is written by `tests/make_architecture.py`.

"""

ORDER = ("text", "alignment", "numbers", "names", "features", "models", "relation", "pivot")
ORDER += ("report", "archive", "batch", "cli", "training")

CAPTIONS = {
    "bundles": "The fitted models with their configuration and card.",
    "lexica": "Word lists (.tsv).",
    "page.css": "The style of the report page.",
    "page.js": "The script of the report page.",
    "*.tsv": "Words and sentences for minimal pairs.",
    "corpora.json": "Digests, licences and origins of the training corpora.",
}


def architecture() -> str:
    """Return the page as it should be."""
    entries = [(0, "detector/", ""), *_entries(ROOT / "detector", 1)]
    width = max(2 * depth + len(name) for depth, name, _ in entries) + 2
    lines = [f"{'  ' * depth + name:{width}}{caption}".rstrip() for depth, name, caption in entries]
    return HEAD + "```text\n" + "\n".join(lines) + "\n```\n"


def _entries(folder: Path, depth: int) -> Iterator[tuple[int, str, str]]:
    """Yield depth, name and caption of everything below a folder: files first."""
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py" or depth == 1:
            yield depth, path.name, _caption(path)
    if folder.name == "contrasts":
        yield depth, "*.tsv", CAPTIONS["*.tsv"]
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name in CAPTIONS:
            yield depth, path.name, CAPTIONS[path.name]
    folders = [path for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"]
    for path in sorted(folders, key=_place):
        if path.name in CAPTIONS:
            yield depth, f"{path.name}/", CAPTIONS[path.name]
        elif any(path.glob("*.py")):
            yield depth, f"{path.name}/", _caption(path / "__init__.py")
            yield from _entries(path, depth + 1)


def _place(folder: Path) -> tuple[int, str]:
    return ORDER.index(folder.name) if folder.name in ORDER else len(ORDER), folder.name


def _caption(path: Path) -> str:
    """Return the first line of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


if __name__ == "__main__":
    PAGE.write_text(architecture(), encoding="utf-8")
