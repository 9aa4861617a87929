"""The task of matching suspects: an archive and a scorer turn shards of them into tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from detector.archive.match import Match, match_document
from detector.batch.jobs import Job
from detector.batch.match_tables import CANDIDATES, SUSPECTS, parquet_of
from detector.batch.scoring import Scoring, signature_of
from detector.batch.suspects import SuspectRow
from detector.batch.tables import SENTENCES, Outcome
from detector.batch.work import Done, Work, attempted, finished
from detector.errors import InputError
from detector.readings import text_document
from detector.showing.display import safe

if TYPE_CHECKING:
    from detector.archive.archive import Archive
    from detector.scorer import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The task of matching suspects with an archive.

    Attributes
    ----------
    archive : str
        An address, or the folder's absolute path; every worker must see it.
    top : int
        See `match`.
    report : bool
        Whether there is a table of sentences, against the first candidate.
    scoring : Scoring
        Options of the scorer.
    """

    archive: str
    top: int = 5
    report: bool = True
    scoring: Scoring = field(default_factory=Scoring)

    @property
    def tables(self) -> Sequence[str]:
        """Names of the tables that it makes."""
        return (SUSPECTS, CANDIDATES, *([SENTENCES] if self.report else []))

    def on(self, device: str) -> Matching:
        """Return the same with its encoder on another device, such as "cuda"."""
        return replace(self, scoring=self.scoring.on(device))

    def load(self) -> Work:
        """Open the archive and load a scorer that keeps to one thread."""
        from detector.archive.archive import Archive

        scorer = self.scoring.scorer()
        archive = Archive(self.archive, encoder=scorer.encoder)
        archive.check()
        return MatchingWork(archive, scorer, task=self)


class MatchingWork:
    """An archive and a scorer that turn suspects into the tables of `match_tables`.

    Parameters
    ----------
    archive : Archive
    scorer : Scorer
    task : Matching

    Attributes
    ----------
    signature : str
        What produces its tables, on one line; not what the archive holds, which may grow.
    """

    def __init__(self, archive: Archive, scorer: Scorer, *, task: Matching) -> None:
        self._archive = archive
        self._scorer = scorer
        self._task = task
        made = signature_of(scorer)
        self.signature = f"{made}|top {task.top}|archive {safe(task.archive)}"

    def __call__(self, job: Job[SuspectRow]) -> Done:
        """Match the suspects of one shard; one that cannot be becomes an error row."""
        n_articles = self._archive.n_articles
        findings = [Outcome[Match].of(row, self._match(row)) for row in job.rows]
        return finished(
            job,
            findings,
            signature=self.signature,
            tables=parquet_of(
                findings,
                n_articles=n_articles,
                signature=self.signature,
                report=self._task.report,
            ),
        )

    def _match(self, row: SuspectRow) -> Match | str:
        """Return the match of a suspect, or what is wrong with it."""
        if row.fault is not None:
            return row.fault
        try:
            document = text_document("text", row.text)
        except InputError as err:
            return str(err)
        return attempted(
            lambda: match_document(
                document,
                self._archive,
                scorer=self._scorer,
                top=self._task.top,
                report=self._task.report,
            ),
            "suspect",
        )
