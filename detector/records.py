"""The records that travel through the package, and the facts each one guarantees.

Nothing here computes a score or opens a file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError

RelationKind = Literal["round_trip", "duplicate", "paraphrase", "independent", "unrelated"]
"""What a copy can be to a source.

`round_trip`: translated out and back by machine. `duplicate`: the same words, lightly edited or
not at all. `paraphrase`: rewritten by a person, a retranslation included. `independent`: another
text on the same event. `unrelated`: none of these.
"""

RELATIONS: tuple[RelationKind, ...] = get_args(RelationKind)


def _check_distribution(what: str, distribution: Mapping[Any, float]) -> None:
    values = distribution.values()
    if any(not 0.0 <= value <= 1.0 for value in values) or abs(math.fsum(values) - 1.0) > 1e-6:
        msg = f"{what} {dict(distribution)}; give some that sum to 1"
        raise InputError(msg)


def _check_probability(what: str, probability: float) -> None:
    if not 0.0 <= probability <= 1.0:
        msg = f"{what} has probability {probability}; give a number in [0, 1]"
        raise InputError(msg)


def evidence_strength(weight: float) -> str:
    """Name a weight of evidence, given in natural log units of the odds.

    References
    ----------
    Kass and Raftery (1995), "Bayes factors": below 1 "not worth more than a bare mention", from 3
    "strong".

    Examples
    --------
    >>> [evidence_strength(weight) for weight in (0.4, 1.3, 3.0)]
    ['weak evidence', 'some evidence', 'strong evidence']
    """
    return f"{'strong' if weight >= 3.0 else 'some' if weight >= 1.0 else 'weak'} evidence"


def _check_weights(what: str, evidence: tuple[str, ...], weights: tuple[float, ...]) -> None:
    if weights and len(weights) != len(evidence):
        msg = f"{what} has {len(weights)} evidence_weights for {len(evidence)} lines of evidence"
        raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What a copy is to a source, as predicted from the two texts.

    `probabilities` holds one for each of `RELATIONS`, together 1. `label` is the likeliest of them,
    None when none is likely enough; `evidence` says why in words, strongest first.
    `evidence_weights` holds the weight of evidence of each line over the next likeliest relation,
    in natural log units, 0 for a line of examples; it is empty where none was recorded.
    """

    probabilities: Mapping[RelationKind, float] = field(hash=False)
    label: RelationKind | None
    evidence: tuple[str, ...] = ()
    evidence_weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _check_weights("relation", self.evidence, self.evidence_weights)
        if set(self.probabilities) != set(RELATIONS):
            msg = f"relation has probabilities of {', '.join(map(str, self.probabilities))}; "
            msg += f"give one for each of {', '.join(RELATIONS)}"
            raise InputError(msg)
        _check_distribution("relation has probabilities", self.probabilities)
        if self.label is not None and self.label not in RELATIONS:
            msg = f"relation is {self.label!r}; use one of {', '.join(RELATIONS)}, or None"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivot:
    """Through which language a copy went, as predicted from its words.

    `posterior` holds the probability of each language by its ISO 639-1 code, `families` that of
    each family of languages by its English name; each sums to 1. `language` is the code of the
    pivot, None when none is likely enough; `evidence` says why in words, strongest first.
    `evidence_weights` holds the weight of evidence of each line over the mean of the other
    languages, in natural log units; it is empty where none was recorded.
    """

    language: str | None
    posterior: Mapping[str, float] = field(hash=False)
    families: Mapping[str, float] = field(hash=False)
    evidence: tuple[str, ...] = ()
    evidence_weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _check_weights("pivot", self.evidence, self.evidence_weights)
        _check_distribution("pivot has posterior", self.posterior)
        _check_distribution("pivot has families", self.families)
        if self.language is not None and self.language not in self.posterior:
            msg = f"pivot is {self.language!r}; use one of {', '.join(self.posterior)}, or None"
            raise InputError(msg)


