"""Load the shared tables as labelled pairs, one loader a table.

The labels are arguable, so each loader states its rule and leaves doubtful rows unlabelled.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from detector.errors import InputError
from detector.training.contrasts.edits import find_lost
from detector.training.data.consensus import CLOSE_PIVOTS, VOTERS, Translation, content, labels
from detector.training.data.corpus import (
    Dropped,
    Mark,
    Pair,
    cleaned,
    detokenise,
    group_of,
    moved,
    rejoin,
    set_apart,
    tidy,
    unmark,
)

if TYPE_CHECKING:
    import pandas as pd

POINTS = {"Neutral": 0.0, "Minor": 1.0, "Major": 5.0, "Critical": 10.0}
"""Error points of a severity."""

_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")


@dataclass(frozen=True, slots=True)
class Text:
    """A text before and after it was cleaned."""

    raw: str
    cleaned: str

    def mark(
        self, side: Literal["copy", "source"], at: tuple[int, int], kind: str, weight: float
    ) -> Mark | None:
        """Mark a span of the raw text, or nothing where it is gone."""
        place = moved(self.raw, self.cleaned, *at)
        if place is None:
            return None
        return Mark(side=side, start=place[0], end=place[1], kind=kind, weight=weight)


def of_spans(
    copy: Text, spans: Sequence[tuple[int | None, int | None, str, float]]
) -> tuple[Mark, ...]:
    """Mark spans (start, end, kind, weight) of the raw copy, without those that are gone."""
    found = [
        copy.mark("copy", (start, min(end, len(copy.raw))), kind, weight)
        for start, end, kind, weight in spans
        if start is not None and end is not None
    ]
    return tuple(mark for mark in found if mark is not None)


def of_tags(source: Text, copy: Text, tags: Sequence[str]) -> tuple[Mark, ...]:
    """Mark what the 2n + 1 tags (gap, word, gap, ...) of n copy tokens call BAD.

    Neighbouring BAD words share a mark of kind "edited". Source tokens that a comparison finds
    inserted at a BAD gap are marked in the source, kind "omitted".
    """
    theirs, ours = _tokens(source.raw), _tokens(copy.raw)
    if len(tags) != 2 * len(ours) + 1:
        return ()
    found: list[Mark | None] = []
    run: tuple[int, int] | None = None
    for (start, end), tag in zip([*ours, (0, 0)], [*tags[1::2], "OK"], strict=True):
        if tag == "BAD":
            run = (run[0] if run else start, end)
        elif run:
            found.append(copy.mark("copy", run, "edited", POINTS["Minor"]))
            run = None
    gaps = {at for at, tag in enumerate(tags[::2]) if tag == "BAD"}
    if gaps:
        for at, low, high in _inserted([copy.raw[a:b] for a, b in ours], source.raw.split()):
            if at in gaps:
                there = theirs[low][0], theirs[high - 1][1]
                found.append(source.mark("source", there, "omitted", POINTS["Minor"]))
    return tuple(mark for mark in found if mark is not None)


def _tokens(text: str) -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(r"\S+", text)]


def _inserted(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    for name, i1, _, j1, j2 in matcher.get_opcodes():
        if name == "insert":
            yield i1, j1, j2


def of_change(
    source: str, before: str, after: str, *, kind: str, weight: float
) -> tuple[Mark, ...]:
    """Mark the change of a sound copy: new words in the copy, lost ones in the source.

    Lost words that are not found in the source are marked on the copy word after the gap.
    """
    olds, news = ([m.span() for m in _TOKEN.finditer(text)] for text in (before, after))
    matcher = SequenceMatcher(
        None, [before[a:b] for a, b in olds], [after[a:b] for a, b in news], autojunk=False
    )
    found: list[Mark] = []
    for name, i1, i2, j1, j2 in matcher.get_opcodes():
        if name == "equal":
            continue
        side: Literal["copy", "source"] = "copy"
        if j2 > j1:
            place = news[j1][0], news[j2 - 1][1]
        else:
            lost = before[olds[i1][0] : olds[i2 - 1][1]]
            there = find_lost(lost, source, olds[i1][0] / max(1, len(before)))
            if there is None and not news:
                continue
            side = "copy" if there is None else "source"
            place = news[min(j1, len(news) - 1)] if there is None else there
        found.append(Mark(side=side, start=place[0], end=place[1], kind=kind, weight=weight))
    return tuple(found)


# DEMETR's names of its damages. Sound are changes of form only. Open, as readers disagree, are
# doubled words, lost conjunctions, swapped neighbours, changed part of speech, aspect, hypernyms.
_DEMETR_SOUND = frozenset(
    {
        *("minor_id26_misspelled", "minor_id28_final_punc_removed", "minor_id29_punc_addition"),
        *("minor_id30_tokenized", "minor_id31_full_lower", "minor_id32_first_lower"),
        *("minor_id15_case", "base_id35_reference"),
    }
)
_DEMETR_DRIFT_BASE = "base_id33_shuffle_trans"
_DEMETR_OPEN = frozenset({"major_id18_aspect", "major_id3_hypernym"})

_SPLITS_HYPHENS = frozenset({"NiuTrans"})  # writes "multi - story"
_MEANING = ("Accuracy", "Terminology", "Unintelligible", "Non-translation")


def load(folder: Path, dropped: Dropped) -> dict[str, list[Pair]]:
    """Load every shared table of a folder that is there.

    Parameters
    ----------
    folder : Path
    dropped : Dropped
        Takes the counts of the rows left out, and why.

    Returns
    -------
    dict of str to list of Pair
        By corpus; `watch` holds unlabelled round trips.

    Raises
    ------
    InputError
        When no table is there, or one lacks a column.
    """
    import pandas as pd

    corpora: dict[str, list[Pair]] = {}
    for name, (file, read) in LOADERS.items():
        path = folder / file
        if not path.is_file():
            dropped.add(name, f"{file} absent")
            continue
        try:
            pairs = list(cleaned(read(pd.read_parquet(path), dropped), dropped))
        except (KeyError, ValueError) as err:
            msg = f"{path}: cannot be read as the table {name} ({type(err).__name__}: {err})"
            raise InputError(msg) from err
        for pair in pairs:
            corpora.setdefault(pair.corpus, []).append(pair)
    if not corpora:
        msg = f"{folder}: holds none of {', '.join(file for file, _ in LOADERS.values())}"
        raise InputError(msg)
    return set_apart(corpora)


def _pair(source: str, copy: str, *, corpus: str, **known: Any) -> Pair:  # noqa: ANN401
    # A Pair refuses a blank side; "-" stands in until `cleaned` has counted and dropped it.
    return Pair(
        source=source or "-", copy=copy or "-", corpus=corpus, group=group_of(source), **known
    )


def demetr(table: pd.DataFrame, dropped: Dropped) -> Iterator[Pair]:
    """Load DEMETR, for evaluation only. Sound: a translation. Drift: the same with one damage.

    Points are those of the severity; damages that need another text (a reference, another
    sentence's translation) have none.
    """
    for row in table.to_dict("records"):
        source, sound, damaged = (tidy(row[c]) for c in ("eng_sent", "mt_sent", "pert_sent"))
        # A few sentences have two sound translations, each with damaged copies of its own.
        twin = f"demetr-{row['id']}-{hashlib.sha256(sound.encode()).hexdigest()[:12]}"
        kind = str(row["pert_name"])
        yield _pair(source, sound, corpus="demetr", label=False, kind="sound", twin=twin)
        if not row["pert_check"] or kind == "base_id33_empty":
            dropped.add("demetr", "damage not carried out")
            continue
        if kind in _DEMETR_SOUND:
            label: bool | None = False
        elif kind in _DEMETR_OPEN:
            label = None
        else:
            serious = row["severity"] in ("critical", "major") or kind == _DEMETR_DRIFT_BASE
            label = True if serious else None
        points = POINTS.get(str(row["severity"]).capitalize())
        yield _pair(
            source,
            damaged,
            corpus="demetr",
            label=label,
            kind=kind,
            twin=twin,
            points=points,
            marks=()
            if points is None
            else of_change(source, sound, damaged, kind=kind, weight=points),
        )


def mqm_news(table: pd.DataFrame, _: Dropped) -> Iterator[Pair]:
    """Load expert marks without categories. Drift: a major error. Sound: no error."""
    for row in table.to_dict("records"):
        errors = json.loads(row["spans"])
        label: bool | None = None
        if any(error["severity"] == "Major" for error in errors):
            label = True
        elif not errors and row["score"] == 0:
            label = False
        yield _mqm_pair(row, "mqm_news", label)


def mqm_ted(table: pd.DataFrame, dropped: Dropped) -> Iterator[Pair]:
    """Load expert marks. Drift: a major error of accuracy. Sound: none of meaning."""
    for row in table.to_dict("records"):
        if row["source_mqm"] > 1:
            dropped.add("mqm_ted", "the reference itself was judged to be wrong")
            continue
        errors = json.loads(row["spans"])
        label = _meaning_label([(e["category"] or "", e["severity"] or "") for e in errors])
        for _ in [e for e in errors if e["side"] != "copy"]:
            dropped.add("mqm_ted", "mark of an omission, made in the Chinese")
        yield _mqm_pair(row, "mqm_ted", label)


def biomqm(table: pd.DataFrame, _: Dropped) -> Iterator[Pair]:
    """Load expert marks, labelled as in `mqm_ted`; offsets name the last character."""
    for row in table.to_dict("records"):
        listed = json.loads(row["errors_json"])
        errors = [(f"{e[2]}/{e[3]}", e[4]) for e in listed]
        copy = Text(row["mt_en"], tidy(row["mt_en"]))
        spans = [(e[0], e[1] + 1, f"{e[2]}/{e[3]}", POINTS.get(e[4], 0.0)) for e in listed]
        yield _pair(
            tidy(row["ref_en"]),
            copy.cleaned,
            corpus="biomqm",
            label=_meaning_label(errors),
            kind="human",
            points=sum(POINTS.get(severity, 0.0) for _, severity in errors),
            marks=of_spans(copy, spans),
            system=row["system"],
            lang=row["lp"][:2],
        )


def _meaning_label(errors: list[tuple[str, str]]) -> bool | None:
    meaning = [s for category, s in errors if category.startswith(_MEANING) and s != "Neutral"]
    if any(severity in ("Major", "Critical") for severity in meaning):
        return True
    if meaning or any(severity in ("Major", "Critical") for _, severity in errors):
        return None
    return False


def _mqm_pair(row: Mapping[Hashable, Any], corpus: str, label: bool | None) -> Pair:
    source, written = tidy(row["source"]), tidy(row["copy"])
    split = row["system"] in _SPLITS_HYPHENS
    copy = Text(row["copy"], rejoin(written, source) if split else written)
    spans = [
        (e["start"], e["end"], e["category"] or "", POINTS.get(e["severity"], 0.0))
        for e in json.loads(row["spans"])
        if e["side"] == "copy"
    ]
    return _pair(
        source,
        copy.cleaned,
        corpus=corpus,
        label=label,
        kind="human",
        points=float(row["score"]),
        marks=of_spans(copy, spans),
        system=row["system"],
        lang="zh",
    )


def mlqe(table: pd.DataFrame, _: Dropped) -> Iterator[Pair]:
    """Load post-edits. Drift: judged poor and much edited.

    Sound: judged very good, or good with every content word kept. Its "dev" rows become the
    corpus "mlqe_dev", for evaluation only.
    """
    for row in table.to_dict("records"):
        source = Text(row["post_edit_en"], detokenise(row["post_edit_en"]))
        copy = Text(row["mt_en"], detokenise(row["mt_en"]))
        quality, edited = float(row["da_mean"]), float(row["hter"])
        label: bool | None = None
        if quality <= 45 and edited >= 0.2:
            label = True
        elif quality >= 90 or (quality >= 80 and content(source.cleaned) == content(copy.cleaned)):
            label = False
        yield _pair(
            source.cleaned,
            copy.cleaned,
            corpus="mlqe_dev" if row["split"] == "dev" else "mlqe",
            label=label,
            kind="human",
            hter=edited,
            quality=quality,
            marks=of_tags(source, copy, row["mt_word_tags"].split()),
            lang=row["lp"][:2],
        )


def flores(table: pd.DataFrame, dropped: Dropped) -> Iterator[Pair]:
    """Load round trips of news-like sentences, labelled by consensus."""
    return _round_trips(table, "flores", dropped)


def wmt(table: pd.DataFrame, dropped: Dropped) -> Iterator[Pair]:
    """Load round trips of news, labelled by consensus."""
    return _round_trips(table[table["suspect_misaligned"].astype(str) != "1"], "wmt", dropped)


def _round_trips(table: pd.DataFrame, corpus: str, dropped: Dropped) -> Iterator[Pair]:
    for raw, rows in table.groupby("orig_en", sort=True):
        source = tidy(str(raw))
        columns = (rows[name] for name in ("back_en", "lang", "system"))
        trips = [Translation(tidy(copy), *via) for copy, *via in zip(*columns, strict=True)]
        for trip, (label, kind) in zip(trips, labels(source, trips), strict=True):
            known = {"label": label, "kind": kind, "system": trip.system, "lang": trip.lang}
            pair = _pair(source, trip.copy, corpus=corpus, **known)
            if label is None:
                dropped.add(corpus, kind)
            else:
                yield pair
            if trip.lang in CLOSE_PIVOTS and trip.system in VOTERS:
                yield replace(pair, label=None, corpus="watch", kind=corpus)


def apertium(table: pd.DataFrame, _: Dropped) -> Iterator[Pair]:
    """Load round trips by a rule-based system, unlabelled, to measure how many are flagged."""
    for row in table.to_dict("records"):
        source = tidy(row["orig_en"])
        yield _pair(
            source,
            unmark(row["back_en"], source),
            corpus="watch",
            label=None,
            kind="apertium",
            system=f"{row['forward']}-apertium",
            lang=row["pivot"],
        )


_CARRIERS = (
    "The report describes how {} was used.",
    "Experts said that {} plays a growing part in the region.",
    "Much of the money goes into {}, according to the ministry.",
    "She has written about {} for many years.",
    "There are several ways to look at {}.",
    "Critics of {} met in the capital on Tuesday.",
)
_IN_BRACKETS = re.compile(r"\s*\([^)]*\)")
_TWO_TO_FOUR = re.compile(r"[a-z-]+(?: [a-z-]+){1,3}")


def tortured(table: pd.DataFrame, dropped: Dropped) -> Iterator[Pair]:
    """Put fixed terms, and tortured phrases (Cabanac et al. 2021), into plain sentences.

    Sound: the term. Drift: the tortured phrase, which has a synonym for each word of it.
    """
    for row in table.to_dict("records"):
        term = _IN_BRACKETS.sub("", str(row["correct"])).strip().lower()
        phrase = str(row["tortured"]).strip().lower()
        if not (_TWO_TO_FOUR.fullmatch(term) and _TWO_TO_FOUR.fullmatch(phrase)) or term == phrase:
            dropped.add("tortured", "not two to four words")
            continue
        carrier = _CARRIERS[int(hashlib.sha256(term.encode()).hexdigest(), 16) % len(_CARRIERS)]
        source, at = carrier.format(term), carrier.index("{")
        known: dict[str, Any] = {"corpus": "tortured", "twin": f"tortured-{group_of(term)}"}
        yield _pair(source, source, label=False, kind="base", **known)
        marked = Mark(
            side="copy",
            start=at,
            end=at + len(phrase),
            kind="tortured phrase",
            weight=POINTS["Major"],
        )
        yield _pair(
            source,
            carrier.format(phrase),
            label=True,
            kind="tortured phrase",
            points=POINTS["Major"],
            marks=(marked, replace(marked, side="source", end=at + len(term))),
            **known,
        )


LOADERS: dict[str, tuple[str, Callable[[pd.DataFrame, Dropped], Iterator[Pair]]]] = {
    "demetr": ("demetr_dev.parquet", demetr),
    "mqm_news": ("mqm_news21_zhen.parquet", mqm_news),
    "mqm_ted": ("mqm_ted_zhen.parquet", mqm_ted),
    "biomqm": ("biomqm_into_en.parquet", biomqm),
    "mlqe": ("mlqe_pe_train_dev.parquet", mlqe),
    "flores": ("flores_dev_rt.parquet", flores),
    "wmt": ("wmt14_15_18_rt.parquet", wmt),
    "apertium": ("apertium_rt.parquet", apertium),
    "tortured": ("tortured_phrases.parquet", tortured),
}
"""Corpus to its file and its reader."""
