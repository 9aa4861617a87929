"""A real browser for the tests of pages: Debian's chromium, headless, driven by selenium.

Nothing is downloaded: both programs are taken from where Debian puts them, and where one is
missing the tests skip and say so. With DETECTOR_BROWSER=required they fail instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


class Page:
    """A page in the browser, and what a test asks of it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def ask(self, script: str, *arguments: object) -> Any:
        """Return the value of a JavaScript expression; `arguments` is at hand in it."""
        return self.driver.execute_script(f"return {script}", *arguments)

    def one(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def shown(self, selector: str) -> list[str]:
        """Return the text of the elements that are laid out."""
        return self.ask(
            "[...document.querySelectorAll(arguments[0])]"
            ".filter(e => e.checkVisibility()).map(e => e.textContent)",
            selector,
        )

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def command(self, name: str, **options: object) -> Any:
        return self.driver.execute_cdp_cmd(name, options)

    def console(self) -> list[str]:
        """Return the console messages since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def screen(self, width: int = 1280, *, scheme: str = "light", media: str = "") -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=844 if width < 500 else 900,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        self.command(
            "Emulation.setEmulatedMedia",
            media=media,
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def scripts(self, *, on: bool) -> None:
        self.command("Emulation.setScriptExecutionDisabled", value=not on)

    def open(self, path: Path) -> None:
        self.driver.get(path.as_uri())


def missing() -> str | None:
    """Return what is missing, in words; None where a browser can be driven."""
    absent = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if absent:
        return f"no {' and no '.join(absent)} here (Debian: chromium, chromium-driver)"
    return None


@contextmanager
def launched(profile: Path) -> Iterator[Page]:
    """Start a browser with an empty profile, and end it."""
    reason = missing()
    if reason is not None:
        if os.environ.get("DETECTOR_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    if os.geteuid() == 0:  # chromium's sandbox refuses to run as root
        options.add_argument("--no-sandbox")
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Page(driver)
    finally:
        driver.quit()
