"""Reports made by hand and by hypothesis, for the tests of everything that shows one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from detector.models.bundle_config import Signature
from detector.records import (
    CHANGES,
    ERROR_KINDS,
    NUMBER_FATES,
    RELATIONS,
    Alignment,
    Bead,
    ErrorSpan,
    NameChange,
    NumberChange,
    Passage,
    Pivot,
    Relation,
    Row,
    Span,
)
from detector.report.report import Report

SIGNATURE = Signature(
    version="0.1.0",
    schema=1,
    bundle="b" * 64,
    encoder="all-MiniLM-L6-v2",
    weights="5" * 64,
    precision="fp32",
    tagger="none",
    n_features=2,
    features="f" * 64,
    threshold=0.5,
    name_threshold=0.5,
    libraries=(("numpy", "2.4.6"),),
)

SOURCE = (
    "Harbour fees to rise\n\n"
    "The Ellery Port Authority's board voted on Monday to raise fees by 12 percent. "
    "It did not consult the AMBER movement, said Odile Marrack, who runs it. "
    "Marrack told the Morning Ledger that her members would appeal.\n\n"
    "A crane at the Ellery docks, seen last year. "
    "Nobody from the board was in the room.\n\n"
    "Related Article\n\nTen beaches worth the drive\n"
)
COPY = (
    "Port fees increase\n\n"
    "The Board of Directors of the Ellery port authoritys voted on Monday to raise fees by 21 "
    "percent. He consulted the Ambove movement. Odile Marrack said, who directs it. "
    "Marrack told the reservation book that its members would call.\n\n"
    "Nobody of the board was in the room. Read more tomorrow.\n"
)
SOURCE_SENTENCES = (
    "Harbour fees to rise",
    "The Ellery Port Authority's board voted on Monday to raise fees by 12 percent.",
    "It did not consult the AMBER movement, said Odile Marrack, who runs it.",
    "Marrack told the Morning Ledger that her members would appeal.",
    "A crane at the Ellery docks, seen last year.",
    "Nobody from the board was in the room.",
    "Related Article",
    "Ten beaches worth the drive",
)

RELATION = Relation(
    probabilities={
        "round_trip": 0.95,
        "duplicate": 0.01,
        "paraphrase": 0.03,
        "independent": 0.01,
        "unrelated": 0.0,
    },
    label="round_trip",
    evidence=("6 of 7 sentences of the copy have a close counterpart, all in the same order",),
)
PIVOT = Pivot(
    language="fr",
    posterior={"fr": 0.9, "de": 0.1},
    families={"Romance": 0.9, "Germanic": 0.1},
    evidence=('"Morning Ledger" became "reservation book" (some evidence)',),
)


def span(raw: str, text: str) -> Span:
    start = raw.index(text)
    return Span(start, start + len(text))


def change(
    kind: str, probability: float, *, copy: str | None, source: str | None, reason: str = ""
) -> NameChange:
    return NameChange(
        change=kind,
        probability=probability,
        copy=None if copy is None else span(COPY, copy),
        copy_text=copy,
        source=None if source is None else span(SOURCE, source),
        source_text=source,
        reason=reason or f"the name {source!r} reads {copy!r} ({kind})",
    )


def row(
    index: int,
    copy: str,
    source: str | None,
    indices: tuple[int, ...],
    probability: float | None,
    **rest: object,
) -> Row:
    return Row(
        copy_index=index,
        copy=span(COPY, copy),
        copy_text=copy,
        kind="addition" if source is None else "aligned",
        source_indices=indices,
        source=None if source is None else span(SOURCE, source),
        source_text=source,
        similarity=None if source is None else 0.75,
        drift_probability=probability,
        drift_flag=probability is not None and probability >= 0.5,
        **rest,
    )


def passage(text: str, *indices: int, reason: str) -> Passage:
    return Passage(indices=indices, span=span(SOURCE, text), text=text, reason=reason)


def sample(**changes: object) -> Report:
    """A small report that holds one of everything."""
    ambove = change("garbled", 0.97, copy="Ambove", source="AMBER")
    ledger = change("as_word", 0.91, copy="reservation book", source="Morning Ledger")
    marrack = change("kept", 0.02, copy="Odile Marrack", source="Odile Marrack", reason="kept")
    slip = change("possessive", 0.8, copy="authoritys", source="Authority's")
    percent = NumberChange(
        change="changed",
        probability=0.95,
        copy=span(COPY, "21 percent"),
        copy_text="21 percent",
        source=span(SOURCE, "12 percent"),
        source_text="12 percent",
        reason="“12 percent” became “21 percent”",
    )
    consult = "It did not consult the AMBER movement, said Odile Marrack, who runs it."
    rows = (
        row(0, "Port fees increase", "Harbour fees to rise", (0,), 0.12),
        row(
            1,
            "The Board of Directors of the Ellery port authoritys voted on Monday to raise fees "
            "by 21 percent.",
            "The Ellery Port Authority's board voted on Monday to raise fees by 12 percent.",
            (1,),
            0.64,
            name_changes=(slip,),
            number_changes=(percent,),
            spans=(
                ErrorSpan(
                    copy=span(COPY, "21 percent"), source=None, probability=0.7, kind="number"
                ),
                ErrorSpan(
                    copy=None, source=span(SOURCE, "board"), probability=0.4, kind="omission"
                ),
            ),
            reasons=(percent.reason, slip.reason),
        ),
        row(
            2,
            "He consulted the Ambove movement.",
            consult,
            (2,),
            0.93,
            name_changes=(ambove,),
            reasons=("a negation may be lost: the source has “not”", ambove.reason),
        ),
        row(
            3,
            "Odile Marrack said, who directs it.",
            consult,
            (2,),
            0.31,
            name_changes=(marrack,),
            n_truncated=1,
        ),
        row(
            4,
            "Marrack told the reservation book that its members would call.",
            "Marrack told the Morning Ledger that her members would appeal.",
            (3,),
            0.48,
            name_changes=(ledger,),
        ),
        row(
            5,
            "Nobody of the board was in the room.",
            "Nobody from the board was in the room.",
            (5,),
            0.05,
        ),
        row(6, "Read more tomorrow.", None, (), None, reasons=("nothing in the source says this",)),
    )
    fields: dict[str, object] = {
        "rows": rows,
        "omissions": (
            passage("A crane at the Ellery docks, seen last year.", 4, reason="a photo caption"),
        ),
        "outside": (
            passage("Related Article", 6, reason="a teaser"),
            passage("Ten beaches worth the drive", 7, reason="a teaser"),
        ),
        "alignment": Alignment(
            beads=(
                Bead(source=range(1), copy=range(1), similarity=0.75),
                Bead(source=range(1, 2), copy=range(1, 2), similarity=0.75),
                Bead(source=range(2, 3), copy=range(2, 4), similarity=0.75),
                Bead(source=range(3, 4), copy=range(4, 5), similarity=0.75),
                Bead(source=range(4, 5), copy=range(5, 5), similarity=None),
                Bead(source=range(5, 6), copy=range(5, 6), similarity=0.75),
                Bead(source=range(6, 6), copy=range(6, 7), similarity=None),
                Bead(source=range(6, 8), copy=range(7, 7), similarity=None),
            ),
            n_source=8,
            n_copy=7,
        ),
        "threshold": 0.5,
        "name_threshold": 0.5,
        "signature": SIGNATURE,
        "matched": 0.94,
        "match": True,
        "relation": RELATION,
        "pivot": PIVOT,
        "n_truncated": 1,
        "warnings": ("1 sentence is longer than the encoder reads",),
    }
    return Report(**{**fields, **changes})


def one_row(text: str, source: str = "Source.", **rest: object) -> Report:
    """A report of one copy sentence, which is the whole copy."""
    only = Row(
        copy_index=0,
        copy=Span(0, len(text)),
        copy_text=text,
        kind="aligned",
        source_indices=(0,),
        source=Span(0, len(source)),
        source_text=source,
        similarity=0.5,
        drift_probability=0.9,
        drift_flag=True,
        **rest,
    )
    return Report(
        rows=(only,),
        omissions=(),
        outside=(),
        alignment=Alignment(
            beads=(Bead(source=range(1), copy=range(1), similarity=0.5),), n_source=1, n_copy=1
        ),
        threshold=0.5,
        name_threshold=0.5,
        signature=SIGNATURE,
        matched=1.0,
        match=True,
    )


def many(n: int) -> Report:
    """A report of n sentences, each with a little of everything."""
    text, source = "The Ambove fee rose at once by 21 percent.", "The AMBER fee rose by 12 percent."
    name = NameChange(
        change="garbled",
        probability=0.9,
        copy=Span(4, 10),
        copy_text="Ambove",
        source=Span(4, 9),
        source_text="AMBER",
        reason="“AMBER” was garbled: “Ambove”",
    )
    number = NumberChange(
        change="changed",
        probability=0.9,
        copy=Span(text.index("21"), len(text) - 1),
        copy_text="21 percent",
        source=Span(source.index("12"), len(source) - 1),
        source_text="12 percent",
        reason="“12 percent” became “21 percent”",
    )
    rows = tuple(
        replace(
            one_row(text, source).rows[0],
            copy_index=k,
            source_indices=(k,),
            drift_probability=k % 100 / 100,
            drift_flag=k % 100 >= 50,
            name_changes=(name,) if k % 10 == 0 else (),
            number_changes=(number,),
            reasons=(number.reason,),
        )
        for k in range(n)
    )
    beads = tuple(
        Bead(source=range(k, k + 1), copy=range(k, k + 1), similarity=0.5) for k in range(n)
    )
    alignment = Alignment(beads=beads, n_source=n, n_copy=n)
    return replace(one_row(text, source), rows=rows, alignment=alignment)


def empty() -> Report:
    """A report without rows."""
    return Report(
        rows=(),
        omissions=(),
        outside=(),
        alignment=Alignment(beads=(), n_source=0, n_copy=0),
        threshold=0.5,
        name_threshold=0.5,
        signature=SIGNATURE,
        matched=0.0,
        match=False,
    )


_texts = st.text(min_size=1, max_size=30)
_unit = st.floats(0.0, 1.0)


@st.composite
def _spans(draw: st.DrawFn) -> Span:
    start = draw(st.integers(0, 100))
    return Span(start, start + draw(st.integers(1, 40)))


@st.composite
def _changes(draw: st.DrawFn, record: type) -> NameChange | NumberChange:
    sides = draw(st.sampled_from(["both", "copy", "source"]))
    copy, source = sides != "source", sides != "copy"
    return record(
        change=draw(st.sampled_from(CHANGES if record is NameChange else NUMBER_FATES)),
        probability=draw(_unit),
        copy=draw(_spans()) if copy else None,
        copy_text=draw(_texts) if copy else None,
        source=draw(_spans()) if source else None,
        source_text=draw(_texts) if source else None,
        reason=draw(st.text(max_size=30)),
    )


@st.composite
def _errors(draw: st.DrawFn) -> ErrorSpan:
    of_copy = draw(st.booleans())
    return ErrorSpan(
        copy=draw(_spans()) if of_copy else None,
        source=None if of_copy else draw(_spans()),
        probability=draw(_unit),
        kind=draw(st.sampled_from(ERROR_KINDS)),
    )


def _shares(names: st.SearchStrategy[list[str]]) -> st.SearchStrategy[dict[str, float]]:
    def shared(drawn: list[str], weights: list[float]) -> dict[str, float]:
        kept = weights[: len(drawn)]
        return {n: w / sum(kept) for n, w in zip(drawn, kept, strict=True)}

    weights = st.lists(st.floats(0.01, 1.0), min_size=5, max_size=5)
    return st.builds(shared, names, weights)


_evidence = st.lists(st.text(max_size=30), max_size=2).map(tuple)
_relations = st.builds(
    Relation,
    probabilities=_shares(st.just(list(RELATIONS))),
    label=st.none() | st.sampled_from(RELATIONS),
    evidence=_evidence,
)
_names = st.lists(st.text(max_size=8), min_size=1, max_size=5, unique=True)
_pivots = st.builds(
    Pivot,
    language=st.none(),
    posterior=_shares(_names),
    families=_shares(_names),
    evidence=_evidence,
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any report: beads that tile, rows that fit them, texts over all of Unicode."""
    shapes = draw(st.lists(st.sampled_from([(1, 1), (1, 0), (0, 1), (2, 1), (1, 2)]), max_size=6))
    threshold = draw(_unit)
    beads: list[Bead] = []
    rows: list[Row] = []
    missing: list[Passage] = []
    s = c = 0
    for n_source, n_copy in shapes:
        aligned = bool(n_source and n_copy)
        similarity = draw(st.floats(-1.0, 1.0)) if aligned else None
        beads.append(
            Bead(source=range(s, s + n_source), copy=range(c, c + n_copy), similarity=similarity)
        )
        for index in range(c, c + n_copy):
            probability = draw(st.none() | _unit)
            rows.append(
                Row(
                    copy_index=index,
                    copy=draw(_spans()),
                    copy_text=draw(_texts),
                    kind="aligned" if aligned else "addition",
                    source_indices=tuple(range(s, s + n_source)),
                    source=draw(_spans()) if aligned else None,
                    source_text=draw(_texts) if aligned else None,
                    similarity=similarity,
                    drift_probability=probability,
                    drift_flag=probability is not None and probability >= threshold,
                    name_changes=tuple(draw(st.lists(_changes(NameChange), max_size=3))),
                    number_changes=tuple(draw(st.lists(_changes(NumberChange), max_size=2))),
                    spans=tuple(draw(st.lists(_errors(), max_size=3))),
                    reasons=tuple(draw(st.lists(st.text(max_size=30), max_size=3))),
                    n_truncated=draw(st.integers(0, 3)),
                )
            )
        if not n_copy:
            missing.append(
                Passage(
                    indices=tuple(range(s, s + n_source)),
                    span=draw(_spans()),
                    text=draw(_texts),
                    reason=draw(st.text(max_size=20)),
                )
            )
        s, c = s + n_source, c + n_copy
    split = draw(st.integers(0, len(missing)))
    return Report(
        rows=tuple(rows),
        omissions=tuple(missing[:split]),
        outside=tuple(missing[split:]),
        alignment=Alignment(beads=tuple(beads), n_source=s, n_copy=c),
        threshold=threshold,
        name_threshold=draw(_unit),
        signature=SIGNATURE,
        matched=draw(_unit),
        match=draw(st.booleans()),
        relation=draw(st.none() | _relations),
        pivot=draw(st.none() | _pivots),
        n_truncated=draw(st.integers(0, 9)),
        warnings=tuple(draw(st.lists(st.text(max_size=20), max_size=2))),
    )
