"""Predict the relation of a copy to a source, and explain it in words.

An additive logistic regression over `features.FEATURES`. It opens no file and fits nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import BundleError
from detector.model_files import DAMAGED, check_tensors, read_tensors, shown
from detector.records import (
    RELATIONS,
    Alignment,
    Document,
    Relation,
    RelationKind,
    evidence_strength,
)
from detector.relation.features import (
    FEATURES,
    N_BUCKETS,
    ComparedBead,
    ComparedDocuments,
    WordEdit,
    compare_documents,
    edit_translationese,
)

SCHEMA = 1
"""Layout of the file; another one is refused."""

Floats = NDArray[np.float64]

_TENSORS = {
    "machine": "translationese_weights",
    "knots": "knots",
    "coefficients": "coefficients",
    "intercepts": "intercepts",
    "sure": "thresholds",
}
"""Name of each tensor of the file to the attribute."""

_LAYOUT = {
    "machine": "float16 buckets",
    "knots": "float64 features knots",
    "coefficients": "float64 relations features knots",
    "intercepts": "float64 relations",
    "sure": "float64 relations",
}

_MAX_LINES = 6
_MIN_WEIGHT = 0.2  # natural log units; weaker evidence is not reported
_MAX_EXAMPLES = 3
_MAX_LENGTH = 60  # characters of an example's side


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RelationModel:
    """An additive multinomial logistic regression, piecewise linear in each feature."""

    translationese_weights: NDArray[np.float16]  # (`N_BUCKETS`,)
    knots: Floats  # (n_features, n_knots): ascending
    coefficients: Floats  # (n_relations, n_features, n_knots): log-odds at each knot
    intercepts: Floats  # (n_relations,)
    thresholds: Floats  # probability from which each relation is the label; never, above 1
    training: Mapping[str, Any] = field(default_factory=dict)  # seed, corpora and results

    def compare(self, source: Document, copy: Document, alignment: Alignment) -> ComparedDocuments:
        """Compare two aligned documents; see `compare_documents`."""
        return compare_documents(source, copy, alignment, self.translationese_weights)

    def contributions(self, values: Floats) -> Floats:
        """Return what each feature adds to each log-odds: shape (n_relations, n_features)."""
        basis = linear_basis(values[None, :], self.knots)[0]
        return np.asarray((self.coefficients * basis[None]).sum(axis=2), np.float64)

    def probabilities(self, contributions: Floats) -> Floats:
        """Return the probabilities in [0, 1], of shape (n_relations,), given `contributions`."""
        odds = contributions.sum(axis=1) + self.intercepts
        raised = np.exp(odds - odds.max())
        return np.asarray(raised / raised.sum(), np.float64)

    def predict(self, documents: ComparedDocuments) -> Relation:
        """Predict what the copy is to the source; `documents` come from `compare`."""
        contributions = self.contributions(documents.values())
        probabilities = self.probabilities(contributions)
        evidence = explain(documents, contributions, probabilities, self.translationese_weights)
        return Relation(
            probabilities=dict(zip(RELATIONS, probabilities.tolist(), strict=True)),
            label=label_of(probabilities, self.thresholds),
            evidence=tuple(text for text, _ in evidence),
            evidence_weights=tuple(weight for _, weight in evidence),
        )

    def to_bytes(self) -> bytes:
        """Return the file's bytes; equal models give equal bytes."""
        from safetensors.numpy import save

        head = {
            "schema": SCHEMA,
            "traits": _columns(),
            "relations": list(RELATIONS),
            "training": dict(self.training),
        }
        tensors: dict[str, NDArray[Any]] = {
            key: getattr(self, name) for key, name in _TENSORS.items()
        }
        return save(tensors, metadata={"relation": json.dumps(head, sort_keys=True)})

    @classmethod
    def from_bytes(cls, content: bytes, *, place: str) -> RelationModel:
        """Read what `to_bytes` wrote; a `BundleError` if damaged or of another schema."""
        metadata, tensors = read_tensors(content, place)
        try:
            head = json.loads(metadata["relation"])
            layout = (head["schema"], head["traits"], head["relations"])
            training = dict(head["training"])
        except DAMAGED as err:
            msg = f"{place}: is no model of relations ({shown(err)}); train it again"
            raise BundleError(msg) from err
        if layout != (SCHEMA, _columns(), list(RELATIONS)):
            msg = (
                f"{place}: has schema, features and relations {shown(layout)}; this version reads "
                f"{SCHEMA}, {_columns()} and {list(RELATIONS)}; train it again"
            )
            raise BundleError(msg)
        sizes = {"relations": len(RELATIONS), "features": len(FEATURES), "buckets": N_BUCKETS}
        check_tensors(tensors, _LAYOUT, place, **sizes)
        knots = tensors["knots"]
        if knots.shape[1] < 2 or not (np.diff(knots) > 0.0).all():
            msg = f"{place}: its knots do not rise; it is damaged, train it again"
            raise BundleError(msg)
        return cls(**{_TENSORS[key]: value for key, value in tensors.items()}, training=training)


def label_of(probabilities: Floats, thresholds: Floats) -> RelationKind | None:
    """Return the likeliest relation where its probability reaches its threshold."""
    best = int(probabilities.argmax())
    return RELATIONS[best] if probabilities[best] >= thresholds[best] else None


