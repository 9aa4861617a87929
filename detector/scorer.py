"""Score a copy against its source: two texts to a `Report`.

It calls encoder, aligner, models and report in order, and computes nothing of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from detector.alignment.align import Vectors, align_documents
from detector.alignment.config import AlignConfig
from detector.encoder import Encoder, MiniLMEncoder, Precision
from detector.errors import InputError, TaggerWarning, TruncationWarning
from detector.features.evidence import EncodedDocument, document_of, encode_together, text_document
from detector.judge import AlignedPair, Judgement, judge
from detector.model_files import check_encoder
from detector.onnx import OnnxEncoder
from detector.pivot.edits import Side
from detector.pivot.model import load as load_pivot
from detector.pivot.pivot import predict_pivot, read_dictionary
from detector.records import Alignment, Document, Pivot, Relation, TokenVectors
from detector.report.report import Report
from detector.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

    from detector.models.bundle_config import Signature
    from detector.models.store import Bundle

# Two texts match from this share of the copy's text in close beads. Independent reports of one
# event reach .1 to .3, round trips .95.
MATCHING_SHARE = 0.5

# Characters of pairs that are scored in one call. More do not fill the encoder's batches better,
# and their token vectors take about 200 bytes a character.
_TOGETHER = 1 << 16

_NO_TAGGER = (
    "the word-level tagger was skipped, since the encoder gives no token vectors; "
    "there are no error spans, and thresholds are those of the models without it"
)


class Scorer:
    """Scores suspected round-trip copies against their sources.

    The models are loaded once, at construction. Calls do not change the scorer, so threads may
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
        Whether to run the bundle's word-level tagger, where it has one. With None there are no
        `spans`, and scoring takes about half the time; the signature says which.
    pivot : bool or Path
        Whether reports say through which language a copy went: with the bundle's model, or with
        one that `detector train pivot` wrote. It changes no score.
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

    Warns
    -----
    TaggerWarning
        If the encoder gives no token vectors, so that the bundle's tagger cannot be used.

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
        use_tagger = tagger is not None and _gives_tokens(encoder)
        exported = encoder.tagger if use_tagger and isinstance(encoder, OnnxEncoder) else None
        self._bundle: Bundle = load(
            bundle,
            encoder=encoder.identity,
            tagger=exported or use_tagger,
            pivot=pivot is True,
        )
        self._notes: tuple[str, ...] = ()
        if tagger is not None and not use_tagger and self._bundle.config.tagged is not None:
            self._notes = (_NO_TAGGER,)
            warnings.warn(_NO_TAGGER, TaggerWarning, stacklevel=2)
        self._pivot = self._bundle.pivot if isinstance(pivot, bool) else load_pivot(pivot)
        if pivot and self._pivot is None:
            msg = f"{bundle or 'the bundle'}: holds no pivot model; name one that was trained"
            raise InputError(msg)
        if self._pivot is not None:
            place = pivot if isinstance(pivot, Path) else bundle or DEFAULT
            check_encoder(self._pivot.encoder, encoder.identity, folder=place, what="pivot model")
        self._config = AlignConfig()
        self._signature = self._bundle.signature(
            encoder=encoder.identity, threshold=threshold, name_threshold=name_threshold
        )

    @property
    def encoder(self) -> Encoder:
        """The encoder in use."""
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
        return encode_together([document], self._encoder)[0]

    def score(self, *, copy: str | EncodedDocument, source: str | EncodedDocument) -> Report:
        """Judge every sentence of a copy against its source.

        Parameters
        ----------
        copy, source : str or EncodedDocument
            The two raw texts, or the results of `read`; offsets in the report count code points.

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
        [report] = self._score([(_document("source", source), _document("copy", copy))])
        if report.n_truncated:
            warnings.warn(self._truncation(report.n_truncated), TruncationWarning, stacklevel=2)
        return report

    def score_pairs(self, pairs: Iterable[tuple[str, str]]) -> Iterator[Report | InputError]:
        """Judge many pairs, several in one call of the encoder and of the models.

        Parameters
        ----------
        pairs : iterable of (source, copy)
            Raw texts; taken a few at a time, so memory does not grow with their number.

        Yields
        ------
        Report or InputError
            One for each pair, in order: what `score` returns, or the error that it would raise.
            Truncated sentences are noted in the report, without a warning.

        Notes
        -----
        Batches move the last bits of sentence vectors (1e-7), which the models magnify: nearly
        every number is that of `score` to 1e-5, a few only to 1e-4. The same pairs in the same
        order give the same numbers.
        """
        for group in _groups(pairs):
            split = [_split_or_error(*pair) for pair in group]
            reports = iter(self._score([both for both in split if isinstance(both, tuple)]))
            yield from (next(reports) if isinstance(both, tuple) else both for both in split)

    def score_frame(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """Judge the pairs of a frame.

        Parameters
        ----------
        pairs : DataFrame
            A row for each pair: columns `source` and `copy` hold the raw texts, the optional `id`
            the pair's name. Its index and other columns are ignored.

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
            msg = f"the frame has no column {', '.join(missing)}; "
            msg += "needed are source and copy, and id is read where it is there"
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
        return self._align_documents(_split(source, copy))

    def align_sentences(self, *, copy: Sequence[str], source: Sequence[str]) -> Alignment:
        """Align two lists of sentences.

        Parameters
        ----------
        copy, source : sequence of str
            Sentences in order; none may be blank. A side may be empty.
        """
        return self._align_documents((document_of(source), document_of(copy)))

    def relate(
        self, *, copy: tuple[Document, Vectors], source: tuple[Document, Vectors]
    ) -> Relation | None:
        """Predict the relation of two texts whose sentences were encoded before.

        Each is a split text and the unit vectors, of shape (n, d), that this scorer's encoder gave
        the matching views of its sentences. None where the bundle has no relation model.
        """
        if self._bundle.relation is None:
            return None
        alignment = align_documents(source, copy, self._encoder, self._config)
        return self._relation(source[0], copy[0], alignment)

    def _relation(self, source: Document, copy: Document, alignment: Alignment) -> Relation | None:
        model = self._bundle.relation
        return None if model is None else model.predict(model.compare(source, copy, alignment))

    def _pivot_of(self, pair: AlignedPair) -> Pivot | None:
        if self._pivot is None:
            return None
        beads = [
            (_side(pair.source, bead.source), _side(pair.copy, bead.copy))
            for bead in pair.alignment.close
        ]
        return predict_pivot(self._pivot, beads, dictionary=self._dictionary)

    def _align_documents(self, pair: tuple[Document, Document]) -> Alignment:
        return self._align(*encode_together(pair, self._encoder)).alignment

    def _align(self, source: EncodedDocument, copy: EncodedDocument) -> AlignedPair:
        alignment = align_documents(
            (source.document, source.encoding.vectors),
            (copy.document, copy.encoding.vectors),
            self._encoder,
            self._config,
        )
        return AlignedPair(source=source, copy=copy, alignment=alignment)

    def _score(
        self, pairs: Sequence[tuple[Document | EncodedDocument, Document | EncodedDocument]]
    ) -> list[Report]:
        """Judge pairs of (source, copy), all of them together."""
        encoded = iter(encode_together([side for pair in pairs for side in pair], self._encoder))
        aligned = [self._align(source, copy) for source, copy in zip(encoded, encoded, strict=True)]
        with one_thread("blas"):
            judged = judge(aligned, models=self._bundle, threshold=self._signature.threshold)
        return [self._report(*both) for both in zip(aligned, judged, strict=True)]

    def _report(self, pair: AlignedPair, judged: Judgement) -> Report:
        n_truncated = sum(pair.source.encoding.truncated) + sum(pair.copy.encoding.truncated)
        return Report(
            rows=judged.rows,
            omissions=judged.omissions,
            outside=judged.outside,
            alignment=pair.alignment,
            threshold=self._signature.threshold,
            name_threshold=self._signature.name_threshold,
            signature=self._signature,
            matched=judged.matched,
            match=judged.matched >= MATCHING_SHARE,
            relation=self._relation(pair.source.document, pair.copy.document, pair.alignment),
            pivot=self._pivot_of(pair),
            n_truncated=n_truncated,
            warnings=(
                *((self._truncation(n_truncated),) if n_truncated else ()),
                *self._notes,
            ),
        )

    def _truncation(self, n: int) -> str:
        return (
            f"{n} sentences are longer than the {self._encoder.identity.max_tokens} "
            "tokens that the encoder reads; their ends were judged by their words alone"
        )


