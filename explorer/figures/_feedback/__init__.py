"""Figures of feedback: one row for each unit."""
