"""Make pairs of documents of known relation from the shared tables.

Blocks of neighbouring lines become examples of eleven kinds; a block belongs to one fold whole, so
that documents of two folds share no line. Encodes and fits nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

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
TEST_FOLD = 0
"""The fold that the shipped model is never fitted on."""

_BLOCK_LINES = 50
_MIN_HTER = 0.15  # edit rate (HTER) above which a post-edit is a text of its own
_TALK_FOLDS = {"talk.9": 0, "talk.2": 1, "talk.6": 2, "talk.7": 3, "talk.5": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Neighbouring lines of one English text, and how others render them."""

    corpus: str
    group: str  # its name; flores and apertium share theirs, as they share their sentences
    fold: int  # in [0, N_FOLDS)
    lines: Mapping[int, str]  # line number to the English line, in order
    machine: Mapping[tuple[str, str], Mapping[int, str]]  # by pivot and system: the round trips
    human: Mapping[int, str]  # a person's own version of each line; empty where there is none


def read_blocks(folder: Path) -> list[Block]:
    """Read the shared tables whose lines have an order; raises `InputError` without one of them."""
    import pandas as pd

    blocks: list[Block] = []
    for name, read in _READERS.items():
        path = folder / name
        if not path.is_file():
            msg = f"{path}: is not there; the model of relations is fitted on {', '.join(_READERS)}"
            raise InputError(msg)
        try:
            blocks += read(pd.read_parquet(path))
        except (KeyError, ValueError, TypeError) as err:
            msg = f"{path}: cannot be read as lines in order ({type(err).__name__}: {err})"
            raise InputError(msg) from err
    return blocks


