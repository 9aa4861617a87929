"""A scorer for batches that needs no model: it pauses, and fails on demand."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from support.fakes import FakeEncoder
from support.sample_reports import RELATION, SIGNATURE, one_row

from detector.archive.archive import Archive
from detector.batch.outputs import PAIRS, SENTENCES
from detector.batch.tasks import Matching, MatchingWorker, ScoringWorker, Worker
from detector.errors import BundleError, InputError
from detector.features.evidence import EncodedDocument, encode_together
from detector.models.bundle_config import Signature
from detector.records import Document, Relation
from detector.report.report import Report


class FakeScorer:
    """Gives a report of one row; "unusable" is refused, "unforeseen" raises an unexpected error."""

    pivot_digest = None

    def __init__(self, version: str, pause: float) -> None:
        self.signature: Signature = replace(SIGNATURE, version=version)
        self.encoder = FakeEncoder()
        self._pause = pause

    def read(self, document: Document) -> EncodedDocument:
        [encoded] = encode_together([document], self.encoder)
        return encoded

    def relate(self, **_: object) -> Relation:
        return RELATION

    def score(self, *, copy: EncodedDocument, source: str) -> Report:
        [report] = self.score_pairs([(source, copy.document.raw)])
        assert isinstance(report, Report)
        return replace(report, relation=RELATION)

    def score_pairs(self, pairs: Iterable[tuple[str, str]]) -> Iterator[Report | InputError]:
        for source, copy in pairs:
            time.sleep(self._pause)
            if "unforeseen" in copy:
                msg = "nobody thought of this"
                raise ZeroDivisionError(msg)
            if "unusable" in copy:
                yield InputError("the copy holds no sentence; give a text with words")
                continue
            report = one_row(copy, source, severity=len(copy) / 10)
            yield replace(report, signature=self.signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeScoring:
    """The task; takes the options of the real one and reads `threshold` as its version."""

    threshold: float | None = None
    pause: float = 0.0
    encoder: object = None
    bundle: object = None
    name_threshold: object = None
    precision: object = None
    tagger: object = None
    pivot: object = None
    pivot_dictionary: object = None

    def on(self, device: str) -> FakeScoring:
        raise NotImplementedError(device)

    @property
    def tables(self) -> Sequence[str]:
        return (PAIRS, SENTENCES)

    def load(self) -> Worker:
        if self.threshold == 0.0:
            msg = "no bundle here"
            raise BundleError(msg)
        scorer = FakeScorer(f"fake {self.threshold}", self.pause)
        return ScoringWorker(scorer)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeMatching(Matching):
    """Matches with a real archive whose encoder is a fake."""

    pause: float = 0.0

    def load(self) -> Worker:
        scorer = FakeScorer("fake", self.pause)
        archive = Archive(self.archive, encoder=scorer.encoder)
        return MatchingWorker(archive, scorer, task=self)  # type: ignore[arg-type]
