"""How well the pivot is named: whole systems and sentences held apart, baselines in the same run.

    python benchmarks/pivot.py --shared DIR [--documents 20] [--parts standard,domain]

A document is drawn out of sentences of one pivot and one translator. In each rotation one family of
translators is held apart from the weights, and no sentence of the test documents was seen by
weights or calibration; intervals are by bootstrap over groups of one pivot and one family.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector import Scorer
from detector.errors import DetectorWarning
from detector.learn.corpus import shared_folder
from detector.learn.pivot_measure import (
    Judged,
    by_length,
    confusion,
    figures,
    hold_apart,
    judge_held,
    seen_systems,
)
from detector.learn.pivot_rows import Rows, read_round_trips, rows_of
from detector.learn.pivot_runs import PivotSettings
from detector.pivoting.verdict import judge_pivot
from detector.store import pivot_of

LANGUAGES = (
    "ar", "cs", "de", "es", "fi", "fr", "hi", "hu", "id", "it", "ja", "ko", "nl", "pl", "pt",
    "ro", "ru", "sv", "tr", "zh",
)  # fmt: skip
UNKNOWN = ("bn", "da", "el", "et", "fa", "he", "th", "vi")  # languages that the model is kept from
PARTS = ("standard", "single", "plain", "domain", "unknown", "topic", "cost")
# What the linear model over edits that was measured while planning was built of.
PLAIN = ("edit ", "pair ", "in ", "out ")
EXAMPLE = Path(__file__).resolve().parent.parent / "data" / "example"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shared", type=Path)
    parser.add_argument("--documents", type=int, default=20)
    parser.add_argument("--parts", default=",".join(PARTS))
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    settings = PivotSettings(languages=LANGUAGES)
    if set(parts) & {"standard", "single", "plain", "domain", "unknown"}:
        pairs = read_round_trips(shared_folder(arguments.shared), (*LANGUAGES, *UNKNOWN))
        rows = rows_of(pairs, LANGUAGES)
        if "standard" in parts:
            standard(taken(rows, "flores", LANGUAGES), settings, arguments.documents)
        if "single" in parts:
            single(taken(rows, "flores", LANGUAGES), settings, arguments.documents)
        if "plain" in parts:
            plain = rows_of([p for p in pairs if p.corpus == "flores"], (), prefixes=PLAIN)
            held = hold_apart(
                taken(plain, "flores", LANGUAGES), settings, documents=arguments.documents
            )
            show("words and neighbours alone", judge_held(held, settings), settings)
        if "domain" in parts:
            domain(rows, settings, arguments.documents)
        if "unknown" in parts:
            flores = taken(rows, "flores", LANGUAGES)
            tested = taken(rows, "flores", UNKNOWN)
            held = hold_apart(flores, settings, tested=tested, documents=arguments.documents)
            show("languages that the model does not know", judge_held(held, settings), settings)
    if "topic" in parts:
        topic(arguments.shared)
    if "cost" in parts:
        cost()


def single(flores: Rows, settings: PivotSettings, documents: int) -> None:
    """Hold one translator apart, where others of its family stay: an easier reading."""
    alone = replace(flores, system=flores.variant)
    judged = judge_held(hold_apart(alone, settings, documents=documents), settings)
    show("FLORES, one translator held apart, its family seen", judged, settings)


def standard(flores: Rows, settings: PivotSettings, documents: int) -> None:
    held = hold_apart(flores, settings, documents=documents)
    judged = judge_held(held, settings)
    show("FLORES, all rotations", judged, settings)
    for system in sorted(set(judged.documents.system)):
        show(
            f"FLORES, {system} held apart", at(judged, judged.documents.system == system), settings
        )
    show("translators seen in fitting, sentences not", seen_systems(flores, settings), settings)
    print(f"chance {1 / len(settings.languages):.3f}; copy length alone, top-1:")
    print("  ", by_length(flores, settings, held))
    print("families of documents of 30 (row: true, column: likeliest, in the same order)")
    found = confusion(at(judged, judged.documents.sentences == 30), settings.languages)
    for family, row in found.items():
        print(f"   {family:<20}", " ".join(f"{value:.2f}" for value in row.values()))


def domain(rows: Rows, settings: PivotSettings, documents: int) -> None:
    """Fit on one corpus and test on the other, beside the same languages within one corpus."""
    news = set(rows.language[rows.corpus == "wmt"])
    shared = tuple(code for code in settings.languages if code in news)
    wmt, few = taken(rows, "wmt", shared), taken(rows, "flores", shared)
    flores = taken(rows, "flores", settings.languages)
    only = replace(settings, languages=shared)
    for name, fitted, tested, how in (
        ("20 languages: FLORES, tested on FLORES", flores, few, settings),
        ("20 languages: FLORES, tested on WMT", flores, wmt, settings),
        (f"{len(shared)} languages: WMT, tested on WMT", wmt, wmt, only),
        (f"{len(shared)} languages: WMT, tested on FLORES", wmt, few, only),
        (f"{len(shared)} languages: FLORES, tested on FLORES", few, few, only),
    ):
        held = hold_apart(fitted, how, tested=tested, documents=documents)
        show(f"fitted on {name}", judge_held(held, how), how)


def topic(shared: Path | None) -> None:
    """Put each source in the place of its copy: nothing may be said of it."""
    model = pivot_of()
    pairs = read_round_trips(shared_folder(shared), ("fr",))[:997]
    found = [judge_pivot(model, [(p.source, p.source) for p in pairs[i:][:30]]) for i in range(50)]
    named = sum(one.language is not None for one in found)
    likeliest = max(max(one.posterior.values()) for one in found)
    print(f"copy replaced by its source: {named} of {len(found)} documents get a name; the ")
    print(f"likeliest language has {likeliest:.4f}, chance is {1 / len(model.languages):.4f}")


def cost() -> None:
    """Print what naming the pivot takes beside scoring a pair, medians of one run."""
    warnings.simplefilter("ignore", DetectorWarning)
    copy = (EXAMPLE / "copy.txt").read_text(encoding="utf-8")
    source = (EXAMPLE / "source.txt").read_text(encoding="utf-8")
    scorers = {asked: Scorer(pivot=asked) for asked in (False, True)}
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(8):
        for asked, scorer in scorers.items():
            began = time.perf_counter()
            scorer.score(copy=copy, source=source)
            if number:
                times[asked].append(time.perf_counter() - began)
    ratio = statistics.median(times[True]) / statistics.median(times[False])
    print(f"scoring with the pivot / without it: {ratio:.3f}")


def taken(rows: Rows, corpus: str, languages: tuple[str, ...]) -> Rows:
    wanted = (rows.corpus == corpus) & np.isin(rows.language, languages)
    return rows.of(np.flatnonzero(wanted))


def at(judged: Judged, which: NDArray[np.bool_]) -> Judged:
    return judged.of(np.flatnonzero(which))


def show(title: str, judged: Judged, settings: PivotSettings) -> None:
    print(title)
    for size in sorted(set(judged.documents.sentences.tolist())):
        mine = at(judged, judged.documents.sentences == size)
        print(f"  {size} sentences, {len(mine.threshold)} documents")
        for name, value in figures(mine, settings.languages).items():
            print(f"    {name:<12} {value}")


if __name__ == "__main__":
    main()
