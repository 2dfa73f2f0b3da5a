"""From what a trace holds to an attention map with one unit for each hyperedge."""
