"""How the command line talks: results to stdout, talk to stderr, one line each.

Everything written to stderr is made safe here. Nothing here knows what is being said.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from detector.errors import DetectorWarning
from detector.showing.display import safe


def put(text: str) -> None:
    """Write a result to stdout; a reader who has gone away is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout again at exit: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(text: str) -> None:
    """Write one safe line to stderr."""
    sys.stderr.write(f"{safe(text)}\n")
    sys.stderr.flush()


@contextmanager
def status(doing: str, *, quiet: bool = False) -> Iterator[None]:
    """Show on stderr what is being done and for how long, while it lasts; on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    line = f"\r\x1b[K{safe(doing)} ..."

    def show() -> None:
        began = time.monotonic()
        sys.stderr.write(line)
        sys.stderr.flush()
        while not done.wait(1.0):
            sys.stderr.write(f"{line} {time.monotonic() - began:.0f} s")
            sys.stderr.flush()

    clock = threading.Thread(target=show, daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


@contextmanager
def bar(total: int, doing: str, unit: str, *, quiet: bool) -> Iterator[Callable[[int], object]]:
    """Show how far long work has come, its rate and the time left; on a terminal only.

    Yields
    ------
    callable
        To be told how many more of `total` are done.
    """
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    with tqdm(total=total, unit=unit, desc=doing, disable=hidden) as shown:
        yield shown.update


@contextmanager
def own_warnings() -> Iterator[None]:
    """Show our own warnings, a line each, and no library's."""

    def show(  # noqa: PLR0913 - the signature of warnings.showwarning
        message: Warning | str,
        category: type[Warning],
        filename: str,  # noqa: ARG001
        lineno: int,  # noqa: ARG001
        file: TextIO | None = None,  # noqa: ARG001
        line: str | None = None,  # noqa: ARG001
    ) -> None:
        if issubclass(category, DetectorWarning):
            tell(f"detector: warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", DetectorWarning)
        warnings.showwarning = show
        yield
