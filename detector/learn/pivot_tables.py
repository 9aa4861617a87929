"""The shared round trips, with what is known of each: pivot, translator, sentence.

Reads the tables that say through which language a copy went. It makes no feature and fits nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.errors import InputError
from detector.learn.cleaning import tidy, unmark

TABLES = ("flores_dev_rt.parquet", "wmt14_15_18_rt.parquet", "apertium_rt.parquet")

_BLOCK = 10  # neighbouring sentences that stay together: they are of one article as often as not


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One sentence and what came back of it.

    Attributes
    ----------
    source, copy : str
    language, system, corpus : str
        Pivot, translator and table.
    sentence : int
        Place of the sentence in its table or set, in order.
    block : str
        Key of the neighbouring sentences that are held apart together.
    """

    source: str
    copy: str
    language: str
    system: str
    corpus: str
    sentence: str
    block: str


def read_round_trips(folder: Path, languages: Sequence[str]) -> list[RoundTrip]:
    """Read the tables that are there.

    Parameters
    ----------
    folder : Path
        Holds the Parquet files.
    languages : sequence of str
        Pivots to keep.

    Returns
    -------
    list of RoundTrip

    Raises
    ------
    InputError
        When no table is there, or one lacks a column.
    """
    found: list[RoundTrip] = []
    for name in TABLES:
        if (folder / name).is_file():
            found += [one for one in _read(folder / name) if one.language in set(languages)]
    if not found:
        msg = f"{folder}: holds no round trips; one of {', '.join(TABLES)} is needed"
        raise InputError(msg)
    return found


def _read(path: Path) -> Iterator[RoundTrip]:
    import pandas as pd

    corpus = path.name.partition("_")[0].rstrip("0123456789")
    for row in pd.read_parquet(path).to_dict("records"):
        if str(row.get("suspect_misaligned", "0")) == "1":
            continue
        try:
            known = {str(k): v for k, v in row.items()}
            yield _round_trip(known, corpus)
        except KeyError as err:
            msg = f"{path}: lacks the column {err}"
            raise InputError(msg) from err


def _round_trip(row: dict[str, Any], corpus: str) -> RoundTrip:
    # apertium's table is FLORES again, through other translators: the same sentences.
    source_set = str(row["set"]) if corpus == "wmt" else "flores"
    place = int(row["line"] if corpus == "wmt" else row["sid"])
    source = tidy(row["orig_en"])
    if corpus == "apertium":
        copy, language = unmark(row["back_en"], source), row["pivot"]
        system = f"{row['forward']}-apertium"
    else:
        copy, language, system = tidy(row["back_en"]), row["lang"], row["system"]
    return RoundTrip(
        source,
        copy,
        language,
        system,
        corpus,
        f"{source_set}:{place}",
        f"{source_set}:{place // _BLOCK}",
    )
