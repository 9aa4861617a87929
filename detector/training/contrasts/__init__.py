"""Minimal pairs: each changes one thing in one sentence."""
