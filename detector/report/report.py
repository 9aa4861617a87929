"""`Report`: the result of scoring a copy against its source, with its public views.

The fields and the counts are in `data`; each view is made by the module of its format.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from detector.errors import InputError
from detector.report import formats, html, serialise
from detector.report.data import ReportData
from detector.report.text import summary_text

if TYPE_CHECKING:
    import pandas as pd

html.show_alignments()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(ReportData):
    """How a copy differs from its source: the fields and counts of `ReportData`, and views."""

    def summary(self) -> str:
        """Return a few lines of plain text that are safe to print."""
        return summary_text(self)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per copy sentence, with the columns of `detector.report.formats.COLUMNS`.

        Returns
        -------
        DataFrame
            All offsets count code points of the raw texts. Where there is nothing to say,
            floats are NaN, `source_start` and `source_end` are `<NA>` and `source_text` is None.
            `name_changes`, `number_changes` and `spans` hold lists of dicts, `reasons` lists of
            str.
        """
        return formats.frame(self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole report as plain dicts, lists, strings and numbers."""
        return serialise.report_record(self)

    def to_json(self, *, indent: int | None = None) -> str:
        """Return `to_dict` as JSON; nothing in it can act on a terminal."""
        return serialise.dumps(self.to_dict(), indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Self:
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
    def from_dict(cls, record: Any) -> Self:  # noqa: ANN401 - the edge: checked here
        """Read a report that `to_dict` wrote; see `from_json`."""
        return cls(**serialise.read_fields(record))

    def _repr_html_(self) -> str:
        return html.fragment(self)
