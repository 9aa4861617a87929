"""Which language a copy went through: edits, weights, evidence in words."""
