"""Figures that show how good a threshold is."""
