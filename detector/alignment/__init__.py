"""Align the sentences of a copy with those of its source; `align` is the way in."""
