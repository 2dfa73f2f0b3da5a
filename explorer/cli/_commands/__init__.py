"""One module for each command: its options, and a call of the package."""
