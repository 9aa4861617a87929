"""The data of a report: its fields, the checks they pass, and counts over its rows.

It computes no score and knows no format: `report` adds the public views to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from detector.errors import InputError
from detector.records import (
    DAMAGES,
    SLIPS,
    Alignment,
    NameChange,
    NumberChange,
    Passage,
    Pivot,
    Relation,
    Row,
)

if TYPE_CHECKING:
    from detector.models.bundle_config import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """How a suspected round-trip copy differs from its source, sentence by sentence.

    Attributes
    ----------
    rows : tuple of Row
        One per copy sentence, in order.
    omissions, outside : tuple of Passage
        Source passages that the copy lacks: inside the article, and page boilerplate around it.
    alignment : Alignment
        Beads of source and copy sentences.
    threshold : float
        Drift probability in [0, 1] from which a row is flagged.
    name_threshold : float
        Probability in [0, 1] from which a changed name counts as damaged.
    signature : Signature
        What produced the probabilities.
    matched : float
        Share in [0, 1] of the copy's characters in beads of two similar sides.
    match : bool
        Whether the two texts match well enough for the rest to mean anything.
    relation : Relation or None
        What the copy is to the source; None where it was not judged.
    pivot : Pivot or None
        Through which language the copy went; None where that was not asked.
    n_truncated : int
        Sentences of both texts that are longer than the encoder's limit.
    warnings : tuple of str
        What was degraded, in words.

    Raises
    ------
    InputError
        When the rows do not fit the alignment, or a value is out of its range.
    """

    rows: tuple[Row, ...]
    omissions: tuple[Passage, ...]
    outside: tuple[Passage, ...]
    alignment: Alignment
    threshold: float
    name_threshold: float
    signature: Signature
    matched: float
    match: bool
    relation: Relation | None = None
    pivot: Pivot | None = None
    n_truncated: int = 0
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if [row.copy_index for row in self.rows] != list(range(self.alignment.n_copy)):
            msg = (
                f"report has {len(self.rows)} rows for {self.alignment.n_copy} copy sentences; "
                "give one row per copy sentence, in order"
            )
            raise InputError(msg)
        for what in ("threshold", "name_threshold", "matched"):
            if not 0.0 <= getattr(self, what) <= 1.0:
                msg = f"report has {what} {getattr(self, what)}; give a number in [0, 1]"
                raise InputError(msg)
        for row in self.rows:
            _check_row(row, self.threshold)
        if any(not math.isfinite(bead.similarity or 0.0) for bead in self.alignment.beads):
            msg = "a bead's similarity is not a number; give a cosine or None"
            raise InputError(msg)
        for passage in (*self.omissions, *self.outside):
            if not passage.indices or not 0 <= passage.indices[0] < self.n_source:
                msg = (
                    f"passage at {passage.span.start} names source sentences {passage.indices}; "
                    f"the source has {self.n_source}"
                )
                raise InputError(msg)

    @property
    def n_source(self) -> int:
        """How many sentences the source has, page boilerplate included."""
        return self.alignment.n_source

    @property
    def n_copy(self) -> int:
        """How many sentences the copy has."""
        return self.alignment.n_copy

    @property
    def additions(self) -> tuple[Row, ...]:
        """Rows without a counterpart in the source."""
        return tuple(row for row in self.rows if row.kind == "addition")

    @property
    def flagged(self) -> tuple[Row, ...]:
        """Rows whose drift probability reaches the threshold."""
        return tuple(row for row in self.rows if row.drift_flag)

    @property
    def severity(self) -> float | None:
        """Mean error points of a judged copy sentence; 0 is sound, None where none is judged."""
        points = [row.severity for row in self.rows if row.severity is not None]
        return math.fsum(points) / len(points) if points else None

    @property
    def names(self) -> tuple[NameChange, ...]:
        """Every name found, kept ones included; one that two rows share counts once."""
        return tuple(dict.fromkeys(change for row in self.rows for change in row.name_changes))

    @property
    def damaged(self) -> tuple[NameChange, ...]:
        """Names that were damaged, surest first."""
        damaged = [change for change in self.names if self.is_damaged(change)]
        return tuple(sorted(damaged, key=lambda change: -change.probability))

    @property
    def slips(self) -> tuple[NameChange, ...]:
        """Names that can still be read, but lost or gained a capital or an apostrophe."""
        return tuple(change for change in self.names if change.change in SLIPS)

    @property
    def numbers(self) -> tuple[NumberChange, ...]:
        """Every number, date, amount and measure compared, kept ones included."""
        return tuple(change for row in self.rows for change in row.number_changes)

    @property
    def changed_numbers(self) -> tuple[NumberChange, ...]:
        """Numbers that changed, surest first."""
        changed = [change for change in self.numbers if change.reported]
        return tuple(sorted(changed, key=lambda change: -change.probability))

    @property
    def n_figures(self) -> int | None:
        """How many numbers changed; None where no sentence has a counterpart to compare."""
        return len(self.changed_numbers) if self.alignment.aligned else None

    @property
    def worst(self) -> tuple[Row, ...]:
        """Rows with a finding, worst first: likely drift, then the surest damaged name."""

        def badness(row: Row) -> tuple[bool, float, float]:
            name = max((c.probability for c in row.name_changes if self.is_damaged(c)), default=0.0)
            return row.drift_flag, row.drift_probability or 0.0, name

        return tuple(sorted(filter(self.has_finding, self.rows), key=badness, reverse=True))

    @property
    def entries(self) -> tuple[Row | Passage, ...]:
        """Rows and missing source passages in reading order, each where it belongs."""
        starting: dict[int, list[Passage]] = {}
        for passage in (*self.omissions, *self.outside):
            starting.setdefault(passage.indices[0], []).append(passage)
        entries: list[Row | Passage] = []
        for bead in self.alignment.beads:
            entries += chain.from_iterable(starting.get(index, ()) for index in bead.source)
            entries += self.rows[bead.copy.start : bead.copy.stop]
        return tuple(entries)

    @property
    def statement(self) -> str:
        """Whether the two texts match, in one sentence."""
        share = f"{self.matched:.0%} of the copy's text has a close counterpart in the source"
        if self.match:
            return f"The copy matches the source: {share}."
        return f"The two texts do not match: {share}. The figures below mean little."

    def is_damaged(self, change: NameChange) -> bool:
        """Return whether a name is damaged beyond a slip of case or possessive, surely enough."""
        return change.change in DAMAGES and change.probability >= self.name_threshold

    def damage(self, row: Row) -> tuple[NameChange | NumberChange, ...]:
        """Return a row's damaged names, then its changed numbers."""
        names = filter(self.is_damaged, row.name_changes)
        return (*names, *(change for change in row.number_changes if change.reported))

    def has_finding(self, row: Row) -> bool:
        """Return whether a row is flagged or holds a damaged name."""
        return row.drift_flag or any(map(self.is_damaged, row.name_changes))

    def findings(self, row: Row) -> tuple[str, ...]:
        """Return a row's reasons, then those of its damaged names; no slip of a name among them."""
        quiet = {c.reason for c in row.name_changes if not self.is_damaged(c)}
        loud = [c.reason for c in row.name_changes if self.is_damaged(c)]
        reasons = (r for r in row.reasons if r in loud or r not in quiet)
        return tuple(reason for reason in dict.fromkeys((*reasons, *loud)) if reason)


def _check_row(row: Row, threshold: float) -> None:
    probability = row.drift_probability
    if probability is not None and not 0.0 <= probability <= 1.0:
        msg = f"row {row.copy_index} has drift probability {probability}; give one in [0, 1]"
        raise InputError(msg)
    if row.drift_flag != (probability is not None and probability >= threshold):
        msg = (
            f"row {row.copy_index} has drift flag {row.drift_flag} at probability {probability}; "
            f"a row is flagged from {threshold} up"
        )
        raise InputError(msg)
    if row.severity is not None and not 0.0 <= row.severity < math.inf:
        msg = f"row {row.copy_index} has severity {row.severity}; give error points of 0 or above"
        raise InputError(msg)
    if row.similarity is not None and not math.isfinite(row.similarity):
        msg = f"row {row.copy_index} has similarity {row.similarity}; give a number or None"
        raise InputError(msg)
    sides = {row.kind == "aligned", row.source is not None, row.source_text is not None}
    if len({*sides, bool(row.source_indices)}) != 1:
        msg = (
            f"row {row.copy_index} is {row.kind!r} with source sentences {row.source_indices}; "
            "an aligned row has a source side, an addition none"
        )
        raise InputError(msg)
