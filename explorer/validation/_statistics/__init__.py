"""Resampling by trace, and rank statistics."""
