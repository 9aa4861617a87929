"""A gate on what the shipped bundle does with the tables that we wrote: floors, not targets.

The figures that count are measured on corpora held apart (the bundle's card); these only keep a
change from making things worse unnoticed. Raise a floor when the figure rises; lower one only
with a reason in CHANGELOG.md under Scores.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detector.encode import MiniLMEncoder
from detector.evidence import gather_pairs
from detector.judge import heaviest_figure
from detector.store import load

pytestmark = pytest.mark.model

GOLDEN = Path(__file__).parent / "golden" / "drift.tsv"

AUROC_FLOOR = 0.88
LEAD_OVER_COSINE_FLOOR = 0.1
RECALL_FLOOR = 0.5
FALSE_ALARMS_CEILING = 1


def test_quality_of_drift_on_the_golden_table(encoder: MiniLMEncoder) -> None:
    from sklearn.metrics import roc_auc_score

    rows = [
        line.split("\t")
        for line in GOLDEN.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    drifted = np.array([row[2] == "yes" for row in rows])
    evidence = list(gather_pairs([(row[0], row[1]) for row in rows], encoder))
    bundle = load(None, encoder=encoder.identity)
    probability = np.maximum(
        bundle.drift_probability(evidence), [heaviest_figure(bead) for bead in evidence]
    )
    flagged = probability >= bundle.threshold
    auroc = roc_auc_score(drifted, probability)
    cosine = roc_auc_score(drifted, [-bead.similarity for bead in evidence])
    assert auroc >= AUROC_FLOOR
    assert auroc - cosine >= LEAD_OVER_COSINE_FLOOR
    assert flagged[drifted].mean() >= RECALL_FLOOR
    assert flagged[~drifted].sum() <= FALSE_ALARMS_CEILING
