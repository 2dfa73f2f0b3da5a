"""Evidence of a trace as an attention map with one unit for each hyperedge."""
