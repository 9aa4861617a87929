"""Figures of an evaluation as frames, for plots and tables of one's own.

Takes the plain record that a bundle keeps (`read_config().training["held_apart"]`) or that
`detector evaluate --json` writes under `figures`. Measures nothing and draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from detector.errors import InputError
from detector.learn.baselines import BERTSCORE, CHRF, COSINE
from detector.learn.evaluate import OURS

if TYPE_CHECKING:
    import pandas as pd

SCORES = (OURS, BERTSCORE, CHRF, COSINE)
"""Ours and the baselines that it stands beside."""

PARTS = {"corpora": "corpus", "kinds": "kind", "languages": "lang", "systems": "system"}
"""Parts of a record, and what their rows are told apart by."""


def frame_of(
    figures: Mapping[str, Any],
    part: str,
    *,
    corpus: str | None = None,
    scores: Sequence[str] = SCORES,
) -> pd.DataFrame:
    """Put one part of the figures into a frame, as `plots.comparison` takes it.

    Parameters
    ----------
    figures : mapping
        What `Figures.to_dict` gives.
    part : {"corpora", "kinds", "languages", "systems"}
        Area under the ROC curve by corpus; or in one corpus, how often the damaged twin scored
        worse by kind of damage, or how well scores go with labels or marks by language or system.
    corpus : str, optional
        Of which corpus; not asked for by "corpora".
    scores : sequence of str
        Whose figures, where they were measured.

    Returns
    -------
    DataFrame
        A row for each figure: what it is told apart by (`corpus`, `kind`, `lang` or `system`),
        `score`, `value` in [0, 1] ([-1, 1] for rank agreement), `low`, `high`, `n` pairs, and
        the `measure`.

    Raises
    ------
    InputError
        When there is no such part or corpus.
    """
    import pandas as pd

    if part not in PARTS:
        msg = f"there is no part {part!r}; give one of {', '.join(PARTS)}"
        raise InputError(msg)
    rows = [
        {PARTS[part]: name, "score": score, "value": value, "low": low, "high": high, **told}
        for name, estimates, told in _entries(figures, part, corpus)
        for score in scores
        if score in estimates
        for value, low, high in [estimates[score]]
    ]
    columns = (PARTS[part], "score", "value", "low", "high", "n", "measure")
    return pd.DataFrame(rows, columns=columns)


def bins_of(figures: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    """Return mean probability, share that came true and weight of each bin, for a plot.

    Parameters
    ----------
    figures : mapping
        What `Figures.to_dict` gives.

    Returns
    -------
    list of (float, float, float)
        As `plots.reliability` takes them; the bins hold like shares of the mix. Empty where
        probabilities were not measured.
    """
    bins = figures["probability"].get("bins", [])
    return [(told, true, 1.0 / len(bins)) for told, true in bins]


def _entries(
    figures: Mapping[str, Any], part: str, corpus: str | None
) -> Iterator[tuple[str, Mapping[str, Any], dict[str, Any]]]:
    """Yield a name, the estimates by score, and what else there is to say of each row."""
    known = figures[part]
    if part == "corpora":
        for name, entry in known.items():
            areas = {score: found["auroc"] for score, found in entry.get("scores", {}).items()}
            yield name, areas, {"n": entry["n"], "measure": "auroc"}
        return
    if corpus not in known:
        msg = f"{part} of corpus {corpus!r} were not measured; give one of {', '.join(known)}"
        raise InputError(msg)
    if part == "kinds":
        for name, entry in known[corpus].items():
            yield name, entry["worse"], {"n": entry["n"], "measure": "twin scored worse"}
        return
    for name, entry in known[corpus]["parts"].items():
        yield name, entry["scores"], {"n": entry["n"], "measure": entry["measure"]}
