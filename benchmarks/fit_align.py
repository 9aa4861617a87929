"""Fits the weights of the aligner anew, and prints them beside those in the code.

    python benchmarks/fit_align.py --shared DIR [--documents 4] [--rounds 2] [--seed 0]

The fitted weights are the curves, shapes and prices of `AlignConfig` that make a bead's log-odds;
its floors, budgets, bead prices and windows were chosen by hand and stay. They come about so:

1. `stress.py` makes documents with known beads out of four corpora, at four levels of damage.
2. With the weights so far, each document is looked at as `align` does: a first sum, the pair's
   manner, the doubtful joins encoded as one text. It enters before that second look and after it.
3. The weights are those that make the known beads most probable among all tilings (conditional
   maximum likelihood; Lafferty, McCallum and Pereira, 2001), by L-BFGS, with a weak pull to 0. A
   known bead that no candidate can be (one with a hole in it, or over 4 sentences) leaves its
   sentences free.
4. Steps 2 and 3 are repeated. They start from a rough guess, `rough`, not from the code's weights.

Weights that differ may say the same: a constant can move from one curve to another, and one that is
added for every sentence changes no tiling's lead. The fitted ones are therefore printed as near to
the code's as they come without saying anything else (`nearest`). The script chooses nothing and
writes nothing; both sets of weights are then tried on `align_stress.json`, of whose corpus
nothing is fitted here. The code's own weights were fitted to more documents (`README.md`).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from align import LEVELS, Bead, Document, Encoder, counts, encoded, interval, ours, rates, read
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array
from stress import CORPORA, made_from

from detector.alignment.candidates import (
    FirstPass,
    estimate_priors,
    find_candidates,
    first_passes,
    log_odds,
    uncertain_merges,
)
from detector.alignment.config import AlignConfig
from detector.alignment.lattice import BeadPositions, Lattice, LogOdds, Posteriors
from detector.alignment.pair import MergedSentences, Pair, PairPriors

CURVES = (
    "single",
    "merged",
    "reencoded",
    "support",
    "reencoded_support",
    "complete",
    "length",
    "alone",
)
OFTEN = ("alone_rate", "single_rate", "merged_rate", "faint_rate")
FITTED_ON = ("wmt", "flores", "news", "bio")
PULL = 0.05  # half the square of every weight costs this many nats
_FORBIDDEN = -1e4  # log-odds of what the known beads rule out

Floats = NDArray[np.float64]


# ---------------------------------------------------------------- weights as a vector


def to_vector(config: AlignConfig) -> Floats:
    """Return the fitted weights, in the order of `names`."""
    shape = [value for row in config.shape for value in row]
    curves = [value for name in CURVES for _, value in getattr(config, name)]
    return np.array([*shape, *curves, *(getattr(config, name) for name in OFTEN)])


def with_vector(config: AlignConfig, vector: Floats) -> AlignConfig:
    """Return the settings with other weights."""
    values = iter(vector.tolist())
    shape = tuple(tuple(next(values) for _ in row) for row in config.shape)
    curves = {name: tuple((x, next(values)) for x, _ in getattr(config, name)) for name in CURVES}
    return replace(config, shape=shape, **curves, **{name: next(values) for name in OFTEN})


def names(config: AlignConfig) -> Iterator[str]:
    """Yield a name for each weight."""
    for more, row in enumerate(config.shape, start=1):
        yield from (f"shape {more}-{less}" for less in range(1, len(row) + 1))
    for name in CURVES:
        yield from (f"{name} at {x:g}" for x, _ in getattr(config, name))
    yield from OFTEN


def rough(config: AlignConfig) -> AlignConfig:
    """Return weights to start from: closer is better, and standing alone costs 2."""
    close = {
        name: tuple((x, 10.0 * (x - 0.75)) for x, _ in getattr(config, name))
        for name in ("single", "merged", "reencoded")
    }
    alone = {"alone": tuple((x, -2.0) for x, _ in config.alone)}
    return replace(with_vector(config, 0.0 * to_vector(config)), **close, **alone)


def nearest(config: AlignConfig, other: AlignConfig) -> AlignConfig:
    """Return weights that say what the first ones say, in the numbers nearest to the others."""
    label = np.array(list(names(config)))

    def of(*starts: str) -> Floats:
        return np.any([np.char.startswith(label, start) for start in starts], axis=0).astype(float)

    sentences = [n + m for n in range(1, len(config.shape) + 1) for m in range(1, n + 1)]
    per_sentence = of("alone at")
    per_sentence[: len(sentences)] = sentences
    same = np.array(
        [
            per_sentence,  # every sentence stands in one bead or alone
            of("complete") - of("shape"),
            of("length") - of("shape"),
            of("single at") - of("shape 1-1"),
            of("merged at", "reencoded at") - of("shape") + of("shape 1-1"),
            of("merged at") - of("support"),
            of("reencoded at") - of("reencoded_support"),
        ]
    ).T
    vector = to_vector(config)
    return with_vector(config, vector + same @ np.linalg.lstsq(same, to_vector(other) - vector)[0])


# ---------------------------------------------------------------- what is fitted to


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One document as the aligner saw it: what each weight counts for, and what is known."""

    positions: BeadPositions
    bead: csr_array  # (beads, weights)
    omit: csr_array  # (n, weights)
    add: csr_array  # (m, weights)
    known: NDArray[np.bool_]  # beads that agree with the known ones
    may_omit: NDArray[np.bool_]  # (n,) sentences that may stand alone beside the known beads
    may_add: NDArray[np.bool_]  # (m,)


