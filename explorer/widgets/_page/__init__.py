"""The Code tab on a page of its own, without Jupyter."""
