"""What only the command line does: pages of code, comments on diffs, comparison of runs."""
