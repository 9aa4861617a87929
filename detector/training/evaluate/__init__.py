"""Metrics, baselines, evaluation and the model card."""
