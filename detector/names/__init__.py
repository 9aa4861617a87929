"""Names of the source and what they became in the copy; `compare` is the way in."""
