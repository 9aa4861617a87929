"""Define the tasks that workers run: score pairs, match suspects.

What an engine knows of the work: a `Task` that is loaded once, and makes shard after shard.

It scores and matches nothing itself, starts no worker and writes nothing.

The task of scoring pairs: a scorer, loaded once in a worker, turns shards into tables.

The task of matching suspects: an archive and a scorer turn shards of them into tables.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeVar

from detector.archive.match import Match, match_document
from detector.batch.inputs import Job, PairRow, SuspectRow
from detector.batch.outputs import (
    CANDIDATES,
    PAIRS,
    SENTENCES,
    SUSPECTS,
    Outcome,
    match_parquet,
    parquet_of,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished shard.

    Attributes
    ----------
    shard : int
    n_rows, n_errors : int
        Rows of it, and how many of them became an error row.
    first_error : str or None
        The place of the first of these, and its reason.
    signature : str
        What produced it.
    tables : mapping of str to bytes
        A whole Parquet file for each table.
    """

    shard: int
    n_rows: int
    n_errors: int
    first_error: str | None
    signature: str
    tables: Mapping[str, bytes]


class Work(Protocol):
    """Something loaded that turns jobs into finished shards."""

    @property
    def signature(self) -> str:
        """What produces its tables, on one line."""
        ...

    def __call__(self, job: Job[Any]) -> Done:
        """Do one shard."""
        ...


class Task(Protocol):
    """What is sent to a worker, which loads it once; it must be possible to pickle."""

    @property
    def tables(self) -> Sequence[str]:
        """Names of the tables that it makes."""
        ...

    def on(self, device: str) -> Self:
        """Return the same with its encoder on another device, such as "cuda"."""
        ...

    def load(self) -> Work:
        """Load what is needed, in the worker."""
        ...


def finished(
    job: Job[Any],
    outcomes: Iterable[Outcome[Any]],
    *,
    signature: str,
    tables: Mapping[str, bytes],
) -> Done:
    """Count what became of a shard.

    Parameters
    ----------
    job : Job
    outcomes : iterable of Outcome
        One for each row.
    signature : str
    tables : mapping of str to bytes
    """
    told = [
        f"{row.place}: {one.error}"
        for row, one in zip(job.rows, outcomes, strict=True)
        if one.error is not None
    ]
    return Done(
        shard=job.shard,
        n_rows=len(job.rows),
        n_errors=len(told),
        first_error=told[0] if told else None,
        signature=signature,
        tables=tables,
    )


def attempted(do: Callable[[], T], what: str) -> T | str:
    """Do one row; what nobody foresaw in it must not stop the others, and becomes its error.

    Parameters
    ----------
    do : callable
        Errors of ours that it raises are raised: they are not the row's.
    what : str
        What the person is to report, such as "pair".
    """
    try:
        return do()
    except (DetectorError, MemoryError):
        raise
    except Exception as err:  # see above
        return f"cannot be done ({type(err).__name__}: {err}); please report this {what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """The task of scoring pairs; the fields are options of `Scorer`.

    Attributes
    ----------
    encoder : str or Path, optional
        The folder or cached name of a sentence-transformers model; by default the package's.
    bundle : Path, optional
    threshold, name_threshold : float, optional
        Probabilities in [0, 1].
    precision : {"fp32", "bf16", "auto"}
    tagger : "bundled" or None
    pivot : bool or Path
    pivot_dictionary : Path, optional
    device : str
        Where the encoder computes: "cpu" or, say, "cuda".
    """

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
        """Return the same with its encoder on another device, such as "cuda"."""
        return replace(self, device=device)

    def load(self) -> Work:
        """Load a scorer for pairs."""
        return ScoringWork(self.scorer())

    def scorer(self) -> Scorer:
        """Load a scorer that keeps to one thread.

        Notes
        -----
        How many threads share a product of matrices moves its last bits. With one thread in every
        worker, a shard has the same bytes whatever the number of workers.
        """
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # no types

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


class ScoringWork:
    """A loaded scorer that turns jobs into the tables of `tables`.

    Parameters
    ----------
    scorer : Scorer

    Attributes
    ----------
    signature : str
        What produces its tables, on one line.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.signature = signature_of(scorer)

    def __call__(self, job: Job[PairRow]) -> Done:
        """Score the pairs of one shard; one that cannot be scored becomes an error row."""
        texts = [_texts(row) for row in job.rows]
        pairs = [pair for pair in texts if not isinstance(pair, str)]
        reports = iter(self._reports(pairs))
        outcomes = [
            Outcome[Report].of(row, pair if isinstance(pair, str) else next(reports))
            for row, pair in zip(job.rows, texts, strict=True)
        ]
        return finished(job, outcomes, signature=self.signature, tables=parquet_of(outcomes))

    def _reports(self, pairs: Sequence[tuple[str, str]]) -> list[Report | str]:
        # Together; one by one where a text that nobody foresaw is among them.
        found = attempted(lambda: [_told(one) for one in self._scorer.score_pairs(pairs)], "pair")
        return [self._alone(pair) for pair in pairs] if isinstance(found, str) else found

    def _alone(self, pair: tuple[str, str]) -> Report | str:
        return attempted(lambda: _told(next(self._scorer.score_pairs([pair]))), "pair")


def signature_of(scorer: Scorer) -> str:
    """Return what produces a scorer's reports, on one line; its pivot model too."""
    pivot = scorer.pivot_digest
    return str(scorer.signature) + ("" if pivot is None else f"|pivot {pivot[:12]}")


def _told(one: Report | InputError) -> Report | str:
    return str(one) if isinstance(one, InputError) else one


def _texts(row: PairRow) -> tuple[str, str] | str:
    """Return both texts of a row, or why there are none."""
    if row.fault is not None or row.source is None or row.copy is None:
        return row.fault or "has no texts"
    try:
        return _text(row.source), _text(row.copy)
    except InputError as err:
        return str(err)


def _text(side: str | Path) -> str:
    if isinstance(side, str):
        return side
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EncodingWarning)  # told too often to be heard
        return read(side)


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
            tables=match_parquet(
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
