"""Pairs of documents whose relation is known, cut out of stretches of lines.

Each kind says how it is made. Nothing is encoded or fitted here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from detector.learn.contrasts import DAMAGES, HARMLESS
from detector.learn.makers.edits import carry_out
from detector.learn.makers.grammar import Sentence
from detector.learn.makers.pools import Pools, pools
from detector.learn.related_lines import Stretch
from detector.relation import RelationKind

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
