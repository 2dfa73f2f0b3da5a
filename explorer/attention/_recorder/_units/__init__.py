"""Attention reduced to units while the model runs."""
