"""Attention that a model's own eager code returns."""
