"""The signature: one printable line, and a record that survives the trip through JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.models.bundle_config import Signature, columns_digest

SIGNATURE = Signature(
    version="0.1.0",
    schema=1,
    bundle="b" * 64,
    encoder="all-MiniLM-L6-v2",
    weights="5" * 64,
    precision="fp32",
    tagger="none",
    n_features=23,
    features="f" * 64,
    threshold=0.4,
    name_threshold=0.5,
    libraries=(("numpy", "2.4.6"), ("scikit-learn", "1.9.1")),
)


def test_signature_survives_json() -> None:
    assert Signature.from_dict(json.loads(json.dumps(SIGNATURE.to_dict()))) == SIGNATURE


@given(name=st.text())
def test_signature_is_one_printable_line(name: str) -> None:
    line = str(replace(SIGNATURE, encoder=name))
    assert line.isprintable()
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"bundle": "c" * 64},
        {"weights": "6" * 64},
        {"precision": "bf16"},
        {"threshold": 0.41},
        {"name_threshold": 0.6},
        {"features": "e" * 64},
        {"libraries": (("numpy", "2.4.7"),)},
    ],
)
def test_signature_line_shows_every_change(changed: dict[str, Any]) -> None:
    assert str(replace(SIGNATURE, **changed)) != str(SIGNATURE)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"threshold": 1.5}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": "0.4"}, "threshold"),
        ({"schema": True}, "schema"),
        ({"bundle": None}, "bundle"),
        ({"libraries": {"numpy": 2}}, "libraries"),
        ({"libraries": []}, "libraries"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_signature_refuses_a_foreign_record(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        Signature.from_dict({**SIGNATURE.to_dict(), **changed})


def test_signature_refuses_a_missing_field() -> None:
    record = SIGNATURE.to_dict()
    del record["weights"]
    with pytest.raises(InputError, match="weights"):
        Signature.from_dict(record)


def test_signature_columns_digest_knows_order_and_units() -> None:
    columns = [("a", "x"), ("b", "y")]
    others = [columns[::-1], [("a", "y"), ("b", "x")], [("a", "x")], [("ax", ""), ("b", "y")]]
    assert len({columns_digest(c) for c in [columns, *others]}) == 5
