"""Fitted models, the bundle that holds them, and its signature."""
