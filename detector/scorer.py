"""One copy against one source: from two strings to a `Report`.

This room conducts: it calls the rooms above it in order and computes nothing of its own. It reads
no file but the model bundle (through `store`) and shows nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from detector.aligning.align import align
from detector.aligning.aside import article_of, put_back
from detector.aligning.joining import Side
from detector.aligning.weights import AlignConfig
from detector.encode import Encoder, MiniLMEncoder, Precision
from detector.errors import InputError, TruncationWarning
from detector.evidence import Reading, read
from detector.judge import CLOSE_COSINE, judge
from detector.pivot import Pivot
from detector.pivoting.dictionary import read_dictionary
from detector.pivoting.verdict import judge_pivot
from detector.reading.text import split
from detector.reading.view import matching_view
from detector.records import Alignment, Document, Encoding, Sentence
from detector.report import Report
from detector.threads import one_thread

if TYPE_CHECKING:
    from detector.pivoting.model import PivotModel
    from detector.signature import Signature
    from detector.store import Bundle

# Below this share of the copy's text in close beads, two texts are said not to match. Independent
# reports of one event reach .1 to .3, round trips .95.
MATCHING_SHARE = 0.5


class Scorer:
    """Scores suspected round-trip copies against their sources.

    The model is loaded once, at construction; calls do not change the scorer, so threads may
    share it, and the same texts give the same report.

    Parameters
    ----------
    encoder : Encoder, str or Path, optional
        An encoder, or the folder or cached name of a sentence-transformers model; by default
        all-MiniLM-L6-v2 from its package.
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
        Whether reports say through which language a copy went: with the model inside the
        package, or with one that `detector train pivot` wrote. It moves no other figure.
    pivot_dictionary : Path, optional
        Bilingual dictionary that explains the pivot's evidence; see `read_dictionary`.

    Raises
    ------
    EncodeError
        If the encoder cannot be loaded or is not the one expected.
    BundleError
        If the bundle does not fit this version or this encoder.
    InputError
        If a threshold is not in [0, 1].

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
        from detector.store import load

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
        self._pivot = _pivot_model(pivot)
        self._dictionary = None if pivot_dictionary is None else read_dictionary(pivot_dictionary)
        if encoder is None or isinstance(encoder, str | Path):
            encoder = MiniLMEncoder(encoder, precision=precision)
        self._encoder: Encoder = encoder
        self._bundle: Bundle = load(bundle, encoder=encoder.identity, tagger=tagger is not None)
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
    def signature(self) -> Signature:
        """What produces this scorer's probabilities."""
        return self._signature

    def score(self, *, copy: str, source: str) -> Report:
        """Judge every sentence of a copy against its source.

        Parameters
        ----------
        copy, source : str
            The two raw texts; offsets in the report count their code points.

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
        source_reading, copy_reading = self._read(source, copy)
        alignment = self._align(source_reading, copy_reading)
        with one_thread("blas"):
            judged = judge(
                source_reading,
                copy_reading,
                alignment,
                models=self._bundle,
                threshold=self._threshold,
            )
        n_truncated, notes = self._warn(source_reading, copy_reading)
        return Report(
            rows=judged.rows,
            omissions=judged.omissions,
            outside=judged.outside,
            alignment=alignment,
            threshold=self._threshold,
            name_threshold=self._name_threshold,
            signature=self.signature,
            matched=judged.matched,
            match=judged.matched >= MATCHING_SHARE,
            pivot=self._pivot_of(source_reading, copy_reading, alignment),
            n_truncated=n_truncated,
            n_figures=judged.n_figures,
            warnings=notes,
        )

    def align(self, *, copy: str, source: str) -> Alignment:
        """Align two raw texts without judging them; parameters as for `score`."""
        return self._align(*self._read(source, copy))

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
        documents = [_document_of(side) for side in (source, copy)]
        return self._align(*self._encode(documents[0], documents[1]))

    def _read(self, source: str, copy: str) -> tuple[Reading, Reading]:
        documents = []
        for name, raw in (("source", source), ("copy", copy)):
            if not isinstance(raw, str):
                msg = f"the {name} is a {type(raw).__name__}; give its text as a str"
                raise InputError(msg)
            document = split(raw)
            if not document.sentences:
                msg = (
                    f"the {name} ({len(raw)} characters) holds no sentence; give a text with words"
                )
                raise InputError(msg)
            documents.append(document)
        return self._encode(documents[0], documents[1])

    def _encode(self, source: Document, copy: Document) -> tuple[Reading, Reading]:
        # Both documents in one call, each distinct sentence once: batches fill better.
        views = [[matching_view(text) for text in side.texts] for side in (source, copy)]
        distinct = list(dict.fromkeys(chain(*views)))
        encoding = self._encoder.encode(distinct)
        place = {view: index for index, view in enumerate(distinct)}
        return (
            read(source, _take(encoding, [place[view] for view in views[0]])),
            read(copy, _take(encoding, [place[view] for view in views[1]])),
        )

    def _align(self, source: Reading, copy: Reading) -> Alignment:
        readings = {"source": source, "copy": copy}
        vectors = {side: reading.encoding.vectors for side, reading in readings.items()}
        kept = {
            side: article_of(readings[side].document.texts, vectors[side], vectors[other])
            for side, other in (("source", "copy"), ("copy", "source"))
        }
        lengths = {
            side: [len(reading.document.sentences[i].text) for i in kept[side]]
            for side, reading in readings.items()
        }

        def rejoin(joins: Sequence[tuple[Side, range]]) -> NDArray[np.float32]:
            texts = [
                matching_view(
                    " ".join(readings[side].document.sentences[kept[side][i]].text for i in indices)
                )
                for side, indices in joins
            ]
            return self._encoder.encode(texts, tokens=False).vectors

        beads = align(
            vectors["source"][kept["source"]],
            vectors["copy"][kept["copy"]],
            source_lengths=lengths["source"],
            copy_lengths=lengths["copy"],
            config=self._config,
            rejoin=rejoin,
        )
        sizes = (len(source.document), len(copy.document))
        return put_back(beads, kept["source"], kept["copy"], sizes)

    def _pivot_of(self, source: Reading, copy: Reading, alignment: Alignment) -> Pivot | None:
        if self._pivot is None:
            return None
        beads = [
            (source.text_of(bead.source)[0], copy.text_of(bead.copy)[0])
            for bead in alignment.beads
            if bead.similarity is not None and bead.similarity >= CLOSE_COSINE
        ]
        return judge_pivot(self._pivot, beads, dictionary=self._dictionary)

    def _warn(self, source: Reading, copy: Reading) -> tuple[int, tuple[str, ...]]:
        n_truncated = sum(source.encoding.truncated) + sum(copy.encoding.truncated)
        if not n_truncated:
            return 0, ()
        msg = (
            f"{n_truncated} sentences are longer than the {self._encoder.identity.max_tokens} "
            "tokens that the encoder reads; their ends were judged by their words alone"
        )
        warnings.warn(msg, TruncationWarning, stacklevel=3)
        return n_truncated, (msg,)


def _pivot_model(pivot: bool | Path) -> PivotModel | None:
    from detector.pivoting.keeping import FILE, load
    from detector.store import DEFAULT

    if isinstance(pivot, bool):
        return load(DEFAULT / FILE) if pivot else None
    return load(pivot)


def _take(encoding: Encoding, at: list[int]) -> Encoding:
    """Return the part of an encoding that belongs to one document, in its order."""
    return Encoding(
        np.ascontiguousarray(encoding.vectors[at]),
        None if encoding.tokens is None else tuple(encoding.tokens[i] for i in at),
        tuple(encoding.truncated[i] for i in at),
    )


def _document_of(sentences: Sequence[str]) -> Document:
    """Make a document of sentences that were split already."""
    placed, start = [], 0
    for index, text in enumerate(sentences):
        placed.append(Sentence(start, start + len(text), text, index))
        start += len(text) + 1
    return Document("\n".join(sentences), tuple(placed))
