"""Through which language a copy went."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.errors import InputError
from detector.records import Pivot
from detector.report.serialise import pivot_record, read_pivot


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"posterior": {"fr": 0.5}}, "posterior"),
        ({"families": {"Romance": 1.5, "Slavic": -0.5}}, "families"),
        ({"language": "de"}, "'de'; use one of fr"),
    ],
)
def test_pivot_refuses_what_cannot_be(changes: dict[str, object], message: str) -> None:
    fields = {"language": None, "posterior": {"fr": 1.0}, "families": {"Romance": 1.0}}
    with pytest.raises(InputError, match=message):
        Pivot(**{**fields, **changes})


def test_pivot_evidence_weights_survive_json_and_may_be_missing() -> None:
    pivot = Pivot(
        language="fr",
        posterior={"fr": 1.0},
        families={"Romance": 1.0},
        evidence=("a",),
        evidence_weights=(1.5,),
    )
    record = pivot_record(pivot)
    assert read_pivot(record) == pivot
    del record["evidence_weights"]
    assert read_pivot(record) == replace(pivot, evidence_weights=())
