"""A method compared with baselines and with other methods."""
