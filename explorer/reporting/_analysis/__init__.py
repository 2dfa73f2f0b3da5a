"""Numbers and sentences of a report."""
