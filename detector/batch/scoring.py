"""The task of scoring pairs: a scorer, loaded once in a worker, turns shards into tables."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from detector.batch.jobs import Job
from detector.batch.pairs import PairRow
from detector.batch.tables import PAIRS, SENTENCES, Outcome, parquet_of
from detector.batch.work import Done, Work, attempted, finished
from detector.errors import EncodingWarning, InputError
from detector.reading.files import read
from detector.report import Report

if TYPE_CHECKING:
    from detector.encode import Precision
    from detector.scorer import Scorer


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
