"""Causal use: what an answer loses without each hyperedge."""
