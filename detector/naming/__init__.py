"""What became of each name of the source in the copy; `verdicts` is the way in."""
