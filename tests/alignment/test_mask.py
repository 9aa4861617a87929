from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.alignment.align import mask_boilerplate, unmask
from detector.records import Alignment, Bead, Sentence
from detector.text.sentences import make_sentence


def rows(*directions: int) -> np.ndarray:
    return np.eye(8, dtype=np.float32)[list(directions)]


def sentences(*texts: str) -> list[Sentence]:
    return [make_sentence(0, text, 0) for text in texts]


def test_mask_hides_boilerplate_of_one_page() -> None:
    texts = ["The bridge is open.", "Visited 3 times, 1 visit(s) today", "It cost ten million."]
    assert mask_boilerplate(sentences(*texts), rows(0, 1, 2), rows(0, 2)) == [0, 2]


def test_mask_keeps_boilerplate_of_both_pages() -> None:
    texts = ["The bridge is open.", "Visited 3 times, 1 visit(s) today"]
    assert mask_boilerplate(sentences(*texts), rows(0, 1), rows(0, 1)) == [0, 1]


def test_mask_never_leaves_nothing() -> None:
    assert mask_boilerplate(sentences("Visited 3 times, 1 visit(s) today"), rows(0), rows(1)) == [0]
    assert mask_boilerplate(sentences("A sentence."), rows(0), np.zeros((0, 8), np.float32)) == [0]


@given(st.data())
def test_unmask_tiles_the_whole_documents(data: st.DataObject) -> None:
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
    whole = unmask(reduced, kept[0], kept[1], sizes)  # its own checks prove the tiling
    assert [b.similarity for b in whole.aligned] == [b.similarity for b in reduced.aligned]
    assert len(whole.beads) >= len(reduced.beads)
