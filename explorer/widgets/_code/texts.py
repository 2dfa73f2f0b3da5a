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

HEATMAP: Final = "Attention heatmap, query rows by key columns"
BARS: Final = "Feedback bars, one a unit of the code"
NO_CODE: Final = "code"
RECORDING: Final = "recording"


def recording(count: int) -> str:
    """Return what the job says while a model reads so many tokens."""
    return f"recording {count:,} tokens"


def code_title(language: str | None, count: int) -> str:
    """Return the title of code of so many tokens."""
    return f"{language or 'text'}, {count:,} tokens"


def window(size: int, first: int, last: int, total: int) -> str:
    """Return which tokens of a long text are shown; they are counted from 1."""
    return (
        f"The model takes {size:,} tokens at a time: tokens {first:,} to {last:,} of {total:,} are "
        "shown."
    )
