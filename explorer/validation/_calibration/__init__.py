"""Choosing heads and a threshold by nested cross-validation."""
