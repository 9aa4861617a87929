"""The commands `train`, `evaluate` and `data check`.

The command `train relation`: reads arguments, calls the other rooms, prints the figures.

The command `train pivot`: reads arguments, calls the other rooms, prints what was written.

The command line of the learning wing: `train drift`, `evaluate`, `data check`.

Reads arguments, calls the other rooms in order, prints results to stdout and talk to stderr. No
numerics here. What is heavy is imported when a command runs, not when it is registered.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.cli.options import add_quiet, add_shared, bar, count

if TYPE_CHECKING:
    from detector.encoder import Encoder
    from detector.training.config import Settings
    from detector.training.data.corpus import Pair


def add_relation(train: Any) -> None:  # noqa: ANN401 - argparse keeps the type of subcommands private
    """Register the command.

    Parameters
    ----------
    train : argparse subparsers
        Of `detector train`.
    """
    relation = train.add_parser(
        "relation",
        help="fit the model that says what a copy is to a source",
        description="Fit the model that tells round trips from duplicates, paraphrases and other "
        "texts, on documents cut out of the shared corpora, and put it into a bundle. A fifth of "
        "the stretches of lines is held apart and measured on.",
    )
    add_shared(relation)
    relation.add_argument(
        "--documents", type=int, default=6000, metavar="N", help="about so many pairs (6000)"
    )
    relation.add_argument("--seed", type=int, default=0, help="of every draw (default 0)")
    relation.add_argument(
        "--bundle", type=Path, metavar="BUNDLE", help="bundle to start from (the package's own)"
    )
    relation.add_argument(
        "--out", type=Path, metavar="BUNDLE", required=True, help="folder of the bundle to write"
    )
    relation.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    add_quiet(relation)
    relation.set_defaults(run=_train_relation)


def _train_relation(arguments: argparse.Namespace) -> int:
    from detector.encoder import MiniLMEncoder
    from detector.errors import InputError
    from detector.models import store
    from detector.report.serialise import dumps
    from detector.text.files import write_whole
    from detector.training.data.corpus import shared_folder
    from detector.training.relation import RelationSettings, train_relation
    from detector.training.relation_data import read_blocks
    from detector.training.relation_evaluate import with_relations

    if arguments.documents < 100:
        msg = f"--documents is {arguments.documents}; give 100 or more, some of every kind"
        raise InputError(msg)
    encoder = MiniLMEncoder()
    bundle = store.load(arguments.bundle, encoder=encoder.identity, pivot=True)
    settings = RelationSettings(n_documents=arguments.documents, seed=arguments.seed)
    with ExitStack() as shown:

        def progress(doing: str, total: int) -> Callable[[int], object]:
            shown.close()  # one bar after another
            return shown.enter_context(bar(total, doing, "it", quiet=arguments.quiet))

        model, results = train_relation(
            read_blocks(shared_folder(arguments.shared)), encoder, settings, progress=progress
        )
    card = with_relations(bundle.card, model, results)
    written = store.save(replace(bundle, relation=model, card=card), arguments.out)
    if arguments.json is not None:
        write_whole(arguments.json, dumps(results.to_dict(), indent=1) + "\n")
    print(results.to_text())
    print(f"\nbundle {written.digest[:12]} written to {arguments.out}")
    return DONE


def add_pivot(train: Any) -> None:  # noqa: ANN401 - argparse keeps the type of subcommands private
    """Register the command.

    Parameters
    ----------
    train : argparse subparsers
        Of `detector train`.
    """
    pivot = train.add_parser(
        "pivot",
        help="fit the model that names the pivot language",
        description="Fit the model that names the language a copy went through, on round trips "
        "of the shared corpora. Its calibration is fitted on translators and sentences that its "
        "weights have not seen.",
    )
    add_shared(pivot)
    pivot.add_argument(
        "--languages",
        metavar="CODES",
        help="ISO 639-1 codes with commas between them (default: those of the package's model)",
    )
    pivot.add_argument("--seed", type=int, default=0, help="of the draw of documents (default 0)")
    pivot.add_argument(
        "--bundle", type=Path, metavar="BUNDLE", help="bundle to put the model into as well"
    )
    pivot.add_argument(
        "--precision",
        choices=("fp32", "bf16", "auto"),
        default="auto",
        help="arithmetic of the encoder; auto is bf16 where the processor has it (default)",
    )
    add_quiet(pivot)
    pivot.add_argument(
        "--out", type=Path, metavar="FILE", required=True, help="model to write (.safetensors)"
    )
    pivot.set_defaults(run=_train_pivot)


def _train_pivot(arguments: argparse.Namespace) -> int:
    from detector.encoder import MiniLMEncoder
    from detector.models import store
    from detector.pivot.model import save
    from detector.training.data.corpus import digest, shared_folder
    from detector.training.pivot import LANGUAGES, PivotSettings, documents_seen, train_pivot
    from detector.training.pivot_data import TABLES, encode_pairs, featurise, read_round_trips

    languages = LANGUAGES if arguments.languages is None else _codes(arguments.languages)
    settings = PivotSettings(languages=languages, seed=arguments.seed)
    folder = shared_folder(arguments.shared)
    pairs = read_round_trips(folder, languages)
    encoder = MiniLMEncoder(precision=arguments.precision)
    with bar(len(pairs), "encoding", "pair", quiet=arguments.quiet) as progress:
        pool = encode_pairs(pairs, encoder, progress=progress)
    with bar(len(pairs), "features", "pair", quiet=arguments.quiet) as progress:
        rows = featurise(pairs, languages, pool, progress=progress)
    total = documents_seen(rows, settings)
    with bar(total, "fitting", "document", quiet=arguments.quiet) as progress:
        model = train_pivot(
            rows,
            settings,
            encoder=encoder.identity,
            tables={name: digest(folder / name) for name in TABLES if (folder / name).is_file()},
            progress=progress,
        )
    written = save(model, arguments.out)
    if arguments.bundle is not None:
        store.save(replace(store.load(arguments.bundle), pivot=model), arguments.bundle)
    print(
        f"pivot model {written[:12]} of {len(languages)} languages, {len(model.edits.keys)} "
        f"features of edits and {len(model.kept.keys)} of kept words written to {arguments.out}; "
        f"it names a language from {model.threshold:.2f}"
    )
    return DONE


def _codes(text: str) -> tuple[str, ...]:
    from detector.errors import InputError
    from detector.pivot.languages import NAMES

    codes = tuple(dict.fromkeys(code.strip().lower() for code in text.split(",") if code.strip()))
    unknown = [code for code in codes if code not in NAMES]
    if unknown or len(codes) < 2:
        what = f"{unknown[0]!r} is not a language" if unknown else f"{len(codes)} language given"
        msg = f"--languages: {what}; give two or more of {','.join(NAMES)}"
        raise InputError(msg)
    return codes


Commands = Any  # argparse keeps the type of a group of subcommands private

DONE, BAD_INPUT = 0, 2

# Long options of both commands; without defaults, so that a config file may set them.
_COMMON = ("shared", "table", "limit", "seed", "cache", "precision", "quiet")

_EPILOG = (
    "Own tables: .csv, .tsv, .jsonl or .parquet with columns source, copy and label (1, true, "
    "drift; 0, false, sound; blank where unknown), and if you like group, points (error points), "
    "kind, system and lang."
)


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
        description="Fit the drift classifier on the shared corpora, or on tables of your own, "
        "and write a bundle. A fifth of the source sentences is held apart and measured on.",
        epilog=_EPILOG,
    )
    _add_pairs(drift)
    drift.add_argument(
        "--out",
        type=Path,
        metavar="BUNDLE",
        help="folder of the bundle to write (default: the one inside the package)",
    )
    drift.add_argument(
        "--tagger",
        type=Path,
        metavar="FOLDER",
        help="tagger whose word by word readings the bundle is to use as well (default: none)",
    )
    drift.set_defaults(run=_train, accepts=(*_COMMON, "out", "tagger"))
    _add_tagger(train)
    add_relation(train)
    add_pivot(train)

    evaluate = commands.add_parser(
        "evaluate",
        help="measure a bundle on pairs held apart",
        description="Measure a bundle, and simpler scores, on pairs of the shared corpora that "
        "were never fitted or tuned on, or on all rows of tables of your own.",
        epilog=_EPILOG,
    )
    _add_pairs(evaluate)
    evaluate.add_argument(
        "--bundle", type=Path, metavar="BUNDLE", help="default: the package's own"
    )
    evaluate.add_argument(
        "--no-tagger", action="store_true", help="measure the bundle without its tagger"
    )
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    evaluate.set_defaults(run=_evaluate, accepts=(*_COMMON, "bundle", "json"))

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


def _add_tagger(train: Commands) -> None:
    tagger = train.add_parser(
        "tagger",
        help="fit the network that says which words are damaged or lost",
        description="Fit the tagger on the marks of the shared corpora and on minimal pairs. A "
        "third of the source sentences is kept from it, for models that read what it says.",
    )
    _add_drawn(tagger)
    tagger.add_argument("--epochs", type=float, default=1.0, help="passes over them (default 1)")
    tagger.add_argument("--seed", type=int, default=0, help="of every draw (default 0)")
    tagger.add_argument(
        "--precision",
        choices=("fp32", "bf16", "auto"),
        default="fp32",
        help="arithmetic of the fit; auto is bf16 where the machine has it (default fp32)",
    )
    tagger.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="kept there, to go on after a stop"
    )
    add_quiet(tagger)
    tagger.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        required=True,
        help="folder of the tagger to write, for `detector train drift --tagger`",
    )
    tagger.set_defaults(run=_train_tagger)


def _add_pairs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML with these options, and how pairs are drawn and fitted; flags override it",
    )
    _add_drawn(parser)
    parser.add_argument(
        "--table",
        type=Path,
        action="append",
        metavar="FILE",
        help="table of your own, instead of the shared corpora; may be given more than once",
    )
    parser.add_argument("--seed", type=int, help="of every draw (default 0)")
    parser.add_argument(
        "--cache", type=Path, metavar="FOLDER", help="keep features there, to go on after a stop"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "bf16", "auto"),
        help="arithmetic of the encoder (default fp32)",
    )
    parser.add_argument(
        "--quiet", action="store_true", default=None, help="say nothing on stderr but errors"
    )


def _add_drawn(parser: argparse.ArgumentParser) -> None:
    """Say where pairs are drawn from, and how many."""
    add_shared(parser)
    parser.add_argument(
        "--limit", type=count, metavar="N", help="about so many pairs (default: all of the mix)"
    )


def _train(arguments: argparse.Namespace) -> int:
    from detector.models import store
    from detector.models.tagger import load
    from detector.training.data.splits import gather
    from detector.training.evaluate.report import printed
    from detector.training.run import train

    settings = _settings(arguments)
    encoder = _encoder(settings)
    tagger = None if settings.tagger is None else load(settings.tagger, encoder=encoder.identity)
    _say(settings, "reading the tables")
    material = gather(settings, fitting=True)
    _say(settings, f"fitting on {len(material.fitting)} pairs")
    pairs = (*material.fitting, *material.apart)
    with bar(_distinct(pairs), "features", "pair", quiet=settings.quiet) as progress:
        bundle, figures = train(material, encoder, settings, tagger=tagger, progress=progress)
    # These look at texts alone: a new bundle keeps the package's.
    bundle = replace(
        bundle, relation=store.relation_of(encoder=encoder.identity), pivot=store.pivot_of()
    )
    folder = store.DEFAULT if settings.out is None else settings.out
    written = store.save(bundle, folder)
    print(printed(figures))
    print(f"\nbundle {written.digest[:12]} written to {folder}")
    return DONE


def _train_tagger(arguments: argparse.Namespace) -> int:
    from detector.encoder import MiniLMEncoder
    from detector.models import tagger
    from detector.training.tagger import TaggerSettings, fitting_device
    from detector.training.tagger_data import TaggerMix
    from detector.training.tagger_run import gather, train_tagger

    mix = TaggerMix(limit=arguments.limit, seed=arguments.seed)
    settings = TaggerSettings(
        epochs=arguments.epochs, seed=arguments.seed, precision=arguments.precision
    )
    material = gather(arguments.shared, mix)
    total = round(len(material.fitting) * settings.epochs)
    with bar(total, "fitting", "pair", quiet=arguments.quiet) as progress:
        fitted = train_tagger(
            material,
            MiniLMEncoder(device=fitting_device()),
            settings,
            checkpoint=arguments.checkpoint,
            progress=progress,
        )
    written = tagger.save(fitted, arguments.out)
    print(f"tagger {written.weights[:12]} written to {arguments.out}")
    return DONE


def _evaluate(arguments: argparse.Namespace) -> int:
    from detector.models import store
    from detector.text.files import write_whole
    from detector.training.data.splits import gather
    from detector.training.evaluate.report import printed
    from detector.training.run import measure_bundle

    settings = _settings(arguments)
    encoder = _encoder(settings)
    bundle = store.load(settings.bundle, encoder=encoder.identity, tagger=not arguments.no_tagger)
    _say(settings, "reading the tables")
    material = gather(settings, fitting=False)
    _say(settings, f"measuring on {len(material.apart)} pairs")
    with bar(_distinct(material.apart), "features", "pair", quiet=settings.quiet) as progress:
        figures = measure_bundle(bundle, material, encoder, settings, progress=progress)
    print(f"bundle {bundle.config.digest[:12]}\n{printed(figures)}")
    if settings.json is not None:
        record = {
            "bundle": bundle.config.digest,
            "settings": settings.record(),
            "tables": {name: known["sha256"] for name, known in material.tables.items()},
            "figures": figures.to_dict(),
        }
        write_whole(settings.json, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return DONE


def _check(arguments: argparse.Namespace) -> int:
    from detector.training.data.corpus import check, shared_folder

    differing = 0
    for name, state, known in check(shared_folder(arguments.folder)):
        differing += state == "differs"
        print(f"{name}\t{state}\t{known['rows']} rows\t{known['licence']}")
    return BAD_INPUT if differing else DONE


def _settings(arguments: argparse.Namespace) -> Settings:
    from detector.training.config import settle

    return settle(vars(arguments), accepts=arguments.accepts, file=arguments.config)


def _encoder(settings: Settings) -> Encoder:
    from detector.encoder import MiniLMEncoder

    return MiniLMEncoder(precision=settings.precision)


def _distinct(pairs: Sequence[Pair]) -> int:
    return len({(pair.source, pair.copy) for pair in pairs})


def _say(settings: Settings, text: str) -> None:
    if not settings.quiet:
        print(f"detector: {text}", file=sys.stderr)
