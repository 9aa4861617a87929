"""Measure what the quality gate guards and pin its floors in tests/golden/floors.json.

    python tests/pin_floors.py                      # raises floors, adds new ones
    python tests/pin_floors.py --lower "reason"     # may lower them too, and keeps the reason

Floors that would fall are refused without a reason. The corpora are measured where the folder
DETECTOR_SHARED is there; elsewhere their floors stay as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support.gate import FLOORS, Measured, floor_under, on_example, on_golden, on_shared


class RefusedError(Exception):
    """A floor would fall, and no reason was given."""


def repin(
    old: Mapping[str, Any], measured: Mapping[str, Measured], reason: str | None
) -> dict[str, Any]:
    """Return the floors as they are to be written.

    Parameters
    ----------
    old : mapping
        What `floors.json` holds.
    measured : mapping of str to Measured
        By part; a part that is not there keeps its floors.
    reason : str or None
        Why floors may fall or go.

    Raises
    ------
    RefusedError
        When a floor would fall or go without a reason; it names them all.
    """
    new = {**old, "lowered": list(old.get("lowered", ()))}
    fallen = []
    for part, found in measured.items():
        before = old.get(part, {}).get("floors", {})
        floors = {}
        for name, figure in sorted(found.figures.items()):
            floor = floor_under(figure)
            if name in before and floor < before[name]:
                fallen.append((part, name, before[name], floor))
            floors[name] = floor
        fallen += [(part, name, before[name], None) for name in sorted(set(before) - set(floors))]
        new[part] = {"digests": dict(sorted(found.digests.items())), "floors": floors}
    if fallen and reason is None:
        lines = "\n".join(f"  {part}, {name}: {a} -> {b}" for part, name, a, b in fallen)
        msg = f'these floors would fall; if they must, give --lower "reason":\n{lines}'
        raise RefusedError(msg)
    new["lowered"] += [
        {"part": part, "figure": name, "from": before, "to": after, "reason": reason}
        for part, name, before, after in fallen
    ]
    return new


def raised(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say which floors are new or moved."""
    lines = []
    for part in new:
        if part == "lowered":
            continue
        before = old.get(part, {}).get("floors", {})
        lines += [
            f"{part}, {name}: {before.get(name, 'new')} -> {floor}"
            for name, floor in new[part]["floors"].items()
            if before.get(name) != floor
        ]
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Pin the floors of the quality gate.")
    parser.add_argument("--lower", metavar="REASON", help="why floors may fall; kept in the file")
    arguments = parser.parse_args(argv)
    if arguments.lower is not None and not arguments.lower.strip():
        parser.error("--lower: give a reason")

    from detector.encoder import MiniLMEncoder

    encoder = MiniLMEncoder()
    measured = {"golden": on_golden(encoder), "example": on_example(encoder)}
    folder = os.environ.get("DETECTOR_SHARED")
    if folder:
        with tempfile.TemporaryDirectory() as scratch:
            measured["shared"] = on_shared(Path(folder), encoder, Path(scratch))
    else:
        print("DETECTOR_SHARED names no folder: the floors on the corpora stay", file=sys.stderr)
    old = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.is_file() else {}
    try:
        new = repin(old, measured, arguments.lower)
    except RefusedError as err:
        print(err, file=sys.stderr)
        return 1
    partial = FLOORS.with_name(f".{FLOORS.name}.partial")
    partial.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(FLOORS)
    print("\n".join(raised(old, new)) or "no floor moved")
    return 0


if __name__ == "__main__":
    sys.exit(main())
