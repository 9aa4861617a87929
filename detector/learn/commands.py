"""The command line of the learning wing: `train drift`, `evaluate`, `data check`.

Reads arguments, calls the other rooms in order, prints results to stdout and talk to stderr. No
numerics here. What is heavy is imported when a command runs, not when it is registered.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detector.encode import Encoder
    from detector.learn.corpus import Pair
    from detector.learn.sample import Mix

Commands = Any  # argparse keeps the type of a group of subcommands private

DONE, BAD_INPUT = 0, 2


def add_parsers(commands: Commands) -> None:
    """Register the commands.

    Parameters
    ----------
    commands : argparse subparsers
        Each command sets `run`, a function of the parsed arguments that returns the exit code.
    """
    train = commands.add_parser(
        "train", help="fit a model on labelled pairs", description="Fit a model."
    ).add_subparsers(dest="model", metavar="MODEL", required=True)
    drift = train.add_parser(
        "drift",
        help="fit the drift classifier",
        description="Fit the drift classifier on a folder of labelled tables and write a bundle.",
    )
    _add_corpora(drift)
    drift.add_argument(
        "--out",
        type=Path,
        metavar="BUNDLE",
        help="folder of the bundle to write (default: the one inside the package)",
    )
    drift.set_defaults(run=_train)

    evaluate = commands.add_parser(
        "evaluate",
        help="measure a bundle on pairs held apart",
        description="Measure a bundle, and simpler scores, on pairs never fitted or tuned on.",
    )
    _add_corpora(evaluate)
    evaluate.add_argument(
        "--bundle", type=Path, metavar="BUNDLE", help="default: the package's own"
    )
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    evaluate.set_defaults(run=_evaluate)

    data = commands.add_parser(
        "data", help="look at the labelled tables", description="Look at the labelled tables."
    ).add_subparsers(dest="action", metavar="ACTION", required=True)
    check = data.add_parser(
        "check",
        help="compare a folder of tables with the manifest",
        description="Compare a folder of tables with the digests that the package knows.",
    )
    check.add_argument("folder", type=Path, nargs="?", help="default: $DETECTOR_SHARED")
    check.set_defaults(run=_check)


def _add_corpora(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--shared",
        type=Path,
        metavar="FOLDER",
        help="folder of labelled tables (default: $DETECTOR_SHARED)",
    )
    parser.add_argument(
        "--limit", type=_count, metavar="N", help="about so many pairs (default: all of the mix)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of every draw (default 0)")
    parser.add_argument(
        "--cache", type=Path, metavar="FOLDER", help="keep features there, to go on after a stop"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "bf16", "auto"),
        default="fp32",
        help="arithmetic of the encoder (default fp32)",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing on stderr but errors")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        msg = f"{text} is not a number of pairs; give 1 or more"
        raise argparse.ArgumentTypeError(msg)
    return number


def _train(arguments: argparse.Namespace) -> int:
    from detector import store
    from detector.bundle import library_versions
    from detector.features import FEATURES, NAMES
    from detector.learn.card import card, table
    from detector.learn.corpus import Dropped, split
    from detector.learn.evaluate import OURS, baselines, evaluate
    from detector.learn.train import TrainConfig, fit
    from detector.version import __version__

    dropped = Dropped()
    config = TrainConfig(mix=_mix(arguments))
    pairs, tables = _pairs(arguments, config.mix, dropped)
    encoder = _encoder(arguments)
    X = _features(pairs, encoder, arguments)
    place = {id(pair): row for row, pair in enumerate(pairs)}
    ours, apart = split(pairs)
    ours = [pair for pair in ours if pair.label is not None]
    _say(arguments, f"fitting on {len(ours)} pairs")
    fitted = fit(ours, X[[place[id(pair)] for pair in ours]], NAMES, config)
    held = X[[place[id(pair)] for pair in apart]]
    scores = {
        OURS: fitted.classifier.predict_proba(held)[:, 1],
        **baselines(apart, held, NAMES),
    }
    figures = evaluate(apart, scores, threshold=fitted.threshold, mix=config.mix)
    columns = tuple((feature.name, feature.unit) for feature in FEATURES)
    counts = _counts(pairs)
    text = card(
        fitted,
        figures,
        config,
        facts={
            "tables": tables,
            "dropped": dropped.to_dict(),
            "counts": counts,
            "encoder": encoder.identity,
            "features": columns,
            "libraries": library_versions(),
        },
    )
    bundle = store.Bundle(
        drift=fitted.classifier,
        config=store.BundleConfig(
            schema=store.SCHEMA,
            version=__version__,
            threshold=fitted.threshold,
            columns=columns,
            encoder=encoder.identity,
            libraries=library_versions(),
            classifier="",
            training={
                "seed": config.mix.seed,
                "limit": config.mix.limit,
                "chosen": fitted.chosen,
                "compared": {name: e.to_list() for name, e in fitted.compared.items()},
                "calibration": list(fitted.classifier.calibration),
                "false_alarms": config.false_alarms,
                "prior": config.mix.prior,
                "pairs": {name: list(both) for name, both in counts.items()},
                "tables": {name: known["sha256"] for name, known in tables.items()},
                "held_apart": figures.to_dict(),
            },
        ),
        card=text,
    )
    folder = store.DEFAULT if arguments.out is None else arguments.out
    written = store.save(bundle, folder)
    print(table(figures))
    print(f"\nbundle {written.digest[:12]} written to {folder}")
    return DONE


def _evaluate(arguments: argparse.Namespace) -> int:
    from detector import store
    from detector.features import NAMES
    from detector.learn.card import table
    from detector.learn.corpus import Dropped, split
    from detector.learn.evaluate import OURS, baselines, evaluate

    encoder = _encoder(arguments)
    bundle = store.load(arguments.bundle, encoder=encoder.identity)
    mix = _mix(arguments)
    pairs, _ = _pairs(arguments, mix, Dropped())
    _, apart = split(pairs)
    X = _features(apart, encoder, arguments)
    scores = {OURS: bundle.drift.predict_proba(X)[:, 1], **baselines(apart, X, NAMES)}
    figures = evaluate(apart, scores, threshold=bundle.threshold, mix=mix)
    print(f"bundle {bundle.config.digest[:12]}\n{table(figures)}")
    if arguments.json is not None:
        partial = arguments.json.with_name(f".{arguments.json.name}.partial")
        text = json.dumps(figures.to_dict(), indent=1, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(arguments.json)
    return DONE


def _check(arguments: argparse.Namespace) -> int:
    from detector.learn.corpus import check, shared_folder

    differing = 0
    for name, state, known in check(shared_folder(arguments.folder)):
        differing += state == "differs"
        print(f"{name}\t{state}\t{known['rows']} rows\t{known['licence']}")
    return BAD_INPUT if differing else DONE


def _mix(arguments: argparse.Namespace) -> Mix:
    from detector.learn.sample import Mix

    return Mix(limit=arguments.limit, seed=arguments.seed)


def _pairs(
    arguments: argparse.Namespace,
    mix: Mix,
    dropped: Any,  # noqa: ANN401 - Dropped, imported late
) -> tuple[list[Pair], dict[str, Any]]:
    """Read the tables and draw the pairs; with them the manifest's entries of what was read."""
    from detector.learn.corpus import digest, manifest, shared_folder
    from detector.learn.loaders import LOADERS, load
    from detector.learn.sample import select

    folder = shared_folder(arguments.shared)
    _say(arguments, f"reading {folder}")
    pairs = select(load(folder, dropped), mix)
    used = {file for file, _ in LOADERS.values() if (folder / file).is_file()}
    tables = {
        name: {**known, "sha256": digest(folder / name)}
        for name, known in manifest().items()
        if name in used
    }
    return pairs, tables


def _encoder(arguments: argparse.Namespace) -> Encoder:
    from detector.encode import MiniLMEncoder

    return MiniLMEncoder(precision=arguments.precision)


def _features(
    pairs: Sequence[Pair], encoder: Encoder, arguments: argparse.Namespace
) -> NDArray[np.float64]:
    from tqdm import tqdm

    from detector.learn.measure import measure

    distinct = len({(pair.source, pair.copy) for pair in pairs})
    hidden = arguments.quiet or not sys.stderr.isatty()
    with tqdm(total=distinct, unit="pair", desc="features", disable=hidden) as bar:
        return measure(pairs, encoder, cache=arguments.cache, progress=bar.update)


def _counts(pairs: Sequence[Pair]) -> dict[str, tuple[int, int]]:
    names = sorted({pair.corpus for pair in pairs if pair.label is not None})
    return {
        name: (
            sum(pair.corpus == name and pair.label is False for pair in pairs),
            sum(pair.corpus == name and pair.label is True for pair in pairs),
        )
        for name in names
    }


def _say(arguments: argparse.Namespace, text: str) -> None:
    if not arguments.quiet:
        print(f"detector: {text}", file=sys.stderr)
