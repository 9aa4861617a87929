"""Print evaluation figures as text, and return them as frames.

Figures as aligned plain text: what `evaluate` prints and the card quotes.

Formats and computes nothing.

Figures of an evaluation as frames, for plots and tables of one's own.

Takes the plain record that a bundle keeps (`read_metrics()["held_apart"]`) or that
`detector evaluate --json` writes under `figures`. Measures nothing and draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from detector.errors import InputError
from detector.training.evaluate.baselines import BERTSCORE, CHRF, COSINE, FEWEST
from detector.training.evaluate.evaluate import OURS, SHORT, STEADY, Figures

if TYPE_CHECKING:
    import pandas as pd

_MEASURED = {
    "auroc": "AUROC",
    "average_precision": "average precision",
    "recall_at_5": "recall at 5 % FA",
}
_JUDGED = {
    "major_auroc": "AUROC, major error",
    "points_tau_b": "tau-b, error points",
    "hter_spearman": "Spearman, HTER",
    "quality_spearman": "Spearman, quality",
}


def printed(figures: Figures) -> str:
    """Return all figures: the summary, then the long tables.

    Returns
    -------
    str
        Several blocks; intervals are 95 %.
    """
    return f"{summary(figures)}\n\n{details(figures)}"


def summary(figures: Figures) -> str:
    """Return the figures that count, ours beside the best known simple scores."""
    names = [name for name in SHORT if any(name in row for _, row in _headlines(figures))]
    head = (
        f"measured on {figures.n_pairs} labelled pairs of {figures.n_groups} source sentences; "
        "intervals are 95 %, by bootstrap over source sentences; higher is better"
    )
    rows = [
        [title, *(str(row.get(name, "-")) for name in names)] for title, row in _headlines(figures)
    ]
    blocks = [
        head,
        *figures.notes,
        columns(["", *names], rows) if rows else "",
        columns(
            ["words that people marked", "pairs", "found by", "F1", "Matthews", "of"],
            _word_rows(figures),
        ),
        _looks_text(figures),
        _probability_text(figures),
    ]
    return "\n\n".join(block for block in blocks if block)


def details(figures: Figures) -> str:
    """Return every score on every corpus, then by kind, by language and by system."""
    blocks = [
        columns(["corpus", "pairs", "drift", "score", *_MEASURED.values()], _score_rows(figures)),
        columns(["judged by people", "score", *_JUDGED.values()], _judged_rows(figures)),
        columns(
            ["corpus", "best simple score", "lead in AUROC", "drift flagged", "sound flagged"],
            _flag_rows(figures),
        ),
        _kinds_text(figures),
        columns(
            ["found by name or figure", "kind", "finder", "n", "caught", "false alarms"],
            _caught_rows(figures),
        ),
        columns(["marked words, F1 by language", "", "found by", "F1"], _word_langs(figures)),
        columns(["major marks", "category", "n", "touched"], _category_rows(figures)),
        _sliced_text("language", figures.languages),
        _sliced_text("system", figures.systems),
        columns(
            ["unlabelled round trips", "pairs", "flagged"],
            [[kind, str(v["n"]), _short(v["flagged"])] for kind, v in figures.watch.items()],
        ),
    ]
    return "\n\n".join(block for block in blocks if block)


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align rows under a head; nothing where there is no row."""
    if not rows:
        return ""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _headlines(figures: Figures) -> list[tuple[str, Mapping[str, Any]]]:
    """Return title and, by score, what is printed for it."""
    rows: list[tuple[str, Mapping[str, Any]]] = []
    if figures.macro:
        rows.append(("mean AUROC over the corpora", figures.macro))
    for corpus, tiers in figures.tiers.items():
        for tier, entry in tiers.items():
            worse = entry["worse"]
            title = f"{corpus}: {tier} twin scored worse"
            rows.append(
                (
                    f"{title}, mean of {entry['kinds']} kinds",
                    {name: known["mean"] for name, known in worse.items()},
                )
            )
            rows.append(
                (
                    f"{title}, worst kind",
                    {
                        name: f"{known['least']:.3f} {known['worst'].removeprefix(f'{tier}_')}"
                        for name, known in worse.items()
                    },
                )
            )
    for corpus, entry in figures.judged.items():
        for key, title in _JUDGED.items():
            if key in entry["n"]:
                measured = {name: known[key] for name, known in entry["scores"].items()}
                rows.append((f"{corpus}: {title}", measured))
    return rows


def _word_rows(figures: Figures) -> list[list[str]]:
    return [
        [title, str(entry["n"]), finder, str(known["f1"]), str(known["mcc"]), entry["unit"]]
        for title, entry in figures.words.items()
        for finder, known in entry["finders"].items()
    ]


def _word_langs(figures: Figures) -> list[list[str]]:
    return [
        [title, lang, finder, _short(value)]
        for title, entry in figures.words.items()
        for lang, known in entry["by"].items()
        for finder, value in known.items()
    ]