def views(document: Document, encoder: Encoder, config: AlignConfig) -> Iterator[View]:
    """Yield a document before the second look and, where joins are in doubt, after it."""
    x, y = document.lengths
    source = MergedSentences.of("source", document.x, x, config.weight_power)
    copy = MergedSentences.of("copy", document.y, y, config.weight_power)
    pair = Pair(source, copy, PairPriors(), replace(config, exact_cells=source.n * copy.n))
    passes = first_passes(pair)
    pair = replace(pair, priors=estimate_priors(pair, passes))
    yield view(pair, passes[0], document.gold)
    joins = uncertain_merges(pair, passes)
    if joins:
        sides = {"source": document.source, "copy": document.copy}
        texts = [" ".join(sides[side][at.start : at.stop]) for side, at in joins]
        vectors = encoder.encode(texts)
        source, copy = (side.with_encoded(joins, vectors) for side in (source, copy))
        yield view(replace(pair, source=source, copy=copy), passes[0], document.gold)


def view(pair: Pair, first: FirstPass, gold: Sequence[Bead]) -> View:
    """Measure what each weight counts for; log-odds are linear in all of them."""
    reachable = first.reachable.copy()
    whole = [(a, b) for a, b in gold if a and b and _is_range(a) and _is_range(b)]
    for a, b in whole:
        reachable[a[0], b[0]] = reachable[a[-1] + 1, b[-1] + 1] = True
    found = find_candidates(pair, first.window, reachable)
    each = [
        log_odds(found, replace(pair, config=with_vector(pair.config, unit)))
        for unit in np.eye(len(to_vector(pair.config)))
    ]
    p = found.positions
    ranges = zip(p.i, p.i + p.a + 1, p.j, p.j + p.b + 1, strict=True)
    place = {tuple(map(int, corners)): at for at, corners in enumerate(ranges)}
    held = [
        (a, b, place[at]) for a, b in whole if (at := (a[0], a[-1] + 1, b[0], b[-1] + 1)) in place
    ]
    lone_i = {a[0] for a, b in gold if not b}
    lone_j = {b[0] for a, b in gold if not a}
    held_i, held_j = ({i for bead in held for i in bead[side]} for side in (0, 1))
    free_i = ~_mask(held_i | lone_i, pair.source.n)
    free_j = ~_mask(held_j | lone_j, pair.copy.n)
    known = np.array(
        [
            free_i[i : i + a + 1].all() and free_j[j : j + b + 1].all()
            for a, i, b, j in zip(p.a, p.i, p.b, p.j, strict=True)
        ],
        dtype=np.bool_,
    )
    known[[at for *_, at in held]] = True
    return View(
        p,
        *(
            csr_array(np.stack([getattr(odds, part) for odds in each], axis=1))
            for part in ("bead", "omit", "add")
        ),
        known,
        ~_mask(held_i, pair.source.n),
        ~_mask(held_j, pair.copy.n),
    )


def _is_range(indices: Sequence[int]) -> bool:
    return indices[-1] - indices[0] == len(indices) - 1


