"""Running a loaded model: reading, generating, scoring answers."""
