"""A sentence as it is matched: a second view, of the same length, that evens out what is cosmetic.

The encoder reads this view; every place in it is the same place in the raw sentence. Case and
accents are the encoder's own matter, names look at the raw text. Nothing is split here.
"""

from __future__ import annotations

import re
from typing import Final

_STRAIGHT: Final = str.maketrans("’‘ʼ`´“”„«»–‑", "'''''\"\"\"\"\"--")
_TAKEN_APART: Final = re.compile(r"(?<=[a-z]) n(?='t\b)")
_FINAL: Final = re.compile(r"[\s.!?…]+(?=[\s\"')\]]*$)")


def matching_view(text: str) -> str:
    r"""Return the view of a sentence that the encoder reads.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Of the same length: without the final stop, with straight quotation marks, apostrophes
        and hyphens, and with "do n't" as "don 't". A text of nothing but stops is left alone.

    Examples
    --------
    >>> matching_view("They do n’t pay.")
    "They don 't pay "
    """
    view = _TAKEN_APART.sub("n ", text.translate(_STRAIGHT))
    final = _FINAL.search(view)
    if final is not None:
        view = view[: final.start()] + " " * len(final.group()) + view[final.end() :]
    return view if view.strip() else text