def _gives_tokens(encoder: Encoder) -> bool:
    """Ask an encoder from elsewhere for the token vectors of one word."""
    known = isinstance(encoder, MiniLMEncoder | OnnxEncoder)
    return known or encoder.encode(["word"]).tokens is not None


def _side(document: EncodedDocument, indices: range) -> Side:
    """Return one side of a bead for the pivot model."""
    text, start = document.text_of(indices)
    tokens = document.tokens_of(indices)
    if tokens is None:
        msg = "the encoder offers no vectors of tokens; score without the pivot, or with another"
        raise InputError(msg)
    starts, ends = ((at - start).astype(np.int32) for at in (tokens.starts, tokens.ends))
    return Side(text, TokenVectors(tokens.vectors, starts, ends))


def _document(name: str, text: str | EncodedDocument) -> Document | EncodedDocument:
    return text if isinstance(text, EncodedDocument) else text_document(name, text)


def _split(source: str, copy: str) -> tuple[Document, Document]:
    return text_document("source", source), text_document("copy", copy)


def _split_or_error(source: str, copy: str) -> tuple[Document, Document] | InputError:
    try:
        return _split(source, copy)
    except InputError as err:
        return err


def _groups(pairs: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield neighbouring pairs, as many as are scored together."""
    group: list[tuple[str, str]] = []
    length = 0
    for pair in pairs:
        group.append(pair)
        length += sum(map(_length, pair))
        if length >= _TOGETHER:
            yield group
            group, length = [], 0
    if group:
        yield group


def _length(text: object) -> int:
    return len(text) if isinstance(text, str) else 0  # what is no text is refused later
