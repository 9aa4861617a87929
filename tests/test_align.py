from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector import align as room
from detector.align import AlignConfig, Side, align
from detector.errors import InputError
from detector.records import Alignment

Vectors = NDArray[np.float32]
DIMENSION = 384


def unit(rows: NDArray[Any]) -> Vectors:
    rows = np.asarray(rows, dtype=np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def sentences(n: int, seed: int, dimension: int = DIMENSION) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(n, dimension)))


def translated(vectors: Vectors, seed: int, noise: float = 0.4) -> Vectors:
    """Vectors at a cosine of about 0.93 to the given ones."""
    rng = np.random.default_rng(seed)
    return unit(vectors + noise * rng.normal(size=vectors.shape) / np.sqrt(vectors.shape[1]))


def ranges(alignment: Alignment) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(tuple(bead.source), tuple(bead.copy)) for bead in alignment.beads]


def run(source: Vectors, copy: Vectors, **options: Any) -> Alignment:
    lengths = {"source_lengths": [80] * len(source), "copy_lengths": [80] * len(copy)}
    return align(source, copy, **{**lengths, **options})


# ---------------------------------------------------------------- the lattice against brute force


def random_beads(n: int, m: int, seed: int) -> room._Beads:
    """Every bead of up to 4 a side, with odds drawn at random."""
    rng = np.random.default_rng(seed)
    every = [
        (a, i, b, j) for a in range(4) for i in range(n - a) for b in range(4) for j in range(m - b)
    ]
    a, i, b, j = (np.array(column, dtype=np.intp) for column in zip(*every, strict=True))
    odds = rng.normal(scale=3.0, size=len(every))
    return room._Beads(
        a, i, b, j, np.zeros(len(every)), odds,
        rng.normal(scale=2.0, size=n), rng.normal(scale=2.0, size=m),
    )  # fmt: skip


Move = tuple[int, int]


def tilings(n: int, m: int, added: bool = False) -> Iterator[list[tuple[Move, Move]]]:
    """Every way to tile n x m, as pairs of corners; no omission right after an addition."""
    if (n, m) == (0, 0):
        yield []
        return
    moves = [(a, b) for a in range(1, min(n, 4) + 1) for b in range(1, min(m, 4) + 1)]
    # Built from the end: an addition may not stand before an omission.
    moves += [(1, 0)] * bool(n) + [(0, 1)] * bool(m and not added)
    for a, b in moves:
        for rest in tilings(n - a, m - b, (a, b) == (1, 0)):
            yield [*rest, ((n - a, m - b), (n, m))]


def odds_of(beads: room._Beads, start: Move, stop: Move) -> float:
    (i, j), (p, q) = start, stop
    if i == p:
        return float(beads.add[j])
    if j == q:
        return float(beads.omit[i])
    here = (beads.a == p - i - 1) & (beads.i == i) & (beads.b == q - j - 1) & (beads.j == j)
    return float(beads.odds[here][0])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10**6))
def test_align_lattice_equals_brute_force(n: int, m: int, seed: int) -> None:
    beads = random_beads(n, m, seed)
    every = list(tilings(n, m))
    totals = np.array([sum(odds_of(beads, *move) for move in tiling) for tiling in every])
    lattice = room._Lattice(beads)

    best = every[int(totals.argmax())]
    assert lattice.best() == [(0, 0), *(stop for _, stop in best)]

    weights = np.exp(totals - totals.max())
    weights /= weights.sum()
    chances = lattice.probabilities()
    omit, add, bead = np.zeros(n), np.zeros(m), np.zeros(len(beads.odds))
    for tiling, weight in zip(every, weights, strict=True):
        for (i, j), (p, q) in tiling:
            if i == p:
                add[j] += weight
            elif j == q:
                omit[i] += weight
            else:
                at = (beads.i == i) & (beads.j == j) & (beads.a == p - i - 1)
                bead[at & (beads.b == q - j - 1)] += weight
    np.testing.assert_allclose(chances.bead, bead, atol=1e-9)
    np.testing.assert_allclose(chances.omit, omit, atol=1e-9)
    np.testing.assert_allclose(chances.add, add, atol=1e-9)


def test_align_brute_force_counts_each_tiling_once() -> None:
    # No two tilings hold the same beads: the order of sentences alone tells nothing apart.
    found = [tuple(tiling) for tiling in tilings(2, 2)]
    assert len(found) == len(set(found))
    beads = {
        tuple(move for move in tiling if move[0][0] < move[1][0] and move[0][1] < move[1][1])
        for tiling in found
    }
    assert len(beads) == len(found)


