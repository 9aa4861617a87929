"""Print the metrics of an evaluation as aligned text, and return them as frames.

Computes nothing. Frames take `read_metrics()["held_apart"]`, or `figures` of
`detector evaluate --json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from detector.errors import InputError
from detector.training.evaluate.baselines import BERTSCORE, CHRF, COSINE, FEWEST
from detector.training.evaluate.evaluate import OURS, SHORT, STEADY, Evaluation

if TYPE_CHECKING:
    import pandas as pd

_MEASURED = {
    "auroc": "AUROC",
    "average_precision": "average precision",
    "recall_at_5": "recall at 5 % FA",
}
JUDGED = {
    "major_auroc": "AUROC, major error",
    "points_tau_b": "tau-b, error points",
    "hter_spearman": "Spearman, HTER",
    "quality_spearman": "Spearman, quality",
}
"""Titles of the measures of agreement with human judgements."""


def printed(metrics: Evaluation) -> str:
    """Return all metrics as text: the summary, then the long tables; intervals are 95 %."""
    return f"{summary(metrics)}\n\n{details(metrics)}"


def summary(metrics: Evaluation) -> str:
    """Return the main metrics, ours beside the best known simple scores."""
    rows = list(_headlines(metrics))
    names = [name for name in SHORT if any(name in row for _, row in rows)]
    forms = [
        [kind, v["n"], *(_short(v[key]) for key in ("largest", "p95", "within"))]
        for kind, v in metrics.looks.items()
    ]
    words = [
        [title, entry["n"], finder, known["f1"], known["mcc"], entry["unit"]]
        for title, entry in metrics.words.items()
        for finder, known in entry["finders"].items()
    ]
    return _blocks(
        f"measured on {metrics.n_pairs} labelled pairs of {metrics.n_groups} source sentences; "
        "intervals are 95 %, by bootstrap over source sentences; higher is better",
        *metrics.notes,
        columns(["", *names], [[title, *_cells(row, names)] for title, row in rows]),
        columns(["words with human marks", "pairs", "found by", "F1", "Matthews", "of"], words),
        columns(
            [
                *("probability moved by form", "n", "largest", "95th percentile"),
                f"within {STEADY}",
            ],
            forms,
        ),
        _probability_text(metrics),
    )


def details(metrics: Evaluation) -> str:
    """Return every score on every corpus, then by kind, by language and by system."""
    scores = [
        [corpus, entry["n"], entry["drift"], method, *(measured[key] for key in _MEASURED)]
        for corpus, entry in metrics.corpora.items()
        for method, measured in entry.get("scores", {}).items()
    ] + [["mean", "", "", method, value, "", ""] for method, value in metrics.macro.items()]
    judged = [
        [corpus, method, *_cells(known, JUDGED)]
        for corpus, entry in metrics.judged.items()
        for method, known in [("(pairs)", entry["n"]), *entry["scores"].items()]
    ]
    flags = [
        [
            *(corpus, entry.get("best_simple", "-"), entry.get("lead", "-")),
            *(entry["flagged_drift"], entry["flagged_sound"]),
        ]
        for corpus, entry in metrics.corpora.items()
    ]
    caught = [
        [corpus, kind, v["finder"], v["n"], _short(v["caught"]), _short(v["false_alarms"])]
        for corpus, kinds in metrics.caught.items()
        for kind, v in kinds.items()
    ]
    languages = [
        [title, lang, finder, _short(value)]
        for title, entry in metrics.words.items()
        for lang, known in entry["by"].items()
        for finder, value in known.items()
    ]
    categories = [
        [corpus, kind, int(known["n"]), _short(known["touched"])]
        for corpus, kinds in metrics.categories.items()
        for kind, known in kinds.items()
    ]
    watch = [[kind, v["n"], _short(v["flagged"])] for kind, v in metrics.watch.items()]
    return _blocks(
        columns(["corpus", "pairs", "drift", "score", *_MEASURED.values()], _once(scores, 3)),
        columns(["human judgements", "score", *JUDGED.values()], _once(judged)),
        columns(
            ["corpus", "best simple score", "lead in AUROC", "drift flagged", "sound flagged"],
            flags,
        ),
        _kinds_text(metrics),
        columns(
            ["found by name or number", "kind", "finder", "n", "caught", "false alarms"],
            _once(caught),
        ),
        columns(["marked words, F1 by language", "", "found by", "F1"], languages),
        columns(["major marks", "category", "n", "touched"], categories),
        _sliced_text("language", metrics.languages),
        _sliced_text("system", metrics.systems),
        columns(["unlabelled round trips", "pairs", "flagged"], watch),
    )


def columns(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Align rows under a head; empty without rows."""
    lines = [list(head), *([str(cell) for cell in row] for row in rows)]
    if len(lines) == 1:
        return ""
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _blocks(*blocks: str) -> str:
    return "\n\n".join(block for block in blocks if block)


