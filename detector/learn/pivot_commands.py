"""The command `train pivot`: reads arguments, calls the other rooms, prints what was written."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.console import bar
from detector.options import add_quiet, add_shared

DONE = 0


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
    from detector import store
    from detector.encode import MiniLMEncoder
    from detector.learn.corpus import digest, shared_folder
    from detector.learn.pivot_contexts import contexts_of
    from detector.learn.pivot_rows import rows_of
    from detector.learn.pivot_runs import LANGUAGES, PivotSettings, documents_seen, train_pivot
    from detector.learn.pivot_tables import TABLES, read_round_trips
    from detector.pivoting.keeping import save

    languages = LANGUAGES if arguments.languages is None else _codes(arguments.languages)
    settings = PivotSettings(languages=languages, seed=arguments.seed)
    folder = shared_folder(arguments.shared)
    pairs = read_round_trips(folder, languages)
    encoder = MiniLMEncoder(precision=arguments.precision)
    with bar(len(pairs), "encoding", "pair", quiet=arguments.quiet) as progress:
        pool = contexts_of(pairs, encoder, progress=progress)
    with bar(len(pairs), "features", "pair", quiet=arguments.quiet) as progress:
        rows = rows_of(pairs, languages, pool, progress=progress)
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
    from detector.pivoting.languages import NAMES

    codes = tuple(dict.fromkeys(code.strip().lower() for code in text.split(",") if code.strip()))
    unknown = [code for code in codes if code not in NAMES]
    if unknown or len(codes) < 2:
        what = f"{unknown[0]!r} is not a language" if unknown else f"{len(codes)} language given"
        msg = f"--languages: {what}; give two or more of {','.join(NAMES)}"
        raise InputError(msg)
    return codes
