"""Read files and standard input as text; write whole files.

Text is returned as decoded: line ends stay, nothing is normalised. The main text of a web page has
its paragraphs separated by blank lines.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import secrets
import stat
import sys
import warnings
from pathlib import Path
from typing import BinaryIO, Final

from detector.errors import EncodingWarning, InputError
from detector.text.pages import main_text

_PLAIN: Final = frozenset({"", ".txt", ".text", ".md", ".markdown"})
_PAGES: Final = frozenset({".html", ".htm", ".xhtml"})
_ACCEPTED: Final = "give a .txt, .md or .html file, or '-' for standard input"
_LONGEST: Final = 1 << 26  # bytes of a text; more than the longest article can have

_MARKS: Final = (  # the longer first: UTF-32's mark starts with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAGIC: Final = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF89a", "a GIF image"),
    (b"\x1f\x8b", "gzipped data"),
    (b"\xfd7zXZ", "xz data"),
    (b"\x7fELF", "a program"),
)
_DECLARED: Final = re.compile(
    rb"<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)"
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_FITTING: Final = re.compile(
    r"[‘’“”‚„«»–—…•·£€¥§©®™°±½¼¾¿¡\xa0]|(?<=[A-Za-z])[à-öø-ÿœšž]|[à-öø-ÿœšž](?=[a-z])|"
    r"(?<![a-z])[À-ÖØ-ÞŒŠŽ](?=[a-z])"
)


def read(path: str | Path, *, encoding: str | None = None) -> str:
    """Read a text, without a byte order mark; of a web page its main text.

    Parameters
    ----------
    path : str or Path
        A `.txt` or `.md` file (or one without a suffix), a saved web page (`.html`, `.htm`), or
        `-` for plain text on standard input.
    encoding : str, optional
        The character encoding. By default a byte order mark decides, else UTF-8 if the bytes are
        valid, else what a web page declares, else a guess for English, with a warning: UTF-16
        without a mark, UTF-8 with a few damaged bytes (each becomes U+FFFD), Windows-1252, Mac
        Roman. Other bytes are refused.

    Raises
    ------
    InputError
        When the file is absent, no regular file, empty, over 64 MiB, binary, of another kind or
        not in the encoding named, or that encoding is unknown.
    MissingExtra
        When a web page is to be read and trafilatura is not installed.

    Warns
    -----
    EncodingWarning
        When the encoding was guessed, or UTF-8 holds damaged bytes.
    """
    name = _shown(path)
    suffix = "" if str(path) == "-" else Path(path).suffix.lower()
    if suffix not in _PLAIN | _PAGES:
        msg = f"{name} ends in {suffix}, which is not read; {_ACCEPTED}"
        raise InputError(msg)
    data = _stdin() if str(path) == "-" else read_bytes(Path(path))
    if not data:
        msg = f"{name} is empty; give a text of at least one sentence"
        raise InputError(msg)
    page = suffix in _PAGES
    text, doubt = _decoded(data, name, encoding, page=page)
    if doubt:
        warnings.warn(f"{name}: {doubt}", EncodingWarning, stacklevel=2)
    text = text.removeprefix("\ufeff")
    controls = len(_CONTROL.findall(text))
    if controls > max(8, len(text) // 100):
        msg = f"{name} is binary: {controls} of {len(text)} characters are controls; {_ACCEPTED}"
        raise InputError(msg)
    if page:
        text = main_text(text, name)
    if not re.search(r"[^\W_]", text):
        what = "no letter or digit" if text.strip() else "only white space"
        msg = f"{name} holds {what}; give a text of at least one sentence"
        raise InputError(msg)
    return text


def _shown(path: str | Path) -> str:
    """Return a path for a message: on one line, with nothing hidden."""
    name = "standard input" if str(path) == "-" else str(path)
    return name if name.isprintable() and name else repr(name)


def _stdin() -> bytes:
    try:
        return _bounded(sys.stdin.buffer, "standard input")
    except (AttributeError, OSError) as err:
        msg = f"standard input cannot be read ({err}); pipe a text into it or give a file"
        raise InputError(msg) from err


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a text file or a page, of at most 64 MiB; else raise `InputError`."""
    check_file(path, accepted=_ACCEPTED)
    try:
        with path.open("rb") as file:
            return _bounded(file, _shown(path))
    except OSError as err:
        raise _unread(path, err, _ACCEPTED) from err


def _bounded(file: BinaryIO, name: str) -> bytes:
    data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        msg = f"{name} is longer than {_LONGEST >> 20} MiB; give one article"
        raise InputError(msg)
    return data