Change = Literal[
    "kept",
    "case",
    "possessive",
    "respelled",
    "truncated",
    "garbled",
    "translated",
    "as_word",
    "swapped",
    "dropped",
    "added",
]
"""How a name changed from the source to the copy."""

CHANGES: tuple[Change, ...] = get_args(Change)

SLIPS: tuple[Change, ...] = ("case", "possessive")
"""Changes after which a name is still recognisable; they are no damage."""

ErrorKind = Literal["mistranslation", "omission", "addition", "name", "number", "grammar"]
"""Kind of error, as predicted by the tagger."""

ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)

DAMAGES: tuple[Change, ...] = tuple(c for c in CHANGES if c != "kept" and c not in SLIPS)
"""Changes after which a name may not be recognised."""

Kind = Literal["aligned", "addition"]
"""Whether a copy sentence has a counterpart in the source."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open range `[start, end)` in code points of a raw text; never empty."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            msg = f"span [{self.start}, {self.end}) is not a range; give 0 <= start < end"
            raise InputError(msg)

    def of(self, raw: str) -> str:
        """Return the text that the span covers in `raw`."""
        return raw[self.start : self.end]

    def shift(self, offset: int) -> Span:
        """Return the same span counted from a point `offset` code points earlier."""
        return Span(self.start + offset, self.end + offset)

    def within(self, other: Span) -> Span:
        """Return the part of the span that lies in another, which it overlaps."""
        return Span(max(self.start, other.start), min(self.end, other.end))


@dataclass(frozen=True, slots=True)
class Sentence:
    """One unit of a document: a sentence, a headline, a byline or a dateline.

    `text` is exactly the raw text of the span; it is never blank. `boilerplate` is the reason why
    it belongs to the page around the article, None for what may be the article's own.
    """

    start: int
    end: int
    text: str
    paragraph: int
    boilerplate: str | None = None

    def __post_init__(self) -> None:
        if self.end - self.start != len(self.text) or not self.text.strip():
            msg = f"sentence [{self.start}, {self.end}) holds {len(self.text)} characters; "
            msg += "its text must be the non-blank raw text of that span"
            raise InputError(msg)

    @property
    def span(self) -> Span:
        """The sentence's place in the raw text."""
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Document:
    """A raw text and its sentences, in order, without overlap."""

    raw: str
    sentences: tuple[Sentence, ...]

    def __post_init__(self) -> None:
        for sentence in self.sentences:
            if self.raw[sentence.start : sentence.end] != sentence.text:
                msg = f"sentence [{sentence.start}, {sentence.end}) is not a slice of its document"
                raise InputError(msg)
        for left, right in pairwise(self.sentences):
            if right.start < left.end:
                msg = f"sentence at {right.start} starts before the one before it ends ({left.end})"
                raise InputError(msg)

    def __len__(self) -> int:
        return len(self.sentences)

    @property
    def texts(self) -> list[str]:
        """The sentences' texts, in order."""
        return [sentence.text for sentence in self.sentences]


@dataclass(frozen=True, slots=True, eq=False)
class TokenVectors:
    """Contextual vectors of one sentence's tokens, without special tokens, and their places.

    `vectors` has unit rows of shape (n_tokens, d), from the same pass of the encoder as the
    sentence vector; `starts` and `ends` are half-open character ranges in the sentence's text.
    """

    vectors: NDArray[np.float16] | NDArray[np.float32]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]

    def widened(self) -> TokenVectors:
        """Return the same in single precision."""
        return TokenVectors(self.vectors.astype(np.float32, copy=False), self.starts, self.ends)


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """Vectors of a list of sentences, each encoded once.

    `vectors` is C-contiguous, of shape (n, d), with unit rows. `tokens` holds one entry a sentence,
    or is None when the encoder gives no token vectors. `truncated` is True where the sentence is
    longer than the encoder reads.
    """

    vectors: NDArray[np.float32]
    tokens: tuple[TokenVectors, ...] | None
    truncated: tuple[bool, ...]

    def __post_init__(self) -> None:
        n = len(self.truncated)
        if self.vectors.shape[0] != n or (self.tokens is not None and len(self.tokens) != n):
            msg = f"encoding of {n} sentences holds {self.vectors.shape[0]} vectors"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bead:
    """Sentences that say the same thing on both sides; one side may be empty.

    An n-0 bead is an omission, a 0-n bead an addition.
    """

    source: range
    copy: range
    similarity: float | None  # cosine in [-1, 1]; None for an omission or an addition

    def __post_init__(self) -> None:
        if not self.source and not self.copy:
            msg = "a bead holds at least one sentence; this one is empty on both sides"
            raise InputError(msg)
        if (self.similarity is None) != (not self.source or not self.copy):
            msg = f"bead {self.source} x {self.copy}: similarity is {self.similarity}; "
            msg += "give a number exactly when both sides hold a sentence"
            raise InputError(msg)


