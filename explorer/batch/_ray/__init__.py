"""A job of Ray in a process of its own."""