# ---------------------------------------------------------------- every alignment


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 10**6))
def test_align_tiles_whatever_it_is_given(n: int, m: int, seed: int) -> None:
    alignment = run(sentences(n, seed), sentences(m, seed + 1))  # Alignment proves the tiling
    assert (alignment.n_source, alignment.n_copy) == (n, m)
    for bead in alignment.beads:
        assert max(len(bead.source), len(bead.copy)) <= 4
        if not bead.source or not bead.copy:
            assert len(bead.source) + len(bead.copy) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 10**6))
def test_align_swapped_sides_mirror(n: int, m: int, seed: int) -> None:
    source = sentences(n, seed)
    near = translated(source, seed + 1, noise=0.8)
    copy = np.concatenate([near, sentences(m, seed + 2)])[np.arange(n + m) % 3 != 1]
    lengths = np.random.default_rng(seed).integers(10, 200, size=n + len(copy))
    x, y = lengths[:n].tolist(), lengths[n:].tolist()
    there = align(source, copy, source_lengths=x, copy_lengths=y)
    back = align(copy, source, source_lengths=y, copy_lengths=x)
    assert sorted(ranges(there)) == sorted((b, a) for a, b in ranges(back))


def test_align_is_deterministic_and_leaves_its_input() -> None:
    source, copy = sentences(30, 1), sentences(30, 2)
    before = source.copy(), copy.copy()
    assert run(source, copy) == run(source, copy)
    np.testing.assert_array_equal(before[0], source)
    np.testing.assert_array_equal(before[1], copy)


@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_align_equal_documents_pair_one_to_one(n: int) -> None:
    vectors = sentences(n, n)
    alignment = run(vectors, vectors)
    assert ranges(alignment) == [((i,), (i,)) for i in range(n)]
    assert [bead.similarity for bead in alignment.beads] == pytest.approx([1.0] * n, abs=1e-5)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_align_empty_side_leaves_all_alone(n: int, m: int) -> None:
    alignment = run(sentences(n, 1), sentences(m, 2))
    assert ranges(alignment) == [((i,), ()) for i in range(n)] + [((), (j,)) for j in range(m)]


@pytest.mark.parametrize("m", [1, 5, 60])
def test_align_one_sentence_finds_its_like(m: int) -> None:
    copy = sentences(m, 5)
    at = m // 2
    alignment = run(copy[[at]], copy)
    assert ((0,), (at,)) in ranges(alignment)
    assert len(alignment.aligned) == 1


# ---------------------------------------------------------------- what it finds


def joined(vectors: Vectors, groups: Sequence[Sequence[int]]) -> Vectors:
    return unit(np.array([vectors[list(group)].sum(axis=0) for group in groups]))


@pytest.mark.parametrize(
    "groups",
    [
        [[0], [1], [2, 3], [4], [5]],
        [[0, 1], [2], [3], [4, 5]],
        [[0], [1, 2, 3], [4], [5]],
        [[0], [1], [2], [3], [4], [5]],
    ],
)
@pytest.mark.parametrize("swap", [False, True])
def test_align_finds_joined_sentences(groups: list[list[int]], swap: bool) -> None:
    # Twelve plain sentences on either end show that this pair is close.
    ends, middle = sentences(24, 7), sentences(6, 8)
    source = np.concatenate([ends[:12], middle, ends[12:]])
    copy = np.concatenate(
        [translated(ends[:12], 1), joined(translated(middle, 2), groups), translated(ends[12:], 3)]
    )
    x = [80] * len(source)
    y = [80] * 12 + [80 * len(group) for group in groups] + [80] * 12
    expected = (
        [((i,), (i,)) for i in range(12)]
        + [(tuple(12 + k for k in group), (12 + at,)) for at, group in enumerate(groups)]
        + [((18 + i,), (12 + len(groups) + i,)) for i in range(12)]
    )
    if swap:
        found = align(copy, source, source_lengths=y, copy_lengths=x)
        assert ranges(found) == [(b, a) for a, b in expected]
    else:
        assert ranges(align(source, copy, source_lengths=x, copy_lengths=y)) == expected


def test_align_finds_omissions_and_additions() -> None:
    source = sentences(20, 3)
    kept = [i for i in range(20) if i not in {0, 7, 8, 19}]
    copy = np.concatenate([translated(source[kept[:5]], 1), sentences(2, 9)])
    copy = np.concatenate([copy, translated(source[kept[5:]], 2)])
    found = ranges(run(source, copy))
    assert [a for a, b in found if not b] == [(0,), (7,), (8,), (19,)]
    assert [b for a, b in found if not a] == [(5,), (6,)]


