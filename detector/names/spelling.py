"""Compare two spellings of a name: misspelt, cut, garbled, or transliterated otherwise."""

from __future__ import annotations

import re

from detector.text.lexicon import is_known_name, is_word, zipf

# Digraphs and letters that transliterations of one name exchange, applied in order.
_ROMAN = (
    *(("ough", "u"), ("tch", "ch"), ("sch", "sh"), ("ph", "f"), ("kh", "h"), ("gh", "g")),
    *(("dh", "d"), ("zh", "j"), ("dj", "j"), ("ou", "u"), ("oo", "u"), ("ee", "i"), ("ei", "i")),
    *(("ai", "a"), ("ey", "i"), ("iy", "i"), ("yy", "i"), ("ie", "i"), ("q", "k"), ("ck", "k")),
    *(("c", "k"), ("w", "v"), ("y", "i"), ("o", "u"), ("e", "i"), ("-", ""), ("'", ""), ("h", "")),
)


def are_spellings(one: str, other: str) -> bool:
    """Return whether the source's form and another, both normalised, are spellings of one name.

    Only where ordinary English knows both forms, or they differ in a final i, y, iy or yy: a name
    that it does not know has no second spelling in use.

    Examples
    --------
    >>> are_spellings("gaddafi", "qaddafi"), are_spellings("mclaven", "mclaaven")
    (True, False)
    """
    if zipf(one) == 0.0 or min(len(one), len(other)) < 4:
        return False
    if re.sub("[iyj]+$", "", one) == re.sub("[iyj]+$", "", other):
        return True
    if zipf(other) == 0.0:
        return False
    keys = [_romanised(form) for form in (one, other)]
    return keys[0] == keys[1] or keys[0].replace("g", "k") == keys[1].replace("g", "k")


def is_cut(new: str, old: str) -> bool:
    """Return whether `new` is `old` with its beginning or its end cut off.

    Examples
    --------
    >>> is_cut("marenh", "marenholz"), is_cut("vora", "evora"), is_cut("virove", "vira")
    (True, True, False)
    """
    return 0 < len(new) < len(old) and (old.startswith(new) or old.endswith(new))


def is_misspelt(new: str, old: str) -> bool:
    """Return whether a reader still recognises the name in a form that is not garbled.

    Examples
    --------
    >>> is_misspelt("mclaaven", "mclaven"), is_misspelt("virove", "vira")
    (True, False)
    >>> is_misspelt("pharaharahs", "pharaohs")  # it stutters
    False
    """
    from rapidfuzz.distance import Levenshtein

    stutter = re.search(r"(..+?)\1", new)
    if stutter is not None and stutter.group(0) not in old:
        return False
    distance = Levenshtein.distance(old, new)
    return distance <= max(1, round(0.34 * max(len(old), len(new))))


def is_corrected(old: str, new: str) -> bool:
    """Return whether a long word that English does not know differs little from one it knows.

    Examples
    --------
    >>> is_corrected("krushchev", "khrushchev"), is_corrected("mclaven", "mclaaven")
    (True, False)
    """
    from rapidfuzz.distance import DamerauLevenshtein

    known = is_known_name(new) or is_word(new)
    strange = zipf(old) == 0.0 and not is_known_name(old) and not is_word(old)
    return known and strange and len(old) > 6 and DamerauLevenshtein.distance(old, new) < 2


def likeness(new: str, old: str) -> float:
    """Return how alike two forms are, in [0, 1]; 1 is the same word.

    The greater of the normalised indel similarity and, for words with a common beginning, the
    Jaro-Winkler similarity (Winkler, 1990) less .15: garbled names keep their first letters.
    """
    from rapidfuzz.distance import Indel, JaroWinkler

    indel = Indel.normalized_similarity(old, new)
    if old[:2] != new[:2]:
        return float(indel)
    return float(max(indel, JaroWinkler.normalized_similarity(old, new) - 0.15))


def _romanised(norm: str) -> str:
    """Return a key that transliterations of one name share: "iwakura" and "ivakura"."""
    for old, new in _ROMAN:
        norm = norm.replace(old, new)
    return re.sub(r"(.)\1+", r"\1", norm)
