"""Why a copy is taken for what it is taken for, in words.

Pure: measured texts and what each trait added to the odds in, sentences out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.relating.traits import TRAITS, Covered, Measured
from detector.relating.wording import Run, run_odds
from detector.relation import RELATIONS

_MOST = 6  # pieces of evidence told
_LEAST = 0.2  # nats below which a piece is not worth telling
_EXAMPLES = 3
_LONGEST = 60  # characters of an example's side


def evidence(
    measured: Measured,
    parts: NDArray[np.float64],
    shares: NDArray[np.float64],
    weights: NDArray[np.floating],
) -> tuple[str, ...]:
    """Say what speaks for the likeliest relation, strongest first.

    Parameters
    ----------
    measured : Measured
    parts : ndarray of shape (n_relations, n_traits), float64
        What each trait adds to the log-odds of each relation.
    shares : ndarray of shape (n_relations,), float64
        Probabilities in [0, 1].
    weights : ndarray of shape (`wording.N_BUCKETS`,)
        Of `wording.machine_odds`.

    Returns
    -------
    tuple of str
        Each names a fact, and how many nats it adds in favour of the likeliest relation against
        the next one.
    """
    first, second = np.argsort(-shares, kind="stable")[:2]
    gains = dict(
        zip((trait.name for trait in TRAITS), (parts[first] - parts[second]).tolist(), strict=True)
    )
    told = [(sum(gains[name] for name in names), say(measured)) for names, say in _SAYINGS]
    told = sorted((one for one in told if one[0] >= _LEAST and one[1]), key=lambda one: -one[0])
    against = RELATIONS[second].replace("_", " ")
    sentences = [f"{text} (+{gain:.1f} nats against {against})" for gain, text in told[:_MOST]]
    if RELATIONS[first] == "round_trip":
        sentences += _examples(measured.covered, weights)
    return tuple(sentences)


def _examples(covered: Sequence[Covered], weights: NDArray[np.floating]) -> list[str]:
    """Name the changes that look most as if a machine had made them."""
    found: list[tuple[float, str]] = []
    for bead in covered:
        for run in bead.wording.changed:
            odds = run_odds(bead.wording, run, weights)
            if odds > 0.0:
                found.append((odds, _said(bead, run)))
    found.sort(key=lambda one: (-one[0], one[1]))
    texts = list(dict.fromkeys(text for _, text in found))[:_EXAMPLES]
    return [f"changed as a machine would: {'; '.join(texts)}"] if texts else []


def _said(bead: Covered, run: Run) -> str:
    source = " ".join(bead.wording.source[run.source.start : run.source.stop])[:_LONGEST]
    copy = " ".join(bead.wording.copy[run.copy.start : run.copy.stop])[:_LONGEST]
    if not source:
        return f'"{copy}" put in'
    return f'"{source}" became "{copy}"' if copy else f'"{source}" left out'


def _coverage(measured: Measured) -> str:
    return (
        f"{measured.copy_share:.0%} of the copy's text has a close counterpart in the source, "
        f"{measured.source_share:.0%} of the source's in the copy"
    )


def _matter(measured: Measured) -> str:
    return f"the source holds {measured.matter:.0%} of the copy's rarer words"


def _likeness(measured: Measured) -> str:
    beads = measured.covered
    if not beads:
        return ""
    mean = sum(bead.likeness for bead in beads) / len(beads)
    same = sum(not bead.wording.changed for bead in beads)
    return (
        f"of sentences with a counterpart, {mean:.0%} of the words are the same in the same order; "
        f"{same} of {len(beads)} are the same word for word"
    )


def _manner(measured: Measured) -> str:
    changed = [bead for bead in measured.covered if bead.wording.changed]
    if not changed:
        return ""
    n = sum(bead.odds > 0.0 for bead in changed)
    return (
        f"in {n} of {len(changed)} reworded sentences the copy's words look more like a machine's "
        "than the source's do"
    )


def _order(measured: Measured) -> str:
    beads = measured.covered
    n = sum(len(b.bead.source) == len(b.bead.copy) == 1 for b in beads)
    return (
        f"{n} of {len(beads)} counterparts are one sentence to one, in the same order" if n else ""
    )


def _runs(measured: Measured) -> str:
    runs = [
        max(len(run.source), len(run.copy))
        for bead in measured.covered
        for run in bead.wording.changed
    ]
    if not runs:
        return ""
    return f"changes are {sum(runs) / len(runs):.1f} words long on average"


def _names(measured: Measured) -> str:
    n = sum(bead.n_names for bead in measured.covered)
    kept = sum(bead.kept_names for bead in measured.covered)
    return f"{kept} of {n} words with a capital inside a sentence are kept as they are" if n else ""


def _figures(measured: Measured) -> str:
    n = sum(bead.n_figures for bead in measured.covered)
    kept = sum(bead.kept_figures for bead in measured.covered)
    return f"{kept} of {n} numbers in digits are kept" if n else ""


def _similarity(measured: Measured) -> str:
    cosines = [bead.bead.similarity or 0.0 for bead in measured.covered]
    if not cosines:
        return ""
    return f"counterparts have a cosine of {sum(cosines) / len(cosines):.2f} on average"


_SAYINGS: tuple[tuple[tuple[str, ...], Callable[[Measured], str]], ...] = (
    (("copy_share", "source_share", "size"), _coverage),
    (("matter",), _matter),
    (("likeness", "likeness_spread", "same"), _likeness),
    (("machine", "machine_share", "machine_sum"), _manner),
    (("one_to_one", "moved"), _order),
    (("run_length", "length", "length_spread"), _runs),
    (("names_kept",), _names),
    (("figures_kept",), _figures),
    (("similarity", "similarity_spread"), _similarity),
)
"""Traits that one sentence tells of together, and that sentence."""
