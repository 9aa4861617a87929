"""The records that travel through the package, and the facts each one guarantees.

What a copy is to a source: the record of it, and the names of the relations.

Nothing here reads a text or a model.

Through which language a copy went: the record of it.

Nothing here reads a text or a model.

The plain records that travel through the rooms, and the facts each one guarantees.

Nothing here computes a score, opens a file or knows how a record is shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError

RelationKind = Literal["round_trip", "duplicate", "paraphrase", "independent", "unrelated"]
"""What a copy can be to a source.

`round_trip`: translated out and back by machine. `duplicate`: the same words, lightly edited or
not at all. `paraphrase`: told again by a person, a retranslation included. `independent`: another
text on the same event. `unrelated`: neither of these.
"""

RELATIONS: tuple[RelationKind, ...] = get_args(RelationKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What a copy is to a source, as far as the two texts can tell.

    Attributes
    ----------
    probabilities : mapping of str to float
        One for each of `RELATIONS`, in [0, 1]; together 1.
    label : str or None
        The likeliest relation; None when no relation is sure enough to name.
    evidence : tuple of str
        What speaks for it, in words; strongest first.
    """

    probabilities: Mapping[RelationKind, float] = field(hash=False)
    label: RelationKind | None
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if set(self.probabilities) != set(RELATIONS):
            msg = (
                f"relation has probabilities of {', '.join(map(str, self.probabilities))}; "
                f"give one for each of {', '.join(RELATIONS)}"
            )
            raise InputError(msg)
        values = self.probabilities.values()
        if any(not 0.0 <= value <= 1.0 for value in values) or abs(math.fsum(values) - 1.0) > 1e-6:
            msg = f"relation has probabilities {dict(self.probabilities)}; give some that sum to 1"
            raise InputError(msg)
        if self.label is not None and self.label not in RELATIONS:
            msg = f"relation is {self.label!r}; use one of {', '.join(RELATIONS)}, or None"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivot:
    """Through which language a copy went, as far as its words can tell.

    Attributes
    ----------
    language : str or None
        ISO 639-1 code of the pivot; None when the evidence does not suffice to name one.
    posterior : mapping of str to float
        Probability in [0, 1] of each language by its ISO 639-1 code; together 1.
    families : mapping of str to float
        Probability in [0, 1] of each family of languages by its English name; together 1.
    evidence : tuple of str
        What speaks for the likeliest language, in words with their weight; strongest first.
    """

    language: str | None
    posterior: Mapping[str, float] = field(hash=False)
    families: Mapping[str, float] = field(hash=False)
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what in ("posterior", "families"):
            values = getattr(self, what).values()
            if any(not 0.0 <= v <= 1.0 for v in values) or abs(math.fsum(values) - 1.0) > 1e-6:
                msg = f"pivot has {what} {dict(getattr(self, what))}; give some that sum to 1"
                raise InputError(msg)
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
"""What became of a name on its way from the source to the copy."""

CHANGES: tuple[Change, ...] = get_args(Change)

SLIPS: tuple[Change, ...] = ("case", "possessive")
"""Changes after which a name can still be read: told quietly."""

ErrorKind = Literal["mistranslation", "omission", "addition", "name", "number", "grammar"]
"""What kind of error an error span is, as far as the tagger can tell."""

ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)

DAMAGES: tuple[Change, ...] = tuple(c for c in CHANGES if c != "kept" and c not in SLIPS)
"""Changes after which a name may not be known again."""

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


@dataclass(frozen=True, slots=True)
class Sentence:
    """One unit of a document: a sentence, a headline, a byline or a dateline.

    `text` is exactly the raw text of the span; it is never blank.
    """

    start: int
    end: int
    text: str
    paragraph: int

    def __post_init__(self) -> None:
        if self.end - self.start != len(self.text) or not self.text.strip():
            msg = (
                f"sentence [{self.start}, {self.end}) holds {len(self.text)} characters; "
                "its text must be the non-blank raw text of that span"
            )
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
    """Contextual vectors of one sentence's tokens, with their places in its text.

    Attributes
    ----------
    vectors : ndarray of shape (n_tokens, d), float16 or float32
        Unit rows, from the same pass of the encoder that gave the sentence vector.
    starts, ends : ndarray of shape (n_tokens,), int32
        Half-open character ranges into the sentence's text; special tokens are left out.
    """

    vectors: NDArray[np.float16] | NDArray[np.float32]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]

    def widened(self) -> TokenVectors:
        """Return the same in single precision, to compute with."""
        return TokenVectors(self.vectors.astype(np.float32, copy=False), self.starts, self.ends)


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """Vectors of a list of sentences, each encoded once.

    Attributes
    ----------
    vectors : ndarray of shape (n, d), float32
        C-contiguous, unit rows; `(0, d)` for no sentences.
    tokens : tuple of TokenVectors, or None
        One per sentence; None when the encoder offers no token vectors.
    truncated : tuple of bool
        True where the sentence is longer than the encoder reads.
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
            msg = (
                f"bead {self.source} x {self.copy}: similarity is {self.similarity}; "
                "give a number exactly when both sides hold a sentence"
            )
            raise InputError(msg)


CLOSE_COSINE = 0.6
"""Cosine from which both sides of a bead say much the same; round trips lie near .9."""


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
                msg = (
                    f"bead {bead.source} x {bead.copy} does not follow on "
                    f"source {at_source}, copy {at_copy}; beads must tile both documents in order"
                )
                raise InputError(msg)
            at_source, at_copy = bead.source.stop, bead.copy.stop
        if (at_source, at_copy) != (self.n_source, self.n_copy):
            msg = (
                f"beads end at source {at_source}, copy {at_copy}; "
                f"the documents hold {self.n_source} and {self.n_copy} sentences"
            )
            raise InputError(msg)

    @property
    def aligned(self) -> tuple[Bead, ...]:
        """The beads that hold sentences on both sides."""
        return tuple(bead for bead in self.beads if bead.source and bead.copy)

    @property
    def close(self) -> tuple[Bead, ...]:
        """The beads whose two sides say much the same: of a cosine of `CLOSE_COSINE` or more."""
        return tuple(
            bead
            for bead in self.beads
            if bead.similarity is not None and bead.similarity >= CLOSE_COSINE
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NameChange:
    """One name and what became of it.

    `probability` in [0, 1] says how likely the name is damaged; 0 is sound.
    Spans count code points of the raw texts; a side where the name does not stand is None.
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
        if not 0.0 <= self.probability <= 1.0:
            msg = f"name change has probability {self.probability}; give a number in [0, 1]"
            raise InputError(msg)
        if self.copy is None and self.source is None:
            msg = f"name change {self.change!r} stands on neither side; give at least one span"
            raise InputError(msg)
        if (self.copy is None) != (self.copy_text is None) or (self.source is None) != (
            self.source_text is None
        ):
            msg = f"name change {self.change!r}: give a text exactly where a span is given"
            raise InputError(msg)


