"""Pairs out of tables: texts or files, what is wrong with a row, and which shard it is in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from detector.batch import inputs
from detector.batch.inputs import PairTable
from detector.errors import InputError


def table(folder: Path, rows: list[object], shard_rows: int = 2) -> PairTable:
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return PairTable(path=path, shard_rows=shard_rows)


def pair(text: str, **more: object) -> dict[str, object]:
    return {"source": f"{text}.", "copy": f"{text}!", **more}


def test_pairs_shards_follow_from_the_table_alone(tmp_path: Path) -> None:
    pairs = table(tmp_path, [pair(str(i)) for i in range(5)])
    shards = list(pairs.shards())
    assert [[row.index for row in shard.rows] for shard in shards] == [[0, 1], [2, 3], [4]]
    assert [shard.index for shard in shards] == [0, 1, 2]
    left = list(pairs.shards(done=frozenset({0, 2})))
    assert left == shards[1:2]


def test_pairs_long_ones_fill_a_shard_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "_SHARD_CHARACTERS", 100)
    pairs = table(tmp_path, [pair("x" * 30)] * 3 + [pair("x")] * 3, shard_rows=9)
    assert [len(shard.rows) for shard in pairs.shards()] == [2, 4]


def test_pairs_say_what_is_wrong_with_a_row(tmp_path: Path) -> None:
    rows = list(
        table(
            tmp_path,
            [pair("a", id=7), {"source": "A."}, {**pair("b"), "copy": 3}, [1], pair(" ")],
        ).rows()
    )
    assert [row.id for row in rows] == ["7", None, None, None, None]
    faults = [row.fault or "" for row in rows]
    assert faults[0] == ""
    assert "copy is blank; give a text" in faults[1]
    assert "copy is int; give a text" in faults[2]
    assert "not an object" in faults[3]
    assert rows[4].place.endswith("pairs.jsonl, line 5")
    assert [row.texts for row in rows[:2]] == [("a.", "a!"), ()]


def test_pairs_of_files_are_found_beside_the_table(tmp_path: Path) -> None:
    [row] = table(tmp_path, [{"source_path": "texts/a.txt", "copy": "B."}]).rows()
    assert row.texts == (tmp_path / "texts" / "a.txt", "B.")


def test_pairs_hold_no_lone_surrogate(tmp_path: Path) -> None:
    [row] = table(tmp_path, [pair("a\ud800b", id="\udfff")]).rows()
    assert (row.texts[0], row.id) == ("a\ufffdb.", "\ufffd")


def test_pairs_survey_counts_and_knows_the_same_pairs_again(tmp_path: Path) -> None:
    rows: list[object] = [pair(str(i)) for i in range(5)]
    survey = table(tmp_path, rows).survey()
    assert (survey.n_rows, survey.n_shards, survey.n_faults) == (5, 3, 0)
    assert table(tmp_path, rows, shard_rows=4).survey().digest == survey.digest
    assert table(tmp_path, [*rows[:4], pair("x")]).survey().digest != survey.digest
    assert table(tmp_path, [*rows[:4], pair("4", id="x")]).survey().digest != survey.digest
    assert table(tmp_path, rows[:4]).survey().digest != survey.digest


def test_pairs_survey_knows_the_content_of_files(tmp_path: Path) -> None:
    pairs = table(tmp_path, [{"source_path": "a.txt", "copy": "B."}])
    digests = {pairs.survey().digest}
    for text in ("One.", "Two."):
        (tmp_path / "a.txt").write_text(text, encoding="utf-8")
        digests.add(pairs.survey().digest)
    assert len(digests) == 3


def test_pairs_survey_by_strict_stops_at_a_fault(tmp_path: Path) -> None:
    pairs = table(tmp_path, [pair("a"), {"source": "A."}])
    assert pairs.survey().n_faults == 1
    with pytest.raises(InputError, match=r"pairs\.jsonl, line 2: copy is blank"):
        pairs.survey(strict=True)


def test_pairs_refuse_a_table_without_a_column_or_a_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("source,other\nA.,B.\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no column copy and no copy_path; needed are"):
        PairTable(path=path).survey()
    path.write_text("source,copy\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds no row"):
        PairTable(path=path).survey()
    with pytest.raises(InputError, match="a shard of 0 rows"):
        PairTable(path=path, shard_rows=0)
