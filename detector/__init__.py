"""Find where a machine round trip of an English text changed meaning or damaged names.

This module exports the public names and imports each on first use, so that `import detector`
loads no numerical library.

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

__version__ = "0.9.0"

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
        TaggerWarning,
        TruncationWarning,
    )
    from detector.models.bundle_config import Signature
    from detector.records import (
        Alignment,
        Bead,
        Document,
        ErrorSpan,
        NameChange,
        NumberChange,
        Passage,
        Pivot,
        Relation,
        Row,
        Sentence,
        Span,
    )
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
    "ErrorSpan",
    "InputError",
    "Match",
    "MissingExtra",
    "NameChange",
    "NumberChange",
    "Passage",
    "Pivot",
    "Relation",
    "Report",
    "Row",
    "Scorer",
    "Sentence",
    "Signature",
    "Span",
    "TaggerWarning",
    "TruncationWarning",
    "__version__",
    "match",
]

_MODULES = {
    "archive.archive": "Archive",
    "archive.articles": "Article",
    "archive.match": "Match match",
    "errors": "BundleError DetectorError DetectorWarning EncodeError EncodingWarning InputError "
    "MissingExtra TaggerWarning TruncationWarning",
    "models.bundle_config": "Signature",
    "records": "Alignment Bead Document ErrorSpan NameChange NumberChange Passage Pivot Relation "
    "Row Sentence Span",
    "report.report": "Report",
    "scorer": "Scorer",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
