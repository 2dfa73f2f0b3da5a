"""Readers of formats that store a request as spans."""