def test_align_moved_passage_is_omission_and_addition() -> None:
    source = sentences(30, 4)
    moved = [*range(3, 30), 0, 1, 2]
    found = ranges(run(source, translated(source[moved], 1)))
    assert [a for a, b in found if not b] == [(0,), (1,), (2,)]
    assert [b for a, b in found if not a] == [(27,), (28,), (29,)]


@pytest.mark.parametrize(("n", "m"), [(12, 12), (40, 60), (100, 30)])
def test_align_unrelated_texts_come_apart(n: int, m: int) -> None:
    # Cosines about 0.2 with no order in them and lengths that differ, as two articles have.
    rng = np.random.default_rng(n)
    common = rng.normal(size=(1, 384))
    source, copy = (unit(common + 2.0 * rng.normal(size=(size, 384))) for size in (n, m))
    x, y = (rng.integers(20, 250, size=size).tolist() for size in (n, m))
    found = align(source, copy, source_lengths=x, copy_lengths=y)
    aligned = sum(len(bead.source) + len(bead.copy) for bead in found.aligned)
    assert aligned <= 0.2 * (n + m)


def test_align_faithful_copy_keeps_a_pair_translated_beyond_recognition() -> None:
    source = sentences(40, 5)
    copy = translated(source, 1, noise=0.2)
    copy[17] = sentences(1, 99)[0]
    assert ranges(run(source, copy)) == [((i,), (i,)) for i in range(40)]


def test_align_same_pair_comes_apart_in_a_loose_copy() -> None:
    source = sentences(40, 5)
    copy = translated(source, 1, noise=0.2)
    copy[[2, 5, 9, 13, 17, 21, 26, 30, 33, 37]] = sentences(10, 99)
    found = ranges(run(source, copy))
    assert ((17,), ()) in found
    assert ((), (17,)) in found


# ---------------------------------------------------------------- the second look


class Rejoin:
    """Answers with the vectors of true joins and keeps what it was asked."""

    def __init__(
        self, truth: dict[tuple[Side, int, int], Vectors], left: Vectors, right: Vectors
    ) -> None:
        self.truth, self.sides = truth, {"source": left, "copy": right}
        self.asked: list[tuple[Side, range]] = []

    def __call__(self, joins: Sequence[tuple[Side, range]]) -> Vectors:
        assert not self.asked, "rejoin was called twice"
        self.asked = list(joins)
        return np.array(
            [
                self.truth.get(
                    (side, at.start, at.stop), self.sides[side][at.start : at.stop].mean(axis=0)
                )
                for side, at in joins
            ],
            dtype=np.float32,
        )


def doubtful_pair() -> tuple[Vectors, Vectors, list[int], list[int], Vectors]:
    """Source sentences 20 and 21 became copy sentence 20, of whose vector 21 holds little."""
    source = sentences(40, 11)
    copy = translated(np.delete(source, 21, axis=0), 1)
    true = unit(source[[20]] + 0.25 * source[[21]] + 0.9 * sentences(1, 77))[0]
    copy[20] = translated(true[None], 3)[0]
    x, y = [80] * 40, [80] * 39
    x[21], y[20] = 40, 110
    return source, copy, x, y, true


def test_align_second_look_decides_a_doubtful_join() -> None:
    source, copy, x, y, true = doubtful_pair()
    once = align(source, copy, source_lengths=x, copy_lengths=y)
    rejoin = Rejoin({("source", 20, 22): true}, source, copy)
    twice = align(source, copy, source_lengths=x, copy_lengths=y, rejoin=rejoin)
    assert ("source", range(20, 22)) in rejoin.asked
    assert ((20, 21), (20,)) in ranges(twice)
    bead = next(bead for bead in twice.beads if bead.source == range(20, 22))
    assert bead.similarity == pytest.approx(float(true @ copy[20]), abs=1e-5)
    assert once != twice


@pytest.mark.parametrize("share", [0.0, 0.05, 0.15])
def test_align_second_look_keeps_to_its_budget(share: float) -> None:
    rng = np.random.default_rng(0)
    source = sentences(60, 12)
    copy = unit(source[:-1] + source[1:] + 0.1 * rng.normal(size=(59, DIMENSION)))
    rejoin = Rejoin({}, source, copy)
    run(source, copy, rejoin=rejoin, config=AlignConfig(second_look=share))
    assert len(rejoin.asked) <= share * (len(source) + len(copy))
    assert all(2 <= len(at) <= 4 for _, at in rejoin.asked)


