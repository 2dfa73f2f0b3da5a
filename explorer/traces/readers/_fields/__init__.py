"""Reading the fields of a foreign record."""
