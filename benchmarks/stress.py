"""Makes alignment stress documents with known gold beads out of parallel lines.

A document of (source line, copy line) pairs is damaged on each side by itself: lines are deleted,
neighbouring lines are merged into one sentence, and lines of other documents are inserted. The
gold beads follow from these edits: sentences that share a line belong to one bead, sentences that
share none are omissions and additions of one sentence each. A sentence inserted inside a bead
leaves that bead with a hole, which no aligner of contiguous ranges can return; such beads are kept
in the gold.

This script does not align anything; `align.py` beside it does. It reads the shared corpora through
a folder given by argument or by DETECTOR_SHARED, and writes the form of `align_stress.json`::

    python benchmarks/stress.py --corpus wmt --seed 3 --out stress.json
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

Pair = tuple[str, str]


class Stress(TypedDict):
    """One stress document, as in `align_stress.json`."""

    id: str
    source: list[str]
    copy: list[str]
    gold: list[tuple[list[int], list[int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How often each edit strikes a side, per step along its lines."""

    delete: float
    merge: float
    insert: float


# Rates counted in align_stress.json: at each step a line is deleted, or 2 (four times in five) or 3
# lines are merged, or one line is kept; after each sentence a foreign one may follow.
LEVELS = {
    "clean": Level(delete=0.0, merge=0.0, insert=0.0),
    "light": Level(delete=0.03, merge=0.04, insert=0.03),
    "heavy": Level(delete=0.10, merge=0.14, insert=0.10),
    "brutal": Level(delete=0.25, merge=0.20, insert=0.25),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """A document of paired lines, in order, by one translation system."""

    id: str
    system: str
    pairs: tuple[Pair, ...]


def damaged_side(
    lines: Sequence[str], foreign: Sequence[str], level: Level, rng: np.random.Generator
) -> tuple[list[str], list[tuple[int, ...]]]:
    """Delete, merge and insert on one side.

    Parameters
    ----------
    lines : sequence of str
        The side's lines, in order.
    foreign : sequence of str
        Lines of other documents, to insert from.
    level : Level
        How often each edit strikes.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    sentences : list of str
    holds : list of tuple of int
        The lines each sentence is made of; empty for an inserted one.
    """
    sentences: list[str] = []
    holds: list[tuple[int, ...]] = []
    at = 0
    while at < len(lines):
        fate = rng.random()
        if fate < level.delete:
            at += 1
            continue
        size = 1
        if fate < level.delete + level.merge:
            size = 2 if rng.random() < 0.8 else 3
        unit = tuple(range(at, min(at + size, len(lines))))
        sentences.append(" ".join(lines[i] for i in unit))
        holds.append(unit)
        at += len(unit)
        if foreign and rng.random() < level.insert:
            sentences.append(foreign[int(rng.integers(len(foreign)))])
            holds.append(())
    return sentences, holds


def gold_beads(
    source: Sequence[tuple[int, ...]], copy: Sequence[tuple[int, ...]]
) -> list[tuple[list[int], list[int]]]:
    """Join the sentences of both sides that share a line, directly or through others."""
    leader: dict[int, int] = {}

    def find(line: int) -> int:
        while leader.setdefault(line, line) != line:
            line = leader[line]
        return line

    for unit in (*source, *copy):
        for line in unit[1:]:
            leader[find(line)] = find(unit[0])
    groups: dict[int, tuple[list[int], list[int]]] = {}
    alone: list[tuple[list[int], list[int]]] = []
    for side, units in enumerate((source, copy)):
        for index, unit in enumerate(units):
            bead = groups.setdefault(find(unit[0]), ([], [])) if unit else ([], [])
            bead[side].append(index)
            if not unit:
                alone.append(bead)
    both = [bead for bead in groups.values() if all(bead)]
    lost = [bead for bead in groups.values() if not all(bead)]
    alone += [([i], []) for left, _ in lost for i in left]
    alone += [([], [j]) for _, right in lost for j in right]
    return both + alone


def stress_document(
    document: Parallel, foreign: Sequence[Pair], level: str, rng: np.random.Generator
) -> Stress:
    """Damage both sides of a document and work out its gold beads."""
    rates = LEVELS[level]
    source, held_source = damaged_side(
        [s for s, _ in document.pairs], [s for s, _ in foreign], rates, rng
    )
    copy, held_copy = damaged_side(
        [c for _, c in document.pairs], [c for _, c in foreign], rates, rng
    )
    return {
        "id": f"{level}/{document.system}/{document.id}",
        "source": source,
        "copy": copy,
        "gold": gold_beads(held_source, held_copy),
    }


def stress_documents(
    documents: Sequence[Parallel], seed: int, levels: Sequence[str] = tuple(LEVELS)
) -> Iterator[Stress]:
    """Damage every document at every level; foreign lines come from the same system's others."""
    for number, document in enumerate(documents):
        foreign = [
            pair
            for other in documents
            if other.system == document.system and other.id != document.id
            for pair in other.pairs
        ]
        for place, level in enumerate(levels):
            yield stress_document(
                document, foreign, level, np.random.default_rng([seed, number, place])
            )


# ---------------------------------------------------------------- corpora


def _chunks(name: str, system: str, pairs: list[Pair], size: int) -> Iterator[Parallel]:
    pairs = [(s.strip(), c.strip()) for s, c in pairs if s.strip() and c.strip()]
    for start in range(0, len(pairs) - size // 2, size):
        chunk = tuple(pairs[start : start + size])
        yield Parallel(id=f"{name}.{start}", system=system, pairs=chunk)


def ted(shared: Path) -> Iterator[Parallel]:
    """TED talks, Chinese to English, one document a talk."""
    table = pd.read_parquet(shared / "data" / "mqm_ted_zhen.parquet")
    table = table.assign(order=table["seg"].astype(int)).sort_values(["system", "doc", "order"])
    for (system, talk), rows in table.groupby(["system", "doc"]):
        pairs = list(zip(rows["source"], rows["copy"], strict=True))
        yield Parallel(id=str(talk), system=str(system), pairs=tuple(pairs))


def news(shared: Path) -> Iterator[Parallel]:
    """WMT21 news, Chinese to English, about five articles a document."""
    table = pd.read_parquet(shared / "data" / "mqm_news21_zhen.parquet")
    table = table[table["seg"].str.isdigit()]  # a few ids hold a dot too many
    table = table.assign(order=table["seg"].astype(int)).sort_values(["system", "doc", "order"])
    for system, rows in table.groupby("system"):
        pairs = list(zip(rows["source"], rows["copy"], strict=True))
        yield from _chunks("news", str(system), pairs, 70)


def wmt(shared: Path) -> Iterator[Parallel]:
    """English news of WMT14, 15 and 18 through human translators and back, 100 lines a document."""
    table = pd.read_parquet(shared / "data" / "wmt14_15_18_rt.parquet")
    table = table[table["suspect_misaligned"].astype(int) == 0]
    table = table.assign(order=table["line"].astype(int))
    table = table.sort_values(["set", "lang", "system", "order"])
    for (year, lang, system), rows in table.groupby(["set", "lang", "system"]):
        pairs = list(zip(rows["orig_en"], rows["back_en"], strict=True))
        yield from _chunks(str(year), f"{system}-{lang}-{year}", pairs, 100)


def flores(shared: Path) -> Iterator[Parallel]:
    """FLORES development sentences through 55 languages and back, 100 lines a document."""
    table = pd.read_parquet(shared / "data" / "flores_dev_rt.parquet")
    table = table.assign(order=table["sid"].astype(int)).sort_values(["lang", "system", "order"])
    for (lang, system), rows in table.groupby(["lang", "system"]):
        pairs = list(zip(rows["orig_en"], rows["back_en"], strict=True))
        yield from _chunks("dev", f"{system}-{lang}", pairs, 100)


def bio(shared: Path) -> Iterator[Parallel]:
    """Biomedical abstracts out of several languages, about ten abstracts a document."""
    table = pd.read_parquet(shared / "data" / "biomqm_into_en.parquet")
    table = table.assign(order=table["seg"].astype(int)).sort_values(
        ["lp", "system", "doc", "order"]
    )
    table = table.drop_duplicates(["lp", "system", "doc", "order"])
    for (pair, system), rows in table.groupby(["lp", "system"]):
        pairs = list(zip(rows["ref_en"], rows["mt_en"], strict=True))
        yield from _chunks("bio", f"{system}-{pair}", pairs, 80)


CORPORA: dict[str, Callable[[Path], Iterator[Parallel]]] = {
    "ted": ted,
    "news": news,
    "wmt": wmt,
    "flores": flores,
    "bio": bio,
}


def chosen(
    documents: Sequence[Parallel], count: int, rng: np.random.Generator
) -> tuple[list[Parallel], list[Parallel]]:
    """Draw `count` documents; return them, and all documents of the same systems."""
    order = rng.permutation(len(documents))[:count]
    drawn = [documents[int(i)] for i in sorted(order)]
    systems = {document.system for document in drawn}
    return drawn, [document for document in documents if document.system in systems]


def made_from(documents: Sequence[Parallel], count: int, seed: int) -> list[Stress]:
    """Draw `count` documents and damage each at every level."""
    drawn, pool = chosen(documents, count, np.random.default_rng(seed))
    wanted = {(document.system, document.id) for document in drawn}
    return [
        item for item in stress_documents(pool, seed) if tuple(item["id"].split("/")[1:]) in wanted
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--shared", type=Path, default=os.environ.get("DETECTOR_SHARED"))
    parser.add_argument("--corpus", choices=sorted(CORPORA), required=True)
    parser.add_argument("--system", action="append", help="only these systems (repeatable)")
    parser.add_argument("--documents", type=int, default=12, help="documents drawn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.shared is None:
        parser.error("name the folder of shared data with --shared or DETECTOR_SHARED")
    documents = [
        document
        for document in CORPORA[options.corpus](Path(options.shared))
        if not options.system or document.system in options.system
    ]
    made = made_from(documents, options.documents, options.seed)
    part = options.out.with_name(options.out.name + ".part")
    part.write_text(json.dumps(made, ensure_ascii=False, indent=0), encoding="utf-8")
    part.replace(options.out)
    print(f"{len(made)} documents, {sum(len(m['source']) for m in made)} source sentences")


if __name__ == "__main__":
    main()