def _mask(indices: set[int], size: int) -> NDArray[np.bool_]:
    mask = np.zeros(size, dtype=np.bool_)
    mask[list(indices)] = True
    return mask


# ---------------------------------------------------------------- the fit


def loss(vector: Floats, these: Sequence[View]) -> tuple[float, Floats]:
    """Return the nats by which the known beads are unlikely, with the pull, and their slope."""
    nats, slope = 0.5 * PULL * float(vector @ vector), PULL * vector
    for one in these:
        odds = LogOdds(one.bead @ vector, one.omit @ vector, one.add @ vector)
        every = Lattice(one.positions, odds).posteriors()
        known = Lattice(
            one.positions.subset(one.known),
            LogOdds(
                odds.bead[one.known],
                np.where(one.may_omit, odds.omit, _FORBIDDEN),
                np.where(one.may_add, odds.add, _FORBIDDEN),
            ),
        ).posteriors()
        nats += every.total - known.total
        slope = (
            slope + _expected(one, every, every.bead) - _expected(one, known, _spread(one, known))
        )
    return nats, slope


def _spread(one: View, known: Posteriors) -> Floats:
    bead = np.zeros(len(one.known))
    bead[one.known] = known.bead
    return bead


def _expected(one: View, posteriors: Posteriors, bead: Floats) -> Floats:
    return one.bead.T @ bead + one.omit.T @ posteriors.omit + one.add.T @ posteriors.add


def fit(documents: Sequence[Document], encoder: Encoder, rounds: int, steps: int) -> AlignConfig:
    """Fit the weights, looking at the documents anew in each round."""
    config = rough(AlignConfig())
    for number in range(1, rounds + 1):
        these = [one for document in documents for one in views(document, encoder, config)]
        before = loss(to_vector(config), these)[0]
        done = minimize(
            loss, to_vector(config), (these,), "L-BFGS-B", jac=True, options={"maxiter": steps}
        )
        config = with_vector(config, done.x)
        print(
            f"round {number}: {len(these)} views, {before:.0f} -> {done.fun:.0f} nats "
            f"in {done.nit} steps",
            flush=True,
        )
    return config


# ---------------------------------------------------------------- what comes of it


def show(fitted: AlignConfig) -> None:
    """Print the fitted weights beside those in the code."""
    code = AlignConfig()
    print(f"\n{'weight':26} {'fitted':>8} {'code':>8}")
    for name, new, old in zip(names(code), to_vector(fitted), to_vector(code), strict=True):
        print(f"{name:26} {new:8.2f} {old:8.2f}")


def compare(fitted: AlignConfig, documents: Sequence[Document], encoder: Encoder) -> None:
    """Print the strict F1 of beads with either weights, per level."""
    print(f"\n{'strict bead F1':16} {'level':7} {'F1':>6} {'95 %':>15}")
    for level in LEVELS:
        here = [document for document in documents if document.level == level]
        for name, config in (("fitted", fitted), ("code", AlignConfig())):
            each = np.array([counts(ours(one, encoder, config), one.gold) for one in here])
            f1 = rates(each.sum(axis=0))["strict F1"]
            spread = interval(each, np.random.default_rng(0))
            print(f"{name:16} {level:7} {f1:6.3f} {spread:>15}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--shared", type=Path, default=os.environ.get("DETECTOR_SHARED"))
    parser.add_argument("--documents", type=int, default=4, help="drawn of each corpus")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=60, help="of L-BFGS in a round, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held", type=Path, help="instead of align_stress.json")
    options = parser.parse_args()
    if options.shared is None:
        parser.error("name the folder of shared data with --shared or DETECTOR_SHARED")
    shared, encoder = Path(options.shared), Encoder()
    made = [
        item
        for corpus in FITTED_ON
        for item in made_from(list(CORPORA[corpus](shared)), options.documents, options.seed)
    ]
    documents = encoded(made, encoder)
    print(f"{len(documents)} documents, {sum(len(d.source) for d in documents)} source sentences")
    fitted = nearest(fit(documents, encoder, options.rounds, options.steps), AlignConfig())
    show(fitted)
    compare(fitted, read(options.held or shared / "data" / "align_stress.json", encoder), encoder)


if __name__ == "__main__":
    main()
