"""The command `train relation`: reads arguments, calls the other rooms, prints the figures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

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
    relation.add_argument(
        "--shared",
        type=Path,
        metavar="FOLDER",
        help="folder of the shared corpora (default: $DETECTOR_SHARED)",
    )
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
    relation.add_argument("--quiet", action="store_true", help="say nothing on stderr but errors")
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
    with _Bars(quiet=arguments.quiet) as bars:
        model, figures = train_relations(
            stretches(shared_folder(arguments.shared)), encoder, settings, progress=bars.begin
        )
    card = with_relations(bundle.card, model, figures)
    written = store.save(replace(bundle, relation=model, card=card), arguments.out)
    if arguments.json is not None:
        write_whole(arguments.json, dumps(figures.to_dict(), indent=1) + "\n")
    print(figures.printed())
    print(f"\nbundle {written.digest[:12]} written to {arguments.out}")
    return DONE


class _Bars:
    """One bar of progress after another, on stderr at a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._hidden = quiet or not sys.stderr.isatty()
        self._bar: Any = None

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def begin(self, doing: str, total: int) -> Callable[[int], object]:
        from tqdm import tqdm

        self.__exit__()
        self._bar = tqdm(total=total, desc=doing, disable=self._hidden)
        update: Callable[[int], object] = self._bar.update
        return update
