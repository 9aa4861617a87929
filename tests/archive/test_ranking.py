from __future__ import annotations

import numpy as np
import pytest

from detector.archive.ranking import (
    MIN_SIMILARITY,
    Hits,
    assign_sentences,
    background,
    explained_shares,
    max_similarities,
    rank_articles,
)


def hits(*rows: tuple[int, int, float], n: int, truncated: bool = True) -> Hits:
    queries, articles, similarities = zip(*rows, strict=True)
    return Hits(
        queries=np.array(queries),
        articles=np.array(articles),
        similarities=np.array(similarities, np.float32),
        n_queries=n,
        truncated=truncated,
    )


def test_ranking_counts_a_sentence_once_for_an_article() -> None:
    # 7 is near to one sentence twice, 8 to one as near, and background for the other.
    twice = ((0, 7, 0.8), (0, 7, 0.8), (0, 8, 0.5))
    given = hits(*twice, (1, 8, 0.8), (1, 9, 0.7), (1, 1, 0.5), n=2)
    assert rank_articles(given, top=2).tolist() == [8, 7]


def test_ranking_a_phrase_of_many_articles_counts_little() -> None:
    many = [(0, number, 1.0) for number in range(20)]
    one = [(1, 30, 0.8), (1, 3, 0.3)]
    assert rank_articles(hits(*many, *one, n=2), top=1).tolist() == [30]


def test_ranking_the_lower_number_decides_between_equals() -> None:
    given = hits((0, 5, 0.9), (0, 2, 0.9), (0, 3, 0.4), n=1)
    assert rank_articles(given, top=3).tolist() == [2, 5, 3]


def test_ranking_without_hits_is_empty() -> None:
    none = Hits(
        queries=np.zeros(0, np.intp),
        articles=np.zeros(0, np.int64),
        similarities=np.zeros(0, np.float32),
        n_queries=0,
        truncated=False,
    )
    assert rank_articles(none, top=3).tolist() == []


def test_ranking_background_is_the_last_hit_of_each() -> None:
    given = hits((0, 1, 0.9), (0, 2, 0.7), (1, 1, 0.4), n=2)
    np.testing.assert_allclose(background(given), [0.7, 0.4])


def test_ranking_background_of_a_small_archive_is_not_its_only_article() -> None:
    given = hits((0, 1, 0.9), n=1, truncated=False)
    assert background(given)[0] < MIN_SIMILARITY


def test_ranking_shares_range_from_0_to_1() -> None:
    similarities = np.array([[1.0, 0.3, 0.7], [1.0, 0.3, 0.3]], np.float32)
    explained = explained_shares(similarities, np.array([0.4, 0.4], np.float32))
    assert explained == pytest.approx([1.0, 0.0, 0.25])


def test_ranking_max_similarities_take_the_nearest_sentence_of_each_article() -> None:
    queries = np.eye(3, dtype=np.float32)[:2]
    found = max_similarities(queries, {4: np.eye(3, dtype=np.float32)[:1], 9: queries})
    np.testing.assert_allclose(found, [[1, 1], [0, 1]])
    assert max_similarities(queries, {}).shape == (2, 0)


def test_ranking_assignment_gives_each_sentence_to_one_article() -> None:
    similarities = np.array(
        [[0.9, 0.2, 0.9], [0.9, 0.2, 0.2], [0.2, 0.9, 0.2], [0.2, 0.9, 0.9], [0.1, 0.1, 0.1]],
        np.float32,
    )
    assert assign_sentences(similarities, [0, 1, 2]) == {0: (0, 1), 1: (2, 3)}
    assert assign_sentences(similarities, [2, 0, 1]) == {
        2: (0, 3)
    }  # leaves each of the others too little


def test_ranking_one_similar_sentence_is_no_further_source() -> None:
    similarities = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]], np.float32)
    assert assign_sentences(similarities, [0, 1]) == {0: (0, 1, 2)}
    assert assign_sentences(similarities[3:], [1, 0]) == {
        1: (0,)
    }  # but of a suspect of one sentence it is
