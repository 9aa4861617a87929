"""Take the README's picture of the page, of the bundled example: `python tests/take_picture.py`."""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path

from PIL import Image
from support.browser import launched

from detector import Scorer
from detector.report.html import page

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "data" / "example"
OUT = ROOT / "docs" / "page.png"


def main() -> None:
    copy, source = ((EXAMPLE / f"{name}.txt").read_text("utf-8") for name in ("copy", "source"))
    report = Scorer().score(copy=copy, source=source)
    with tempfile.TemporaryDirectory() as folder, launched(Path(folder) / "profile") as shown:
        path = Path(folder) / "report.html"
        path.write_text(page(report, title="copy.txt against source.txt"), encoding="utf-8")
        shown.screen(1120)
        shown.open(path)
        shown.ask("document.querySelector('.legend').scrollIntoView()")
        shown.ask(
            "document.querySelectorAll('mark.loud[tabindex]')[2].focus({preventScroll: true})"
        )
        picture = base64.b64decode(shown.command("Page.captureScreenshot", format="png")["data"])
    Image.open(io.BytesIO(picture)).quantize(128).save(OUT, optimize=True)


if __name__ == "__main__":
    main()
