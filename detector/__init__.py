"""Find where a machine round trip of an English text changed meaning or damaged names.

This room holds the public names and nothing else. They are loaded when first asked for, so that
`import detector` costs nothing.

Examples
--------
>>> import detector
>>> detector.Span(0, 3).of("Xi hints")
'Xi '
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.8.0"

if TYPE_CHECKING:
    from detector.archive.archive import Archive
    from detector.archive.articles import Article
    from detector.archive.match import Match, match
    from detector.errors import (
        BundleError,
        DetectorError,
        DetectorWarning,
        EncodeError,
        EncodingWarning,
        InputError,
        MissingExtra,
        TruncationWarning,
    )
    from detector.models.config import Signature
    from detector.records import Alignment, Bead, Document, NameChange, Passage, Row, Sentence, Span
    from detector.report.report import Report
    from detector.scorer import Scorer

__all__ = [
    "Alignment",
    "Archive",
    "Article",
    "Bead",
    "BundleError",
    "DetectorError",
    "DetectorWarning",
    "Document",
    "EncodeError",
    "EncodingWarning",
    "InputError",
    "Match",
    "MissingExtra",
    "NameChange",
    "Passage",
    "Report",
    "Row",
    "Scorer",
    "Sentence",
    "Signature",
    "Span",
    "TruncationWarning",
    "__version__",
    "match",
]

_ROOMS = {
    "detector.archive.archive": ("Archive",),
    "detector.archive.articles": ("Article",),
    "detector.archive.match": ("Match", "match"),
    "detector.errors": (
        "BundleError",
        "DetectorError",
        "DetectorWarning",
        "EncodeError",
        "EncodingWarning",
        "InputError",
        "MissingExtra",
        "TruncationWarning",
    ),
    "detector.records": (
        "Alignment",
        "Bead",
        "Document",
        "NameChange",
        "Passage",
        "Row",
        "Sentence",
        "Span",
    ),
    "detector.report.report": ("Report",),
    "detector.scorer": ("Scorer",),
    "detector.models.config": ("Signature",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_ROOM_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
