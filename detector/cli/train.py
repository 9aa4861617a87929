"""Run `train drift|tagger|relation|pivot`, `evaluate` and `data check`.

Nothing is fitted here. Heavy modules are imported when a command runs, not when it is added.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from detector.cli import options as cli
from detector.text.escape import safe

if TYPE_CHECKING:
    from detector.training.config import Settings
    from detector.training.data.corpus import Pair

# Options of `train drift` and `evaluate`; without defaults, so that a config file may set them.
_COMMON = ("shared", "table", "limit", "seed", "cache", "precision", "quiet")
_TABLE_NOTE = """\
Own tables: .csv, .tsv, .jsonl or .parquet with columns source, copy and label (1, true, drift; 0,
false, sound; blank where unknown), and optional columns group, points (error points), kind,
system and lang."""


def add_training(commands: cli.Commands) -> None:
    """Add the commands `train`, `evaluate` and `data`."""
    example = "detector train drift --table pairs.csv --out my_bundle"
    train = cli.add_command(commands, "train", "fit a model on labelled pairs", examples=(example,))
    models = train.add_subparsers(dest="model", metavar="MODEL", required=True)
    _add_drift(models)
    _add_tagger(models)
    _add_relation(models)
    _add_pivot(models)
    _add_evaluate(commands)
    examples = ("detector data check FOLDER",)
    data = cli.add_command(commands, "data", "check the training corpora", examples=examples)
    actions = data.add_subparsers(dest="action", metavar="ACTION", required=True)
    summary = "compare a folder of tables with the digests that the package knows"
    check = cli.add_command(actions, "check", summary, examples=examples)
    cli.add_path(check, "folder", "FOLDER", "default: $DETECTOR_SHARED", nargs="?")
    check.set_defaults(run=_check)


def _add_drift(models: cli.Commands) -> None:
    parser = cli.add_command(
        models,
        "drift",
        "fit the drift classifier",
        description="Fit the drift classifier on the training corpora, or on tables of your own, "
        "and write a bundle. A fifth of the source sentences is held out for evaluation.",
        notes=_TABLE_NOTE,
        examples=(
            "detector train drift --table pairs.csv --out my_bundle",
            "detector train drift --shared FOLDER --tagger my_tagger --out my_bundle",
        ),
    )
    _add_pairs(parser)
    cli.add_path(parser, "--out", "BUNDLE", "bundle to write (default: the one inside the package)")
    cli.add_path(
        parser, "--tagger", "FOLDER", "tagger that the bundle uses as well (default: none)"
    )
    parser.set_defaults(run=_train_drift, accepts=(*_COMMON, "out", "tagger"))


def _add_tagger(models: cli.Commands) -> None:
    parser = cli.add_command(
        models,
        "tagger",
        "fit the network that marks damaged and lost words",
        description="Fit the tagger on the error spans of the training corpora and on minimal "
        "pairs. A third of the source sentences is held out, for models that use its output.",
        examples=("detector train tagger --shared FOLDER --checkpoint run.pt --out my_tagger",),
    )
    _add_sampling(parser)
    parser.add_argument("--epochs", type=float, default=1.0, help="passes over the pairs (1)")
    parser.add_argument("--seed", type=int, default=0, help="seed of all sampling (0)")
    cli.add_precision(parser, "arithmetic of the fit; auto is bf16 where the machine has it (fp32)")
    cli.add_path(parser, "--checkpoint", "FILE", "save progress there; resume after a stop")
    cli.add_quiet(parser)
    cli.add_path(
        parser, "--out", "FOLDER", "tagger to write, for `train drift --tagger`", required=True
    )
    parser.set_defaults(run=_train_tagger)


def _add_relation(models: cli.Commands) -> None:
    parser = cli.add_command(
        models,
        "relation",
        "fit the model of the relation between copy and source",
        description="Fit the model that tells round trips from duplicates, paraphrases and other "
        "texts, on documents cut out of the training corpora, and put it into a bundle. A fifth "
        "of the passages is held out for evaluation.",
        examples=("detector train relation --shared FOLDER --out my_bundle",),
    )
    _add_shared(parser)
    parser.add_argument(
        "--documents", type=int, default=6000, metavar="N", help="about N pairs (6000)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of all sampling (0)")
    cli.add_path(parser, "--bundle", "BUNDLE", "bundle to start from (the package's own)")
    cli.add_path(parser, "--out", "BUNDLE", "bundle to write", required=True)
    cli.add_path(parser, "--json", "FILE", "write the metrics there too")
    cli.add_quiet(parser)
    parser.set_defaults(run=_train_relation)


def _add_pivot(models: cli.Commands) -> None:
    parser = cli.add_command(
        models,
        "pivot",
        "fit the model of the pivot language",
        description="Fit the model that estimates the pivot language of a copy, on round trips of "
        "the training corpora. Its calibration is fitted on translators and sentences held out "
        "from its weights.",
        examples=(
            "detector train pivot --shared FOLDER --out pivot.safetensors",
            "detector score copy.txt source.txt --pivot-model pivot.safetensors",
        ),
    )
    _add_shared(parser)
    parser.add_argument(
        "--languages",
        metavar="CODES",
        help="comma-separated ISO 639-1 codes (default: those of the package's model)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the document sampling (0)")
    cli.add_path(parser, "--bundle", "BUNDLE", "also put the model into this bundle")
    cli.add_precision(parser, "auto is bf16 where the processor has it (auto)", default="auto")
    cli.add_quiet(parser)
    cli.add_path(parser, "--out", "FILE", "model to write (.safetensors)", required=True)
    parser.set_defaults(run=_train_pivot)


def _add_evaluate(commands: cli.Commands) -> None:
    parser = cli.add_command(
        commands,
        "evaluate",
        "evaluate a bundle on held-out pairs",
        description="Evaluate a bundle, and simple baselines, on held-out pairs of the training "
        "corpora, or on all rows of tables of your own.",
        notes=_TABLE_NOTE,
        examples=(
            "detector evaluate --table pairs.csv --json metrics.json",
            "detector evaluate --shared FOLDER --bundle my_bundle",
        ),
    )
    _add_pairs(parser)
    cli.add_path(parser, "--bundle", "BUNDLE", "bundle to evaluate (the package's own)")
    parser.add_argument(
        "--no-tagger", action="store_true", help="evaluate the bundle without its tagger"
    )
    cli.add_path(parser, "--json", "FILE", "write the metrics there too")
    parser.set_defaults(run=_evaluate, accepts=(*_COMMON, "bundle", "json"))


def _add_pairs(parser: argparse.ArgumentParser) -> None:
    """Add the options that a config file may set."""
    cli.add_path(
        parser, "--config", "FILE", "TOML file with these and further options; flags override it"
    )
    _add_sampling(parser)
    own = "table of your own, instead of the corpora; may be repeated"
    cli.add_path(parser, "--table", "FILE", own, action="append")
    parser.add_argument("--seed", type=int, help="seed of all sampling (default: 0)")
    cli.add_path(parser, "--cache", "FOLDER", "save features there; resume after a stop")
    cli.add_precision(parser, default=None)
    cli.add_quiet(parser, default=None)


def _add_shared(parser: argparse.ArgumentParser) -> None:
    cli.add_path(parser, "--shared", "FOLDER", "folder of the corpora (default: $DETECTOR_SHARED)")


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    _add_shared(parser)
    parser.add_argument(
        "--limit", type=cli.positive, metavar="N", help="about N pairs (default: the whole mix)"
    )


def _train_drift(arguments: argparse.Namespace) -> int:
    from detector.encoder import MiniLMEncoder
    from detector.models import store
    from detector.models.tagger import load
    from detector.training.data.splits import gather
    from detector.training.evaluate.report import printed
    from detector.training.run import train

    settings = _settings(arguments)
    folder = store.DEFAULT if settings.out is None else settings.out
    store.check_out(folder)
    encoder = MiniLMEncoder(precision=settings.precision)
    tagger = None if settings.tagger is None else load(settings.tagger, encoder=encoder.identity)
    _log(settings, "reading the tables")
    material = gather(settings, fitting=True)
    _log(settings, f"fitting on {len(material.fitting)} pairs")
    total = _n_distinct((*material.fitting, *material.apart))
    with cli.progress_bar("features", "pair", total=total, quiet=settings.quiet) as bar:
        bundle, metrics = train(material, encoder, settings, tagger=tagger, progress=bar.update)
    # These two models depend on no drift model: a new bundle keeps those of the package.
    bundle = replace(
        bundle, relation=store.relation_of(encoder=encoder.identity), pivot=store.pivot_of()
    )
    written = store.save(bundle, folder)
    cli.print_result(
        f"{printed(metrics)}\n\nbundle {written.digest[:12]} written to {safe(str(folder))}\n"
    )
    return cli.DONE


def _train_tagger(arguments: argparse.Namespace) -> int:
    from detector.encoder import MiniLMEncoder
    from detector.models import tagger
    from detector.training.tagger import TaggerSettings, fitting_device
    from detector.training.tagger_data import TaggerMix
    from detector.training.tagger_run import gather, train_tagger

    tagger.check_out(arguments.out)
    mix = TaggerMix(limit=arguments.limit, seed=arguments.seed)
    settings = TaggerSettings(
        epochs=arguments.epochs, seed=arguments.seed, precision=arguments.precision
    )
    material = gather(arguments.shared, mix)
    total = round(len(material.fitting) * settings.epochs)
    with cli.progress_bar("fitting", "pair", total=total, quiet=arguments.quiet) as bar:
        fitted = train_tagger(
            material,
            MiniLMEncoder(device=fitting_device()),
            settings,
            checkpoint=arguments.checkpoint,
            progress=bar.update,
        )
    written = tagger.save(fitted, arguments.out)
    cli.print_result(f"tagger {written.weights[:12]} written to {safe(str(arguments.out))}\n")
    return cli.DONE


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
    store.check_out(arguments.out)
    encoder = MiniLMEncoder()
    bundle = store.load(arguments.bundle, encoder=encoder.identity, pivot=True)
    settings = RelationSettings(n_documents=arguments.documents, seed=arguments.seed)
    with ExitStack() as bars:

        def progress(doing: str, total: int) -> Callable[[int], object]:
            bars.close()  # one bar after another
            bar = cli.progress_bar(doing, "it", total=total, quiet=arguments.quiet)
            update: Callable[[int], object] = bars.enter_context(bar).update
            return update

        lines = read_blocks(shared_folder(arguments.shared))
        model, results = train_relation(lines, encoder, settings, progress=progress)
    card = with_relations(bundle.card, model, results)
    written = store.save(replace(bundle, relation=model, card=card), arguments.out)
    if arguments.json is not None:
        write_whole(arguments.json, dumps(results.to_dict(), indent=1) + "\n")
    place = safe(str(arguments.out))
    cli.print_result(f"{results.to_text()}\n\nbundle {written.digest[:12]} written to {place}\n")
    return cli.DONE


def _train_pivot(arguments: argparse.Namespace) -> int:
    from detector.encoder import MiniLMEncoder
    from detector.models import store
    from detector.pivot.model import check_out, save
    from detector.training.data.corpus import digest, shared_folder
    from detector.training.pivot import LANGUAGES, PivotSettings, documents_seen, train_pivot
    from detector.training.pivot_data import TABLES, encode_pairs, featurise, read_round_trips

    languages = LANGUAGES if arguments.languages is None else _codes(arguments.languages)
    settings = PivotSettings(languages=languages, seed=arguments.seed)
    check_out(arguments.out)
    if arguments.bundle is not None:
        store.check_out(arguments.bundle)
    folder, quiet = shared_folder(arguments.shared), arguments.quiet
    pairs = read_round_trips(folder, languages)
    encoder = MiniLMEncoder(precision=arguments.precision)
    with cli.progress_bar("encoding", "pair", total=len(pairs), quiet=quiet) as bar:
        pool = encode_pairs(pairs, encoder, progress=bar.update)
    with cli.progress_bar("features", "pair", total=len(pairs), quiet=quiet) as bar:
        rows = featurise(pairs, languages, pool, progress=bar.update)
    total = documents_seen(rows, settings)
    with cli.progress_bar("fitting", "document", total=total, quiet=quiet) as bar:
        model = train_pivot(
            rows,
            settings,
            encoder=encoder.identity,
            tables={name: digest(folder / name) for name in TABLES if (folder / name).is_file()},
            progress=bar.update,
        )
    written = save(model, arguments.out)
    if arguments.bundle is not None:
        store.save(replace(store.load(arguments.bundle), pivot=model), arguments.bundle)
    cli.print_result(
        f"pivot model {written[:12]} of {len(languages)} languages, {len(model.edits.keys)} "
        f"features of edits and {len(model.kept.keys)} of kept words written to "
        f"{safe(str(arguments.out))}; it names a language from {model.threshold:.2f}\n"
    )
    return cli.DONE


def _codes(text: str) -> tuple[str, ...]:
    """Parse `--languages`."""
    from detector.errors import InputError
    from detector.pivot.languages import NAMES

    codes = tuple(dict.fromkeys(code.strip().lower() for code in text.split(",") if code.strip()))
    unknown = [code for code in codes if code not in NAMES]
    if unknown or len(codes) < 2:
        problem = f"{unknown[0]!r} is not a language" if unknown else f"{len(codes)} language given"
        msg = f"--languages: {problem}; give two or more of {','.join(NAMES)}"
        raise InputError(msg)
    return codes


def _evaluate(arguments: argparse.Namespace) -> int:
    from detector.encoder import MiniLMEncoder
    from detector.models import store
    from detector.report.serialise import dumps
    from detector.text.files import write_whole
    from detector.training.data.splits import gather
    from detector.training.evaluate.report import printed
    from detector.training.run import measure_bundle

    settings = _settings(arguments)
    encoder = MiniLMEncoder(precision=settings.precision)
    bundle = store.load(settings.bundle, encoder=encoder.identity, tagger=not arguments.no_tagger)
    _log(settings, "reading the tables")
    material = gather(settings, fitting=False)
    _log(settings, f"measuring on {len(material.apart)} pairs")
    total = _n_distinct(material.apart)
    with cli.progress_bar("features", "pair", total=total, quiet=settings.quiet) as bar:
        metrics = measure_bundle(bundle, material, encoder, settings, progress=bar.update)
    cli.print_result(f"bundle {bundle.config.digest[:12]}\n{printed(metrics)}\n")
    if settings.json is not None:
        record = {
            "bundle": bundle.config.digest,
            "settings": settings.record(),
            "tables": {name: known["sha256"] for name, known in material.tables.items()},
            "figures": metrics.to_dict(),
        }
        write_whole(settings.json, dumps(record, indent=1) + "\n")
    return cli.DONE


def _check(arguments: argparse.Namespace) -> int:
    from detector.training.data.corpus import check, shared_folder

    n_differing = 0
    for name, state, known in check(shared_folder(arguments.folder)):
        n_differing += state == "differs"
        cli.print_result(f"{name}\t{state}\t{known['rows']} rows\t{known['licence']}\n")
    return cli.BAD_INPUT if n_differing else cli.DONE


def _settings(arguments: argparse.Namespace) -> Settings:
    from detector.training.config import settle

    return settle(vars(arguments), accepts=arguments.accepts, file=arguments.config)


def _n_distinct(pairs: Sequence[Pair]) -> int:
    return len({(pair.source, pair.copy) for pair in pairs})


def _log(settings: Settings, text: str) -> None:
    if not settings.quiet:
        cli.print_message(f"detector: {text}")
