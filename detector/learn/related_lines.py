"""The shared tables as stretches of neighbouring lines: what documents are cut out of.

A stretch belongs to one of five folds, whole, so that no document of one fold shares a line with
another's. Nothing is drawn here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from detector.errors import InputError
from detector.learn.cleaning import detokenise, tidy, unmark

if TYPE_CHECKING:
    import pandas as pd

N_FOLDS = 5
APART = 0
"""The fold that the shipped model is never fitted on."""

_BLOCK = 50  # lines of a stretch
_EDITED = 0.15  # HTER from which a post-edit is a text of its own
_TALKS = {"talk.9": 0, "talk.2": 1, "talk.6": 2, "talk.7": 3, "talk.5": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Neighbouring lines of one English text, and how others render them.

    Attributes
    ----------
    corpus : str
    group : str
        Names it; flores and apertium share theirs, as they share their sentences.
    fold : int
        In [0, `N_FOLDS`).
    lines : mapping of int to str
        Line number to the English line, in order.
    machine : mapping of (str, str) to (mapping of int to str)
        Pivot and system to what came back of each line that it rendered.
    person : mapping of int to str
        What a person wrote in the place of each line; empty where nobody did.
    """

    corpus: str
    group: str
    fold: int
    lines: Mapping[int, str]
    machine: Mapping[tuple[str, str], Mapping[int, str]]
    person: Mapping[int, str]


def stretches(folder: Path) -> list[Stretch]:
    """Read the tables that have an order.

    Parameters
    ----------
    folder : Path
        Of the shared tables.

    Returns
    -------
    list of Stretch
        Of the corpora wmt, flores, apertium, mlqe and mqm_ted.

    Raises
    ------
    InputError
        When a table is missing or lacks a column.
    """
    import pandas as pd

    found: list[Stretch] = []
    for name, read in _READERS:
        path = folder / name
        if not path.is_file():
            msg = f"{path}: is not there; the model of relations is fitted on {_NAMES}"
            raise InputError(msg)
        try:
            found += read(pd.read_parquet(path))
        except (KeyError, ValueError, TypeError) as err:
            msg = f"{path}: cannot be read as lines in order ({type(err).__name__}: {err})"
            raise InputError(msg) from err
    return found


def _fold(*key: object) -> int:
    text = "|".join(map(str, key)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big") % N_FOLDS


def _wmt(table: pd.DataFrame) -> Iterator[Stretch]:
    sound = table[table["suspect_misaligned"].astype(str) != "1"]
    sound = sound.assign(line=sound["line"].astype(int))
    for year, rows in sound.groupby("set"):
        yield from _blocks("wmt", f"wmt {year}", rows, at="line", by=("lang", "system"))


def _flores(table: pd.DataFrame) -> Iterator[Stretch]:
    rows = table.assign(line=table["sid"].astype(int))
    return _blocks("flores", "flores", rows, at="line", by=("lang", "system"))


def _apertium(table: pd.DataFrame) -> Iterator[Stretch]:
    back = [unmark(c, tidy(o)) for c, o in zip(table["back_en"], table["orig_en"], strict=True)]
    rows = table.assign(line=table["sid"].astype(int), back_en=back)
    # The sentences are those of flores, so the folds are too.
    return _blocks("apertium", "flores", rows, at="line", by=("pivot", "forward"))


def _blocks(
    corpus: str, key: str, rows: pd.DataFrame, *, at: str, by: tuple[str, str]
) -> Iterator[Stretch]:
    for block, part in rows.groupby(rows[at] // _BLOCK):
        ordered = part.sort_values(at)
        lines = {int(i): tidy(o) for i, o in zip(ordered[at], ordered["orig_en"], strict=True)}
        machine = {
            (str(lang), str(system)): {
                int(i): tidy(c) for i, c in zip(mine[at], mine["back_en"], strict=True)
            }
            for (lang, system), mine in ordered.groupby(list(by))
        }
        yield Stretch(
            corpus=corpus,
            group=f"{key} {block}",
            fold=_fold(key, block),
            lines=lines,
            machine=machine,
            person={},
        )


def _mlqe(table: pd.DataFrame) -> Iterator[Stretch]:
    rows = table.assign(line=table["i"].astype(int), edited=table["hter"].astype(float))
    rows = rows[rows["edited"] > _EDITED]
    for (part, pair), mine in rows.groupby(["split", "lp"]):
        for block, here in mine.groupby(mine["line"] // (10 * _BLOCK)):
            # What its authors set apart only evaluates; the rest is never of that fold.
            fold = APART if part == "dev" else 1 + _fold("mlqe", pair, block) % (N_FOLDS - 1)
            here = here.sort_values("line")
            numbers = [int(i) for i in here["line"]]
            written = dict(zip(numbers, map(detokenise, here["post_edit_en"]), strict=True))
            made = dict(zip(numbers, map(detokenise, here["mt_en"]), strict=True))
            yield Stretch(
                corpus="mlqe",
                group=f"mlqe {part} {pair} {block}",
                fold=fold,
                lines=written,
                machine={(str(pair)[:2], "mlqe"): made},
                person={},
            )


def _ted(table: pd.DataFrame) -> Iterator[Stretch]:
    rows = table.assign(line=table["seg"].astype(int))
    for talk, mine in rows.groupby("doc"):
        once = mine.drop_duplicates("line").sort_values("line")
        numbers = [int(i) for i in once["line"]]
        yield Stretch(
            corpus="mqm_ted",
            group=f"mqm_ted {talk}",
            fold=_TALKS.get(str(talk), _fold("ted", talk)),
            lines=dict(zip(numbers, map(tidy, once["source"]), strict=True)),
            machine={
                ("zh", str(system)): dict(
                    zip(map(int, part["line"]), map(tidy, part["copy"]), strict=True)
                )
                for system, part in mine.groupby("system")
            },
            person=dict(zip(numbers, map(tidy, once["source_alt"]), strict=True)),
        )


_READERS = (
    ("wmt14_15_18_rt.parquet", _wmt),
    ("flores_dev_rt.parquet", _flores),
    ("apertium_rt.parquet", _apertium),
    ("mlqe_pe_train_dev.parquet", _mlqe),
    ("mqm_ted_zhen.parquet", _ted),
)
_NAMES = ", ".join(name for name, _ in _READERS)
