"""Texts of the code tab."""

from __future__ import annotations

from typing import Final

from explorer.source import LANGUAGES

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
        "live_title": (
            "Type, and the attention follows. Click or Ctrl+Enter: pin the token at the cursor; "
            "Esc: unpin; Esc, then Tab: leave the editor"
        ),
        "placeholder": "Paste code here, or choose one of the examples above.",
        "tokens": "Code as tokens",
        "language": "Language",
        "language_title": "Language of the code: its identifiers and syntax nodes are found by it",
        "earlier": "\u2039 earlier",
        "later": "later \u203a",
        "how": "Darker: looked at more. The bars add it up.",
        "how_dismiss": "Do not show this line again",
        "grip": "Drag to make heatmap and code taller; double click for the height of the window",
        "find": "find",
        "find_title": "Find in the code: Enter for the next place, Shift+Enter for the one before",
        "found": "{n} of {of}",
        "wrap": "wrap",
        "wrap_title": "Break long lines",
    },
}
"""Part of the page -> its texts by their keys in `frontend/src/protocol/texts.ts`."""

VERDICTS: Final = {
    "used": "looked at",
    "near": "looked at a little",
    "not used": "hardly looked at",
    "unknown": "no score",
    "later": "cannot be seen from here",
}
"""What the app says of a unit of code, by its verdict in the feedback table; ``later`` is a unit
after the pinned token of a model that only looks back."""

SHORT_VERDICTS: Final = VERDICTS | {"near": "a little", "later": "comes later"}
"""The same in the bars, where there is less room."""

HEATMAP: Final = "Attention heatmap, query rows by key columns"
BARS: Final = "Feedback bars, one per unit of the code"
NO_CODE: Final = "code"
RECORDING: Final = "recording"


def recording(count: int) -> str:
    """Return what the job says while a model reads so many tokens."""
    return f"recording {count:,} tokens"


def code_title(language: str | None, count: int) -> str:
    """Return the title of code of so many tokens."""
    return f"{language or 'text'}, {count:,} tokens"


def language_choices(found: str | None) -> list[tuple[str, str]]:
    """Return the languages to choose from, by name; the first says what was found."""
    names = ((name, name) for name in (*LANGUAGES, "text"))
    return [("auto", f"{found or 'text'} (found)"), *names]


def window(size: int, first: int, last: int, total: int) -> str:
    """Return which tokens of a long text are shown; they are counted from 1."""
    return (
        f"The model takes {size:,} tokens at a time: tokens {first:,} to {last:,} of {total:,} are "
        "shown."
    )


# The sentence of the status line.

NO_CODE_SENTENCE: Final = "Paste code, or try one of the examples."
_NOTHING: Final = "nothing"


def token_name(token: str, line: int | None) -> str:
    """Return a token with its line, if it has one."""
    return f"“{token}”" + (f" (line {line})" if line is not None else "")


def bars_title(token: str | None, direction: str) -> str:
    """Return whose rows the bars show: those of a token, or of all."""
    if token is None:
        return "what all rows look at, on average"
    return f"what {token} looks at" if direction == "row" else f"what looks at {token}"


def cell_sentence(query: str, key: str, weight: str) -> str:
    """Return the sentence on a pinned cell."""
    return f"{query} looks at {key} with weight {weight}"


def row_sentence(token: str, listed: str, sink: str | None) -> str:
    """Return the sentence on a pinned token and the tokens that it attends to most."""
    return f"{token} looks most at {listed or _NOTHING}" + (f"; sink {sink}" if sink else "")


def column_sentence(token: str, listed: str) -> str:
    """Return the sentence on a pinned token and the tokens that attend to it most."""
    return f"{token} is looked at most by {listed or _NOTHING}"


def over_rows(token: str, weight: str, rows: int) -> str:
    """Return a token with the mean of its weights over so many rows."""
    return f"{token} {weight} over {rows:,} {'row' if rows == 1 else 'rows'}"


def mean_sentence(listed: str, left_out: int, least: int) -> str:
    """Return the sentence on the tokens that receive most attention from the others.

    Parameters
    ----------
    listed
        These tokens.
    left_out
        How many tokens are not compared: fewer than `least` rows see them.
    least
        From how many rows on they are.
    """
    text = f"most looked at by the other tokens, on average: {listed or _NOTHING}"
    if not left_out:
        return text
    tokens = "1 token is" if left_out == 1 else f"{left_out:,} tokens are"
    return f"{text}; {tokens} left out, as fewer than {least} rows can see them"
