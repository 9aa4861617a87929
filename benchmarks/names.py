"""How many replaced and removed names are found in DEMETR's pairs, and how many sound ones flagged.

    python benchmarks/names.py [FOLDER]     # the folder with data/, by default $DETECTOR_SHARED

Each damaged translation is compared with its sound twin as the source, and each sound translation
with the human reference, where some names truly differ. Beside it the plainest rule there is: a
capitalised word of the source, not at its start, is nowhere in the copy. The tables were read
while names were mended, so the figures are not held apart; contrasts that are stand in the card.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from detector.encode import MiniLMEncoder
from detector.evidence import gather_pairs
from detector.records import SLIPS

KINDS = {9: "replaced by another name", 25: "removed"}


def damaged(source: Sequence[str], copy: Sequence[str], encoder: MiniLMEncoder) -> float:
    pairs = list(zip(source, copy, strict=True))
    return float(
        np.mean(
            [
                any(c.change not in ("kept", *SLIPS) and c.probability >= 0.5 for c in bead.names)
                for bead in gather_pairs(pairs, encoder)
            ]
        )
    )


def plain_rule(source: Sequence[str], copy: Sequence[str]) -> float:
    def missing(one: str, other: str) -> bool:
        present = {word.strip(".,;:!?\"'()") for word in other.split()}
        words = [word.strip(".,;:!?\"'()") for word in one.split()[1:]]
        return any(word[:1].isupper() and word not in present for word in words)

    return float(np.mean([missing(a, b) for a, b in zip(source, copy, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("DETECTOR_SHARED"))
    folder = parser.parse_args().folder
    if folder is None:
        print("skipped: no folder of corpora; name one, or set DETECTOR_SHARED")
        return
    table = pd.read_parquet(Path(folder) / "data" / "demetr_dev.parquet")
    table = table[table.pert_check]
    encoder = MiniLMEncoder(precision="auto")
    heads = f"{'found':>8}{'plain rule':>12}{'sound flagged':>15}{'plain rule':>12}"
    print(f"{'names':<28}{'pairs':>6}{heads}")
    for kind, label in KINDS.items():
        rows = table[table.pert_id == kind]
        twins, broken, human = (
            rows.mt_sent.tolist(),
            rows.pert_sent.tolist(),
            rows.eng_sent.tolist(),
        )
        print(
            f"{label:<28}{len(rows):>6}{damaged(twins, broken, encoder):>8.3f}"
            f"{plain_rule(twins, broken):>12.3f}{damaged(human, twins, encoder):>15.3f}"
            f"{plain_rule(human, twins):>12.3f}"
        )


if __name__ == "__main__":
    main()
