"""Scores joined with the ground truth."""
