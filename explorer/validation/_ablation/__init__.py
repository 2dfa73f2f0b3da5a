"""Causal use: the drop of an answer's probability without each hyperedge."""