CLOSE_COSINE = 0.6
"""Cosine from which a bead is close: both sides say much the same; round trips are near .9."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Ordered beads that tile both documents from start to end, without gap or overlap."""

    beads: tuple[Bead, ...]
    n_source: int
    n_copy: int

    def __post_init__(self) -> None:
        at_source = at_copy = 0
        for bead in self.beads:
            if bead.source.start != at_source or bead.copy.start != at_copy:
                msg = f"bead {bead.source} x {bead.copy} does not follow on source {at_source}, "
                msg += f"copy {at_copy}; beads must tile both documents in order"
                raise InputError(msg)
            at_source, at_copy = bead.source.stop, bead.copy.stop
        if (at_source, at_copy) != (self.n_source, self.n_copy):
            msg = f"beads end at source {at_source}, copy {at_copy}; "
            msg += f"the documents hold {self.n_source} and {self.n_copy} sentences"
            raise InputError(msg)

    @property
    def aligned(self) -> tuple[Bead, ...]:
        """The beads that hold sentences on both sides."""
        return tuple(bead for bead in self.beads if bead.source and bead.copy)

    @property
    def close(self) -> tuple[Bead, ...]:
        """The beads of a cosine of `CLOSE_COSINE` or more."""
        return tuple(
            bead
            for bead in self.beads
            if bead.similarity is not None and bead.similarity >= CLOSE_COSINE
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NameChange:
    """One name and how it changed.

    `probability` in [0, 1] is that of damage; 0 is sound. Spans count code points of the raw texts;
    a side without the name is None.
    """

    change: Change
    probability: float
    copy: Span | None
    copy_text: str | None
    source: Span | None
    source_text: str | None
    reason: str

    def __post_init__(self) -> None:
        if self.change not in CHANGES:
            msg = f"name change {self.change!r} is unknown; use one of {', '.join(CHANGES)}"
            raise InputError(msg)
        _check_probability("name change", self.probability)
        if self.copy is None and self.source is None:
            msg = f"name change {self.change!r} is on neither side; give at least one span"
            raise InputError(msg)
        sides = ((self.copy, self.copy_text), (self.source, self.source_text))
        if any((span is None) != (text is None) for span, text in sides):
            msg = f"name change {self.change!r}: give a text exactly where a span is given"
            raise InputError(msg)


NumberFate = Literal[
    "kept", "changed", "unit_changed", "unit_lost", "unit_added", "dropped", "added"
]
"""How a number changed from the source to the copy."""

NUMBER_FATES: tuple[NumberFate, ...] = get_args(NumberFate)

REPORTED_PROBABILITY = 0.5
"""Probability from which a changed number is reported to a reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberChange:
    """One number, date, time, amount or measure, and how it changed.

    `probability` in [0, 1] is that of changed meaning; 0 for a kept number. Spans count code points
    of the raw texts; a side that does not state it, or states it in other words, is None.
    """

    change: NumberFate
    probability: float
    copy: Span | None
    copy_text: str | None
    source: Span | None
    source_text: str | None
    reason: str

    def __post_init__(self) -> None:
        if self.change not in NUMBER_FATES:
            msg = f"number change {self.change!r} is unknown; use one of {', '.join(NUMBER_FATES)}"
            raise InputError(msg)
        _check_probability("number change", self.probability)

    @property
    def reported(self) -> bool:
        """Whether it changed, and likely enough to be reported to a reader."""
        return self.change != "kept" and self.probability >= REPORTED_PROBABILITY

    def shift(self, *, source: int, copy: int) -> NumberChange:
        """Return the change with each span counted from a point that many code points earlier."""
        return replace(
            self,
            source=None if self.source is None else self.source.shift(source),
            copy=None if self.copy is None else self.copy.shift(copy),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSpan:
    """Words of the copy that look damaged, or words of the source that look lost.

    `probability` in [0, 1] is that of its likeliest word. The span counts code points of one side's
    raw text; the other side is None.
    """

    copy: Span | None
    source: Span | None
    probability: float
    kind: ErrorKind

    def __post_init__(self) -> None:
        if self.kind not in ERROR_KINDS:
            msg = f"error span has kind {self.kind!r}; use one of {', '.join(ERROR_KINDS)}"
            raise InputError(msg)
        _check_probability("error span", self.probability)
        if (self.copy is None) == (self.source is None):
            msg = f"error span {self.copy}, {self.source}: give a span of exactly one side"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BeadPredictions:
    """Predictions for n beads.

    `drift` is the probability in [0, 1] that meaning was changed or lost, `severity` the expected
    error points, 0 is sound, NaN without a model for it; both of shape (n,), float64. `names` and
    `spans` hold the name changes and error spans of each bead; no spans without a tagger.
    """

    drift: NDArray[np.float64]
    severity: NDArray[np.float64]
    names: tuple[tuple[NameChange, ...], ...]
    spans: tuple[tuple[ErrorSpan, ...], ...]

    def part(self, at: slice) -> BeadPredictions:
        """Return the predictions for some of the beads."""
        cut = {f.name: getattr(self, f.name)[at] for f in fields(self)}
        return BeadPredictions(**cut)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The judgement of one copy sentence.

    Attributes
    ----------
    copy_index, copy, copy_text
        Position of the sentence in the copy, from 0, its span in the raw copy, and that text.
    kind : {"aligned", "addition"}
        Whether the source holds a counterpart.
    source_indices, source, source_text
        The counterpart's sentences, the span from the first to the last, and that text;
        empty and None for an addition.
    similarity : float or None
        Cosine in [-1, 1] between both sides of the bead; higher is closer.
    drift_probability, drift_flag
        Probability in [0, 1] that meaning was changed or lost, None where it cannot be judged; and
        whether it reaches the threshold.
    severity : float or None
        Expected error points of the bead (a minor error 1, a major one 5), 0 is sound, not bounded
        above; None where it cannot be judged.
    name_changes, number_changes : tuple
        Every name and number of the bead, kept ones included. What the copy lost is with the
        bead's first copy sentence.
    spans : tuple of ErrorSpan
        Words of the copy sentence that look damaged; with the bead's first copy sentence also the
        words of the source that look lost. Empty without a tagger, and for an addition.
    reasons : tuple of str
        Reasons in words; strongest first.
    n_truncated : int
        Sentences of the bead that are longer than the encoder reads.
    """

    copy_index: int
    copy: Span
    copy_text: str
    kind: Kind
    source_indices: tuple[int, ...]
    source: Span | None
    source_text: str | None
    similarity: float | None
    drift_probability: float | None
    drift_flag: bool
    severity: float | None = None
    name_changes: tuple[NameChange, ...] = ()
    number_changes: tuple[NumberChange, ...] = ()
    spans: tuple[ErrorSpan, ...] = ()
    reasons: tuple[str, ...] = ()
    n_truncated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of the source that the copy lacks; `reason` says why it is omitted or boilerplate."""

    indices: tuple[int, ...]
    span: Span
    text: str
    reason: str = ""
