"""Numbers, dates, times, money and measures: found in a text, and compared within a bead."""
