"""What a copy is to a source: round trip, duplicate, paraphrase, independent, unrelated."""
