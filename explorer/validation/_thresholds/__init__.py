"""Choice of a threshold, and measures at every threshold."""
