from __future__ import annotations

import io
import logging
import os
import sys
import time
import warnings

import pytest

from detector.cli.options import (
    ReaderLeftError,
    own_warnings,
    print_message,
    print_result,
    status,
)
from detector.errors import DetectorWarning


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_console_status_tells_the_time_and_cleans_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with status("scoring a\x1b[2J.txt"):
        time.sleep(1.2)
    said = sys.stderr.getvalue()
    assert said.startswith("\r\x1b[Kscoring a⟦U+001B⟧[2J.txt ...")
    assert " 1 s" in said
    assert said.endswith("\r\x1b[K")


def test_console_status_is_silent_when_asked_or_off_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stream, quiet in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with status("scoring", quiet=quiet):
            pass
        assert stream.getvalue() == ""


def test_console_status_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(KeyboardInterrupt), status("scoring"):
        raise KeyboardInterrupt
    assert sys.stderr.getvalue().endswith("\r\x1b[K")


def test_console_tells_one_safe_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_message("two\nlines \u202e")
    assert capsys.readouterr().err == "two lines ⟦U+202E⟧\n"


def test_console_shows_our_warnings_only_and_puts_the_rest_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = warnings.showwarning
    with own_warnings():
        warnings.warn("noise", DeprecationWarning, stacklevel=1)
        warnings.warn("a fact", DetectorWarning, stacklevel=1)
    assert capsys.readouterr().err == "detector: warning: a fact\n"
    assert warnings.showwarning is before


def test_console_hides_the_logs_of_libraries_and_puts_them_back(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logger = logging.getLogger("a_library")
    with own_warnings():
        logger.error("a page says \x1b[2J")
    assert capsys.readouterr().err == ""
    logger.error("heard")
    assert "heard" in capsys.readouterr().err


def test_console_reader_who_left_is_a_reason_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(ReaderLeftError):
            print_result("one\n")
