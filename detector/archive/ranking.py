"""Rank articles by the sentences they share with a suspect.

Pure numpy. Each sentence of the suspect that was searched adds to an article's score by how much
closer the article is than what is usual for that sentence. So a phrase of many articles counts
little, and a sentence that is like no article counts nothing. No text is read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MIN_SIMILARITY: Final = 0.55
"""Cosine from which a sentence of a suspect may come from a sentence of an article."""

_DEFAULT_BACKGROUND: Final = 0.45
_BASE_WEIGHT: Final = 0.01  # share of its cosine that a hit always adds to an article's score
_TIE: Final = 0.08  # an article this much less similar than a sentence's best still explains it
_MIN_SENTENCES: Final = 2  # that a further source must explain, where the suspect has them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """The nearest archived sentences of some queries; arrays of shape (n_hits,).

    `queries` are indices, `articles` numbers of the articles that hold the hits, `similarities`
    cosines in [-1, 1]. `truncated` where the archive may hold more sentences than each query has
    hits.
    """

    queries: NDArray[np.intp]
    articles: NDArray[np.int64]
    similarities: NDArray[np.float32]
    n_queries: int
    truncated: bool


def background(hits: Hits) -> NDArray[np.float32]:
    """Return the usual similarity of each query: that of its last hit; shape (n_queries,).

    An archive too small to tell gets a fixed one.
    """
    last = np.full(hits.n_queries, 1.0, np.float32)
    np.minimum.at(last, hits.queries, hits.similarities)
    return last if hits.truncated else np.full_like(last, _DEFAULT_BACKGROUND)


def rank_articles(hits: Hits, *, top: int) -> NDArray[np.int64]:
    """Return the numbers of the `top` articles, best first; equals by their number."""
    if not len(hits.queries):
        return np.zeros(0, np.int64)
    articles, column = np.unique(hits.articles, return_inverse=True)
    # A query counts once for an article, with its best hit.
    pairs = hits.queries * len(articles) + column
    order = np.lexsort((-hits.similarities, pairs))
    _, first = np.unique(pairs[order], return_index=True)
    best = order[first]
    # The base weight decides where more articles than there are hits hold every sentence, as with
    # a story that many papers print.
    gains = hits.similarities[best] * (1.0 + _BASE_WEIGHT) - background(hits)[hits.queries[best]]
    scores = np.bincount(column[best], weights=np.maximum(gains, 0.0), minlength=len(articles))
    return articles[np.lexsort((articles, -scores))[:top]]


def max_similarities(
    queries: NDArray[np.float32], articles: Mapping[int, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return the cosine of each query to the nearest sentence of each article.

    Queries and sentences are unit rows of d columns. The result has shape (n_queries, n_articles)
    and values in [-1, 1].
    """
    columns = [(queries @ vectors.T).max(axis=1) for vectors in articles.values()]
    return np.stack(columns, axis=1) if columns else np.zeros((len(queries), 0), np.float32)


def explained_shares(
    similarities: NDArray[np.float32], usual: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return how much of a suspect each article explains, in [0, 1]; shape (n_articles,).

    1 means that the article holds every query word for word. `similarities` are those of
    `max_similarities`, `usual` those of `background`, of which at most `MIN_SIMILARITY` is used,
    since what many articles hold, this one holds too.
    """
    if not len(similarities):
        return np.zeros(similarities.shape[1])
    floors = np.minimum(usual, np.float32(MIN_SIMILARITY))[:, None]
    gains = np.clip((similarities - floors) / (1.0 - floors), 0.0, 1.0)
    return np.asarray(gains.mean(axis=0), np.float64)


def assign_sentences(
    similarities: NDArray[np.float32], ranked: Sequence[int]
) -> dict[int, tuple[int, ...]]:
    """Assign each sentence of a suspect to at most one article that explains it.

    `similarities` has shape (n_sentences, n_articles), `ranked` its columns, best first: of equals
    the first is taken. The result maps a column to its sentences, the one with the most first.

    Greedy: the article that explains most of what is left is taken, while it explains at least
    two sentences (or all there are), none of which another article explains clearly better.
    """
    assigned: dict[int, tuple[int, ...]] = {}
    if not similarities.size:
        return assigned
    best = similarities.max(axis=1)
    explains = (similarities >= MIN_SIMILARITY) & (similarities >= best[:, None] - _TIE)
    left = best >= MIN_SIMILARITY
    fewest = max(1, min(_MIN_SENTENCES, int(left.sum())))
    while left.any():
        scores = (explains[left][:, ranked] * similarities[left][:, ranked]).sum(axis=0)
        column = ranked[int(scores.argmax())]
        taken = np.flatnonzero(explains[:, column] & left)
        if len(taken) < fewest:
            break
        assigned[column] = tuple(int(i) for i in taken)
        left[taken] = False
    return assigned
