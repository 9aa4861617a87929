"""The errors and warnings that `detector` raises.

Every error is a `DetectorError` and also the builtin a caller would expect::

    DetectorError
    ├── InputError    (ValueError)    a text, file, option or table that cannot be used
    ├── BundleError   (ValueError)    a model bundle that is damaged, foreign or too old
    ├── EncodeError   (RuntimeError)  an encoder that cannot be loaded or trusted
    └── MissingExtra  (ImportError)   an optional package that is not installed

    DetectorWarning (UserWarning)     degraded but usable; the Report says so too
    ├── EncodingWarning               a file's character encoding was guessed
    ├── TaggerWarning                 the bundle's tagger was skipped
    └── TruncationWarning             a sentence is longer than the encoder reads

A message gives the fact, where it was found, and what would be accepted.
"""

from __future__ import annotations


class DetectorError(Exception):
    """Root of every error raised on purpose by `detector`."""


class InputError(DetectorError, ValueError):
    """A text, file, option or table that cannot be used."""


class BundleError(DetectorError, ValueError):
    """A model bundle that is damaged, foreign or of another version."""


class EncodeError(DetectorError, RuntimeError):
    """An encoder that cannot be loaded, or whose weights are not the ones expected."""


class MissingExtra(DetectorError, ImportError):  # noqa: N818 - named for what is missing
    """An optional package that is needed now and is not installed."""


class DetectorWarning(UserWarning):
    """Something degraded but usable; the Report carries the same fact."""


class EncodingWarning(DetectorWarning):
    """The character encoding of a file was guessed, not declared."""


class TaggerWarning(DetectorWarning):
    """The bundle's tagger was skipped: the encoder gives no token vectors for it."""


class TruncationWarning(DetectorWarning):
    """A sentence is longer than the encoder reads; its end was not seen."""
