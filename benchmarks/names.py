"""How many replaced and removed names are found in DEMETR's pairs, and how many sound ones flagged.

    python benchmarks/names.py [FOLDER]     # the folder with data/, by default $DETECTOR_SHARED

DEMETR gives a human reference, a sound translation and the same translation with one damage. Two
readings: (a) the reference is the source, its copies are the damaged and the sound translation;
(b) the damaged translation is compared with its sound twin, and the sound one with the reference.
A pair is flagged when any name but slips of case and apostrophe reaches the bundle's threshold.
Beside it the plainest rule there is: a capitalised word of the source, not at its start, is
nowhere in the copy. Shares come with 95 % intervals (Wilson, 1927).
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from detector.encoder import MiniLMEncoder
from detector.features.evidence import gather_pairs
from detector.models.store import Bundle, load
from detector.records import SLIPS

KINDS = {9: "replaced", 25: "removed"}

Pairs = Sequence[tuple[str, str]]


def damaged(pairs: Pairs, encoder: MiniLMEncoder, bundle: Bundle) -> list[bool]:
    threshold = bundle.name_threshold
    beads = list(gather_pairs(pairs, encoder, adjacency=bundle.adjacency))
    return [
        any(c.change not in ("kept", *SLIPS) and c.probability >= threshold for c in names)
        for names in bundle.predict(beads).names
    ]


def plain_rule(pairs: Pairs) -> list[bool]:
    def missing(one: str, other: str) -> bool:
        present = {word.strip(".,;:!?\"'()") for word in other.split()}
        words = [word.strip(".,;:!?\"'()") for word in one.split()[1:]]
        return any(word[:1].isupper() and word not in present for word in words)

    return [missing(source, copy) for source, copy in pairs]


def shown(flags: Sequence[bool]) -> str:
    """Write a share with its Wilson interval."""
    n, hits, z = len(flags), sum(flags), 1.96
    middle = (hits + z * z / 2) / (n + z * z)
    half = z * math.sqrt(hits * (n - hits) / n + z * z / 4) / (n + z * z)
    return f"{hits / n:.3f} [{middle - half:.3f}, {middle + half:.3f}]"


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
    bundle = load(encoder=encoder.identity)
    print(f"{'pairs':<46}{'n':>5}  {'detector':<22}plain rule")
    for kind, label in KINDS.items():
        rows = table[table.pert_id == kind]
        human, sound, broken = (rows[c].tolist() for c in ("eng_sent", "mt_sent", "pert_sent"))
        for name, source, copy in (
            (f"{label}: found, reference as source (a)", human, broken),
            (f"{label}: found, sound twin as source (b)", sound, broken),
            (f"{label}: sound flagged, reference (a, b)", human, sound),
        ):
            pairs = list(zip(source, copy, strict=True))
            print(
                f"{name:<46}{len(pairs):>5}  {shown(damaged(pairs, encoder, bundle)):<22}"
                f"{shown(plain_rule(pairs))}"
            )


if __name__ == "__main__":
    main()
