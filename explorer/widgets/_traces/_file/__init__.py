"""The file of the loaded traces: where it comes from, what is in it, and what went wrong."""
