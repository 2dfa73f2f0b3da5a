"""Readers of formats with one record for each question."""
