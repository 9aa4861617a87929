from __future__ import annotations

from pathlib import Path

import pytest

from detector.archive.articles import Article, count_articles, read_articles
from detector.errors import InputError


def test_articles_blank_texts_are_refused_by_reason() -> None:
    for text, why in (("", "holds nothing"), (" \n", "holds nothing"), ("— …", "no letter")):
        with pytest.raises(InputError, match=why):
            Article(id="x", text=text)


@pytest.mark.parametrize(
    ("name", "why"),
    [("", "0 characters"), ("  ", "2 characters"), ("x" * 1001, "1001"), ("a\ud800", "surrogate")],
)
def test_articles_hostile_ids_are_refused(name: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Article(id=name, text="Words.")


def _read(*paths: Path) -> list[tuple[str, str]]:
    found = read_articles(paths)
    return [
        (one.article.id, one.article.text) if one.article else ("", one.reason) for one in found
    ]


def test_articles_reads_texts_and_tables(tmp_path: Path) -> None:
    import pandas as pd

    rows = [{"id": "x1", "text": "One, two.", "title": "T"}, {"id": None, "text": 'Say "no".'}]
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    (tmp_path / "t.txt").write_text("Plain.\n", encoding="utf-8")
    for name in ("t.csv", "t.parquet", "t.jsonl"):
        path = tmp_path / name
        assert _read(path) == [("x1", "One, two."), (f"{path.as_posix()}#2", 'Say "no".')]
        assert next(iter(read_articles([path]))).article.title == "T"  # type: ignore[union-attr]
    assert _read(tmp_path / "t.txt") == [((tmp_path / "t.txt").as_posix(), "Plain.\n")]


def test_articles_bad_rows_are_reported_and_the_next_is_read(tmp_path: Path) -> None:
    table = tmp_path / "t.jsonl"
    table.write_bytes(
        b'{"text": "Good."}\n\n{"text": \n[1]\n{"body": "x"}\n{"text": " "}\n'
        b'{"text": "\\ud800"}\n{"text": "\xff"}\n{"text": "Last."}\n'
    )
    found = list(read_articles([table]))
    assert [one.article.text if one.article else None for one in found] == [
        "Good.", None, None, None, None, None, None, "Last.",
    ]  # fmt: skip
    reasons = [one.reason for one in found]
    for reason, why in zip(
        reasons[1:-1],
        ["not JSON", "list, not an object", "no text", "holds nothing", "surrogate", "UTF-8"],
        strict=True,
    ):
        assert why in reason


def test_articles_bad_csv_rows_are_reported(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(b'id,text\na,Good.\nb,One,too many\nc,"Caf\xe9."\nd,Last.\n')
    found = list(read_articles([table]))
    assert [one.article.id if one.article else "" for one in found] == ["a", "", "", "d"]
    assert "2 fields" in found[1].reason
    (tmp_path / "u.csv").write_text("id,body\n1,x\n", encoding="utf-8")
    assert "give a column text" in _read(tmp_path / "u.csv")[0][1]


def test_articles_files_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    damaged = tmp_path / "t.parquet"
    damaged.write_bytes(b"PAR1 and no more")
    missing, empty = tmp_path / "none.jsonl", tmp_path / "empty.txt"
    empty.write_bytes(b"")
    reasons = [reason for _, reason in _read(damaged, missing, empty, tmp_path)]
    for reason, why in zip(
        reasons,
        ["cannot be read as Parquet", "no such file", "is empty", "is a folder"],
        strict=True,
    ):
        assert why in reason


def test_articles_are_counted_as_they_are_read(tmp_path: Path) -> None:
    table = tmp_path / "t.jsonl"
    table.write_text('{"text": "Words."}\n\n{"text": \n' * 5, encoding="utf-8")
    paths = [table, tmp_path / "none.csv", tmp_path / "none.txt"]
    assert count_articles(paths) == len(list(read_articles(paths))) == 12
