"""Time how a report page of 5,000 rows is made, opened and filtered.

Needs chromium and its driver, as the tests of the page do. Times are of this machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.browser import launched, missing
from support.sample_reports import many

from detector.report.html import page

N_ROWS, N_TIMES = 5000, 5
FILTER = "document.querySelector('input[value=garbled]').click()"
SLIDER = (
    "(s => { s.value = s.value < 0.4 ? 0.5 : 0.3; "
    "s.dispatchEvent(new Event('input', {bubbles: true})); })"
    "(document.querySelector('input[type=range]'))"
)
NEXT = "document.querySelector('.mover [name=next]').click()"
TIMED = (
    "(() => { const began = performance.now(); %s; "
    "document.querySelector('.rows').offsetHeight; return performance.now() - began; })()"
)
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def main() -> None:
    began = time.perf_counter()
    text = page(many(N_ROWS))
    print(f"{N_ROWS:,} rows, {len(text) / 1e6:.1f} MB")
    print(f"made in {time.perf_counter() - began:.2f} s")
    if (reason := missing()) is not None:
        print(f"not opened: {reason}")
        return
    with tempfile.TemporaryDirectory() as folder, launched(Path(folder) / "profile") as shown:
        path = Path(folder) / "report.html"
        path.write_text(text, encoding="utf-8")
        shown.screen()
        opened = []
        for _ in range(N_TIMES):
            shown.open(path)
            opened.append(shown.ask(LOADED))
        print(f"opened in {statistics.median(opened):.0f} ms (median of {N_TIMES})")
        for what, script in (("filter", FILTER), ("threshold", SLIDER), ("next finding", NEXT)):
            times = [shown.ask(TIMED % script) for _ in range(N_TIMES)]
            print(f"{what} in {statistics.median(times):.0f} ms")


if __name__ == "__main__":
    main()
