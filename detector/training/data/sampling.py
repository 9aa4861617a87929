"""Draw pairs of each corpus by quotas, and weigh them.

Corpora differ in size a hundredfold and in what they call drift; quotas and weights keep one from
dominating.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from detector.training.contrasts.contrasts import contrasts
from detector.training.contrasts.edits import pools
from detector.training.data.corpus import EVALUATION_ONLY, Pair, draw, only_evaluates

_QUOTAS = {
    "mqm_news": (1800, 3000),
    "mqm_ted": (2400, 1000),
    "biomqm": (3500, 3000),
    "mlqe": (3000, 3500),
    "flores": (5000, 4000),
    "wmt": (5000, 5000),
}
_GRADED = {"mqm_news": 1500, "mqm_ted": 800, "biomqm": 1500, "mlqe": 1500}
_SHARES = {
    "wmt": 3.0,
    "flores": 2.0,
    "contrast": 3.0,
    "mlqe": 1.0,
    "mqm_news": 0.7,
    "mqm_ted": 0.7,
    "biomqm": 0.7,
    "identical": 0.5,
    **dict.fromkeys(EVALUATION_ONLY, 0.0),
}
_BASES = {"trips": 10, "mqm": 2, "mlqe": 2, "same": 2}  # sixteenths of the bases
MARKED = ("mqm_news", "mqm_ted", "biomqm")
"""Corpora with error spans marked by experts."""

_NAME_BASES = ("wmt", "flores", "mlqe", "mqm_news", "mqm_ted")
_GOOD = 85  # least direct assessment of a post-edited base


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How many pairs of each corpus, and how much they weigh.

    Attributes
    ----------
    quotas : mapping of str to (int, int)
        Most sound and most drifted pairs of each corpus.
    graded : mapping of str to int
        Most unlabelled pairs of each corpus with error points or an assessment, for severity.
    bases : int
        Sound pairs that minimal pairs are made of: up to two damaged and one harmless each.
    name_bases : int
        Bases of minimal pairs about names, and most pairs with marked names.
    identical : int
        Copies equal to their source.
    watch : int
        Unlabelled round trips of each kind, to measure how many are flagged.
    shares : mapping of str to float
        Weight of each corpus within a label; only ratios matter.
    prior : float
        Share of drift in (0, 1) that probabilities are calibrated to. About 31 of 100 sentences
        of published round-trip copies changed meaning.
    limit : int or None
        Scales every quota down to about so many pairs.
    seed : int
    """

    quotas: Mapping[str, tuple[int, int]] = field(default_factory=lambda: _QUOTAS)
    graded: Mapping[str, int] = field(default_factory=lambda: _GRADED)
    bases: int = 6000
    name_bases: int = 3000
    identical: int = 1200
    watch: int = 1300
    shares: Mapping[str, float] = field(default_factory=lambda: _SHARES)
    prior: float = 0.3
    limit: int | None = None
    seed: int = 0

    def scaled(self) -> Mix:
        """Return the mix with its quotas scaled to `limit`."""
        total = sum(map(sum, self.quotas.values())) + 4 * self.bases + self.identical
        total += 3 * self.watch + sum(self.graded.values())
        if self.limit is None or self.limit >= total:
            return self

        def cut(n: int) -> int:
            return max(1, n * (self.limit or 0) // total)

        return replace(
            self,
            quotas={name: (cut(a), cut(b)) for name, (a, b) in self.quotas.items()},
            graded={name: cut(n) for name, n in self.graded.items()},
            bases=cut(self.bases),
            name_bases=cut(self.name_bases),
            identical=cut(self.identical),
            watch=cut(self.watch),
            limit=None,
        )


def select(corpora: Mapping[str, Sequence[Pair]], mix: Mix) -> list[Pair]:
    """Draw the pairs of a mix, minimal pairs and identical copies included.

    `corpus.split` parts them into those to fit on and those held apart.
    """
    mix = mix.scaled()
    chosen: list[Pair] = []
    for name, quotas in mix.quotas.items():
        for label, quota in zip((False, True), quotas, strict=True):
            candidates = [pair for pair in corpora.get(name, ()) if pair.label is label]
            chosen += draw(candidates, quota, seed=mix.seed)
    for name, quota in mix.graded.items():
        candidates = [p for p in corpora.get(name, ()) if p.label is None and p.graded]
        chosen += draw(candidates, quota, seed=mix.seed)
    watched = corpora.get("watch", ())
    for kind in sorted({pair.kind for pair in watched}):
        chosen += draw([p for p in watched if p.kind == kind], mix.watch, seed=mix.seed)
    return chosen + _made(corpora, mix)


def name_pairs(pairs: Sequence[Pair], mix: Mix) -> list[Pair]:
    """Draw the pairs that calibrate the rules about names.

    They are sound pairs to fit on, minimal pairs about names made of them, and marked pairs.
    """
    n = mix.scaled().name_bases
    sound = [p for p in pairs if p.label is False and not p.twin and p.corpus in _NAME_BASES]
    bases = draw(sound, n, seed=mix.seed + 5)
    pool = pools(pair.source for pair in sound)
    made = contrasts(bases, pool, only=lambda kind: "name" in kind, seed=mix.seed + 5)
    marked = [p for p in pairs if p.corpus in MARKED and p.label is not None]
    return [*made, *draw(marked, n, seed=mix.seed + 5)]


def _made(corpora: Mapping[str, Sequence[Pair]], mix: Mix) -> list[Pair]:
    """Make identical copies, and minimal pairs out of sound ones."""
    good = good_pairs(corpora)
    bases = draw_bases(good, mix.bases, seed=mix.seed)
    pool = pools(p.source for p in good["trips"] if not only_evaluates(p))
    return [
        *contrasts(bases, pool, seed=mix.seed),
        *draw(good["same"], mix.identical, seed=mix.seed),
    ]


def draw_bases(good: Mapping[str, Sequence[Pair]], n: int, *, seed: int) -> list[Pair]:
    """Draw about `n` of the pairs of `good_pairs`, in fixed shares."""
    return [
        pair
        for at, (name, share) in enumerate(_BASES.items(), start=1)
        for pair in draw(good[name], n * share // 16, seed=seed + at)
    ]


def good_pairs(corpora: Mapping[str, Sequence[Pair]]) -> dict[str, list[Pair]]:
    """List the sound pairs that minimal pairs can be made of.

    Returns
    -------
    dict of str to list of Pair
        `trips` round trips, `mqm` and `mlqe` without an error, and `same` unchanged sentences:
        without these, damage would always come together with other wording.
    """
    good = {
        "trips": [p for name in ("wmt", "flores") for p in corpora.get(name, ()) if _sound(p)],
        "mqm": [
            p
            for name in ("mqm_news", "mqm_ted", "biomqm")
            for p in corpora.get(name, ())
            if _sound(p) and p.points == 0
        ],
        "mlqe": [
            p
            for p in corpora.get("mlqe", ())
            if p.label is not True and (p.quality or 0) >= _GOOD and p.copy != p.source
        ],
    }
    good["same"] = [
        replace(p, copy=p.source, corpus="identical", kind="identical", points=None)
        for p in good["trips"]
    ]
    return good


def _sound(pair: Pair) -> bool:
    return pair.label is False and pair.copy != pair.source


def weights(pairs: Sequence[Pair], mix: Mix) -> NDArray[np.float64]:
    """Weigh labelled pairs so that drift makes up `prior` and corpora keep their shares.

    Returns
    -------
    ndarray of shape (n_pairs,), float64
        Mean 1. A corpus that lacks a label leaves its share of it to the others.
    """
    corpus = np.array([pair.corpus for pair in pairs])
    label = np.array([bool(pair.label) for pair in pairs])
    weight = np.zeros(len(pairs))
    for drifted, mass in ((True, mix.prior), (False, 1.0 - mix.prior)):
        labelled = label == drifted
        names = sorted(set(corpus[labelled].tolist()))
        shares = {name: mix.shares.get(name, 1.0) for name in names}
        if not any(shares.values()):  # nothing but corpora that only evaluate
            shares = dict.fromkeys(names, 1.0)
        for name, share in shares.items():
            rows = labelled & (corpus == name)
            weight[rows] = mass * share / sum(shares.values()) / rows.sum()
    return weight * len(pairs)
