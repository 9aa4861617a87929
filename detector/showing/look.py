"""The style and the script of a page, and the policy that lets a browser run these and no other.

Reads the two files that lie beside this one, once; it knows nothing of reports.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files


@cache
def style() -> str:
    """Return the style of pages and fragments; every rule of it stays within class `rtd`."""
    return _read("page.css")


@cache
def script() -> str:
    """Return the script of a page: filters, keys and the threshold."""
    return _read("page.js")


def policy() -> str:
    """Return the content-security policy of a page: its own style and script, nothing else."""
    return (
        f"default-src 'none'; style-src '{_digest(style())}'; script-src '{_digest(script())}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _read(name: str) -> str:
    return (files("detector.showing") / name).read_text(encoding="utf-8").strip()


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
