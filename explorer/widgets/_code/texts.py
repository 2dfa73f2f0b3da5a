"""Texts of the code tab."""

from __future__ import annotations

from typing import Final

PAGE_TEXTS: Final = {
    "code_text": {
        "code": "code",
        "examples": "examples…",
        "examples_title": "Example programs",
        "direction": "Direction",
        "row": "looks at",
        "row_title": "The tokens that the pinned token attends to (its row)",
        "column": "looked at by",
        "column_title": "The tokens that attend to the pinned token (its column)",
        "edit": "edit",
        "back": "back",
        "run": "run",
        "run_title": "Ctrl+Enter",
        "editor": "Code to explore",
        "placeholder": "Paste code here, or choose one of the examples above.",
        "tokens": "Code as tokens",
        "earlier": "\u2039 earlier",
        "later": "later \u203a",
    },
}
"""Part of the page -> its texts by their keys in `frontend/src/protocol/texts.ts`."""
