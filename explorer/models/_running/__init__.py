"""A loaded model at work: recording attention, generating text, scoring answers."""
