from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.made_vectors import Vectors, ranges, run, sentences, translated, unit

from detector.alignment.align import align
from detector.alignment.config import AlignConfig
from detector.errors import InputError

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


@pytest.mark.slow
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


def merged(vectors: Vectors, groups: Sequence[Sequence[int]]) -> Vectors:
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
        [translated(ends[:12], 1), merged(translated(middle, 2), groups), translated(ends[12:], 3)]
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


@pytest.mark.parametrize("options", [{"reencoding_share": 1.5}, {"window": 3}, {"overlap": 0}])
def test_align_config_refuses_what_makes_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        AlignConfig(**options)
