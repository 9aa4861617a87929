from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import detector


def test_exported_members_are_sorted_and_said_once() -> None:
    assert detector.__all__ == sorted(set(detector.__all__))


@pytest.mark.parametrize("name", detector.__all__)
def test_exported_members_are_there_and_shown(name: str) -> None:
    assert getattr(detector, name) is not None
    assert name in dir(detector)


def test_exported_members_are_those_that_load_lazily() -> None:
    lazy = set(detector._MODULE_OF)
    assert lazy | {"__version__"} == set(detector.__all__)


def test_exported_members_include_every_error() -> None:
    errors = import_module("detector.errors")
    public = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert public <= set(detector.__all__)


def test_exported_members_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'detector' has no attribute 'Scrorer'"):
        detector.Scrorer  # noqa: B018 - asking for it is the test


def test_exported_members_importing_the_package_loads_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules); import detector; "
        "new = {m.partition('.')[0] for m in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['detector']"
    assert done.stderr == ""
