"""Documents of known relation, and a model fitted on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detector.encoder import MiniLMEncoder
from detector.errors import InputError
from detector.records import RELATIONS
from detector.training.relation import RelationSettings, fit_thresholds, train_relation
from detector.training.relation_data import N_FOLDS, TEST_FOLD, ExampleSampler, read_blocks
from detector.training.relation_evaluate import with_relations

WORDS = [
    "harbour", "council", "bank", "river", "engine", "teacher", "market", "winter",
    "budget", "minister", "garden", "signal", "letter", "border", "village",
    "doctor", "season", "printer", "bridge", "ticket",
]  # fmt: skip


def line(rng: np.random.Generator, machine: bool = False) -> str:
    one, two, three = rng.choice(WORDS, 3, replace=False)
    if machine:
        return f"The {one} of {three} has realised the {two} of Odile in {rng.integers(1, 99)}."
    return f"Odile said the {one} near the {three} made a {two} for {rng.integers(1, 99)} days."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small tables of the shared folder's shapes, out of made-up sentences."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("tables")
    n = 400
    base = [line(rng) for _ in range(n)]
    back = [text.replace("said", "has declared").replace("made", "realised") for text in base]
    trips = {"orig_en": base * 2, "back_en": back * 2, "lang": ["fr"] * n + ["de"] * n}
    trips["system"] = ["google"] * n + ["nllb"] * n
    pd.DataFrame(
        {"set": "wmt15", "line": list(range(n)) * 2, "suspect_misaligned": "0", **trips}
    ).to_parquet(root / "wmt14_15_18_rt.parquet")
    pd.DataFrame({"sid": list(range(n)) * 2, **trips}).to_parquet(root / "flores_dev_rt.parquet")
    pd.DataFrame(
        {"sid": range(n), "orig_en": base, "back_en": back, "pivot": "es", "forward": "google"}
    ).to_parquet(root / "apertium_rt.parquet")
    pd.DataFrame(
        {
            "split": ["train"] * 3000 + ["dev"] * 600,
            "lp": "ro-en",
            "i": list(range(3000)) + list(range(600)),
            "hter": 0.4,
            "post_edit_en": [line(rng) for _ in range(3600)],
            "mt_en": [line(rng, machine=True) for _ in range(3600)],
        }
    ).to_parquet(root / "mlqe_pe_train_dev.parquet")
    talks = [f"talk.{k}" for k in (9, 2, 6, 7, 5) for _ in range(60)]
    pd.DataFrame(
        {
            "doc": talks,
            "seg": list(range(60)) * 5,
            "system": "A",
            "source": [line(rng) for _ in talks],
            "copy": [line(rng, machine=True) for _ in talks],
            "source_alt": [line(rng) for _ in talks],
        }
    ).to_parquet(root / "mqm_ted_zhen.parquet")
    return root


def test_training_relation_lines_stay_in_order_and_in_one_fold(folder: Path) -> None:
    found = read_blocks(folder)
    assert {s.corpus for s in found} == {"wmt", "flores", "apertium", "mlqe", "mqm_ted"}
    for block in found:
        assert list(block.lines) == sorted(block.lines)
        assert 0 <= block.fold < N_FOLDS
        for copies in block.machine.values():
            assert set(copies) <= set(block.lines)
    of = {s.group: s.fold for s in found if s.corpus == "flores"}
    assert of == {s.group: s.fold for s in found if s.corpus == "apertium"}
    for block in found:
        if block.corpus == "mlqe":
            assert (block.fold == TEST_FOLD) == (" dev " in block.group)


def test_training_relation_lines_without_a_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"wmt14_15_18_rt\.parquet: is not there"):
        read_blocks(tmp_path)


def test_training_relation_lines_of_a_table_without_a_column_are_refused(
    folder: Path, tmp_path: Path
) -> None:
    for path in folder.iterdir():
        table = pd.read_parquet(path)
        if path.name.startswith("flores"):
            table = table.drop(columns="back_en")
        table.to_parquet(tmp_path / path.name)
    with pytest.raises(InputError, match=r"flores_dev_rt\.parquet: cannot be read as lines"):
        read_blocks(tmp_path)


@pytest.mark.slow
def test_training_relation_documents_are_drawn_alike_and_of_every_kind(folder: Path) -> None:
    found = read_blocks(folder)
    examples = ExampleSampler(found, seed=3).draw(200)
    assert examples == ExampleSampler(found, seed=3).draw(200)
    assert examples != ExampleSampler(found, seed=4).draw(200)
    assert {e.relation for e in examples} == set(RELATIONS)
    assert 180 <= len(examples) <= 230
    kinds = {e.kind for e in examples}
    assert {"whole", "part", "gaps", "stitched", "human alternative", "sibling edits"} <= kinds
    for example in examples:
        assert example.source.strip()
        assert example.copy.strip()
        if example.kind == "0% of sentences edited":
            kept = example.copy.replace("\n\n", " ")
            first = example.source.replace("\n\n", " ").split(". ")[0]
            assert first.split(".")[0] in kept or example.n_lines < example.source.count(".")


@pytest.mark.model
def test_training_relation_run_fits_a_model_and_measures_it_apart(folder: Path) -> None:
    steps: list[tuple[str, int]] = []

    def progress(doing: str, total: int) -> Callable[[int], object]:
        steps.append((doing, total))
        return lambda _: None

    model, results = train_relation(
        read_blocks(folder), MiniLMEncoder(), RelationSettings(n_documents=240), progress=progress
    )
    assert [doing for doing, _ in steps] == ["sentences", "alignments", "wording", "documents"]
    assert sum(model.training["documents"].values()) < 240
    assert results.against["duplicate"]["model"].value > 0.9
    assert results.mistaken.value < 0.2
    record = results.to_dict()
    assert set(record) == {"n", "against", "named", "mistaken", "calibration"}
    assert "duplicates called round trips" in results.to_text()
    card = with_relations("# A bundle\n", model, results)
    assert card.startswith("# A bundle\n\n## What a copy is to its source\n")
    assert "| duplicate: 0% of sentences edited |" in card
    assert with_relations(card, model, results) == card


def test_training_relation_a_relation_is_the_label_from_where_it_is_right_often_enough() -> None:
    # 40 of high probability and right, then 10 of lower probability of which half are wrong.
    high = [[0.9, 0.025, 0.025, 0.025, 0.025]] * 40
    low = [[0.6, 0.1, 0.1, 0.1, 0.1]] * 10
    labels = ["round_trip"] * 45 + ["paraphrase"] * 5
    thresholds = fit_thresholds(np.array(high + low), labels)
    assert thresholds.tolist() == [0.9, 2.0, 2.0, 2.0, 2.0]
