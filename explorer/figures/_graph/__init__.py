"""Figures of hyperedges, their entities and their weights."""
