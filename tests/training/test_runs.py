"""Runs on made pairs and a fake encoder: what is fitted on, what is held apart, the same twice."""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.fakes import FakeEncoder

from detector.cli.train import add_training
from detector.errors import InputError
from detector.models import store
from detector.training.data.corpus import Pair, group_of, held_apart, only_evaluates, set_apart
from detector.training.data.sampling import Mix
from detector.training.data.splits import TESTS, shared_parts

CONFIG = """\
folds = 3
resamples = 20
[candidates.boosting]
model = "boosting"
n_trees = 10
n_leaves = 4
"""
WORDS = ("river", "market", "bridge", "school", "harbour", "garden", "castle", "forest", "village")


def _run(*argv: str) -> int:
    parser = ArgumentParser()
    add_training(parser.add_subparsers())
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def _table(path: Path, n: int = 400) -> Path:
    """Pairs of which half lost their nouns."""
    rng = np.random.default_rng(0)
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["source", "copy", "label", "lang"])
        for i in range(n):
            one, two = rng.choice(WORDS, 2, replace=False)
            source = f"Paper {i // 2} says that the {one} near the {two} will open again."
            drifted = i % 2
            copy = source.replace(one, "thing").replace(two, "thing") if drifted else source
            rows.writerow([source, copy.replace("says", "said"), drifted, "fr"])
    return path


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table and a config, and an encoder that loads nothing."""
    monkeypatch.setattr("detector.encoder.MiniLMEncoder", lambda **_: FakeEncoder())
    _table(tmp_path / "mine.csv")
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def _train(folder: Path, out: str) -> store.Bundle:
    options = ["--table", str(folder / "mine.csv"), "--config", str(folder / "run.toml")]
    assert _run("train", "drift", *options, "--quiet", "--out", str(folder / out)) == 0
    return store.load(folder / out, encoder=FakeEncoder().identity)


@pytest.mark.slow
def test_runs_fit_a_bundle_on_an_own_table_and_the_same_one_twice(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = _train(mine, "one"), _train(mine, "two")
    assert one.config.digest == two.config.digest
    assert "mean AUROC" in capsys.readouterr().out
    training, metrics = one.config.training, one.metrics
    assert training["settings"]["folds"] == 3
    assert set(training["tables"]) == {"mine.csv"}
    assert str(mine) not in json.dumps([training, metrics]) + one.card
    assert metrics["held_apart"]["corpora"]["mine.csv"]["drift"] > 0
    fitted = sum(training["pairs"]["mine.csv"])
    assert fitted + metrics["held_apart"]["n_pairs"] == 400
    for heading in ("What it is for", "Data", "Results", "Limits", "Model"):
        assert f"## {heading}" in one.card
    assert "Labels are those of the tables." in one.card


@pytest.mark.slow
def test_runs_measure_every_row_of_an_own_table(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _train(mine, "bundle")
    capsys.readouterr()
    options = ["--table", str(mine / "mine.csv"), "--bundle", str(mine / "bundle")]
    assert _run("evaluate", *options, "--json", str(mine / "figures.json")) == 0
    shown = capsys.readouterr()
    assert "every row is measured on" in shown.out
    assert "flatter" in shown.out
    assert "measuring on 400 pairs" in shown.err
    record = json.loads((mine / "figures.json").read_text(encoding="utf-8"))
    assert record["figures"]["n_pairs"] == 400
    assert record["figures"]["languages"]["mine.csv"]["parts"]["fr"]["n"] == 400
    assert set(record["figures"]["corpora"]["mine.csv"]["scores"]) >= {"detector", "chrF++"}


def test_runs_an_own_table_too_small_to_hold_a_fifth_apart_is_refused(mine: Path) -> None:
    with (mine / "mine.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    apart = {row["source"] for row in rows if held_apart(group_of(row["source"]))}
    few = [row for row in rows if row["source"] not in apart][:20]
    with (mine / "mine.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["source", "copy", "label", "lang"])
        writer.writeheader()
        writer.writerows(few)
    with pytest.raises(InputError, match="give pairs of more source sentences"):
        _train(mine, "bundle")


def test_runs_no_corpora_and_no_table_says_what_to_give(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DETECTOR_SHARED", raising=False)
    with pytest.raises(InputError, match="DETECTOR_SHARED"):
        _run("train", "drift", "--config", str(mine / "run.toml"), "--quiet")


def _corpora(n: int = 400) -> dict[str, list[Pair]]:
    def pair(i: int, **known: Any) -> Pair:
        source = f"On day {i} the minister of Norway left the old house in a hurry."
        return Pair(source=source, group=group_of(source), **known)

    kinds = ("sound", "critical_id1_a", "minor_id30_tokenized")
    made = {
        "wmt": [
            pair(i, copy=f"Copy {i}", corpus="wmt", kind="k", label=bool(i % 2)) for i in range(n)
        ],
        "mqm_news": [
            pair(i, copy="Copy", corpus="mqm_news", kind="human", label=None, points=1.0)
            for i in range(n)
        ],
        "demetr": [
            pair(i, copy=kind, corpus="demetr", kind=kind, label=kind == kinds[1], twin=str(i))
            for i in range(60)
            for kind in kinds
        ],
    }
    return set_apart(made)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [None, 200])
def test_runs_test_corpora_and_their_sentences_are_never_fitted_on(limit: int | None) -> None:
    corpora = _corpora()
    ours, apart = shared_parts(corpora, Mix(limit=limit))
    tested = {pair.group for pair in corpora["demetr"]}
    assert "demetr" in TESTS
    assert not tested & {pair.group for pair in ours}
    assert all(pair.label is not None or pair.points is not None for pair in ours)
    assert not any(held_apart(pair.group) for pair in ours)
    measured = [pair for pair in apart if pair.corpus == "demetr"]
    assert len(measured) == 180 if limit is None else 0 < len(measured) < 180
    twins = {pair.twin for pair in measured}
    assert len(measured) == 3 * len(twins)
    assert all(held_apart(p.group) or p.apart for p in apart if p.corpus not in TESTS)


@pytest.mark.slow
def test_runs_measure_what_people_judged_without_a_label() -> None:
    corpora = _corpora()
    _, apart = shared_parts(corpora, Mix())
    judged = [pair for pair in apart if pair.corpus == "mqm_news"]
    assert len(judged) == sum(map(only_evaluates, corpora["mqm_news"]))
    assert len({(p.corpus, p.kind, p.source, p.copy) for p in apart}) == len(apart)
