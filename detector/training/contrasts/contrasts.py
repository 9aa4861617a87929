"""Make minimal pairs: one damage or one harmless change of a sound copy.

Minimal pairs: a sound copy, and the same copy with one damage or one harmless change.

Real drift comes with much else; a minimal pair shows the one thing that makes the difference. The
makers change one thing in one sentence, or say that they cannot; here it is decided which of them
get their turn, so that kinds that few sentences allow are not drowned by those that all allow.
Everything is seeded, so the same bases always give the same pairs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from detector.training.contrasts import clauses, losses, names
from detector.training.contrasts import clauses as verbs
from detector.training.contrasts import harmless as looks
from detector.training.contrasts import harmless as orders
from detector.training.contrasts import harmless as rewordings
from detector.training.contrasts import numbers as figures
from detector.training.contrasts import words as senses
from detector.training.contrasts.edits import Maker, Pools, carry_out
from detector.training.contrasts.grammar import Sentence
from detector.training.data.corpus import Pair

MAJOR, MINOR = 5.0, 1.0
"""Error points, as MQM gives them."""

# Per 100 sentences of published copies, as far as that was counted; what was not counted gets 1.
# The commonest are not asked for more than some times the rarest: a classifier wants all kinds.
_SHARES = {
    "wrong sense": 4.0,
    "word swapped": 3.0,
    "name as word": 2.0,
    "title changed": 2.0,
    "gender": 2.0,
    "pivot word left in": 1.5,
    "idiom": 1.5,
    "stack turned": 1.5,
    "number": 1.5,
    "name garbled": 1.5,
    "name swapped": 1.5,
    "roles turned": 1.5,
    "antonym": 1.5,
    "negation lost": 1.5,
    "negation added": 1.5,
    "word doubled": 1.5,
    "words shuffled": 0.5,
    "neighbours swapped": 0.7,
    "plural": 0.5,
    "pivot small word left in": 0.5,
    "question": 0.6,
    "synonym": 4.0,
    "possessive glued": 2.0,
    "quotes dropped": 2.0,
    "case": 1.5,
    "said": 1.5,
    "demonym": 1.5,
    "possessive turned": 1.5,
    "beyond ASCII dropped": 1.5,
    "voice": 1.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a maker makes.

    Attributes
    ----------
    make : callable
    label : bool or None
        Whether its pairs drifted; None where readers do not agree.
    points : float
        Error points, 0 for what is no error.
    share : float
        How many of it there should be beside the others.
    """

    make: Maker
    label: bool | None
    points: float
    share: float


def _kinds(makers: Mapping[str, Maker], label: bool | None, points: float) -> dict[str, Kind]:
    return {
        name: Kind(make=make, label=label, points=points, share=_SHARES.get(name, 1.0))
        for name, make in makers.items()
    }


_BLUR = {**names.BLUR, **senses.BLUR, **clauses.BLUR, **verbs.VERB_BLUR, **losses.BLUR}
_FLAWS = frozenset(
    {
        *("lower case", "first letter lower", "case", "tokenised", "stop dropped", "mark added"),
        *("comma dropped", "quotes dropped", "beyond ASCII dropped", "possessive glued", "hyphen"),
        *("letter lost", "misspelt"),
    }
)

DAMAGES: dict[str, Kind] = {
    **_kinds(names.DAMAGE, True, MAJOR),
    **_kinds(figures.DAMAGE, True, MAJOR),
    **_kinds(senses.DAMAGE, True, MAJOR),
    **_kinds(clauses.DAMAGE, True, MAJOR),
    **_kinds(verbs.VERB_DAMAGE, True, MAJOR),
    **_kinds(losses.DAMAGE, True, MAJOR),
    **_kinds(_BLUR, None, MINOR),
}
"""Changes after which the sentence says something else, and some of which that is disputed."""

HARMLESS: dict[str, Kind] = {
    name: replace(kind, points=MINOR if name in _FLAWS else 0.0)
    for name, kind in _kinds(
        {**looks.LOOKS, **rewordings.REWORDINGS, **orders.ORDERS, **names.HARMLESS}, False, 0.0
    ).items()
}
"""Changes that a reader would let pass; those of the looks are minor errors."""


def contrasts(  # noqa: PLR0913 - two things and how many of what
    bases: Iterable[Pair],
    pool: Pools,
    *,
    damages: int = 2,
    harmless: int = 1,
    only: Callable[[str], bool] | None = None,
    seed: int = 0,
) -> Iterator[Pair]:
    """Make minimal pairs out of sound ones.

    Parameters
    ----------
    bases : iterable of Pair
        Sound pairs; their copies are changed.
    pool : Pools
        What to swap in.
    damages, harmless : int
        How many of each to make of a base, at most.
    only : callable, optional
        Tells by its name whether a kind of damage is wanted; all are by default.
    seed : int
        Another seed makes others.

    Yields
    ------
    Pair
        For each base first the base, as the sound twin, then the damaged, then the harmless ones.
        The kind is the maker's name; `marks` say what was put where, or lost from the source,
        and `points` are those of the kind. A harmless change may stack on what the round trip had
        changed already.

    Notes
    -----
    A base is offered to the kinds in the order of how much each lacks of its share, so a kind that
    few sentences allow gets all of those.
    """
    made: Counter[str] = Counter()
    wounds = {name: kind for name, kind in DAMAGES.items() if only is None or only(name)}
    for base in bases:
        text = f"{seed}\x1f{base.source}\x1f{base.copy}".encode("utf-8", "replace")
        key = hashlib.sha256(text).digest()
        rng = np.random.default_rng(int.from_bytes(key[:8], "big"))
        sound = replace(
            base,
            label=False,
            corpus="contrast",
            kind="base",
            points=None,
            hter=None,
            quality=None,
            marks=(),
            twin=f"contrast-{key.hex()[:16]}",
        )
        yield sound
        sentence = Sentence.of(base.copy)
        for kinds, wanted in ((wounds, damages), (HARMLESS, harmless)):
            done = 0
            for name in _order(kinds, made, rng):
                if done == wanted:
                    break
                pair = _one(sound, sentence, name, kinds[name], (rng, pool))
                if pair is not None:
                    yield pair
                    made[name] += 1
                    done += 1


def _order(kinds: Mapping[str, Kind], made: Counter[str], rng: np.random.Generator) -> list[str]:
    """Order kinds by how much of their share they have had, at random among equals."""
    shuffled = rng.permutation(list(kinds)).tolist()
    return sorted(shuffled, key=lambda name: made[name] / kinds[name].share)


def _one(
    sound: Pair,
    sentence: Sentence,
    name: str,
    kind: Kind,
    means: tuple[np.random.Generator, Pools],
) -> Pair | None:
    edits = kind.make(sentence, *means)
    if not edits:
        return None
    copy, marks = carry_out(sentence, edits, source=sound.source, kind=name, weight=kind.points)
    if copy in (sound.copy, sound.source) or not copy.strip() or not marks:
        return None
    return replace(sound, copy=copy, label=kind.label, kind=name, points=kind.points, marks=marks)