def _cells(row: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    return [str(row.get(name, "-")) for name in names]


def _once(rows: Iterable[Sequence[object]], n: int = 1) -> Iterator[list[object]]:
    """Blank the first `n` cells of a row where they repeat those of the row above."""
    above: list[object] = []
    for row in rows:
        yield [*([""] * n if list(row[:n]) == above else row[:n]), *row[n:]]
        above = list(row[:n])


def _headlines(metrics: Evaluation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield title and, by score, the cell of each row of the summary."""
    if metrics.macro:
        yield "mean AUROC over the corpora", metrics.macro
    for corpus, tiers in metrics.tiers.items():
        for tier, entry in tiers.items():
            title, worse = f"{corpus}: {tier} twin scored worse", entry["worse"].items()
            means = {name: known["mean"] for name, known in worse}
            yield f"{title}, mean of {entry['kinds']} kinds", means
            yield (
                f"{title}, worst kind",
                {
                    name: f"{known['least']:.3f} {known['worst'].removeprefix(f'{tier}_')}"
                    for name, known in worse
                },
            )
    for corpus, entry in metrics.judged.items():
        for key, title in JUDGED.items():
            if key in entry["n"]:
                measured = {name: known[key] for name, known in entry["scores"].items()}
                yield f"{corpus}: {title}", measured


def _probability_text(metrics: Evaluation) -> str:
    known = metrics.probability
    if not known:
        return f"threshold {metrics.threshold:.3f}"
    bins = "  ".join(f"{mean:.2f}:{share:.2f}" for mean, share in known["bins"])
    return (
        f"threshold {metrics.threshold:.3f}\n"
        f"Brier skill {known['brier_skill']}: score {known['brier']}, always the prior "
        f"{known['prior']:.2f} {known['brier_of_prior']:.3f}\n"
        f"calibration error {known['calibration_error']}\n"
        f"probability:share of drift, tenths of the mix  {bins}"
    )


def _kinds_text(metrics: Evaluation) -> str:
    entries = [e for kinds in metrics.kinds.values() for e in kinds.values()]
    names = [name for name in SHORT if any(name in entry["worse"] for entry in entries)]
    meaning = {True: "drift", False: "harmless", None: "open"}
    rows = [
        [
            *(corpus, kind, meaning[entry["drift"]], entry["n"]),
            *(_short(entry["flagged"]), _short(entry["twin_flagged"])),
            *(_value(entry["worse"], name) for name in names),
        ]
        for corpus, kinds in metrics.kinds.items()
        for kind, entry in kinds.items()
    ]
    scored = [name if name != OURS else "worse by detector" for name in names]
    head = ["twins", "kind", "label", "n", "flagged", "twin flagged", *scored]
    return columns(head, _once(rows))


def _value(estimates: Mapping[str, Any], name: str) -> str:
    """Format an estimate, with its interval where the score is ours."""
    if name not in estimates:
        return "-"
    return str(estimates[name]) if name == OURS else _short(estimates[name].value)


def _sliced_text(title: str, sliced: Mapping[str, Mapping[str, Any]]) -> str:
    parts = [part for entry in sliced.values() for part in entry["parts"].values()]
    names = [name for name in SHORT if any(name in part["scores"] for part in parts)]
    measures = {"auroc": "AUROC", "points_tau_b": "tau-b"}
    rows = [
        [
            *(corpus, name, part["n"], part["n_worse"], measures[part["measure"]]),
            *(_value(part["scores"], score) for score in names),
        ]
        for corpus, entry in sliced.items()
        for name, part in entry["parts"].items()
    ]
    skipped = ", ".join(f"{corpus} {e['skipped']}" for corpus, e in sliced.items() if e["skipped"])
    table = columns([f"by {title}", "", "n", "worse", "measure", *names], _once(rows))
    left_out = f"left out by {title}, fewer than {FEWEST} rows of either side: {skipped}"
    return "\n".join(block for block in (table, left_out if skipped else "") if block)


def _short(value: float) -> str:
    return f"{value:.3f}"


SCORES = (OURS, BERTSCORE, CHRF, COSINE)
"""Our score and the main baselines."""

PARTS = {"corpora": "corpus", "kinds": "kind", "languages": "lang", "systems": "system"}
"""Parts of a record, and the column that names their rows."""


def frame_of(
    figures: Mapping[str, Any],
    part: str,
    *,
    corpus: str | None = None,
    scores: Sequence[str] = SCORES,
) -> pd.DataFrame:
    """Put one part of the metrics into a frame, as `plots.comparison` takes it.

    Parameters
    ----------
    figures : mapping
        As of `Evaluation.to_dict`.
    part : {"corpora", "kinds", "languages", "systems"}
        AUROC by corpus; or within one corpus, the share of damaged copies that score worse than
        their twin by kind of damage, or AUROC or tau-b by language or system.
    corpus : str, optional
        Required except for "corpora".
    scores : sequence of str
        Scores to return, where they were measured.

    Returns
    -------
    DataFrame
        A row for each estimate: `corpus`, `kind`, `lang` or `system`, then `score`, `value` in
        [0, 1] ([-1, 1] for rank correlation), `low`, `high`, `n` pairs, and the `measure`.

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
        {PARTS[part]: name, "score": score, "value": value, "low": low, "high": high, **facts}
        for name, estimates, facts in _entries(figures, part, corpus)
        for score in scores
        if score in estimates
        for value, low, high in [estimates[score]]
    ]
    return pd.DataFrame(
        rows, columns=(PARTS[part], "score", "value", "low", "high", "n", "measure")
    )


def bins_of(figures: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    """Return (mean probability, share of drift, weight) of each bin, as `plots.reliability` takes.

    Empty where probabilities were not measured.
    """
    bins = figures["probability"].get("bins", [])
    return [(mean, share, 1.0 / len(bins)) for mean, share in bins]


def _entries(
    figures: Mapping[str, Any], part: str, corpus: str | None
) -> Iterator[tuple[str, Mapping[str, Any], dict[str, Any]]]:
    """Yield name, estimates by score, and the other columns of each row."""
    known = figures[part]
    if part == "corpora":
        for name, entry in known.items():
            areas = {
                score: measures["auroc"] for score, measures in entry.get("scores", {}).items()
            }
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
