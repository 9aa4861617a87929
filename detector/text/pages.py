"""Extract the article of a web page.

The time grows with the length of the page: what would take the parser or the extractor longer is
refused. No file is read here.
"""

from __future__ import annotations

import re
from typing import Final

from detector.errors import InputError, MissingExtra

# libxml2 compares each attribute of a tag with those before it; trafilatura walks over the inline
# elements of a paragraph for each of them.
_MOST_TAGS: Final = 50_000
_MOST_INLINE: Final = 1_000  # in one paragraph
_MOST_ATTRIBUTES: Final = 2_000  # of one tag

# Possessive, so that no text is scanned twice.
_VALUE: Final = r"""\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+)"""
_ATTRIBUTE: Final = re.compile(rf"[\s/]*+[^\s/>][^\s/>=]*+(?:{_VALUE})?+")
_TAG: Final = re.compile(rf"<(/?[a-z][^\s/>]*+)((?:{_ATTRIBUTE.pattern})*+)", re.IGNORECASE)
_BLOCK: Final = re.compile(
    "/?(?:address|article|aside|blockquote|body|center|dd|details|div|dl|dt|fieldset|figcaption|"
    "figure|footer|form|h[1-6]|header|hr|li|main|nav|ol|p|pre|section|table|tbody|td|tfoot|th|"
    "thead|tr|ul)"
)


def main_text(page: str, name: str) -> str:
    """Return the article of a web page, its paragraphs separated by blank lines.

    `name` is that of the file, for messages. A page without an article, or one that would take too
    long, is an `InputError`; a `MissingExtra` says that trafilatura is not installed.
    """
    try:
        from trafilatura import extract
    except ImportError as err:
        msg = (
            f"{name} is a web page, and trafilatura is not installed; "
            'pip install "roundtrip-detector[html]", or give its text as .txt'
        )
        raise MissingExtra(msg) from err
    if excess := _excess(page):
        msg = f"{name}: this page has {excess}; give its text as .txt"
        raise InputError(msg)
    # The parser refuses a declaration of encoding in decoded text.
    page = re.sub(r"\A\s*<\?xml[^>]*\?>", "", page)
    text = extract(page, include_comments=False)
    if not text or not text.strip():
        msg = f"{name}: no article was found in this page; give its text as .txt"
        raise InputError(msg)
    return "\n\n".join(line for line in str(text).splitlines() if line.strip())


def _excess(page: str) -> str | None:
    """Return what a page has too many of, and how many are accepted."""
    n_tags = n_inline = 0
    in_paragraph = False
    for tag in _TAG.finditer(page):
        kind = tag[1].lower()
        if _BLOCK.fullmatch(kind):
            n_inline, in_paragraph = 0, kind == "p"
        elif in_paragraph and kind[0] != "/":
            n_inline += 1
        n_tags += kind[0] != "/"
        if n_tags > _MOST_TAGS:
            return f"more than {_MOST_TAGS} tags"
        if n_inline > _MOST_INLINE:
            return f"more than {_MOST_INLINE} tags in one paragraph"
        long = len(tag[2]) > 2 * _MOST_ATTRIBUTES  # each takes two characters or more
        if long and len(_ATTRIBUTE.findall(tag[2])) > _MOST_ATTRIBUTES:
            return f"a tag of more than {_MOST_ATTRIBUTES} attributes"
    return None
