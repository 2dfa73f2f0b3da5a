"""Choosing a threshold, and what each threshold gives."""
