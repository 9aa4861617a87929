from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.made_vectors import Vectors, ranges, run, sentences, translated, unit

from detector.alignment import candidates as passes
from detector.alignment import lattice as windows
from detector.alignment.align import align
from detector.alignment.config import AlignConfig
from detector.alignment.lattice import Window
from detector.alignment.pair import MergedSentences, Pair, PairPriors

WHOLE = AlignConfig(exact_cells=10**9)
WINDOWS = AlignConfig(exact_cells=1)


def long_pair(n: int, seed: int, edits: float) -> dict[str, Any]:
    """A document and its copy, with sentences dropped, joined and put in at random."""
    rng = np.random.default_rng(seed)
    source, x = sentences(n, seed), rng.integers(30, 200, size=n).tolist()
    near = translated(source, seed + 1)
    foreign = iter(sentences(n, seed + 2))
    copy: list[Vectors] = []
    y: list[int] = []
    i = 0
    while i < n:
        fate = rng.random()
        size = 2 if edits <= fate < 2 * edits and i + 1 < n else 1
        if fate >= edits:
            copy.append(near[i : i + size].sum(axis=0))
            y.append(sum(x[i : i + size]))
        i += size
        if rng.random() < edits:
            copy.append(next(foreign))
            y.append(int(rng.integers(30, 200)))
    sides = {"source": source, "copy": unit(np.array(copy))}
    return {**sides, "source_lengths": x, "copy_lengths": y}


def inserted(pair: dict[str, Any], side: str, at: int, count: int, seed: int) -> dict[str, Any]:
    """The same pair with foreign sentences put into one side."""
    vectors, lengths = pair[side], pair[f"{side}_lengths"]
    more = np.random.default_rng(seed).integers(30, 200, size=count).tolist()
    return {
        **pair,
        side: np.concatenate([vectors[:at], sentences(count, seed), vectors[at:]]),
        f"{side}_lengths": [*lengths[:at], *more, *lengths[at:]],
    }


@pytest.mark.slow
@pytest.mark.parametrize("edits", [0.0, 0.05, 0.15])
@pytest.mark.parametrize("seed", [1, 2])
def test_windows_equal_the_whole_search(edits: float, seed: int) -> None:
    pair = long_pair(400, seed, edits)
    cut_up, whole = align(**pair, config=WINDOWS), align(**pair, config=WHOLE)
    differ = set(cut_up.aligned) ^ set(whole.aligned)
    # A dropped sentence beside a foreign one can be a toss-up; nothing that rests on its vectors
    # may depend on the windows.
    assert all(bead.similarity is not None and bead.similarity < 0.2 for bead in differ)
    assert len(differ) <= 0.01 * len(whole.beads)


@pytest.mark.slow
@pytest.mark.parametrize(
    "insertions",
    [
        [("copy", 0, 400)],
        [("copy", 120, 500)],
        [("copy", 0, 300), ("source", 200, 250)],
        [("source", 299, 600)],
        [("source", 100, 300), ("copy", 100, 300)],
    ],
)
def test_windows_equal_the_whole_search_across_huge_insertions(
    insertions: list[tuple[str, int, int]],
) -> None:
    pair = long_pair(300, 3, 0.05)
    for number, (side, at, count) in enumerate(insertions):
        pair = inserted(pair, side, at, count, 50 + number)
    cut_up, whole = align(**pair, config=WINDOWS), align(**pair, config=WHOLE)
    assert cut_up == whole
    assert sum(len(bead.source) for bead in whole.aligned) >= 260


def test_windows_wrong_cut_widens_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    # Cuts that no good tiling passes: the windows beside them cannot agree, and become one.
    pair = long_pair(200, 4, 0.05)
    whole = align(**pair, config=WHOLE)
    monkeypatch.setattr(windows, "_cuts", lambda *_: iter([(60, 150), (120, 170)]))
    searched: list[Window] = []
    decode_window = passes._decode_window
    monkeypatch.setattr(
        passes,
        "_decode_window",
        lambda *given: (searched.append(given[1]), decode_window(*given))[1],
    )
    assert align(**pair, config=replace(WINDOWS, window=40)) == whole
    assert [window.cells for window in searched] == [len(pair["source"]) * len(pair["copy"])]


def test_windows_repeated_passages_are_kept_in_order() -> None:
    # The same 60 sentences three times over: no sentence is anybody's clear best match.
    verse = sentences(60, 6)
    source = np.concatenate([verse] * 3)
    copy = translated(source, 1)
    assert ranges(run(source, copy, config=WINDOWS)) == [((i,), (i,)) for i in range(180)]


@pytest.mark.slow
def test_windows_unrelated_long_texts_come_apart() -> None:
    source, copy = sentences(700, 1), sentences(600, 2)
    assert len(run(source, copy).aligned) <= 0.1 * 600


def test_windows_long_documents_cost_in_proportion() -> None:
    # Counted in sentence pairs weighed, which do not depend on the machine.
    cells = []
    for n in (1000, 2000):
        source = sentences(n, n)
        config = AlignConfig()
        left = MergedSentences.of("source", source, [80] * n, config.weight_power)
        right = MergedSentences.of("copy", translated(source, 1), [80] * n, config.weight_power)
        found = windows.cut(Pair(left, right, PairPriors(), config))
        cells.append(sum(window.cells for window in found))
    assert cells[1] <= 2.5 * cells[0]
    assert cells[1] <= 0.2 * 2000 * 2000