NumberFate = Literal[
    "kept", "changed", "unit_changed", "unit_lost", "unit_added", "dropped", "added"
]
"""How a number of the source came back in the copy."""

NUMBER_FATES: tuple[NumberFate, ...] = get_args(NumberFate)

REPORTED_PROBABILITY = 0.5
"""Probability from which a changed number is reported to a reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberChange:
    """One number, date, time, amount or measure, and how it came back in the copy.

    Attributes
    ----------
    change : NumberFate
    probability : float
        Probability in [0, 1] that meaning changed with it; 0 for a kept number.
    copy, copy_text, source, source_text
        Its span on each side, in code points of the raw text, and that text; None on a side that
        does not state it, or states it in other words.
    reason : str
        The change in words.
    """

    change: NumberFate
    probability: float
    copy: Span | None
    copy_text: str | None
    source: Span | None
    source_text: str | None
    reason: str

    def __post_init__(self) -> None:
        if self.change not in NUMBER_FATES or not 0.0 <= self.probability <= 1.0:
            msg = (
                f"number change {self.change!r} of probability {self.probability}: "
                f"use one of {', '.join(NUMBER_FATES)} and a number in [0, 1]"
            )
            raise InputError(msg)

    @property
    def reported(self) -> bool:
        """Whether it changed, and probably enough to be reported to a reader."""
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

    `probability` in [0, 1] is that of its likeliest word. The span counts code points of the raw
    text of its side; the other side is None.
    """

    copy: Span | None
    source: Span | None
    probability: float
    kind: ErrorKind

    def __post_init__(self) -> None:
        if self.kind not in ERROR_KINDS:
            msg = f"error span has kind {self.kind!r}; use one of {', '.join(ERROR_KINDS)}"
            raise InputError(msg)
        if not 0.0 <= self.probability <= 1.0:
            msg = f"error span has probability {self.probability}; give a number in [0, 1]"
            raise InputError(msg)
        if (self.copy is None) == (self.source is None):
            msg = f"error span {self.copy}, {self.source}: give a span of exactly one side"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdicts:
    """What the models of a bundle say of n beads.

    Attributes
    ----------
    drift : ndarray of shape (n,), float64
        Probability in [0, 1] that meaning was changed or lost; higher is worse.
    severity : ndarray of shape (n,), float64
        Expected error points, 0 is sound; NaN without a model for it.
    names : tuple of tuple of NameChange
        Of each bead, with their probabilities.
    spans : tuple of tuple of ErrorSpan
        Of each bead; empty without a tagger.
    """

    drift: NDArray[np.float64]
    severity: NDArray[np.float64]
    names: tuple[tuple[NameChange, ...], ...]
    spans: tuple[tuple[ErrorSpan, ...], ...]

    def part(self, at: slice) -> Verdicts:
        """Return what is said of some of the beads."""
        return Verdicts(
            drift=self.drift[at],
            severity=self.severity[at],
            names=self.names[at],
            spans=self.spans[at],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The judgement of one copy sentence.

    Attributes
    ----------
    copy_index : int
        Position of the sentence among the copy's sentences, from 0.
    copy, copy_text
        Its span in the raw copy, and that text.
    kind : {"aligned", "addition"}
        Whether the source holds a counterpart.
    source_indices, source, source_text
        The counterpart's sentences, the span from the first to the last, and that text;
        empty and None for an addition.
    similarity : float or None
        Cosine in [-1, 1] between both sides of the bead; higher is closer.
    drift_probability : float or None
        Probability in [0, 1] that meaning was changed or lost; None where it cannot be judged.
    drift_flag : bool
        Whether `drift_probability` reaches the threshold.
    name_changes : tuple of NameChange
        Every name of the bead, kept ones included.
    number_changes : tuple of NumberChange
        Every number of the bead, kept ones included; a lost number is with the
        bead's first copy sentence.
    spans : tuple of ErrorSpan
        Words of the copy sentence that look damaged; with the bead's first copy sentence also the
        words of the source that look lost. Empty without a tagger, and for an addition.
    reasons : tuple of str
        Why, in words; strongest first.
    severity : float or None
        Expected error points (a minor error 1, a major one 5), 0 is sound, not bounded above;
        None where it cannot be judged. All copy sentences of a bead share the bead's.
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
    """A stretch of the source that the copy does not hold.

    `reason` says in words why it counts as omitted, or as page furniture.
    """

    indices: tuple[int, ...]
    span: Span
    text: str
    reason: str = field(default="")
