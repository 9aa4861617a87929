"""Score a copy against its source: two texts to a `Report`.

One copy against one source: from two strings to a `Report`.

This room conducts: it calls the rooms above it in order and computes nothing of its own. It reads
no file but the model bundle (through `store`) and shows nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from detector.alignment.align import Vectors, align_documents
from detector.alignment.config import AlignConfig
from detector.encoder import Encoder, MiniLMEncoder, Precision, check_encoder
from detector.errors import InputError, TruncationWarning
from detector.features.evidence import (
    EncodedDocument,
    align_encoded,
    document_of,
    encode_together,
    text_document,
)
from detector.judge import Aligned, Judgement, judge
from detector.onnx import OnnxEncoder
from detector.pivot.edits import Side
from detector.pivot.explain import read_dictionary
from detector.pivot.model import load as load_pivot
from detector.pivot.pivot import judge_pivot
from detector.records import Alignment, Document, Pivot, Relation, TokenVectors
from detector.report.report import Report
from detector.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

    from detector.models.config import Signature
    from detector.models.store import Bundle

# Below this share of the copy's text in close beads, two texts are said not to match. Independent
# reports of one event reach .1 to .3, round trips .95.
MATCHING_SHARE = 0.5

# Characters of pairs that are encoded and judged in one call. More fill the encoder's batches no
# better, and their token vectors (about 200 bytes a character) are held at a time.
_TOGETHER = 1 << 16


class Scorer:
    """Scores suspected round-trip copies against their sources.

    The model is loaded once, at construction; calls do not change the scorer, so threads may
    share it, and the same texts give the same report.

    Parameters
    ----------
    encoder : Encoder, str or Path, optional
        An encoder, or the folder or cached name of a sentence-transformers model; by default
        all-MiniLM-L6-v2 from its package. With an `OnnxEncoder` the bundle's tagger is run by
        onnxruntime as well, where it was exported beside it.
    bundle : Path, optional
        Folder of a trained model bundle; by default the one inside the package.
    threshold : float, optional
        Drift probability in [0, 1] from which a row is flagged; by default the bundle's own.
    name_threshold : float, optional
        Probability in [0, 1] from which a changed name counts as damaged; by default the
        bundle's own.
    precision : {"fp32", "bf16", "auto"}
        Arithmetic of the default encoder.
    tagger : "bundled" or None
        Whether the bundle's tagger, where it has one, reads each bead word by word. With None
        there are no `spans`, and scoring takes about half the time; the signature says which.
    pivot : bool or Path
        Whether reports say through which language a copy went: with the bundle's model, or with
        one that `detector train pivot` wrote. It moves no other figure.
    pivot_dictionary : Path, optional
        Bilingual dictionary that explains the pivot's evidence; see `read_dictionary`.

    Raises
    ------
    EncodeError
        If the encoder cannot be loaded or is not the one expected.
    BundleError
        If the bundle does not fit this version or this encoder.
    InputError
        If a threshold is not in [0, 1], or a pivot is asked of a bundle without a model for it.

    Examples
    --------
    >>> from detector import Scorer
    >>> scorer = Scorer()  # doctest: +SKIP
    >>> scorer.score(copy="The sun said no.", source="Sun said no.")  # doctest: +SKIP
    """

    def __init__(  # noqa: PLR0913 - options of a front door, each by its name
        self,
        *,
        encoder: Encoder | str | Path | None = None,
        bundle: Path | None = None,
        threshold: float | None = None,
        name_threshold: float | None = None,
        precision: Precision = "fp32",
        tagger: Literal["bundled"] | None = "bundled",
        pivot: bool | Path = False,
        pivot_dictionary: Path | None = None,
    ) -> None:
        from detector.models.store import DEFAULT, load

        for name, value in (("threshold", threshold), ("name_threshold", name_threshold)):
            if value is not None and not 0.0 <= value <= 1.0:
                msg = f"{name} is {value}; give a probability in [0, 1]"
                raise InputError(msg)
        if tagger not in ("bundled", None):
            msg = f"tagger is {tagger!r}; give 'bundled', or None to score without one"
            raise InputError(msg)
        if pivot_dictionary is not None and not pivot:
            msg = f"pivot_dictionary is {pivot_dictionary}, but no pivot is asked for; set pivot"
            raise InputError(msg)
        self._dictionary = None if pivot_dictionary is None else read_dictionary(pivot_dictionary)
        if encoder is None or isinstance(encoder, str | Path):
            encoder = MiniLMEncoder(encoder, precision=precision)
        self._encoder: Encoder = encoder
        exported = encoder.tagger if tagger and isinstance(encoder, OnnxEncoder) else None
        self._bundle: Bundle = load(
            bundle,
            encoder=encoder.identity,
            tagger=exported or tagger is not None,
            pivot=pivot is True,
        )
        self._pivot = self._bundle.pivot if isinstance(pivot, bool) else load_pivot(pivot)
        if pivot and self._pivot is None:
            msg = f"{bundle or 'the bundle'}: holds no pivot model; name one that was trained"
            raise InputError(msg)
        if self._pivot is not None:
            place = pivot if isinstance(pivot, Path) else bundle or DEFAULT
            check_encoder(self._pivot.encoder, encoder.identity, folder=place, what="pivot model")
        self._threshold = self._bundle.threshold if threshold is None else threshold
        self._name_threshold = (
            self._bundle.name_threshold if name_threshold is None else name_threshold
        )
        self._config = AlignConfig()
        # Made once: it digests the bundle's whole config.
        self._signature = self._bundle.signature(
            encoder=self._encoder.identity,
            threshold=self._threshold,
            name_threshold=self._name_threshold,
        )

    @property
    def encoder(self) -> Encoder:
        """What makes the vectors."""
        return self._encoder

    @property
    def signature(self) -> Signature:
        """What produces this scorer's probabilities."""
        return self._signature

    @property
    def pivot_digest(self) -> str | None:
        """SHA-256 of the pivot model; None without one. `signature` leaves it out."""
        return None if self._pivot is None else self._pivot.digest

    def read(self, document: Document) -> EncodedDocument:
        """Encode a split text once, to score it against one source or several."""
        [reading] = encode_together([document], self._encoder)
        return reading

    def score(self, *, copy: str | EncodedDocument, source: str | EncodedDocument) -> Report:
        """Judge every sentence of a copy against its source.

        Parameters
        ----------
        copy, source : str or Reading
            The two raw texts, or what `read` made of one; offsets in the report count code
            points of the text.

        Returns
        -------
        Report

        Raises
        ------
        InputError
            If a text holds no sentence.

        Warns
        -----
        TruncationWarning
            If a sentence is longer than the encoder reads.
        """
        sides = (
            one if isinstance(one, EncodedDocument) else text_document(name, one)
            for name, one in (("source", source), ("copy", copy))
        )
        [report] = self._score([(next(sides), next(sides))])
        for note in report.warnings:
            warnings.warn(note, TruncationWarning, stacklevel=2)
        return report

    def score_pairs(self, pairs: Iterable[tuple[str, str]]) -> Iterator[Report | InputError]:
        """Judge many pairs, neighbouring ones in one call of the encoder and of the models.

        Parameters
        ----------
        pairs : iterable of (source, copy)
            Raw texts; taken a few at a time, so memory does not grow with their number.

        Yields
        ------
        Report or InputError
            One for each pair, in order: what `score` returns, or the error that it would raise.
            Sentences longer than the encoder reads are said in the report alone.

        Notes
        -----
        How sentences are batched moves the last bits of their vectors (1e-7), which the models
        magnify: nearly every number is that of `score` to 1e-5, a few only to 1e-4. The same pairs
        in the same order give the same numbers.
        """
        for some in _some(pairs):
            read = [_documents_or_error(*pair) for pair in some]
            reports = iter(self._score([one for one in read if not isinstance(one, InputError)]))
            yield from (one if isinstance(one, InputError) else next(reports) for one in read)

    def score_frame(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """Judge the pairs of a frame.

        Parameters
        ----------
        pairs : DataFrame
            A row for each pair: columns `source` and `copy` hold the raw texts, `id`, where there
            is one, what the pair is called. Its index and other columns are not read.

        Returns
        -------
        DataFrame
            A row for each copy sentence, as `detector batch` writes them: `pair_index` (position
            of the pair among the rows, from 0), `id`, and the columns of `Report.to_frame`.

        Raises
        ------
        InputError
            When a column is missing, or a text holds no sentence; the message names its row.

        Examples
        --------
        >>> table = scorer.score_frame(pd.read_csv("pairs.csv"))  # doctest: +SKIP
        >>> table.groupby("pair_index").severity.mean()  # doctest: +SKIP
        """
        from detector.report.formats import frame_of_pairs

        missing = [name for name in ("source", "copy") if name not in pairs.columns]
        if missing:
            msg = (
                f"the frame has no column {', '.join(missing)}; needed are source and copy, and "
                "id is read where it is there"
            )
            raise InputError(msg)
        reports = []
        texts = zip(pairs["source"], pairs["copy"], strict=True)
        for index, report in enumerate(self.score_pairs(texts)):
            if isinstance(report, InputError):
                msg = f"row {index} of the frame: {report}"
                raise InputError(msg) from report
            reports.append(report)
        names = pairs["id"] if "id" in pairs.columns else [None] * len(pairs)
        return frame_of_pairs((report.rows for report in reports), names)

    def align(self, *, copy: str, source: str) -> Alignment:
        """Align two raw texts without judging them; parameters as for `score`."""
        return self._align(_documents(source, copy))

    def align_sentences(self, *, copy: Sequence[str], source: Sequence[str]) -> Alignment:
        """Align two lists of sentences.

        Parameters
        ----------
        copy, source : sequence of str
            Sentences in order; none may be blank. A side may be empty.

        Returns
        -------
        Alignment
            Beads of two index ranges that tile both lists.
        """
        return self._align((document_of(source), document_of(copy)))

    def relate(
        self, *, copy: tuple[Document, Vectors], source: tuple[Document, Vectors]
    ) -> Relation | None:
        """Say what a copy is to a source whose sentences were encoded before, without judging it.

        Parameters
        ----------
        copy, source : (Document, ndarray of shape (n, d), float32)
            A split text, and the unit vectors that this scorer's encoder gave the matching views
            of its sentences.

        Returns
        -------
        Relation or None
            What `Report.relation` of the two would be; None where the bundle has no model for it.
        """
        if self._bundle.relation is None:
            return None
        alignment = align_documents(source, copy, self._encoder, self._config)
        return self._relation(source[0], copy[0], alignment)

    def _relation(self, source: Document, copy: Document, alignment: Alignment) -> Relation | None:
        model = self._bundle.relation
        return None if model is None else model.judge(model.measure(source, copy, alignment))

    def _pivot_of(self, pair: Aligned) -> Pivot | None:
        if self._pivot is None:
            return None
        beads = [
            (_side(pair.source, bead.source), _side(pair.copy, bead.copy))
            for bead in pair.alignment.close
        ]
        return judge_pivot(self._pivot, beads, dictionary=self._dictionary)

    def _align(self, pair: tuple[Document, Document]) -> Alignment:
        source, copy = encode_together(pair, self._encoder)
        return align_encoded(source, copy, self._encoder, self._config)

    def _score(
        self, pairs: Sequence[tuple[Document | EncodedDocument, Document | EncodedDocument]]
    ) -> list[Report]:
        """Judge pairs of (source, copy), all of them together."""
        readings = iter(encode_together([one for pair in pairs for one in pair], self._encoder))
        aligned = [
            Aligned(
                source=source,
                copy=copy,
                alignment=align_encoded(source, copy, self._encoder, self._config),
            )
            for source, copy in zip(readings, readings, strict=True)
        ]
        with one_thread("blas"):
            judged = judge(aligned, models=self._bundle, threshold=self._threshold)
        return [
            self._report(pair, judgement) for pair, judgement in zip(aligned, judged, strict=True)
        ]

    def _report(self, pair: Aligned, judged: Judgement) -> Report:
        n_truncated = sum(pair.source.encoding.truncated) + sum(pair.copy.encoding.truncated)
        note = (
            f"{n_truncated} sentences are longer than the {self._encoder.identity.max_tokens} "
            "tokens that the encoder reads; their ends were judged by their words alone"
        )
        return Report(
            rows=judged.rows,
            omissions=judged.omissions,
            outside=judged.outside,
            alignment=pair.alignment,
            threshold=self._threshold,
            name_threshold=self._name_threshold,
            signature=self.signature,
            matched=judged.matched,
            match=judged.matched >= MATCHING_SHARE,
            relation=self._relation(pair.source.document, pair.copy.document, pair.alignment),
            pivot=self._pivot_of(pair),
            n_truncated=n_truncated,
            warnings=(note,) if n_truncated else (),
        )


def _side(reading: EncodedDocument, indices: range) -> Side:
    """Return one side of a bead as the pivot model reads it."""
    text, start = reading.text_of(indices)
    tokens = reading.tokens_of(indices)
    if tokens is None:
        msg = "the encoder offers no vectors of tokens; score without the pivot, or with another"
        raise InputError(msg)
    starts, ends = ((one - start).astype(np.int32) for one in (tokens.starts, tokens.ends))
    return Side(text, TokenVectors(tokens.vectors, starts, ends))


def _documents(source: str, copy: str) -> tuple[Document, Document]:
    """Split both texts of a pair, or say which cannot be."""
    return text_document("source", source), text_document("copy", copy)


def _documents_or_error(source: str, copy: str) -> tuple[Document, Document] | InputError:
    try:
        return _documents(source, copy)
    except InputError as err:
        return err


def _some(pairs: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield neighbouring pairs, as many as are judged together."""
    some: list[tuple[str, str]] = []
    length = 0
    for pair in pairs:
        some.append(pair)
        length += _length(pair)
        if length >= _TOGETHER:
            yield some
            some, length = [], 0
    if some:
        yield some


def _length(pair: Iterable[object]) -> int:
    # What is no text is refused later, with its row named.
    return sum(len(text) for text in pair if isinstance(text, str))
