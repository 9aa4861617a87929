"""Evidence about a bead, cues, features, and explanations in words."""
