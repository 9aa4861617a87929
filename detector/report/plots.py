"""Plot reports and evaluation results: functions that draw on given axes and return them.

Needs matplotlib, which the extra `plot` brings. Nothing here opens a file or touches pyplot. What
colour shows, shape or place shows too; the colours are those of cividis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from detector.errors import InputError, MissingExtra
from detector.records import CHANGES
from detector.report.text import CHANGE_WORDS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from detector.report.data import ReportData

DARK, MIDDLE, LIGHT = "#00224e", "#7d7c78", "#dec958"
"""Three colours of cividis, apart in grey too."""

_MARKERS = "osD^vPX*"
_EDGE, _LINE = "#333333", "#555555"
_DOT: dict[str, Any] = {"edgecolors": _EDGE, "linewidths": 0.5, "zorder": 2}


def blank(width: float = 7.0, height: float = 4.0) -> Axes:
    """Return empty axes of a new figure of that size in inches, which belongs to no window.

    Raises
    ------
    MissingExtra
        When matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as err:
        msg = (
            'plots need matplotlib, which is not installed; pip install "roundtrip-detector[plot]"'
        )
        raise MissingExtra(msg) from err
    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def alignment_map(report: ReportData, ax: Axes) -> Axes:
    """Draw which sentences of the copy match which of the source, and how they drifted.

    The source goes along x, the copy along y, both in sentences from 1. Beads are dots, the darker
    the likelier their drift, squares where flagged; what one side alone holds is at that side's
    edge.
    """
    points: dict[bool, list[tuple[float, float, float]]] = {False: [], True: []}
    for bead in report.alignment.aligned:
        rows = report.rows[bead.copy.start : bead.copy.stop]
        drift = max((row.drift_probability or 0.0 for row in rows), default=0.0)
        flagged = any(row.drift_flag for row in rows)
        points[flagged].append((_middle(bead.source), _middle(bead.copy), drift))
    for flagged, group in points.items():
        x, y, shades = zip(*group, strict=True) if group else ((), (), ())
        dots = ax.scatter(
            x,
            y,
            c=shades,
            cmap="cividis_r",
            vmin=0.0,
            vmax=1.0,
            marker="s" if flagged else "o",
            s=26 if flagged else 18,
            label="flagged" if flagged else "bead",
            **_DOT,
        )
    left_out = [i + 1 for passage in report.omissions for i in passage.indices]
    around = [i + 1 for passage in report.outside for i in passage.indices]
    added = [row.copy_index + 1 for row in report.additions]
    ax.scatter(left_out, [0] * len(left_out), marker="|", color=DARK, label="left out")
    ax.scatter(around, [0] * len(around), marker="x", s=16, color=MIDDLE, label="page boilerplate")
    ax.scatter([0] * len(added), added, marker="_", color=DARK, label="added")
    ax.figure.colorbar(dots, ax=ax, label="drift probability")
    ax.set(xlabel="source sentence", ylabel="copy sentence")
    ax.set(xlim=(-1, report.n_source + 1), ylim=(report.n_copy + 1, -1))
    return _finished(ax)


def drift_along(report: ReportData, ax: Axes) -> Axes:
    """Draw the drift probability of each copy sentence along the document.

    The copy goes along x in sentences from 1. Flagged sentences are squares, others circles, and
    those with a damaged name have a triangle above; sentences that were not judged have nothing.
    """
    for flagged in (False, True):
        points = [
            (row.copy_index + 1, row.drift_probability)
            for row in report.rows
            if row.drift_probability is not None and row.drift_flag == flagged
        ]
        place, drift = zip(*points, strict=True) if points else ((), ())
        ax.vlines(place, 0.0, drift, color=_LINE, linewidth=1.0, zorder=1)
        ax.scatter(
            place,
            drift,
            marker="s" if flagged else "o",
            s=24 if flagged else 16,
            color=DARK if flagged else LIGHT,
            label="flagged" if flagged else "not flagged",
            **_DOT,
        )
    named = [
        row.copy_index + 1 for row in report.rows if any(map(report.is_damaged, row.name_changes))
    ]
    ax.scatter(named, [1.05] * len(named), marker="v", color=MIDDLE, label="damaged name", s=20)
    ax.axhline(report.threshold, linestyle="--", label="threshold", color=_LINE, linewidth=1.0)
    ax.set(xlabel="copy sentence", ylabel="drift probability", ylim=(0.0, 1.1))
    ax.set_xlim(0, report.n_copy + 1)
    return _finished(ax)


