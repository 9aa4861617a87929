"""What speaks for a language, in words: the edits that moved its posterior most, and leaks.

Weighs what the model weighs and adds no rule of its own; a dictionary only explains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.pivoting.contexts import Compared
from detector.pivoting.dictionary import Dictionary
from detector.pivoting.edits import Edit
from detector.pivoting.languages import NAMES
from detector.pivoting.model import PivotModel, Tally
from detector.showing.display import safe

_LEAST = 0.05  # nats; less is not worth a line
_LONGEST = 60  # characters of an edit that is shown


@dataclass(frozen=True, slots=True)
class _Found:
    """One kind of edit over the whole document."""

    edit: Edit
    nats: float
    times: int


def evidence(  # noqa: PLR0913 - options, each by its name
    model: PivotModel,
    sentences: Sequence[Compared],
    tally: Tally,
    language: str,
    *,
    dictionary: Dictionary | None = None,
    most: int = 12,
) -> tuple[str, ...]:
    """Say what speaks for a language.

    Parameters
    ----------
    model : PivotModel
    sentences : sequence of Compared
        Of one document.
    tally : Tally
        What they come to.
    language : str
        One of the model's.
    dictionary : Dictionary, optional
        Names the pivot word behind a substitution, where it is in that language.
    most : int
        How many lines at most.

    Returns
    -------
    tuple of str
        Leaks common in the language first, then edits, heaviest first. The weight is the log of
        the odds, in nats, that an edit gives the language over the mean of the others.
    """
    name = NAMES[language]
    found = _weighed(model, sentences, tally, language)
    leaks = [leak for one in sentences for leak in one.changes.leaks if language in leak.languages]
    lines = [f"left in: {safe(leak.word)} (a word of {name})" for leak in dict.fromkeys(leaks)]
    for one in sorted(found.values(), key=lambda f: -f.nats):
        text = safe(str(one.edit))
        if one.nats < _LEAST or len(lines) >= most:
            break
        if len(text) > _LONGEST:
            continue
        times = f", {one.times} times" if one.times > 1 else ""
        explained = _explained(one.edit, dictionary, language)
        lines.append(f"{text} (+{one.nats:.1f} nats for {name}{times}){explained}")
    return tuple(lines[:most])


def _weighed(
    model: PivotModel, sentences: Sequence[Compared], tally: Tally, language: str
) -> Mapping[str, _Found]:
    at = model.languages.index(language)
    others = np.arange(len(model.languages)) != at
    worth, behind = (
        slopes[:, at] - slopes[:, others].mean(axis=1) for slopes in model.worth(tally)
    )
    found: dict[str, _Found] = {}
    for one in sentences:
        edits, features = one.changes.edits, one.changes.features
        nats = model.weights_of(list(features)) @ worth
        mine = np.zeros(len(edits))
        mine[: len(one.contexts)] = model.net.scores(one.contexts) @ behind
        mine += np.bincount(list(features.values()), weights=nats, minlength=len(edits))
        for edit, nat in zip(edits, mine.tolist(), strict=True):
            key = str(edit).lower()
            before = found.get(key, _Found(edit, 0.0, 0))
            found[key] = _Found(before.edit, before.nats + nat, before.times + 1)
    return found


def _explained(edit: Edit, dictionary: Dictionary | None, language: str) -> str:
    if dictionary is None or dictionary.language != language:
        return ""
    for source in edit.source:
        for copy in edit.copy:
            joining = dictionary.joining(source, copy) if source.lower() != copy.lower() else ()
            if joining:
                return f": {NAMES[language]} {safe(joining[0])}"
    return ""
