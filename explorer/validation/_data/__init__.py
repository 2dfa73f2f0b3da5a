"""Scores put together with the ground truth."""
