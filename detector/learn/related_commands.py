"""The command `train relation`: reads arguments, calls the other rooms, prints the figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.console import bar
from detector.options import add_quiet, add_shared

DONE = 0


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
    from detector import store
    from detector.encode import MiniLMEncoder
    from detector.errors import InputError
    from detector.learn.corpus import shared_folder
    from detector.learn.related_card import with_relations
    from detector.learn.related_lines import stretches
    from detector.learn.related_runs import RelatedSettings, train_relations
    from detector.reading.files import write_whole
    from detector.showing.plain import dumps

    if arguments.documents < 100:
        msg = f"--documents is {arguments.documents}; give 100 or more, some of every kind"
        raise InputError(msg)
    encoder = MiniLMEncoder()
    bundle = store.load(arguments.bundle, encoder=encoder.identity, pivot=True)
    settings = RelatedSettings(n_documents=arguments.documents, seed=arguments.seed)
    with ExitStack() as shown:

        def progress(doing: str, total: int) -> Callable[[int], object]:
            shown.close()  # one bar after another
            return shown.enter_context(bar(total, doing, "it", quiet=arguments.quiet))

        model, figures = train_relations(
            stretches(shared_folder(arguments.shared)), encoder, settings, progress=progress
        )
    card = with_relations(bundle.card, model, figures)
    written = store.save(replace(bundle, relation=model, card=card), arguments.out)
    if arguments.json is not None:
        write_whole(arguments.json, dumps(figures.to_dict(), indent=1) + "\n")
    print(figures.printed())
    print(f"\nbundle {written.digest[:12]} written to {arguments.out}")
    return DONE
