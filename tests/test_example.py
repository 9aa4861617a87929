"""The bundled example: the article, its true round trip, and what data/README.md says of them."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from detector.text.sentences import split

DATA = Path(__file__).resolve().parent.parent / "data"
SOURCE = (DATA / "example" / "source.txt").read_text(encoding="utf-8")
COPY = (DATA / "example" / "copy.txt").read_text(encoding="utf-8")
README = (DATA / "README.md").read_text(encoding="utf-8")


def _maker() -> ModuleType:
    """Load data/make_example.py, which is a script and no part of the package."""
    spec = importlib.util.spec_from_file_location("make_example", DATA / "make_example.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _apertium_of_the_example() -> bool:
    """Whether the very release of the language pair that made the copy is installed."""
    try:
        done = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Version}", "apertium-eng-spa"],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    except FileNotFoundError:
        return False
    return done.stdout.startswith("0.8.1")


@pytest.mark.parametrize(
    "name", ["source.txt", "copy.txt", "independent.txt", "unrelated.txt", "pairs.csv"]
)
def test_example_digest_is_the_one_the_readme_gives(name: str) -> None:
    digest = hashlib.sha256((DATA / "example" / name).read_bytes()).hexdigest()
    assert re.search(rf"`example/{name}` .*`{digest}`", README)


def test_example_article_has_thirty_sentences_or_more() -> None:
    body = "\n\n".join(_maker().body(SOURCE))
    assert 30 <= len(split(body)) <= 50


def test_example_source_carries_furniture_that_the_copy_lacks() -> None:
    for furniture in ("By Inês", "(Photo:", "Visited 3 times", "Related Article", "Share this"):
        assert furniture in SOURCE
        assert furniture.encode("ascii", "ignore").decode() not in COPY


def test_example_body_leaves_out_byline_caption_and_end_of_page() -> None:
    body = _maker().body(SOURCE)
    assert body[0].startswith("Portugal’s president")
    assert body[-1].endswith("the Aurora’s captain.")
    assert not any(part.startswith("By ") or "(Photo:" in part for part in body)


def test_example_copy_is_ascii_and_has_the_paragraphs_of_the_body() -> None:
    assert COPY.isascii()
    assert len(COPY.strip().split("\n\n")) == len(_maker().body(SOURCE))


def test_example_copy_carries_no_marks_of_unknown_words() -> None:
    assert not re.search(r"[*@#]\w", COPY)


def test_example_damage_named_in_the_readme_stands_in_the_texts() -> None:
    table = README.split("| kind | source | copy |")[1].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if "---" not in line]
    pairs = [cells[-2:] for cells in rows if len(cells) > 1]
    assert len(pairs) > 10
    for source, copy in pairs:
        assert source in SOURCE
        assert copy in COPY


@pytest.mark.skipif(
    not _apertium_of_the_example(), reason="apertium-eng-spa 0.8.1, which made the copy, is absent"
)
def test_example_copy_is_what_apertium_returns() -> None:
    assert _maker().round_trip(SOURCE) == COPY
