"""Damaged copies beside their sound twins: is the damaged one worse, is a change of look nothing.

Twins differ in one known thing, so what is measured here is what a score sees of that thing. Pure;
the names of kinds are DEMETR's or those of `contrasts`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.learn.corpus import Pair
from detector.learn.metrics import Estimate, Floats, Resamples, mean

STEADY = 0.02
"""Most that the probability may move when only the look of a copy changes."""

_SOUND_KINDS = ("base", "sound")  # of the twin that the damaged ones are compared with
_TIERS = ("critical", "major")  # heads of DEMETR's kinds
_LOOKS = ("_full_lower", "_first_lower", "_tokenized", "_final_punc_removed")
_FINDERS = {"names": re.compile(r"_ne_|names? "), "figures": re.compile("number")}

Twins = dict[tuple[str, str], tuple[NDArray[np.intp], NDArray[np.intp]]]
"""By corpus and kind: rows of the changed copies, and of their sound twins."""


def twins(pairs: Sequence[Pair]) -> Twins:
    """Find the changed copies whose sound twin is there too."""
    sound = {p.twin: i for i, p in enumerate(pairs) if p.twin and p.kind in _SOUND_KINDS}
    rows: dict[tuple[str, str], list[int]] = {}
    for i, pair in enumerate(pairs):
        if pair.twin in sound and pair.kind not in _SOUND_KINDS:
            rows.setdefault((pair.corpus, pair.kind), []).append(i)
    return {
        key: (np.array(mine), np.array([sound[pairs[i].twin] for i in mine]))
        for key, mine in sorted(rows.items())
    }


def by_kind(
    pairs: Sequence[Pair],
    scores: Mapping[str, Floats],
    flagged: NDArray[np.bool_],
    resample: Resamples,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Compare each changed copy with its sound twin.

    Parameters
    ----------
    pairs : sequence of Pair
    scores : mapping of str to ndarray of shape (n_pairs,), float64
        Higher is worse.
    flagged : ndarray of shape (n_pairs,), bool
    resample : Resamples
        Of the pairs' groups.

    Returns
    -------
    dict of str to dict of str to dict
        By corpus and kind: `n`, `drift` (the label), shares `flagged` and `twin_flagged`, and
        under `worse` by score the share of copies that score worse than their twin, a tie
        counting half.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for (corpus, kind), (mine, sound) in twins(pairs).items():
        weights = resample.of_rows(mine).weights()
        found.setdefault(corpus, {})[kind] = {
            "n": len(mine),
            "drift": pairs[mine[0]].label,
            "flagged": float(flagged[mine].mean()),
            "twin_flagged": float(flagged[sound].mean()),
            "worse": {
                name: Estimate.of(mean(_worse(score[mine] - score[sound]), weights))
                for name, score in scores.items()
            },
        }
    return found


def by_tier(
    pairs: Sequence[Pair], scores: Mapping[str, Floats], resample: Resamples
) -> dict[str, dict[str, dict[str, Any]]]:
    """Sum the kinds up: the mean over DEMETR's critical and major kinds, over damages elsewhere.

    Returns
    -------
    dict of str to dict of str to dict
        By corpus and tier: `kinds` (how many), and under `worse` by score the `mean` over the
        kinds of the share ordered rightly, the name of the `worst` kind and its share (`least`).
    """
    tiers: dict[tuple[str, str], list[tuple[str, NDArray[np.intp], NDArray[np.intp]]]] = {}
    for (corpus, kind), (mine, sound) in twins(pairs).items():
        tier = _tier(kind, pairs[mine[0]].label)
        if tier is not None:
            tiers.setdefault((corpus, tier), []).append((kind, mine, sound))
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for (corpus, tier), members in sorted(tiers.items()):
        found.setdefault(corpus, {})[tier] = {
            "kinds": len(members),
            "worse": {
                name: _over_kinds(members, score, resample) for name, score in scores.items()
            },
        }
    return found


def _over_kinds(
    members: Sequence[tuple[str, NDArray[np.intp], NDArray[np.intp]]],
    score: Floats,
    resample: Resamples,
) -> dict[str, Any]:
    shares = np.array(
        [
            mean(_worse(score[mine] - score[sound]), resample.of_rows(mine).weights())
            for _, mine, sound in members
        ]
    )
    worst = int(np.argmin(shares[:, 0]))
    # A kind of which a resample holds none counts in it as in the rows as they are.
    filled = np.where(np.isnan(shares), shares[:, :1], shares)
    return {
        "mean": Estimate.of(filled.mean(axis=0)),
        "worst": members[worst][0],
        "least": float(shares[worst, 0]),
    }


def looks(pairs: Sequence[Pair], probability: Floats) -> dict[str, dict[str, float]]:
    """Measure how far a change of look alone (case, spaces, final stop) moves the probability.

    Parameters
    ----------
    pairs : sequence of Pair
    probability : ndarray of shape (n_pairs,), float64

    Returns
    -------
    dict of str to dict
        By kind, and `all`: `n`, the `largest` move, the 95th percentile (`p95`), both in [0, 1],
        and the share that keeps `within` `STEADY`.
    """
    moved = {
        kind: np.abs(probability[mine] - probability[sound])
        for (_, kind), (mine, sound) in twins(pairs).items()
        if kind.endswith(_LOOKS)
    }
    if len(moved) > 1:
        moved["all"] = np.concatenate(list(moved.values()))
    return {
        kind: {
            "n": len(by),
            "largest": float(by.max()),
            "p95": float(np.percentile(by, 95)),
            "within": float((by <= STEADY).mean()),
        }
        for kind, by in moved.items()
    }


def asked(pairs: Sequence[Pair], finder: str) -> NDArray[np.intp]:
    """Return the rows that `caught` asks a finder about: its kinds and their sound twins."""
    rows = [
        row
        for (_, kind), (mine, sound) in twins(pairs).items()
        if _FINDERS[finder].search(kind)
        for row in (*mine.tolist(), *sound.tolist())
    ]
    return np.array(sorted(set(rows)), dtype=np.intp)


def caught(
    pairs: Sequence[Pair], finders: Mapping[str, NDArray[np.bool_]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Count the damaged names and figures that their own finders say they found.

    Parameters
    ----------
    pairs : sequence of Pair
    finders : mapping of str to ndarray of shape (n_pairs,), bool
        `names` and `figures`: whether the finder says that one is damaged.

    Returns
    -------
    dict of str to dict of str to dict
        By corpus and kind: `finder`, `n`, and the shares `caught` and, on the sound twins,
        `false_alarms`.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for (corpus, kind), (mine, sound) in twins(pairs).items():
        for finder, alarm in finders.items():
            if _FINDERS[finder].search(kind) and pairs[mine[0]].label:
                found.setdefault(corpus, {})[kind] = {
                    "finder": finder,
                    "n": len(mine),
                    "caught": float(alarm[mine].mean()),
                    "false_alarms": float(alarm[sound].mean()),
                }
    return found


def _worse(gap: Floats) -> Floats:
    worse: Floats = (gap > 0) + 0.5 * (gap == 0)
    return worse


def _tier(kind: str, label: bool | None) -> str | None:
    head = kind.partition("_")[0]
    if head in _TIERS:
        return head
    return "damage" if label and head not in ("base", "minor") else None
