"""`/live`: code as it is typed, for editors and for the page at `/`."""
