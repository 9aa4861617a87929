"""What became of each name: the golden table, and what must hold for any text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeEncoder

from detector.features.evidence import BeadEvidence, gather_pairs
from detector.names.calibration import NameFinding
from detector.names.detect import camel_parts, casing_of, find_mentions
from detector.names.spelling import are_spellings, is_cut, is_misspelt, likeness
from detector.records import CHANGES, DAMAGES, SLIPS
from detector.text.words import find_words

GOLDEN = Path(__file__).parent.parent / "golden" / "names.tsv"
# Rows that no rule can decide from one sentence: nothing tells this surname from a plural noun.
UNDECIDABLE = {"Banks will not let his members sign."}


@dataclass(frozen=True)
class Case:
    source: str
    copy: str
    name: str
    changes: frozenset[str]
    trace: str


def cases() -> Iterator[Case]:
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            source, copy, name, changes, trace = line.split("\t")
            yield Case(source, copy, name, frozenset(changes.split("|")), trace)


def compare(source: str, copy: str) -> tuple[NameFinding, ...]:
    (evidence,) = gather_pairs([(source, copy)], FakeEncoder())
    return evidence.names


def named(case: Case, change: NameFinding) -> bool:
    """Whether a change speaks of the row's name: its span overlaps the row's text."""
    if case.name != "-":
        span, text, whole = change.source, case.name, case.source
    else:
        span, text, whole = change.copy, case.trace, case.copy
    starts = [i for i in range(len(whole)) if whole.startswith(text, i)]
    return span is not None and any(span.start < i + len(text) and i < span.end for i in starts)


def test_naming_a_change_ends_before_the_possessive_that_its_words_hold() -> None:
    source, copy = "They met Oslo's mayor and Ms Stone River’s son.", "They met Oslo’s mayor."
    kept, dropped = compare(source, copy)
    assert kept.source is not None
    assert kept.source.of(source) == "Oslo's"
    changes = [finding.calibrated(0.5) for finding in (kept, dropped)]
    assert [c.source and c.source.of(source) for c in changes] == ["Oslo", "Stone River"]
    assert [c.source_text for c in changes] == ["Oslo", "Stone River"]
    assert [c.copy and c.copy.of(copy) for c in changes] == ["Oslo", None]


@pytest.mark.model
def test_naming_golden_table(encoder: object) -> None:
    rows = [case for case in cases() if case.source not in UNDECIDABLE]
    evidence = gather_pairs([(case.source, case.copy) for case in rows], encoder)  # type: ignore[arg-type]
    wrong = []
    for case, bead in zip(rows, evidence, strict=True):
        mine = [c for c in bead.names if named(case, c)]
        others = [c for c in bead.names if not named(case, c) and c.change != "kept"]
        if "kept" in case.changes:
            good = all(c.change in case.changes for c in mine)
        else:
            good = any(c.change in case.changes for c in mine)
        if not good or any(c.confidence >= 0.5 for c in others):
            wrong.append((case, [(c.change, c.source_text, c.copy_text) for c in bead.names]))
    assert wrong == []
    assert len(rows) > 100


# What is no damage, and what beside it is: each pair of lists differs in the point of the rule.
HARMLESS = [
    # Parts written together or apart, and spellings that English knows.
    ("The actor Lo Mei sang in Porto.", "The actor Lomei sang in Porto."),
    ("The actor Lomei sang in Porto.", "The actor Lo Mei sang in Porto."),
    ("She lectured on Buddhism in Lima.", "She lectured on Buddhist thought in Lima."),
    ("Shipping resumed on Novemeber 3.", "Shipping resumed on November 3."),
    ("The National Theatre reopened.", "The National Theater reopened."),
    # Nouns of headings and offices in small letters.
    ("They signed a Restriction Order at noon.", "They signed a restriction order at noon."),
    ("The vote was a protest against Communism.", "The vote was a protest against communism."),
    ("She cited the Doctor's Curse again.", "She cited the doctor's curse again."),
    ("In spring the Falls freeze.", "In spring the waterfalls freeze."),
    # Institutions in other words.
    ("The Dutch Health Ministry objected.", "The Dutch health department objected."),
    ("He praised the Employee Protection Act.", "He praised the Worker Protection Act."),
    (
        "The Red Ridge Council Chairman Olaf Berg left.",
        "Olaf Berg, head of the Red Ridge Council, left.",
    ),
    ("According to Aldo Kessler, it rained.", "According to Mr Kessler, it rained."),
    # Initials that the source explains itself, or that are no names.
    ("The Free Rivers Union (FRU) sued.", "The Free Rivers Union sued."),
    ("The Free Rivers Union sued.", "The Free Rivers Union (FRU) sued."),
    ("The Free Rivers Union lost; the FRU sued.", "The Free Rivers Union lost and sued."),
    ("It was 30 degrees Celsius in Oslo.", "It was 30 °C in Oslo."),
    ("The harbour dates from 300 BC.", "The harbour dates from before our era, about 300."),
    ("Traders sold the RMB.", "Traders sold the yuan."),
    ("Photo by our staff, harbournews.com", "Photo by our staff"),
    # Places of several words, and places that only say more exactly what is meant.
    ("The People's Republic of China Embassy was shut.", "The Chinese Embassy was shut."),
    ("Sino-US talks went on.", "China-US talks went on."),
    ("Farmers protested at the border.", "Spanish farmers protested at the border."),
    ("The vaccine against COVID helped.", "The vaccine against the coronavirus helped."),
]
DAMAGED = [
    ("The actor Lo Mei sang in Porto.", "The actor Lo Pin sang in Porto."),
    ("The miners met Okafor at noon.", "The miners met Okafour at noon."),
    ("They asked Solo for a vote.", "They asked a solo for a vote."),
    ("Later Sun said it was late.", "Later sun said it was late."),
    ("He said that Mark left.", "He said that the mark left."),
    ("They said the US voted.", "They said the us voted."),
    ("He praised the White House again.", "He praised the White Casa again."),
    ("She works for Harbour Watch in Lima.", "She works for Clock of Port in Lima."),
    ("He posted it on Twitter.", "He posted it on Twit."),
    ("North Korea tested a rocket.", "South Korea tested a rocket."),
    ("Patrols off the Libyan coast were doubled.", "Patrols off coast were doubled."),
    ("She said the British people were kind.", "She said the worker were kind."),
    (
        "The court in Oslo told the YMCA that the YMCA had lost.",
        "The court in Oslo told that the YMCA had lost.",
    ),
    ("The Free Rivers Union and the WTO sued.", "The Free Rivers Union sued."),
    ("The treaty was signed by four states.", "The treaty was signed by Brazil and four states."),
]


def is_alarm(bead: BeadEvidence) -> bool:
    """Whether the rule says that a name of the bead is damaged, slips aside."""
    return any(c.change in DAMAGES and c.confidence >= 0.5 for c in bead.names)


@pytest.mark.model
@pytest.mark.parametrize(("pairs", "expected"), [(HARMLESS, False), (DAMAGED, True)])
def test_naming_tells_damage_from_what_says_the_same(
    encoder: object, pairs: list[tuple[str, str]], expected: bool
) -> None:
    beads = list(gather_pairs(pairs, encoder))  # type: ignore[arg-type]
    wrong = [
        (pair, [(c.change, c.source_text, c.copy_text, c.confidence) for c in bead.names])
        for pair, bead in zip(pairs, beads, strict=True)
        if is_alarm(bead) is not expected
    ]
    assert wrong == []


def tokenised(text: str) -> str:
    text = re.sub(r"(?<=\w)(['’]s)\b", r" \1", text)
    text = re.sub(r"(?<![A-Z])([.,;:!?()“”\"])", r" \1 ", text)
    return re.sub(" +", " ", text).strip()


LOOKS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "first lower": lambda text: text[:1].lower() + text[1:],
    "tokenised": tokenised,
    "no stop": lambda text: text.rstrip(".!?"),
}


@pytest.mark.model
@pytest.mark.parametrize("look", LOOKS)
def test_naming_looks_of_the_copy_damage_no_name(encoder: object, look: str) -> None:
    rows = [case for case in cases() if case.source not in UNDECIDABLE]
    changed = [LOOKS[look](case.copy) for case in rows]
    # What reads as a word for its small letters alone cannot be told where all letters are small.
    rows_known = [
        (case, copy)
        for case, copy in zip(rows, changed, strict=True)
        if copy != copy.lower() or not case.changes & {"as_word", "case"}
    ]
    plain = gather_pairs([(case.source, case.copy) for case, _ in rows_known], encoder)  # type: ignore[arg-type]
    other = gather_pairs([(case.source, copy) for case, copy in rows_known], encoder)  # type: ignore[arg-type]
    wrong = [
        (case.source, copy, damaged(before), damaged(after))
        for (case, copy), before, after in zip(rows_known, plain, other, strict=True)
        if damaged(before) != damaged(after)
    ]
    # One golden row: "A-Brandt" in small letters holds the article.
    assert [row for row in wrong if "a-brandt" not in row[1]] == []


def damaged(bead: BeadEvidence) -> set[str | None]:
    return {
        c.source_text
        for c in bead.names
        if c.change not in ("kept", *SLIPS) and c.confidence >= 0.5 and c.source is not None
    }


@given(st.text(min_size=1).filter(str.strip))
def test_naming_a_text_against_itself_keeps_every_name(text: str) -> None:
    assert all(change.change == "kept" for change in compare(text, text))


@pytest.mark.slow
def test_naming_a_long_run_of_capitals_takes_no_cubic_time() -> None:
    source, copy = ("Anna Berg met " + word * 800 + "in Oslo." for word in ("IV ", "XI "))
    last = compare(source, copy)[-1]
    assert (last.change, last.source_text) == ("kept", "Oslo")


SOURCE_WORDS = "Ann Silva met the US in Porto, not May’s NATO iPhone said “Sun” I"
COPY_WORDS = "Anne silvas met us at Port the sun NATO Otan May's said"


@given(
    st.lists(st.sampled_from(SOURCE_WORDS.split()), min_size=1),
    st.lists(st.sampled_from(COPY_WORDS.split()), min_size=1),
)
def test_naming_changes_point_at_what_they_quote(source: list[str], copy: list[str]) -> None:
    one, other = " ".join(source), " ".join(copy)
    for change in compare(one, other):
        assert change.change in CHANGES
        assert change.reason
        if change.source is not None:
            assert one[change.source.start : change.source.end].startswith(change.source_text or "")
        if change.copy is not None:
            assert other[change.copy.start : change.copy.end].startswith(change.copy_text or "")


def test_naming_swapping_one_name_changes_that_name_alone() -> None:
    source = "Teresa Almeida met Jonas Brandt in Madrid."
    changed = compare(source, "Teresa Almeida met Jonas Kessler in Madrid.")
    assert [c.change for c in changed if c.source_text == "Teresa Almeida"] == ["kept"]
    assert [c.change for c in changed if c.source_text == "Jonas Brandt"] != ["kept"]
    assert [c.change for c in changed if c.source_text == "Madrid"] == ["kept"]


def test_naming_a_document_teaches_which_word_is_a_name() -> None:
    alone = casing_of(text := "Banks paid.", [find_words(text)])
    assert find_mentions(find_words("Banks paid."), alone) == ()
    text = "The owner, Peter Banks, spoke. Banks paid."
    sentences = [find_words(text[:30]), find_words(text[31:], offset=31)]
    taught = casing_of(text, sentences)
    assert [m.at for m in find_mentions(sentences[1], taught)] == [(0,)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("He met President Teresa Almeida at the White House.", ["Teresa Almeida", "White House"]),
        ("They read the People’s Daily in Hong Kong.", ["People’s Daily", "Hong Kong"]),
        ("He left China’s Cyberspace Administration.", ["China’s", "Cyberspace Administration"]),
        ("It fell on Monday, May 4, and in March.", []),
        ("I said so. The end.", []),
        ("The minister paid the Bank of England.", ["Bank of England"]),
        ("A post on X and an iPhone.", ["X", "iPhone"]),
    ],
)
def test_naming_finds_mentions(text: str, names: list[str]) -> None:
    words = find_words(text)
    found = find_mentions(words, casing_of(text, [words]))
    assert [text[words[m.at[0]].start : words[m.at[-1]].end] for m in found] == names


def test_naming_camel_parts_are_two_ordinary_words() -> None:
    assert camel_parts("harbourNow") == ("harbour", "Now")
    assert camel_parts("TikTok") is None
    assert camel_parts("McLaven") is None


@given(st.text(min_size=1, max_size=20))
def test_naming_likeness_of_a_word_to_itself_is_whole(word: str) -> None:
    assert likeness(word, word) >= 0.85
    assert not is_cut(word, word)


@pytest.mark.parametrize(
    ("old", "new", "misspelt", "cut", "spellings"),
    [
        ("zelensky", "zelenskyy", True, False, True),
        ("odesa", "odessa", True, False, True),
        ("memisoglu", "mimsoglo", True, False, False),
        ("marenholz", "marenh", True, True, False),
        ("vira", "virove", False, False, False),
        ("xi", "x", True, True, False),
    ],
)
def test_naming_spelling_golden(
    old: str,
    new: str,
    misspelt: bool,
    cut: bool,
    spellings: bool,
) -> None:
    assert is_misspelt(new, old) is misspelt
    assert is_cut(new, old) is cut
    assert are_spellings(old, new) is spellings
