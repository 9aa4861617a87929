from __future__ import annotations

import re

import pytest
from hypothesis import given
from support.sample_reports import reports, sample

from detector.records import Alignment, Bead
from detector.report.html import MAX_LISTED
from detector.report.html import alignment_fragment as fragment
from detector.report.report import Report


def test_beads_counts_and_lists_an_alignment() -> None:
    text = fragment(sample().alignment)
    assert "8 source and 7 copy sentences: 4 beads of one and one, 1 of more" in text
    assert "3 source sentences left out, 1 copy sentences added" in text
    assert "<td>3</td><td>3–4</td><td>0.75</td>" in text
    assert "<td>7–8</td><td>–</td><td>–</td>" in text
    assert "source 3, copy 3–4, cosine 0.75" in text


@pytest.mark.slow
@given(reports())
def test_beads_map_marks_every_bead_within_its_frame(report: Report) -> None:
    text = fragment(report.alignment)
    marks = re.findall(
        r'<rect class="(\w+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', text
    )
    assert len(marks) == len(report.alignment.beads)
    assert sum(look == "bead" for look, *_ in marks) == len(report.alignment.aligned)
    frame = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    for _, x, y, width, height in marks:
        assert frame
        assert float(x) + float(width) <= float(frame[1]) + 2
        assert float(y) + float(height) <= float(frame[2]) + 2


def test_beads_an_empty_alignment_has_no_map() -> None:
    assert "<svg" not in fragment(Alignment(beads=(), n_source=0, n_copy=0))


def test_beads_lists_so_many_and_says_how_many_more() -> None:
    beads = tuple(
        Bead(source=range(k, k + 1), copy=range(k, k + 1), similarity=0.9)
        for k in range(MAX_LISTED + 3)
    )
    text = fragment(Alignment(beads=beads, n_source=len(beads), n_copy=len(beads)))
    assert text.count("<tr><td>") == MAX_LISTED
    assert "3 more are not listed" in text


def test_beads_are_what_an_alignment_shows_in_a_notebook() -> None:
    assert sample().alignment._repr_html_() == fragment(sample().alignment)
