"""What speaks for a language, in words: the edits that moved its posterior most, and leaks.

Shows what the model weighed and adds no rule of its own; a dictionary only explains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.pivoting.contexts import Compared
from detector.pivoting.dictionary import Dictionary
from detector.pivoting.edits import Edit
from detector.pivoting.languages import NAMES
from detector.showing.display import safe

Floats = NDArray[np.float64]

_LEAST = 0.05  # nats; less is not worth a line
_LONGEST = 60  # characters of an edit that is shown


@dataclass(frozen=True, slots=True)
class _Found:
    """One kind of edit over the whole document."""

    edit: Edit
    nats: float
    times: int


def evidence(
    sentences: Sequence[Compared],
    nats: tuple[Floats, float],
    language: str,
    *,
    dictionary: Dictionary | None = None,
    most: int = 12,
) -> tuple[str, ...]:
    """Say what speaks for a language.

    Parameters
    ----------
    sentences : sequence of Compared
        Of one document.
    nats : (ndarray of shape (n_edits,), float)
        `PivotModel.nats` of all their edits and of what was kept, for the language.
    language : str
    dictionary : Dictionary, optional
        Names the pivot word behind a substitution, where it is in that language.
    most : int
        How many lines at most.

    Returns
    -------
    tuple of str
        Leaks common in the language first, then edits, heaviest first, and last what was kept.
        The weight is the log of the odds, in nats, that it gives the language over the mean of the
        others.
    """
    name = NAMES[language]
    edits, kept = nats
    found = _gathered(sentences, edits)
    last = [f"words left as they were (+{kept:.1f} nats for {name})"] if kept >= _LEAST else []
    leaks = [leak for one in sentences for leak in one.changes.leaks if language in leak.languages]
    lines = [f"left in: {safe(leak.word)} (a word of {name})" for leak in dict.fromkeys(leaks)]
    for one in sorted(found.values(), key=lambda f: -f.nats):
        text = safe(str(one.edit))
        if one.nats < _LEAST or len(lines) + len(last) >= most:
            break
        if len(text) > _LONGEST:
            continue
        times = f", {one.times} times" if one.times > 1 else ""
        explained = _explained(one.edit, dictionary, language)
        lines.append(f"{text} (+{one.nats:.1f} nats for {name}{times}){explained}")
    return tuple(lines[: most - len(last)] + last)


def _gathered(sentences: Sequence[Compared], nats: Floats) -> Mapping[str, _Found]:
    edits = (edit for one in sentences for edit in one.changes.edits)
    found: dict[str, _Found] = {}
    for edit, nat in zip(edits, nats.tolist(), strict=True):
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
