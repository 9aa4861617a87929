"""Figures on made rows whose answer is known, their text, and the commands."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

from detector.learn.card import table
from detector.learn.commands import add_parsers
from detector.learn.corpus import Pair, group_of
from detector.learn.evaluate import OURS, Figures, baselines, chrf, evaluate
from detector.learn.sample import Mix


def _pairs() -> tuple[list[Pair], dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    pairs, ours, cosine = [], [], []
    for i in range(300):
        source = f"A sentence with number {i} in it."
        for kind, label in (("base", False), ("number", True)):
            pairs.append(
                Pair(
                    source=source,
                    copy=f"{source} {kind}",
                    label=label,
                    corpus="contrast",
                    kind=kind,
                    group=group_of(source),
                    twin=f"twin {i}",
                )
            )
            ours.append(float(np.clip(0.3 + 0.4 * label + 0.1 * rng.normal(), 0, 1)))
            cosine.append(0.2 * label + rng.normal())
    for i in range(50):
        source = f"An unlabelled sentence {i}."
        pairs.append(
            Pair(
                source=source,
                copy=source,
                label=None,
                corpus="watch",
                kind="wmt",
                group=group_of(source),
            )
        )
        ours.append(0.9 if i < 10 else 0.1)
        cosine.append(0.0)
    return pairs, {OURS: np.array(ours), "cosine": np.array(cosine)}


@pytest.fixture(scope="module")
def figures() -> Figures:
    pairs, scores = _pairs()
    return evaluate(pairs, scores, threshold=0.5, mix=Mix(), resamples=60)


def test_evaluate_measures_the_better_score_as_better(figures: Figures) -> None:
    entry = figures.corpora["contrast"]
    assert entry["scores"][OURS]["auroc"].value > 0.95
    assert 0.4 < entry["scores"]["cosine"]["auroc"].value < 0.7
    assert entry["best_simple"] == "cosine"
    assert entry["lead"].low > 0.2
    assert figures.macro[OURS].value == pytest.approx(entry["scores"][OURS]["auroc"].value)


def test_evaluate_flags_and_watches_at_the_threshold(figures: Figures) -> None:
    entry = figures.corpora["contrast"]
    assert entry["flagged_drift"].value > 0.9
    assert entry["flagged_sound"].value < 0.1
    assert figures.watch == {"wmt": {"n": 50, "flagged": 0.2}}
    assert figures.n_pairs == 600
    assert figures.n_groups == 300


def test_evaluate_compares_twins_by_kind(figures: Figures) -> None:
    entry = figures.kinds["contrast"]["number"]
    assert entry["n"] == 300
    assert entry[f"worse by {OURS}"] > 0.95
    assert entry["worse by cosine"] < 0.75


def test_evaluate_is_the_same_twice(figures: Figures) -> None:
    pairs, scores = _pairs()
    again = evaluate(pairs, scores, threshold=0.5, mix=Mix(), resamples=60)
    assert again.to_dict() == figures.to_dict()


def test_evaluate_figures_are_json_and_text(figures: Figures) -> None:
    assert json.loads(json.dumps(figures.to_dict(), allow_nan=False))["threshold"] == 0.5
    text = table(figures)
    assert "recall at 5 % FA" in text
    assert "number" in text
    assert "nan" not in text


def test_evaluate_baselines_are_worse_for_worse_copies() -> None:
    pairs, _ = _pairs()
    X = np.tile([0.9, 0.0], (len(pairs), 1))
    found = baselines(pairs, X, ("similarity", "other"))
    assert found["cosine"] == pytest.approx(0.1)
    assert found["chrF"][-1] == 0.0  # a copy equal to its source
    assert found["chrF"][0] > 0.0
    assert found["length ratio"][-1] == 0.0


@pytest.mark.parametrize(
    ("source", "copy", "low", "high"),
    [
        ("the cat sat", "the cat sat", 1.0, 1.0),
        ("the cat sat", "the cat sits", 0.5, 0.95),
        ("the cat sat", "xyz", 0.0, 0.0),
        ("", "", 0.0, 0.0),
    ],
)
def test_evaluate_chrf_is_overlap(source: str, copy: str, low: float, high: float) -> None:
    assert low <= chrf(source, copy) <= high


def test_evaluate_commands_register_without_heavy_imports() -> None:
    code = (
        "import argparse, sys; from detector.learn.commands import add_parsers;"
        "add_parsers(argparse.ArgumentParser().add_subparsers());"
        "print(sorted({'sklearn', 'torch', 'pandas', 'skops', 'numpy'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() in ("[]", "['numpy']")


def _run(*argv: str) -> int:
    parser = ArgumentParser()
    add_parsers(parser.add_subparsers())
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def test_evaluate_data_check_prints_every_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "demetr_dev.parquet").write_bytes(b"other bytes")
    assert _run("data", "check", str(tmp_path)) == 2
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("demetr_dev.parquet\tdiffers") for line in lines)
    assert any("\tabsent\t" in line for line in lines)


@pytest.mark.shared
def test_evaluate_shared_tables_are_the_ones_known(shared: Path) -> None:
    assert _run("data", "check", str(shared)) == 0


@pytest.mark.shared
@pytest.mark.model
def test_evaluate_train_writes_a_bundle_that_scores(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from detector import store

    out = tmp_path / "bundle"
    options = ["--shared", str(shared), "--limit", "400", "--quiet"]
    assert _run("train", "drift", *options, "--out", str(out)) == 0
    bundle = store.load(out)
    assert 0.0 < bundle.threshold < 1.0
    assert "## What a flag means" in bundle.card
    assert "AUROC" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        _run("train", "drift", *options, "--limit", "0")
