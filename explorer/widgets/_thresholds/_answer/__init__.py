"""The answer at the top of the thresholds tab."""