def name_changes(reports: Iterable[ReportData], ax: Axes) -> Axes:
    """Draw how many names of one or many reports changed, by kind, the most frequent on top.

    Damaged names are dark; slips and unsure changes are light and hatched.
    """
    damaged: Counter[str] = Counter()
    unsure: Counter[str] = Counter()
    for report in reports:
        for change in report.names:
            if change.change != "kept":
                (damaged if report.is_damaged(change) else unsure)[change.change] += 1
    total = damaged + unsure
    kinds = sorted((kind for kind in CHANGES if total[kind]), key=lambda kind: total[kind])
    words = [CHANGE_WORDS[kind] for kind in kinds]
    sure = [damaged[kind] for kind in kinds]
    ax.barh(words, sure, color=DARK, label="damaged")
    ax.barh(
        words,
        [unsure[kind] for kind in kinds],
        left=sure,
        color=LIGHT,
        hatch="////",
        edgecolor=_EDGE,
        label="slip, or unsure",
    )
    ax.set(xlabel="names")
    ax.locator_params(axis="x", integer=True)
    return _finished(ax)


def reliability(
    bins: Iterable[tuple[float, float, float]], ax: Axes, *, label: str = "", marker: str = "o"
) -> Axes:
    """Draw a reliability diagram: how often predictions of a probability came true.

    Parameters
    ----------
    bins : iterable of (float, float, float)
        Mean probability in [0, 1], share in [0, 1] that came true, and weight of each bin, as
        `detector.training.evaluate.metrics.reliability` returns them.
    ax : Axes
        May hold other curves already.
    label, marker : str
        Name of the curve, and its mark.
    """
    points = list(bins)
    if not ax.lines:
        ax.plot([0, 1], [0, 1], linestyle="--", label="calibrated", color=_LINE, linewidth=1.0)
    shade = (DARK, MIDDLE, LIGHT)[(len(ax.lines) - 1) % 3]
    x, y = [p for p, _, _ in points], [share for _, share, _ in points]
    ax.plot(x, y, color=shade, marker=marker, markersize=5, label=label or "observed", zorder=2)
    ax.set(xlabel="probability", ylabel="share that came true", xlim=(0, 1), ylim=(0, 1))
    ax.set_aspect("equal")
    return _finished(ax)


def comparison(frame: pd.DataFrame, ax: Axes, *, by: str) -> Axes:
    """Draw values of several scores side by side, by pivot, by kind or by another column.

    Parameters
    ----------
    frame : DataFrame
        Columns `by`, `score` (name of the score), `value`, and where there is an interval `low`
        and `high`.
    ax : Axes
        The values go along x, the groups along y, in the frame's order.
    by : str
        Column to group the rows by, such as "pivot" or "kind".

    Raises
    ------
    InputError
        When a column is missing.
    """
    missing = [name for name in (by, "score", "value") if name not in frame.columns]
    if missing:
        msg = (
            f"frame has no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}"
        )
        raise InputError(msg)
    groups = list(dict.fromkeys(frame[by]))
    scores = list(dict.fromkeys(frame["score"]))
    shades = (DARK, MIDDLE, LIGHT)
    for k, score in enumerate(scores):
        part = frame[frame["score"] == score]
        shift = 0.5 * ((k + 0.5) / len(scores) - 0.5)
        y = [groups.index(group) + shift for group in part[by]]
        spread = None
        if {"low", "high"} <= set(frame.columns):
            spread = [part["value"] - part["low"], part["high"] - part["value"]]
        ax.errorbar(
            part["value"],
            y,
            xerr=spread,
            fmt=_MARKERS[k % len(_MARKERS)],
            color=shades[k % 3],
            ecolor=_LINE,
            elinewidth=1.0,
            markeredgecolor=_EDGE,
            markersize=6,
            label=str(score),
        )
    ax.set_yticks(range(len(groups)), [str(group) for group in groups])
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.grid(axis="x", color="#dddddd")
    ax.set_axisbelow(True)
    return _finished(ax)


def _middle(sentences: range) -> float:
    """Return the middle of a range of sentences that count from 1."""
    return (sentences.start + sentences.stop + 1) / 2


def _finished(ax: Axes) -> Axes:
    """Remove half of the frame and add a legend below the axes."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.14), ncols=5, frameon=False, fontsize=8)
    return ax
