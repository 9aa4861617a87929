"""Settings: flags over a file over defaults; a file's faults named with what is accepted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from detector.errors import InputError
from detector.training.config import settle
from detector.training.data.sampling import Mix

ACCEPTS = ("shared", "table", "limit", "seed", "cache", "precision", "quiet", "out")

FILE = """\
seed = 3
limit = 500
prior = 0.4
folds = 4
table = ["mine.csv"]
quotas = { wmt = [10, 20] }
shares = { wmt = 2 }

[candidates.logistic]
model = "logistic"
strength = 2.0
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_config_defaults_are_those_of_the_records() -> None:
    settings = settle({}, accepts=ACCEPTS, file=None)
    assert settings.mix == Mix()
    assert (settings.precision, settings.quiet, settings.tables) == ("fp32", False, ())


def test_config_flags_override_the_file_and_it_the_defaults(tmp_path: Path) -> None:
    settings = settle({"seed": 7}, accepts=ACCEPTS, file=_file(tmp_path, FILE))
    assert (settings.mix.seed, settings.mix.limit, settings.mix.prior) == (7, 500, 0.4)
    assert settings.mix.quotas == {"wmt": (10, 20)}
    assert settings.mix.bases == Mix().bases
    assert settings.train.folds == 4
    assert settings.train.candidates == {"logistic": {"model": "logistic", "strength": 2.0}}
    assert settings.tables == (tmp_path / "mine.csv",)


def test_config_a_flag_for_where_pairs_are_replaces_what_the_file_says(tmp_path: Path) -> None:
    flags = {"shared": tmp_path}
    settings = settle(flags, accepts=ACCEPTS, file=_file(tmp_path, FILE))
    assert (settings.tables, settings.shared) == ((), tmp_path)
    with pytest.raises(InputError, match="both --table and --shared"):
        settle({**flags, "table": [tmp_path]}, accepts=ACCEPTS, file=None)


def test_config_record_is_json_without_a_path(tmp_path: Path) -> None:
    settings = settle({"cache": tmp_path}, accepts=ACCEPTS, file=_file(tmp_path, FILE))
    text = json.dumps(settings.record())
    assert json.loads(text)["quotas"] == {"wmt": [10, 20]}
    assert json.loads(text)["folds"] == 4
    assert str(tmp_path) not in text
    assert "mine.csv" not in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("folds = 4\nsede = 3\n", r"sede is not a setting; accepted are .*bases.*seed"),
        ("json = 'f'\n", "json is not a setting"),  # an option of the other command
        ("mix = 3\n", "mix is not a setting"),
        ("seed = 'x'\n", "seed is 'x'; give a whole number"),
        ("seed = true\n", "seed is True; give a whole number"),
        ("quiet = 1\n", "quiet is 1; give true or false"),
        ("limit = 0\n", "limit is 0; give a whole number from 1"),
        ("prior = 30\n", "prior is 30; give a share between 0 and 1"),
        ("precision = 'fp64'\n", "precision is 'fp64'; give one of fp32, bf16, auto"),
        ("table = 'a.csv'\n", "give a list of paths"),
        ("quotas = { wmt = 3 }\n", "for each name a list of 2 numbers"),
        ("shares = 3\n", "give a table of names"),
        ("[candidates.a]\nmodle = 'logistic'\n", "for each candidate a table of .*model"),
        ("seed = \n", "cannot be read as TOML"),
    ],
)
def test_config_faults_are_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        settle({}, accepts=ACCEPTS, file=_file(tmp_path, text))


def test_config_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: cannot be read"):
        settle({}, accepts=ACCEPTS, file=tmp_path / "none.toml")
