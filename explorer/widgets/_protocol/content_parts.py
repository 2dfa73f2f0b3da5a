"""Contents: the small parts that several contents have."""

from __future__ import annotations

Choice = tuple[str, str] | tuple[str, str, str]
"""A choice: its value, its label, and what it says on hover."""

Note = tuple[str, str]
"""A word, and what it says on hover."""
