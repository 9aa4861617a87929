"""Which sentences of a copy belong to which of its source; `align` is the way in."""
