"""What the quality gate measures: the bundled example, our golden table, a draw of the corpora.

Every figure is in [0, 1] or a correlation, and higher is better, so that one floor guards each.
`test_quality` holds them to the floors, `pin_floors` writes the floors.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detector import Scorer
from detector.encoder import MiniLMEncoder
from detector.features.evidence import gather_pairs
from detector.models.bundle import Bundle
from detector.models.store import load as load_bundle
from detector.training.data.corpus import (
    Dropped,
    Pair,
    group_of,
    held_apart,
    manifest,
    shared_folder,
    tidy,
)
from detector.training.data.loaders import load
from detector.training.data.sampling import Mix
from detector.training.data.splits import Material, shared_parts, whole_groups
from detector.training.drift import TrainConfig
from detector.training.evaluate.evaluate import OURS, SEVERITY, Evaluation
from detector.training.evaluate.metrics import auroc
from detector.training.evaluate.words import TAGGED
from detector.training.feature_cache import Readers, measure
from detector.training.run import evaluate_bundle

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ROOT / "tests" / "golden" / "floors.json"
SLACK = 0.005
"""How far below the figure its floor is set: the last bits differ between machines."""

SIZES = {
    "demetr": 800,
    "mqm_news": 250,
    "mqm_ted": 200,
    "mlqe": 150,
    "mlqe_dev": 150,
    "wmt": 200,
    "flores": 120,
    "contrast": 120,
}
"""About how many pairs of a corpus are drawn."""

_MANY = ("flores_dev_rt.parquet", "wmt14_15_18_rt.parquet")  # slow to label as a whole
_LEFT_OUT = ("apertium_rt.parquet", "biomqm_into_en.parquet", "tortured_phrases.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Metrics by name, and digests of what they were measured on."""

    digests: Mapping[str, str]
    figures: Mapping[str, float]


def on_golden(encoder: MiniLMEncoder) -> Measured:
    """Measure on the table of sentence pairs written for the tests."""
    path = ROOT / "tests" / "golden" / "drift.tsv"
    rows = [
        line.split("\t")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    drifted = np.array([row[2] == "yes" for row in rows])
    bundle = load_bundle(None, encoder=encoder.identity)
    pairs = [(row[0], row[1]) for row in rows]
    evidence = list(gather_pairs(pairs, encoder, adjacency=bundle.adjacency))
    probability = bundle.predict(evidence).drift
    flagged = probability >= bundle.threshold
    even = np.ones(len(rows))
    area = auroc(drifted, probability, even)
    cosine = auroc(drifted, -np.array([bead.similarity for bead in evidence]), even)
    return Measured(
        digests={"drift.tsv": _digest(path.read_bytes())},
        figures={
            "AUROC": area,
            "lead over cosine": area - cosine,
            "drift flagged": float(flagged[drifted].mean()),
            "sound not flagged": 1.0 - float(flagged[~drifted].mean()),
        },
    )


def on_example(encoder: MiniLMEncoder) -> Measured:
    """Measure on the bundled example and the damages that data/README.md names."""
    folder = ROOT / "data" / "example"
    texts = {name: (folder / name).read_bytes() for name in ("source.txt", "copy.txt")}
    source, copy = (text.decode("utf-8") for text in texts.values())
    table = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    table = table.split("| kind | source | copy |")[1].split("\n\n")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines() if "---" not in line]
    damages = [row[-1] for row in cells if len(row) > 1]
    scorer = Scorer(encoder=encoder)
    report = scorer.score(copy=copy, source=source)
    loud = [
        row.copy_text
        for row in report.rows
        if row.drift_flag or any(map(report.is_damaged, row.name_changes))
    ]
    same = scorer.score(copy=source, source=source)
    return Measured(
        digests={name: _digest(text) for name, text in texts.items()},
        figures={
            "damages of data/README.md in a flagged row": float(
                np.mean([any(damage in text for text in loud) for damage in damages])
            ),
            "rows of the source against itself not flagged": 1.0
            - len(same.flagged) / len(same.rows),
        },
    )


def on_shared(folder: Path, encoder: MiniLMEncoder, scratch: Path) -> Measured:
    """Measure on a seeded draw of pairs held apart.

    Parameters
    ----------
    folder : Path
        The shared folder.
    encoder : MiniLMEncoder
    scratch : Path
        An empty folder: the large tables are cut down into it.
    """
    known = _cut_down(shared_folder(folder), scratch)
    _, apart = shared_parts(load(scratch, Dropped()), Mix())
    pairs = [
        pair
        for corpus, size in SIZES.items()
        for pair in whole_groups([p for p in apart if p.corpus == corpus], size, seed=0)
    ]
    bundle: Bundle = load_bundle(None, encoder=encoder.identity)
    X = measure(pairs, encoder, readers=Readers(bundle.models.adjacency, bundle.tagger))
    material = Material(fitting=(), apart=tuple(pairs), tables={}, dropped=Dropped())
    config = TrainConfig(resamples=1)  # no interval is read
    figures = evaluate_bundle(bundle, material, X, encoder, config)
    return Measured(
        digests={**known, "pairs": _pairs_digest(pairs)},
        figures={name: float(v) for name, v in _headlines(figures) if not math.isnan(v)},
    )


