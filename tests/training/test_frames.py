"""Figures as frames: what the package's own bundle keeps, row for row."""

from __future__ import annotations

import io
from typing import Any

import pytest

from detector.errors import InputError
from detector.models.store import read_metrics
from detector.report import plots
from detector.training.evaluate.report import PARTS, SCORES, bins_of, frame_of


@pytest.fixture(scope="module")
def figures() -> Any:
    return read_metrics()["held_apart"]


def test_figure_frames_hold_every_corpus_that_was_scored(figures: Any) -> None:
    frame = frame_of(figures, "corpora")
    scored = {name for name, entry in figures["corpora"].items() if "scores" in entry}
    assert set(frame["corpus"]) == scored
    assert len(frame) == len(scored) * len(SCORES)
    row = frame[(frame["corpus"] == "wmt") & (frame["score"] == "detector")].iloc[0]
    kept = figures["corpora"]["wmt"]["scores"]["detector"]["auroc"]
    assert [row["value"], row["low"], row["high"]] == kept


@pytest.mark.parametrize(
    ("part", "corpus"), [("corpora", None), ("kinds", "demetr"), ("languages", "biomqm")]
)
def test_figure_frames_can_be_drawn(figures: Any, part: str, corpus: str | None) -> None:
    frame = frame_of(figures, part, corpus=corpus)
    assert frame["value"].between(frame["low"], frame["high"]).all()
    ax = plots.comparison(frame, plots.blank(), by=PARTS[part])
    assert len(ax.get_yticks()) == frame[PARTS[part]].nunique()
    out = io.BytesIO()
    ax.figure.savefig(out, format="png")
    assert out.tell() > 0


def test_figure_frames_give_bins_that_weigh_one_together(figures: Any) -> None:
    bins = bins_of(figures)
    assert [[told, true] for told, true, _ in bins] == figures["probability"]["bins"]
    assert sum(weight for _, _, weight in bins) == pytest.approx(1.0)
    assert bins_of({"probability": {}}) == []


@pytest.mark.parametrize(("part", "told"), [("corpus", "no part 'corpus'"), ("kinds", "demetr")])
def test_figure_frames_name_what_is_not_there(figures: Any, part: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        frame_of(figures, part, corpus="none")
