from __future__ import annotations

import numpy as np
import pytest

from detector.archive.ranking import ALIKE, Hits, ballot, closeness, pieces, shares, usual


def hits(*rows: tuple[int, int, float], n: int, full: bool = True) -> Hits:
    queries, articles, cosines = zip(*rows, strict=True)
    return Hits(
        queries=np.array(queries),
        articles=np.array(articles),
        cosines=np.array(cosines, np.float32),
        n_queries=n,
        full=full,
    )


def test_votes_an_article_is_voted_for_once_by_a_sentence() -> None:
    # 7 is near to one sentence twice, 8 to one as near, and usual for the other.
    twice = ((0, 7, 0.8), (0, 7, 0.8), (0, 8, 0.5))
    given = hits(*twice, (1, 8, 0.8), (1, 9, 0.7), (1, 1, 0.5), n=2)
    assert ballot(given, top=2).tolist() == [8, 7]


def test_votes_a_phrase_of_many_articles_says_little() -> None:
    many = [(0, number, 1.0) for number in range(20)]
    one = [(1, 30, 0.8), (1, 3, 0.3)]
    assert ballot(hits(*many, *one, n=2), top=1).tolist() == [30]


def test_votes_the_lower_number_decides_between_equals() -> None:
    given = hits((0, 5, 0.9), (0, 2, 0.9), (0, 3, 0.4), n=1)
    assert ballot(given, top=3).tolist() == [2, 5, 3]


def test_votes_without_hits_nobody_is_chosen() -> None:
    none = Hits(
        queries=np.zeros(0, np.intp),
        articles=np.zeros(0, np.int64),
        cosines=np.zeros(0, np.float32),
        n_queries=0,
        full=False,
    )
    assert ballot(none, top=3).tolist() == []


def test_votes_usual_is_the_last_hit_of_each() -> None:
    given = hits((0, 1, 0.9), (0, 2, 0.7), (1, 1, 0.4), n=2)
    np.testing.assert_allclose(usual(given), [0.7, 0.4])


def test_votes_usual_of_a_small_archive_is_not_its_only_article() -> None:
    given = hits((0, 1, 0.9), n=1, full=False)
    assert usual(given)[0] < ALIKE


def test_votes_shares_run_from_nothing_to_all() -> None:
    alike = np.array([[1.0, 0.3, 0.7], [1.0, 0.3, 0.3]], np.float32)
    explained = shares(alike, np.array([0.4, 0.4], np.float32))
    assert explained == pytest.approx([1.0, 0.0, 0.25])


def test_votes_closeness_takes_the_nearest_sentence_of_each_article() -> None:
    queries = np.eye(3, dtype=np.float32)[:2]
    found = closeness(queries, {4: np.eye(3, dtype=np.float32)[:1], 9: queries})
    np.testing.assert_allclose(found, [[1, 1], [0, 1]])
    assert closeness(queries, {}).shape == (2, 0)


def test_votes_pieces_give_each_sentence_to_one_article() -> None:
    alike = np.array(
        [[0.9, 0.2, 0.9], [0.9, 0.2, 0.2], [0.2, 0.9, 0.2], [0.2, 0.9, 0.9], [0.1, 0.1, 0.1]],
        np.float32,
    )
    assert pieces(alike, [0, 1, 2]) == {0: (0, 1), 1: (2, 3)}
    assert pieces(alike, [2, 0, 1]) == {2: (0, 3)}  # leaves each of the others too little


def test_votes_one_like_sentence_is_no_further_source() -> None:
    alike = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]], np.float32)
    assert pieces(alike, [0, 1]) == {0: (0, 1, 2)}
    assert pieces(alike[3:], [1, 0]) == {1: (0,)}  # but of a suspect of one sentence it is
