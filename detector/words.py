"""Words of a sentence, and which word of the source became which word of the copy."""
