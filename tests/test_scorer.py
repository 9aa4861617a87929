"""From two texts to a report: what must hold for any pair, and for the bundled example."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from detector import DetectorWarning, InputError, Report, Scorer
from detector.encoder import MiniLMEncoder
from detector.errors import BundleError
from detector.models.store import pivot_of
from detector.pivot.model import save
from detector.records import Encoding
from detector.report.formats import COLUMNS
from detector.report.highlights import marked_bead
from detector.report.html import page
from detector.text.sentences import split

pytestmark = pytest.mark.model

EXAMPLE = Path(__file__).resolve().parent.parent / "data" / "example"


@pytest.fixture(scope="module")
def scorer(encoder: MiniLMEncoder) -> Scorer:
    return Scorer(encoder=encoder)


@pytest.fixture(scope="module")
def source() -> str:
    return (EXAMPLE / "source.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def copy() -> str:
    return (EXAMPLE / "copy.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(scorer: Scorer, source: str, copy: str) -> Report:
    return scorer.score(copy=copy, source=source)


def damaged(report: Report) -> set[tuple[str | None, str | None]]:
    return {(c.source_text, c.copy_text) for c in report.damaged}


def test_scorer_rows_are_the_copys_sentences(report: Report, copy: str, source: str) -> None:
    frame = report.to_frame()
    assert list(frame.columns) == list(COLUMNS)
    assert list(frame.copy_index) == list(range(len(split(copy))))
    for row in frame.itertuples():
        assert copy[row.copy_start : row.copy_end] == row.copy_text
        if row.kind == "aligned":
            assert source[row.source_start : row.source_end] == row.source_text
            assert -1.0 <= row.similarity <= 1.0
            assert 0.0 <= row.drift_probability <= 1.0
        for change in row.name_changes:
            if change["copy_text"] is not None:
                assert copy[change["copy_start"] :].startswith(change["copy_text"])
            if change["source_text"] is not None:
                assert source[change["source_start"] :].startswith(change["source_text"])


def test_scorer_every_source_sentence_is_somewhere(report: Report, source: str) -> None:
    held = {i for row in report.rows for i in row.source_indices}
    missing = {i for passage in (*report.omissions, *report.outside) for i in passage.indices}
    assert held | missing == set(range(len(split(source))))
    assert not held & missing


def test_scorer_example_leaves_furniture_outside_and_the_caption_omitted(report: Report) -> None:
    outside = " ".join(passage.text for passage in report.outside)
    for furniture in ("Visited 3 times", "Related Article", "Storm Olga", "Share this"):
        assert furniture in outside
    omitted = " ".join(passage.text for passage in report.omissions)
    assert "Workers lay a test section" in omitted
    assert "Visited" not in omitted


def test_scorer_example_finds_the_damaged_names(report: Report) -> None:
    found = damaged(report)
    for source_text, copy_text in [
        ("Victoria Sun", "Sol"),
        ("Sun", "sun"),
        ("Banks", "banks"),
        ("Marsh", "marsh"),
        ("Rivers", "rivers"),
        ("People’s Lantern", "Torch of Villages"),
        ("NATO", "otan"),
        ("Harbour Watch", "Clock of Port"),
        ("Brave Maria", "Maria Valiente"),
    ]:
        assert any(source_text in (s or "") and copy_text in (c or "") for s, c in found), (
            f"{source_text} -> {copy_text} was not found"
        )


def test_scorer_example_makes_a_small_page_that_marks_every_changed_figure(report: Report) -> None:
    assert len(page(report).encode()) < 300_000
    beads = [report.rows[b.copy.start : b.copy.stop] for b in report.alignment.aligned]
    assert sum(sum(marked_bead(report, bead).n_figures) for bead in beads) == report.n_figures


def test_scorer_example_leaves_sound_names_in_peace(report: Report) -> None:
    kept = {c.source_text for c in report.names if c.change == "kept"}
    touched = {c.source_text for c in report.damaged}
    for name in ("Madrid", "Hamburg", "Peter Banks", "Helen May", "Nuno Vidal", "Civic Alliance"):
        assert name in kept
        assert name not in touched


def test_scorer_spans_lie_in_their_sentences_and_find_a_word_turned(
    report: Report, copy: str
) -> None:
    told = {s.copy.of(copy) for row in report.rows for s in row.spans if s.copy is not None}
    assert any("Sol" in words for words in told)
    for row in report.rows:
        for span in row.spans:
            if span.copy is not None:
                assert row.copy.start <= span.copy.start < span.copy.end <= row.copy.end
            else:
                assert row.source is not None
                assert span.source is not None
                assert row.source.start <= span.source.start < span.source.end <= row.source.end


def test_scorer_without_its_tagger_says_so_and_has_no_spans(
    report: Report, scorer: Scorer, copy: str, source: str
) -> None:
    plain = Scorer(tagger=None)
    bare = plain.score(copy=copy, source=source)
    assert plain.signature.tagger == "none"
    assert scorer.signature.tagger != "none"
    assert plain.signature.threshold != scorer.signature.threshold
    assert not any(row.spans for row in bare.rows)
    assert [row.source_indices for row in bare.rows] == [r.source_indices for r in report.rows]
    with pytest.raises(InputError, match="tagger is 'other'"):
        Scorer(tagger="other")  # type: ignore[arg-type]


def test_scorer_copy_equal_to_its_source_flags_nothing(scorer: Scorer, source: str) -> None:
    report = scorer.score(copy=source, source=source)
    assert [row.copy_text for row in report.flagged] == []
    assert damaged(report) == set()
    assert not any(row.spans for row in report.rows)
    assert report.omissions == ()
    assert all(row.reasons == () for row in report.rows if row.kind == "aligned")


def test_scorer_one_swapped_name_touches_only_its_bead(scorer: Scorer, source: str) -> None:
    swapped = source.replace("said Nuno Vidal", "said Pedro Ramires")
    assert swapped != source
    before = scorer.score(copy=source, source=source)
    after = scorer.score(copy=swapped, source=source)
    assert ("Nuno Vidal", "Pedro Ramires") in damaged(after)
    for old, new in zip(before.rows, after.rows, strict=True):
        if "Pedro Ramires" in new.copy_text:
            assert (new.drift_probability or 0) > (old.drift_probability or 0)
        else:
            assert new.drift_probability == pytest.approx(old.drift_probability, abs=1e-4)


def test_scorer_unrelated_texts_are_said_not_to_match(scorer: Scorer, source: str) -> None:
    other = (
        "Boil the potatoes in salted water until they are soft. Melt the butter in a small pan. "
        "Mash everything with a fork and stir in the milk. Serve hot, with parsley on top. "
        "Leftovers keep for two days in the refrigerator. My grandmother never used cream."
    )
    report = scorer.score(copy=other, source=source)
    assert report.match is False
    assert "do not match" in report.summary()
    assert all(row.kind == "addition" for row in report.rows[1:-1])


def test_scorer_takes_one_sentence_against_one(scorer: Scorer) -> None:
    report = scorer.score(
        copy="The sun doubts that the bridge is safe.", source="Victoria Sun doubts it is safe."
    )
    assert len(report.rows) == 1


def test_scorer_names_the_text_without_a_sentence(scorer: Scorer) -> None:
    with pytest.raises(InputError, match=r"the copy .* holds no sentence"):
        scorer.score(copy=" \n ", source="One.")
    with pytest.raises(InputError, match=r"the source .* holds no sentence"):
        scorer.score(copy="One.", source="")
    with pytest.raises(InputError, match=r"the source is a bytes"):
        scorer.score(copy="One.", source=b"One.")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["threshold", "name_threshold"])
def test_scorer_refuses_a_threshold_that_is_no_probability(
    name: str, encoder: MiniLMEncoder
) -> None:
    with pytest.raises(InputError, match=f"{name} is 1.5"):
        Scorer(encoder=encoder, **{name: 1.5})  # type: ignore[arg-type]


def test_scorer_threshold_moves_flags_and_no_probability(
    report: Report, encoder: MiniLMEncoder, source: str, copy: str
) -> None:
    strict = Scorer(encoder=encoder, threshold=0.01).score(copy=copy, source=source)
    assert len(strict.flagged) >= len(report.flagged)
    assert [r.drift_probability for r in strict.rows] == [r.drift_probability for r in report.rows]
    assert str(strict.signature) != str(report.signature)


def test_scorer_is_deterministic_and_shared_by_threads(
    scorer: Scorer, report: Report, source: str, copy: str
) -> None:
    results: list[Report] = []
    threads = [
        threading.Thread(target=lambda: results.append(scorer.score(copy=copy, source=source)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r.to_json() for r in results] == [report.to_json()] * 3


def test_scorer_warns_of_a_sentence_longer_than_the_encoder_reads(scorer: Scorer) -> None:
    text = " ".join(f"w{i}" for i in range(400)) + "."
    with pytest.warns(DetectorWarning, match="longer than the 256 tokens"):
        report = scorer.score(copy=text, source=text)
    assert report.n_truncated > 0
    assert report.warnings


PAIRS = [
    ("Victoria Sun doubts it is safe.", "The sun doubts that the bridge is safe."),
    ("The court met on Monday. Rain fell for 12 days.", "The court met Monday. It rained 21 days."),
    ("Sales rose by 3 percent.", "Sales rose by 3 percent."),
]


def numbers(report: Report) -> list[float]:
    """Every probability, cosine and severity of a report, in order; -9 where there is none."""
    found = [report.matched]
    for row in report.rows:
        judged = (row.similarity, row.drift_probability, row.severity)
        found += [-9.0 if number is None else number for number in judged]
        found += [c.probability for c in row.name_changes] + [s.probability for s in row.spans]
    return found


def test_scorer_many_pairs_score_as_each_alone(scorer: Scorer, source: str, copy: str) -> None:
    pairs = [*PAIRS, (source, copy), *PAIRS[:1], (source, " "), (copy, source)]
    found = list(scorer.score_pairs(iter(pairs)))
    assert len(found) == len(pairs)
    apart: list[float] = []
    for (one, other), report in zip(pairs, found, strict=True):
        if not other.strip():
            assert isinstance(report, InputError)
            assert "the copy (1 characters) holds no sentence" in str(report)
            continue
        assert isinstance(report, Report)
        alone = scorer.score(source=one, copy=other)
        # Severity has no upper end: a large one is compared by its size.
        both = zip(numbers(report), numbers(alone), strict=True)
        apart += [abs(one - other) / max(1.0, abs(other)) for one, other in both]
        assert report.omissions == alone.omissions
        assert report.n_figures == alone.n_figures
        assert [r.source_indices for r in report.rows] == [r.source_indices for r in alone.rows]
    # What a batch of the encoder holds moves its last bits, and the models magnify a few of them.
    assert max(apart) < 5e-4
    assert sum(one > 1e-5 for one in apart) <= len(apart) / 100


def test_scorer_pairs_are_taken_a_few_at_a_time(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.scorer._TOGETHER", 100)
    taken = 0

    def pairs() -> Iterator[tuple[str, str]]:
        nonlocal taken
        for pair in PAIRS * 3:
            taken += 1
            yield pair

    reports = scorer.score_pairs(pairs())
    next(reports)
    assert taken < 4
    assert len(list(reports)) == 8


def test_scorer_frame_has_a_row_for_each_copy_sentence(scorer: Scorer) -> None:
    frame = pd.DataFrame(PAIRS, columns=["source", "copy"], index=[7, 7, 7])
    frame["id"] = ["a", "b", "c"]
    table = scorer.score_frame(frame)
    assert list(table.columns) == ["pair_index", "id", *COLUMNS]
    assert list(table["pair_index"]) == [0, 1, 1, 2]
    assert list(table["id"]) == ["a", "b", "b", "c"]
    alone = scorer.score(source=PAIRS[1][0], copy=PAIRS[1][1]).to_frame()
    part = table[table["pair_index"] == 1].reset_index(drop=True)
    exact = ["copy_text", "copy_start", "source_text", "source_indices", "reasons"]
    pd.testing.assert_frame_equal(part[exact], alone[exact])
    close = ["similarity", "drift_probability", "severity"]
    pd.testing.assert_frame_equal(part[close], alone[close], atol=1e-5, rtol=0)
    assert len(scorer.score_frame(frame[:0])) == 0


def test_scorer_frame_names_the_column_or_row_that_is_wrong(scorer: Scorer) -> None:
    with pytest.raises(InputError, match="the frame has no column copy; needed are source and"):
        scorer.score_frame(pd.DataFrame({"source": ["A."]}))
    bad = pd.DataFrame({"source": ["A.", "B."], "copy": ["A.", None]})
    with pytest.raises(InputError, match="row 1 of the frame: the copy is a "):
        scorer.score_frame(bad)


def test_scorer_align_and_align_sentences_agree(scorer: Scorer, source: str, copy: str) -> None:
    whole = scorer.align(copy=copy, source=source)
    listed = scorer.align_sentences(copy=split(copy).texts, source=split(source).texts)
    assert [(b.source, b.copy) for b in whole.beads] == [(b.source, b.copy) for b in listed.beads]
    assert scorer.align_sentences(copy=[], source=["One."]).n_copy == 0


def test_scorer_hostile_text_is_scored(scorer: Scorer) -> None:
    generator = random.Random(0)
    alphabet = "aé漢😀\u202e\u200b\x00\x1b\ud800 \n.“”’"
    for _ in range(5):
        text = "word. " + "".join(generator.choice(alphabet) for _ in range(200))
        report = scorer.score(copy=text, source=text)
        assert Report.from_json(report.to_json()) == report


@pytest.mark.shared
def test_scorer_finds_what_a_published_copy_did_to_its_source(scorer: Scorer, shared: Path) -> None:
    texts = {p.name[:3]: p.read_text(encoding="utf-8") for p in (shared / "seeds").glob("*.txt")}
    report = scorer.score(copy=texts["001"], source=texts["002"])
    found = damaged(report)
    for name, trace in [
        ("MAGA", "Magove"),
        ("Xi-Trump", "X-Trump"),
        ("US", "us"),
        ("Sun", "sun"),
        ("Trump", "prevails"),
        ("McArver", "McCarver"),
        ("Daily", "daily life of peoples"),
    ]:
        assert any(name in (s or "") and trace in (c or "") for s, c in found), (name, trace)
    assert report.match
    assert [p.text[:22] for p in report.omissions] == ["In this photo illustra"]
    outside = " ".join(p.text for p in report.outside)
    assert "Visited" in outside
    assert "Zelensky" in outside
    for other in ("000", "003", "004"):
        assert not scorer.score(copy=texts["001"], source=texts[other]).match


def test_scorer_names_the_pivot_only_where_asked(
    encoder: MiniLMEncoder, report: Report, copy: str, source: str, tmp_path: Path
) -> None:
    assert report.pivot is None
    (tmp_path / "en-fr.tsv").write_text("robbery\tvol\n", encoding="utf-8")
    asking = Scorer(encoder=encoder, pivot=True, pivot_dictionary=tmp_path / "en-fr.tsv")
    found = asking.score(copy=copy, source=source)
    assert found.pivot is not None
    assert found.pivot.evidence
    assert len(found.pivot.posterior) >= 20
    assert found.rows == report.rows
    assert Report.from_json(found.to_json()).pivot == found.pivot
    same = asking.score(copy=source, source=source).pivot
    assert same is not None
    assert same.language is None
    assert max(same.posterior.values()) == pytest.approx(1 / len(same.posterior))


def test_scorer_a_dictionary_without_a_pivot_is_refused(encoder: MiniLMEncoder) -> None:
    with pytest.raises(InputError, match="no pivot is asked for"):
        Scorer(encoder=encoder, pivot_dictionary=Path("en-fr.tsv"))


class _WithoutTokens:
    """An encoder that gives vectors of sentences alone."""

    def __init__(self, encoder: MiniLMEncoder) -> None:
        self._encoder = encoder
        self.identity = encoder.identity

    def encode(self, texts: Sequence[str], *, tokens: bool = True) -> Encoding:  # noqa: ARG002
        return self._encoder.encode(texts, tokens=False)


def test_scorer_a_pivot_needs_vectors_of_tokens(
    encoder: MiniLMEncoder, copy: str, source: str
) -> None:
    without = Scorer(encoder=_WithoutTokens(encoder), tagger=None, pivot=True)
    with pytest.raises(InputError, match="no vectors of tokens"):
        without.score(copy=copy, source=source)


def test_scorer_a_pivot_model_for_another_encoder_is_refused(
    encoder: MiniLMEncoder, tmp_path: Path
) -> None:
    model = pivot_of()
    assert model is not None
    other = replace(model, encoder=replace(model.encoder, name="other", weights_sha256="1" * 64))
    save(other, tmp_path / "pivot.safetensors")
    with pytest.raises(BundleError, match="train a pivot model for it"):
        Scorer(encoder=encoder, pivot=tmp_path / "pivot.safetensors")
