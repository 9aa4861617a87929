"""Numbers, dates, times, money and measures; `compare` is the way in."""
