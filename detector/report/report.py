"""`Report`: the result of scoring a copy against its source.

The result of scoring a copy against its source: one record, its views and its JSON.

Everything shown was computed before; a report counts, sorts and formats what its rows hold. How it
looks as text, table or page is said in `summary`, `terminal` and `page`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from detector.errors import InputError
from detector.records import DAMAGES, SLIPS, Alignment, NameChange, Passage, Pivot, Relation, Row
from detector.report import serialise as plain

if TYPE_CHECKING:
    import pandas as pd

    from detector.models.config import Signature

FORMAT = "detector-report"
SCHEMA = 4
"""What `Report.to_dict` writes and `Report.from_dict` reads; another number is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a source text in a suspected round-trip copy, sentence by sentence.

    Attributes
    ----------
    rows : tuple of Row
        One per copy sentence, in order.
    omissions, outside : tuple of Passage
        Source passages that the copy lacks: inside the article, and page furniture around it.
    alignment : Alignment
        The beads that the rows stand in.
    threshold : float
        Drift probability in [0, 1] from which a row is flagged.
    name_threshold : float
        Probability in [0, 1] from which a changed name counts as damaged.
    signature : Signature
        What produced the probabilities.
    matched : float
        Share in [0, 1] of the copy's characters that stand in close beads (see `judge`).
    match : bool
        Whether the two texts match well enough for the rest to mean anything.
    relation : Relation or None
        What the copy is to the source; None where it was not judged.
    pivot : Pivot or None
        Through which language the copy went; None where that was not asked.
    n_truncated : int
        Sentences of both texts that are longer than the encoder reads.
    n_figures : int or None
        Numbers, dates, units and currencies that changed; None when they were not compared.
    warnings : tuple of str
        What was degraded, in words.

    Raises
    ------
    InputError
        When the rows do not fit the alignment, or a figure is out of its range.
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
    n_figures: int | None = None
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

    # What the rows say when they are counted and sorted.

    @property
    def n_source(self) -> int:
        """How many sentences the source has, page furniture included."""
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
        """Mean error points of a judged copy sentence; 0 is sound, None where none is judged.

        What reports of different lengths are ranked by.
        """
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
    def worst(self) -> tuple[Row, ...]:
        """Rows with a finding, worst first: likely drift, then the surest damaged name."""
        found = [row for row in self.rows if self.has_finding(row)]

        def badness(row: Row) -> tuple[bool, float, float]:
            name = max((c.probability for c in row.name_changes if self.is_damaged(c)), default=0.0)
            return row.drift_flag, row.drift_probability or 0.0, name

        return tuple(sorted(found, key=badness, reverse=True))

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
        """Tell whether a name may not be known again, and surely enough to count.

        Slips of case or possessive are told apart, and quietly.
        """
        return change.change in DAMAGES and change.probability >= self.name_threshold

    def has_finding(self, row: Row) -> bool:
        """Tell whether a row is flagged or holds a damaged name, slips left aside."""
        return row.drift_flag or any(map(self.is_damaged, row.name_changes))

    def findings(self, row: Row) -> tuple[str, ...]:
        """Return what there is to say about a row: its reasons, then its damaged names' own.

        Slips of a name are left to the mark on the name; naming each would drown the rest.
        """
        quiet = {c.reason for c in row.name_changes if not self.is_damaged(c)}
        loud = [c.reason for c in row.name_changes if self.is_damaged(c)]
        reasons = (r for r in row.reasons if r in loud or r not in quiet)
        return tuple(reason for reason in dict.fromkeys((*reasons, *loud)) if reason)

    # Other forms.

    def summary(self) -> str:
        """Return a few lines of plain text for a person, safe to print."""
        from detector.report import text as summary

        return summary.summary_text(self)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per copy sentence, with the columns of `detector.tables.COLUMNS`.

        Returns
        -------
        DataFrame
            All offsets count code points of the raw texts. Where there is nothing to say,
            floats are NaN, `source_start` and `source_end` are `<NA>` and `source_text` is None.
            `name_changes` and `spans` hold lists of dicts, `reasons` lists of str.
        """
        from detector.report import formats as tables

        return tables.frame(self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole report as plain dicts, lists, strings and numbers."""
        return {
            "format": FORMAT,
            "schema": SCHEMA,
            "signature": self.signature.to_dict(),
            "match": self.match,
            "matched": self.matched,
            "threshold": self.threshold,
            "name_threshold": self.name_threshold,
            "n_source": self.n_source,
            "n_copy": self.n_copy,
            "n_truncated": self.n_truncated,
            "n_figures": self.n_figures,
            "severity": self.severity,
            "relation": None if self.relation is None else plain.relation_record(self.relation),
            "pivot": None if self.pivot is None else plain.pivot_record(self.pivot),
            "warnings": list(self.warnings),
            "rows": [plain.row_record(row) for row in self.rows],
            "omissions": [plain.passage_record(passage) for passage in self.omissions],
            "outside": [plain.passage_record(passage) for passage in self.outside],
            "beads": [plain.bead_record(bead) for bead in self.alignment.beads],
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Return `to_dict` as JSON; nothing in it can act on a terminal."""
        return plain.dumps(self.to_dict(), indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read a report that `to_json` wrote.

        Parameters
        ----------
        text : str
            JSON.

        Returns
        -------
        Report
            Equal to the one written.

        Raises
        ------
        InputError
            When the text is not JSON, not a report, of another schema, or damaged.
        """
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as err:
            msg = f"report is not JSON ({err}); give what Report.to_json wrote"
            raise InputError(msg) from err
        return cls.from_dict(record)

    @classmethod
    def from_dict(cls, record: Any) -> Report:  # noqa: ANN401 - the edge: checked here
        """Read a report that `to_dict` wrote; see `from_json`."""
        from detector.models.config import Signature

        if not isinstance(record, dict) or record.get("format") != FORMAT:
            msg = f"this is not a report; one says format {FORMAT!r}"
            raise InputError(msg)
        if record.get("schema") != SCHEMA:
            msg = f"report has schema {record.get('schema')!r}; this version reads {SCHEMA}"
            raise InputError(msg)
        return cls(
            rows=tuple(map(plain.read_row, plain.take(record, "rows", list))),
            omissions=tuple(map(plain.read_passage, plain.take(record, "omissions", list))),
            outside=tuple(map(plain.read_passage, plain.take(record, "outside", list))),
            alignment=Alignment(
                beads=tuple(map(plain.read_bead, plain.take(record, "beads", list))),
                n_source=plain.take(record, "n_source", int),
                n_copy=plain.take(record, "n_copy", int),
            ),
            threshold=plain.take(record, "threshold", float),
            name_threshold=plain.take(record, "name_threshold", float),
            signature=Signature.from_dict(plain.take(record, "signature", dict)),
            matched=plain.take(record, "matched", float),
            match=plain.take(record, "match", bool),
            relation=plain.read_relation(plain.maybe(record, "relation", dict)),
            pivot=plain.read_pivot(plain.maybe(record, "pivot", dict)),
            n_truncated=plain.take(record, "n_truncated", int),
            n_figures=plain.maybe(record, "n_figures", int),
            warnings=plain.items(record, "warnings", str),
        )

    def _repr_html_(self) -> str:
        from detector.report import html as page

        return page.fragment(self)


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
