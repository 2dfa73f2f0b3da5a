"""The models on offer: packaged, on the hub, or in a folder; how each is loaded."""
