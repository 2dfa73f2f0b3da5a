"""Embedding functions: texts to vectors."""
