"""What a copy is to a source."""

from __future__ import annotations

import pytest

from detector.errors import InputError
from detector.records import RELATIONS, Relation


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