def check_file(path: Path, *, accepted: str) -> None:
    """Raise `InputError`, ending in `accepted`, unless a path is a regular file or links to one.

    A pipe without a writer would be waited for without end, and a device may have no end.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as err:
        raise _unread(path, err, accepted) from err
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device, not a file"
        msg = f"{_shown(path)} is {what}; {accepted}"
        raise InputError(msg)


def _unread(path: Path, err: OSError | ValueError, accepted: str) -> InputError:
    name = _shown(path)
    if isinstance(err, FileNotFoundError):
        return InputError(f"{name}: there is no such file; {accepted}")
    why = (err.strerror if isinstance(err, OSError) else None) or str(err)
    return InputError(f"{name} cannot be read ({why}); {accepted}")


def _decoded(data: bytes, name: str, encoding: str | None, *, page: bool) -> tuple[str, str | None]:
    """Return the text, and what is doubtful about its encoding."""
    for magic, what in _MAGIC:
        if data.startswith(magic):
            msg = f"{name} holds {what}, not text; save it as plain text, or {_ACCEPTED}"
            raise InputError(msg)
    if encoding is not None:
        return _strictly(data, name, encoding), None
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return _strictly(data, name, marked), None
    with contextlib.suppress(UnicodeDecodeError):
        text = data.decode("utf-8")
        if "\x00" not in text:
            return text, None
    if page and (declared := _DECLARED.search(data[:4096].lower())):
        # What pages call Latin-1 or ASCII is read as Windows-1252 by every browser.
        label = declared[1].decode("ascii")
        label = "cp1252" if label in {"iso-8859-1", "latin-1", "latin1", "us-ascii"} else label
        with contextlib.suppress(UnicodeError, LookupError, ValueError):
            return data.decode(label), None
    return _guessed(data, name)


def _strictly(data: bytes, name: str, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as err:
        byte = f"byte 0x{data[err.start]:02x} at offset {err.start}"
        msg = f"{name} is not {encoding}: {byte} fits no character; {_advice(data)}"
        raise InputError(msg) from err
    except (LookupError, UnicodeError, ValueError) as err:
        msg = f"encoding {encoding!r} is unknown; give a name such as utf-8, cp1252 or utf-16"
        raise InputError(msg) from err


def _advice(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "give its true encoding, or none to have it guessed"
    return "its bytes are valid UTF-8, so leave the encoding out"


def _guessed(data: bytes, name: str) -> tuple[str, str]:
    """Guess the encoding of what is not UTF-8, or refuse."""
    if b"\x00" in data:
        encoding = "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"
        sparse = 10 * data.count(0) < 4 * len(data)
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if not sparse and "\x00" not in text:
                return text, f"no encoding is declared; read as {encoding}, by its zero bytes"
        msg = f"{name} is binary: the byte at offset {data.index(0)} is zero; {_ACCEPTED}"
        raise InputError(msg)
    text = data.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    sound = sum(not mark.isascii() for mark in text) - damaged
    if 10 * damaged <= sound:
        at = text.index("\ufffd")
        return text, f"UTF-8 with {damaged} damaged bytes (from character {at}), shown as U+FFFD"
    best, guess, fit = "", "", 0.5
    for encoding in ("cp1252", "mac_roman"):
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            foreign = sum(not mark.isascii() for mark in text)
            share = len(_FITTING.findall(text)) / foreign
            if share > fit and 3 * foreign < len(text):
                best, guess, fit = text, encoding, share
    if not guess:
        msg = f"{name} is not UTF-8 and looks like no Western encoding; name its encoding"
        raise InputError(msg)
    return best, f"not UTF-8; read as {guess}, a guess; name the encoding if it is another"


def write_whole(path: str | Path, data: str | bytes) -> None:
    r"""Write a file whole or not at all; its folder must exist.

    A link is followed; a pipe or a device is written to directly. Text is written as UTF-8; a lone
    surrogate becomes an escape such as `\ud800`.

    Raises
    ------
    InputError
        When the file cannot be written; what was there before is untouched.
    """
    name = _shown(path)
    raw = data.encode("utf-8", errors="backslashreplace") if isinstance(data, str) else data
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(raw)
            return
        beside = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with beside.open("xb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                beside.chmod(stat.S_IMODE(target.stat().st_mode))
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except (OSError, ValueError) as err:
        why = (err.strerror if isinstance(err, OSError) else None) or str(err)
        msg = f"{name} cannot be written ({why}); give a file in a folder that can be written to"
        raise InputError(msg) from err
