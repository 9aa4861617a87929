"""Corpora, labels, samples and splits."""
