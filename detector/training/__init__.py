"""Fit and measure the models; nothing that scores imports it."""
