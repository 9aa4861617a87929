"""Configure the aligner: weights of evidence and limits of the search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Curve = tuple[tuple[float, float], ...]
"""Knots (value, log-odds) of a piecewise linear function, flat beyond its ends."""

MAX_MERGED = 4  # sentences a bead may hold on one side


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignConfig:
    """Weights of a conditional random field over alignments, and limits of its search.

    The weights were fitted to stress documents made by `benchmarks/stress.py`
    (`benchmarks/README.md`). A bead's log-odds is the sum of its shape, similarity, support,
    completeness and length; an unaligned sentence has log-odds by its best cosine.

    Attributes
    ----------
    shape : tuple of tuple of float
        Log-odds of an n-m bead by its larger and its smaller side, from 1: `shape[2][1]` is 3-2.
    single, merged, reencoded : Curve
        Of the cosine, shifted by the pair's mean: 1-1 beads; beads with merged sentences whose
        vector is a weighted sum; beads whose merged sentences were encoded as one text.
    support, reencoded_support : Curve
        Of the least that the first or last of merged sentences adds: the cosine of the other side
        with what the sentence says beyond the rest.
    complete : Curve
        Of the most that a neighbour outside the bead would add, in the same measure.
    length : Curve
        Of the distance of both sides' log lengths, in the pair's standard deviations times 0.15.
    alone : Curve
        Of the best cosine of an unaligned sentence with the other side.
    alone_rate : float
        Added to `alone` per nat by which this pair leaves more sentences unaligned than most.
    single_rate, merged_rate : float
        Added to 1-1 beads and to merged ones per nat by which this pair merges more than most.
    faint_rate : float
        Added to 1-1 beads for each unit of cosine under 0.6, per nat of `alone_rate`.
    weight_power : float
        The vector of merged sentences weighs each one's length to this power.
    merged_floor : float
        Least cosine, shifted as above, of a bead with merged sentences.
    reencoding_share : float
        Most merged sentences encoded as one text, per sentence of both documents, in [0, 1].
    min_variance : float
        Variance, in (0, 0.25], of a merge's being right from which it is encoded as one text.
    bead_price, bead_worth : float
        Decoding maximises the sum of `bead_worth` times a bead's probability and of the probability
        of an unaligned sentence, each less `bead_price`: the slopes of the strict F1 around 0.9.
    min_bead_probability : float
        No bead under this probability is returned; its sentences stay unaligned.
    min_corner_probability : float
        Corners of the lattice under this probability in the first pass are dropped later.
    exact_cells : int
        Up to this many sentence pairs the whole lattice is searched.
    window, overlap : int
        Beyond that, sentences that a window holds and shares with the next, about.
    """

    # fmt: off
    shape: tuple[tuple[float, ...], ...] = (
        (1.1,),
        (0.8, -1.6),
        (-1.9, -4.1, -5.7),
        (-11.6, -6.7, -8, -14.6),
    )
    single: Curve = (
        (0, -8.78), (0.2, -6.78), (0.35, -3.86), (0.5, -2.95), (0.6, -1.02), (0.7, -0.74),
        (0.8, 0.66), (0.9, 1.36), (1, 4.67),
    )
    merged: Curve = (
        (0.35, -10.02), (0.5, -5.24), (0.6, -5.07), (0.7, -3.34), (0.8, -1.49), (0.9, 0.58),
        (1, 4.14),
    )
    reencoded: Curve = (
        (0.35, -10.38), (0.5, -5.25), (0.6, -4.55), (0.7, -3.09), (0.8, -1.6), (0.9, 0.17),
        (1, 3.61),
    )
    support: Curve = (
        (-0.05, -3.77), (0.05, -2.24), (0.1, -1.2), (0.15, -0.45), (0.2, -0.29), (0.3, -0.39),
        (0.45, -1.49),
    )
    reencoded_support: Curve = (
        (-0.05, -2.57), (0.05, -2.02), (0.1, -0.76), (0.15, -0.62), (0.2, -0.56), (0.3, -0.8),
        (0.45, -2.14),
    )
    complete: Curve = (
        (-0.05, 2.58), (0.05, 1.05), (0.12, 0.54), (0.2, 0.31), (0.3, -1.01), (0.4, -1.62),
    )
    length: Curve = (
        (0, 2.01), (0.1, 0.4), (0.2, -0.3), (0.3, -0.55), (0.5, -0.89), (0.8, -1.3),
        (1.4, -2.66),
    )
    alone: Curve = (
        (0, 0.93), (0.2, -1.89), (0.4, -2.48), (0.5, -2.39), (0.6, -2.31), (0.7, -2.31),
        (0.8, -2.5), (0.9, -2.42),
    )
    alone_rate: float = 1.29
    single_rate: float = -0.66
    merged_rate: float = -0.07
    faint_rate: float = -2.54
    # fmt: on
    weight_power: float = 0.6
    merged_floor: float = 0.35
    reencoding_share: float = 0.15
    min_variance: float = 0.05
    bead_price: float = 1.0
    bead_worth: float = 2.0
    min_bead_probability: float = 0.1
    min_corner_probability: float = 1e-6
    exact_cells: int = 160_000
    window: int = 96
    overlap: int = 16

    def __post_init__(self) -> None:
        if not 0.0 <= self.reencoding_share <= 1.0:
            msg = f"reencoding_share is {self.reencoding_share}; give a share in [0, 1]"
            raise InputError(msg)
        fits = self.window >= 2 * MAX_MERGED and 0 < self.overlap <= self.window
        if not fits or self.exact_cells < 1:
            msg = (
                f"window {self.window}, overlap {self.overlap}, exact_cells {self.exact_cells}; "
                f"give a window of {2 * MAX_MERGED} or more, an overlap within it, and a cell"
            )
            raise InputError(msg)
