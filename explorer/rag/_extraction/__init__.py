"""From traces to a table of feedback."""
