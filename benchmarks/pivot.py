"""Measure the pivot model: whole systems and sentences held out, baselines in the same run.

    python benchmarks/pivot.py --shared DIR [--documents 20] [--parts standard,domain]

A document is drawn from sentences of one pivot and one translator. In each rotation one family of
translators is held out from the weights, and neither weights nor calibration were fitted on the
sentences of the test documents; intervals are by bootstrap over groups of one pivot and family.
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
from detector.encoder import MiniLMEncoder
from detector.errors import DetectorWarning
from detector.models.store import pivot_of
from detector.pivot.pivot import predict_pivot
from detector.training.data.corpus import shared_folder
from detector.training.pivot import PivotSettings
from detector.training.pivot_data import (
    Rows,
    encode_pairs,
    encode_sides,
    featurise,
    read_round_trips,
)
from detector.training.pivot_evaluate import (
    Predicted,
    by_length,
    confusion,
    evaluate,
    hold_out,
    predict_held_out,
    seen_systems,
)
from detector.training.pivot_weights import NetSettings

LANGUAGES = (
    "ar", "cs", "de", "es", "fi", "fr", "hi", "hu", "id", "it", "ja", "ko", "nl", "pl", "pt",
    "ro", "ru", "sv", "tr", "zh",
)  # fmt: skip
UNKNOWN = ("bn", "da", "el", "et", "fa", "he", "th", "vi")  # the model is not fitted on them
PARTS = ("standard", "single", "plain", "domain", "topic", "cost")
# Features of a plain linear model over edits.
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
    if set(parts) & {"standard", "single", "plain", "domain"}:
        pairs = read_round_trips(shared_folder(arguments.shared), (*LANGUAGES, *UNKNOWN))
        pool = encode_pairs(pairs, MiniLMEncoder(precision="auto"))
        rows = featurise(pairs, LANGUAGES, pool)
        if "standard" in parts:
            standard(rows, settings, arguments.documents)
        if "single" in parts:
            single(taken(rows, "flores", LANGUAGES), settings, arguments.documents)
        if "plain" in parts:
            no_net = NetSettings(steps=0)
            linear = replace(settings, edit_net=no_net, kept_net=no_net)
            edits_only = replace(linear, kept=replace(settings.kept, epochs=0))
            for title, made, options in (
                ("features of edits and of kept words, no vectors", rows, linear),
                ("features of edits alone", rows, edits_only),
                (
                    "words and neighbours alone",
                    featurise(pairs, (), pool, prefixes=PLAIN),
                    edits_only,
                ),
            ):
                flores = taken(made, "flores", LANGUAGES)
                held = hold_out(flores, options, {"": flores}, documents=arguments.documents)
                show(title, predict_held_out(held[""], options), options)
        if "domain" in parts:
            domain(rows, settings, arguments.documents)
    if "topic" in parts:
        topic(arguments.shared)
    if "cost" in parts:
        cost()


def single(flores: Rows, settings: PivotSettings, documents: int) -> None:
    """Hold out one translator, where others of its family stay: an easier test."""
    alone = replace(flores, system=flores.variant)
    held = hold_out(alone, settings, {"": alone}, documents=documents)[""]
    show(
        "FLORES, one translator held out, its family seen",
        predict_held_out(held, settings),
        settings,
    )


def standard(rows: Rows, settings: PivotSettings, documents: int) -> None:
    """Fit on FLORES; test on it, on news, and on languages that the model is not fitted on."""
    news = news_of(rows, settings)
    flores = taken(rows, "flores", LANGUAGES)
    tested = {
        "FLORES": flores,
        "FLORES, the languages of WMT": taken(rows, "flores", news),
        "WMT": taken(rows, "wmt", news),
        "languages that the model does not know": taken(rows, "flores", UNKNOWN),
        # Only the topic of a text can then be evidence for a language.
        "each sentence through another language": mixed(flores),
    }
    found = hold_out(flores, settings, tested, documents=documents)
    for name, held in found.items():
        show(f"fitted on FLORES, tested on {name}", predict_held_out(held, settings), settings)
    predicted = predict_held_out(found["FLORES"], settings)
    for system in sorted(set(predicted.documents.system)):
        show(
            f"FLORES, {system} held out",
            at(predicted, predicted.documents.system == system),
            settings,
        )
    print(f"chance {1 / len(settings.languages):.3f}; copy length alone, top-1:")
    print("  ", by_length(flores, settings, found["FLORES"]))
    print("families of documents of 30 (row: true, column: likeliest, in the same order)")
    spread = confusion(at(predicted, predicted.documents.n_sentences == 30), settings.languages)
    for family, row in spread.items():
        print(f"   {family:<20}", " ".join(f"{value:.2f}" for value in row.values()))
    show("translators fitted on, sentences not", seen_systems(flores, settings), settings)


def domain(rows: Rows, settings: PivotSettings, documents: int) -> None:
    """Fit on the languages of the news alone, on one corpus and on the other."""
    news = news_of(rows, settings)
    tested = {"FLORES": taken(rows, "flores", news), "WMT": taken(rows, "wmt", news)}
    only = replace(settings, languages=news)
    for name, fitted in tested.items():
        for other, held in hold_out(fitted, only, tested, documents=documents).items():
            title = f"{len(news)} languages, fitted on {name}, tested on {other}"
            show(title, predict_held_out(held, only), only)


def news_of(rows: Rows, settings: PivotSettings) -> tuple[str, ...]:
    found = set(rows.language[rows.corpus == "wmt"])
    return tuple(code for code in settings.languages if code in found)


def topic(shared: Path | None) -> None:
    """Replace each copy by its source: no language may be named."""
    model = pivot_of()
    pairs = read_round_trips(shared_folder(shared), ("fr",))
    sides = encode_sides([pair.source for pair in pairs[:80]], MiniLMEncoder())
    beads = [(sides[pair.source],) * 2 for pair in pairs[:80]]
    found = [predict_pivot(model, beads[i:][:30]) for i in range(50)]
    named = sum(one.language is not None for one in found)
    likeliest = max(max(one.posterior.values()) for one in found)
    print(f"copy replaced by its source: {named} of {len(found)} documents get a name; the ")
    print(f"likeliest language has {likeliest:.4f}, chance is {1 / len(model.languages):.4f}")


def cost() -> None:
    """Print the cost of the pivot relative to scoring a pair, medians of one run."""
    warnings.simplefilter("ignore", DetectorWarning)
    copy = (EXAMPLE / "copy.txt").read_text(encoding="utf-8")
    source = (EXAMPLE / "source.txt").read_text(encoding="utf-8")
    scorers = {pivot: Scorer(pivot=pivot) for pivot in (False, True)}
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(8):
        for pivot, scorer in scorers.items():
            began = time.perf_counter()
            scorer.score(copy=copy, source=source)
            if number:
                times[pivot].append(time.perf_counter() - began)
    ratio = statistics.median(times[True]) / statistics.median(times[False])
    print(f"scoring with the pivot / without it: {ratio:.3f}")


def mixed(rows: Rows) -> Rows:
    """Let documents hold sentences of one translator through all its languages."""
    return replace(rows, language=np.full(len(rows.language), "", dtype=object))


def taken(rows: Rows, corpus: str, languages: tuple[str, ...]) -> Rows:
    wanted = (rows.corpus == corpus) & np.isin(rows.language, languages)
    return rows.of(np.flatnonzero(wanted))


def at(predicted: Predicted, which: NDArray[np.bool_]) -> Predicted:
    return predicted.of(np.flatnonzero(which))


def show(title: str, predicted: Predicted, settings: PivotSettings) -> None:
    print(title)
    for size in sorted(set(predicted.documents.n_sentences.tolist())):
        mine = at(predicted, predicted.documents.n_sentences == size)
        print(f"  {size} sentences, {len(mine.named)} documents")
        for name, value in evaluate(mine, settings.languages).items():
            print(f"    {name:<12} {value}")


if __name__ == "__main__":
    main()
