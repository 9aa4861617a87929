"""Labelled pairs: groups that never leak, the draw, loaders on small made tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.training.data import corpus, loaders
from detector.training.data.corpus import Dropped, Pair, draw, group_of, held_apart, split


def _pair(source: str, copy: str, **known: Any) -> Pair:
    fields: dict[str, Any] = {"label": None, "corpus": "made", "kind": "made"}
    return Pair(source=source, copy=copy, group=group_of(source), **{**fields, **known})


@given(st.text(min_size=1).filter(lambda t: any(c.isalnum() for c in t)))
def test_corpus_group_ignores_case_space_and_marks(text: str) -> None:
    assert group_of(text) == group_of(f'  "{text}" ')
    assert group_of("A bird " + text) != group_of("Two birds " + text)


def test_corpus_split_never_parts_twins() -> None:
    pairs = [_pair(f"Sentence {i % 40}", f"Copy {i}") for i in range(200)]
    ours, apart = split(pairs)
    assert not {p.group for p in ours} & {p.group for p in apart}
    assert len(ours) + len(apart) == 200
    assert all(held_apart(p.group) for p in apart)


def test_corpus_a_fifth_of_the_groups_is_held_apart() -> None:
    share = sum(held_apart(group_of(f"Sentence {i}")) for i in range(5000)) / 5000
    assert share == pytest.approx(0.2, abs=0.02)


def test_corpus_draw_does_not_depend_on_order_and_spreads_over_groups() -> None:
    pairs = [_pair(f"Sentence {i % 30}", f"Copy {i}") for i in range(300)]
    one, two = draw(pairs, 30), draw(pairs[::-1], 30)
    assert one == two
    assert len({p.group for p in one}) == 30
    assert draw(pairs, 30, seed=1) != one
    assert len(draw(pairs, 1000)) == 300


def test_corpus_refuses_a_blank_side() -> None:
    with pytest.raises(InputError, match="blank side"):
        _pair("A house.", "  ")


def test_corpus_shared_folder_says_what_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(corpus.ENVIRONMENT, raising=False)
    with pytest.raises(InputError, match="give --shared FOLDER, or set DETECTOR_SHARED"):
        corpus.shared_folder(None)
    with pytest.raises(InputError, match=r"demetr_dev\.parquet"):
        corpus.shared_folder(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demetr_dev.parquet").write_bytes(b"")
    assert corpus.shared_folder(tmp_path) == tmp_path / "data"
    monkeypatch.setenv(corpus.ENVIRONMENT, str(tmp_path))
    assert corpus.shared_folder(None) == tmp_path / "data"


def test_corpus_check_tells_absent_from_different(tmp_path: Path) -> None:
    (tmp_path / "demetr_dev.parquet").write_bytes(b"something else")
    states = {name: state for name, state, _ in corpus.check(tmp_path)}
    assert states["demetr_dev.parquet"] == "differs"
    assert states["flores_dev_rt.parquet"] == "absent"


def _write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    import pandas as pd

    pd.DataFrame(rows).to_parquet(folder / name)


def _marked(pair: Pair) -> list[tuple[str, str, str, float]]:
    return [
        (
            m.side,
            (pair.copy if m.side == "copy" else pair.source)[m.start : m.end],
            m.kind,
            m.weight,
        )
        for m in pair.marks
    ]


def _demetr_row(kind: str, damaged: str, severity: str) -> dict[str, Any]:
    return {
        "id": 1,
        "eng_sent": "The mayor left on Monday.",
        "mt_sent": "The mayor went away on Monday.",
        "pert_sent": damaged,
        "pert_check": True,
        "severity": severity,
        "pert_desc": kind,
        "pert_name": kind,
    }


def test_corpus_loads_demetr_as_twins(tmp_path: Path) -> None:
    rows = [
        _demetr_row("critical_id8_negation", "The mayor did not go away on Monday.", "critical"),
        _demetr_row("minor_id28_final_punc_removed", "The mayor went away on Monday", "minor"),
        _demetr_row("major_id18_aspect", "The mayor was going away on Monday.", "major"),
        {**_demetr_row("critical_id9_ne_replaced", "x", "critical"), "pert_check": False},
    ]
    _write(tmp_path, "demetr_dev.parquet", rows)
    dropped = Dropped()
    pairs = loaders.load(tmp_path, dropped)["demetr"]
    assert {p.kind: p.label for p in pairs} == {
        "sound": False,
        "critical_id8_negation": True,
        "minor_id28_final_punc_removed": False,
        "major_id18_aspect": None,
    }
    assert len({p.twin for p in pairs}) == 1
    assert dropped.counts["demetr"]["damage not carried out"] == 1
    assert dropped.counts["wmt"] == {"wmt14_15_18_rt.parquet absent": 1}


def _span(category: str | None, severity: str) -> dict[str, Any]:
    return {"start": 0, "end": 3, "category": category, "severity": severity, "side": "copy"}


@pytest.mark.parametrize(
    ("spans", "label"),
    [
        ([], False),
        ([_span("Fluency/Grammar", "Minor")], False),
        ([_span("Accuracy/Mistranslation", "Major")], True),
        ([_span("Accuracy/Mistranslation", "Minor")], None),
        ([_span("Style/Awkward", "Major")], None),
        ([_span("Style/Awkward", "Minor"), _span("Accuracy/Omission", "Major")], True),
    ],
)
def test_corpus_labels_talks_by_errors_of_meaning(
    tmp_path: Path, spans: list[dict[str, Any]], label: bool | None
) -> None:
    row = {
        "source": "He spoke for an hour.",
        "copy": "He talked for an hour.",
        "system": "x",
        "score": 1.0,
        "spans": json.dumps(spans),
        "source_mqm": 0.0,
    }
    _write(tmp_path, "mqm_ted_zhen.parquet", [row])
    assert [p.label for p in loaders.load(tmp_path, Dropped())["mqm_ted"]] == [label]


def test_corpus_drops_identical_pairs_that_are_called_drift(tmp_path: Path) -> None:
    text = "He spoke for an hour."
    row = {
        "source": text,
        "copy": text,
        "system": "x",
        "score": 5,
        "spans": json.dumps([_span(None, "Major")]),
    }
    _write(tmp_path, "mqm_news21_zhen.parquet", [row])
    _write(
        tmp_path, "demetr_dev.parquet", [_demetr_row("critical_id8_negation", "No.", "critical")]
    )
    dropped = Dropped()
    assert "mqm_news" not in loaders.load(tmp_path, dropped)
    assert dropped.counts["mqm_news"] == {"identical, yet judged to be drift": 1}


def test_corpus_names_the_table_that_lacks_a_column(tmp_path: Path) -> None:
    _write(tmp_path, "demetr_dev.parquet", [{"id": 1}])
    with pytest.raises(InputError, match=r"demetr_dev\.parquet.*eng_sent"):
        loaders.load(tmp_path, Dropped())


def test_corpus_names_the_table_that_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "demetr_dev.parquet").write_bytes(b"not a table")
    with pytest.raises(InputError, match=r"demetr_dev\.parquet"):
        loaders.load(tmp_path, Dropped())


def test_corpus_keeps_the_marks_of_news_through_the_cleaning(tmp_path: Path) -> None:
    copy = "The  multi - story house in  Oslo fell ."
    spans = [
        {**_span(None, "Major"), "start": copy.index("multi"), "end": copy.index(" house")},
        {**_span(None, "Minor"), "start": copy.index("Oslo"), "end": copy.index(" fell")},
    ]
    row = {
        "source": "A tall house in Oslo fell.",
        "copy": copy,
        "system": "NiuTrans",
        "score": 6,
        "spans": json.dumps(spans),
    }
    _write(tmp_path, "mqm_news21_zhen.parquet", [row])
    (pair,) = loaders.load(tmp_path, Dropped())["mqm_news"]
    assert pair.copy.startswith("The multi-story house in Oslo fell")
    assert _marked(pair) == [("copy", "multi-story", "", 5.0), ("copy", "Oslo", "", 1.0)]
    assert pair.points == 6.0


def test_corpus_counts_marks_that_were_made_in_the_chinese(tmp_path: Path) -> None:
    omitted = {**_span("Accuracy/Omission", "Major"), "start": None, "end": None}
    row = {
        "source": "He spoke for an hour.",
        "copy": "He spoke.",
        "system": "x",
        "score": 5.0,
        "spans": json.dumps([{**omitted, "side": "source_zh"}]),
        "source_mqm": 0.0,
    }
    _write(tmp_path, "mqm_ted_zhen.parquet", [row])
    dropped = Dropped()
    (pair,) = loaders.load(tmp_path, dropped)["mqm_ted"]
    assert (pair.label, pair.marks) == (True, ())
    assert dropped.counts["mqm_ted"] == {"mark of an omission, made in the Chinese": 1}


def test_corpus_biomqm_offsets_name_the_last_character(tmp_path: Path) -> None:
    copy = "A dose of ten litres was given."
    at = copy.index("litres")
    row = {
        "ref_en": "A dose of ten drops was given.",
        "mt_en": copy,
        "errors_json": json.dumps([[at, at + 5, "Accuracy", "Mistranslation", "Critical"]]),
        "system": "x",
        "lp": "de2en",
    }
    _write(tmp_path, "biomqm_into_en.parquet", [row])
    (pair,) = loaders.load(tmp_path, Dropped())["biomqm"]
    assert _marked(pair) == [("copy", "litres", "Accuracy/Mistranslation", 10.0)]
    assert (pair.label, pair.points) == (True, 10.0)


def _mlqe_row(split: str, edited: str) -> dict[str, Any]:
    words = ["OK", "OK", "BAD", "BAD", "OK", "OK"]
    gaps = ["OK", "OK", "OK", "OK", "OK", "BAD", "OK"]
    tags = [tag for both in zip(gaps, words, strict=False) for tag in both] + gaps[-1:]
    return {
        "post_edit_en": edited,
        "mt_en": "The king ' sang ( loud",
        "hter": 0.3,
        "da_mean": 60.0,
        "mt_word_tags": " ".join(tags),
        "lp": "ro-en",
        "split": split,
    }


def test_corpus_mlqe_tags_become_marks_and_its_dev_part_only_evaluates(tmp_path: Path) -> None:
    rows = [
        _mlqe_row("train", "The king wept ( very loud"),
        _mlqe_row("dev", "The queen wept ( very loud"),
        {**_mlqe_row("train", "The queen wept ( very loud"), "mt_en": "A king ' sang ( loud"},
    ]
    _write(tmp_path, "mlqe_pe_train_dev.parquet", rows)
    corpora = loaders.load(tmp_path, Dropped())
    first, second = corpora["mlqe"]
    assert _marked(first) == [
        ("copy", "' sang", "edited", 1.0),
        ("source", "very", "omitted", 1.0),
    ]
    assert (first.label, first.hter, first.quality) == (None, 0.3, 60.0)
    (dev,) = corpora["mlqe_dev"]
    assert [p.apart for p in (first, second, dev)] == [False, True, True]
    assert {p.group for p in split([second, dev])[1]} == {dev.group}


@pytest.mark.parametrize(
    ("damaged", "marked"),
    [
        ("The mayor went away on Friday.", ("copy", "Friday")),
        ("The mayor went away.", ("source", "on Monday")),
        ("The mayor never went away on Monday.", ("copy", "never")),
        ("The went away on Monday.", ("source", "mayor")),
        ("The mayor away on Monday.", ("copy", "away")),
    ],
)
def test_corpus_demetr_marks_what_was_changed(
    tmp_path: Path, damaged: str, marked: tuple[str, str]
) -> None:
    _write(tmp_path, "demetr_dev.parquet", [_demetr_row("critical_id9_x", damaged, "critical")])
    _, pair = loaders.load(tmp_path, Dropped())["demetr"]
    assert _marked(pair) == [(*marked, "critical_id9_x", 10.0)]
    assert split([pair]) == ([], [pair])


def test_corpus_one_sentence_judged_twice_is_one_pair(tmp_path: Path) -> None:
    def row(system: str, errors: list[list[Any]]) -> dict[str, Any]:
        return {
            "ref_en": "A dose was given.",
            "mt_en": "One dose was given.",
            "errors_json": json.dumps(errors),
            "system": system,
            "lp": "de2en",
        }

    wrong = [0, 2, "Accuracy", "Mistranslation", "Major"]
    _write(tmp_path, "biomqm_into_en.parquet", [row("x", []), row("y", [wrong]), row("z", [])])
    dropped = Dropped()
    (pair,) = loaders.load(tmp_path, dropped)["biomqm"]
    assert (pair.label, pair.points) == (None, pytest.approx(5 / 3))
    assert dropped.counts["biomqm"] == {"judged again, differently": 1, "duplicate": 1}


def test_corpus_puts_tortured_phrases_into_plain_sentences(tmp_path: Path) -> None:
    rows = [
        {"correct": "steam engine (se)", "tortured": "vapour motor"},
        {"correct": "steam engine", "tortured": "mist machine"},
        {"correct": "red, green and blue", "tortured": "crimson, lush and azure"},
    ]
    _write(tmp_path, "tortured_phrases.parquet", rows)
    dropped = Dropped()
    base, *tortured = loaders.load(tmp_path, dropped)["tortured"]
    assert dropped.counts["tortured"]["not two to four words"] == 1
    assert (base.kind, base.label, base.copy) == ("base", False, base.source)
    assert "steam engine" in base.source
    assert {pair.twin for pair in tortured} == {base.twin}
    for pair, phrase in zip(tortured, ("vapour motor", "mist machine"), strict=True):
        assert pair.label is True
        said = {m.side: getattr(pair, m.side)[m.start : m.end] for m in pair.marks}
        assert said == {"copy": phrase, "source": "steam engine"}
