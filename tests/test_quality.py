"""The gate: no figure that counts falls under its floor in golden/floors.json unnoticed.

The floors are what the shipped bundle reached, less a little; tests/pin_floors.py sets them and
keeps the reason where one was lowered.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pin_floors import RefusedError, raised, repin
from support.gate import (
    FLOORS,
    SLACK,
    Measured,
    floor_under,
    on_example,
    on_golden,
    on_shared,
    problems,
)

from detector.encoder import MiniLMEncoder


@pytest.fixture(scope="module")
def floors() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(FLOORS.read_text(encoding="utf-8"))
    return record


@pytest.mark.model
def test_quality_on_the_golden_table(encoder: MiniLMEncoder, floors: dict[str, Any]) -> None:
    assert problems(floors.get("golden"), on_golden(encoder)) == []


@pytest.mark.model
def test_quality_on_the_example(encoder: MiniLMEncoder, floors: dict[str, Any]) -> None:
    assert problems(floors.get("example"), on_example(encoder)) == []


@pytest.mark.model
@pytest.mark.shared
def test_quality_on_the_corpora(
    shared: Path, encoder: MiniLMEncoder, floors: dict[str, Any], tmp_path: Path
) -> None:
    assert problems(floors.get("shared"), on_shared(shared, encoder, tmp_path)) == []


def _measured(**figures: float) -> Measured:
    return Measured(digests={"pairs": "a"}, figures=figures)


def test_quality_gate_names_what_fell_what_is_new_and_what_is_gone() -> None:
    part = {"digests": {"pairs": "a"}, "floors": {"one": 0.9, "two": 0.5, "gone": 0.1}}
    found = problems(part, _measured(one=0.91, two=0.49, three=1.0))
    assert [line.split(":")[0] for line in found] == ["gone", "three", "two"]
    assert problems(part, _measured(one=0.9, two=0.5, gone=0.1)) == []
    assert "another one" in problems({**part, "digests": {"pairs": "b"}}, _measured())[0]
    assert "nothing is pinned" in problems(None, _measured())[0]


def test_quality_pinning_raises_floors_and_keeps_other_parts() -> None:
    old = {"part": {"digests": {}, "floors": {"one": 0.5}}, "other": {"digests": {}, "floors": {}}}
    new = repin(old, {"part": _measured(one=0.9, two=0.3)}, None)
    assert new["part"]["floors"] == {"one": floor_under(0.9), "two": floor_under(0.3)}
    assert new["part"]["digests"] == {"pairs": "a"}
    assert new["other"] == old["other"]
    assert new["lowered"] == []
    assert raised(old, new)[0] == "part, one: 0.5 -> 0.895"


def test_quality_pinning_lowers_a_floor_only_with_a_reason_that_it_keeps() -> None:
    old = {"part": {"digests": {}, "floors": {"one": 0.9, "gone": 0.2}}, "lowered": []}
    with pytest.raises(RefusedError, match=r"one: 0.9 -> 0.795(.|\n)*gone"):
        repin(old, {"part": _measured(one=0.8)}, None)
    new = repin(old, {"part": _measured(one=0.8)}, "labels were mended")
    assert [(e["figure"], e["from"], e["to"], e["reason"]) for e in new["lowered"]] == [
        ("one", 0.9, 0.795, "labels were mended"),
        ("gone", 0.2, None, "labels were mended"),
    ]


def test_quality_floor_lies_a_little_under_the_figure() -> None:
    assert 0 < 0.9124 - floor_under(0.9124) < SLACK + 0.0011
    assert floor_under(-0.1) < -0.1
