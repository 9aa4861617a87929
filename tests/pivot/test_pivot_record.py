"""Through which language a copy went."""

from __future__ import annotations

import pytest

from detector.errors import InputError
from detector.records import Pivot


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
