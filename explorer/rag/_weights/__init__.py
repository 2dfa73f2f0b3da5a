"""From feedback to the weights of hyperedges."""
