"""Text made into markup that only shows it: what every page and fragment has in common.

Pure. Whatever comes from a document goes through here, and through `safe` before it: acting
characters are spelled out, the rest is escaped for text and for attributes alike.
"""

from __future__ import annotations

import html

from detector.showing.display import safe


def escaped(text: str) -> str:
    """Return text as markup that only shows it, fit for an attribute in double quotes too.

    Examples
    --------
    >>> escaped('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(safe(text), quote=True)


def quoted(text: str) -> str:
    """Return text of a document as markup, its direction held apart from its surroundings."""
    return f"<bdi>{escaped(text)}</bdi>"


def prose(text: str) -> str:
    """Return our own words as markup; they read from the left, whatever they quote."""
    return f'<bdi dir="ltr">{escaped(text)}</bdi>'
