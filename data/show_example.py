#!/usr/bin/env python3
"""Show a report that `detector score --out REPORT.json` left, and leave it as page and table too.

    python data/show_example.py out/example.json   # prints; writes out/example.html, .csv

A report's JSON holds all of it, so nothing is scored and no model is loaded here; `make demo`
uses this to pay for one scoring instead of four.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from detector import Report
from detector.html import page
from detector.tables import csv_text
from detector.terminal import render


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report as the terminal's table, and write it beside the JSON in two forms."""
    parser = argparse.ArgumentParser(description="A report in every form, from its JSON")
    parser.add_argument("report", type=Path, help="JSON written by detector score")
    source: Path = parser.parse_args(argv).report
    report = Report.from_json(source.read_text(encoding="utf-8"))
    written = [source, source.with_suffix(".html"), source.with_suffix(".csv")]
    written[1].write_text(page(report), encoding="utf-8")
    written[2].write_text(csv_text(report.rows), encoding="utf-8", newline="")
    width = shutil.get_terminal_size((100, 24)).columns
    print(render(report, width=min(width, 120), colour=sys.stdout.isatty()))
    print("The report is in", *written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
