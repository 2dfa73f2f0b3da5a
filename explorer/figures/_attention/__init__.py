"""Figures of attention: heatmaps, the grid of heads, token importance, still pictures."""
