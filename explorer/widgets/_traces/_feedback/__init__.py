"""Feedback of traces: by every method, over all traces, and the weights that follow from it."""
