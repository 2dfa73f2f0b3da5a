"""From RAG traces to feedback for every hyperedge, and from feedback to hyperedge weights."""
