from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.alignment.align import article_of, put_back
from detector.records import Alignment, Bead


def rows(*directions: int) -> np.ndarray:
    return np.eye(8, dtype=np.float32)[list(directions)]


def test_aside_furniture_of_one_page_is_set_aside() -> None:
    texts = ["The bridge is open.", "Visited 3 times, 1 visit(s) today", "It cost ten million."]
    assert article_of(texts, rows(0, 1, 2), rows(0, 2)) == [0, 2]


def test_aside_furniture_of_both_pages_stays() -> None:
    texts = ["The bridge is open.", "Visited 3 times, 1 visit(s) today"]
    assert article_of(texts, rows(0, 1), rows(0, 1)) == [0, 1]


def test_aside_never_leaves_nothing() -> None:
    assert article_of(["Visited 3 times, 1 visit(s) today"], rows(0), rows(1)) == [0]
    assert article_of(["A sentence."], rows(0), np.zeros((0, 8), np.float32)) == [0]


@given(st.data())
def test_aside_put_back_tiles_the_whole_documents(data: st.DataObject) -> None:
    sizes = data.draw(st.tuples(st.integers(0, 8), st.integers(0, 8)))
    kept = [
        sorted(data.draw(st.sets(st.integers(0, n - 1)) if n else st.just(set()))) for n in sizes
    ]
    n, m = map(len, kept)
    beads, i, j = [], 0, 0
    while i < n or j < m:
        a = data.draw(st.integers(0, min(3, n - i)))
        b = data.draw(st.integers(0 if a else min(1, m - j), min(3, m - j)))
        if not a and not b:
            continue
        similarity = 0.5 if a and b else None
        beads.append(Bead(source=range(i, i + a), copy=range(j, j + b), similarity=similarity))
        i, j = i + a, j + b
    reduced = Alignment(beads=tuple(beads), n_source=n, n_copy=m)
    whole = put_back(reduced, kept[0], kept[1], sizes)  # its own checks prove the tiling
    assert [b.similarity for b in whole.aligned] == [b.similarity for b in reduced.aligned]
    assert len(whole.beads) >= len(reduced.beads)
