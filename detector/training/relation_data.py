"""Make pairs of documents of known relation from the shared tables.

The shared tables as stretches of neighbouring lines: what documents are cut out of.

A stretch belongs to one of five folds, whole, so that no document of one fold shares a line with
another's. Nothing is drawn here.

Pairs of documents whose relation is known, cut out of stretches of lines.

Each kind says how it is made. Nothing is encoded or fitted here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from detector.errors import InputError
from detector.records import RelationKind
from detector.training.contrasts.contrasts import DAMAGES, HARMLESS
from detector.training.contrasts.edits import Pools, carry_out, pools
from detector.training.contrasts.grammar import Sentence
from detector.training.data.corpus import detokenise, tidy, unmark

if TYPE_CHECKING:
    import pandas as pd

N_FOLDS = 5
APART = 0
"""The fold that the shipped model is never fitted on."""

_BLOCK = 50  # lines of a stretch
_REWRITTEN = 0.15  # HTER from which a post-edit is a text of its own
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
    rows = rows[rows["edited"] > _REWRITTEN]
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


_SIZES = (3, 5, 8, 12, 15, 20, 25, 30, 40)
_SIZE_ODDS = (0.05, 0.1, 0.1, 0.1, 0.2, 0.15, 0.1, 0.1, 0.1)
_EDITED = (0.0, 0.05, 0.15, 0.3, 0.5)  # shares of sentences that an editor touches
_AROUND = (
    "Read more",
    "Share this article",
    "Advertisement",
    "Related articles",
    "Sign up to our newsletter",
    "By Staff Reporter",
    "© All rights reserved",
    "Photo: archive",
    "Updated 2 hours ago",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Two texts and what the one is to the other.

    Attributes
    ----------
    relation : str
    kind : str
        How it was made.
    fold : int
        That of its stretches.
    group : str
        Names the stretch that its source is from.
    source, copy : str
        Paragraphs parted by blank lines.
    corpus, lang, system : str
        Where its lines are from; pivot and system of the copy, or empty.
    n_lines : int
        Lines of the copy.
    """

    relation: RelationKind
    kind: str
    fold: int
    group: str
    source: str
    copy: str
    corpus: str
    lang: str
    system: str
    n_lines: int