def test_align_clear_pair_asks_for_no_second_look() -> None:
    source = sentences(30, 13)
    rejoin = Rejoin({}, source, source)
    run(source, source, rejoin=rejoin)
    assert rejoin.asked == []


# ---------------------------------------------------------------- long documents

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


@pytest.mark.parametrize("edits", [0.0, 0.05, 0.15])
@pytest.mark.parametrize("seed", [1, 2])
def test_align_windows_equal_the_whole_search(edits: float, seed: int) -> None:
    pair = long_pair(400, seed, edits)
    windows, whole = align(**pair, config=WINDOWS), align(**pair, config=WHOLE)
    differ = set(windows.aligned) ^ set(whole.aligned)
    # A dropped sentence beside a foreign one can be a toss-up; nothing that rests on its vectors
    # may depend on the windows.
    assert all(bead.similarity is not None and bead.similarity < 0.2 for bead in differ)
    assert len(differ) <= 0.01 * len(whole.beads)


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
def test_align_windows_equal_the_whole_search_across_huge_insertions(
    insertions: list[tuple[str, int, int]],
) -> None:
    pair = long_pair(300, 3, 0.05)
    for number, (side, at, count) in enumerate(insertions):
        pair = inserted(pair, side, at, count, 50 + number)
    windows, whole = align(**pair, config=WINDOWS), align(**pair, config=WHOLE)
    assert windows == whole
    assert sum(len(bead.source) for bead in whole.aligned) >= 260


def test_align_wrong_cut_widens_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    # Cuts that no good tiling passes: the windows beside them cannot agree, and become one.
    pair = long_pair(200, 4, 0.05)
    whole = align(**pair, config=WHOLE)
    monkeypatch.setattr(room, "_cuts", lambda *_: iter([(60, 150), (120, 170)]))
    decoded: list[room._Box] = []
    decode = room._decode
    monkeypatch.setattr(
        room, "_decode", lambda *given: (decoded.append(given[1]), decode(*given))[1]
    )
    assert align(**pair, config=replace(WINDOWS, window=40)) == whole
    assert [box.cells for box in decoded] == [len(pair["source"]) * len(pair["copy"])]


def test_align_repeated_passages_are_kept_in_order() -> None:
    # The same 60 sentences three times over: no sentence is anybody's clear best match.
    verse = sentences(60, 6)
    source = np.concatenate([verse] * 3)
    copy = translated(source, 1)
    assert ranges(run(source, copy, config=WINDOWS)) == [((i,), (i,)) for i in range(180)]


def test_align_unrelated_long_texts_come_apart() -> None:
    source, copy = sentences(700, 1), sentences(600, 2)
    assert len(run(source, copy).aligned) <= 0.1 * 600


def test_align_long_documents_cost_in_proportion() -> None:
    # Counted in sentence pairs weighed, which do not depend on the machine.
    cells = []
    for n in (1000, 2000):
        source = sentences(n, n)
        config = AlignConfig()
        left = room._Text.of("source", source, [80] * n, config)
        right = room._Text.of("copy", translated(source, 1), [80] * n, config)
        windows = room._windows(room._Pair(left, right, room._Manner(), config))
        cells.append(sum(box.cells for box in windows))
    assert cells[1] <= 2.5 * cells[0]
    assert cells[1] <= 0.2 * 2000 * 2000


# ---------------------------------------------------------------- what it refuses


def test_align_refuses_lengths_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="source: vectors of shape"):
        run(sentences(3, 1), sentences(3, 2), source_lengths=[80] * 2)


def test_align_refuses_other_dimensions() -> None:
    with pytest.raises(InputError, match="384 columns, copy vectors 12"):
        run(sentences(3, 1), sentences(3, 2, 12))


def test_align_refuses_vectors_that_are_no_numbers() -> None:
    copy = sentences(3, 2)
    copy[1, 0] = np.nan
    with pytest.raises(InputError, match="copy: vectors must be finite"):
        run(sentences(3, 1), copy)


def test_align_refuses_rejoined_vectors_that_do_not_fit() -> None:
    source, copy, x, y, _ = doubtful_pair()
    with pytest.raises(InputError, match="rejoin gave vectors"):
        align(
            source,
            copy,
            source_lengths=x,
            copy_lengths=y,
            rejoin=lambda joins: np.zeros((len(joins) + 1, DIMENSION), dtype=np.float32),
        )


@pytest.mark.parametrize("options", [{"second_look": 1.5}, {"window": 3}, {"overlap": 0}])
def test_align_config_refuses_what_makes_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        AlignConfig(**options)