def _category_rows(figures: Figures) -> list[list[str]]:
    return [
        [corpus, kind, str(int(known["n"])), _short(known["touched"])]
        for corpus, kinds in figures.categories.items()
        for kind, known in kinds.items()
    ]


def _looks_text(figures: Figures) -> str:
    rows = [
        [kind, str(v["n"]), *(_short(v[key]) for key in ("largest", "p95", "within"))]
        for kind, v in figures.looks.items()
    ]
    head = ["probability moved by looks", "n", "largest", "95th percentile", f"within {STEADY}"]
    return columns(head, rows)


def _probability_text(figures: Figures) -> str:
    known = figures.probability
    if not known:
        return f"threshold {figures.threshold:.3f}"
    bins = "  ".join(f"{mean:.2f}:{share:.2f}" for mean, share in known["bins"])
    return (
        f"threshold {figures.threshold:.3f}\n"
        f"Brier skill {known['brier_skill']}: score {known['brier']}, always the prior "
        f"{known['prior']:.2f} {known['brier_of_prior']:.3f}\n"
        f"calibration error {known['calibration_error']}\n"
        f"probability:share of drift, tenths of the mix  {bins}"
    )


def _score_rows(figures: Figures) -> list[list[str]]:
    rows = []
    for name, entry in figures.corpora.items():
        for first, (method, measured) in _marked(entry.get("scores", {}).items()):
            head = [name, str(entry["n"]), str(entry["drift"])] if first else ["", "", ""]
            rows.append([*head, method, *(str(measured[key]) for key in _MEASURED)])
    rows += [
        ["mean" if first else "", "", "", method, str(value), "", ""]
        for first, (method, value) in _marked(figures.macro.items())
    ]
    return rows


def _judged_rows(figures: Figures) -> list[list[str]]:
    rows = []
    for corpus, entry in figures.judged.items():
        counts = [str(entry["n"].get(key, "-")) for key in _JUDGED]
        rows.append([corpus, "(pairs)", *counts])
        for method, measured in entry["scores"].items():
            rows.append(["", method, *(str(measured.get(key, "-")) for key in _JUDGED)])
    return rows


def _flag_rows(figures: Figures) -> list[list[str]]:
    return [
        [
            name,
            entry.get("best_simple", "-"),
            str(entry.get("lead", "-")),
            str(entry["flagged_drift"]),
            str(entry["flagged_sound"]),
        ]
        for name, entry in figures.corpora.items()
    ]


def _kinds_text(figures: Figures) -> str:
    entries = [e for kinds in figures.kinds.values() for e in kinds.values()]
    names = [name for name in SHORT if any(name in entry["worse"] for entry in entries)]
    meaning = {True: "drift", False: "harmless", None: "open"}
    rows = [
        [
            corpus if first else "",
            kind,
            meaning[entry["drift"]],
            str(entry["n"]),
            _short(entry["flagged"]),
            _short(entry["twin_flagged"]),
            *(_worse(entry["worse"], name) for name in names),
        ]
        for corpus, kinds in figures.kinds.items()
        for first, (kind, entry) in _marked(kinds.items())
    ]
    scored = [name if name != OURS else "worse by detector" for name in names]
    return columns(["twins", "kind", "label", "n", "flagged", "twin flagged", *scored], rows)


def _worse(estimates: Mapping[str, Any], name: str) -> str:
    if name not in estimates:
        return "-"
    return str(estimates[name]) if name == OURS else _short(estimates[name].value)


def _caught_rows(figures: Figures) -> list[list[str]]:
    return [
        [
            corpus if first else "",
            kind,
            entry["finder"],
            str(entry["n"]),
            _short(entry["caught"]),
            _short(entry["false_alarms"]),
        ]
        for corpus, kinds in figures.caught.items()
        for first, (kind, entry) in _marked(kinds.items())
    ]


def _sliced_text(title: str, sliced: Mapping[str, Mapping[str, Any]]) -> str:
    parts = [part for entry in sliced.values() for part in entry["parts"].values()]
    names = [name for name in SHORT if any(name in part["scores"] for part in parts)]
    measures = {"auroc": "AUROC", "points_tau_b": "tau-b"}
    rows = [
        [
            corpus if first else "",
            name,
            str(part["n"]),
            str(part["n_worse"]),
            measures[part["measure"]],
            *(_worse(part["scores"], score) for score in names),
        ]
        for corpus, entry in sliced.items()
        for first, (name, part) in _marked(entry["parts"].items())
    ]
    skipped = [
        f"{corpus} {entry['skipped']}" for corpus, entry in sliced.items() if entry["skipped"]
    ]
    blocks = [columns([f"by {title}", "", "n", "worse", "measure", *names], rows)]
    if skipped:
        blocks.append(
            f"left out by {title}, fewer than {FEWEST} rows of either side: {', '.join(skipped)}"
        )
    return "\n".join(block for block in blocks if block)


def _short(value: float) -> str:
    return f"{value:.3f}"


def _marked(items: Iterable[Any]) -> Iterable[tuple[bool, Any]]:
    """Say of each item whether it is the first."""
    return ((index == 0, item) for index, item in enumerate(items))


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