def _headlines(figures: Evaluation) -> Iterable[tuple[str, float]]:
    for name in (OURS, SEVERITY):
        yield from _orders(figures, name)
    for corpus, entry in figures.corpora.items():
        if "scores" in entry:
            yield f"{corpus} AUROC", entry["scores"][OURS]["auroc"].value
        yield f"{corpus} sound not flagged", 1.0 - entry["flagged_sound"].value
        yield f"{corpus} drift flagged", entry["flagged_drift"].value
    for kind, entry in figures.caught.get("demetr", {}).items():
        yield f"{kind} caught", entry["caught"]
        yield f"{kind} twin without alarm", 1.0 - entry["false_alarms"]
    for title, words in figures.words.items():
        for finder, known in words["finders"].items():
            if finder == TAGGED:
                yield f"{title}: F1", known["f1"].value
                yield f"{title}: Matthews", known["mcc"].value
    if "all" in figures.looks:
        yield "looks within .02", figures.looks["all"]["within"]
        yield "1 - largest move by looks", 1.0 - figures.looks["all"]["largest"]
    if figures.probability:
        yield "Brier skill", figures.probability["brier_skill"].value
        yield "1 - calibration error", 1.0 - figures.probability["calibration_error"].value


def _orders(figures: Evaluation, name: str) -> Iterable[tuple[str, float]]:
    """Yield how well one of our scores puts twins, and what people judged, in order."""
    for tier, entry in figures.tiers.get("demetr", {}).items():
        if name in entry["worse"]:
            yield f"demetr {tier}, mean: {name}", entry["worse"][name]["mean"].value
            yield f"demetr {tier}, worst kind: {name}", entry["worse"][name]["least"]
    for corpus, judged in figures.judged.items():
        for key, estimate in judged["scores"].get(name, {}).items():
            yield f"{corpus} {key}: {name}", estimate.value


def _cut_down(folder: Path, scratch: Path) -> dict[str, str]:
    """Link the tables into `scratch`, the large ones with a part of their sentences alone."""
    known = {}
    for name, entry in manifest().items():
        if name in _LEFT_OUT or not (folder / name).is_file():
            continue
        known[name] = entry["sha256"]
        if name not in _MANY:
            (scratch / name).symlink_to((folder / name).resolve())
            continue
        table: Any = pd.read_parquet(folder / name)
        taken = {source: _is_taken(source) for source in table["orig_en"].unique()}
        table[table["orig_en"].map(taken)].to_parquet(scratch / name)
    return known


def _is_taken(source: str) -> bool:
    """Take a quarter of what is held apart, and some of the rest to swap names in from."""
    group = group_of(tidy(source))
    return int(group[8:16], 16) % (4 if held_apart(group) else 40) == 0


def _pairs_digest(pairs: Iterable[Pair]) -> str:
    lines = sorted(f"{p.corpus}\x1f{p.kind}\x1f{p.label}\x1f{p.source}\x1f{p.copy}" for p in pairs)
    return _digest("\n".join(lines).encode("utf-8", "replace"))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def floor_under(figure: float) -> float:
    """Return the floor that is set for a figure."""
    return math.floor((figure - SLACK) * 1000) / 1000


def problems(part: Mapping[str, Any] | None, measured: Measured) -> list[str]:
    """Say what does not keep to the floors of a part of `floors.json`."""
    if part is None:
        return ["nothing is pinned; run tests/pin_floors.py"]
    found = [
        f"{name} is another one than the floors were pinned on; look, then run tests/pin_floors.py"
        for name in sorted(set(part["digests"]) | set(measured.digests))
        if part["digests"].get(name) != measured.digests.get(name)
    ]
    floors = part["floors"]
    for name in sorted(set(floors) | set(measured.figures)):
        if name not in floors:
            found.append(f"{name}: has no floor; run tests/pin_floors.py")
        elif name not in measured.figures:
            found.append(f"{name}: was not measured")
        elif measured.figures[name] < floors[name]:
            found.append(f"{name}: {measured.figures[name]:.4f} is under its floor {floors[name]}")
    return found
