from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.report.highlights import MAX_WORDS, Differences, differences
from detector.text.words import find_words

_words = st.lists(st.sampled_from(["the", "fee", "rose", "board", "on", "12"]), max_size=12)
_texts = st.one_of(_words.map(" ".join), st.text(max_size=40))


def marked_words(source: str, copy: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    found = differences(source, copy)
    return (
        [(span.of(source), kind) for span, kind in found.source],
        [(span.of(copy), kind) for span, kind in found.copy],
    )


def test_differences_tells_changed_from_lost_and_added() -> None:
    lost, added = marked_words(
        "The old board met on Monday.", "The board gathered on Monday again."
    )
    assert lost == [("old", "lost"), ("met", "changed")]
    assert added == [("gathered", "changed"), ("again", "added")]


def test_differences_passes_over_case_accents_punctuation_and_apostrophes() -> None:
    assert marked_words("“The Café’s Board,” he said", "the cafe's board he said.") == ([], [])


def test_differences_holds_in_other_scripts_and_with_combining_marks() -> None:
    lost, added = marked_words("Москва e\u0301te\u0301 город 😀 x", "Москва été село 😀 x")
    assert (lost, added) == ([("город", "changed")], [("село", "changed")])


@given(_texts)
def test_differences_of_a_text_from_itself_are_none(text: str) -> None:
    assert differences(text, text) == Differences()


@given(_texts, _texts)
def test_differences_leave_the_same_words_in_the_same_order(source: str, copy: str) -> None:
    found = differences(source, copy)
    if found == Differences():
        return
    left = []
    for text, marked in ((source, found.source), (copy, found.copy)):
        spans = {span for span, _ in marked}
        left.append([word.norm for word in find_words(text) if word.span not in spans])
    assert left[0] == left[1]


@given(_texts, _texts)
def test_differences_swap_lost_and_added_with_the_sides(source: str, copy: str) -> None:
    one, other = differences(source, copy), differences(copy, source)
    assert {kind for _, kind in one.source} <= {"changed", "lost"}
    assert {kind for _, kind in one.copy} <= {"changed", "added"}
    assert bool(one.source or one.copy) == bool(other.source or other.copy)


def test_differences_are_not_marked_where_hardly_a_word_is_shared() -> None:
    source = "Ten years on, nobody recalls the night when ships came in."
    assert differences(source, "The committee will publish nothing before Easter.") == Differences()


def test_differences_are_not_marked_in_a_text_too_long_to_compare() -> None:
    assert differences("word " * (MAX_WORDS + 1), "word") == Differences()
    assert differences("word " * MAX_WORDS, "word").source[0][1] == "lost"
