#!/usr/bin/env python3
"""Make `data/example/copy.txt`: the true round trip of `data/example/source.txt`.

The copy is the translator's output, not edited. The article goes from English to
Spanish and back through apertium, a free rule-based translator; on Debian and its kin::

    sudo apt-get install apertium apertium-eng-spa
    python3 data/make_example.py           # writes data/example/copy.txt
    python3 data/make_example.py --check   # checks that it would be the same

Nothing but Python's standard library is needed, and neither `make demo` nor `make test` needs
this script. The committed copy came from apertium 3.8.3 and apertium-eng-spa 0.8.1; other
versions may translate otherwise.

Before translation, as in published copies:

- Boilerplate is removed: the byline, the photo caption and everything from the visit counter on
  (see `body`).
- Characters outside ASCII are removed, so curly quotes, dashes, accents and currency signs are
  lost and `Spain’s` reaches the translator as `Spains` (see `ascii_only`).

Apertium marks words it does not know with `*`, `@` or `#`; its own option `-u` leaves the marks
out.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent / "example"
DIRECTIONS = ("eng-spa", "spa-eng")

LEFT_OUT = re.compile(r"By [A-Z]|.*\(Photo:")  # matched at the start of a paragraph
END_OF_ARTICLE = re.compile(r"Visited \d+ times")


def body(article: str) -> list[str]:
    """Return the headline and the paragraphs of the article proper, without boilerplate."""
    paragraphs = []
    for paragraph in article.strip().split("\n\n"):
        if END_OF_ARTICLE.match(paragraph):
            break
        if not LEFT_OUT.match(paragraph):
            paragraphs.append(paragraph)
    return paragraphs


def ascii_only(text: str) -> str:
    """Return `text` without its characters outside ASCII; nothing is put in their place."""
    return text.encode("ascii", errors="ignore").decode("ascii")


def translate(text: str, direction: str) -> str:
    """Return apertium's translation of a plain text, unknown words unmarked.

    Raises
    ------
    SystemExit
        If apertium or its language pair is not installed.
    """
    try:
        done = subprocess.run(
            ["apertium", "-u", "-f", "txt", direction],
            input=text,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "LC_ALL": "C.UTF-8"},  # apertium reads in the locale's encoding
            check=True,
        )
    except FileNotFoundError:
        sys.exit("apertium is not installed; see the head of data/make_example.py")
    except subprocess.CalledProcessError as err:
        sys.exit(f"apertium {direction} failed: {(err.stderr or err.stdout).strip()}")
    return done.stdout


def round_trip(article: str) -> str:
    """Return the article as it comes back, one paragraph for one, parted by blank lines."""
    text = ascii_only("\n\n".join(body(article))) + "\n"
    for direction in DIRECTIONS:
        text = translate(text, direction)
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Write the copy, or check that the committed one is the same."""
    parser = argparse.ArgumentParser(description="Round trip of data/example/source.txt")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if the copy would differ"
    )
    check = parser.parse_args(argv).check
    copy = round_trip((EXAMPLE / "source.txt").read_text(encoding="utf-8"))
    target = EXAMPLE / "copy.txt"
    if check:
        same = target.read_text(encoding="utf-8") == copy
        print(f"{target.name}: {'as committed' if same else 'differs from the committed file'}")
        return 0 if same else 1
    target.write_text(copy, encoding="utf-8", newline="\n")
    print(f"{target.name}: {len(copy)} characters written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
