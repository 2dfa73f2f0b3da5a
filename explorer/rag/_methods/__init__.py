"""One module for each method of feedback, and the settings they share."""
