"""Define the tasks that workers run: score pairs, match suspects.

A worker loads a `Task` once and turns shard after shard into Parquet tables. No process is started
and no file is written here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeVar

from detector.archive.match import Match, match
from detector.batch.inputs import Row, Shard
from detector.batch.outputs import (
    CANDIDATES,
    PAIRS,
    SENTENCES,
    SUSPECTS,
    Outcome,
    match_parquet,
    pair_parquet,
)
from detector.errors import DetectorError, EncodingWarning, InputError
from detector.features.evidence import text_document
from detector.report.report import Report
from detector.text.escape import safe
from detector.text.files import read

if TYPE_CHECKING:
    from detector.archive.archive import Archive
    from detector.encoder import Precision
    from detector.scorer import Scorer

T = TypeVar("T")

RESUME_HINT = "what was finished before is kept: run the same command again to go on"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardResult:
    """The results of one shard: a whole Parquet file for each table.

    `signature` is what produced them, `first_error` place and reason of the first error row.
    """

    shard: int
    n_rows: int
    n_errors: int
    first_error: str | None
    signature: str
    tables: Mapping[str, bytes]

    @classmethod
    def of(
        cls,
        shard: Shard,
        outcomes: Iterable[Outcome[Any]],
        *,
        signature: str,
        tables: Mapping[str, bytes],
    ) -> ShardResult:
        """Count the errors among the outcomes of a shard's rows."""
        errors = [
            f"{row.place}: {outcome.error}"
            for row, outcome in zip(shard.rows, outcomes, strict=True)
            if outcome.error is not None
        ]
        return cls(
            shard=shard.index,
            n_rows=len(shard.rows),
            n_errors=len(errors),
            first_error=errors[0] if errors else None,
            signature=signature,
            tables=tables,
        )


class Worker(Protocol):
    """A loaded task."""

    @property
    def signature(self) -> str:
        """What produces its tables, on one line."""
        ...

    def __call__(self, shard: Shard) -> ShardResult:
        """Process one shard."""
        ...


