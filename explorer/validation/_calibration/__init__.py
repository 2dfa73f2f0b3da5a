"""Choice of heads and a threshold by nested cross-validation."""
