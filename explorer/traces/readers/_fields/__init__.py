"""Fields of the records of other tools."""
