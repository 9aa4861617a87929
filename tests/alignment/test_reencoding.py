from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from support.made_vectors import DIMENSION, Vectors, ranges, run, sentences, translated, unit

from detector.alignment.align import align
from detector.alignment.config import AlignConfig
from detector.alignment.pair import Side
from detector.errors import InputError


class EncodeMerged:
    """Answers with the vectors of true merges and keeps what it was asked."""

    def __init__(
        self, truth: dict[tuple[Side, int, int], Vectors], left: Vectors, right: Vectors
    ) -> None:
        self.truth, self.sides = truth, {"source": left, "copy": right}
        self.asked: list[tuple[Side, range]] = []

    def __call__(self, runs: Sequence[tuple[Side, range]]) -> Vectors:
        assert not self.asked, "encode_merged was called twice"
        self.asked = list(runs)
        return np.array(
            [
                self.truth.get(
                    (side, at.start, at.stop), self.sides[side][at.start : at.stop].mean(axis=0)
                )
                for side, at in runs
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


def test_reencoding_decides_a_uncertain_merge() -> None:
    source, copy, x, y, true = doubtful_pair()
    once = align(source, copy, source_lengths=x, copy_lengths=y)
    encode_merged = EncodeMerged({("source", 20, 22): true}, source, copy)
    twice = align(source, copy, source_lengths=x, copy_lengths=y, encode_merged=encode_merged)
    assert ("source", range(20, 22)) in encode_merged.asked
    assert ((20, 21), (20,)) in ranges(twice)
    bead = next(bead for bead in twice.beads if bead.source == range(20, 22))
    assert bead.similarity == pytest.approx(float(true @ copy[20]), abs=1e-5)
    assert once != twice


@pytest.mark.parametrize("share", [0.0, 0.05, 0.15])
def test_reencoding_keeps_to_its_budget(share: float) -> None:
    rng = np.random.default_rng(0)
    source = sentences(60, 12)
    copy = unit(source[:-1] + source[1:] + 0.1 * rng.normal(size=(59, DIMENSION)))
    encode_merged = EncodeMerged({}, source, copy)
    run(source, copy, encode_merged=encode_merged, config=AlignConfig(reencoding_share=share))
    assert len(encode_merged.asked) <= share * (len(source) + len(copy))
    assert all(2 <= len(at) <= 4 for _, at in encode_merged.asked)


def test_reencoding_is_not_asked_for_by_a_clear_pair() -> None:
    source = sentences(30, 13)
    encode_merged = EncodeMerged({}, source, source)
    run(source, source, encode_merged=encode_merged)
    assert encode_merged.asked == []


def test_reencoding_refuses_vectors_that_do_not_fit() -> None:
    source, copy, x, y, _ = doubtful_pair()
    with pytest.raises(InputError, match="encode_merged gave vectors"):
        align(
            source,
            copy,
            source_lengths=x,
            copy_lengths=y,
            encode_merged=lambda runs: np.zeros((len(runs) + 1, DIMENSION), dtype=np.float32),
        )
