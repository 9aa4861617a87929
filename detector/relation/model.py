"""Predict the relation of a copy to a source, and explain it in words.

Why a copy is taken for what it is taken for, in words.

Pure: measured texts and what each trait added to the odds in, sentences out.

`RelationModel`: numbers about two texts in, a `Relation` with its evidence out.

It is a logistic regression over `traits` and a linear score of wording, kept as bytes of one
safetensors file. It opens no file (`store` does) and fits nothing.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import BundleError
from detector.records import RELATIONS, Alignment, Document, Relation, RelationKind
from detector.relation.features import N_BUCKETS, TRAITS, Covered, Measured, Run, measure, run_odds

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


SCHEMA = 1
"""Layout of the file; another one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RelationModel:
    """How likely each relation is, given what two texts have in common.

    Attributes
    ----------
    machine : ndarray of shape (`wording.N_BUCKETS`,), float16
        Weights of `wording.machine_odds`.
    knots : ndarray of shape (n_traits, n_knots), float64
        Rising values of each trait between which its part in the log-odds is straight.
    coefficients : ndarray of shape (n_relations, n_traits, n_knots), float64
        Height of that part at each knot.
    intercepts : ndarray of shape (n_relations,), float64
    sure : ndarray of shape (n_relations,), float64
        Probability in [0, 1] from which each relation is named; above 1, it never is.
    training : mapping
        Seed, corpora and figures, as JSON; nothing reads it back.
    """

    machine: NDArray[np.float16]
    knots: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    sure: NDArray[np.float64]
    training: Mapping[str, Any] = field(default_factory=dict)

    def measure(self, source: Document, copy: Document, alignment: Alignment) -> Measured:
        """Measure two aligned documents; see `traits.measure`."""
        return measure(source, copy, alignment, self.machine)

    def parts(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each trait adds to the log-odds of each relation.

        Parameters
        ----------
        values : ndarray of shape (n_traits,), float64
            As `Measured.values` gives them.

        Returns
        -------
        ndarray of shape (n_relations, n_traits), float64
        """
        weights = hats(values[None, :], self.knots)[0]
        parts: NDArray[np.float64] = (self.coefficients * weights[None]).sum(axis=2)
        return parts

    def shares(self, parts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities, of shape (n_relations,) and in [0, 1], that `parts` make."""
        odds = parts.sum(axis=1) + self.intercepts
        raised = np.exp(odds - odds.max())
        shares: NDArray[np.float64] = raised / raised.sum()
        return shares

    def judge(self, measured: Measured) -> Relation:
        """Judge what the copy is to the source.

        Parameters
        ----------
        measured : Measured
            Of the two documents, with this model's `machine`.

        Returns
        -------
        Relation
        """
        parts = self.parts(measured.values())
        shares = self.shares(parts)
        return Relation(
            probabilities=dict(zip(RELATIONS, shares.tolist(), strict=True)),
            label=named(shares, self.sure),
            evidence=evidence(measured, parts, shares, self.machine),
        )

    def to_bytes(self) -> bytes:
        """Return the file's bytes; equal models give equal bytes."""
        from safetensors.numpy import save

        head = {"schema": SCHEMA, "traits": _columns(), "relations": list(RELATIONS)}
        head |= {"training": dict(self.training)}
        tensors: dict[str, NDArray[Any]] = {
            "machine": self.machine,
            "knots": self.knots,
            "coefficients": self.coefficients,
            "intercepts": self.intercepts,
            "sure": self.sure,
        }
        return save(tensors, metadata={"relation": json.dumps(head, sort_keys=True)})

    @classmethod
    def from_bytes(cls, content: bytes, *, place: str) -> RelationModel:
        """Read what `to_bytes` wrote.

        Parameters
        ----------
        content : bytes
        place : str
            What to call the file in an error.

        Raises
        ------
        BundleError
            When it is damaged, of another schema, or made for other traits or relations.
        """
        from safetensors.numpy import load

        try:
            (length,) = struct.unpack("<Q", content[:8])
            head = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["relation"])
            found = load(content)
            known = (head["schema"], head["traits"], head["relations"])
            training = dict(head["training"])
        except Exception as err:
            msg = f"{place}: is no model of relations ({type(err).__name__}: {err}); train it again"
            raise BundleError(msg) from err
        if known != (SCHEMA, _columns(), list(RELATIONS)):
            msg = (
                f"{place}: has schema {known[0]}, traits {known[1]} and relations {known[2]}; "
                f"this version reads {SCHEMA}, {_columns()} and {list(RELATIONS)}; train it again"
            )
            raise BundleError(msg)
        n, k = len(RELATIONS), found["knots"].shape[-1] if "knots" in found else 0
        shapes = {
            "machine": (N_BUCKETS,),
            "knots": (len(TRAITS), k),
            "coefficients": (n, len(TRAITS), k),
            "intercepts": (n,),
            "sure": (n,),
        }
        if {name: value.shape for name, value in found.items()} != shapes or not all(
            np.isfinite(value).all() for value in found.values()
        ):
            msg = f"{place}: holds tensors of other names, shapes or values; train it again"
            raise BundleError(msg)
        return cls(**found, training=training)


def named(shares: NDArray[np.float64], sure: NDArray[np.float64]) -> RelationKind | None:
    """Return the likeliest relation where it is sure enough; arrays as in `RelationModel`."""
    best = int(shares.argmax())
    return RELATIONS[best] if shares[best] >= sure[best] else None


def hats(values: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how much each value lies at each knot, for sums that are straight between knots.

    Parameters
    ----------
    values : ndarray of shape (n, n_traits), float64
    knots : ndarray of shape (n_traits, n_knots), float64
        Rising along the second axis. A value outside of them counts as the nearest.

    Returns
    -------
    ndarray of shape (n, n_traits, n_knots), float64
        In [0, 1]; the last axis sums to 1.
    """
    low, high = knots[:, :-1], knots[:, 1:]
    clipped = np.clip(values, knots[:, 0], knots[:, -1])[:, :, None]
    share = np.clip((clipped - low) / (high - low), 0.0, 1.0)  # of the way to the knot above
    out = np.zeros((*values.shape, knots.shape[1]))
    out[:, :, 0] = 1.0
    out[:, :, :-1] -= share
    out[:, :, 1:] += share
    # Each step moves what lay at the knot below; what was moved on does not stay.
    return out


def _columns() -> list[list[str]]:
    return [[trait.name, trait.unit] for trait in TRAITS]
