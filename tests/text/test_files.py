"""Reading texts of every kind and encoding, refusing the rest in one line, writing whole files."""

from __future__ import annotations

import io
import os
import re
import stat
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import EncodingWarning, InputError, MissingExtra
from detector.text import files
from detector.text.files import read, write_whole

TEXT = "The café’s owner said: “We’re done.”\r\nIt cost £5 – no more.\n"


@pytest.mark.parametrize("suffix", ["", ".txt", ".TXT", ".md", ".markdown", ".text"])
def test_files_utf8_is_read_as_it_stands(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"article{suffix}"
    path.write_bytes(TEXT.encode())
    assert read(path) == TEXT
    assert read(str(path)) == TEXT


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le-mark", "utf-16-be-mark"]
)
def test_files_byte_order_mark_decides_and_is_dropped(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    marked = encoding.removesuffix("-mark")
    path.write_bytes(("\ufeff" * (marked != encoding) + TEXT).encode(marked))
    assert read(path) == TEXT


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "mac_roman"])
def test_files_named_encoding_is_used_without_a_warning(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode(encoding))
    assert read(path, encoding=encoding) == TEXT


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "utf-16-le", "utf-16-be"])
def test_files_guessed_encoding_is_told(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "guess.txt"
    path.write_bytes(TEXT.encode(encoding))
    with pytest.warns(EncodingWarning, match=rf"guess\.txt.*{encoding}"):
        assert read(path) == TEXT


def test_files_damaged_utf8_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes((TEXT * 9).encode() + "“".encode()[:2])
    with pytest.warns(EncodingWarning, match="1 damaged byte"):
        assert read(path) == TEXT * 9 + "\ufffd"


@given(st.text().filter(lambda text: any(map(str.isalnum, text)) and "\x00" not in text))
def test_files_any_utf8_text_comes_back(text: str) -> None:
    data = text.encode()
    got, doubt = files._decoded(data, "a.txt", None, page=False)
    known = any(data.startswith(magic) for magic, _ in files._MAGIC + files._MARKS)
    assert known or (got, doubt) == (text, None)


@given(st.binary())
def test_files_any_bytes_are_read_or_refused_in_one_line(data: bytes) -> None:
    refusal = ""
    try:
        files._decoded(data or b"a", "a.txt", None, page=True)
    except InputError as err:
        refusal = str(err)
    assert "\n" not in refusal


BAD = {
    "empty": (b"", "a.txt", None, "is empty"),
    "white space": (b" \r\n\t\xc2\xa0 ", "a.txt", None, "holds only white space"),
    "a mark alone": (b"\xef\xbb\xbf", "a.txt", None, "holds only white space"),
    "no letter": ("— …".encode(), "a.txt", None, "holds no letter or digit"),
    "zero bytes": (b"The mayor\x00 left.", "a.txt", None, "is binary: the byte at offset 9"),
    "controls": (b"\x01\x02\x03\x04\x05" * 5 + b"abc", "a.txt", None, "is binary: 25 of 28"),
    "PDF": (b"%PDF-1.7 abc", "a.txt", None, "holds a PDF document"),
    "office": (b"PK\x03\x04abc", "a.txt", None, "holds a ZIP archive or an office document"),
    "image": (b"\x89PNG\r\n\x1a\n\x00", "a.md", None, "holds a PNG image"),
    "neither": (bytes(range(0x80, 0x100)), "a.txt", None, "is not UTF-8 and looks like no Western"),
    "wrong encoding": (TEXT.encode("cp1252"), "a.txt", "utf-8", "is not utf-8: byte 0xe9 at off"),
    "needless encoding": ("“a”".encode(), "a.txt", "ascii", "valid UTF-8, so leave the encoding"),
    "unknown encoding": (b"abc", "a.txt", "utf-9", "encoding 'utf-9' is unknown; give a name"),
    "no text encoding": (b"abc", "a.txt", "hex", "encoding 'hex' is unknown"),
    "zero in the name of an encoding": (b"abc", "a.txt", "a\x00", "is unknown"),
    "broken UTF-16": (b"\xff\xfea\x00b", "a.txt", None, "is not utf-16-le"),
    "other kind": (b"abc", "a.docx", None, "ends in .docx, which is not read; give a .txt"),
    "page without text": (b"<html><body></body></html>", "a.html", None, "no article was found"),
}


@pytest.mark.parametrize("case", BAD)
def test_files_bad_input_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    data, name, encoding, fact = BAD[case]
    if name.endswith(".html"):
        pytest.importorskip("trafilatura")
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=re.escape(fact)) as caught:
        read(path, encoding=encoding)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value) or "encoding" in str(caught.value)


