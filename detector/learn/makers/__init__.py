"""Makers of minimal pairs: each changes one thing in one sentence, and says where."""
