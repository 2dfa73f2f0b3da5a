"""Comparison with baselines, with other methods, and with ablation effects."""
