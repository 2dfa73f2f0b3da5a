"""Finding, downloading and loading models."""
