"""What a worker does: it loads a scorer once, and makes the tables of one shard after another.

Engines know only a `Task` to load and a `Work` to call, so that other work than scoring pairs can
go through them. This room starts no worker and writes nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from detector.batch.pairs import Job, PairRow
from detector.batch.tables import PAIRS, SENTENCES, Outcome, parquet_of
from detector.errors import DetectorError, EncodingWarning, InputError
from detector.reading.files import read

if TYPE_CHECKING:
    from detector.encode import Precision
    from detector.report import Report
    from detector.scorer import Scorer


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

    def __call__(self, job: Job) -> Done:
        """Do one shard."""
        ...


class Task(Protocol):
    """What is sent to a worker, which loads it once; it must be possible to pickle."""

    @property
    def tables(self) -> Sequence[str]:
        """Names of the tables that it makes."""
        ...

    def load(self) -> Work:
        """Load what is needed, in the worker."""
        ...


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
    device : str
        Where the encoder computes: "cpu" or, say, "cuda".
    """

    encoder: str | Path | None = None
    bundle: Path | None = None
    threshold: float | None = None
    name_threshold: float | None = None
    precision: Precision = "fp32"
    tagger: Literal["bundled"] | None = "bundled"
    device: str = "cpu"

    @property
    def tables(self) -> Sequence[str]:
        """Names of the tables that it makes."""
        return (PAIRS, SENTENCES)

    def load(self) -> Work:
        """Load a scorer that keeps to one thread.

        Notes
        -----
        How many threads share a product of matrices moves its last bits. With one thread in every
        worker, a shard has the same bytes whatever the number of workers.
        """
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # no types

        from detector.encode import MiniLMEncoder
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
        )
        threadpool_limits(limits=1)
        return ScoringWork(scorer)


class ScoringWork:
    """A loaded scorer that turns jobs into the tables of `tables`.

    Parameters
    ----------
    scorer : Scorer
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    @property
    def signature(self) -> str:
        """What produces its tables, on one line."""
        return str(self._scorer.signature)

    def __call__(self, job: Job) -> Done:
        """Score the pairs of one shard; one that cannot be scored becomes an error row."""
        texts = [_texts(row) for row in job.rows]
        pairs = [pair for pair in texts if not isinstance(pair, str)]
        reports = iter(self._reports(pairs))
        outcomes = [
            _outcome(row, pair if isinstance(pair, str) else next(reports))
            for row, pair in zip(job.rows, texts, strict=True)
        ]
        errors = [
            f"{row.place}: {one.error}"
            for row, one in zip(job.rows, outcomes, strict=True)
            if one.error is not None
        ]
        return Done(
            shard=job.shard,
            n_rows=len(outcomes),
            n_errors=len(errors),
            first_error=errors[0] if errors else None,
            signature=self.signature,
            tables=parquet_of(outcomes),
        )

    def _reports(self, pairs: Sequence[tuple[str, str]]) -> list[Report | str]:
        try:
            return [_told(one) for one in self._scorer.score_pairs(pairs)]
        except (DetectorError, MemoryError):
            raise
        except Exception:  # a text that nobody foresaw must not stop an archive
            return [self._alone(pair) for pair in pairs]

    def _alone(self, pair: tuple[str, str]) -> Report | str:
        try:
            return _told(next(self._scorer.score_pairs([pair])))
        except (DetectorError, MemoryError):
            raise
        except Exception as err:  # as above
            return f"cannot be scored ({type(err).__name__}: {err}); please report this pair"


def _told(one: Report | InputError) -> Report | str:
    return str(one) if isinstance(one, InputError) else one


def _outcome(row: PairRow, found: Report | str) -> Outcome:
    """Return what becomes of a row, given its report or what is wrong with it."""
    if isinstance(found, str):
        return Outcome(index=row.index, id=row.id, report=None, error=found)
    return Outcome(index=row.index, id=row.id, report=found, error=None)


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
