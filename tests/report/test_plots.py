from __future__ import annotations

import io
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from support.sample_reports import empty, reports, sample

from detector.errors import InputError, MissingExtra
from detector.report import plots
from detector.report.report import Report

BINS = [(0.1, 0.05, 3.0), (0.5, 0.6, 2.0), (0.9, 0.95, 1.0)]


def dots(ax: Axes) -> dict[str, list[tuple[float, float]]]:
    """Return the points of each scatter by its label."""
    return {
        str(drawn.get_label()): [tuple(map(float, point)) for point in drawn.get_offsets()]
        for drawn in ax.collections
        if isinstance(drawn, PathCollection)
    }


def drawn(ax: Axes) -> bytes:
    """Draw the figure: what cannot be drawn raises."""
    out = io.BytesIO()
    ax.figure.savefig(out, format="png")
    return out.getvalue()


def test_plots_return_the_axes_they_were_given() -> None:
    ax = plots.blank()
    assert plots.alignment_map(sample(), ax) is ax
    assert plots.drift_along(sample(), plots.blank()).figure.axes
    assert drawn(ax).startswith(b"\x89PNG")


def test_plots_map_beads_by_place_shape_and_drift() -> None:
    ax = plots.alignment_map(sample(), plots.blank())
    points = dots(ax)
    assert points["bead"] == [(1.0, 1.0), (4.0, 5.0), (6.0, 6.0)]
    assert points["flagged"] == [(2.0, 2.0), (3.0, 3.5)]
    assert points["left out"] == [(5.0, 0.0)]
    assert points["page boilerplate"] == [(7.0, 0.0), (8.0, 0.0)]
    assert points["added"] == [(0.0, 7.0)]
    shades = [c.get_array() for c in ax.collections if c.get_label() == "flagged"]
    assert np.asarray(shades[0]).tolist() == [0.64, 0.93]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the copy reads downwards


def test_plots_drift_along_the_copy_leaves_out_what_was_not_judged() -> None:
    ax = plots.drift_along(sample(), plots.blank())
    points = dots(ax)
    assert points["flagged"] == [(2.0, 0.64), (3.0, 0.93)]
    assert points["not flagged"] == [(1.0, 0.12), (4.0, 0.31), (5.0, 0.48), (6.0, 0.05)]
    assert [x for x, _ in points["damaged name"]] == [3.0, 5.0]
    (threshold,) = (line for line in ax.lines if line.get_label() == "threshold")
    assert list(threshold.get_ydata()) == [0.5, 0.5]


def test_plots_count_names_by_kind_and_tell_damage_from_slips() -> None:
    ax = plots.name_changes([sample(), sample()], plots.blank())
    words = [label.get_text() for label in ax.get_yticklabels()]
    assert words == ["possessive slipped", "garbled", "read as a word"]
    widths = [[bar.get_width() for bar in bars] for bars in ax.containers]
    assert widths == [[0, 2, 2], [2, 0, 0]]
    assert [bar.get_hatch() for bar in ax.containers[1]] == ["////"] * 3


def test_plots_reliability_draws_each_curve_beside_the_diagonal() -> None:
    ax = plots.reliability(BINS, plots.blank(), label="ours")
    plots.reliability(BINS[:2], ax, label="theirs", marker="s")
    lines = {str(line.get_label()): line.get_xydata().tolist() for line in ax.lines}
    assert lines["calibrated"] == [[0, 0], [1, 1]]
    assert lines["ours"] == [[0.1, 0.05], [0.5, 0.6], [0.9, 0.95]]
    assert lines["theirs"] == [[0.1, 0.05], [0.5, 0.6]]
    assert len({line.get_color() for line in ax.lines}) == 3


def test_plots_comparison_keeps_order_and_intervals() -> None:
    frame = pd.DataFrame(
        {
            "pivot": ["fr", "fr", "de"],
            "score": ["ours", "cosine", "ours"],
            "value": [0.9, 0.8, 0.7],
            "low": [0.8, 0.7, 0.6],
            "high": [0.95, 0.85, 0.75],
        }
    )
    ax = plots.comparison(frame, plots.blank(), by="pivot")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["fr", "de"]
    marks = {bars.get_label(): bars for bars in ax.containers}
    assert list(marks["ours"][0].get_xdata()) == [0.9, 0.7]
    spread = marks["ours"][2][0].get_segments()
    assert [pytest.approx(segment[:, 0]) for segment in spread] == [[0.8, 0.95], [0.6, 0.75]]
    assert len({bars[0].get_marker() for bars in ax.containers}) == 2
    bare = plots.comparison(frame[["pivot", "score", "value"]], plots.blank(), by="pivot")
    assert list(bare.containers[0][0].get_xdata()) == [0.9, 0.7]


def test_plots_comparison_says_what_its_frame_lacks() -> None:
    frame = pd.DataFrame({"kind": ["number"], "value": [0.5]})
    with pytest.raises(InputError, match="no column pivot, score; it has kind, value"):
        plots.comparison(frame, plots.blank(), by="pivot")


def test_plots_colours_are_apart_in_grey() -> None:
    def grey(colour: str) -> float:
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    dark, middle, light = map(grey, (plots.DARK, plots.MIDDLE, plots.LIGHT))
    assert middle - dark > 60
    assert light - middle > 60


@pytest.mark.slow
@settings(max_examples=15)
@given(reports())
def test_plots_draw_any_report(report: Report) -> None:
    points = dots(plots.alignment_map(report, plots.blank()))
    assert len(points["bead"]) + len(points["flagged"]) == len(report.alignment.aligned)
    points = dots(plots.drift_along(report, plots.blank()))
    judged = [row for row in report.rows if row.drift_probability is not None]
    assert len(points["not flagged"]) + len(points["flagged"]) == len(judged)
    plots.name_changes([report], plots.blank())


def test_plots_of_nothing_can_be_drawn() -> None:
    assert drawn(plots.alignment_map(empty(), plots.blank()))
    assert drawn(plots.drift_along(replace(empty()), plots.blank()))
    assert drawn(plots.name_changes([], plots.blank()))
    assert drawn(plots.reliability([], plots.blank()))


def test_plots_name_the_extra_when_matplotlib_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r'pip install "roundtrip-detector\[plot\]"'):
        plots.blank()