class Task(Protocol):
    """What is sent to a worker; it can be pickled."""

    @property
    def tables(self) -> Sequence[str]:
        """Names of the tables that it makes."""
        ...

    def on(self, device: str) -> Self:
        """Return the same task with its encoder on another device, such as "cuda"."""
        ...

    def load(self) -> Worker:
        """Load the models, in the worker."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """The task of scoring pairs; the fields are options of `Scorer` and its encoder."""

    encoder: str | Path | None = None
    bundle: Path | None = None
    threshold: float | None = None
    name_threshold: float | None = None
    precision: Precision = "fp32"
    tagger: Literal["bundled"] | None = "bundled"
    pivot: bool | Path = False
    pivot_dictionary: Path | None = None
    device: str = "cpu"

    @property
    def tables(self) -> Sequence[str]:
        """Names of the tables that it makes."""
        return (PAIRS, SENTENCES)

    def on(self, device: str) -> Scoring:
        """Return the same task with its encoder on another device."""
        return replace(self, device=device)

    def load(self) -> Worker:
        """Load a scorer for pairs."""
        return ScoringWorker(self.scorer())

    def scorer(self) -> Scorer:
        """Load a scorer that uses one thread: more would move the last bits of matrix products."""
        from threadpoolctl import threadpool_limits

        from detector.encoder import MiniLMEncoder
        from detector.scorer import Scorer

        encoder = MiniLMEncoder(
            self.encoder, precision=self.precision, threads=1, device=self.device
        )
        scorer = Scorer(
            encoder=encoder,
            bundle=self.bundle,
            threshold=self.threshold,
            name_threshold=self.name_threshold,
            tagger=self.tagger,
            pivot=self.pivot,
            pivot_dictionary=self.pivot_dictionary,
        )
        threadpool_limits(limits=1)
        return scorer


class ScoringWorker:
    """A loaded scorer that turns pairs into the tables `pairs` and `sentences`."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.signature = _signature(scorer)

    def __call__(self, shard: Shard) -> ShardResult:
        """Score the pairs of one shard; one that cannot be scored becomes an error row."""
        pairs = [_pair(row) for row in shard.rows]
        reports = iter(self._reports([pair for pair in pairs if not isinstance(pair, str)]))
        outcomes = [
            Outcome[Report].of(row, pair if isinstance(pair, str) else next(reports))
            for row, pair in zip(shard.rows, pairs, strict=True)
        ]
        return ShardResult.of(
            shard, outcomes, signature=self.signature, tables=pair_parquet(outcomes)
        )

    def _reports(self, pairs: Sequence[tuple[str, str]]) -> list[Report | str]:
        # Together; one by one where an unforeseen error is among them.
        reports = _unless_unforeseen(lambda: self._score(pairs), "pair")
        return [self._report(pair) for pair in pairs] if isinstance(reports, str) else reports

    def _report(self, pair: tuple[str, str]) -> Report | str:
        return _unless_unforeseen(lambda: self._score([pair])[0], "pair")

    def _score(self, pairs: Sequence[tuple[str, str]]) -> list[Report | str]:
        return [
            str(report) if isinstance(report, InputError) else report
            for report in self._scorer.score_pairs(pairs)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The task of matching suspects with an archive at an address or absolute path.

    Without `report` there is no table of sentences. `scoring` holds the options of the scorer.
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
        """Return the same task with its encoder on another device."""
        return replace(self, scoring=self.scoring.on(device))

    def load(self) -> Worker:
        """Open the archive and load a scorer that uses one thread."""
        from detector.archive.archive import Archive

        scorer = self.scoring.scorer()
        archive = Archive(self.archive, encoder=scorer.encoder)
        archive.check()
        return MatchingWorker(archive, scorer, task=self)


class MatchingWorker:
    """An archive and a scorer that turn suspects into the tables of `Matching`.

    The signature does not cover the articles: an archive may grow during a run.
    """

    def __init__(self, archive: Archive, scorer: Scorer, *, task: Matching) -> None:
        self._archive = archive
        self._scorer = scorer
        self._task = task
        self.signature = f"{_signature(scorer)}|top {task.top}|archive {safe(task.archive)}"

    def __call__(self, shard: Shard) -> ShardResult:
        """Match the suspects of one shard; one that cannot be becomes an error row."""
        n_articles = self._archive.n_articles
        outcomes = [Outcome[Match].of(row, self._match(row)) for row in shard.rows]
        tables = match_parquet(
            outcomes, n_articles=n_articles, signature=self.signature, report=self._task.report
        )
        return ShardResult.of(shard, outcomes, signature=self.signature, tables=tables)

    def _match(self, row: Row) -> Match | str:
        """Return the match of a suspect, or its error."""
        if row.fault is not None:
            return row.fault
        try:
            document = text_document("text", _text(row.texts[0]))
        except InputError as err:
            return str(err)
        return _unless_unforeseen(
            lambda: match(
                document,
                self._archive,
                scorer=self._scorer,
                top=self._task.top,
                report=self._task.report,
            ),
            "suspect",
        )


def _signature(scorer: Scorer) -> str:
    """Return what produces a scorer's reports, on one line, with its pivot model."""
    pivot = scorer.pivot_digest
    return str(scorer.signature) + ("" if pivot is None else f"|pivot {pivot[:12]}")


def _unless_unforeseen(call: Callable[[], T], kind: str) -> T | str:
    """Return the result of a call, or the message of an error that nobody foresaw in its row.

    Errors of ours are raised: they are not the row's.
    """
    try:
        return call()
    except (DetectorError, MemoryError):
        raise
    except Exception as err:  # one row must not stop the others
        return f"cannot be done ({type(err).__name__}: {err}); please report this {kind}"


def _pair(row: Row) -> tuple[str, str] | str:
    """Return the source and the copy of a row, or its error."""
    if row.fault is not None:
        return row.fault
    source, copy = row.texts
    try:
        return _text(source), _text(copy)
    except InputError as err:
        return str(err)


def _text(text: str | Path) -> str:
    if isinstance(text, str):
        return text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EncodingWarning)  # one a file would be too many
        return read(text)
