"""What a copy is to a source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.errors import InputError
from detector.records import RELATIONS, Relation
from detector.report.serialise import read_relation, relation_record


def even(**changes: float) -> dict[str, float]:
    return {**dict.fromkeys(RELATIONS, 0.2), **changes}


@pytest.mark.parametrize(
    ("probabilities", "label", "message"),
    [
        (even(round_trip=0.9), None, "sum to 1"),
        (even(round_trip=-0.2, duplicate=0.6), None, "sum to 1"),
        ({"round_trip": 1.0}, None, "one for each of round_trip, duplicate"),
        (even(), "copy", "'copy'; use one of round_trip"),
    ],
)
def test_relation_refuses_what_cannot_be(
    probabilities: dict[str, float], label: str | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Relation(probabilities=probabilities, label=label)


def test_relation_evidence_weights_survive_json_and_may_be_missing() -> None:
    relation = Relation(
        probabilities=even(), label=None, evidence=("a", "b"), evidence_weights=(1.5, 0.0)
    )
    record = relation_record(relation)
    assert record["evidence_weights"] == [1.5, 0.0]
    assert read_relation(record) == relation
    del record["evidence_weights"]
    assert read_relation(record) == replace(relation, evidence_weights=())


def test_relation_refuses_weights_of_other_evidence() -> None:
    with pytest.raises(InputError, match="1 evidence_weights for 2 lines"):
        Relation(probabilities=even(), label=None, evidence=("a", "b"), evidence_weights=(1.0,))