class Drawer:
    """Draws examples.

    Parameters
    ----------
    stretches : sequence of Stretch
    seed : int
        Of every draw.
    """

    def __init__(self, stretches: Sequence[Stretch], *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._of = {
            corpus: [s for s in stretches if s.corpus == corpus]
            for corpus in ("wmt", "flores", "apertium", "mlqe", "mqm_ted")
        }
        news = [line for s in self._of["wmt"][:60] for line in s.lines.values()]
        self._pool: Pools = pools(news)

    def draw(self, n: int) -> list[Example]:
        """Draw examples of every kind.

        Parameters
        ----------
        n : int
            About how many; the kinds' shares are fixed.

        Returns
        -------
        list of Example
        """
        found: list[Example] = []
        for share, make in self._kinds():
            wanted, tries = max(1, round(share * n)), 0
            while wanted and tries < 20 * n:
                tries += 1
                example = make()
                if example is not None:
                    found.append(example)
                    wanted -= 1
        return found

    def _kinds(self) -> tuple[tuple[float, Callable[[], Example | None]], ...]:
        return (
            (0.24, self._round_trip),
            (0.06, self._part),
            (0.06, self._gaps),
            (0.05, self._stitched),
            (0.13, self._duplicate),
            (0.09, self._alternative),
            (0.09, self._post_edit),
            (0.07, self._turned),
            (0.09, self._next_stretch),
            (0.05, self._sibling),
            (0.09, self._unrelated),
        )

    # Round trips.

    def _round_trip(self) -> Example | None:
        cut = self._cut()
        return (
            None if cut is None else self._example("round_trip", "whole", cut, cut.source, cut.copy)
        )

    def _part(self) -> Example | None:
        cut = self._cut()
        if cut is None or len(cut.copy) < 3:
            return None
        n = max(3, len(cut.copy) // 3)
        start = int(self._rng.integers(len(cut.copy) - n + 1))
        return self._example("round_trip", "part", cut, cut.source, cut.copy[start : start + n])

    def _gaps(self) -> Example | None:
        cut = self._cut()
        if cut is None:
            return None
        source, copy = self._thinned(cut.source, 0.1), self._thinned(cut.copy, 0.2)
        return self._example("round_trip", "gaps", cut, source, copy)

    def _stitched(self) -> Example | None:
        """Put two articles together that went the same route; the source is one of them."""
        cut = self._cut()
        if cut is None:
            return None
        other = self._cut(like=cut)
        if other is None or not 0.3 <= len(other.copy) / len(cut.copy) <= 1.3:
            return None
        parts = [cut.copy, other.copy]
        if self._chance(0.5):
            parts.reverse()
        return self._example("round_trip", "stitched", cut, cut.source, [*parts[0], *parts[1]])

    # What is none.

    def _duplicate(self) -> Example | None:
        cut = self._cut()
        if cut is None:
            return None
        share = float(self._rng.choice(_EDITED))
        # Now and then the text of a machine, published again as it is.
        lines = cut.copy if self._chance(0.25) else cut.source
        copy = [self._edited(line) if self._chance(share) else line for line in lines]
        if self._chance(0.3):
            copy = self._thinned(copy, 0.25)
        elif self._chance(0.2):
            copy = copy[: max(3, len(copy) // 3)]
        kind = f"{share:.0%} of sentences edited"
        return self._example("duplicate", kind, cut, lines, copy)

    def _alternative(self) -> Example | None:
        """Take two people's renderings of one talk."""
        cut = self._cut("mqm_ted", person=True)
        if cut is None:
            return None
        both = [cut.source, cut.copy]
        if self._chance(0.5):
            both.reverse()
        return self._example("paraphrase", "human alternative", cut, both[0], both[1])

    def _post_edit(self) -> Example | None:
        """Take what a person made of a machine's text."""
        cut = self._cut("mlqe")
        return (
            None
            if cut is None
            else self._example("paraphrase", "post-edit", cut, cut.copy, cut.source)
        )

    def _turned(self) -> Example | None:
        """Take a machine's rendering for the source of the person's text it was made of."""
        cut = self._cut()
        return (
            None
            if cut is None
            else self._example("paraphrase", "round trip turned", cut, cut.copy, cut.source)
        )

    def _next_stretch(self) -> Example | None:
        """Take an article's other half, or the next article: the same days and names."""
        cut = self._cut("wmt")  # neighbouring sentences of flores are of different articles
        if cut is None or not 6 <= len(cut.source) <= 30:
            return None
        half = len(cut.source) // 2
        other = cut.copy if self._chance(0.5) else cut.source
        parts = [cut.source[:half], other[half:]]
        if self._chance(0.5):
            parts = [cut.source[half:], other[:half]]
        return self._example("independent", "next lines", cut, parts[0], parts[1])

    def _sibling(self) -> Example | None:
        """Make two edits of one agency story: some sentences shared, the others their own."""
        cut = self._cut()
        if cut is None or len(cut.source) < 9:
            return None
        third = len(cut.source) // 3
        shared = cut.source[: int(self._rng.integers(1, third + 1))]
        own, others = cut.source[third : 2 * third], cut.source[2 * third :]
        again = [self._edited(line) if self._chance(0.2) else line for line in shared]
        return self._example(
            "independent", "sibling edits", cut, [*shared, *own], [*again, *others]
        )

    def _unrelated(self) -> Example | None:
        cut, other = self._cut(), self._cut()
        if cut is None or other is None or other.stretch.group == cut.stretch.group:
            return None
        if other.stretch.fold != cut.stretch.fold:
            return None
        copy = other.copy if self._chance(0.5) else other.source
        return self._example("unrelated", "another text", cut, cut.source, copy)

    # How lines are cut and put together.

    def _cut(
        self, corpus: str | None = None, *, person: bool = False, like: _Cut | None = None
    ) -> _Cut | None:
        if like is not None:
            places = [
                s
                for s in self._of[like.stretch.corpus]
                if s.fold == like.stretch.fold and s is not like.stretch and like.route in s.machine
            ]
        else:
            if corpus is None:
                corpus = str(self._rng.choice(["wmt", "flores", "apertium"], p=[0.5, 0.42, 0.08]))
            places = self._of[corpus]
        if not places:
            return None
        stretch = places[int(self._rng.integers(len(places)))]
        numbers = list(stretch.lines)
        n = min(int(self._rng.choice(_SIZES, p=_SIZE_ODDS)), len(numbers))
        start = int(self._rng.integers(len(numbers) - n + 1))
        routes = list(stretch.machine)
        route = like.route if like else routes[int(self._rng.integers(len(routes)))]
        there = stretch.person if person else stretch.machine[route]
        kept = [i for i in numbers[start : start + n] if there.get(i)]
        if len(kept) < max(2, 0.9 * n):
            return None
        return _Cut(stretch, route, [stretch.lines[i] for i in kept], [there[i] for i in kept])

    def _example(
        self,
        relation: RelationKind,
        kind: str,
        cut: _Cut,
        source: Sequence[str],
        copy: Sequence[str],
    ) -> Example | None:
        if len(source) < 2 or len(copy) < 2:
            return None
        lang, system = cut.route
        return Example(
            relation=relation,
            kind=kind,
            fold=cut.stretch.fold,
            group=cut.stretch.group,
            source=self._paragraphs(source),
            copy=self._paragraphs(list(self._furnished(copy))),
            corpus=cut.stretch.corpus,
            lang=lang,
            system=system,
            n_lines=len(copy),
        )

    def _paragraphs(self, lines: Sequence[str]) -> str:
        parts, at = [], 0
        while at < len(lines):
            n = int(self._rng.integers(1, 4))
            parts.append(" ".join(lines[at : at + n]))
            at += n
        return "\n\n".join(parts)

    def _furnished(self, lines: Sequence[str]) -> Iterator[str]:
        if self._chance(0.3):
            yield _AROUND[int(self._rng.integers(len(_AROUND)))]
        yield from lines
        if self._chance(0.3):
            yield _AROUND[int(self._rng.integers(len(_AROUND)))]

    def _thinned(self, lines: Sequence[str], share: float) -> list[str]:
        """Leave lines out."""
        return [line for line in lines if not self._chance(share)]

    def _edited(self, line: str) -> str:
        """Change a line as an editor may: mostly its looks or wording, now and then a word."""
        for _ in range(6):
            kinds = HARMLESS if self._chance(0.75) else DAMAGES
            name = list(kinds)[int(self._rng.integers(len(kinds)))]
            sentence = Sentence.of(line)
            edits = kinds[name].make(sentence, self._rng, self._pool)
            if edits:
                changed, _ = carry_out(sentence, edits, source=line, kind=name, weight=0.0)
                if changed.strip() and changed != line:
                    return changed
        return line

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Neighbouring lines of a stretch, and their renderings by one route."""

    stretch: Stretch
    route: tuple[str, str]
    source: list[str]
    copy: list[str]