def test_files_missing_folder_and_device_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.txt: there is no such file; give a \.txt"):
        read(tmp_path / "gone.txt")
    with pytest.raises(InputError, match="is a folder; give"):
        read(tmp_path)
    with pytest.raises(InputError, match="is a pipe or a device"):
        read("/dev/zero")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / ("long" * 100))
    with pytest.raises(InputError, match="cannot be read"):
        read("a\x00b")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_files_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("abc", encoding="utf-8")
    path.chmod(0)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        read(path)


def test_files_names_that_would_break_a_line_are_escaped(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a\n\u202eb.txt")
    assert "\n" not in str(caught.value)
    assert "\u202e" not in str(caught.value)


def test_files_standard_input_is_read_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode()), "ascii"))
    assert read("-") == TEXT
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b""), "ascii"))
    with pytest.raises(InputError, match="standard input is empty"):
        read("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input cannot be read"):
        read("-")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("linked", [False, True])
def test_files_pipe_is_refused_and_not_waited_for(tmp_path: Path, linked: bool) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    with pytest.raises(InputError, match=r"is a pipe or a device, not a file; .*standard input"):
        read(link if linked else pipe)


def test_files_without_an_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LONGEST", 1 << 20)
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(InputError, match=r"a\.txt is longer than 1 MiB"):
        read(path)
    with Path("/dev/zero").open() as endless:
        monkeypatch.setattr(sys, "stdin", endless)
        with pytest.raises(InputError, match="standard input is longer than 1 MiB"):
            read("-")


PAGE = """<!DOCTYPE html><html><head><title>Mayor</title></head><body>
<nav><ul><li><a href="/">Home</a></li></ul></nav><article><h1>Mayor leaves Lake Town</h1>
<p>The harbour board of Lake Town said on Monday that Dr. Ann Fox,
its head since 2019, would leave at the end of the year.</p>
<p>“We built two piers,” she said. “The café is late.”</p></article>
<footer>© 2025 Lake Herald</footer><div id="comments"><p>Great article!</p></div></body></html>"""
ARTICLE = (
    "Mayor leaves Lake Town\n\nThe harbour board of Lake Town said on Monday that Dr. Ann Fox, its "
    "head since 2019, would leave at the end of the year.\n\n“We built two piers,” she said. “The "
    "café is late.”"
)


@pytest.mark.parametrize("suffix", [".html", ".htm", ".HTML"])
def test_files_page_gives_its_article_in_paragraphs(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("trafilatura")
    path = tmp_path / f"a{suffix}"
    path.write_text(PAGE, encoding="utf-8")
    assert read(path) == ARTICLE


@pytest.mark.parametrize(
    "declaration",
    [
        '<meta charset="iso-8859-1">',
        '<meta http-equiv="x" content="text/html; charset=windows-1252">',
    ],
)
def test_files_page_declares_its_encoding(tmp_path: Path, declaration: str) -> None:
    pytest.importorskip("trafilatura")
    path = tmp_path / "a.html"
    path.write_bytes(PAGE.replace("<head>", f"<head>{declaration}").encode("cp1252"))
    assert read(path) == ARTICLE


def test_files_page_may_start_with_an_xml_declaration(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    path = tmp_path / "a.html"
    path.write_bytes(b'<?xml version="1.0" encoding="windows-1252"?>\n' + PAGE.encode("cp1252"))
    assert read(path) == ARTICLE


def test_files_page_needs_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.html"
    path.write_text(PAGE, encoding="utf-8")
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises(MissingExtra, match=r'pip install "roundtrip-detector\[html\]"'):
        read(path)


def test_files_page_nested_without_end_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    path = tmp_path / "a.html"
    path.write_text("<div>" * 50_000 + "text", encoding="utf-8")
    with pytest.raises(InputError, match="no article was found"):
        read(path)


def test_files_text_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    write_whole(path, TEXT)
    assert path.read_bytes() == TEXT.encode()
    write_whole(str(path), b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    write_whole(path, "\ud800")
    assert path.read_bytes() == rb"\ud800"
    assert list(tmp_path.iterdir()) == [path]


def test_files_failed_writing_leaves_what_stood_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.txt"
    write_whole(path, "before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"out\.txt cannot be written \(No space left on device\)"):
        write_whole(path, "after")
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["gone/out.txt", ".", "a\x00b", "long" * 100])
def test_files_unwritable_path_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be written") as caught:
        write_whole(f"{tmp_path}/{name}", "text")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_files_writing_follows_links_and_keeps_the_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "out.txt", tmp_path / "link"
    path.write_text("before", encoding="utf-8")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, "after")
    assert link.is_symlink()
    assert path.read_text(encoding="utf-8") == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_files_devices_are_written_to_and_never_replaced() -> None:
    write_whole(os.devnull, "text")
    assert not Path(os.devnull).is_file()


def test_files_reading_warns_nothing_when_nothing_is_guessed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEXT, encoding="utf-8")
    with warnings.catch_warnings(record=True) as caught:
        read(path)
    assert caught == []