def _fold(*key: object) -> int:
    text = "|".join(map(str, key)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big") % N_FOLDS


def _wmt(table: pd.DataFrame) -> Iterator[Block]:
    aligned = table[table["suspect_misaligned"].astype(str) != "1"]
    aligned = aligned.assign(line=aligned["line"].astype(int))
    for year, rows in aligned.groupby("set"):
        yield from _blocks("wmt", f"wmt {year}", rows, by=("lang", "system"))


def _flores(table: pd.DataFrame) -> Iterator[Block]:
    rows = table.assign(line=table["sid"].astype(int))
    return _blocks("flores", "flores", rows, by=("lang", "system"))


def _apertium(table: pd.DataFrame) -> Iterator[Block]:
    back = [unmark(c, tidy(o)) for c, o in zip(table["back_en"], table["orig_en"], strict=True)]
    rows = table.assign(line=table["sid"].astype(int), back_en=back)
    # The sentences are those of flores, so the folds are too.
    return _blocks("apertium", "flores", rows, by=("pivot", "forward"))


def _blocks(corpus: str, key: str, rows: pd.DataFrame, *, by: tuple[str, str]) -> Iterator[Block]:
    for number, part in rows.groupby(rows["line"] // _BLOCK_LINES):
        ordered = part.sort_values("line")
        yield Block(
            corpus=corpus,
            group=f"{key} {number}",
            fold=_fold(key, number),
            lines=_texts(ordered, "line", "orig_en"),
            machine={
                (str(lang), str(system)): _texts(some, "line", "back_en")
                for (lang, system), some in ordered.groupby(list(by))
            },
            human={},
        )


def _texts(
    rows: pd.DataFrame, number: str, text: str, clean: Callable[[str], str] = tidy
) -> dict[int, str]:
    return dict(zip(map(int, rows[number]), map(clean, rows[text]), strict=True))


def _mlqe(table: pd.DataFrame) -> Iterator[Block]:
    rows = table.assign(line=table["i"].astype(int), edited=table["hter"].astype(float))
    rows = rows[rows["edited"] > _MIN_HTER]
    for (part, pair), of_pair in rows.groupby(["split", "lp"]):
        for number, some in of_pair.groupby(of_pair["line"] // (10 * _BLOCK_LINES)):
            # The authors' development set is the test fold; the rest is never of that fold.
            rest = 1 + _fold("mlqe", pair, number) % (N_FOLDS - 1)
            ordered = some.sort_values("line")
            made = _texts(ordered, "line", "mt_en", detokenise)
            yield Block(
                corpus="mlqe",
                group=f"mlqe {part} {pair} {number}",
                fold=TEST_FOLD if part == "dev" else rest,
                lines=_texts(ordered, "line", "post_edit_en", detokenise),
                machine={(str(pair)[:2], "mlqe"): made},
                human={},
            )


def _ted(table: pd.DataFrame) -> Iterator[Block]:
    rows = table.assign(line=table["seg"].astype(int))
    for talk, some in rows.groupby("doc"):
        once = some.drop_duplicates("line").sort_values("line")
        yield Block(
            corpus="mqm_ted",
            group=f"mqm_ted {talk}",
            fold=_TALK_FOLDS.get(str(talk), _fold("ted", talk)),
            lines=_texts(once, "line", "source"),
            machine={
                ("zh", str(system)): _texts(part, "line", "copy")
                for system, part in some.groupby("system")
            },
            human=_texts(once, "line", "source_alt"),
        )


_READERS: Mapping[str, Callable[[pd.DataFrame], Iterator[Block]]] = {
    "wmt14_15_18_rt.parquet": _wmt,
    "flores_dev_rt.parquet": _flores,
    "apertium_rt.parquet": _apertium,
    "mlqe_pe_train_dev.parquet": _mlqe,
    "mqm_ted_zhen.parquet": _ted,
}

_SIZES = (3, 5, 8, 12, 15, 20, 25, 30, 40)
_SIZE_ODDS = (0.05, 0.1, 0.1, 0.1, 0.2, 0.15, 0.1, 0.1, 0.1)
_EDIT_RATES = (0.0, 0.05, 0.15, 0.3, 0.5)  # shares of sentences that an editor changes
_BOILERPLATE = (
    "Read more", "Share this article", "Advertisement", "Related articles",
    "Sign up to our newsletter", "By Staff Reporter", "© All rights reserved", "Photo: archive",
    "Updated 2 hours ago",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Two texts and their relation.

    `kind` says how they were made, `group` names the block of the source. `lang` and `system` are
    the copy's pivot and system, `n_lines` its number of lines. Blank lines separate paragraphs.
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


@final  # so that None is its only false value: `cut and ...`
@dataclass(frozen=True, slots=True)
class _Excerpt:
    """Neighbouring lines of a block, and their renderings by one route (pivot and system)."""

    block: Block
    route: tuple[str, str]
    source: list[str]
    copy: list[str]


class ExampleSampler:
    """Draw examples of every relation out of blocks; equal seeds give equal examples."""

    def __init__(self, blocks: Sequence[Block], *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._blocks = {
            corpus: [block for block in blocks if block.corpus == corpus]
            for corpus in ("wmt", "flores", "apertium", "mlqe", "mqm_ted")
        }
        news = [line for block in self._blocks["wmt"][:60] for line in block.lines.values()]
        self._pools: Pools = pools(news)

    def draw(self, n: int) -> list[Example]:
        """Draw about `n` examples; the shares of the kinds are fixed."""
        examples: list[Example] = []
        for share, make in self._kinds():
            wanted, tries = max(1, round(share * n)), 0
            while wanted and tries < 20 * n:
                tries += 1
                example = make()
                if example is not None:
                    examples.append(example)
                    wanted -= 1
        return examples

    def _kinds(self) -> tuple[tuple[float, Callable[[], Example | None]], ...]:
        return (
            (0.24, self._round_trip),
            (0.06, self._part),
            (0.06, self._gaps),
            (0.05, self._stitched),
            (0.13, self._duplicate),
            (0.09, self._alternative),
            (0.09, self._post_edit),
            (0.07, self._reversed),
            (0.09, self._next_lines),
            (0.05, self._sibling),
            (0.09, self._unrelated),
        )

    def _round_trip(self) -> Example | None:
        cut = self._excerpt()
        return cut and self._example("round_trip", "whole", cut, cut.source, cut.copy)

    def _part(self) -> Example | None:
        cut = self._excerpt()
        if cut is None or len(cut.copy) < 3:
            return None
        n = max(3, len(cut.copy) // 3)
        start = int(self._rng.integers(len(cut.copy) - n + 1))
        return self._example("round_trip", "part", cut, cut.source, cut.copy[start : start + n])

    def _gaps(self) -> Example | None:
        cut = self._excerpt()
        if cut is None:
            return None
        source, copy = self._thin(cut.source, 0.1), self._thin(cut.copy, 0.2)
        return self._example("round_trip", "gaps", cut, source, copy)

    def _stitched(self) -> Example | None:
        """Join two round trips of the same route; the source is one of the originals."""
        cut = self._excerpt()
        if cut is None:
            return None
        other = self._excerpt(like=cut)
        if other is None or not 0.3 <= len(other.copy) / len(cut.copy) <= 1.3:
            return None
        parts = [cut.copy, other.copy]
        if self._chance(0.5):
            parts.reverse()
        return self._example("round_trip", "stitched", cut, cut.source, [*parts[0], *parts[1]])

    def _duplicate(self) -> Example | None:
        """Edit some sentences of a text, now and then of a machine's text."""
        cut = self._excerpt()
        if cut is None:
            return None
        share = float(self._rng.choice(_EDIT_RATES))
        lines = cut.copy if self._chance(0.25) else cut.source
        copy = [self._edit(line) if self._chance(share) else line for line in lines]
        if self._chance(0.3):
            copy = self._thin(copy, 0.25)
        elif self._chance(0.2):
            copy = copy[: max(3, len(copy) // 3)]
        kind = f"{share:.0%} of sentences edited"
        return self._example("duplicate", kind, cut, lines, copy)

    def _alternative(self) -> Example | None:
        """Take two human versions of one talk."""
        cut = self._excerpt("mqm_ted", human=True)
        if cut is None:
            return None
        both = [cut.source, cut.copy]
        if self._chance(0.5):
            both.reverse()
        return self._example("paraphrase", "human alternative", cut, both[0], both[1])

    def _post_edit(self) -> Example | None:
        """Take a person's post-edit of a machine's text."""
        cut = self._excerpt("mlqe")
        return cut and self._example("paraphrase", "post-edit", cut, cut.copy, cut.source)

    def _reversed(self) -> Example | None:
        """Take a round trip as the source of its original."""
        cut = self._excerpt()
        return cut and self._example("paraphrase", "round trip turned", cut, cut.copy, cut.source)

    def _next_lines(self) -> Example | None:
        """Take an article's other half, or the next article: the same days and names."""
        cut = self._excerpt("wmt")  # neighbouring sentences of flores are of different articles
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
        cut = self._excerpt()
        if cut is None or len(cut.source) < 9:
            return None
        third = len(cut.source) // 3
        shared = cut.source[: int(self._rng.integers(1, third + 1))]
        own, others = cut.source[third : 2 * third], cut.source[2 * third :]
        again = [self._edit(line) if self._chance(0.2) else line for line in shared]
        return self._example(
            "independent", "sibling edits", cut, [*shared, *own], [*again, *others]
        )

    def _unrelated(self) -> Example | None:
        cut, other = self._excerpt(), self._excerpt()
        if cut is None or other is None or other.block.group == cut.block.group:
            return None
        if other.block.fold != cut.block.fold:
            return None
        copy = other.copy if self._chance(0.5) else other.source
        return self._example("unrelated", "another text", cut, cut.source, copy)

    def _excerpt(
        self, corpus: str | None = None, *, human: bool = False, like: _Excerpt | None = None
    ) -> _Excerpt | None:
        """Cut neighbouring lines out of a block; `like` asks for the same corpus, fold, route."""
        if like is not None:
            blocks = [
                block
                for block in self._blocks[like.block.corpus]
                if block.fold == like.block.fold
                and block is not like.block
                and like.route in block.machine
            ]
        else:
            if corpus is None:
                corpus = str(self._rng.choice(["wmt", "flores", "apertium"], p=[0.5, 0.42, 0.08]))
            blocks = self._blocks[corpus]
        if not blocks:
            return None
        block = blocks[int(self._rng.integers(len(blocks)))]
        numbers = list(block.lines)
        n = min(int(self._rng.choice(_SIZES, p=_SIZE_ODDS)), len(numbers))
        start = int(self._rng.integers(len(numbers) - n + 1))
        routes = list(block.machine)
        route = like.route if like else routes[int(self._rng.integers(len(routes)))]
        copies = block.human if human else block.machine[route]
        kept = [i for i in numbers[start : start + n] if copies.get(i)]
        if len(kept) < max(2, 0.9 * n):
            return None
        return _Excerpt(block, route, [block.lines[i] for i in kept], [copies[i] for i in kept])

    def _example(
        self,
        relation: RelationKind,
        kind: str,
        cut: _Excerpt,
        source: Sequence[str],
        copy: Sequence[str],
    ) -> Example | None:
        if len(source) < 2 or len(copy) < 2:
            return None
        lang, system = cut.route
        return Example(
            relation=relation,
            kind=kind,
            fold=cut.block.fold,
            group=cut.block.group,
            source=self._paragraphs(source),
            copy=self._paragraphs(list(self._with_boilerplate(copy))),
            corpus=cut.block.corpus,
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

    def _with_boilerplate(self, lines: Sequence[str]) -> Iterator[str]:
        if self._chance(0.3):
            yield _BOILERPLATE[int(self._rng.integers(len(_BOILERPLATE)))]
        yield from lines
        if self._chance(0.3):
            yield _BOILERPLATE[int(self._rng.integers(len(_BOILERPLATE)))]

    def _thin(self, lines: Sequence[str], share: float) -> list[str]:
        return [line for line in lines if not self._chance(share)]

    def _edit(self, line: str) -> str:
        """Change a line as an editor may: mostly harmlessly, now and then with damage."""
        for _ in range(6):
            kinds = HARMLESS if self._chance(0.75) else DAMAGES
            name = list(kinds)[int(self._rng.integers(len(kinds)))]
            sentence = Sentence.of(line)
            edits = kinds[name].make(sentence, self._rng, self._pools)
            if edits:
                changed, _ = carry_out(sentence, edits, source=line, kind=name, weight=0.0)
                if changed.strip() and changed != line:
                    return changed
        return line

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)
