"""What a copy is to a source: rooms that look at two whole texts."""
