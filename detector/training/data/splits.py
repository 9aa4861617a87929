"""Split pairs into those to fit on and those held apart.

They come from the shared tables (`loaders`) or from a user's own, which `read_table` checks.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.errors import InputError
from detector.text.tables import rows_of
from detector.training.config import Settings
from detector.training.data.corpus import (
    EVALUATION_ONLY,
    Dropped,
    Pair,
    digest,
    draw,
    group_of,
    held_apart,
    manifest,
    shared_folder,
    split,
    tidy,
    unusable,
)
from detector.training.data.loaders import LOADERS, load
from detector.training.data.sampling import Mix, select

NEEDED = ("source", "copy", "label")
OPTIONAL = ("group", "points", "kind", "system", "lang")

_LABELS = {
    **dict.fromkeys(("1", "true", "drift"), True),
    **dict.fromkeys(("0", "false", "sound"), False),
    "": None,
}


def read_table(path: Path, dropped: Dropped) -> list[Pair]:
    """Read labelled pairs of a user's own table.

    Parameters
    ----------
    path : Path
        A `.csv`, `.tsv`, `.jsonl` or `.parquet` file, text in UTF-8, with columns `source`,
        `copy` and `label` (1, true, drift; 0, false, sound; blank where unknown), and
        optionally `group` (rows that must stay together; by default those of one source
        sentence), `points` (error points, 0 is sound), `kind`, `system` and `lang`.
    dropped : Dropped
        Takes the counts of the rows left out, and why.

    Returns
    -------
    list of Pair
        Cleaned; their corpus is the name of the file.

    Raises
    ------
    InputError
        When the file cannot be read, lacks a column, holds a value that is not accepted, or no
        usable row.
    """
    pairs = []
    for row in rows_of(path):
        place = f"{path}, {row.place}"
        if row.fault is not None:
            msg = f"{place}: {row.fault}"
            raise InputError(msg)
        missing = [name for name in NEEDED if name not in row.values]
        if missing:
            msg = (
                f"{place}: no column {', '.join(missing)}; needed are {', '.join(NEEDED)}, and "
                f"{', '.join(OPTIONAL)} are read where they are there"
            )
            raise InputError(msg)
        pair = _pair(row.values, place, corpus=path.name)
        reason = unusable(pair.source, pair.copy) if pair else "blank"
        if reason is not None:
            dropped.add(path.name, reason)
        elif pair is not None:
            pairs.append(pair)
    if not pairs:
        left_out = dropped.to_dict().get(path.name, {})
        why = "; ".join(f"{n} {reason}" for reason, n in left_out.items()) or "it is empty"
        msg = f"{path}: no usable row ({why}); give rows with an English source and copy"
        raise InputError(msg)
    return pairs


def _pair(row: Mapping[str, Any], place: str, *, corpus: str) -> Pair | None:
    """Parse a row; None where a side is blank."""
    text = {name: _text(row.get(name)) for name in (*NEEDED, *OPTIONAL)}
    label = text["label"].casefold().removesuffix(".0")  # Parquet may hold 1.0 beside a blank
    if label not in _LABELS:
        msg = (
            f"{place}: label is {text['label']!r}; give 1, true or drift, 0, false or sound, "
            "or leave it blank where it is unknown"
        )
        raise InputError(msg)
    source, copy = tidy(text["source"]), tidy(text["copy"])
    if not source or not copy:
        return None
    return Pair(
        source=source,
        copy=copy,
        label=_LABELS[label],
        corpus=corpus,
        kind=text["kind"],
        group=_key(text["group"]) if text["group"] else group_of(source),
        points=_points(text["points"], place),
        system=text["system"],
        lang=text["lang"],
    )


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).strip()


def _key(group: str) -> str:
    return hashlib.sha256(group.encode("utf-8", "replace")).hexdigest()[:20]


def _points(text: str, place: str) -> float | None:
    if not text:
        return None
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not 0.0 <= points < math.inf:
        msg = f"{place}: points is {text!r}; give error points, a number from 0 (sound), or nothing"
        raise InputError(msg)
    return points


TESTS = tuple(sorted(EVALUATION_ONLY))
"""Corpora that are measured on as a whole and never fitted or tuned on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The pairs of a run."""

    fitting: tuple[Pair, ...]  # without a label they have points or an assessment
    apart: tuple[Pair, ...]  # to measure on; they share no group with `fitting`
    tables: Mapping[str, Mapping[str, Any]]  # `sha256`, `rows` and `licence` of each table read
    dropped: Dropped
    notes: tuple[str, ...] = ()  # remarks that belong beside the metrics


def gather(settings: Settings, *, fitting: bool) -> Material:
    """Read the pairs that settings ask for; an `InputError` if none is left to measure on.

    Unless `fitting`, a user's own tables are measured on as a whole.
    """
    if settings.tables:
        return _own(settings, fitting=fitting)
    folder = shared_folder(settings.shared)
    dropped = Dropped()
    corpora = load(folder, dropped)
    used = {file for file, _ in LOADERS.values() if (folder / file).is_file()}
    tables = {
        name: {**known, "sha256": digest(folder / name)}
        for name, known in manifest().items()
        if name in used
    }
    ours, apart = shared_parts(corpora, settings.mix)
    return Material(fitting=tuple(ours), apart=tuple(apart), tables=tables, dropped=dropped)


def shared_parts(corpora: Mapping[str, Sequence[Pair]], mix: Mix) -> tuple[list[Pair], list[Pair]]:
    """Split the shared corpora into pairs to fit on and pairs to measure on.

    To measure on: what the mix draws and holds apart, as many again of each corpus as it allows,
    judged pairs without a label, and `TESTS` as a whole.
    """
    ours, apart = split(select(corpora, mix))
    scaled = mix.scaled()
    for name, (sound, drift) in scaled.quotas.items():
        away = [p for p in corpora.get(name, ()) if held_apart(p.group) and _usable(p)]
        for label, quota in ((False, sound), (True, drift), (None, sound + drift)):
            apart += draw([p for p in away if p.label is label], quota, seed=mix.seed)
    tests = [pair for name in TESTS for pair in corpora.get(name, ())]
    # With a limit, the test corpora make up a quarter of it at most.
    limit = len(tests) if mix.limit is None else mix.limit // 4
    apart += whole_groups(tests, limit, seed=mix.seed)
    return [pair for pair in ours if _usable(pair)], list(_distinct(apart))


def _usable(pair: Pair) -> bool:
    return pair.label is not None or pair.graded


def whole_groups(pairs: Sequence[Pair], n: int, *, seed: int) -> list[Pair]:
    """Draw about `n` pairs in whole groups, so that minimal pairs stay together."""
    if n >= len(pairs):
        return list(pairs)
    taken: list[Pair] = []
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.group, []).append(pair)
    first_of_each = [members[0] for members in groups.values()]
    for first in draw(first_of_each, len(first_of_each), seed=seed):
        if len(taken) >= n:
            break
        taken += groups[first.group]
    return taken


def _distinct(pairs: Sequence[Pair]) -> Iterator[Pair]:
    seen = set()
    for pair in pairs:
        key = (pair.corpus, pair.kind, pair.source, pair.copy)
        if key not in seen:
            seen.add(key)
            yield pair


def _own(settings: Settings, *, fitting: bool) -> Material:
    dropped = Dropped()
    pairs: list[Pair] = []
    tables: dict[str, dict[str, Any]] = {}
    for path in settings.tables:
        loaded = read_table(path, dropped)
        pairs += loaded
        tables[path.name] = {"sha256": digest(path), "rows": len(loaded), "licence": "the user's"}
    if settings.mix.limit is not None:
        pairs = draw(pairs, settings.mix.limit, seed=settings.mix.seed)
    left_out = tuple(
        f"{name}: left out {', '.join(f'{n} {reason}' for reason, n in reasons.items())}"
        for name, reasons in dropped.to_dict().items()
    )
    if not fitting:
        note = (
            f"own tables ({', '.join(tables)}): every row is measured on; rows that the bundle was "
            "fitted on would flatter it"
        )
        return Material(
            fitting=(),
            apart=tuple(pairs),
            tables=tables,
            dropped=dropped,
            notes=(note, *left_out),
        )
    ours, apart = split(pairs)
    if not apart:
        groups = len({pair.group for pair in pairs})
        msg = (
            f"{', '.join(tables)}: a fifth of the groups is held apart to measure on, and of these "
            f"{groups} none falls to it; give pairs of more source sentences"
        )
        raise InputError(msg)
    return Material(
        fitting=tuple(pair for pair in ours if _usable(pair)),
        apart=tuple(apart),
        tables=tables,
        dropped=dropped,
        notes=left_out,
    )
