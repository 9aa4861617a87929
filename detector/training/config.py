"""Settings of a training run: flags over a TOML file over defaults.

Nothing is fitted or measured here; the only file opened is the config file.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from detector.errors import InputError
from detector.models.estimators import BeadClassifier
from detector.training.data.sampling import Mix
from detector.training.drift import TrainConfig

PRECISIONS = ("fp32", "bf16", "auto")

_OPTIONS: Mapping[str, type] = {
    "shared": Path,
    "table": list,
    "cache": Path,
    "precision": str,
    "quiet": bool,
    "out": Path,
    "bundle": Path,
    "json": Path,
    "tagger": Path,
    "limit": int,
    "seed": int,
}
"""Long options that a file may set."""


_RANGES: Mapping[str, tuple[float, float, str]] = {
    "limit": (1, math.inf, "a whole number from 1"),
    "folds": (2, math.inf, "a whole number from 2"),
    "resamples": (1, math.inf, "a whole number from 1"),
    "prior": (1e-6, 1.0, "a share between 0 and 1"),
    "false_alarms": (1e-6, 1.0, "a share between 0 and 1"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a run."""

    train: TrainConfig = field(default_factory=TrainConfig)  # with the mix, its seed and limit
    shared: Path | None = None  # folder of shared tables; None with own tables, or by environment
    tables: tuple[Path, ...] = ()  # the user's own
    cache: Path | None = None  # folder of computed features
    precision: Literal["fp32", "bf16", "auto"] = "fp32"
    quiet: bool = False
    out: Path | None = None  # bundle to write
    bundle: Path | None = None  # to load
    json: Path | None = None  # file for the metrics
    tagger: Path | None = None  # folder of a tagger to fit the bundle with

    @property
    def mix(self) -> Mix:
        """The quotas and weights of the pairs."""
        return self.train.mix

    def record(self) -> dict[str, Any]:
        """Return the settings that decide the result, as JSON; no path, nothing of this machine."""
        known = {
            f.name: getattr(self.train, f.name) for f in fields(TrainConfig) if f.name != "mix"
        }
        mix = {f.name: getattr(self.mix, f.name) for f in fields(Mix)}
        record: dict[str, Any] = _plain({**mix, **known, "precision": self.precision})
        return record


def settle(flags: Mapping[str, Any], *, accepts: tuple[str, ...], file: Path | None) -> Settings:
    """Merge flags, a config file and defaults, in that order.

    `accepts` are the long options of the command. The TOML `file` holds long options and fields of
    `Mix` and `TrainConfig`; its paths are relative to its folder. An unreadable file, or a key or
    value that is not accepted, is an `InputError`.
    """
    given = {} if file is None else _read(file, accepts)
    for name, other in (("table", "shared"), ("shared", "table")):
        if flags.get(name) is not None:
            given.pop(other, None)  # the flag overrides either key of the file
    given |= {name: flags[name] for name in accepts if flags.get(name) is not None}
    mix = {f.name: given[f.name] for f in fields(Mix) if f.name in given}
    train = {f.name: given[f.name] for f in fields(TrainConfig) if f.name in given}
    others = {
        f.name: given[f.name] for f in fields(Settings) if f.name in given and f.name != "train"
    }
    settings = Settings(
        train=TrainConfig(**{**train, "mix": Mix(**mix)}),
        tables=tuple(given.get("table", ())),
        **others,
    )
    if settings.tables and settings.shared is not None:
        msg = "both --table and --shared are given; give your own tables, or the shared folder"
        raise InputError(msg)
    return settings


def _read(file: Path, accepts: tuple[str, ...]) -> dict[str, Any]:
    try:
        record = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as err:
        msg = f"{file}: cannot be read as TOML ({err})"
        raise InputError(msg) from err
    likes: dict[str, Any] = {name: _OPTIONS[name] for name in accepts}
    for default in (Mix(), TrainConfig()):
        for known in fields(default):
            if known.name not in ("mix", "limit", "seed"):
                likes[known.name] = getattr(default, known.name)
    unknown = sorted(set(record) - set(likes))
    if unknown:
        msg = f"{file}: {unknown[0]} is not a setting; accepted are {', '.join(sorted(likes))}"
        raise InputError(msg)
    settings = {}
    for name, value in record.items():
        like = likes[name]
        problem = _problem(value, like)
        if problem is None and name == "precision" and value not in PRECISIONS:
            problem = f"one of {', '.join(PRECISIONS)}"
        if problem is None and name in _RANGES:
            low, high, accepted = _RANGES[name]
            problem = None if low <= value < high else accepted
        if problem:
            msg = f"{file}: {name} is {value!r}; give {problem}"
            raise InputError(msg)
        settings[name] = _converted(value, like, file.parent)
    return settings


def _problem(value: Any, like: Any) -> str | None:  # noqa: ANN401 - whatever a file holds
    """Return what is accepted if a value is not; `like` is a type or a default."""
    if isinstance(like, Mapping):
        if not isinstance(value, dict):
            return "a table of names"
        inner = next(iter(like.values()))
        if isinstance(inner, Mapping):
            return _candidates_problem(value)
        return next(
            (f"for each name {p}" for v in value.values() if (p := _problem(v, inner))), None
        )
    if isinstance(like, tuple):
        parts: tuple[Any, ...] = like
        holds = isinstance(value, list) and len(value) == len(parts)
        if holds and all(_problem(v, part) is None for v, part in zip(value, parts, strict=True)):
            return None
        return f"a list of {len(parts)} numbers"
    kind: type = like if isinstance(like, type) else type(like)
    checks: Mapping[type, tuple[type | tuple[type, ...], str]] = {
        bool: (bool, "true or false"),
        int: (int, "a whole number"),
        float: ((int, float), "a number"),
        Path: (str, "a path in quotes"),
        list: (list, "a list of paths in quotes"),
        str: (str, "a text in quotes"),
    }
    types, accepted = checks[kind]
    texts = all(isinstance(part, str) for part in value) if isinstance(value, list) else False
    fits = isinstance(value, types) and isinstance(value, bool) == (kind is bool)
    return None if fits and (texts or kind is not list) else accepted


def _candidates_problem(value: Mapping[str, Any]) -> str | None:
    known = BeadClassifier().get_params()
    if value and all(isinstance(v, dict) and set(v) <= set(known) for v in value.values()):
        return None
    return f"for each candidate a table of {', '.join(sorted(known))}"


def _converted(value: Any, like: Any, folder: Path) -> Any:  # noqa: ANN401
    if like is Path:
        return folder / value
    if like is list:
        return [folder / part for part in value]
    if isinstance(value, dict) and isinstance(next(iter(like.values())), tuple):
        return {name: tuple(part) for name, part in value.items()}
    return float(value) if isinstance(like, float) else value


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON of any depth
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value