def linear_basis(values: Floats, knots: Floats) -> Floats:
    """Return the hat functions, (n, n_features, n_knots), of a linear spline at some values.

    `values` has shape (n, n_features) and `knots`, which rise, (n_features, n_knots). A value
    outside of the knots counts as the nearest. The last axis of the result sums to 1.
    """
    low, high = knots[:, :-1], knots[:, 1:]
    clipped = np.clip(values, knots[:, 0], knots[:, -1])[:, :, None]
    share = np.clip((clipped - low) / (high - low), 0.0, 1.0)  # of the way to the knot above
    basis = np.zeros((*values.shape, knots.shape[1]))
    basis[:, :, 0] = 1.0
    basis[:, :, :-1] -= share
    basis[:, :, 1:] += share
    return basis


def _columns() -> list[list[str]]:
    return [[feature.name, feature.unit] for feature in FEATURES]


def explain(
    documents: ComparedDocuments,
    contributions: Floats,
    probabilities: Floats,
    weights: NDArray[np.floating],
) -> list[tuple[str, float]]:
    """Say what speaks for the likeliest relation, strongest first.

    Each line has its weight of evidence for that relation over the next one, in natural log units.
    Examples of machine-made changes come last, with the weight 0: another line counts them.
    `weights` are those of `features.translationese`.
    """
    first, second = np.argsort(-probabilities, kind="stable")[:2]
    gains = contributions[first] - contributions[second]
    gain_of = {feature.name: gain for feature, gain in zip(FEATURES, gains.tolist(), strict=True)}
    facts = [(describe(documents), sum(gain_of[n] for n in names)) for names, describe in _FACTS]
    facts = [(text, gain) for text, gain in facts if text and gain >= _MIN_WEIGHT]
    facts.sort(key=lambda fact: -fact[1])
    other = RELATIONS[second].replace("_", " ")
    lines = [
        (f"{text} ({evidence_strength(gain)} against {other})", gain)
        for text, gain in facts[:_MAX_LINES]
    ]
    examples = _examples(documents.beads, weights) if RELATIONS[first] == "round_trip" else []
    return lines + [(text, 0.0) for text in examples]


def _examples(beads: Sequence[ComparedBead], weights: NDArray[np.floating]) -> list[str]:
    """Quote the edits that look most machine-made."""
    ranked = sorted(
        (-odds, _quote(bead, edit))
        for bead in beads
        for edit in bead.diff.edits
        if (odds := edit_translationese(bead.diff, edit, weights)) > 0.0
    )
    texts = list(dict.fromkeys(text for _, text in ranked))[:_MAX_EXAMPLES]
    return [f"changed as a machine would: {'; '.join(texts)}"] if texts else []


def _quote(bead: ComparedBead, edit: WordEdit) -> str:
    source = " ".join(bead.diff.source[edit.source.start : edit.source.stop])[:_MAX_LENGTH]
    copy = " ".join(bead.diff.copy[edit.copy.start : edit.copy.stop])[:_MAX_LENGTH]
    if not source:
        return f'"{copy}" put in'
    return f'"{source}" became "{copy}"' if copy else f'"{source}" left out'


def _coverage(documents: ComparedDocuments) -> str:
    return (
        f"{documents.copy_share:.0%} of the copy's text has a close counterpart in the source, "
        f"{documents.source_share:.0%} of the source's in the copy"
    )


def _matter(documents: ComparedDocuments) -> str:
    return f"the source holds {documents.matter:.0%} of the copy's rarer words"


def _overlap(documents: ComparedDocuments) -> str:
    n = len(documents.beads)
    if not n:
        return ""
    mean = sum(bead.diff.overlap for bead in documents.beads) / n
    return (
        f"of sentences with a counterpart, {mean:.0%} of the words are the same in the same order; "
        f"{n - len(documents.reworded)} of {n} are the same word for word"
    )


def _translationese(documents: ComparedDocuments) -> str:
    reworded = documents.reworded
    if not reworded:
        return ""
    return (
        f"in {sum(bead.translationese > 0.0 for bead in reworded)} of {len(reworded)} reworded "
        "sentences the copy's words look more like a machine's than the source's do"
    )


def _order(documents: ComparedDocuments) -> str:
    n = sum(bead.one_to_one for bead in documents.beads)
    if not n:
        return ""
    return f"{n} of {len(documents.beads)} counterparts are one sentence to one, in the same order"


def _edit_length(documents: ComparedDocuments) -> str:
    sizes = documents.edit_lengths
    return f"changes are {sum(sizes) / len(sizes):.1f} words long on average" if sizes else ""


def _names(documents: ComparedDocuments) -> str:
    n = sum(bead.n_names for bead in documents.beads)
    kept = sum(bead.kept_names for bead in documents.beads)
    return f"{kept} of {n} words with a capital inside a sentence are kept as they are" if n else ""


def _numbers(documents: ComparedDocuments) -> str:
    n = sum(bead.n_numbers for bead in documents.beads)
    kept = sum(bead.kept_numbers for bead in documents.beads)
    return f"{kept} of {n} numbers in digits are kept" if n else ""


def _similarity(documents: ComparedDocuments) -> str:
    cosines = [bead.bead.similarity or 0.0 for bead in documents.beads]
    if not cosines:
        return ""
    return f"counterparts have a cosine of {sum(cosines) / len(cosines):.2f} on average"


_FACTS: tuple[tuple[tuple[str, ...], Callable[[ComparedDocuments], str]], ...] = (
    (("copy_share", "source_share", "size"), _coverage),
    (("matter",), _matter),
    (("likeness", "likeness_spread", "same"), _overlap),
    (("machine", "machine_share", "machine_sum"), _translationese),
    (("one_to_one", "moved"), _order),
    (("run_length", "length", "length_spread"), _edit_length),
    (("names_kept",), _names),
    (("figures_kept",), _numbers),
    (("similarity", "similarity_spread"), _similarity),
)
"""Features that one sentence explains together, and that sentence."""
