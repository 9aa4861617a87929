"""Figures on made rows whose answer is known, their text, and the commands."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

from detector.cli.train import add_training
from detector.training.data.corpus import Mark, Pair, group_of
from detector.training.data.sampling import Mix
from detector.training.evaluate.evaluate import OURS, SEVERITY, Evaluation, caught, evaluate
from detector.training.evaluate.report import details, printed, summary


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
def figures() -> Evaluation:
    pairs, scores = _pairs()
    return evaluate(pairs, scores, threshold=0.5, mix=Mix(), resamples=60)


def test_evaluate_measures_the_better_score_as_better(figures: Evaluation) -> None:
    entry = figures.corpora["contrast"]
    assert entry["scores"][OURS]["auroc"].value > 0.95
    assert 0.4 < entry["scores"]["cosine"]["auroc"].value < 0.7
    assert entry["best_simple"] == "cosine"
    assert entry["lead"].low > 0.2
    assert figures.macro[OURS].value == pytest.approx(entry["scores"][OURS]["auroc"].value)


def test_evaluate_flags_and_watches_at_the_threshold(figures: Evaluation) -> None:
    entry = figures.corpora["contrast"]
    assert entry["flagged_drift"].value > 0.9
    assert entry["flagged_sound"].value < 0.1
    assert figures.watch == {"wmt": {"n": 50, "flagged": 0.2}}
    assert figures.n_pairs == 600
    assert figures.n_groups == 300


def test_evaluate_compares_twins_by_kind(figures: Evaluation) -> None:
    entry = figures.kinds["contrast"]["number"]
    assert entry["n"] == 300
    assert entry["drift"] is True
    assert entry["worse"][OURS].value > 0.95
    assert entry["worse"]["cosine"].value < 0.75
    assert entry["worse"]["cosine"].low < entry["worse"]["cosine"].value


def test_evaluate_sums_the_kinds_of_damage_up(figures: Evaluation) -> None:
    tier = figures.tiers["contrast"]["damage"]
    assert tier["kinds"] == 1
    assert tier["worse"][OURS]["worst"] == "number"
    assert (
        tier["worse"][OURS]["mean"].value
        == figures.kinds["contrast"]["number"]["worse"][OURS].value
    )


def test_evaluate_is_the_same_twice(figures: Evaluation) -> None:
    pairs, scores = _pairs()
    again = evaluate(pairs, scores, threshold=0.5, mix=Mix(), resamples=60)
    assert again.to_dict() == figures.to_dict()


def test_evaluate_figures_are_json_and_text(figures: Evaluation) -> None:
    assert json.loads(json.dumps(figures.to_dict(), allow_nan=False))["threshold"] == 0.5
    text = printed(figures)
    assert "recall at 5 % FA" in text
    assert "number" in text
    assert "nan" not in text
    assert text == f"{summary(figures)}\n\n{details(figures)}"


def _twins(kinds: dict[str, bool | None], n: int = 40) -> list[Pair]:
    return [
        Pair(
            source=f"Sentence {i}.",
            copy=f"Sentence {i}. {kind}",
            label=label,
            corpus="demetr",
            kind=kind,
            group=group_of(f"Sentence {i}."),
            twin=f"twin {i}",
        )
        for i in range(n)
        for kind, label in {"sound": False, **kinds}.items()
    ]


def test_evaluate_means_over_kinds_and_names_the_worst() -> None:
    pairs = _twins({"critical_id1_a": True, "critical_id2_b": True, "major_id3_c": None})
    base = {"sound": 0.2, "critical_id1_a": 0.9, "critical_id2_b": 0.2, "major_id3_c": 0.1}
    scores = {OURS: np.array([base[p.kind] for p in pairs]), SEVERITY: np.arange(len(pairs)) * 1.0}
    figures = evaluate(pairs, scores, threshold=0.5, mix=Mix(), resamples=20)
    critical = figures.tiers["demetr"]["critical"]["worse"]
    assert critical[OURS]["mean"].value == pytest.approx(0.75)  # one always, one tied
    assert (critical[OURS]["worst"], critical[OURS]["least"]) == ("critical_id2_b", 0.5)
    assert critical[SEVERITY]["mean"].value == 1.0
    # A kind without a label is compared with its twin all the same.
    assert figures.tiers["demetr"]["major"]["worse"][OURS]["mean"].value == 0.0
    assert "critical twin scored worse, mean of 2 kinds" in summary(figures)


def test_evaluate_says_how_far_looks_move_the_probability() -> None:
    pairs = _twins({"minor_id30_tokenized": False, "minor_id31_full_lower": False}, n=20)
    ours = np.array([0.3 if p.kind != "minor_id31_full_lower" else 0.31 for p in pairs])
    ours[1] = 0.8  # one tokenised twin
    figures = evaluate(pairs, {OURS: ours}, threshold=0.5, mix=Mix(), resamples=5)
    assert figures.looks["minor_id30_tokenized"]["largest"] == pytest.approx(0.5)
    assert figures.looks["minor_id30_tokenized"]["within"] == pytest.approx(0.95)
    assert figures.looks["minor_id31_full_lower"]["within"] == 1.0
    assert figures.looks["all"]["n"] == 40


def test_evaluate_counts_what_the_finders_caught_and_their_false_alarms() -> None:
    pairs = _twins({"critical_id10_numbers_replaced": True, "critical_id9_ne_replaced": True}, n=4)
    alarms = {
        "names": np.array([p.kind == "critical_id9_ne_replaced" for p in pairs]),
        "figures": np.array([p.kind == "sound" for p in pairs]),
    }
    found = caught(pairs, alarms)["demetr"]
    assert found["critical_id9_ne_replaced"] == {
        "finder": "names",
        "n": 4,
        "caught": 1.0,
        "false_alarms": 0.0,
    }
    assert found["critical_id10_numbers_replaced"]["caught"] == 0.0
    assert found["critical_id10_numbers_replaced"]["false_alarms"] == 1.0


def _judged(n: int = 120) -> list[Pair]:
    marked = (Mark(side="copy", start=0, end=1, kind="", weight=5.0),)
    return [
        Pair(
            source=f"Sentence {i}.",
            copy=f"Copy {i}.",
            label=None,
            corpus="mqm_news",
            kind="human",
            group=group_of(f"Sentence {i}."),
            points=float(i % 4 * 2),
            marks=marked if i % 4 == 1 else (),
            hter=(i % 10) / 10,
            quality=100.0 - i % 10,
            lang="zh" if i % 2 else "de",
            system="one" if i else "two",
        )
        for i in range(n)
    ]


def test_evaluate_goes_by_what_people_judged_without_labels() -> None:
    pairs = _judged()
    worse = np.array([p.points for p in pairs])
    figures = evaluate(
        pairs,
        {OURS: worse / 10, "edits": np.array([p.hter for p in pairs])},
        threshold=0.5,
        mix=Mix(),
        resamples=20,
    )
    assert figures.n_pairs == 0
    assert (figures.corpora, figures.macro, figures.probability) == ({}, {}, {})
    entry = figures.judged["mqm_news"]
    assert entry["n"] == dict.fromkeys(entry["n"], 120)
    assert entry["scores"][OURS]["points_tau_b"].value == pytest.approx(1.0)
    assert entry["scores"]["edits"]["hter_spearman"].value == pytest.approx(1.0)
    assert entry["scores"]["edits"]["quality_spearman"].value == pytest.approx(1.0)
    # A marked major error counts as one although its points alone would not.
    assert 0.5 < entry["scores"][OURS]["major_auroc"].value < 1.0
    assert json.dumps(figures.to_dict(), allow_nan=False)
    assert "Spearman, quality" in printed(figures)


def test_evaluate_measures_languages_and_systems_that_have_enough_rows() -> None:
    pairs = _judged(160)
    worse = np.array([p.points for p in pairs])
    figures = evaluate(pairs, {OURS: worse / 10}, threshold=0.5, mix=Mix(), resamples=10)
    # Odd rows all hold an error, so nothing can be compared there.
    assert figures.languages["mqm_news"]["skipped"] == 1
    assert figures.languages["mqm_news"]["parts"]["de"]["measure"] == "points_tau_b"
    assert figures.systems["mqm_news"]["skipped"] == 1
    assert figures.systems["mqm_news"]["parts"]["one"]["scores"][OURS].value == pytest.approx(1.0)
    assert "fewer than 30" in details(figures)


def test_evaluate_takes_no_pairs() -> None:
    figures = evaluate([], {OURS: np.zeros(0)}, threshold=0.5, mix=Mix(), resamples=5)
    assert figures.n_pairs == 0
    assert "threshold 0.500" in printed(figures)


def test_evaluate_commands_register_without_heavy_imports() -> None:
    code = (
        "import argparse, sys; from detector.cli.train import add_training;"
        "add_training(argparse.ArgumentParser().add_subparsers());"
        "print(sorted({'sklearn', 'torch', 'pandas', 'skops', 'numpy'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() in ("[]", "['numpy']")


def _run(*argv: str) -> int:
    parser = ArgumentParser()
    add_training(parser.add_subparsers())
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
    from detector.models import store

    out = tmp_path / "bundle"
    options = ["--shared", str(shared), "--limit", "400", "--quiet"]
    assert _run("train", "drift", *options, "--out", str(out)) == 0
    bundle = store.load(out)
    assert 0.0 < bundle.threshold < 1.0
    assert "## What it is for" in bundle.card
    assert "AUROC" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        _run("train", "drift", *options, "--limit", "0")


def test_evaluate_writes_no_nan_in_a_list_of_a_list() -> None:
    from detector.training.evaluate.evaluate import _plain

    assert _plain({"bins": [[math.nan, 0.5], (1.0, None)]}) == {"bins": [[None, 0.5], [1.0, None]]}
