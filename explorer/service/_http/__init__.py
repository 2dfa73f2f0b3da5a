"""HTTP: bodies, formats of answers, problems, and the checks before every request."""
